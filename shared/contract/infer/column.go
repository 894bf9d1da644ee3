package infer

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sure is how sure a guess is.
type Sure string

// How sure a guess is: Certain holds for every sample and could hardly be otherwise; Likely holds for every sample; a Guess
// wants a look.
const (
	Certain Sure = "certain"
	Likely  Sure = "likely"
	Guess   Sure = "guess"
)

// shape is what a column's values have in common.
type shape struct {
	logical  string // logicalType
	physical string // physicalType
	options  []string
	custom   string // customProperties of the column, as YAML
	private  bool   // to be masked in alerts, logs and reports
	fields   []field
	items    *shape
	why      string
	sure     Sure
	hints    []string // constraints that the samples suggest, with their evidence
}

// field is a member of an object with its shape.
type field struct {
	member  string
	column  string
	derived string // the expression of a column that is no member
	pointer string // JSON Pointer where it is not the member itself
	shape   shape
	seen    []value // one for each record that has the member
	records int
	nulls   int // records without a value
}

func (f *field) required() bool { return f.nulls == 0 }

// fields gathers the members of objects, in the order in which they first come.
func fields(objects []value) []field {
	var all []field
	at := map[string]int{}
	for i := range objects {
		for _, m := range objects[i].members {
			k, known := at[m.name]
			if !known {
				k = len(all)
				at[m.name] = k
				all = append(all, field{member: m.name})
			}
			all[k].seen = append(all[k].seen, m.value)
		}
	}
	for i := range all {
		f := &all[i]
		f.records = len(objects)
		f.nulls = len(objects)
		for _, v := range f.seen {
			if v.kind != isNull {
				f.nulls--
			}
		}
		f.shape = infer(f.member, f.seen)
	}
	name(all)
	return all
}

// infer finds the shape of a member's values.
func infer(member string, values []value) shape {
	kinds := map[kind]int{}
	var known []value
	for _, v := range values {
		if v.kind != isNull {
			kinds[v.kind]++
			known = append(known, v)
		}
	}
	switch {
	case len(known) == 0:
		return shape{logical: "string", physical: "string", why: "only null was seen", sure: Guess}
	case len(kinds) == 1:
		switch known[0].kind {
		case isBool:
			return shape{logical: "boolean", physical: "boolean", why: all(known, "true or false"), sure: Certain}
		case isNumber:
			return numbers(member, known)
		case isText:
			return texts(member, known)
		case isArray:
			return lists(member, known)
		default:
			return structs(known)
		}
	case len(kinds) == 2 && kinds[isNumber] > 0 && kinds[isText] > 0 && allNumeric(known):
		s := numbers(member, known)
		s.why = fmt.Sprintf("%s and %s that are numbers", plural(kinds[isNumber], "number"), plural(kinds[isText], "text"))
		return s
	}
	var names []string
	for k, name := range map[kind]string{isBool: "boolean", isNumber: "number", isText: "text", isArray: "array", isObject: "object"} {
		if kinds[k] > 0 {
			names = append(names, plural(kinds[k], name))
		}
	}
	slices.Sort(names)
	return shape{logical: "object", physical: "string", why: "of several kinds: " + strings.Join(names, ", ") + "; kept as JSON text", sure: Likely}
}

func all(values []value, what string) string {
	if len(values) == 1 {
		return "one value, " + what
	}
	return fmt.Sprintf("all %d %s", len(values), what)
}

// hinting says whether a member's name speaks of one of the words.
func hinting(member string, words ...string) bool {
	parts := strings.Split(snake(member), "_")
	for _, w := range words {
		if slices.Contains(parts, w) {
			return true
		}
	}
	return false
}

var timeWords = []string{"time", "timestamp", "date", "at", "ts", "updated", "created", "modified", "epoch", "on", "since", "until", "dt"}

