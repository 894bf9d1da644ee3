package record

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/contract"
)

func TestPages(t *testing.T) {
	deep := strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1)
	for _, tt := range []struct {
		name    string
		records string
		limits  string
		page    string
		want    outcome
		fault   string // of an unreadable page
		count   int64  // where it differs from the records of want
	}{
		{name: "array", page: `[{"n":1},{"n":2}]`, want: outcome{Rows: []string{"n=1", "n=2"}}},
		{name: "array in lines", page: "[\n  {\n    \"n\": 1\n  },\n  {\n    \"n\": 2\n  }\n]\n", want: outcome{Rows: []string{"n=1", "n=2"}}},
		{name: "empty array", page: " [ ] ", want: outcome{}},
		{name: "null", page: "null\n", want: outcome{}},
		{name: "byte order mark", page: "\xef\xbb\xbf[{\"n\":1}]", want: outcome{Rows: []string{"n=1"}}},
		{name: "half a byte order mark", page: "\xef\xbb[]", fault: "read page 1: the page is no JSON: no JSON value at byte 0"},
		{name: "lines", page: "{\"n\":1}\n{\"n\":2}\n", want: outcome{Rows: []string{"n=1", "n=2"}}},
		{name: "lines without end", page: "{\"n\":1}\r\n\r\n{\"n\":2}", want: outcome{Rows: []string{"n=1", "n=2"}}},
		{name: "byte order mark before lines", page: "\xef\xbb\xbf{\"n\":1}\n{\"n\":2}\n", want: outcome{Rows: []string{"n=1", "n=2"}}},
		{name: "concatenated", page: `{"n":1}{"n":2} {"n":3}`, want: outcome{Rows: []string{"n=1", "n=2", "n=3"}}},
		{name: "concatenated over several lines", page: "{\n \"n\": 1\n}\n{\n \"n\": 2\n}\n", want: outcome{Rows: []string{"n=1", "n=2"}}},
		{name: "one object", page: `{"n":1}`, want: outcome{Rows: []string{"n=1"}}},
		{
			name: "bad lines", page: "{\"n\":1}\n{\"n\":tru}\nno JSON\n{\"n\":2\n{\"n\":[1,\n{\"n\":3} x\n123\nnull\n[1]\n{\"n\":4}\n",
			want: outcome{
				Rows:    []string{"n=1", "n=3", "n=4"},
				Rejects: []string{"1 json", "2 json", "3 json", "4 json", "6 json", "7 type", "8 type", "9 type"},
			},
		},
		{
			name: "the first line is bad", page: "oops\n{\"n\":1}\n",
			want: outcome{Rows: []string{"n=1"}, Rejects: []string{"0 json"}},
		},
		{
			name: "a bad record of several lines", page: "{\n \"n\": 1\n}\n{\n \"n\": x,\n \"m\": {}\n}\n{\n \"n\": 2\n}\n",
			want: outcome{Rows: []string{"n=1", "n=2"}, Rejects: []string{"1 json"}},
		},
		{name: "the last line is cut", page: "{\"n\":1}\n{\"n\":", fault: "read page 1: the page is truncated: it ends within a value at byte 13"},
		{name: "cut within the only record", page: `{"n":1`, fault: "read page 1: the page is truncated: it ends within a value at byte 6"},
		{name: "cut within the array", page: `[{"n":1},{"n"`, fault: "read page 1: the page is truncated: it ends within a value at byte 13"},
		{name: "cut between records", page: `[{"n":1},`, fault: "read page 1: the page is truncated: it ends within a value at byte 9"},
		{name: "cut before the bracket", page: `[{"n":1}`, fault: "read page 1: the page is truncated: it ends within a value at byte 8"},
		{name: "cut within a literal", page: `[nul`, fault: "read page 1: the page is truncated: it ends within a value at byte 4"},
		{name: "cut within an escape", page: `[{"n":"\u00`, fault: "read page 1: the page is truncated: it ends within a value at byte 11"},
		{name: "empty", page: "", fault: "read page 1: the page is empty at byte 0"},
		{name: "blank", page: " \n\t", fault: "read page 1: the page is empty at byte 3"},
		{name: "HTML", page: "<!DOCTYPE html>\n<html>\n{}\n</html>", fault: "read page 1: the page is no JSON but looks like HTML or XML at byte 0"},
		{name: "text", page: "upstream timeout", fault: "read page 1: the page is no JSON: no JSON value at byte 0"},
		{name: "one number", page: "42", fault: "read page 1: the page is a single value and no array of records at byte 0"},
		{name: "trailing bytes", page: "[{\"n\":1}] x", fault: "read page 1: the page goes on behind its JSON at byte 10"},
		{name: "second array", page: "[{\"n\":1}][{\"n\":2}]", fault: "read page 1: the page goes on behind its JSON at byte 9"},
		{name: "trailing comma", page: `[{"n":1},]`, fault: "read page 1: the page is no JSON: nothing behind a comma at byte 9"},
		{name: "missing comma", page: `[{"n":1}{"n":2}]`, fault: "read page 1: the page is no JSON: no comma or bracket behind a value at byte 8"},
		{name: "bad record in an array", page: `[{"n":1},{"n":01}]`, fault: "read page 1: the page is no JSON: invalid number at byte 15"},
		{name: "NUL", page: "[{\"n\":1},\x00]", fault: "read page 1: the page is no JSON: no JSON value at byte 9"},
		{
			name: "records that are no objects", page: `[1,"x",null,true,[],{"n":1}]`,
			want: outcome{Rows: []string{"n=1"}, Rejects: []string{"0 type", "1 type", "2 type", "3 type", "4 type"}},
		},
		{
			name: "nested too deep", page: `[{"n":1},{"m":` + deep + `},{"n":2}]`,
			want: outcome{Rows: []string{"n=1", "n=2"}, Rejects: []string{"1 depth"}},
		},
		{
			name: "nested too deep, in lines", page: "{\"n\":1}\n{\"m\":" + deep + "}\n{\"n\":2}\n",
			want: outcome{Rows: []string{"n=1", "n=2"}, Rejects: []string{"1 depth"}},
		},
		{name: "pointer", records: "/data/items", page: `{"page":{"items":[1]},"data":{"n":0,"items":[{"n":1}],"x":[]},"more":false}`, want: outcome{Rows: []string{"n=1"}}},
		{name: "pointer to null", records: "/items", page: `{"items":null}`, want: outcome{}},
		{name: "pointer with escapes", records: "/a~1b/c~0d", page: `{"a\/b":{"c~d":[{"n":1}]}}`, want: outcome{Rows: []string{"n=1"}}},
		{name: "pointer into an array", records: "/1", page: `[{"n":0},[{"n":1}]]`, want: outcome{Rows: []string{"n=1"}}},
		{name: "pointer that is missing", records: "/items", page: `{"error":"x"}`, fault: "read page 1: there is nothing at /items, where the contract says the records are at byte 12"},
		{name: "pointer to an object", records: "/items", page: `{"items":{}}`, fault: "read page 1: there is no array at /items, where the contract says the records are at byte 9"},
		{name: "pointer through a number", records: "/a/b", page: `{"a":5}`, fault: "read page 1: there is nothing at /a/b, where the contract says the records are at byte 5"},
		{name: "pointer that comes twice", records: "/items", page: `{"items":[{"n":1}],"items":[]}`, fault: `read page 1: the member "items", on the way to the records, is there twice at byte 27`},
		{name: "bad JSON behind the records", records: "/items", page: `{"items":[{"n":1}],"x":tru}`, fault: "read page 1: the page is no JSON: invalid literal at byte 26"},
		{name: "cut behind the records", records: "/items", page: `{"items":[{"n":1}],`, fault: "read page 1: the page is truncated: it ends within a value at byte 19"},
		{name: "trailing bytes behind an envelope", records: "/items", page: `{"items":[]}{}`, fault: "read page 1: the page goes on behind its JSON at byte 12"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := dataset{columns: "- {name: n, logicalType: integer}", records: tt.records, limits: tt.limits}.plan(t)
			for _, by := range []struct {
				name   string
				window int
				wrap   func(io.Reader) io.Reader
			}{
				{"whole", windowSize, func(r io.Reader) io.Reader { return r }},
				{"by bytes", windowSize, iotest.OneByteReader},
				{"with the end", windowSize, iotest.DataErrReader},
				{"through a window of 1", 1, iotest.OneByteReader},
				{"through a window of 13", 13, iotest.HalfReader},
			} {
				p.window = by.window
				c, s, err := run(t, p, by.wrap(strings.NewReader(tt.page)))
				if tt.fault != "" {
					var unreadable *UnreadableError
					if !errors.As(err, &unreadable) {
						t.Fatalf("%s: error %v, want an UnreadableError", by.name, err)
					}
					if got := err.Error(); got != tt.fault {
						t.Fatalf("%s: %q, want %q", by.name, got, tt.fault)
					}
					if _, err := count(by.wrap(strings.NewReader(tt.page)), &p.contract.Source, by.window, p.limit); err == nil || err.Error() != tt.fault {
						t.Fatalf("%s: Count says %v, want %q", by.name, err, tt.fault)
					}
					continue
				}
				if err != nil {
					t.Fatalf("%s: %v", by.name, err)
				}
				if diff := cmp.Diff(tt.want, c.outcome); diff != "" {
					t.Fatalf("%s: (-want +got)\n%s", by.name, diff)
				}
				if s.Records != s.Clean+s.Rejected || s.Bytes != int64(len(tt.page)) {
					t.Fatalf("%s: %d records, %d clean, %d rejected in %d bytes; want a sum, and %d bytes", by.name, s.Records, s.Clean, s.Rejected, s.Bytes, len(tt.page))
				}
				n, err := count(by.wrap(strings.NewReader(tt.page)), &p.contract.Source, by.window, p.limit)
				if err != nil || n != s.Records {
					t.Fatalf("%s: Count gives %d, %v; want %d", by.name, n, err, s.Records)
				}
			}
		})
	}
}

