package record

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	// RuleCut counts times finer than a millisecond, which were cut.
	RuleCut = "cut"
	// RuleUnknown counts members that the contract does not name.
	RuleUnknown = "unknown"

	valueShown = 200 // bytes of an offending value that a violation keeps
)

// anyItem stands in a pointer for the place in a list. No member's name reads so: there a tilde is ~0.
const anyItem = "/~*"

// reason is a rule broken at a place, as counts know it, with anyItem for the places in lists.
type reason struct{ rule, pointer string }

// violate notes a reason to reject the record at hand. The value is buf[i:end]; there is none when i is negative.
func (d *decoder) violate(pointer, rule, message string, i, end int) (noted bool) {
	return d.add(pointer, rule, message, d.shown(i, end))
}

func (d *decoder) add(pointer, rule, message, value string) (noted bool) {
	if len(d.violations) >= MaxViolations {
		d.unlisted++
		return false
	}
	at := d.locate(pointer)
	for k := range d.violations {
		if v := &d.violations[k]; v.Rule == rule && v.Pointer == at {
			return false // the same text read for another column
		}
	}
	if at != "" {
		message = at + " " + message
	} else {
		message = "the record " + message
	}
	d.violations = append(d.violations, Violation{Pointer: at, Rule: rule, Message: message, Value: value})
	d.reasons = append(d.reasons, reason{rule: rule, pointer: pointer})
	return true
}

// locate puts the places in lists into a pointer.
func (d *decoder) locate(pointer string) string {
	for _, n := range d.indexes {
		pointer = strings.Replace(pointer, anyItem, "/"+strconv.Itoa(n), 1)
	}
	return pointer
}

func (d *decoder) shown(i, end int) string {
	if i < 0 {
		return ""
	}
	text := d.buf[i:end]
	if len(text) <= valueShown {
		return strings.ToValidUTF8(string(text), "\uFFFD")
	}
	return strings.ToValidUTF8(string(text[:valueShown]), "\uFFFD") + "…"
}

// warn notes what is worth knowing of a record that is kept.
func (d *decoder) warn(pointer, rule string) {
	if w := (reason{rule: rule, pointer: pointer}); !slices.Contains(d.warnings, w) {
		d.warnings = append(d.warnings, w)
	}
}

// checkFloat tests what the inline test did not. text are the digits of x; the value is buf[i:end], or the text itself
// when i is negative.
func (d *decoder) checkFloat(f *field, x float64, num number, text string, i, end int) {
	for _, b := range f.bounds {
		if breaks(b.rule, cmp.Compare(x, b.float)) {
			d.add(f.pointer, b.rule, b.message(), d.shownNumber(text, i, end))
		}
	}
	if m := f.Constraints.MultipleOf; m != nil && !num.multipleOf(m, text) {
		d.add(f.pointer, RuleMultipleOf, "is no multiple of "+f.boundText(m), d.shownNumber(text, i, end))
	}
	if a := math.Abs(x); f.tiny > 0 && x != 0 && (a < smallestServed || a > largestServed) {
		d.add(f.pointer, RuleServing, "is outside the range of a DynamoDB number (1E-130 to 9.99E+125)", d.shownNumber(text, i, end))
	}
}

func (d *decoder) shownNumber(text string, i, end int) string {
	if i < 0 {
		return strings.Clone(text)
	}
	return d.shown(i, end)
}

// numberText is the text of a number without the quotes that may be around it. It is valid until the window moves.
func (d *decoder) numberText(i, end int) string {
	if i < 0 {
		return ""
	}
	text := bytes.Trim(d.buf[i:end], `"`)
	return view(text)
}

func (b *bound) message() string {
	switch b.rule {
	case RuleMinimum:
		return "is below the minimum " + b.text
	case RuleMaximum:
		return "is above the maximum " + b.text
	case RuleAboveMinimum:
		return "is not above " + b.text
	}
	return "is not below " + b.text
}

// breaks says whether a value that compares so with a limit breaks the rule.
func breaks(rule string, cmp int) bool {
	switch rule {
	case RuleMinimum:
		return cmp < 0
	case RuleMaximum:
		return cmp > 0
	case RuleAboveMinimum:
		return cmp <= 0
	}
	return cmp >= 0
}

