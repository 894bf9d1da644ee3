package record

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const celColumns = `- {name: d, logicalType: number}
- {name: e, logicalType: number}
- {name: i, logicalType: integer}
- {name: j, logicalType: integer}
- {name: s, logicalType: string}
- {name: z, logicalType: string}
- {name: b, logicalType: boolean}
- {name: c, logicalType: boolean}
- {name: t, logicalType: timestamp}
- {name: u, logicalType: timestamp}
- {name: day, logicalType: date, logicalTypeOptions: {format: yyyy-MM-dd}}`

// celRows are the values that expressions meet, nulls and the edges of their types among them.
var celRows = []string{
	`{"d":1.5,"e":-2,"i":3,"j":-4,"s":"abc","z":"abd","b":true,"c":false,"t":"2025-03-04T14:45:00Z","u":"2024-02-29T00:00:00.001Z","day":"2025-03-04"}`,
	`{"d":0,"e":-0.0,"i":0,"j":0,"s":"","z":"","b":false,"c":false,"t":"1969-12-31T23:59:59.999Z","u":"1969-12-31T23:59:59.999Z","day":"1969-12-31"}`,
	`{"d":1e308,"e":1e308,"i":9223372036854775807,"j":1,"s":"Größe","z":"🐸","b":true,"c":true,"t":"9999-12-31T23:59:59Z","u":"0001-01-01T00:00:00Z","day":"9999-12-31"}`,
	`{"d":-1e-300,"e":1e300,"i":-9223372036854775808,"j":-1,"s":"\u0000","z":"a","b":false,"c":true,"t":"2025-03-04T14:45:00Z","u":"2025-03-04T14:45:00Z","day":"0001-01-01"}`,
	`{"d":3,"e":3,"i":3,"j":2,"s":"a","z":"a","b":true,"c":true}`,
	`{"d":1.000000000931322574615478515625,"e":0.999999999068677425384521484375}`, // d * e rounds to 1; fused, d * e - 1.0 is not 0
	`{"i":5,"s":"abc"}`,
	`{}`,
	`{"d":"x","e":1,"i":1.5,"j":1,"s":1,"z":"x"}`,
}