func TestRejectKeepsTheRecord(t *testing.T) {
	p := dataset{columns: "- {name: n, logicalType: integer}"}.plan(t)
	page := "{\"n\":1}\n {\"n\": \"x\\u00e9\"} \r\nbad line\t\r\n{\"n\":2}\n"
	c, _, err := run(t, p, strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	want := []Reject{
		{
			Page: 1, Index: 1, Offset: 9, Bytes: 16, Record: []byte(`{"n": "x\u00e9"}`),
			Violations: []Violation{{Pointer: "/n", Rule: RuleType, Message: "/n is no integer", Value: `"x\u00e9"`}},
		},
		{
			Page: 1, Index: 2, Offset: 28, Bytes: 8, Record: []byte("bad line"),
			Violations: []Violation{{Rule: RuleJSON, Message: "the record is no JSON: no JSON value at byte 28 of the page"}},
		},
	}
	if diff := cmp.Diff(want, c.rejects); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
}

// A record beyond the limit is one reject with head, length and hash; what is around it is read.
func TestTooLarge(t *testing.T) {
	p := dataset{columns: "- {name: n, logicalType: integer}", limits: "{record: 1MiB}"}.plan(t)
	large := `{"n":0,"x":"` + strings.Repeat(`ab\"[{`, 400_000) + `"}`
	small := `{"n":1,"x":"` + strings.Repeat("y", 900<<10) + `"}`
	for _, tt := range []struct{ name, page string }{
		{"array", "[" + small + "," + large + "," + small + "]"},
		{"lines", small + "\n" + large + "\n" + small + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, s, err := run(t, p, iotest.HalfReader(strings.NewReader(tt.page)))
			if err != nil {
				t.Fatal(err)
			}
			if s.Clean != 2 || s.Rejected != 1 {
				t.Fatalf("%d clean, %d rejected; want 2, 1", s.Clean, s.Rejected)
			}
			r := c.rejects[0]
			if r.Bytes != int64(len(large)) || len(r.Record) != RejectHead || !r.Truncated || !strings.HasPrefix(large, string(r.Record)) {
				t.Errorf("%d bytes, head of %d, truncated %v; want %d, %d, true", r.Bytes, len(r.Record), r.Truncated, len(large), RejectHead)
			}
			if got, want := r.SHA256, sha256Hex(large); got != want {
				t.Errorf("hash %s, want %s", got, want)
			}
			if got := tt.page[r.Offset : r.Offset+r.Bytes]; got != large {
				t.Errorf("the range is not the record")
			}
			if r.Violations[0].Rule != RuleTooLarge {
				t.Errorf("rule %s, want %s", r.Violations[0].Rule, RuleTooLarge)
			}
			n, err := Count(strings.NewReader(tt.page), &p.contract.Source)
			if err != nil || n != 3 {
				t.Errorf("Count gives %d, %v; want 3", n, err)
			}
		})
	}
}

