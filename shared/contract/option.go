package contract

import (
	"math"
	"math/big"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // a local time means the same on every machine, and a Lambda has no zone files
)

// stringFormats are the formats that are checked, in JSON Schema's names.
var stringFormats = []string{"uuid", "uri", "email", "hostname", "ipv4", "ipv6"}

func (o object) stringOptions(k *Constraints) {
	k.MinLength, k.MaxLength = o.count("minLength"), o.count("maxLength")
	if k.MinLength != nil && k.MaxLength != nil && *k.MinLength > *k.MaxLength {
		o.keyFault("minLength", "is above maxLength: no text has between %d and %d characters", *k.MinLength, *k.MaxLength)
	}
	if v, ok := o.get("pattern"); ok {
		k.Pattern = v.pattern()
	}
	if v, ok := o.get("format"); ok {
		switch v.yaml.Value {
		case "password":
			v.fault("is not checked: remove it, and use classification: restricted to mask the values")
		case "byte", "binary":
			v.fault("is not checked: remove it, and use a pattern where the encoding matters")
		default:
			k.Format, _ = v.oneOf(stringFormats...)
		}
	}
}

var (
	ecmaUnicode   = regexp.MustCompile(`\\u[0-9A-Fa-f{]`)
	backreference = regexp.MustCompile(`\\[1-9]`)
)

// pattern compiles a regular expression. The standard's are ECMA-262's, of which Go's RE2 has all but lookaround and
// backreferences.
func (n node) pattern() *regexp.Regexp {
	text, ok := n.nonEmpty()
	if !ok {
		return nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		hint := "correct the expression"
		switch {
		case strings.Contains(text, "(?=") || strings.Contains(text, "(?!") || strings.Contains(text, "(?<"):
			hint = "lookaround is not supported (RE2 runs in linear time): say it with a CEL rule"
		case ecmaUnicode.MatchString(text):
			hint = `write a character's number as \x{20AC}, not \u20AC`
		case backreference.MatchString(text):
			hint = "backreferences are not supported (RE2 runs in linear time): say it with a CEL rule"
		}
		n.fault("%v: %s", err, hint)
		return nil
	}
	return re
}

// integerFormats are Rust's integer types, as the standard has them, that fit a bigint.
var integerFormats = map[string][2]int64{
	"i8": {math.MinInt8, math.MaxInt8}, "i16": {math.MinInt16, math.MaxInt16}, "i32": {math.MinInt32, math.MaxInt32},
	"i64": {math.MinInt64, math.MaxInt64}, "u8": {0, math.MaxUint8}, "u16": {0, math.MaxUint16}, "u32": {0, math.MaxUint32},
}

func (o object) numberOptions(k *Constraints, kind Kind) {
	o.bounds(k, func(n node) *big.Rat {
		value, _ := n.number()
		return value
	})
	if v, ok := o.get("multipleOf"); ok {
		if step, ok := v.number(); ok {
			switch {
			case step.Sign() <= 0:
				v.fault("is %s; want a number above 0", v.yaml.Value)
			case kind == Integer && !step.IsInt():
				v.fault("is %s on an integer column; want a whole number", v.yaml.Value)
			default:
				k.MultipleOf = step
			}
		}
	}
	v, ok := o.get("format")
	if !ok {
		return
	}
	if kind != Integer {
		switch format, _ := v.oneOf("f64", "f32"); {
		case format == "f32":
			v.fault("single precision is not supported: write f64, or leave format out")
		case format == "f64" && kind == Decimal:
			v.fault("contradicts physicalType: an exact decimal is no float; remove it")
		}
		return
	}
	switch v.yaml.Value {
	case "u64", "i128", "u128":
		v.fault("%s does not fit a bigint: use logicalType number with physicalType decimal(38,0)", v.yaml.Value)
		return
	}
	format, ok := v.oneOf(sortedKeys(integerFormats)...)
	if !ok || format == "i64" {
		return
	}
	low, high := big.NewRat(integerFormats[format][0], 1), big.NewRat(integerFormats[format][1], 1)
	if k.Minimum == nil || k.Minimum.Cmp(low) < 0 {
		k.Minimum = low
	}
	if k.Maximum == nil || k.Maximum.Cmp(high) > 0 {
		k.Maximum = high
	}
}

