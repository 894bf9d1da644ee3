package infer

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var (
	instant   = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$`)
	isoDate   = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	numeric   = regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?$`)
	uuidForm  = regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)
	emailForm = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	uriForm   = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://\S+$`)
)

// Words of names of texts that are numbers: those that count things, those that measure with fractions, and those that name.
var (
	countWords   = []string{"count", "counts", "total", "amount", "quantity", "qty", "population", "price", "balance", "supply"}
	measureWords = []string{
		"count", "total", "amount", "quantity", "qty", "size", "volume", "vol", "price", "cost", "fee", "rate", "balance", "supply", "cap", "population",
		"score", "percent", "percentage", "pct", "sum", "avg", "average", "mean", "median", "min", "max", "open", "high", "low", "close", "bid", "ask",
		"lat", "latitude", "lon", "lng", "long", "longitude", "temp", "temperature", "humidity", "pressure", "weight", "height", "width", "length",
		"depth", "elevation", "altitude", "distance", "speed", "duration", "usd", "eur", "btc",
	}
	nameWords = []string{"id", "code", "zip", "postcode", "phone", "number", "no", "version", "symbol", "isbn", "ean", "gtin", "sku", "release", "build"}
)

// exactDigits is how many digits behind the point make it sure that a text is a quantity, and no version or place.
const exactDigits = 6

func texts(member string, values []value) shape {
	match := func(ok func(string) bool) bool {
		return !slices.ContainsFunc(values, func(v value) bool { return !ok(v.text) })
	}
	if s, ok := timed(member, match); ok {
		s.why = all(values, s.why)
		return s
	}
	s := shape{logical: "string", physical: "string", why: all(values, "texts"), sure: Certain}
	s.hints, s.known, s.of = textHints(values, match), known(values), len(values)
	if empty := count(values, func(s string) bool { return s == "" }); empty > 0 && empty < len(values) {
		filled := func(ok func(string) bool) bool { return match(func(s string) bool { return s == "" || ok(s) }) }
		if t, ok := timed(member, filled); ok {
			s.why += fmt.Sprintf(", %d of them empty, the others %s", empty, t.why)
			s.hints = append(s.hints, fmt.Sprintf("logicalType: %s, if the source can be had to write null for what is empty (%d of %d are)", t.logical, empty, len(values)))
		}
	}
	if mails := count(values, emailForm.MatchString); mails > 0 && mails == count(values, func(s string) bool { return s != "" }) {
		s.private = true
		s.why += ", mail addresses: classified as restricted, so that they are masked in alerts, logs and reports"
	}
	if !allNumeric(values) {
		return s
	}
	exact := decimals(values)
	exact.bounds = numbers(member, values).bounds
	whole := match(func(s string) bool { return !strings.Contains(s, ".") })
	words := measureWords
	if whole {
		words = countWords
	}
	precise := count(values, func(s string) bool { _, behind, _ := strings.Cut(s, "."); return len(behind) >= exactDigits }) > 0
	if whole {
		exact = numbers(member, values)
		exact.why, exact.sure = all(values, "texts that are numbers")+": "+exact.why, Likely
	}
	if whole && exact.logical == "timestamp" {
		return exact
	}
	if !precise && !hinting(member, words...) || hinting(member, nameWords...) { // digits are more often a name than a number
		s.why = all(values, "texts") + " of digits, kept as texts, as ids and codes are"
		s.sure = Likely
		s.hints = append(s.hints, fmt.Sprintf("logicalType: %s, physicalType: %s (%s)", exact.logical, quote(exact.physical), all(values, "are numbers")))
		return s
	}
	return exact
}

func count(values []value, is func(string) bool) int {
	n := 0
	for i := range values {
		if is(values[i].text) {
			n++
		}
	}
	return n
}

func allNumeric(values []value) bool {
	return !slices.ContainsFunc(values, func(v value) bool {
		return v.kind == isText && !numeric.MatchString(v.text) || v.kind != isText && v.kind != isNumber
	})
}

const fewValues = 8

// known are the texts of which all values are one, where they are few and were seen often; nil where not, and where one
// looks like a token or names somebody.
func known(values []value) []string {
	distinct := map[string]bool{}
	for i := range values {
		if distinct[values[i].text] = true; len(distinct) > fewValues {
			return nil
		}
	}
	if len(distinct) < 2 || len(values) < max(enoughRecords, 5*len(distinct)) {
		return nil
	}
	for text := range distinct {
		if emailForm.MatchString(text) || token(text) {
			return nil
		}
	}
	return slices.Sorted(maps.Keys(distinct))
}

// textHints are the constraints that texts suggest.
func textHints(values []value, match func(func(string) bool) bool) []string {
	var hints []string
	for _, f := range []struct {
		name string
		form *regexp.Regexp
	}{{"uuid", uuidForm}, {"email", emailForm}, {"uri", uriForm}} {
		if match(f.form.MatchString) {
			hints = append(hints, fmt.Sprintf("format: %s (%s)", f.name, all(values, "are")))
		}
	}
	longest, shortest := 0, len(values[0].text)
	for _, v := range values {
		n := len([]rune(v.text))
		longest, shortest = max(longest, n), min(shortest, n)
	}
	hints = append(hints, fmt.Sprintf("minLength: %d, maxLength: %d (in %s)", shortest, longest, plural(len(values), "record")))
	return hints
}
