package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"tributary/shared/contract"
)

// padded is text as a window holds it.
func padded(text string) []byte { return append([]byte(text), make([]byte, pad)...) }

// fuzzText fuzzes a property of texts.
func fuzzText(f *testing.F, seeds []string, agrees func(*testing.T, string)) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(agrees)
}

// FuzzNumber compares numbers with strconv and math/big: which texts are numbers, and their value as a double, as an
// integer, and as decimals.
func FuzzNumber(f *testing.F) { fuzzText(f, numberSeeds, numberAgrees()) }

var numberSeeds = []string{
	"0", "-0", "1", "-1.5", "1e3", "1E+3", "1e-3", "0.1", "123456789012345678901234567890", "1.7976931348623157e308", "1e999", "5e-324",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "0.000000000000000000000000000001", "1.00000000000000000000000000000001",
	"2.2250738585072011e-308", "9007199254740993", "1e23", "8.5e22", "00", "01", "-", "1.", ".1", "1e", "1e+", "+1", "0x1", "1_0", "Infinity", "NaN",
	"12345678901234567.1234567890123456789e-17", "0e400", "99999999999999999999e-20", "3.14159265358979323846264338327950288419716939937510582097494459",
}

func numberAgrees() func(*testing.T, string) {
	table := powersOfTen()
	return func(t *testing.T, text string) {
		v, end := scanNumber(padded(text), 0)
		isNumber := end == len(text) && text != ""
		if want := json.Valid([]byte(text)) && text != "" && (text[0] == '-' || text[0]-'0' <= 9) && !strings.ContainsAny(text, " \t\r\n"); isNumber != want {
			t.Fatalf("%q: a number %v, want %v", text, isNumber, want)
		}
		if !isNumber {
			return
		}
		got, ok := v.float(table, []byte(text))
		want, err := strconv.ParseFloat(text, 64)
		if ok != (err == nil) || ok && math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%q as a double: %v, %v; want %v, %v", text, got, ok, want, err)
		}
		if i := strings.IndexAny(text, "eE"); i >= 0 {
			if e, err := strconv.Atoi(text[i+1:]); err != nil || e > 1000 || e < -1000 {
				return // math/big would take for ever
			}
		}
		exact, _ := new(big.Rat).SetString(text)
		n, fault := v.integer()
		if v.long {
			n, fault = longInteger([]byte(text))
		}
		switch {
		case !exact.IsInt():
			if fault != RuleType && fault != RuleOverflow || fault == RuleOverflow && exact.Cmp(big.NewRat(math.MaxInt64, 1)) < 0 && exact.Cmp(big.NewRat(math.MinInt64, 1)) > 0 {
				t.Fatalf("%q as an integer: fault %q, want %q", text, fault, RuleType)
			}
		case !exact.Num().IsInt64():
			if fault != RuleOverflow {
				t.Fatalf("%q as an integer: fault %q, want %q", text, fault, RuleOverflow)
			}
		case fault != "" || n != exact.Num().Int64():
			t.Fatalf("%q as an integer: %d, %q; want %s", text, n, fault, exact.Num())
		}
		for _, d := range [][2]int{{18, 3}, {18, 0}, {38, 8}, {38, 38}, {5, 5}} {
			scaled := new(big.Rat).Mul(exact, new(big.Rat).SetInt(powerOfTen(d[1])))
			u, neg, fault := decimal([]byte(text), d[0], d[1])
			fits := scaled.IsInt() && new(big.Int).Abs(scaled.Num()).Cmp(powerOfTen(d[0])) < 0
			if (fault == "") != fits {
				t.Fatalf("%q as decimal(%d,%d): fault %q, fits %v", text, d[0], d[1], fault, fits)
			}
			if !fits {
				continue
			}
			value := u.big()
			if neg {
				value.Neg(value)
			}
			if value.Cmp(scaled.Num()) != 0 {
				t.Fatalf("%q as decimal(%d,%d): %s, want %s", text, d[0], d[1], value, scaled.Num())
			}
			if n, ok := v.decimal64(d[0], d[1]); ok && big.NewInt(n).Cmp(scaled.Num()) != 0 {
				t.Fatalf("%q as decimal(%d,%d): %d the fast way, want %s", text, d[0], d[1], n, scaled.Num())
			}
		}
		multiple := big.NewRat(3, 100)
		if got, want := v.multipleOf(multiple, text), new(big.Rat).Quo(exact, multiple).IsInt(); got != want && exact.Sign() != 0 && v.exp < 400 && v.exp > -400 {
			t.Fatalf("%q a multiple of 0.03: %v, want %v", text, got, want)
		}
	}
}