// What is too large and no object, or no JSON, ends where it ends: its neighbours are read, and counted as ingest counts.
func TestTooLargeAndMore(t *testing.T) {
	const limit = 64 << 10
	p := dataset{columns: "- {name: n, logicalType: integer}", limits: "{record: 64KiB}"}.plan(t)
	large := strings.Repeat("y", 2*windowSize)
	digits := strings.Repeat("1", 2*windowSize)
	for _, tt := range []struct {
		name, page string
		want       outcome
		fault      string
	}{
		{name: "strings in an array", page: `["` + large + `",{"n":1},"` + large + `\"" , {"n":2}]`, want: outcome{Rows: []string{"n=1", "n=2"}, Rejects: []string{"0 too_large", "2 too_large"}}},
		{name: "numbers in an array", page: `[` + digits + `,{"n":1},` + digits + ` ,{"n":2},` + digits + `]`, want: outcome{Rows: []string{"n=1", "n=2"}, Rejects: []string{"0 too_large", "2 too_large", "4 too_large"}}},
		{name: "a number at the end of an array that is cut", page: `[{"n":1},` + digits, fault: "the page is truncated"},
		{name: "a string in lines", page: "{\"n\":1}\n\"" + large + "\"\n{\"n\":2}\n", want: outcome{Rows: []string{"n=1", "n=2"}, Rejects: []string{"1 too_large"}}},
		{name: "a number at the end of lines", page: "{\"n\":1}\n" + digits, want: outcome{Rows: []string{"n=1"}, Rejects: []string{"1 too_large"}}},
		{name: "a line with a bracket too many", page: "{\"n\":1}\n{\"x\":\"" + large + "\" 1}}\n{\"n\":2}\n", want: outcome{Rows: []string{"n=1", "n=2"}, Rejects: []string{"1 too_large", "2 json"}}},
		{name: "the first line, with brackets that do not match", page: "{\"x\":\"" + large + "\"]}\n{\"n\":2}\n", want: outcome{Rows: []string{"n=2"}, Rejects: []string{"0 too_large"}}},
		{name: "brackets that do not match in an array", page: `[{"n":1},{"x":"` + large + `"]},{"n":2}]`, fault: "the page is no JSON"},
		{name: "a bad line", page: "{\"n\":1}\n{x" + large + "\n{\"n\":2}\n", want: outcome{Rows: []string{"n=1", "n=2"}, Rejects: []string{"1 too_large"}}},
		{name: "a bad line at the end", page: "{\"n\":1}\n{x" + large, want: outcome{Rows: []string{"n=1"}, Rejects: []string{"1 too_large"}}},
		{
			name: "a bad record of lines that look like records", page: "{\n\"n\":1}\n{\"l\":[\n{\"n\":7},\n{\"n\":x" + large + "}]}\n{\"n\":2}\n",
			want: outcome{Rows: []string{"n=1", "n=2"}, Rejects: []string{"1 too_large"}},
		},
		{name: "a line that is cut", page: "{\"n\":1}\n{\"x\":\"" + large, fault: "the page is truncated"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, limit} {
				p.window = size
				c, s, err := run(t, p, &pieces{text: []byte(tt.page), size: 4096})
				n, counted := count(strings.NewReader(tt.page), &contract.Source{}, size, p.limit)
				if tt.fault != "" {
					if err == nil || counted == nil || !strings.Contains(err.Error(), tt.fault) || !strings.Contains(counted.Error(), tt.fault) {
						t.Fatalf("error %v, Count %v; want %s", err, counted, tt.fault)
					}
					continue
				}
				if err != nil || counted != nil {
					t.Fatal(err, counted)
				}
				if diff := cmp.Diff(tt.want, c.outcome); diff != "" {
					t.Fatalf("(-want +got)\n%s", diff)
				}
				if n != s.Records {
					t.Fatalf("Count gives %d, want %d", n, s.Records)
				}
				for _, r := range c.rejects {
					if text := tt.page[r.Offset : r.Offset+r.Bytes]; r.Truncated && r.SHA256 != sha256Hex(text) || !strings.HasPrefix(text, string(r.Record)) {
						t.Fatalf("the reject at %d is not what the page has there", r.Offset)
					}
				}
			}
		})
	}
}