// multipleOf is exact: it works on the digits as they stand.
func (v number) multipleOf(m *big.Rat, text string) bool {
	if !v.long && v.mant == 0 {
		return true
	}
	if !v.long && m.Num().IsUint64() && m.Denom().IsUint64() && v.exp >= -19 && v.exp <= 0 {
		// mant/10^-exp ÷ num/denom is whole when num × 10^-exp divides mant × denom.
		hi, divisor := bits.Mul64(m.Num().Uint64(), uintPowers[-v.exp])
		high, low := bits.Mul64(v.mant, m.Denom().Uint64())
		if hi == 0 && high < divisor {
			return bits.Rem64(high, low, divisor) == 0
		}
	}
	// The last digit that is not zero tells most. What it leaves has, being a double, some 700 digits at most.
	digits := canonicalNumber(nil, []byte(text))
	if at := bytes.IndexByte(digits, 'e'); at >= 0 {
		if e, err := strconv.Atoi(string(digits[at+1:])); err != nil || e > 400 || e < -400 {
			return e > 0 // no multiple in a contract is finer or coarser
		}
	}
	x, ok := new(big.Rat).SetString(string(digits))
	return ok && x.Quo(x, m).IsInt()
}

// checkInt tests integers, timestamps and dates.
func (d *decoder) checkInt(f *field, x int64, i, end int) {
	if x < f.minInt || x > f.maxInt || f.impossible {
		for _, b := range f.bounds {
			if breaks(b.rule, new(big.Rat).SetInt64(x).Cmp(b.limit)) {
				d.violate(f.pointer, b.rule, b.message(), i, end)
			}
		}
	}
	if m := f.Constraints.MultipleOf; m != nil && !wholeMultiple(x, m) {
		d.violate(f.pointer, RuleMultipleOf, "is no multiple of "+f.boundText(m), i, end)
	}
	if f.enum != nil {
		text := strconv.AppendInt(d.scratch[:0], x, 10)
		d.scratch = text
		if !f.enum[string(text)] {
			d.violate(f.pointer, RuleEnum, "is none of the values allowed", i, end)
		}
	}
}

func wholeMultiple(x int64, m *big.Rat) bool {
	if m.IsInt() && m.Num().IsInt64() && m.Num().Int64() != -1 {
		return x%m.Num().Int64() == 0
	}
	r := new(big.Rat).SetInt64(x)
	return r.Quo(r, m).IsInt()
}

func (d *decoder) checkDecimal(f *field, u uint128, neg bool, i, end int) {
	w := u.signed(neg)
	outside := w.less(f.minWide) || f.maxWide.less(w)
	if outside {
		unscaled := u.big()
		if neg {
			unscaled.Neg(unscaled)
		}
		x := new(big.Rat).SetFrac(unscaled, powerOfTen(f.Type.Scale))
		for _, b := range f.bounds {
			if breaks(b.rule, x.Cmp(b.limit)) {
				d.violate(f.pointer, b.rule, b.message(), i, end)
			}
		}
	}
	num := number{mant: u.lo, exp: -f.Type.Scale, long: u.hi != 0}
	if m := f.Constraints.MultipleOf; m != nil && !num.multipleOf(m, d.numberText(i, end)) {
		d.violate(f.pointer, RuleMultipleOf, "is no multiple of "+f.boundText(m), i, end)
	}
}

// checkText tests a string of n code points.
func (d *decoder) checkText(f *field, text []byte, n, i, end int) {
	if n < f.minLength {
		d.violate(f.pointer, RuleMinLength, fmt.Sprintf("has %d characters, fewer than %d", n, f.minLength), i, end)
	}
	if n > f.maxLength {
		d.violate(f.pointer, RuleMaxLength, fmt.Sprintf("has %d characters, more than %d", n, f.maxLength), i, end)
	}
	if p := f.Constraints.Pattern; p != nil && !p.Match(text) {
		d.violate(f.pointer, RulePattern, "does not match "+p.String(), i, end)
	}
	if name := f.Constraints.Format; name != "" && !formats[name](view(text)) {
		d.violate(f.pointer, RuleFormat, "is no "+name, i, end)
	}
	if f.enum != nil && !f.enum[string(text)] {
		d.violate(f.pointer, RuleEnum, "is none of the values allowed", i, end)
	}
	if f.missing[string(text)] {
		d.violate(f.pointer, RuleMissing, "holds a text that stands for no value", i, end)
	}
}

