package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

const keyedColumns = `- {name: k, logicalType: string, required: true, unique: true, transformLogic: record.key}
- {name: n, logicalType: integer}`

func TestKeyedPages(t *testing.T) {
	deep := strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1)
	for _, tt := range []struct {
		name    string
		records string
		page    string
		rows    []string
		rejects []string // key, rule and pointer
		fault   string
	}{
		{name: "at the top", records: "/*", page: `{"a":{"n":1}, "b" : {"n":2}}`, rows: []string{`k="a" n=1`, `k="b" n=2`}},
		{name: "in an envelope", records: "/data/x/*", page: `{"n":1,"data":{"x":{"a":{"n":1}},"y":{"z":{"n":3}}},"m":{}}`, rows: []string{`k="a" n=1`}},
		{name: "keys of all kinds", records: "/*", page: `{"":{"n":1},"é\u0041\ud83d\udc38/~*":{"n":2},"1":{"n":3}}`, rows: []string{`k="" n=1`, `k="éA🐸/~*" n=2`, `k="1" n=3`}},
		{name: "nothing", records: "/*", page: ` { } `},
		{name: "null", records: "/data/*", page: `{"data":null}`},
		{name: "an empty array for an empty object", records: "/data/*", page: `{"data":[ ]}`},
		{
			name: "a key that comes again", records: "/*", page: `{"a":{"n":1},"b":{"n":2},"a":{"n":3},"\u0061":{"n":4}}`,
			rows: []string{`k="a" n=1`, `k="b" n=2`}, rejects: []string{`a unique /k "a"`, `a unique /k "a"`},
		},
		{
			name: "rejects tell their keys", records: "/*", page: `{"a":{"n":"x"},"b":{"n":1},"c":5,"d":{"n":1,"n":2},"e":{"m":` + deep + `},"f":{"n":"` + strings.Repeat("x", 60) + `"},"b":{"n":1}}`,
			rows:    []string{`k="b" n=1`},
			rejects: []string{"a type /n", "c type", "d duplicate_member /n", "e depth", "f type /n", `b unique /k "b"`},
		},
		{name: "a key that is no text", records: "/*", page: "{\"a\xff\":{\"n\":1},\"\\ud800\":{\"n\":2}}", rejects: []string{"a\xff encoding", "\uFFFD encoding"}},
		{name: "an array", records: "/*", page: `[{"n":1}]`, fault: "read page 1: there is an array at the top, where the contract says that records are the members of an object at byte 0"},
		{name: "an array in an envelope", records: "/d/*", page: `{"d":[1]}`, fault: "read page 1: there is an array at /d, where the contract says that records are the members of an object at byte 5"},
		{name: "a number", records: "/*", page: `42`, fault: "read page 1: there is no object at the top, where the contract says that its members are the records at byte 0"},
		{name: "nothing there", records: "/d/*", page: `{"e":{}}`, fault: "read page 1: there is nothing at /d, where the contract says the records are at byte 7"},
		{name: "cut within a key", records: "/*", page: `{"a":{"n":1},"b`, fault: "read page 1: the page is truncated: it ends within a value at byte 15"},
		{name: "cut behind a key", records: "/*", page: `{"a":`, fault: "read page 1: the page is truncated: it ends within a value at byte 5"},
		{name: "no key", records: "/*", page: `{"a":{"n":1},{"n":2}}`, fault: "read page 1: the page is no JSON: no member name in an object at byte 13"},
		{name: "trailing comma", records: "/*", page: `{"a":{},}`, fault: "read page 1: the page is no JSON: nothing behind a comma at byte 8"},
		{name: "lines", records: "/*", page: "{\"a\":{\"n\":1}}\n{\"b\":{}}", fault: "read page 1: the page goes on behind its JSON at byte 14"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := dataset{columns: keyedColumns, records: tt.records}.plan(t)
			for _, interpreted := range []bool{false, true} {
				p, err := compile(p.contract, interpreted)
				if err != nil {
					t.Fatal(err)
				}
				for _, window := range []int{windowSize, 1, 13} {
					p.window = window
					c, _, err := run(t, p, iotest.HalfReader(strings.NewReader(tt.page)))
					n, counted := count(strings.NewReader(tt.page), &p.contract.Source, window, p.limit)
					if fmt.Sprint(err) != fmt.Sprint(counted) {
						t.Fatalf("window %d: reader says %v, Count %v", window, err, counted)
					}
					if tt.fault != "" {
						var unreadable *UnreadableError
						if !errors.As(err, &unreadable) || err.Error() != tt.fault {
							t.Fatalf("window %d: %v, want %s", window, err, tt.fault)
						}
						continue
					}
					if err != nil {
						t.Fatalf("window %d: %v", window, err)
					}
					if diff := cmp.Diff(tt.rows, c.Rows); diff != "" {
						t.Errorf("window %d: rows (-want +got)\n%s", window, diff)
					}
					if diff := cmp.Diff(tt.rejects, keyedRejects(c)); diff != "" {
						t.Errorf("window %d: rejects (-want +got)\n%s", window, diff)
					}
					if int(n) != len(c.Rows)+len(c.rejects) {
						t.Errorf("window %d: counted %d of %d rows and %d rejects", window, n, len(c.Rows), len(c.rejects))
					}
				}
			}
		})
	}
}