// FuzzTimestamp compares RFC 3339 with package time, which is laxer in places that are told.
func FuzzTimestamp(f *testing.F) { fuzzText(f, timestampSeeds, timestampAgrees) }

var timestampSeeds = []string{
	"2025-03-04T14:45:50.155Z", "2025-03-04T14:45:50Z", "2024-02-29T23:59:59.999999999+14:00", "1969-12-31T23:59:59.9999-00:30", "0001-01-01T00:00:00Z",
	"9999-12-31T23:59:59.999Z", "2025-02-30T00:00:00Z", "2016-12-31T23:59:60Z", "2025-03-04t14:45:50z", "2025-03-04T14:45:50.1", "2025-13-01T00:00:00Z",
}

func timestampAgrees(t *testing.T, text string) {
	ms, cut, ok := rfc3339(padded(text), 0, len(text))
	want, err := time.Parse(time.RFC3339Nano, strings.ToUpper(text))
	wanted := err == nil && strings.ToUpper(text) != "" && !strings.ContainsRune(text, ',') && len(text) >= 20 && text[13] == ':'
	if wanted {
		m := want.UnixMilli()
		wanted = m >= firstMilli && m <= lastMilli && want.Year() > -1
		if year, _ := strconv.Atoi(text[:4]); year == 0 {
			wanted = false
		}
		if offset := text[len(text)-5:]; text[len(text)-1]|0x20 != 'z' && (offset[:2] > "23" || offset[3:] > "59") {
			wanted = false
		}
	}
	if ok != wanted {
		t.Fatalf("%q: a timestamp %v, want %v (%v)", text, ok, wanted, err)
	}
	if !ok {
		return
	}
	if ms != want.UnixMilli() || cut != (want.Nanosecond()%1e6 != 0) {
		t.Fatalf("%q: %d, cut %v; want %d", text, ms, cut, want.UnixMilli())
	}
	if back, _, ok := rfc3339(padded(string(appendTimestamp(nil, ms))), 0, len("2006-01-02T15:04:05.000Z")); !ok || back != ms {
		t.Fatalf("%q: printed and read again %d, want %d", text, back, ms)
	}
}

// fuzzPlan has a column of every kind.
func fuzzPlan(t testing.TB) *Plan {
	return dataset{columns: `- {name: s, logicalType: string, logicalTypeOptions: {maxLength: 20}}
- {name: i, logicalType: integer, unique: true}
- {name: n, logicalType: number, logicalTypeOptions: {multipleOf: 0.5}}
- {name: x, logicalType: number, physicalType: "decimal(20,2)"}
- {name: b, logicalType: boolean}
- {name: t, logicalType: timestamp}
- {name: d, logicalType: date, logicalTypeOptions: {format: yyyy-MM-dd}}
- {name: j, logicalType: object, physicalType: string}
- {name: l, logicalType: array, logicalTypeOptions: {uniqueItems: true}, items: {logicalType: string}}
- {name: o, logicalType: object, properties: [{name: p, logicalType: number}, {name: q, logicalType: array, items: {logicalType: object, properties: [{name: r, logicalType: integer}]}}]}
- {name: op, logicalType: number, transformSourceObjects: [/o/p]}
- {name: l1, logicalType: string, transformSourceObjects: [/l/1]}
- {name: m0, logicalType: integer, transformSourceObjects: [/m/0]}
- {name: mx, logicalType: string, transformSourceObjects: [/m/x]}
- {name: m1y, logicalType: array, items: {logicalType: number}, transformSourceObjects: [/m/1/y]}
- {name: m10, logicalType: boolean, transformSourceObjects: [/m/1/0]}
- {name: twice, logicalType: number, transformLogic: n * 2.0}`}.plan(t)
}

