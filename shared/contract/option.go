package contract

import (
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
			o.formatLength(k)
		}
	}
}

// formatLengths are the fewest and the most characters that a text of a format has, where it has such.
var formatLengths = map[string][2]int{"uuid": {36, 36}, "ipv4": {7, 15}, "ipv6": {2, 45}, "hostname": {1, 253}}

// formatLength refuses lengths that no text of the format has.
func (o object) formatLength(k *Constraints) {
	length, known := formatLengths[k.Format]
	switch {
	case !known:
	case k.MaxLength != nil && *k.MaxLength < length[0]:
		o.keyFault("maxLength", "contradicts format: the shortest %s has %d characters; correct one of the two", k.Format, length[0])
	case k.MinLength != nil && *k.MinLength > length[1]:
		o.keyFault("minLength", "contradicts format: the longest %s has %d characters; correct one of the two", k.Format, length[1])
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

func (o object) numberOptions(k *Constraints, t Type) {
	o.bounds(k, func(n node) *big.Rat {
		value, _ := n.number()
		return value
	})
	if v, ok := o.get("multipleOf"); ok {
		if step, ok := v.number(); ok {
			switch {
			case step.Sign() <= 0:
				v.fault("is %s; want a number above 0", v.yaml.Value)
			case t.Kind == Integer && !step.IsInt():
				v.fault("is %s on an integer column; want a whole number", v.yaml.Value)
			default:
				k.MultipleOf = step
			}
		}
	}
	within := rangeOf(t)
	if v, ok := o.get("format"); ok {
		within = v.numberFormat(within, t.Kind)
	}
	o.possible(k, within)
	if t.Kind == Integer && within != rangeOf(t) {
		k.Minimum, k.Maximum = later(k.Minimum, within.low), earlier(k.Maximum, within.high)
	}
}

// numberFormat narrows the range of an integer, and takes the one format that other numbers have.
func (n node) numberFormat(within *valueRange, kind Kind) *valueRange {
	if kind != Integer {
		switch format, _ := n.oneOf("f64", "f32"); {
		case format == "f32":
			n.fault("single precision is not supported: write f64, or leave format out")
		case format == "f64" && kind == Decimal:
			n.fault("contradicts physicalType: an exact decimal is no float; remove it")
		}
		return within
	}
	switch n.yaml.Value {
	case "u64", "i128", "u128":
		n.fault("%s does not fit a bigint: use logicalType number with physicalType decimal(38,0)", n.yaml.Value)
		return within
	}
	if format, ok := n.oneOf(sortedKeys(integerFormats)...); ok && format != "i64" {
		return integerFormats[format]
	}
	return within
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
	o.possible(&c.Constraints, rangeOf(*t))
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
	o.possible(&c.Constraints, rangeOf(*t))
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