func keyedRejects(c *collector) []string {
	var list []string
	for _, r := range c.rejects {
		for _, v := range r.Violations {
			text := r.Key + " " + v.Rule + " " + v.Pointer
			if v.Rule == RuleUnique {
				text += " " + v.Value
			}
			list = append(list, strings.TrimSpace(text))
		}
	}
	return list
}

// A record is told by its key wherever expressions see it: in rules, in keys of several columns, and when it is read again.
func TestRecordKeyInExpressions(t *testing.T) {
	p := dataset{
		columns: `- {name: day, logicalType: date, logicalTypeOptions: {format: yyyy-MM-dd}, transformLogic: "timestamp(record.key + 'T00:00:00Z')"}
- {name: n, logicalType: integer, required: true}
- {name: long, logicalType: boolean, transformLogic: record.key.size() > 10}`,
		quality: `- {id: not-the-first, type: custom, engine: cel, implementation: "record.key != '2025-01-01'", dimension: consistency, severity: error}
- {id: once, metric: duplicateValues, mustBe: 0, severity: error, arguments: {properties: [day, n]}}`,
		records: "/rates/*",
	}.plan(t)
	p.window = 1
	page := `{"rates":{"2025-01-01":{"n":1},"2025-01-02":{"n":2},"2025-01-03":{"n":2},"2025-01-02":{"n":2},"2025-01-02":{"n":3},"soon":{"n":1}}}`
	c, _, err := run(t, p, iotest.OneByteReader(strings.NewReader(page)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"day=2025-01-02 n=2 long=false", "day=2025-01-03 n=2 long=false", "day=2025-01-02 n=3 long=false"}, c.Rows); diff != "" {
		t.Errorf("rows (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"2025-01-01 not-the-first", "soon derived /day", "2025-01-02 unique"}, keyedRejects(c), cmp.Transformer("sorted", sortedTexts)); diff != "" {
		t.Errorf("rejects (-want +got)\n%s", diff)
	}
}

func sortedTexts(texts []string) map[string]int {
	set := map[string]int{}
	for _, text := range texts {
		set[strings.TrimSuffix(text, " ")]++
	}
	return set
}

// FuzzKeyedPage reads any bytes as records under keys: no panic, the same through windows of any size and from Count, and
// every member that encoding/json sees is a row or a reject, those of one name each for itself.
func FuzzKeyedPage(f *testing.F) { fuzzText(f, keyedSeeds(), keyedAgree(f)) }

func keyedSeeds() []string {
	seeds := []string{`{"a":{"n":1},"b":{"n":2},"a":{"n":3}}`, `{"\u0061\ud800":{},"":5,"é":{"n":"x"}}`, `{"a":{"b":{"k":{"n":1}}}}`, `{"a" : [ ] , "b":{"b":[]}}`, `{"longer than the limit lets it be":{"n":1,"m":"longer than the limit lets it be"}}`, `{"a":{"n":1},}`, `{"a":{"n":1}}{`}
	return append(seeds, pageSeeds...)
}

func keyedAgree(tb testing.TB) func(*testing.T, string) {
	var plans []*Plan
	for _, records := range []string{"/*", "/a/*", "/a/b/*"} {
		plans = append(plans, dataset{columns: keyedColumns, records: records}.plan(tb))
	}
	return func(t *testing.T, text string) {
		page := []byte(text)
		for _, p := range plans {
			wide, _, err := run(t, p, bytes.NewReader(page))
			narrow := *p
			narrow.window = 1
			again, _, errAgain := run(t, &narrow, iotest.OneByteReader(bytes.NewReader(page)))
			if fmt.Sprint(err) != fmt.Sprint(errAgain) || err == nil && fmt.Sprint(wide.outcome, keyedRejects(wide)) != fmt.Sprint(again.outcome, keyedRejects(again)) {
				t.Fatalf("read through a narrow window it differs:\n%v %v\n%v %v", wide.outcome, err, again.outcome, errAgain)
			}
			n, errCount := Count(bytes.NewReader(page), &p.contract.Source)
			if fmt.Sprint(err) != fmt.Sprint(errCount) {
				t.Fatalf("reader says %v, Count %v", err, errCount)
			}
			if err != nil {
				continue
			}
			if n != int64(len(wide.Rows)+len(wide.rejects)) {
				t.Fatalf("counted %d, %d rows and %d rejects", n, len(wide.Rows), len(wide.rejects))
			}
			rejectsAre(t, page, wide.rejects)
			if len(p.contract.Source.Records) == 0 {
				if want := membersOf(page); want >= 0 && n != want {
					t.Fatalf("%d records, encoding/json sees %d members", n, want)
				}
			}
			limitAgrees(t, *p, page, true)
		}
	}
}

// membersOf counts the members of an object by encoding/json, those of one name each for itself; -1 where there is no object.
func membersOf(page []byte) int64 {
	text := bytes.TrimPrefix(page, byteOrderMark)
	d := json.NewDecoder(bytes.NewReader(text))
	if first, err := d.Token(); err != nil || first != json.Delim('{') || !json.Valid(text) {
		return -1
	}
	n := int64(0)
	for ; d.More(); n++ {
		var value json.RawMessage
		if _, err := d.Token(); err != nil {
			return -1
		}
		if err := d.Decode(&value); err != nil && err != io.EOF {
			return -1
		}
	}
	return n
}