// FuzzPage reads any bytes as a page: no panic, every record accounted for, the same outcome by single bytes, the same
// number from Count, batches that hold together, and JSON documents that encoding/json accepts are not called unreadable
// for their syntax.
func FuzzPage(f *testing.F) {
	for _, seed := range pageSeeds {
		f.Add([]byte(seed), false)
		f.Add([]byte(below(seed)), true)
	}
	agrees := pageAgrees(f)
	f.Fuzz(func(t *testing.T, page []byte, below bool) { agrees(t, page, below) })
}

// below wraps a document in an envelope.
func below(seed string) string { return `{"a":{"x":[1],"b":` + seed + `}}` }

var pageSeeds = []string{
	"", "null", "[]", "[{}]", "<html>", "\xef\xbb\xbf[{}]", `{"s":"a"}{"s":"b"}`, "{\"i\":1}\n{\"i\":1}\nx\n{\"i\":2}",
	`[{"s":"Gr\u00f6\u00dfe \ud83d\udc38","i":1.0,"n":1e3,"x":"12.30","b":true,"t":"2025-03-04T14:45:50.155Z","d":"2025-03-04","j":{"a":[1]},"l":["a","b"],"o":{"p":1,"q":[{"r":1},null,{}]}}]`,
	`[{"i":9223372036854775808,"n":1e999,"x":123456789012345678901234567890,"s":"\ud800"},{"s":"` + "\xff" + `","s":1}]`,
	`[[[[`, `[{"l":[]},{"l":[null,"a","a"]},{"o":{"q":[]}},{"o":null},5,"x"]`, `{"a":{"b":[{"i":1}]}} x`, "{\n\"i\":1}\n{\n\"i\":x}\n{\"i\":3}",
	`[{"m":null},{"m":[1,{"y":[2]}]},{"m":{"x":"a"}},{},{"m":[null,[true]]},{"m":"x"}]`, `["longer than limitAgrees lets it be",{"i":1},1234567890123456789012345678,{"i":2}]`,
	"{\"i\":1}\n{\"s\":\"longer than limitAgrees lets it be\" 1}}\n{\"i\":2}\n\"and once more, longer than it may\"\n{\n\"i\":x", `[{"a\\u0062":1},{"a\u0062":2,"ab":3}]`,
}

func pageAgrees(tb testing.TB) func(t *testing.T, page []byte, below bool) {
	plain := fuzzPlan(tb)
	plain.window = 1 << 10
	enveloped := *plain
	c := *plain.contract
	c.Source.Records = []string{"a", "b"}
	enveloped.contract = &c
	return func(t *testing.T, page []byte, below bool) {
		p := plain
		if below {
			p = &enveloped
		}
		got, s, err := run(t, p, bytes.NewReader(page))
		narrow := *p
		narrow.window = 1
		again, _, errAgain := run(t, &narrow, iotest.OneByteReader(bytes.NewReader(page)))
		if fmt.Sprint(err) != fmt.Sprint(errAgain) || fmt.Sprint(got.outcome) != fmt.Sprint(again.outcome) && err == nil {
			t.Fatalf("read through a narrow window it differs:\n%v %v\n%v %v", got.outcome, err, again.outcome, errAgain)
		}
		n, errCount := Count(bytes.NewReader(page), &p.contract.Source)
		if fmt.Sprint(err) != fmt.Sprint(errCount) {
			t.Fatalf("reader says %v, Count %v", err, errCount)
		}
		if err != nil {
			var unreadable *UnreadableError
			if !errors.As(err, &unreadable) {
				t.Fatalf("%T %v", err, err)
			}
			if json.Valid(page) && (strings.Contains(err.Error(), "no JSON") || strings.Contains(err.Error(), "truncated")) {
				t.Fatalf("encoding/json takes the page: %v", err)
			}
			return
		}
		if s.Records != n || s.Records != int64(len(got.Rows)+len(got.rejects)) {
			t.Fatalf("%d records, counted %d, %d rows and %d rejects", s.Records, n, len(got.Rows), len(got.rejects))
		}
		rejectsAre(t, page, got.rejects)
		if want := recordsOf(page); want >= 0 && !below && s.Records != want {
			t.Fatalf("%d records, encoding/json sees %d", s.Records, want)
		}
		limitAgrees(t, *p, page, below)
	}
}

func rejectsAre(t *testing.T, page []byte, rejects []Reject) {
	t.Helper()
	for _, r := range rejects {
		text := page[r.Offset : r.Offset+r.Bytes]
		if !r.Truncated && !bytes.Equal(text, r.Record) || r.Truncated && r.SHA256 != sha256Hex(string(text)) || len(r.Violations) == 0 {
			t.Fatalf("reject %+v is not what the page has there", r)
		}
	}
}