// bounds reads minimum, maximum and their exclusive forms in the column's own unit.
func (o object) bounds(k *Constraints, read func(node) *big.Rat) {
	for _, bound := range []struct {
		key string
		to  **big.Rat
	}{
		{"minimum", &k.Minimum}, {"maximum", &k.Maximum},
		{"exclusiveMinimum", &k.ExclusiveMinimum}, {"exclusiveMaximum", &k.ExclusiveMaximum},
	} {
		if v, ok := o.get(bound.key); ok {
			*bound.to = read(v)
		}
	}
	for _, pair := range []struct {
		lowKey, highKey string
		low, high       *big.Rat
		open            bool
	}{
		{"minimum", "maximum", k.Minimum, k.Maximum, false},
		{"minimum", "exclusiveMaximum", k.Minimum, k.ExclusiveMaximum, true},
		{"exclusiveMinimum", "maximum", k.ExclusiveMinimum, k.Maximum, true},
		{"exclusiveMinimum", "exclusiveMaximum", k.ExclusiveMinimum, k.ExclusiveMaximum, true},
	} {
		if pair.low == nil || pair.high == nil {
			continue
		}
		if order := pair.low.Cmp(pair.high); order > 0 || order == 0 && pair.open {
			o.keyFault(pair.lowKey, "leaves no value below %s: correct one of the two", pair.highKey)
		}
	}
}

func (o object) timestampOptions(c *Column, t *Type, custom map[string]node) {
	t.Time.Zone = time.UTC
	if epoch, ok := custom["epoch"]; ok {
		switch unit, _ := epoch.oneOf("seconds", "milliseconds"); unit {
		case "seconds":
			t.Time.Epoch = time.Second
		case "milliseconds":
			t.Time.Epoch = time.Millisecond
		}
		for _, key := range []string{"format", "timezone", "defaultTimezone"} {
			options := "contradicts the property epoch: a number has no text form and is UTC; remove one of the two"
			o.refuse(key, "%s", options)
		}
	}
	offset := true // whether the text itself says its offset from UTC
	if v, ok := o.get("format"); ok {
		offset = false
		if text, ok := v.nonEmpty(); ok {
			p, err := compilePattern(text)
			switch {
			case err != nil:
				v.fault("%v", err)
			case !p.date:
				v.fault("has no year, month and day: a timestamp needs all three")
			default:
				t.Time.Pattern, t.Time.Layout, offset = text, p.layout, p.offset
			}
		}
	}
	if v, ok := o.get("defaultTimezone"); ok {
		if name, ok := v.nonEmpty(); ok {
			zone, err := time.LoadLocation(name)
			switch {
			case err != nil || name == "Local":
				v.fault("is %q; want a name of the IANA time zone database, as in Etc/UTC or Europe/Berlin", name)
			case offset:
				v.fault("contradicts format: every text says its own offset; remove it")
			default:
				t.Time.Zone = zone
			}
		}
	}
	if v, ok := o.get("timezone"); ok && v.scalar("!!bool") {
		switch said := v.boolean(); {
		case said && !offset:
			v.fault("contradicts format, which has no offset (X, XXX, x or Z): add one, or write timezone: false")
		case !said && offset:
			v.fault("contradicts format: every text says its offset; write timezone: true, or a format without one")
		}
	} else if ok {
		v.boolean()
	}
	o.bounds(&c.Constraints, func(n node) *big.Rat {
		at, ok := n.moment(time.RFC3339Nano, "a timestamp as in \"2020-01-31T00:00:00Z\"")
		if !ok {
			return nil
		}
		// Exact, so that a bound finer than a millisecond keeps its meaning.
		return new(big.Rat).Add(
			big.NewRat(at.Unix(), 1).Mul(big.NewRat(at.Unix(), 1), big.NewRat(1000, 1)), big.NewRat(int64(at.Nanosecond()), 1e6))
	})
}

func (o object) dateOptions(c *Column, t *Type) {
	t.Time.Zone = time.UTC
	if v, ok := o.get("format"); ok {
		if text, ok := v.nonEmpty(); ok {
			p, err := compilePattern(text)
			switch {
			case err != nil:
				v.fault("%v", err)
			case !p.date:
				v.fault("has no year, month and day: a date needs all three")
			case text != "yyyy-MM-dd":
				t.Time.Pattern, t.Time.Layout = text, p.layout
			}
		}
	}
	o.bounds(&c.Constraints, func(n node) *big.Rat {
		at, ok := n.moment(time.DateOnly, "a date as in \"2020-01-31\"")
		if !ok {
			return nil
		}
		day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
		return big.NewRat(day.Unix()/86400, 1)
	})
}

// moment reads a bound, in the standard form: tools that check the table by the contract know no other.
func (n node) moment(layout, what string) (time.Time, bool) {
	if n.scalar("!!timestamp") {
		n.fault("is %s; want it in quotes, because YAML readers turn it into other things than text", n.describe())
		return time.Time{}, false
	}
	text, ok := n.nonEmpty()
	if !ok {
		return time.Time{}, false
	}
	at, err := time.Parse(layout, text)
	if err != nil {
		n.fault("is %q; want %s", text, what)
	}
	return at, err == nil
}