// checkItems tests an array of n elements, whose text is buf[i:end].
func (d *decoder) checkItems(f *field, n, i, end int) {
	o := &f.Constraints
	if o.MinItems != nil && n < *o.MinItems {
		d.violate(f.pointer, RuleMinItems, fmt.Sprintf("has %d items, fewer than %d", n, *o.MinItems), i, end)
	}
	if o.MaxItems != nil && n > *o.MaxItems {
		d.violate(f.pointer, RuleMaxItems, fmt.Sprintf("has %d items, more than %d", n, *o.MaxItems), i, end)
	}
	if o.UniqueItems && !d.distinct(i) {
		d.violate(f.pointer, RuleUniqueItems, "has an item twice", i, end)
	}
}

// distinct says whether no element of the array at i occurs twice. The elements are scalars, compared as values: 1 and
// 1.0 are the same.
func (d *decoder) distinct(i int) bool {
	d.items.reset()
	for at := d.space(i + 1); d.buf[at] != ']'; {
		end := d.skip(at)
		d.scratch = d.canonical(d.scratch[:0], at, end)
		h := hashKey(d.scratch)
		if d.items.has(h) {
			return false
		}
		d.items.add(h)
		if at = d.space(end); d.buf[at] == ',' {
			at = d.space(at + 1)
		}
	}
	return true
}

// canonical writes a scalar so that equal values have equal text.
func (d *decoder) canonical(dst []byte, i, end int) []byte {
	switch c := d.buf[i]; {
	case c == '"':
		dst, _, _ = d.unquote(append(dst, '"'), i+1)
		return dst
	case c == '-' || c-'0' <= 9:
		return canonicalNumber(dst, d.buf[i:end])
	}
	return append(dst, d.buf[i:end]...)
}

// canonicalNumber writes a number as its significant digits and exponent.
func canonicalNumber(dst, text []byte) []byte {
	start, exp, point := len(dst), 0, false
	if text[0] == '-' {
		dst = append(dst, '-')
		text = text[1:]
	}
	first := len(dst)
	for i, c := range text {
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
		if c != '0' || len(dst) > first {
			dst = append(dst, c)
		}
	}
	if len(dst) == first {
		return append(dst[:start], '0')
	}
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
		exp++
	}
	return strconv.AppendInt(append(dst, 'e'), int64(exp), 10)
}

// formats tests the formats of strings that ODCS names.
var formats = map[string]func(string) bool{
	"uuid":     isUUID,
	"uri":      isURI,
	"email":    isEmail,
	"hostname": isHostname,
	"ipv4": func(s string) bool {
		a, err := netip.ParseAddr(s)
		return err == nil && a.Is4()
	},
	"ipv6": func(s string) bool {
		a, err := netip.ParseAddr(s)
		return err == nil && a.Is6() && a.Zone() == ""
	},
}

// isUUID takes the form of RFC 9562.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return false
			}
		} else if hexValue(s[i]) < 0 {
			return false
		}
	}
	return true
}

// isURI takes an absolute URI of RFC 3986.
func isURI(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7F || strings.IndexByte("<>\"{}|\\^`", c) >= 0 {
			return false
		}
	}
	u, err := url.Parse(s)
	return err == nil && u.IsAbs() && (u.Host != "" || u.Opaque != "" || u.Path != "")
}

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && a.Name == ""
}

// isHostname takes the form of RFC 1123.
func isHostname(s string) bool {
	if len(s) == 0 || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; c != '-' && c-'0' > 9 && (c|0x20)-'a' > 25 {
				return false
			}
		}
	}
	return true
}