// An envelope that is too large to be held is a fault of the page: reading it again changes nothing.
func TestLargeEnvelope(t *testing.T) {
	p := dataset{columns: "- {name: n, logicalType: integer}", records: "/x", limits: "{record: 64KiB}"}.plan(t)
	for _, tt := range []struct{ name, page, want string }{
		{"name", `{"` + strings.Repeat("n", 3*windowSize) + `":1,"x":[]}`, "a member name beside the records is larger than 131072 bytes at byte 1"},
		{"space behind a name", `{"x"` + strings.Repeat(" ", 3*windowSize) + `:[]}`, "a member name beside the records is larger than 131072 bytes at byte 1"},
		{"value", `{"a":"` + strings.Repeat("n", 3*windowSize) + `","x":[]}`, "a value beside the records is larger than 131072 bytes at byte 5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var unreadable *UnreadableError
			if _, _, err := run(t, p, strings.NewReader(tt.page)); !errors.As(err, &unreadable) || !strings.HasSuffix(err.Error(), tt.want) {
				t.Fatalf("error %v, want an UnreadableError that %s", err, tt.want)
			}
		})
	}
	page := strings.Repeat(" ", 3*windowSize) + `{` + strings.Repeat(" ", 3*windowSize) + `"x": [` + strings.Repeat("\n", 3*windowSize) + `{"n":1}]}`
	if c, _, err := run(t, p, strings.NewReader(page)); err != nil || len(c.Rows) != 1 {
		t.Fatalf("much space: %v, %v", c.outcome, err)
	}
}

