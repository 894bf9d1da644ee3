package record

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"sync"
)

// number is a JSON number as mantissa × 10^exp, before it takes a type. Its digits are never seen as a float.
type number struct {
	mant uint64
	exp  int
	neg  bool
	long bool // more than the mantissa holds: the text decides
}

const (
	zeros8    = 0x3030303030303030
	high8     = 0x8080808080808080
	expLimit  = 1 << 32 // an exponent beyond it says no more than the limit itself: no record has so many digits
	exactUint = 1 << 53
)

// mantLimit[n] is the largest mantissa that n more digits cannot overflow, mantPowers[n] what they make of it: as many as
// spare a check of bounds.
var mantLimit, mantPowers = func() (limit, powers [16]uint64) {
	for n := range limit {
		powers[n] = uintPowers[n]
		limit[n] = (math.MaxUint64 - (powers[n] - 1)) / powers[n]
	}
	return limit, powers
}()

var uintPowers = [20]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

var floatPowers = [23]float64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// digits reads up to eight digits at b[i:], which must have eight bytes: how many there are and their value.
func digits(b []byte, i int) (n int, v uint64) {
	x := word(b, i) ^ zeros8
	other := (x + 0x7676767676767676 | x) & high8
	n = bits.TrailingZeros64(other) >> 3
	x <<= uint(64-8*n) & 63
	x = x*10 + x>>8
	v = ((x & 0x000000FF000000FF * 0x000F424000000064) + (x >> 16 & 0x000000FF000000FF * 0x0000271000000001)) >> 32
	return n, v
}

// scanNumber reads the JSON number at b[i:]; end is negative where there is none, ^end being the place of the fault.
// b needs 16 readable bytes behind its text that are no digits.
func scanNumber(b []byte, i int) (v number, end int) {
	start := i
	if b[i] == '-' {
		v.neg = true
		i++
	}
	n, m := digits(b, i)
	if n == 0 {
		return v, ^i
	}
	if b[i] == '0' && n > 1 {
		return v, ^(i + 1)
	}
	i += n
	if n == 8 {
		if m, i = moreDigits(b, i, m); i < 0 {
			return scanLong(b, start)
		}
	}
	if b[i] == '.' {
		i++
		point := i
		n, part := digits(b, i)
		if n == 0 {
			return v, ^i
		}
		if m > mantLimit[n&15] {
			return scanLong(b, start)
		}
		m = m*mantPowers[n&15] + part
		i += n
		if n == 8 {
			if m, i = moreDigits(b, i, m); i < 0 {
				return scanLong(b, start)
			}
		}
		v.exp = point - i
	}
	v.mant = m
	if b[i]|0x20 == 'e' {
		exp, end := scanExponent(b, i+1)
		v.exp += exp
		return v, end
	}
	return v, i
}

// moreDigits goes on behind eight digits, m being what they and those before them make; i is negative where the mantissa
// overflows.
func moreDigits(b []byte, i int, m uint64) (mant uint64, end int) {
	for {
		n, part := digits(b, i)
		if n == 0 {
			return m, i
		}
		if m > mantLimit[n&15] {
			return 0, -1
		}
		m = m*mantPowers[n&15] + part
		i += n
		if n < 8 {
			return m, i
		}
	}
}

func scanExponent(b []byte, i int) (exp, end int) {
	neg := b[i] == '-'
	if neg || b[i] == '+' {
		i++
	}
	if b[i]-'0' > 9 {
		return 0, ^i
	}
	for ; b[i]-'0' <= 9; i++ {
		if exp < expLimit {
			exp = exp*10 + int(b[i]-'0')
		}
	}
	if neg {
		exp = -exp
	}
	return exp, i
}

// scanLong reads a number of more digits than a mantissa holds: the first 19 that count.
func scanLong(b []byte, i int) (v number, end int) {
	if b[i] == '-' {
		v.neg = true
		i++
	}
	kept, point := 0, -1
	for ; ; i++ {
		c := b[i]
		if c == '.' && point < 0 {
			point = i
			if b[i+1]-'0' > 9 {
				return v, ^(i + 1)
			}
			continue
		}
		if c-'0' > 9 {
			break
		}
		switch {
		case kept < 19:
			v.mant = v.mant*10 + uint64(c-'0')
			if v.mant > 0 {
				kept++
			}
			if point >= 0 {
				v.exp--
			}
		case c == '0' && !v.long && point >= 0:
			// a zero at the end of a fraction says nothing
		default:
			v.long = v.long || c != '0'
			if point < 0 {
				v.exp++
			}
		}
	}
	// Zeros dropped from a fraction may stand before a digit that is dropped too: then long is set and the text decides.
	if b[i]|0x20 == 'e' {
		exp, end := scanExponent(b, i+1)
		v.exp += exp
		return v, end
	}
	return v, i
}

