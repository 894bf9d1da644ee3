package infer

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tributary/shared/contract"
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
	known    []string // the texts of which all values are one, where they are few
	of       int      // values that were seen
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

// fields gathers the members of objects that lie the given number of objects and arrays below a column, in the order in
// which they first come.
func fields(objects []value, depth int) []field {
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
		f.shape = infer(f.member, f.seen, depth)
		if few := len(objects) < enoughRecords && f.shape.logical == "integer" || len(f.seen) < fewSeen; few && f.shape.sure == Certain {
			f.shape.sure = Likely
		}
	}
	name(all)
	return all
}

// infer finds the shape of a member's values, which lie the given number of objects and arrays below a column.
func infer(member string, values []value, depth int) shape {
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
		return shape{logical: "object", physical: "string", why: "only null was seen; kept as JSON text, which takes whatever comes", sure: Guess}
	case len(kinds) == 1:
		switch known[0].kind {
		case isBool:
			return shape{logical: "boolean", physical: "boolean", why: all(known, "true or false"), sure: Certain}
		case isNumber:
			return numbers(member, known)
		case isText:
			return texts(member, known)
		case isArray:
			return lists(member, known, depth)
		default:
			return structs(known, depth)
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
	return shape{logical: "object", physical: "string", why: "of several kinds: " + strings.Join(names, ", ") + "; kept as JSON text, in which texts have their quotes", sure: Likely}
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

var timeWords = []string{"time", "timestamp", "date", "at", "ts", "updated", "created", "modified", "epoch", "on", "since", "until", "dt", "t"}

func numbers(member string, values []value) shape {
	s := shape{sure: Certain}
	whole, wide, exponent := true, false, false // of all: no point; of one: digits that a double loses, an exponent
	before, behind := 1, 0                      // digits in front of the point and behind it
	low, high := new(big.Rat), new(big.Rat)
	for i, v := range values {
		if beyond(v.text) {
			return shape{logical: "object", physical: "string", why: "numbers beyond the range of a double; kept as JSON text", sure: Likely}
		}
		r := rat(v.text)
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
	if unit := epoch(member, low, high); unit != "" {
		return shape{
			logical: "timestamp", physical: "timestamp", custom: "[{property: epoch, value: " + unit + "}]", sure: Likely,
			why: fmt.Sprintf("numbers that are times in %s since 1970, %s to %s", unit, moment(low, unit), moment(high, unit)),
		}
	}
	switch {
	case whole && within && hinting(member, fractionWords...):
		s.logical, s.physical, s.sure, s.why = "number", "double", Likely, all(values, "whole numbers")+", but called like what has fractions"
	case whole && within:
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

// fractionWords are in the names of what has fractions, even where a sample happens to have none.
var fractionWords = []string{
	"price", "cost", "amount", "fee", "tax", "rate", "ratio", "percent", "percentage", "pct", "avg", "average", "mean", "median", "balance",
	"lat", "latitude", "lon", "lng", "longitude", "temp", "temperature", "area", "usd", "eur", "btc",
}

// beyond reports whether a number is too large or too small for a double, or written at a length that nobody computes with.
func beyond(text string) bool {
	const longest = 400
	f, err := strconv.ParseFloat(text, 64)
	_, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	n, bad := strconv.Atoi(cmp.Or(exponent, "0"))
	return err != nil || bad != nil || len(text) > longest || max(n, -n) > longest || math.IsInf(f, 0)
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
	const finest = 40 // digits of an exact decimal
	digits, _ := r.FloatPrec()
	return r.FloatString(min(digits, finest))
}

// epoch tells whether numbers are times since 1970: their name speaks of time, and they lie between 2001 and 2100.
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
	n := new(big.Int).Quo(r.Num(), r.Denom()).Int64()
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
	{"2006-01-02T15:04:05.000", "yyyy-MM-dd'T'HH:mm:ss.SSS", "timestamp"},
	{"2006-01-02T15:04:05.000000", "yyyy-MM-dd'T'HH:mm:ss.SSSSSS", "timestamp"},
	{"2006-01-02 15:04:05.000", "yyyy-MM-dd HH:mm:ss.SSS", "timestamp"},
	{"2006-01-02 15:04:05.000000", "yyyy-MM-dd HH:mm:ss.SSSSSS", "timestamp"},
	{"2006-01-02T15:04", "yyyy-MM-dd'T'HH:mm", "timestamp"},
	{"2006-01-02 15:04", "yyyy-MM-dd HH:mm", "timestamp"},
	{"2006-01-02T15:04:05-0700", "yyyy-MM-dd'T'HH:mm:ssxx", "timestamp"},
	{"2006-01-02T15:04:05.000-0700", "yyyy-MM-dd'T'HH:mm:ss.SSSxx", "timestamp"},
	{"2006-01-02 15:04:05Z07:00", "yyyy-MM-dd HH:mm:ssXXX", "timestamp"},
	{"2006-01-02T15:04Z07:00", "yyyy-MM-dd'T'HH:mmXXX", "timestamp"},
	{"2006-01-02 15:04:05 -0700", "yyyy-MM-dd HH:mm:ss xx", "timestamp"},
	{"2006-01-02 15:04:05 UTC", "yyyy-MM-dd HH:mm:ss 'UTC'", "timestamp"},
	{"Mon Jan 02 15:04:05 -0700 2006", "EEE MMM dd HH:mm:ss xx yyyy", "timestamp"},
	{"Mon, 02 Jan 2006 15:04:05 GMT", "EEE, dd MMM yyyy HH:mm:ss 'GMT'", "timestamp"},
	{"Mon, 02 Jan 2006 15:04:05 -0700", "EEE, dd MMM yyyy HH:mm:ss xx", "timestamp"},
	{"02.01.2006", "dd.MM.yyyy", "date"},
	{"2006/01/02", "yyyy/MM/dd", "date"},
	{"01/02/2006", "MM/dd/yyyy", "date"},
	{"02/01/2006", "dd/MM/yyyy", "date"},
	{"Jan 02 2006", "MMM dd yyyy", "date"},
	{"Jan 2 2006", "MMM d yyyy", "date"},
	{"20060102", "yyyyMMdd", "date"},
}

// zoned tells whether a JDK pattern says which zone its times are in.
func zoned(jdk string) bool {
	return strings.ContainsAny(jdk, "Xx") || strings.Contains(jdk, "'UTC'") || strings.Contains(jdk, "'GMT'")
}

// timed finds the form of time that all texts have, as the contract reads them.
func timed(member string, match func(func(string) bool) bool) (s shape, ok bool) {
	switch {
	case match(instant.MatchString) && match(func(s string) bool { _, err := time.Parse(time.RFC3339, strings.ToUpper(s)); return err == nil }):
		return shape{logical: "timestamp", physical: "timestamp", why: "times of RFC 3339", sure: Certain}, true
	case match(isoDate.MatchString) && match(func(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil }):
		return shape{logical: "date", physical: "date", why: "dates yyyy-MM-dd", sure: Certain}, true
	}
	for _, l := range layouts {
		form := contract.TimeFormat{Pattern: l.jdk, Layout: l.layout}
		if !match(func(s string) bool { _, err := form.Parse(s); return err == nil }) || l.jdk == "yyyyMMdd" && !hinting(member, timeWords...) {
			continue
		}
		if ok { // days and months that could be either
			return shape{}, false
		}
		s, ok = shape{logical: l.logical, physical: l.logical, options: []string{"format: " + quote(l.jdk)}, why: "times in the form " + l.jdk, sure: Likely}, true
		if l.logical == "timestamp" && !zoned(l.jdk) {
			s.why += ", taken for UTC as they name no zone"
			s.sure = Guess
		}
		if l.jdk != "MM/dd/yyyy" {
			break
		}
	}
	return s, ok
}

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
	if match(emailForm.MatchString) {
		s.private = true
		s.why += ", mail addresses: classified as restricted, so that they are masked in alerts, logs and reports"
	}
	if !allNumeric(values) {
		return s
	}
	exact := decimals(values)
	exact.hints = numbers(member, values).hints
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

func decimals(values []value) shape {
	before, behind := 1, 0
	for _, v := range values {
		front, back, _ := strings.Cut(strings.TrimPrefix(v.text, "-"), ".")
		before, behind = max(before, len(front)), max(behind, len(back))
	}
	precision := min(38, max(before+behind+4, 18))
	return shape{
		logical: "number", physical: fmt.Sprintf("decimal(%d,%d)", precision, behind), sure: Likely,
		why: fmt.Sprintf("%s, kept exactly: up to %s in front of the point and %d behind it", all(values, "texts that are numbers"), plural(before, "digit"), behind),
	}
}

func allNumeric(values []value) bool {
	return !slices.ContainsFunc(values, func(v value) bool {
		return v.kind == isText && !numeric.MatchString(v.text) || v.kind != isText && v.kind != isNumber
	})
}

const fewValues = 8

// known are the texts of which all values are one, where they are few and were seen often; nil where not.
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

func lists(member string, values []value, depth int) shape {
	var items []value
	longest := 0
	for _, v := range values {
		items = append(items, v.items...)
		longest = max(longest, len(v.items))
	}
	text := shape{logical: "array", physical: "string", sure: Likely}
	switch {
	case len(items) == 0:
		text.why = "only empty arrays were seen; kept as JSON text"
		return text
	case depth >= deepestType:
		text.why = tooDeep
		return text
	}
	item := infer(member, items, depth+1)
	if item.logical == "object" && item.physical == "string" || item.logical == "array" && item.physical == "string" {
		text.why = "arrays of values that have no common type; kept as JSON text"
		return text
	}
	item.hints, item.known = nil, nil
	return shape{
		logical: "array", physical: "array<" + item.glue() + ">", items: &item, sure: Likely, why: "arrays of " + item.glue(),
		hints: []string{fmt.Sprintf("maxItems: %d (the longest of %s)", longest, plural(len(values), "record"))},
	}
}

const (
	widest  = 60 // members of a struct that was seen a few times, or never whole
	mapLike = 3  // times as many names as a usual object has: the names are data
	fewSeen = 4

	widestEver = 200 // members of a struct

	fewNames  = 5  // that begin with a digit: they are data
	oneSample = 20 // values of one kind in the only object that there is: their names are data

	deepestType = 7 // objects and arrays below a column, beyond which the contract has JSON text
	tooDeep     = "objects and arrays nest deeper than a contract's types; kept as JSON text"
)

// namesAreData reports whether an object's members rather are a map of values than a record's.
func namesAreData(values []value, inner []field) bool {
	digits, kinds := 0, map[kind]bool{}
	for i := range inner {
		if first := inner[i].member[0]; first >= '0' && first <= '9' || data.MatchString(inner[i].member) {
			digits++
		}
		kinds[inner[i].seen[0].kind] = true
	}
	if digits >= fewNames && 5*digits >= 4*len(inner) {
		return true
	}
	few := len(values) < fewSeen && len(inner) >= oneSample && len(kinds) == 1
	return few && !kinds[isArray] && (!kinds[isObject] || alike(values[0].members))
}

func structs(values []value, depth int) shape {
	if depth >= deepestType {
		return shape{logical: "object", physical: "string", why: tooDeep, sure: Likely}
	}
	inner := fields(values, depth+1)
	usual := 0
	for _, v := range values {
		usual = max(usual, len(v.members))
	}
	switch {
	case len(inner) == 0:
		return shape{logical: "object", physical: "string", why: "only empty objects were seen; kept as JSON text", sure: Likely}
	case slices.ContainsFunc(inner, func(f field) bool { return f.member == "" }):
		return shape{logical: "object", physical: "string", why: "objects with a member that has no name; kept as JSON text", sure: Likely}
	case len(inner) > widest && (depth > 0 && len(values) < fewSeen || len(inner) > 2*usual), len(inner) > widestEver,
		len(values) >= fewSeen && len(inner) > mapLike*max(1, usual), namesAreData(values, inner):
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