// MaxDepth counts from the record, for whatever reads it: what is too deep for one is so for ingest's count.
func TestDepth(t *testing.T) {
	p := dataset{columns: `- {name: n, logicalType: integer}
- {name: j, logicalType: object, physicalType: string}
- {name: l, logicalType: array, items: {logicalType: array, items: {logicalType: integer}}}
- {name: s, logicalType: object, properties: [{name: x, logicalType: integer}]}
- {name: deep, logicalType: integer, transformSourceObjects: [/a/b/0/c]}`}.plan(t)
	nest := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, tt := range []struct {
		name, before, after string
		open                int // levels of the record around the nested value
	}{
		{"an unknown member", `{"u":`, `}`, 1},
		{"a JSON column", `{"j":`, `}`, 1},
		{"a value of another type", `{"n":`, `}`, 1},
		{"an element of another type", `{"l":[[`, `]]}`, 3},
		{"an unknown member of a struct", `{"s":{"u":`, `}}`, 2},
		{"a member that comes twice", `{"s":{"x":1,"x":`, `}}`, 2},
		{"beside a pointer", `{"a":{"b":[{"d":`, `}]}}`, 4},
		{"another element than a pointer's", `{"a":{"b":[{},`, `]}}`, 3},
		{"where a pointer has no way", `{"a":{"b":`, `}}`, 2},
		{"no object", `[`, `]`, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, below := range []int{0, 1} { // the last level that is read, and the first that is not
				record := tt.before + nest(MaxDepth-tt.open+below) + tt.after
				page := "{\"n\":1}\n" + record + " {\"n\":2}\n" + record[:len(record)-1] + ", x } {\"n\":3}\n{\"n\":4}\n"
				c, s, err := run(t, p, strings.NewReader(page))
				if err != nil {
					t.Fatal(err)
				}
				if n, err := Count(strings.NewReader(page), &p.contract.Source); err != nil || n != s.Records {
					t.Fatalf("Count gives %d, %v; want %d", n, err, s.Records)
				}
				deep := strings.Contains(strings.Join(c.Rejects, " "), " "+RuleDepth)
				if want := below > 0; deep != want {
					t.Fatalf("%d levels: rejects %v, too deep %v", MaxDepth+below, c.Rejects, deep)
				}
			}
		})
	}
}

