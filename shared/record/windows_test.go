package record

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// everything is all that a run says.
type everything struct {
	Rows, Places []string
	Rejects      []Reject
	Summary      *Summary
	Fault        string
}

// readAs reads pages in pieces of one size.
func readAs(t testing.TB, p *Plan, size int, pages ...string) everything {
	t.Helper()
	list := make([]io.Reader, len(pages))
	for i, page := range pages {
		list[i] = &pieces{text: []byte(page), size: size}
	}
	c, s, err := run(t, p, list...)
	e := everything{Rows: c.Rows, Places: c.places, Rejects: c.rejects, Summary: s}
	if err != nil {
		e = everything{Fault: err.Error()} // how far a run came before it failed depends on the window
	}
	return e
}

// windowPages have members out of order, lacking, repeated and unknown, long names and escapes, structs in lists, doubles
// and bad lines.
var windowPages = []struct {
	name    string
	records string
	page    string
}{
	{"lines", "", `{"i":1,"s":"a","n":1.25,"o":{"p":2,"q":[{"r":3},{"r":4,"z":[]}]},"l":["x","y"],"t":"2025-03-04T14:45:50.1556Z"}
{"s":"Gr\u00f6\u00dfe \ud83d\udc38 é🐸","i":2,"n":1e3,"l":[],"o":{"q":[{"z":1,"r":5},null,{}],"p":-0.5},"x":"12.30","b":true}
{"i":1,"s":"a double","n":0.5}
 { "n" : "7.5" , "\u0069":3 , "a member whose name is as long as it can be and then a little": {"a":[{}]}, "a member whose name is as long as it can be and then a little!": 1}` + "\r" + `
{"i":4,"n":12345678901234567890.5,"d":"2025-02-30","s":"` + "\xff" + `"}
{"i":5,"n":tru}
{"i":6,"i":6,"s":7}

[{"i":7}]
{"i":8,"l":["a","a"],"o":{"q":[{"r":"9"},{"r":1.5},{"r":1,"r":1}]},"j":{"any": [1.50]}}{"i":9}
{"b":false,"d":"2025-03-04","i":10,"j":[null],"l":["u","v"],"n":0,"o":null,"s":null,"t":null,"x":-0.01}
{"i":11,"n":
{"i":12,"s":"last","n":123456789.123456789e-5}`},
	{"array under a pointer", "/a/b", ` {"x":[1,{"b":"\u00e9"}],"a":{"n":null,"b":[{"i":1,"n":2.5},
{"i":2,"s":"\u0000\"\\","o":{"q":[{"r":1}]}} ,5,{"i":1},{"u":1,"s":"b","i":3},{ "s":"c", "i":4, "v":2 },{"u":1,"s":"d","i":5,"w":[[[]]]}
] , "c" : true},"more":false} `},
	{"lines that end too early", "", `{"i":1,"s":"a"}
{"i":2,"s":"b","o":{"q":[{"r":1},{"r":2`},
	{"an array that ends too early", "", `[{"i":1,"s":"a"},{"i":2,"s":"b","l":["\u00`},
}

// What is read does not depend on the pieces in which a page comes, nor on where the window ends: it ends everywhere.
func TestWindows(t *testing.T) {
	plan := fuzzPlan(t)
	for _, tt := range windowPages {
		t.Run(tt.name, func(t *testing.T) {
			p := *plan
			c := *plan.contract
			if p.contract = &c; tt.records != "" {
				c.Source.Records = strings.Split(tt.records, "/")[1:]
			}
			want := readAs(t, &p, 4096, tt.page)
			if want.Fault == "" && (len(want.Rows) < 4 || len(want.Rejects) < 2) {
				t.Fatalf("%d rows and %d rejects: the page is to have many", len(want.Rows), len(want.Rejects))
			}
			for window := 1; window <= len(tt.page)+1; window++ {
				p.window = window
				for _, size := range []int{1, 7, 4096} {
					if size != 4096 && window%16 != 0 && window > 64 {
						continue // the pieces only fill the window
					}
					if diff := cmp.Diff(want, readAs(t, &p, size, tt.page)); diff != "" {
						t.Fatalf("window of %d, pieces of %d (-want +got)\n%s", window, size, diff)
					}
				}
			}
		})
	}
}

// Readers of one plan have nothing in common: what one has seen of the shape of its objects is its own.
func TestReadersOfOnePlan(t *testing.T) {
	p := fuzzPlan(t)
	reversed := `{"t":null,"l":["x"],"o":{"q":[{"z":0,"r":1}],"p":1},"n":1.5,"s":"a","i":1}` + "\n"
	pages := [][]string{
		{windowPages[0].page, reversed + windowPages[0].page}, {reversed, windowPages[0].page}, {`[{"i":1}]`, `[{"s":"b","i":2,"u":1},{"u":1,"i":3,"s":"c"}]`},
	}
	var alone []everything
	for _, list := range pages {
		alone = append(alone, readAs(t, p, 4096, list...))
	}
	var group sync.WaitGroup
	for round := range 12 {
		group.Go(func() {
			which := round % len(pages)
			if diff := cmp.Diff(alone[which], readAs(t, p, 1+round, pages[which]...)); diff != "" {
				t.Errorf("pages %d (-alone +beside others)\n%s", which, diff)
			}
		})
	}
	group.Wait()
}