// float gives the nearest double. text is the number as it stands, for what the fast ways decline.
func (v number) float(t *powers, text []byte) (f float64, ok bool) {
	if v.mant < exactUint && !v.long {
		f = float64(v.mant)
		switch e := v.exp; {
		case e == 0:
		case e < 0 && e >= -22:
			f /= floatPowers[-e]
		case e > 0 && e <= 22 && v.mant != 0:
			f *= floatPowers[e]
		default:
			return v.roundFloat(t, text)
		}
		if v.neg {
			f = -f
		}
		return f, true
	}
	return v.roundFloat(t, text)
}

func (v number) roundFloat(t *powers, text []byte) (f float64, ok bool) {
	if v.mant == 0 && !v.long {
		if v.neg {
			return math.Copysign(0, -1), true
		}
		return 0, true
	}
	if !v.long {
		if f, ok := t.float(v.mant, v.exp, v.neg); ok {
			return f, true
		}
	}
	f, err := strconv.ParseFloat(view(text), 64)
	return f, err == nil
}

// powers holds 10^powersFrom … 10^powersTo as 128-bit mantissas, rounded down, for Eisel and Lemire's algorithm.
type powers [powersTo - powersFrom + 1][2]uint64

const (
	powersFrom = -80
	powersTo   = 60
)

// powersOfTen computes the table once a process, in a fraction of a millisecond: a literal would be 141 lines of digits.
var powersOfTen = sync.OnceValue(func() *powers {
	t := new(powers)
	ten, mask := big.NewInt(10), new(big.Int).SetUint64(math.MaxUint64)
	for e := powersFrom; e <= powersTo; e++ {
		p := new(big.Int).Exp(ten, big.NewInt(int64(max(e, -e))), nil)
		if e < 0 {
			p.Quo(new(big.Int).Lsh(big.NewInt(1), uint(p.BitLen()+128)), p)
		}
		if n := p.BitLen(); n > 128 {
			p.Rsh(p, uint(n-128))
		} else {
			p.Lsh(p, uint(128-n))
		}
		t[e-powersFrom] = [2]uint64{new(big.Int).Rsh(p, 64).Uint64(), new(big.Int).And(p, mask).Uint64()}
	}
	return t
})

// float is Eisel and Lemire's algorithm: the nearest double to mant × 10^exp, or not ok where 128 bits do not decide.
func (t *powers) float(mant uint64, exp int, neg bool) (f float64, ok bool) {
	if exp < powersFrom || exp > powersTo {
		return 0, false
	}
	power := &t[exp-powersFrom]
	shift := bits.LeadingZeros64(mant)
	mant <<= uint(shift)
	biased := uint64(217706*exp>>16+64+1023) - uint64(shift)

	hi, lo := bits.Mul64(mant, power[0])
	if hi&0x1FF == 0x1FF && lo+mant < mant {
		hi2, lo2 := bits.Mul64(mant, power[1])
		mergedHi, mergedLo := hi, lo+hi2
		if mergedLo < lo {
			mergedHi++
		}
		if mergedHi&0x1FF == 0x1FF && mergedLo+1 == 0 && lo2+mant < mant {
			return 0, false
		}
		hi, lo = mergedHi, mergedLo
	}
	top := hi >> 63
	result := hi >> (top + 9)
	biased -= 1 ^ top
	if lo == 0 && hi&0x1FF == 0 && result&3 == 1 {
		return 0, false // half way between two doubles
	}
	result += result & 1
	result >>= 1
	if result>>53 > 0 {
		result >>= 1
		biased++
	}
	if biased-1 >= 0x7FF-1 {
		return 0, false // subnormal or too large
	}
	b := biased<<52 | result&(1<<52-1)
	if neg {
		b |= 1 << 63
	}
	return math.Float64frombits(b), true
}

// integer gives the value where it is integral and in range: 1, 1.0 and 1e3 are.
func (v number) integer() (n int64, fault string) {
	m, e := v.mant, v.exp
	if v.long {
		return 0, RuleOverflow // callers look at the text first
	}
	if m == 0 {
		return 0, ""
	}
	for ; e < 0; e++ {
		if m%10 != 0 {
			return 0, RuleType
		}
		m /= 10
	}
	if e > 19 {
		return 0, RuleOverflow
	}
	hi, lo := bits.Mul64(m, uintPowers[e])
	limit := uint64(math.MaxInt64)
	if v.neg {
		limit++
	}
	if hi != 0 || lo > limit {
		return 0, RuleOverflow
	}
	if v.neg {
		return -int64(lo), ""
	}
	return int64(lo), ""
}