// recordsOf counts the elements of a page that is an array, or the values of a stream of them, by encoding/json; -1 where
// it is neither.
func recordsOf(page []byte) int64 {
	text := bytes.TrimSpace(bytes.TrimPrefix(page, byteOrderMark))
	switch {
	case len(text) == 0:
		return -1
	case text[0] == '[':
		var elements []json.RawMessage
		if json.Unmarshal(text, &elements) != nil {
			return -1
		}
		return int64(len(elements))
	case text[0] != '{':
		return -1
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	for n := int64(0); ; n++ {
		var value json.RawMessage
		if err := decoder.Decode(&value); err == io.EOF {
			return n
		} else if err != nil {
			return -1
		}
		if rest := text[decoder.InputOffset():]; len(rest) > 0 && rest[0]-'0' <= 9 && (string(value) == "0" || string(value) == "-0") {
			return -1 // 00 is two numbers for encoding/json, and none for us
		}
	}
}

// limitAgrees reads a page whose records may have a few bytes only: what is too large is one reject, and all around it is
// read, whatever the window holds.
func limitAgrees(t *testing.T, p Plan, page []byte, below bool) {
	t.Helper()
	p.limit, p.window = 24, 1
	got, s, err := run(t, &p, bytes.NewReader(page))
	wide := p
	wide.window = p.limit
	again, _, errAgain := run(t, &wide, bytes.NewReader(page))
	if fmt.Sprint(err) != fmt.Sprint(errAgain) || fmt.Sprint(got.outcome) != fmt.Sprint(again.outcome) && err == nil {
		t.Fatalf("with a limit of %d, read through a narrow window it differs:\n%v %v\n%v %v", p.limit, got.outcome, err, again.outcome, errAgain)
	}
	n, errCount := count(bytes.NewReader(page), &p.contract.Source, p.window, p.limit)
	if fmt.Sprint(err) != fmt.Sprint(errCount) {
		t.Fatalf("with a limit of %d the reader says %v, Count %v", p.limit, err, errCount)
	}
	if err != nil {
		return
	}
	if s.Records != n || s.Records != int64(len(got.Rows)+len(got.rejects)) {
		t.Fatalf("with a limit of %d: %d records, counted %d, %d rows and %d rejects", p.limit, s.Records, n, len(got.Rows), len(got.rejects))
	}
	rejectsAre(t, page, got.rejects)
	if want := recordsOf(page); want >= 0 && !below && s.Records != want {
		t.Fatalf("with a limit of %d: %d records, encoding/json sees %d", p.limit, s.Records, want)
	}
}

// FuzzValues reads a record that encoding/json accepts: what becomes a row has the values that encoding/json reads.
func FuzzValues(f *testing.F) { fuzzText(f, valueSeeds, valuesAgree(f)) }

var valueSeeds = []string{
	`{"s":"a","i":1,"n":1.5,"b":true,"l":["x",null],"j":{"k":[1]},"o":{"p":2,"q":[{"r":3}]}}`, `{"s":"\u0000\"\\\/é🐸","n":-0,"i":1e2}`,
	`{"n":123456789.123456789e-5,"i":-9223372036854775808}`, `{"s":null,"l":null,"o":{},"j":[]}`, `{"S":"a","\u0073":"b"}`,
	`{"m":[1,{"y":[1,2]}]}`, `{"m":{"0":1,"x":"a","1":[true]}}`, `{"m":[]}`, `{"m":null}`, `{"m":{"1":{"y":[]},"0":null}}`, `{"m":"x","o":null}`,
}

func valuesAgree(tb testing.TB) func(*testing.T, string) {
	p := fuzzPlan(tb)
	return func(t *testing.T, text string) {
		var want map[string]any
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		if !json.Valid([]byte(text)) || !utf8.ValidString(text) || decoder.Decode(&want) != nil || want == nil {
			return
		}
		sink := &first{t: t, plan: p, want: want}
		r := p.Start(Run{ScheduledAt: scheduled}, sink)
		if err := r.Page(Page{Number: 1, Records: 1}, strings.NewReader("["+text+"]")); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if _, err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// first compares the only row with what encoding/json has read.
type first struct {
	t    *testing.T
	plan *Plan
	want map[string]any
}

func (*first) Reject(*Reject) error { return nil }

func (s *first) Batch(b *Batch) error {
	columns := make([]int, len(s.plan.columns))
	for i := range columns {
		columns[i] = i
	}
	return b.Each(columns, func(_ int, values []Value) error {
		for i, v := range values {
			if c := &s.plan.columns[i]; c.Derived == nil && c.kind != contract.Timestamp && c.kind != contract.Date && c.kind != contract.Decimal {
				s.compare(c, v, valueAt(s.want, c.Path))
			}
		}
		return nil
	})
}

// valueAt follows a JSON Pointer; nil where it leads nowhere.
func valueAt(v any, path []string) any {
	for _, token := range path {
		switch inner := v.(type) {
		case map[string]any:
			v = inner[token]
		case []any:
			n, err := strconv.Atoi(token)
			if err != nil || n >= len(inner) || !arrayIndex.MatchString(token) {
				return nil
			}
			v = inner[n]
		default:
			return nil
		}
	}
	return v
}

func (s *first) compare(c *column, v Value, want any) {
	s.t.Helper()
	if v.Null || want == nil {
		if !v.Null || want != nil {
			s.t.Fatalf("%s: %s, want %v", c.pointer, show(v), want)
		}
		return
	}
	number := ""
	switch w := want.(type) {
	case json.Number:
		number = string(w)
	case string:
		number = w // a numeric string
	}
	switch c.kind {
	case contract.String:
		if string(v.Text) != want {
			s.t.Fatalf("%s: %q, want %q", c.pointer, v.Text, want)
		}
	case contract.Double:
		if f, err := strconv.ParseFloat(number, 64); err != nil || math.Float64bits(f) != math.Float64bits(v.Float) {
			s.t.Fatalf("%s: %v, want %s", c.pointer, v.Float, number)
		}
	case contract.Integer:
		if r, ok := new(big.Rat).SetString(number); !ok || r.Cmp(new(big.Rat).SetInt64(v.Int)) != 0 {
			s.t.Fatalf("%s: %d, want %s", c.pointer, v.Int, number)
		}
	case contract.Boolean:
		if (v.Int != 0) != want {
			s.t.Fatalf("%s: %d, want %v", c.pointer, v.Int, want)
		}
	case contract.JSON:
		var got any
		decoder := json.NewDecoder(bytes.NewReader(v.Text))
		decoder.UseNumber()
		if err := decoder.Decode(&got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			s.t.Fatalf("%s: %s, want %v", c.pointer, v.Text, want)
		}
	case contract.List:
		items := want.([]any)
		if len(items) != len(v.Items) {
			s.t.Fatalf("%s: %d items, want %d", c.pointer, len(v.Items), len(items))
		}
		for i := range items {
			s.compare(&c.inner[0], v.Items[i], items[i])
		}
	case contract.Struct:
		members := want.(map[string]any)
		for i := range c.inner {
			s.compare(&c.inner[i], v.Fields[i].Value, members[c.inner[i].Member])
		}
	default:
		s.t.Fatalf("%s: kind %d is not compared", c.pointer, c.kind)
	}
}

// FuzzSkip compares what is passed over with encoding/json.
func FuzzSkip(f *testing.F) { fuzzText(f, skipSeeds, skipAgrees) }

var skipSeeds = []string{`{}`, `[]`, `[[],{}]`, `{"a":[1,{"b":null}],"c":"\u00e9"}`, `[1,]`, `{"a"}`, `{"a":1,}`, `"\x"`, `tru`, `[1 2]`, `{"a":1]`, `[}`, " \t\r\n1"}

func skipAgrees(t *testing.T, document string) {
	text := []byte(document)
	var s scanner
	s.reset(bytes.NewReader(text), len(text)+1, 0)
	for !s.eof {
		if _, err := s.more(0); err != nil {
			return // larger than the window
		}
	}
	end := s.skip(s.space(0))
	valid := end >= 0 && s.space(end) == len(text)
	if s.fail.deep {
		return
	}
	if want := json.Valid(text); valid != want {
		t.Fatalf("%q: valid %v, want %v (%s at %d)", text, valid, want, s.fail.reason, s.fail.at)
	}
}