func TestExpressionsAgreeWithCEL(t *testing.T) {
	rules := []string{
		"d < e", "d <= e", "d > e", "d >= e", "d == e", "d != e", "d > 0", "0 < d", "d == 3.0", "d >= 1.5 && e < 0.0",
		"d + e > 0.0", "d - e <= 3.5", "d * e < 0.0", "d / e > 1.0", "-d < e", "d / e == d / e", "d / e < 1.0 || d < 5.0",
		"i < j", "i == j", "i + j > 0", "i - j > 0", "i * j < 0", "i / j > 0", "i % j == 1", "-i > j", "i > 2 || j > 0", "i / j == 0 || true", "false && i / j == 0",
		"i / j == 0 || b", "b || i / j == 0", "b && i / j == 0", "!(i % j == 0) && c",
		"double(i) > d", "double(i) / double(j) < 2.0", "d < double(i + j)",
		"s < z", "s == z", "s != 'abc'", "s >= 'b'", "size(s) > 2", "size(s) == size(z)", "s.startsWith('a')", "s.endsWith(z)", "s.contains('b')",
		"b", "!b", "b && c", "b || c", "b == c", "b != c", "b ? d > 0 : i > 0", "(b ? d : e) > 0.0", "(b ? i : j) > 0", "b < c",
		"t > u", "t == u", "t != u", "t >= timestamp('2025-01-01T00:00:00Z')", "day < t", "day == timestamp('2025-03-04T00:00:00Z')",
		"t > run.scheduledAt", "t <= run.fetchedAt", "record.index < 4", "record.page == 1 && record.index % 2 == 0",
		// declined by the compiler
		"s.matches('^a')", "s in ['abc', 'a']", "t - u > duration('1h')", "i > d", "int(d) == i", "t.getFullYear() == 2025", "size(s + z) > 3", "[i, j].exists(x, x > 2)",
	}
	derived := []struct{ kind, expr string }{
		{"number", "d - e"}, {"number", "d * e"}, {"number", "d * e - 1.0"}, {"number", "d / e"}, {"number", "-d"}, {"number", "double(i) * 0.5"}, {"number", "b ? d : e"}, {"number", "0.1"},
		{"integer", "i + j"}, {"integer", "i * j"}, {"integer", "i / j"}, {"integer", "-i"}, {"integer", "size(s)"}, {"integer", "record.index * 2"}, {"integer", "int(d)"},
		{"string", "s"}, {"string", "s + z"}, {"string", "'x'"}, {"string", "b ? s : z"},
		{"boolean", "d > e"}, {"boolean", "b && s == z"}, {"boolean", "s.matches('^a')"},
		{"timestamp", "t"}, {"timestamp", "b ? t : u"}, {"timestamp", "t + duration('1h')"}, {"timestamp", "timestamp('2025-01-01T00:00:00.123456Z')"},
		{"date", "t"}, {"date", "day"}, {"date", "t + duration('24h')"},
	}
	var columns, quality strings.Builder
	columns.WriteString(celColumns)
	for k, x := range derived {
		fmt.Fprintf(&columns, "\n- {name: x%d, logicalType: %s, transformLogic: %q}", k, x.kind, x.expr)
	}
	for k, rule := range rules {
		severity := "warning"
		if k%2 == 0 {
			severity = "error"
		}
		fmt.Fprintf(&quality, "- {id: r%d, type: custom, engine: cel, severity: %s, implementation: %q}\n", k, severity, rule)
	}
	compiled := dataset{columns: columns.String(), quality: quality.String()}.plan(t)
	interpreted, err := compile(compiled.contract, true)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(interpreted.programs)-len(compiled.programs), 70; got < want {
		t.Errorf("%d expressions are closures, want at least %d", got, want)
	}
	page := strings.Join(celRows, "\n")
	a, sa, err := run(t, compiled, strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	b, sb, err := run(t, interpreted, strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.outcome, a.outcome); diff != "" {
		t.Errorf("cel-go and closures differ (-cel-go +closures)\n%s", diff)
	}
	if diff := cmp.Diff(sb, sa); diff != "" {
		t.Errorf("cel-go and closures differ (-cel-go +closures)\n%s", diff)
	}
	if len(a.Rejects) < 50 {
		t.Errorf("only %d violations: the rows do not try the rules", len(a.Rejects))
	}
}

func TestNullOperands(t *testing.T) {
	p := dataset{
		columns: celColumns + "\n- {name: spread, logicalType: number, transformLogic: d - e}\n- {name: half, logicalType: number, transformLogic: spread / 2.0}" +
			"\n- {name: share, logicalType: number, transformLogic: d / e}",
		quality: "- {id: above, type: custom, engine: cel, implementation: d >= e}\n- {id: either, type: custom, engine: cel, implementation: \"d > 100 || e > 100\"}\n" +
			"- {id: wide, type: custom, engine: cel, implementation: half < 10, severity: warning}",
	}.plan(t)
	c, s, err := run(t, p, strings.NewReader(`[{"d":200,"e":1},{"d":1},{"e":1},{},{"d":1,"e":2},{"d":"x","e":1},{"d":1e308,"e":-1e308},{"d":101,"e":0}]`))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, len(c.Rows))
	for i, row := range c.Rows {
		_, got[i], _ = strings.Cut(row, "day=null ")
	}
	want := outcome{
		Rows: []string{"spread=199 half=99.5 share=200", "spread=null half=null share=null", "spread=null half=null share=null", "spread=null half=null share=null"},
		Rejects: []string{
			"4 above", "4 either", // 1 ≥ 2 and neither is above 100
			"5 type /d", // and no rule, for want of an operand
			"6 derived /spread",
			"7 derived /share",
		},
	}
	if diff := cmp.Diff(want, outcome{Rows: got, Rejects: c.Rejects}); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]RuleCount{{Rule: "wide", Records: 1}}, s.WarningsByRule); diff != "" {
		t.Errorf("warnings (-want +got)\n%s", diff)
	}
}

// What is the same for many rows is filled in later, and right in every row all the same.
func TestLineage(t *testing.T) {
	p := dataset{columns: `- {name: n, logicalType: integer}
- {name: run_at, logicalType: timestamp, transformLogic: run.scheduledAt}
- {name: fetched, logicalType: timestamp, transformLogic: run.fetchedAt}
- {name: page, logicalType: integer, transformLogic: record.page}
- {name: place, logicalType: integer, transformLogic: record.index}
- {name: twice, logicalType: integer, transformLogic: place * 2}`}.plan(t)
	c, _, err := run(t, p, strings.NewReader(`[{"n":1},{"n":"x"},{"n":2}]`), strings.NewReader(`[{"n":3}]`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"n=1 run_at=2025-03-04T14:45:00.000Z fetched=2025-03-04T14:45:01.000Z page=1 place=0 twice=0",
		"n=2 run_at=2025-03-04T14:45:00.000Z fetched=2025-03-04T14:45:01.000Z page=1 place=2 twice=4",
		"n=3 run_at=2025-03-04T14:45:00.000Z fetched=2025-03-04T14:45:02.000Z page=2 place=0 twice=0",
	}
	if diff := cmp.Diff(want, c.Rows); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"1/0", "1/2", "2/0"}, c.places); diff != "" {
		t.Errorf("places (-want +got)\n%s", diff)
	}
}
