//go:build cgo

package query

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/glue"
	"tributary/shared/zone"
)

const (
	zoneDocuments    = "../../../shared/zone/testdata/"
	processDocuments = "../../../shared/process/testdata/"
)

// TestForeignReader reads what runs leave as JSON by the columns of the Glue tables, with DuckDB alone, and holds every
// value against what Go decodes.
func TestForeignReader(t *testing.T) {
	for _, test := range []struct {
		path     string
		row      any
		indented bool // for people to read; a stored document is one line
	}{
		{zoneDocuments + "audit.golden.json", zone.AuditRow{}, true},
		{zoneDocuments + "reject.golden.json", zone.RejectRow{}, true},
		{processDocuments + "audit.golden.json", zone.AuditRow{}, false},
		{processDocuments + "audit-rare.golden.json", zone.AuditRow{}, false},
		{processDocuments + "rejects.golden.ndjson", zone.RejectRow{}, false},
		{processDocuments + "rejects-rare.golden.ndjson", zone.RejectRow{}, false},
	} {
		t.Run(strings.TrimPrefix(test.path, "../../../shared/"), func(t *testing.T) {
			text, err := os.ReadFile(test.path)
			if err != nil {
				t.Fatal(err)
			}
			if test.indented {
				text = compacted(t, text)
			}
			if err := readForeign(t, text, zone.Columns(test.row)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestForeignReaderRefuses plants what must not go unseen.
func TestForeignReaderRefuses(t *testing.T) {
	const good = `{"n":9007199254740993,"s":"a","l":[{"k":"b","r":1}]}` + "\n"
	columns := []zone.GlueColumn{{Name: "n", Type: "bigint"}, {Name: "s", Type: "string"}, {Name: "l", Type: "array<struct<k:string,r:bigint>>"}}
	declared := func(i int, name, typ string) []zone.GlueColumn {
		c := slices.Clone(columns)
		c[i] = zone.GlueColumn{Name: name, Type: typ}
		return c
	}
	for _, test := range []struct {
		name, text string
		columns    []zone.GlueColumn
		want       string // of the error; "": none
	}{
		{"nothing", good, columns, ""},
		{"a null", `{"n":null,"s":"a","l":null}` + "\n", columns, ""},
		{"a number as string", good, declared(0, "n", "string"), "line 1: n: it is 9007199254740993 in the document"},
		{"a number as int", good, declared(0, "n", "int"), "read documents"},
		{"a number as double", good, declared(0, "n", "double"), "line 1: n: "},
		{"a string as bigint", good, declared(1, "s", "bigint"), "read documents"},
		{"a string of digits as bigint", `{"n":"1","s":"a","l":[]}` + "\n", columns, "line 1: n: "},
		{"a string as boolean", good, declared(1, "s", "boolean"), "read documents"},
		{"a list as string", good, declared(2, "l", "string"), "line 1: l: "},
		{"another name", good, declared(1, "t", "string"), "line 1: the document has l, n, s and Glue l, n, t"},
		{"another case", good, declared(1, "S", "string"), "line 1: the document has l, n, s and Glue S, l, n"},
		{"a column too few", good, columns[:2], "line 1: the document has l, n, s and Glue n, s"},
		{"another field", good, declared(2, "l", "array<struct<k:string,rows:bigint>>"), "line 1: l[0]: the document has k, r and Glue k, rows"},
		{"a field too few", good, declared(2, "l", "array<struct<k:string>>"), "line 1: l[0]: the document has k, r and Glue k"},
		{"a field as string", good, declared(2, "l", "array<struct<k:string,r:string>>"), "line 1: l[0].r: "},
		{"two lines", strings.Replace(good, ",", ",\n", 1), columns, "line 1: no document of one line"},
		{"two documents on a line", strings.TrimSpace(good) + good, columns, "line 1: no document of one line"},
		{"an empty line", good + "\n", columns, "line 2: no document of one line"},
		{"an unended line", strings.TrimSpace(good), columns, "line 1: it does not end"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := readForeign(t, []byte(test.text), test.columns)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// compacted makes of an indented document the line that is stored.
func compacted(t *testing.T, text []byte) []byte {
	t.Helper()
	var line bytes.Buffer
	if err := json.Compact(&line, text); err != nil {
		t.Fatal(err)
	}
	return append(bytes.TrimSpace(line.Bytes()), '\n')
}

// readForeign reads lines of JSON by the columns, and says how the values differ from those of the documents.
func readForeign(t *testing.T, text []byte, columns []zone.GlueColumn) error {
	t.Helper()
	row := glue.Type{Kind: glue.Struct}
	var spec []string
	for _, c := range columns {
		typ, err := glue.ParseType(c.Type)
		if err != nil {
			t.Fatal(err)
		}
		row.Fields = append(row.Fields, glue.Field{Name: c.Name, Type: typ})
		spec = append(spec, quote(c.Name)+": "+literal(duckType(typ)))
	}
	var documents []any
	for line := range bytes.Lines(text) {
		n := len(documents) + 1
		if !bytes.HasSuffix(line, []byte("\n")) {
			return fmt.Errorf("line %d: it does not end", n)
		}
		if !json.Valid(line) {
			return fmt.Errorf("line %d: no document of one line", n)
		}
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.UseNumber() // float64 would round whole numbers
		var document any
		if err := decoder.Decode(&document); err != nil {
			t.Fatal(err)
		}
		documents = append(documents, document)
	}
	path := filepath.Join(t.TempDir(), "documents.ndjson")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	rows, err := duckRows(t, "FROM read_json("+literal(path)+", format='newline_delimited', columns={"+strings.Join(spec, ", ")+"})")
	if err != nil {
		return fmt.Errorf("read documents: %w", err)
	}
	if len(rows) != len(documents) {
		return fmt.Errorf("read documents: %d rows of %d lines", len(rows), len(documents))
	}
	for i, document := range documents {
		if err := same(row, "", document, rows[i]); err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return nil
}

// duckRows are the rows of a query by the names of their columns.
func duckRows(t *testing.T, text string) ([]map[string]any, error) {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var all []map[string]any
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		row := map[string]any{}
		for i, name := range names {
			row[name] = values[i]
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// same holds what the reader got, at place, against the document's value.
func same(typ glue.Type, place string, document, read any) error {
	at := ""
	if place != "" {
		at = place + ": "
	}
	differ := fmt.Errorf("%sit is %v in the document (%T), and %v as %s", at, document, document, read, typ)
	if document == nil {
		if read != nil {
			return differ
		}
		return nil
	}
	switch typ.Kind {
	case glue.Struct:
		members, isObject := document.(map[string]any)
		fields, isStruct := read.(map[string]any)
		if !isObject || !isStruct {
			return differ
		}
		var has, declared []string
		for name := range members {
			has = append(has, name)
		}
		for _, f := range typ.Fields {
			declared = append(declared, f.Name)
		}
		slices.Sort(has)
		slices.Sort(declared)
		if !slices.Equal(has, declared) {
			return fmt.Errorf("%sthe document has %s and Glue %s", at, strings.Join(has, ", "), strings.Join(declared, ", "))
		}
		for _, f := range typ.Fields {
			if err := same(f.Type, strings.TrimPrefix(place+"."+f.Name, "."), members[f.Name], fields[f.Name]); err != nil {
				return err
			}
		}
		return nil
	case glue.Array:
		items, isArray := document.([]any)
		elements, isList := read.([]any)
		if !isArray || !isList || len(items) != len(elements) {
			return differ
		}
		for i := range items {
			if err := same(*typ.Elem, fmt.Sprintf("%s[%d]", place, i), items[i], elements[i]); err != nil {
				return err
			}
		}
		return nil
	case glue.Int, glue.BigInt:
		if number, ok := document.(json.Number); !ok || number.String() != fmt.Sprint(read) {
			return differ
		}
		return nil
	case glue.String, glue.Boolean:
		if !cmp.Equal(document, read) {
			return differ
		}
		return nil
	default:
		return fmt.Errorf("%sno row of JSON has %s", at, typ)
	}
}
