package contract

import (
	"math"
	"math/big"
	"time"
)

// valueRange is what a type can hold: from low to high, in steps of unit where it has such.
type valueRange struct {
	low, high *big.Rat
	unit      *big.Rat // nil: no steps
	name      string
	text      func(*big.Rat) string
}

func integers(name string, low, high int64) *valueRange {
	return &valueRange{big.NewRat(low, 1), big.NewRat(high, 1), big.NewRat(1, 1), name, (*big.Rat).RatString}
}

// integerFormats are Rust's integer types, as the standard has them, that fit a bigint.
var integerFormats = map[string]*valueRange{
	"i8": integers("i8", math.MinInt8, math.MaxInt8), "i16": integers("i16", math.MinInt16, math.MaxInt16),
	"i32": integers("i32", math.MinInt32, math.MaxInt32), "i64": integers("bigint", math.MinInt64, math.MaxInt64),
	"u8": integers("u8", 0, math.MaxUint8), "u16": integers("u16", 0, math.MaxUint16), "u32": integers("u32", 0, math.MaxUint32),
}

// Times are of the years that Athena reads and that sort as text.
var (
	firstMoment = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	lastMoment  = time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC)
)

// rangeOf gives the range of a number, timestamp or date; nil for a type that could not be read.
func rangeOf(t Type) *valueRange {
	switch t.Kind {
	case Integer:
		return integerFormats["i64"]
	case Decimal:
		unit := new(big.Rat).SetFrac(big.NewInt(1), powerOfTen(t.Scale))
		most := new(big.Int).Sub(powerOfTen(t.Precision), big.NewInt(1))
		high := new(big.Rat).Mul(new(big.Rat).SetInt(most), unit)
		return &valueRange{new(big.Rat).Neg(high), high, unit, t.Glue(), func(r *big.Rat) string { return r.FloatString(t.Scale) }}
	case Double:
		high := new(big.Rat).SetFloat64(math.MaxFloat64)
		return &valueRange{new(big.Rat).Neg(high), high, nil, "double", func(r *big.Rat) string { f, _ := r.Float64(); return big.NewFloat(f).Text('g', -1) }}
	case Timestamp:
		return &valueRange{
			big.NewRat(firstMoment.UnixMilli(), 1), big.NewRat(lastMoment.UnixMilli(), 1), big.NewRat(1, 1), "timestamp",
			func(r *big.Rat) string { return time.UnixMilli(r.Num().Int64()).UTC().Format(time.RFC3339Nano) },
		}
	case Date:
		return &valueRange{
			big.NewRat(firstMoment.Unix()/86400, 1), big.NewRat(lastMoment.Unix()/86400, 1), big.NewRat(1, 1), "date",
			func(r *big.Rat) string { return time.Unix(86400*r.Num().Int64(), 0).UTC().Format(time.DateOnly) },
		}
	default:
		return nil
	}
}

func powerOfTen(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// possible refuses bounds that leave no value of the type, and those that no value of it can break.
func (o object) possible(k *Constraints, within *valueRange) {
	if within == nil || o.twoBounds("minimum", "exclusiveMinimum") || o.twoBounds("maximum", "exclusiveMaximum") {
		return
	}
	lowKey, low := boundOf("minimum", k.Minimum, "exclusiveMinimum", k.ExclusiveMinimum)
	highKey, high := boundOf("maximum", k.Maximum, "exclusiveMaximum", k.ExclusiveMaximum)
	least, most := within.low, within.high
	if low != nil {
		least = within.next(low, k.ExclusiveMinimum != nil, 1)
		switch {
		case low.Cmp(within.low) < 0:
			o.members[lowKey].fault("says nothing: no %s is below %s; remove it", within.name, within.text(within.low))
			return
		case least.Cmp(within.high) > 0:
			o.members[lowKey].fault("leaves no value: no %s is above %s; correct it", within.name, within.text(within.high))
			return
		}
	}
	if high != nil {
		most = within.next(high, k.ExclusiveMaximum != nil, -1)
		switch {
		case high.Cmp(within.high) > 0:
			o.members[highKey].fault("says nothing: no %s is above %s; remove it", within.name, within.text(within.high))
			return
		case most.Cmp(within.low) < 0:
			o.members[highKey].fault("leaves no value: no %s is below %s; correct it", within.name, within.text(within.low))
			return
		}
	}
	order := least.Cmp(most)
	touching := within.unit == nil && order == 0 && (k.ExclusiveMinimum != nil || k.ExclusiveMaximum != nil)
	if low != nil && high != nil && (order > 0 || touching) {
		o.keyFault(lowKey, "leaves no value below %s: correct one of the two", highKey)
		return
	}
	o.possibleMultiple(k.MultipleOf, within, least, most)
}

// possibleMultiple refuses a step that every value of the type has, and one that none between the bounds has.
func (o object) possibleMultiple(step *big.Rat, within *valueRange, least, most *big.Rat) {
	if step == nil {
		return
	}
	if within.unit != nil && new(big.Rat).Quo(within.unit, step).IsInt() {
		o.members["multipleOf"].fault("says nothing: every %s is a multiple of %s; remove it", within.name, o.members["multipleOf"].yaml.Value)
		return
	}
	if first := new(big.Rat).Mul(ceil(new(big.Rat).Quo(least, step)), step); first.Cmp(most) > 0 {
		o.members["multipleOf"].fault("leaves no value: the bounds have no multiple of %s between them; correct it", o.members["multipleOf"].yaml.Value)
	}
}

// twoBounds refuses two bounds of one side, of which only the narrower counts.
func (o object) twoBounds(closed, open string) bool {
	if !o.has(closed) || !o.has(open) {
		return false
	}
	o.keyFault(open, "stands beside %s, and only one of the two can be the bound: remove the other", closed)
	return true
}

func boundOf(closedKey string, closed *big.Rat, openKey string, open *big.Rat) (key string, bound *big.Rat) {
	if open != nil {
		return openKey, open
	}
	return closedKey, closed
}

// next is the first value from a bound in the direction side; where there are no steps, the bound itself.
func (r *valueRange) next(bound *big.Rat, open bool, side int64) *big.Rat {
	if r.unit == nil {
		return bound
	}
	steps := new(big.Rat).Quo(bound, r.unit)
	direction := big.NewRat(side, 1)
	whole := ceil(new(big.Rat).Mul(steps, direction)) // away from the bound, on either side
	whole.Mul(whole, direction)
	if open && whole.Cmp(steps) == 0 {
		whole.Add(whole, direction)
	}
	return whole.Mul(whole, r.unit)
}

// ceil is the smallest whole number that is not below r.
func ceil(r *big.Rat) *big.Rat {
	negative := new(big.Int).Neg(r.Num())
	whole := new(big.Int).Div(negative, r.Denom()) // towards minus infinity: the denominator is positive
	return new(big.Rat).SetInt(whole.Neg(whole))
}

// later and earlier are the narrower of two bounds, of which the first may be missing.
func later(a, b *big.Rat) *big.Rat {
	if a != nil && a.Cmp(b) > 0 {
		return a
	}
	return b
}

func earlier(a, b *big.Rat) *big.Rat {
	if a != nil && a.Cmp(b) < 0 {
		return a
	}
	return b
}