// The limit is exact, whatever the window holds.
func TestRecordLimit(t *testing.T) {
	const limit = 64 << 10
	p := dataset{columns: "- {name: n, logicalType: integer}", limits: "{record: 64KiB}"}.plan(t)
	record := func(size int) string { return `{"n":1,"x":"` + strings.Repeat("y", size-len(`{"n":1,"x":""}`)) + `"}` }
	for _, window := range []int{100, limit - 1, limit, limit + 1, windowSize} {
		for _, form := range []struct{ name, before, between, after string }{{"array", "[", ",", "]"}, {"lines", "", "\n", "\n"}, {"no last line break", "", "\n", ""}} {
			p.window = window
			page := form.before + record(limit) + form.between + record(limit+1) + form.between + record(limit) + form.after
			c, s, err := run(t, p, strings.NewReader(page))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"1 too_large"}, c.Rejects); diff != "" || s.Clean != 2 {
				t.Errorf("%s, window of %d: %d clean, rejects (-want +got)\n%s", form.name, window, s.Clean, diff)
			}
			if r := c.rejects[0]; r.Bytes != limit+1 || page[r.Offset:r.Offset+r.Bytes] != record(limit+1) || r.SHA256 != sha256Hex(record(limit+1)) {
				t.Errorf("%s, window of %d: the reject is bytes %d to %d", form.name, window, r.Offset, r.Offset+r.Bytes)
			}
		}
	}
}

// A reject above 64 KiB keeps its head and hash even when it was read whole.
func TestLargeReject(t *testing.T) {
	p := dataset{columns: "- {name: n, logicalType: integer, required: true}"}.plan(t)
	record := `{"x":"` + strings.Repeat("y", 100<<10) + `"}`
	c, _, err := run(t, p, strings.NewReader("["+record+"]"))
	if err != nil {
		t.Fatal(err)
	}
	r := c.rejects[0]
	if !r.Truncated || len(r.Record) != RejectHead || r.Bytes != int64(len(record)) || r.SHA256 != sha256Hex(record) {
		t.Fatalf("truncated %v, head of %d, %d bytes, hash %s", r.Truncated, len(r.Record), r.Bytes, r.SHA256)
	}
}

func TestSourceFailure(t *testing.T) {
	p := dataset{columns: "- {name: n, logicalType: integer}"}.plan(t)
	broken := errors.New("connection reset")
	_, _, err := run(t, p, io.MultiReader(strings.NewReader(`[{"n":1},`), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Fatalf("error %v, want %v", err, broken)
	}
	var unreadable *UnreadableError
	if errors.As(err, &unreadable) {
		t.Fatal("a failure of the source is no unreadable page: trying again may help")
	}
}

func TestLimits(t *testing.T) {
	p := dataset{columns: "- {name: n, logicalType: integer}", limits: "{records: 3, pages: 2}"}.plan(t)
	for _, tt := range []struct {
		name  string
		pages []string
		want  string
	}{
		{"within", []string{`[{"n":1}]`, `[{"n":1},1]`}, "<nil>"},
		{"records", []string{`[{"n":1}]`, `[{"n":1},1,{"n":2}]`}, "read page 2: the run has more than 3 records, the limit of its contract"},
		{"pages", []string{`[]`, `[]`, `[]`}, "read page 3: the run has more than 2 pages, the limit of its contract"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var pages []io.Reader
			for _, page := range tt.pages {
				pages = append(pages, strings.NewReader(page))
			}
			_, _, err := run(t, p, pages...)
			if got := fmt.Sprint(err); got != tt.want {
				t.Fatalf("error %s, want %s", got, tt.want)
			}
			if large := (*TooLargeError)(nil); err != nil && !errors.As(err, &large) {
				t.Fatalf("%T, want *TooLargeError", err)
			}
		})
	}
}

func TestManifestDisagrees(t *testing.T) {
	p := dataset{columns: "- {name: n, logicalType: integer}"}.plan(t)
	r := p.Start(Run{ScheduledAt: scheduled}, &collector{plan: p})
	err := r.Page(Page{Number: 1, Records: 3}, strings.NewReader(`[{"n":1}]`))
	if got, want := fmt.Sprint(err), "read page 1: the page has 1 records and its manifest says 3 at byte 9"; got != want {
		t.Fatalf("error %s, want %s", got, want)
	}
	if _, closing := r.Close(); !errors.Is(closing, err) {
		t.Fatalf("Close says %v after the page failed, want %v", closing, err)
	}
}
