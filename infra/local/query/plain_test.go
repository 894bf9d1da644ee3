package query

import (
	"bytes"
	"errors"
	"flag"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/glue"
	"tributary/infra/local/screen"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		args  []string
		want  options
		wrong string
	}{
		{args: nil, want: options{stack: "dev", format: "table"}},
		{args: []string{"SELECT 1"}, want: options{stack: "dev", format: "table", sql: "SELECT 1"}},
		{args: []string{"-stack=prod", "SELECT 1", "-format", "csv", "-dir=x"}, want: options{stack: "prod", format: "csv", dir: "x", sql: "SELECT 1"}},
		{args: []string{"SELECT", "1"}, wrong: "2 arguments, want one: put the SQL in quotes"},
		{args: []string{"-format=xml"}, wrong: "-format=xml is none of table, csv and json"},
		{args: []string{"-from=x"}, wrong: "provided but not defined: -from; -help shows the flags"},
	} {
		got, err := parse(test.args, &bytes.Buffer{})
		if test.wrong != "" {
			if !errors.Is(err, errUsage) || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%q: %v, want %q", test.args, err, test.wrong)
			}
			continue
		}
		if err != nil || got != test.want {
			t.Errorf("%q: %+v, %v; want %+v", test.args, got, err, test.want)
		}
	}
	var help bytes.Buffer
	if _, err := parse([]string{"-help"}, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "-format") {
		t.Errorf("-help: %v, %s", err, help.String())
	}
}

func TestStatementEnd(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		"SELECT 1":                         "",
		"SELECT 1; SELECT 2;":              "SELECT 1;",
		"SELECT ';' AS a;x":                "SELECT ';' AS a;",
		"SELECT 'it''s;' AS a;x":           "SELECT 'it''s;' AS a;",
		`SELECT ";" FROM t;x`:              `SELECT ";" FROM t;`,
		"SELECT 1 -- one; two\n;x":         "SELECT 1 -- one; two\n;",
		"SELECT 1 -- one; two":             "",
		"SELECT /* ; /* ; */ ; */ 1;x":     "SELECT /* ; /* ; */ ; */ 1;",
		"SELECT /* ; 1;":                   "",
		"SELECT $$;$$, $a$ ; $$ ; $a$;x":   "SELECT $$;$$, $a$ ; $$ ; $a$;",
		"SELECT $$;":                       "",
		"SELECT 'never closed; SELECT 2; ": "",
		"SELECT 5 - 3, 6 / 2, 1;x":         "SELECT 5 - 3, 6 / 2, 1;",
	} {
		got := ""
		if end := statementEnd(text); end > 0 {
			got = text[:end]
		}
		if got != want {
			t.Errorf("%q ends behind %q, want %q", text, got, want)
		}
	}
}

func TestStripped(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 1;":                               "SELECT 1",
		"EXPLAIN SELECT 1 ; ":                     "SELECT 1",
		"explain analyze DELETE FROM x":           "DELETE FROM x",
		"EXPLAIN (FORMAT json)\n SELECT 1":        "SELECT 1",
		"EXPLAIN (ANALYZE, FORMAT html) SELECT 1": "SELECT 1",
		"EXPLAIN":               "EXPLAIN",
		"SELECT explain FROM x": "SELECT explain FROM x",
		"EXPLAINED":             "EXPLAINED",
		"  EXPLAIN ANALYZE (FORMAT json) FROM x;": "FROM x",
	} {
		if got, _ := stripped(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestTranslate(t *testing.T) {
	d := glue.Definition{Schema: "db", SQL: `SELECT r."id" FROM "db"."coins" r CROSS JOIN UNNEST(a.files) AS f ("key", "rows") WHERE r.db = 'db.'`}
	want := `SELECT r."id" FROM "db_with_path"."coins" r CROSS JOIN LATERAL (SELECT unnest(a.files, max_depth := 2)) AS f ("key", "rows") WHERE r.db = 'db.'`
	if diff := cmp.Diff(want, translate(d)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestOutputs(t *testing.T) {
	headings := []heading{{name: "id"}, {name: "n", number: true}, {name: "id"}}
	rows := [][]cell{
		{{text: `"a"`}, {text: "1"}, {text: `"x, \"y\""`}},
		{{text: `""`}, {null: true}, {text: `"two\nlines"`}},
	}
	plain := [][]cell{
		{{text: "a"}, {text: "1"}, {text: `x, "y"`}},
		{{text: ""}, {null: true}, {text: "two\nlines"}},
	}
	for _, test := range []struct {
		format string
		style  screen.Style
		rows   [][]cell
		want   string
		note   string
	}{
		{"json", screen.Style{}, rows, "[\n  {\"id\": \"a\", \"n\": 1, \"id_1\": \"x, \\\"y\\\"\"},\n  {\"id\": \"\", \"n\": null, \"id_1\": \"two\\nlines\"}\n]\n", ""},
		{"json", screen.Style{}, nil, "[\n]\n", ""},
		{"csv", screen.Style{}, plain, "id,n,id\r\na,1,\"x, \"\"y\"\"\"\r\n\"\",,\"two\nlines\"\r\n", ""},
		{"table", screen.Style{}, plain, "id     n  id\n──  ────  ─────────\na      1  x, \"y\"\n    NULL  two lines\n", ""},
		{"table", screen.Style{}, nil, "id  n  id\n──  ─  ──\n", ""},
		{"table", screen.Style{Live: true, Width: 16}, plain, "id     n\n──  ────\na      1\n    NULL\n", "1 column does not fit: -format=csv and -format=json have all"},
		{"table", screen.Style{Live: true, Width: 60}, [][]cell{{{text: strings.Repeat("a", 70)}, {null: true}, {text: "b"}}},
			"id                                           n  id\n────────────────────────────────────────  ────  ──\n" + strings.Repeat("a", 39) + "…  NULL  b\n",
			"values are cut: -format=csv and -format=json have all"},
	} {
		var b bytes.Buffer
		out := formats[test.format](&b, test.style)
		out.begin(headings)
		for _, row := range test.rows {
			out.row(row)
		}
		note, err := out.end()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, b.String()); diff != "" || note != test.note {
			t.Errorf("%s: note %q, want %q; -want +got:\n%s", test.format, note, test.note, diff)
		}
	}
}

// A result of a million rows is not held: the widths of the first thousand stand.
func TestTableGoesOn(t *testing.T) {
	var b bytes.Buffer
	out := formats["table"](&b, screen.Style{})
	out.begin([]heading{{name: "a"}})
	for range lookedAt {
		out.row([]cell{{text: "x"}})
	}
	table, ok := out.(*tableOutput)
	if !ok || table.grid == nil || len(table.waiting) != 0 {
		t.Fatalf("%+v still waits", out)
	}
	out.row([]cell{{text: "longer"}})
	if _, err := out.end(); err != nil || !strings.HasSuffix(b.String(), "x\nlonger\n") {
		t.Errorf("%v, …%q", err, b.String()[max(0, b.Len()-20):])
	}
}
