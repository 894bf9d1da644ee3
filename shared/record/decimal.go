package record

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
)

// uint128 is an unsigned 128-bit integer: room for 38 digits.
type uint128 struct{ hi, lo uint64 }

// times10 gives u×10+d.
func (u uint128) times10(d uint64) uint128 {
	hi, lo := bits.Mul64(u.lo, 10)
	lo, carry := bits.Add64(lo, d, 0)
	return uint128{u.hi*10 + hi + carry, lo}
}

// maxDecimalDigits is the largest precision of a decimal.
const maxDecimalDigits = 38

// decimal reads the text of a JSON number as an integer of 10^-scale: exact, digit by digit. fault is RuleOverflow when
// there are more digits before the point than precision leaves, RulePrecision when there are more behind it than scale.
func decimal(text []byte, precision, scale int) (u uint128, neg bool, fault string) {
	i := 0
	if text[0] == '-' {
		neg = true
		i++
	}
	// The significant digits, those between the first and the last that are not zero, are kept as u×10^exp. Zeros at
	// the end wait until a digit follows them.
	kept, waiting, exp := 0, 0, 0
	point := false
	for ; i < len(text); i++ {
		c := text[i]
		if c == '.' {
			point = true
			continue
		}
		if c|0x20 == 'e' {
			exp += exponent(text[i+1:])
			break
		}
		if point {
			exp--
		}
		if c == '0' {
			if kept > 0 {
				waiting++
			}
			continue
		}
		kept += waiting + 1
		if kept <= maxDecimalDigits {
			for ; waiting > 0; waiting-- {
				u = u.times10(0)
			}
			u = u.times10(uint64(c - '0'))
		}
		waiting = 0
	}
	if kept == 0 {
		return uint128{}, false, ""
	}
	exp += waiting + scale // of the last digit that is not zero, in units of 10^-scale
	if exp < 0 {
		if kept+exp > precision {
			return u, neg, RuleOverflow
		}
		return u, neg, RulePrecision
	}
	if kept+exp > precision {
		return u, neg, RuleOverflow
	}
	for range exp {
		u = u.times10(0)
	}
	return u, neg, ""
}

// exponent reads what follows the e of a number that has been scanned.
func exponent(text []byte) int {
	neg := text[0] == '-'
	if neg || text[0] == '+' {
		text = text[1:]
	}
	e := 0
	for _, c := range text {
		if e < expLimit {
			e = e*10 + int(c-'0')
		}
	}
	if neg {
		return -e
	}
	return e
}

// decimal64 is the way of numbers whose mantissa and scale stay small, which is nearly all; not ok means to look at
// the text.
func (v number) decimal64(precision, scale int) (n int64, ok bool) {
	e := v.exp + scale
	if v.long || e < 0 || e > 18 {
		return 0, false
	}
	hi, lo := bits.Mul64(v.mant, uintPowers[e])
	if hi != 0 || lo >= uintPowers[min(precision, 18)] {
		return 0, false
	}
	if v.neg {
		return -int64(lo), true
	}
	return int64(lo), true
}

// appendDecimal128 appends a decimal of more than 18 digits in its Parquet form: 16 bytes, two's complement, big-endian.
func appendDecimal128(dst []byte, u uint128, neg bool) []byte {
	w := u.signed(neg)
	dst = binary.BigEndian.AppendUint64(dst, uint64(w.hi))
	return binary.BigEndian.AppendUint64(dst, w.lo)
}

// appendDecimalText appends an unscaled decimal in plain notation, with all digits of its scale.
func appendDecimalText(dst []byte, u uint128, neg bool, scale int) []byte {
	var digits [40]byte
	i := len(digits)
	for n := 0; n <= scale || u != (uint128{}); n++ {
		if n == scale && scale > 0 {
			i--
			digits[i] = '.'
		}
		var d uint64
		u.hi, d = u.hi/10, u.hi%10
		u.lo, d = bits.Div64(d, u.lo, 10)
		i--
		digits[i] = byte('0' + d)
	}
	if neg {
		i--
		digits[i] = '-'
	}
	return append(dst, digits[i:]...)
}

// longInteger reads an integer whose digits exceed a mantissa.
func longInteger(text []byte) (n int64, fault string) {
	u, neg, fault := decimal(text, maxDecimalDigits, 0)
	switch {
	case fault == RulePrecision:
		return 0, RuleType
	case fault != "" || u.hi != 0:
		return 0, RuleOverflow
	}
	return number{mant: u.lo, neg: neg}.integer()
}

// wide is a signed 128-bit integer in two's complement.
type wide struct {
	hi int64
	lo uint64
}

func (w wide) less(v wide) bool { return w.hi < v.hi || w.hi == v.hi && w.lo < v.lo }

func (u uint128) signed(neg bool) wide {
	if neg {
		var borrow uint64
		u.lo, borrow = bits.Sub64(0, u.lo, 0)
		u.hi, _ = bits.Sub64(0, u.hi, borrow)
	}
	return wide{int64(u.hi), u.lo}
}

func (u uint128) big() *big.Int {
	n := new(big.Int).SetUint64(u.hi)
	return n.Or(n.Lsh(n, 64), new(big.Int).SetUint64(u.lo))
}

// wideOf brings an integer into 128 bits; what does not fit becomes the outermost that does, beyond all decimals.
func wideOf(n *big.Int) wide {
	if n.BitLen() > 127 {
		if n.Sign() > 0 {
			return wide{math.MaxInt64, math.MaxUint64}
		}
		return wide{math.MinInt64, 0}
	}
	abs := new(big.Int).Abs(n)
	u := uint128{lo: new(big.Int).And(abs, new(big.Int).SetUint64(math.MaxUint64)).Uint64(), hi: new(big.Int).Rsh(abs, 64).Uint64()}
	return u.signed(n.Sign() < 0)
}

func powerOfTen(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}
