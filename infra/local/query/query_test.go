//go:build cgo

package query

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/call/calltest"
	"tributary/infra/local/glue"
	"tributary/shared/contract"
	"tributary/shared/parquet"
	"tributary/shared/record"
)

var update = flag.Bool("update", false, "write golden files")

// now ends the projection of the tables: the day after is the last.
var now = time.Date(2025, 3, 4, 12, 0, 0, 0, time.UTC)

// fileOf writes records as Parquet with the columns of a contract: name:type in Glue's words.
func fileOf(t *testing.T, columns, records string) []byte {
	t.Helper()
	c := &contract.Contract{Dataset: "trial"}
	for name, text := range eachColumn(columns) {
		typ, err := glue.ParseType(text)
		if err != nil {
			t.Fatal(err)
		}
		c.Columns = append(c.Columns, columnOf(name, typ))
	}
	plan, err := record.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w, err := parquet.NewWriter(&file, c.Columns, parquet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := plan.Start(record.Run{ScheduledAt: now}, sink{t, w})
	if err := r.Page(record.Page{Number: 1, FetchedAt: now, Records: -1}, strings.NewReader(records)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

type sink struct {
	t *testing.T
	w *parquet.Writer
}

func (s sink) Batch(b *record.Batch) error {
	defer b.Release()
	return s.w.Write(b)
}

func (s sink) Reject(r *record.Reject) error {
	s.t.Errorf("record %d is rejected: %+v", r.Index, r.Violations)
	return nil
}

// eachColumn is name and type of "a bigint; b struct<c:string>".
func eachColumn(text string) func(yield func(name, typ string) bool) {
	return func(yield func(string, string) bool) {
		for _, column := range strings.Split(text, ";") {
			name, typ, _ := strings.Cut(strings.TrimSpace(column), " ")
			if !yield(name, typ) {
				return
			}
		}
	}
}

func columnOf(name string, t glue.Type) contract.Column {
	kinds := map[glue.Kind]contract.Kind{
		glue.String: contract.String, glue.BigInt: contract.Integer, glue.Double: contract.Double, glue.Boolean: contract.Boolean,
		glue.Timestamp: contract.Timestamp, glue.Date: contract.Date, glue.Decimal: contract.Decimal, glue.Array: contract.List, glue.Struct: contract.Struct,
	}
	c := contract.Column{Name: name, Member: name, Path: []string{name}, Type: contract.Type{Kind: kinds[t.Kind], Precision: t.Precision, Scale: t.Scale}}
	if t.Elem != nil {
		elem := columnOf("element", *t.Elem)
		c.Type.Elem = &elem
	}
	for _, f := range t.Fields {
		c.Type.Fields = append(c.Type.Fields, columnOf(f.Name, f.Type))
	}
	return c
}

// place is a folder with a catalog and files, as runs leave it.
type place struct {
	t       *testing.T
	dir     string
	catalog glue.Catalog

	csv asker // of answer
	out *bytes.Buffer
}

func newPlace(t *testing.T) *place {
	return &place{t: t, dir: t.TempDir(), catalog: glue.Catalog{Buckets: map[string]string{"the-lake": "lake", "the-rejects": "rejects"}}}
}

// table declares a table as package component does.
func (p *place) table(bucket, name, serde, columns string) {
	t := glue.Table{
		Database: "db", Name: name, Kind: "EXTERNAL_TABLE", Description: "All of " + name, PartitionKeys: []glue.Column{{Name: "dt", Type: "string"}},
		Parameters: map[string]string{
			"projection.enabled": "true", "projection.dt.type": "date", "projection.dt.format": "yyyy-MM-dd", "projection.dt.range": "2024-01-01,NOW+1DAY",
		},
		Storage: glue.Storage{Location: "s3://" + bucket + "/" + name + "/"},
	}
	t.Storage.SerDe.Library = serde
	for name, typ := range eachColumn(columns) {
		t.Storage.Columns = append(t.Storage.Columns, glue.Column{Name: name, Type: typ})
	}
	p.catalog.Tables = append(p.catalog.Tables, t)
}

func (p *place) view(name, sql, columns string) {
	t := glue.Table{Database: "db", Name: name, Kind: "VIRTUAL_VIEW"}
	d := glue.Definition{SQL: sql, Schema: "db"}
	for name, typ := range eachColumn(columns) {
		t.Storage.Columns = append(t.Storage.Columns, glue.Column{Name: name, Type: typ})
	}
	text, err := json.Marshal(d)
	if err != nil {
		p.t.Fatal(err)
	}
	t.ViewOriginalText = "/* Presto View: " + base64.StdEncoding.EncodeToString(text) + " */"
	p.catalog.Tables = append(p.catalog.Tables, t)
}

func (p *place) put(path string, body []byte) {
	p.t.Helper()
	path = filepath.Join(p.dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, body, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// asker asks what the place holds, and writes to one text.
func (p *place) asker(format string) (asker, *bytes.Buffer) {
	p.t.Helper()
	catalog, err := json.Marshal(p.catalog)
	if err != nil {
		p.t.Fatal(err)
	}
	p.put("catalog.json", catalog)
	l, err := openLake(p.dir, now)
	if err != nil {
		p.t.Fatal(err)
	}
	db, err := connect(p.t.Context(), l)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		if err := db.close(); err != nil {
			p.t.Error(err)
		}
	})
	var out bytes.Buffer
	return asker{db: db, lake: l, format: format, stdout: &out, stderr: &out, now: func() time.Time { return now }}, &out
}

// answer is a result as CSV without its heading, or the error. The place must be complete.
func (p *place) answer(sql string) (string, error) {
	p.t.Helper()
	if p.out == nil {
		p.csv, p.out = p.asker("csv")
		p.csv.stderr = io.Discard
	}
	p.out.Reset()
	err := p.csv.ask(p.t.Context(), sql)
	_, rows, _ := strings.Cut(strings.ReplaceAll(p.out.String(), "\r\n", "\n"), "\n")
	return rows, err
}

const everyType = "id string; n bigint; x double; yes boolean; at timestamp; day date; price decimal(18,2); exact decimal(38,10); " +
	"tags array<string>; times array<timestamp>; roi struct<times:double,currency:string>; lines array<struct<sku:string,qty:bigint,seen:array<date>>>"

const everyValue = `
{"id": "a, \"b\"", "n": 9223372036854775807, "x": 0.1, "yes": true, "at": "2025-03-04T14:45:00.123+01:00", "day": "2025-03-04", "price": 12.30, "exact": "1234567890123456789012345678.0123456789", "tags": ["x", null, "y"], "times": ["2025-03-04T00:00:00Z"], "roi": {"times": 2.5, "currency": "btc"}, "lines": [{"sku": "s", "qty": 2, "seen": ["2024-02-29"]}, null]}
{"id": "", "n": -1, "x": 1e100, "yes": false, "at": "1969-12-31T23:59:59.999Z", "day": "0001-01-01", "price": -0.05, "exact": "-0.0000000001", "tags": [], "times": [null], "roi": {}, "lines": []}
{}
`

func everything(t *testing.T) *place {
	p := newPlace(t)
	p.table("the-lake", "things", glue.ParquetSerDe, everyType)
	p.put("lake/things/dt=2025-03-04/r-00001.parquet", fileOf(t, everyType, everyValue))
	return p
}

func TestFormats(t *testing.T) {
	for _, format := range []string{"table", "csv", "json"} {
		t.Run(format, func(t *testing.T) {
			a, out := everything(t).asker(format)
			if err := a.ask(t.Context(), "SELECT * FROM things"); err != nil {
				t.Fatal(err)
			}
			if format == "json" {
				body, _, _ := strings.Cut(out.String(), "]\n3 rows")
				if !json.Valid([]byte(body + "]")) {
					t.Errorf("it is no JSON: %s", out)
				}
			}
			golden(t, "everything."+format+".txt", out.String())
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); run the test with -update:\n%s", path, diff)
	}
}

// What a SELECT computes may be of types that no table has.
func TestValues(t *testing.T) {
	const sql = `SELECT 12345678901234567890123::HUGEINT, 1.50::DECIMAL(4,3), -0.001::DECIMAL(4,3), 1.5::FLOAT, 'nan'::DOUBLE, 1e-7, 1e21, 123456789012::DOUBLE,
		'{"a": 1.10000000000000000001}'::JSON, DATE '2024-02-29', TIME '10:20:30.5', TIMESTAMP '2024-01-01 00:00:00', TIMESTAMPTZ '2024-01-01 00:00:00+02',
		INTERVAL '14 months 3 days 1.5 seconds', '\xAA'::BLOB, '00000000-0000-4000-8000-000000000001'::UUID, MAP {'k': [1, NULL]}, [1.50::DECIMAL(4,2)], 'x'::ENUM('x', 'y'), NULL`
	for format, want := range map[string]string{
		"csv": `12345678901234567890123,1.500,-0.001,1.5,NaN,1e-07,1e+21,123456789012,"{""a"": 1.10000000000000000001}",2024-02-29,10:20:30.5,2024-01-01T00:00:00Z,` +
			`2023-12-31T22:00:00Z,P14M3DT1.5S,\xaa,00000000-0000-4000-8000-000000000001,"{""k"": [1, null]}",[1.50],x,`,
		"json": `12345678901234567890123, 1.500, -0.001, 1.5, "NaN", 1e-07, 1e+21, 123456789012, {"a": 1.10000000000000000001}, "2024-02-29", "10:20:30.5", "2024-01-01T00:00:00Z", ` +
			`"2023-12-31T22:00:00Z", "P14M3DT1.5S", "\\xaa", "00000000-0000-4000-8000-000000000001", {"k": [1, null]}, [1.50], "x", null`,
	} {
		a, out := newPlace(t).asker(format)
		if err := a.ask(t.Context(), "SELECT * FROM ("+sql+") AS t(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t) -- ;"); err != nil {
			t.Fatal(err)
		}
		got := out.String()
		if format == "csv" {
			got = strings.Split(got, "\r\n")[1]
		} else {
			for _, name := range strings.Split("abcdefghijklmnopqrst", "") {
				got = strings.Replace(got, fmt.Sprintf("%q: ", name), "", 1)
			}
			_, got, _ = strings.Cut(got, "{")
			got, _, _ = strings.Cut(got, "}\n")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
	}
}

// Columns match by name, in any order and case; what a file lacks is NULL, what Glue does not name is not seen. The day
// is that of the path, whatever the file says.
func TestColumnsMatchByName(t *testing.T) {
	p := newPlace(t)
	p.table("the-lake", "things", glue.ParquetSerDe, "id string; roi struct<times:double,currency:string>; lines array<struct<sku:string,qty:bigint>>; later decimal(9,2)")
	p.put("lake/things/dt=2025-03-03/r.parquet", fileOf(t, "ID string", `{"ID": "old"}`))
	p.put("lake/things/dt=2025-03-04/r.parquet", fileOf(t,
		"more string; lines array<struct<qty:bigint,extra:string,sku:string>>; roi struct<currency:string,percentage:double>; id string; dt string",
		`{"id": "new", "dt": "1999-01-01", "more": "m", "roi": {"currency": "btc", "percentage": 1}, "lines": [{"qty": 1, "extra": "e", "sku": "s"}]} {"id": "none"}`))
	got, err := p.answer("SELECT * FROM things ORDER BY dt, id")
	want := `old,,,,2025-03-03
new,"{""times"": null, ""currency"": ""btc""}","[{""sku"": ""s"", ""qty"": 1}]",,2025-03-04
none,,,,2025-03-04
`
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// What Athena does not look at has no rows: days outside the projection, folders of no day, hidden files.
func TestDaysOutsideAreEmpty(t *testing.T) {
	p := newPlace(t)
	p.table("the-lake", "things", glue.ParquetSerDe, "id string")
	p.table("the-lake", "empty", glue.ParquetSerDe, "id string; at timestamp")
	for _, path := range []string{
		"dt=2023-12-31/r.parquet", "dt=2024-01-01/r.parquet", "dt=2025-03-05/deep/r.parquet", "dt=2025-03-06/r.parquet", "dt=2025-3-4/r.parquet", "dt=today/r.parquet",
		"r.parquet", "other/r.parquet", "dt=2025-03-04/_r.parquet", "dt=2025-03-04/.r.parquet", "dt=2025-03-04/_temporary/r.parquet",
	} {
		p.put("lake/things/"+path, fileOf(t, "id string", fmt.Sprintf(`{"id": %q}`, path)))
	}
	p.put("lake/things_else/dt=2025-03-04/r.parquet", []byte("of another table"))
	for sql, want := range map[string]string{
		"SELECT id, dt FROM things ORDER BY dt":                            "dt=2024-01-01/r.parquet,2024-01-01\ndt=2025-03-05/deep/r.parquet,2025-03-05\n",
		`SELECT "$path" FROM db_with_path.things WHERE dt >= '2025-01-01'`: "s3://the-lake/things/dt=2025-03-05/deep/r.parquet\n",
		`SELECT count(*), max("at"), max(dt) FROM empty`:                   "0,,\n",
	} {
		got, err := p.answer(sql)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", sql, err, diff)
		}
	}
	a, out := p.asker("table")
	a.command([]string{`\d`})
	if !strings.Contains(out.String(), "2 files of 2 days; 4 outside 2024-01-01 … 2025-03-05, which no query sees") {
		t.Errorf("\\d says %s", out)
	}
}

// A type in a file that is not exactly Glue's is an error where the column is read, and only there.
func TestOtherTypesAreErrors(t *testing.T) {
	for _, test := range []struct{ declared, file, records, column, found string }{
		{"double", "bigint", `{"v": 1}`, "v", "INT64"},
		{"bigint", "double", `{"v": 1}`, "v", "DOUBLE"},
		{"int", "bigint", `{"v": 1}`, "v", "INT64"},
		{"string", "bigint", `{"v": 1}`, "v", "INT64"},
		{"bigint", "string", `{"v": "1"}`, "v", "BYTE_ARRAY STRING"},
		{"boolean", "string", `{"v": "true"}`, "v", "BYTE_ARRAY STRING"},
		{"decimal(18,2)", "decimal(18,3)", `{"v": 1}`, "v", "INT64 DECIMAL(18,3)"},
		{"decimal(18,2)", "decimal(10,2)", `{"v": 1}`, "v", "INT64 DECIMAL(10,2)"},
		{"decimal(38,2)", "decimal(18,2)", `{"v": 1}`, "v", "INT64 DECIMAL(18,2)"},
		{"decimal(18,2)", "double", `{"v": 1}`, "v", "DOUBLE"},
		{"bigint", "decimal(18,0)", `{"v": 1}`, "v", "INT64 DECIMAL(18,0)"},
		{"timestamp", "bigint", `{"v": 1}`, "v", "INT64"},
		{"bigint", "timestamp", `{"v": "2025-03-04T00:00:00Z"}`, "v", "INT64 TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS)"},
		{"date", "timestamp", `{"v": "2025-03-04T00:00:00Z"}`, "v", "INT64 TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS)"},
		{"timestamp", "date", `{"v": "2025-03-04"}`, "v", "INT32 DATE"},
		{"array<string>", "string", `{"v": "[]"}`, "v", "BYTE_ARRAY STRING"},
		{"string", "array<string>", `{"v": []}`, "v", "a group of 1 LIST"},
		{"array<bigint>", "array<double>", `{"v": [1]}`, "v[]", "DOUBLE"},
		{"struct<a:bigint>", "string", `{"v": "{}"}`, "v", "BYTE_ARRAY STRING"},
		{"struct<a:struct<b:date>>", "struct<a:struct<b:string>>", `{"v": {"a": {"b": "x"}}}`, "v.a.b", "BYTE_ARRAY STRING"},
		{"array<struct<a:double>>", "array<struct<a:bigint>>", `{"v": [{"a": 1}]}`, "v[].a", "INT64"},
		{"string", "struct<a:bigint,b:bigint>", `{"v": {"a": 1}}`, "v", "a group of 2"},
	} {
		t.Run(test.declared+" over "+test.file, func(t *testing.T) {
			p := newPlace(t)
			p.table("the-lake", "things", glue.ParquetSerDe, "id string; v "+test.declared)
			p.put("lake/things/dt=2025-03-03/good.parquet", fileOf(t, "id string", `{"id": "good"}`))
			p.put("lake/things/dt=2025-03-04/bad.parquet", fileOf(t, "id string; v "+test.file, strings.Replace(test.records, "{", `{"id": "bad", `, 1)))
			p.put("lake/things/dt=2025-03-05/bad.parquet", fileOf(t, "id string; v "+test.file, strings.Replace(test.records, "{", `{"id": "bad", `, 1)))
			declared := test.declared
			if strings.ContainsAny(test.column, ".[") {
				inner := strings.NewReplacer("array<", "", "struct<", "", "a:", "", "b:", "", ">", "")
				declared = inner.Replace(declared)
			}
			want := fmt.Sprintf("HIVE_BAD_DATA: column %s of table things is %s in Glue, but %s in %s and in 1 more file: ", test.column, declared, test.found,
				relative(filepath.Join(p.dir, "lake/things/dt=2025-03-04/bad.parquet")))
			for _, sql := range []string{"SELECT v FROM things", "SELECT * FROM things WHERE dt = '2025-03-04'", "SELECT id FROM things WHERE v IS NOT NULL"} {
				if _, err := p.answer(sql); err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "ops:replay") {
					t.Errorf("%s: %v; want %s", sql, err, want)
				}
			}
			for sql, want := range map[string]string{
				"SELECT count(*) FROM things":                      "3\n",
				"SELECT id, v FROM things WHERE dt < '2025-03-04'": "good,\n",
				"SELECT id FROM things WHERE dt = '2025-03-05'":    "bad\n",
			} {
				if got, err := p.answer(sql); err != nil || got != want {
					t.Errorf("%s: %q, %v; want %q", sql, got, err, want)
				}
			}
		})
	}
}

// A file that is no Parquet fails who reads its day.
func TestBrokenFile(t *testing.T) {
	p := newPlace(t)
	p.table("the-lake", "things", glue.ParquetSerDe, "id string")
	p.put("lake/things/dt=2025-03-03/r.parquet", fileOf(t, "id string", `{"id": "a"}`))
	p.put("lake/things/dt=2025-03-04/r.parquet", []byte("PAR1"))
	for _, sql := range []string{"SELECT count(*) FROM things", "SELECT id FROM things WHERE dt = '2025-03-04'"} {
		if got, err := p.answer(sql); err == nil || !strings.Contains(err.Error(), "dt=2025-03-04/r.parquet is no Parquet file") {
			t.Errorf("%s: %q, %v", sql, got, err)
		}
	}
	if got, err := p.answer("SELECT id FROM things WHERE dt = '2025-03-03'"); err != nil || got != "a\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestJSONLines(t *testing.T) {
	p := newPlace(t)
	p.table("the-rejects", "things_rejects", glue.JSONSerDe, "run_id string; page int; bytes bigint; cut boolean; violations array<struct<pointer:string,rule:string>>; record string; replay struct<state:string>")
	p.put("rejects/things_rejects/dt=2025-03-04/r-1.ndjson", []byte(
		`{"run_id":"20250304T000000Z","page":1,"bytes":9223372036854775807,"cut":false,"violations":[{"pointer":"/id","rule":"required"}],"record":"{\"id\":null, \"t\": \"2025-03-04\"}","replay":{"state":""},"more":1}`+"\n"+
			`{"run_id":"20250304T000000Z","record":"1"}`+"\n"))
	p.put("rejects/things_rejects/dt=2025-03-03/r-1.ndjson", []byte(`{"run_id":"20250303T000000Z","page":2}`+"\n"))
	got, err := p.answer("SELECT * FROM things_rejects ORDER BY run_id, page")
	want := `20250303T000000Z,2,,,,,,2025-03-03
20250304T000000Z,1,9223372036854775807,false,"[{""pointer"": ""/id"", ""rule"": ""required""}]","{""id"":null, ""t"": ""2025-03-04""}","{""state"": """"}",2025-03-04
20250304T000000Z,,,,,1,,2025-03-04
`
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestViews(t *testing.T) {
	p := newPlace(t)
	p.table("the-lake", "things", glue.ParquetSerDe, "id string; n bigint")
	p.table("the-lake", "pipeline_audit", glue.JSONSerDe, "run_id string; lake_files array<struct<key:string,rows:bigint>>")
	p.view("things_latest", `SELECT r."id", r."n", r."dt" FROM "db"."things" r JOIN (
  SELECT a.dt, f."key" FROM (SELECT dt, lake_files FROM "db"."pipeline_audit" ORDER BY run_id DESC LIMIT 1) a
  CROSS JOIN UNNEST(a.lake_files) AS f ("key", "rows")
) n ON r.dt = n.dt AND r."$path" = 's3://the-lake/' || n."key"`, "id string; n bigint; dt string")
	p.view("things_odd", `SELECT reduce(n, 0, (a, b) -> a) AS n FROM "db"."things"`, "n bigint")
	for _, run := range []string{"1", "2", "other"} {
		p.put("lake/things/dt=2025-03-04/"+run+".parquet", fileOf(t, "id string; n bigint", fmt.Sprintf(`{"id": "run %s", "n": 1}`, run)))
	}
	for _, run := range []string{"1", "2"} {
		p.put("lake/pipeline_audit/dt=2025-03-04/"+run+".json", []byte(fmt.Sprintf(`{"run_id":%q,"lake_files":[{"key":"things/dt=2025-03-04/%s.parquet","rows":1}]}`, run, run)))
	}
	for _, name := range []string{"things_latest", "db.things_latest", `"awsdatacatalog"."db"."things_latest"`} {
		if got, err := p.answer("SELECT * FROM " + name); err != nil || got != "run 2,1,2025-03-04\n" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	_, err := p.answer("SELECT * FROM things_odd")
	if err == nil || !strings.Contains(err.Error(), "Glue has things_odd, but it cannot be asked here: ") || !strings.Contains(err.Error(), "reduce") {
		t.Errorf("a view that DuckDB does not know: %v", err)
	}
}

// The deployed view shows the newest run that is loaded and done: no run that is being stored, none that was held back, and no
// file that no audit row names.
func TestLatestShowsWhatIsDone(t *testing.T) {
	deployed, err := os.ReadFile("../../stack/testdata/dev.queries.sql")
	if err != nil {
		t.Fatal(err)
	}
	_, sql, found := strings.Cut(string(deployed), "-- view awsdatacatalog.tributary_dev.coin_markets_latest\n")
	sql, _, whole := strings.Cut(sql, ";\n")
	_, from, selects := strings.Cut(sql, "\nFROM ")
	if !found || !whole || !selects {
		t.Fatalf("the deployed queries hold no view:\n%s", deployed)
	}
	sql = `SELECT r."id", r."dt" FROM ` + strings.NewReplacer("tributary_dev", "db", "tributary-dev-lake-123456789012-eu-central-1", "the-lake").Replace(from)

	p := newPlace(t)
	p.table("the-lake", "coin_markets", glue.ParquetSerDe, "id string")
	p.table("the-lake", "pipeline_audit", glue.JSONSerDe,
		"dataset string; run_id string; state string; outcome string; lake_files array<struct<key:string,rows:bigint,bytes:bigint>>")
	p.view("coin_markets_latest", sql, "id string; dt string")
	for _, run := range []struct{ id, dataset, state, outcome string }{
		{"1", "coin_markets", "done", "loaded"},
		{"2", "coin_markets", "done", "loaded"},
		{"3", "coin_markets", "stored", "loaded"},
		{"4", "coin_markets", "done", "held"},
		{"5", "orders", "done", "loaded"},
		{"6", "", "", ""}, // its file is there and its audit row is not
	} {
		key := "coin_markets/dt=2025-03-04/" + run.id + ".parquet"
		p.put("lake/"+key, fileOf(t, "id string", fmt.Sprintf(`{"id": "run %s"}`, run.id)))
		if run.dataset != "" {
			p.put("lake/pipeline_audit/dt=2025-03-04/"+run.id+".json", fmt.Appendf(nil,
				`{"dataset":%q,"run_id":%q,"state":%q,"outcome":%q,"lake_files":[{"key":%q,"rows":1,"bytes":1}]}`, run.dataset, run.id, run.state, run.outcome, key))
		}
	}
	if got, err := p.answer("SELECT * FROM coin_markets_latest"); err != nil || got != "run 2,2025-03-04\n" {
		t.Errorf("the view shows %q, %v; want the file of run 2 alone", got, err)
	}
	if got, err := p.answer("SELECT count(*) FROM coin_markets"); err != nil || got != "6\n" {
		t.Errorf("the table has %q, %v; want all six files", got, err)
	}
}

// Only what reads is taken, one statement at a time, and DuckDB reaches nothing but the tables' folders.
func TestOnlyReading(t *testing.T) {
	p := everything(t)
	p.put("secrets.json", []byte(`{"a": 1}`))
	outside := filepath.Join(t.TempDir(), "outside.csv")
	if err := os.WriteFile(outside, []byte("a\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"SELECT 1", "WITH a AS (SELECT 1) SELECT * FROM a;", "FROM things", "VALUES (1)", "TABLE things", "DESCRIBE things", "DESCRIBE SELECT 1 AS a", "SHOW TABLES", "SUMMARIZE things",
		"EXPLAIN SELECT 1", "EXPLAIN ANALYZE FROM things;", "SELECT ';' AS a; -- ; one",
	} {
		if _, err := p.answer(sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	const refused = "only statements that read are taken here"
	for _, test := range []struct{ sql, want string }{
		{"CREATE TABLE x (a INT)", refused},
		{"DROP VIEW things", refused},
		{"INSERT INTO things VALUES (1)", refused},
		{"WITH a AS (SELECT 1) INSERT INTO things SELECT * FROM a", refused},
		{"COPY (SELECT 1) TO '" + outside + "'", refused},
		{"EXPLAIN ANALYZE COPY (SELECT 1) TO '" + outside + "'", refused},
		{"EXPLAIN (ANALYZE) DROP VIEW things", refused},
		{"SET enable_external_access = true", refused},
		{"PRAGMA enable_profiling", refused},
		{"ATTACH '" + outside + "'", refused},
		{"INSTALL httpfs", refused},
		{"LOAD httpfs", refused},
		{"CALL checkpoint()", refused},
		{"EXPORT DATABASE 'x'", refused},
		{"BEGIN", refused},
		{"SELECT 1; SELECT 2", "2 statements are given; one at a time is taken"},
		{"SELECT 1; DROP VIEW things", refused},
		{"SELECT * FROM read_csv('" + outside + "')", "file system operations are disabled"},
		{"SELECT * FROM '" + outside + "'", "file system operations are disabled"},
		{"SELECT * FROM read_json('" + filepath.Join(p.dir, "secrets.json") + "')", "file system operations are disabled"},
		{"SELECT * FROM glob('/etc/*')", "file system operations are disabled"},
		{"SELECT * FROM read_parquet('https://example.com/x.parquet')", "disabled"},
		{"SELEC 1", `syntax error at or near "SELEC"`},
		{"SELECT 'open", "unterminated quoted string"},
	} {
		got, err := p.answer(test.sql)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %q, %v; want %q", test.sql, got, err, test.want)
		}
	}
	if body, err := os.ReadFile(outside); err != nil || string(body) != "a\n1\n" {
		t.Errorf("the file outside is now %q, %v", body, err)
	}
}

func TestUnknownNamesAreAnswered(t *testing.T) {
	p := newPlace(t)
	p.table("the-lake", "things", glue.ParquetSerDe, "id string; price double")
	p.table("the-lake", "others", glue.ParquetSerDe, "id string")
	p.table("the-lake", "odd", glue.ParquetSerDe, "id map<string,string>")
	for sql, want := range map[string][]string{
		"SELECT * FROM thing":                      {"Table with name thing does not exist", `Did you mean "things"?`, "There is things, others, odd"},
		"SELECT * FROM pg_clazz":                   {"Table with name pg_clazz does not exist", "There is things, others, odd"},
		"SELECT prize FROM things":                 {`Referenced column "prize" not found`, "things has id, price, dt"},
		"SELECT t.prize FROM things t":             {"things has id, price, dt"},
		"SELECT x.id FROM things t":                {"things has id, price, dt"},
		"SELECT * FROM odd":                        {"Glue has odd, but it cannot be asked here: column id: read Glue type", `"map" is not among the types`},
		"SELECT count(*) FROM things WHERE id = 1": {""},
	} {
		_, err := p.answer(sql)
		if want[0] == "" {
			if err != nil {
				t.Errorf("%s: %v", sql, err)
			}
			continue
		}
		for _, part := range want {
			if err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "pg_class") {
				t.Errorf("%s: %v; want %q", sql, err, part)
			}
		}
	}
}

func TestShell(t *testing.T) {
	a, out := everything(t).asker("csv")
	input := []string{
		`\d`, `\d things`, `\d nothing`, `\x`, "", "SELECT 1 AS a,", "  ';' AS b; SELECT 2 AS c;", "SELECT nothing FROM things;", "SELECT 3 AS d -- the last needs none",
	}
	next := func(prompt string) (string, error) {
		if len(input) == 0 {
			return "", io.EOF
		}
		line := input[0]
		input = input[1:]
		fmt.Fprintf(out, "%s%s\n", prompt, line)
		return line, nil
	}
	if err := a.shell(t.Context(), next); err == nil || err.Error() != "1 statement failed" {
		t.Errorf("the shell ends with %v", err)
	}
	golden(t, "shell.txt", strings.ReplaceAll(out.String(), "\r\n", "\n"))
}

func TestShellEnds(t *testing.T) {
	for _, word := range []string{`\q`, "quit", "exit"} {
		a, out := everything(t).asker("csv")
		lines := []string{word, "SELECT 1;"}
		next := func(string) (string, error) {
			line := lines[0]
			lines = lines[1:]
			return line, nil
		}
		if err := a.shell(t.Context(), next); err != nil || out.Len() > 0 || len(lines) != 1 {
			t.Errorf("%s: %v, %s, %q is left", word, err, out, lines)
		}
	}
}

func TestFlags(t *testing.T) {
	var help bytes.Buffer
	if _, err := parse([]string{"-help"}, &help); !errors.Is(err, flag.ErrHelp) {
		t.Fatal(err)
	}
	calltest.Flags(t, "query", help.String())
}

func TestCommand(t *testing.T) {
	p := everything(t)
	p.asker("table") // writes the catalog
	empty := t.TempDir()
	for _, test := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"-dir=" + p.dir, "SELECT count(*) FROM things"}, 0, "count_star()\n────────────\n           3\n1 row in "},
		{[]string{"-dir=" + p.dir, "SELECT nothing FROM things"}, 1, "things has id, n,"},
		{[]string{"-dir=" + empty, "SELECT 1"}, 1, "holds no tables yet: go tool mage run first"},
		{[]string{"-dir=" + empty, "-stack=prod", "SELECT 1"}, 1, "holds no tables yet: go tool mage run -stack=prod first"},
		{[]string{"-format=xml"}, 2, "-format=xml is none of table, csv and json"},
		{[]string{"-help"}, 0, "usage: go tool mage query"},
		{[]string{"-dir=" + p.dir, "EXPLAIN SELECT 42"}, 0, "│             42            │"},
	} {
		out, err := os.Create(filepath.Join(t.TempDir(), "out"))
		if err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		status := Main(t.Context(), test.args, os.Stdin, out, &stderr, func(string) string { return "" })
		text, err := os.ReadFile(out.Name())
		if err != nil {
			t.Fatal(err)
		}
		if status != test.status || !strings.Contains(string(text)+stderr.String(), test.want) {
			t.Errorf("%q: status %d, %s%s; want %d and %q", test.args, status, text, &stderr, test.status, test.want)
		}
		if err := out.Close(); err != nil {
			t.Error(err)
		}
	}
}