func numbers(member string, values []value) shape {
	s := shape{sure: Certain}
	whole, wide, exponent := true, false, false
	before, behind := 1, 0 // digits in front of the point and behind it
	low, high := new(big.Rat), new(big.Rat)
	for i, v := range values {
		r, ok := new(big.Rat).SetString(v.text)
		if !ok { // an exponent beyond reason
			return shape{logical: "number", physical: "double", why: "numbers with exponents", sure: Likely}
		}
		if i == 0 || r.Cmp(low) < 0 {
			low = r
		}
		if i == 0 || r.Cmp(high) > 0 {
			high = r
		}
		exponent = exponent || strings.ContainsAny(v.text, "eE")
		text := strings.TrimPrefix(v.text, "-")
		front, back, point := strings.Cut(text, ".")
		whole = whole && !point && r.IsInt()
		before, behind = max(before, len(front)), max(behind, len(back))
		wide = wide || !exponent && lossy(r)
	}
	within := low.Cmp(rat("-9223372036854775808")) >= 0 && high.Cmp(rat("9223372036854775807")) <= 0
	switch {
	case whole && within:
		if unit := epoch(member, low, high); unit != "" {
			return shape{
				logical: "timestamp", physical: "timestamp", custom: "[{property: epoch, value: " + unit + "}]", sure: Likely,
				why: fmt.Sprintf("whole numbers that are times in %s since 1970, %s to %s", unit, moment(low, unit), moment(high, unit)),
			}
		}
		s.logical, s.physical, s.options, s.why = "integer", "bigint", []string{"format: i64"}, all(values, "whole numbers")
	case (wide || whole) && !exponent && before+behind <= 38:
		scale := behind
		precision := min(38, max(before+scale+4, 18))
		s.logical, s.physical, s.sure = "number", fmt.Sprintf("decimal(%d,%d)", precision, scale), Likely
		s.why = fmt.Sprintf("up to %d digits, which a double would lose; %d in front of the point were seen, there is room for %d", before+behind, before, precision-scale)
	default:
		s.logical, s.physical, s.why = "number", "double", "numbers with fractions"
		if !whole && slices.ContainsFunc(values, func(v value) bool { return !strings.ContainsAny(v.text, ".eE") }) {
			s.why = "whole numbers among numbers with fractions"
		}
	}
	s.hints = append(s.hints, fmt.Sprintf("minimum: %s, maximum: %s (%s to %s in %s)", plain(low), plain(high), plain(low), plain(high), plural(len(values), "record")))
	return s
}

// lossy reports whether the nearest double has other digits than the number.
func lossy(r *big.Rat) bool {
	f, _ := r.Float64()
	short, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return !ok || short.Cmp(r) != 0
}

func rat(text string) *big.Rat { r, _ := new(big.Rat).SetString(text); return r }

func plain(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	text := r.FloatString(12)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

// epoch tells whether whole numbers are times since 1970: their name speaks of time, and they lie between 2001 and 2100.
func epoch(member string, low, high *big.Rat) string {
	if !hinting(member, timeWords...) {
		return ""
	}
	for unit, scale := range map[string]int64{"seconds": 1, "milliseconds": 1000} {
		from, to := big.NewRat(1_000_000_000*scale, 1), big.NewRat(4_102_444_800*scale, 1)
		if low.Cmp(from) >= 0 && high.Cmp(to) < 0 {
			return unit
		}
	}
	return ""
}

func moment(r *big.Rat, unit string) string {
	n := r.Num().Int64()
	if unit == "seconds" {
		n *= 1000
	}
	return time.UnixMilli(n).UTC().Format(time.DateOnly)
}

var (
	instant   = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$`)
	isoDate   = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
	numeric   = regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?$`)
	uuidForm  = regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)
	emailForm = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	uriForm   = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://\S+$`)
)

// layouts are forms of times that are not RFC 3339, with the JDK pattern of each.
var layouts = []struct{ layout, jdk, logical string }{
	{"2006-01-02 15:04:05", "yyyy-MM-dd HH:mm:ss", "timestamp"},
	{"2006-01-02T15:04:05", "yyyy-MM-dd'T'HH:mm:ss", "timestamp"},
	{"2006-01-02T15:04", "yyyy-MM-dd'T'HH:mm", "timestamp"},
	{"2006-01-02 15:04", "yyyy-MM-dd HH:mm", "timestamp"},
	{"02.01.2006", "dd.MM.yyyy", "date"},
	{"2006/01/02", "yyyy/MM/dd", "date"},
	{"20060102", "yyyyMMdd", "date"},
}

func texts(member string, values []value) shape {
	match := func(ok func(string) bool) bool {
		return !slices.ContainsFunc(values, func(v value) bool { return !ok(v.text) })
	}
	parses := func(layout string) func(string) bool {
		return func(s string) bool { _, err := time.Parse(layout, s); return err == nil }
	}
	switch {
	case match(instant.MatchString) && match(func(s string) bool { _, err := time.Parse(time.RFC3339, strings.ToUpper(s)); return err == nil }):
		return shape{logical: "timestamp", physical: "timestamp", why: all(values, "times of RFC 3339"), sure: Certain}
	case match(isoDate.MatchString) && match(parses(time.DateOnly)):
		return shape{logical: "date", physical: "date", why: all(values, "dates yyyy-MM-dd"), sure: Certain}
	}
	for _, l := range layouts {
		if match(parses(l.layout)) && (l.jdk != "yyyyMMdd" || hinting(member, timeWords...)) {
			s := shape{logical: l.logical, physical: l.logical, options: []string{"format: " + quote(l.jdk)}, why: all(values, "times in the form "+l.jdk), sure: Likely}
			if l.logical == "timestamp" {
				s.why += ", taken for UTC as they name no zone"
				s.sure = Guess
			}
			return s
		}
	}
	if allNumeric(values) && !hinting(member, "id", "code", "zip", "postcode", "phone", "number", "no", "version", "symbol") {
		s := numbers(member, values)
		s.why, s.sure = all(values, "texts that are numbers")+": "+s.why, Likely
		if s.logical == "number" && s.physical == "double" { // who writes numbers as text wants them exact
			s = decimals(values)
		}
		return s
	}
	s := shape{logical: "string", physical: "string", why: all(values, "texts"), sure: Certain}
	s.hints = textHints(values, match)
	if match(emailForm.MatchString) {
		s.private = true
		s.why += ", mail addresses: classified as restricted, so that they are masked in alerts, logs and reports"
	}
	return s
}