// A page after another reads as it does in a run of its own but for its keys: nothing of a record stays behind.
func TestPagesOfOneReader(t *testing.T) {
	p := dataset{columns: shapeColumns}.plan(t)
	long := strings.Repeat(" ", 3*windowSize) // after it the window is a larger one
	for _, first := range []string{"[]", `[{"a":1}]`, `[{"a":"x","unknown":1}]`, "{\"a\":1}\nx\n", `[{"s":{"y":1,"x":2},"a":1}` + long + `]`, `[{"a":` + long + `1}]`} {
		alone := readAs(t, p, 4096, shapePage)
		both := readAs(t, p, 4096, first, shapePage)
		before := readAs(t, p, 4096, first)
		if diff := cmp.Diff(alone.Rows, both.Rows[len(before.Rows):]); diff != "" {
			t.Errorf("behind %.40q (-alone +behind)\n%s", first, diff)
		}
	}
}

const (
	shapeColumns = `
- {name: a, logicalType: integer}
- {name: "name with spaces", physicalName: b, logicalType: number}
- {name: s, logicalType: object, properties: [{name: x, logicalType: integer}, {name: y, logicalType: string}, {name: z, logicalType: number}]}
- {name: l, logicalType: array, items: {logicalType: object, properties: [{name: x, logicalType: integer}, {name: m, logicalType: array, items: {logicalType: string}}]}}
- {name: x_again, logicalType: integer, transformSourceObjects: [/s/x]}
- {name: first, logicalType: integer, transformSourceObjects: [/l/0/x]}
- {name: text, logicalType: object, physicalType: string, transformSourceObjects: [/s]}
- {name: q, logicalType: integer, required: true}`

	shapePage = `{"a":1,"name with spaces":2.5,"s":{"x":1,"y":"t","z":0.5},"l":[{"x":1,"m":["a"]},{"m":[],"x":2}],"q":1}
{"q":2,"l":[{"u":1,"x":1},{"x":3,"u":{}},{"m":["b"]}],"s":{"z":1,"x":2},"name with spaces":"3","a":2}
{"a":3,"\u006eame with spaces":4,"s":{},"l":[],"unknown":null,"q":3}
{"a":4,"s":{"y":"\u0000","y":"twice"},"q":4}
{"a":5,"l":[{"x":1,"x":2},{"x":"y"}]}
{"a":6,"name with spaces":-0.0,"s":{"x":7,"y":null,"z":1e2},"l":[null,{"x":8,"m":[null,"c"]}],"q":6}
{}
{"u1":1,"u2":2,"u3":3,"u4":4,"u5":5,"a":8,"q":8,"name with spaces":1}`
)

// shapesAgree reads lines one after the other, so that each follows the shape of those before it, and each alone, where
// nothing is expected: both say the same.
func shapesAgree(tb testing.TB) func(*testing.T, string) {
	p := dataset{columns: shapeColumns}.plan(tb)
	return func(t *testing.T, text string) {
		var lines []string
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" && line[0] == '{' && len(lines) < 12 && alone(line) {
				lines = append(lines, line)
			}
		}
		narrow := *p
		narrow.window = 1 + len(text)%97
		got := readAs(t, &narrow, 4096, strings.Join(lines, "\n"))
		if len(lines) == 0 {
			return
		}
		if got.Fault != "" {
			t.Fatalf("%q: %s", lines, got.Fault)
		}
		for i, line := range lines {
			one := readAs(t, p, 4096, line)
			if one.Fault != "" {
				t.Fatalf("%q: %s", line, one.Fault)
			}
			if len(one.Rows) > 0 {
				if len(got.Rows) == 0 || got.Rows[0] != one.Rows[0] {
					t.Fatalf("line %d of %q is a row %v, alone %s", i, lines, got.Rows, one.Rows[0])
				}
				got.Rows = got.Rows[1:]
				continue
			}
			want := one.Rejects[0]
			if len(got.Rejects) == 0 {
				t.Fatalf("line %d of %q is no reject, alone %v", i, lines, want.Violations)
			}
			if diff := cmp.Diff(want.Violations, got.Rejects[0].Violations); diff != "" || !bytes.Equal(want.Record, got.Rejects[0].Record) {
				t.Fatalf("line %d of %q (-alone +among the others)\n%s", i, lines, diff)
			}
			got.Rejects = got.Rejects[1:]
		}
		if len(got.Rows)+len(got.Rejects) > 0 {
			t.Fatalf("%q: more than its lines: %v %v", lines, got.Rows, got.Rejects)
		}
	}
}

// alone says whether a line is one JSON object.
func alone(line string) bool {
	var s scanner
	s.reset(strings.NewReader(line), len(line)+1, 0)
	if _, err := s.more(0); err != nil {
		return false
	}
	return s.skip(0) == len(line)
}

// FuzzShapes lets objects follow each other, see shapesAgree.
func FuzzShapes(f *testing.F) { fuzzText(f, shapeSeeds, shapesAgree(f)) }

var shapeSeeds = []string{
	shapePage, `{"a":1,"q":1}` + "\n" + `{"q":1,"a":2}` + "\n" + `{"a":3}` + "\n" + `{"a":1,"a":2,"q":1}` + "\n" + `{"q":1,"a":4,"q":1}`,
	`{"a":1,"s":{"x":1},"q":1,"l":[{"x":1,"m":[]}]}` + "\n" + `{"s":{"y":"b","x":2},"a":1,"q":1,"l":[{"m":["a"],"x":1},{"x":2},{"u":1}]}` + "\n" + `{"s":{"z":1,"y":"b","x":2},"q":1}`,
}