func decimals(values []value) shape {
	before, behind := 1, 0
	for _, v := range values {
		front, back, _ := strings.Cut(strings.TrimPrefix(v.text, "-"), ".")
		before, behind = max(before, len(front)), max(behind, len(back))
	}
	precision := min(38, max(before+behind+4, 18))
	return shape{
		logical: "number", physical: fmt.Sprintf("decimal(%d,%d)", precision, behind), sure: Likely,
		why: fmt.Sprintf("%s, kept exactly: up to %d digits in front of the point and %d behind it", all(values, "texts that are numbers"), before, behind),
	}
}

func allNumeric(values []value) bool {
	return !slices.ContainsFunc(values, func(v value) bool {
		return v.kind == isText && !numeric.MatchString(v.text) || v.kind != isText && v.kind != isNumber
	})
}

const fewValues = 8

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
	distinct := map[string]int{}
	longest, shortest := 0, len(values[0].text)
	for _, v := range values {
		distinct[v.text]++
		n := len([]rune(v.text))
		longest, shortest = max(longest, n), min(shortest, n)
	}
	if len(distinct) <= fewValues && len(values) >= 5*len(distinct) {
		var names []string
		for text := range distinct {
			names = append(names, quote(text))
		}
		slices.Sort(names)
		hints = append(hints, fmt.Sprintf("quality: [{id: known-values, metric: invalidValues, mustBe: 0, arguments: {validValues: [%s]}}] (%s in %s)",
			strings.Join(names, ", "), plural(len(distinct), "value"), plural(len(values), "record")))
	}
	hints = append(hints, fmt.Sprintf("minLength: %d, maxLength: %d (in %s)", shortest, longest, plural(len(values), "record")))
	return hints
}

func lists(member string, values []value) shape {
	var items []value
	longest := 0
	for _, v := range values {
		items = append(items, v.items...)
		longest = max(longest, len(v.items))
	}
	text := shape{logical: "array", physical: "string", sure: Likely}
	if len(items) == 0 {
		text.why = "only empty arrays were seen; kept as JSON text"
		return text
	}
	item := infer(member, items)
	if item.logical == "object" && item.physical == "string" || item.logical == "array" && item.physical == "string" {
		text.why = "arrays of values that have no common type; kept as JSON text"
		return text
	}
	item.hints = nil
	return shape{
		logical: "array", physical: "array<" + item.glue() + ">", items: &item, sure: Likely, why: "arrays of " + item.glue(),
		hints: []string{fmt.Sprintf("maxItems: %d (the longest of %s)", longest, plural(len(values), "record"))},
	}
}

const (
	widest  = 60 // members of a struct
	mapLike = 3  // times as many names as a usual object has: the names are data
	fewSeen = 4
)

func structs(values []value) shape {
	inner := fields(values)
	usual := 0
	for _, v := range values {
		usual = max(usual, len(v.members))
	}
	switch {
	case len(inner) == 0:
		return shape{logical: "object", physical: "string", why: "only empty objects were seen; kept as JSON text", sure: Likely}
	case slices.ContainsFunc(inner, func(f field) bool { return f.member == "" }):
		return shape{logical: "object", physical: "string", why: "objects with a member that has no name; kept as JSON text", sure: Likely}
	case len(inner) > widest, len(values) >= fewSeen && len(inner) > mapLike*max(1, usual):
		return shape{logical: "object", physical: "string", why: fmt.Sprintf("objects with %d names in all, which look like data; kept as JSON text", len(inner)), sure: Likely}
	}
	s := shape{logical: "object", fields: inner, why: fmt.Sprintf("objects with %s", plural(len(inner), "member")), sure: Certain}
	s.physical = s.glue()
	return s
}

// glue is the type as Glue spells it.
func (s *shape) glue() string {
	switch {
	case len(s.fields) > 0:
		parts := make([]string, len(s.fields))
		for i := range s.fields {
			parts[i] = s.fields[i].column + ":" + s.fields[i].shape.glue()
		}
		return "struct<" + strings.Join(parts, ",") + ">"
	case s.items != nil:
		return "array<" + s.items.glue() + ">"
	}
	return s.physical
}
