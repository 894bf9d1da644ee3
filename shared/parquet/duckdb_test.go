//go:build cgo

package parquet

import (
	"database/sql"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/google/go-cmp/cmp"

	"tributary/shared/contract"
)

func openDuckDB(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	db.SetMaxOpenConns(1)
	exec(t, db, "SET TimeZone = 'UTC'")
	return db
}

func exec(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// query returns all rows of a query, normalised.
func query(t *testing.T, db *sql.DB, text string) [][]any {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out [][]any
	for rows.Next() {
		row, into := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i := range row {
			row[i] = fromDuckDB(row[i])
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}

func fromDuckDB(v any) any {
	switch x := v.(type) {
	case duckdb.Decimal:
		return x.Value.String()
	case time.Time:
		return x.UTC()
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = fromDuckDB(x[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k := range x {
			out[k] = fromDuckDB(x[k])
		}
		return out
	default:
		return v
	}
}

// duckValue is what DuckDB should make of a test's value.
func duckValue(c contract.Column, v any) any {
	if v == nil {
		return nil
	}
	switch c.Type.Kind {
	case contract.Date:
		return time.Unix(v.(int64)*86400, 0).UTC()
	case contract.Timestamp:
		return time.UnixMilli(v.(int64)).UTC()
	case contract.Decimal:
		if n, ok := v.(*big.Int); ok {
			return n.String()
		}
		return fmt.Sprint(v)
	case contract.List:
		out := make([]any, 0)
		for _, item := range v.([]any) {
			out = append(out, duckValue(*c.Type.Elem, item))
		}
		return out
	case contract.Struct:
		out := make(map[string]any)
		for i, f := range c.Type.Fields {
			out[f.Name] = duckValue(f, v.(fields)[i])
		}
		return out
	default:
		return v
	}
}

func writeFile(t *testing.T, file []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.parquet")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDuckDB_values(t *testing.T) {
	columns := everything()
	none := make([]any, len(columns))
	for _, test := range []struct {
		name string
		rows [][]any
		size int
		opts Options
	}{
		{name: "empty"},
		{name: "one row", rows: someRows(1), size: 1},
		{name: "only nulls", rows: slicesRepeat(none, 300), size: 100},
		{name: "nulls before values", rows: append(slicesRepeat(none, 30), someRows(30)...), size: 10},
		{name: "many row groups", rows: someRows(2000), size: 70, opts: Options{RowGroupRows: 210}},
		{name: "dictionaries given up half way", rows: someRows(5000), size: 500},
		{name: "zstd", rows: someRows(2000), size: 500, opts: Options{Codec: Zstd}},
		{name: "uncompressed", rows: someRows(2000), size: 500, opts: Options{Codec: Uncompressed}},
	} {
		t.Run(test.name, func(t *testing.T) {
			db := openDuckDB(t)
			file, _ := encode(t, columns, test.opts, batches(columns, test.rows, test.size)...)
			sameRows(t, db, columns, test.rows, writeFile(t, file))
		})
	}
}

// sameRows compares what DuckDB reads with what was meant.
func sameRows(t *testing.T, db *sql.DB, columns []contract.Column, rows [][]any, path string) {
	t.Helper()
	got := query(t, db, fmt.Sprintf("SELECT * FROM read_parquet('%s')", path))
	var want [][]any
	for _, row := range rows {
		out := make([]any, len(row))
		for i := range row {
			out[i] = duckValue(columns[i], row[i])
		}
		want = append(want, out)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(sameFloat)); diff != "" {
		t.Errorf("DuckDB reads (-want +got):\n%s", diff)
	}
}

// Contracts, and the bytes of their APIs, all the way: what DuckDB reads, and that it finds each row by each of its columns
// where every row has a row group, and so statistics, of its own.
func TestDuckDB_contracts(t *testing.T) {
	for _, test := range contractRows {
		t.Run(test.name, func(t *testing.T) {
			columns, file := contractFile(t, test.name)
			db := openDuckDB(t)
			path := writeFile(t, file)
			sameRows(t, db, columns, test.rows, path)
			exec(t, db, fmt.Sprintf("CREATE TABLE plain AS SELECT * FROM read_parquet('%s')", path))
			for i, c := range columns {
				null, found := 0, map[string]int{}
				for row := range test.rows {
					if test.rows[row][i] == nil {
						null++
						continue
					}
					literal := query(t, db, fmt.Sprintf("SELECT typeof(%[1]s), %[1]s::VARCHAR FROM plain LIMIT 1 OFFSET %[2]d", c.Name, row))[0]
					found[fmt.Sprintf("%s = CAST('%s' AS %s)", c.Name, strings.ReplaceAll(literal[1].(string), "'", "''"), literal[0])]++
				}
				found[c.Name+" IS NULL"], found[c.Name+" IS NOT NULL"] = null, len(test.rows)-null
				for where, want := range found {
					got := query(t, db, fmt.Sprintf("SELECT count(*) FROM read_parquet('%s') WHERE %s", path, where))
					if got[0][0] != int64(want) {
						t.Errorf("WHERE %s finds %v rows, want %d", where, got[0][0], want)
					}
				}
			}
		})
	}
}

func TestDuckDB_types(t *testing.T) {
	db := openDuckDB(t)
	file, _ := encode(t, everything(), Options{})
	got := query(t, db, fmt.Sprintf("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet('%s'))", writeFile(t, file)))
	want := [][]any{
		{"text", "VARCHAR"},
		{"whole", "BIGINT"},
		{"real", "DOUBLE"},
		{"narrow", "DECIMAL(18,4)"},
		{"wide", "DECIMAL(38,10)"},
		{"flag", "BOOLEAN"},
		{"moment", "TIMESTAMP WITH TIME ZONE"},
		{"day", "DATE"},
		{"json", "VARCHAR"},
		{"tags", "VARCHAR[]"},
		{"roi", `STRUCT(times DOUBLE, currency VARCHAR, wide DECIMAL(30,2), flag BOOLEAN)`},
		{"legs", `STRUCT("at" TIMESTAMP WITH TIME ZONE, "days" DATE[], amount DECIMAL(10,2))[]`},
		{"grid", "BIGINT[][]"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
}

func TestDuckDB_metadata(t *testing.T) {
	db := openDuckDB(t)
	file, info := encode(t, everything(), Options{
		CreatedBy: "tributary version 1.2.3", Metadata: []KeyValue{{"z", "first"}, {"a", "second"}}, RowGroupRows: 100,
	}, batches(everything(), someRows(250), 50)...)
	path := writeFile(t, file)
	got := query(t, db, fmt.Sprintf("SELECT decode(key), decode(value) FROM parquet_kv_metadata('%s')", path))
	if diff := cmp.Diff([][]any{{"z", "first"}, {"a", "second"}}, got); diff != "" {
		t.Errorf("key-value metadata (-want +got):\n%s", diff)
	}
	got = query(t, db, fmt.Sprintf("SELECT created_by, num_rows, num_row_groups FROM parquet_file_metadata('%s')", path))
	if diff := cmp.Diff([][]any{{"tributary version 1.2.3", int64(250), int64(info.RowGroups)}}, got); diff != "" {
		t.Errorf("file metadata (-want +got):\n%s", diff)
	}
	nulls := query(t, db, fmt.Sprintf(`SELECT count(*) FROM parquet_metadata('%s') m WHERE path_in_schema = 'whole' AND stats_null_count !=
		(SELECT count(*) FROM read_parquet('%s', file_row_number = true) WHERE whole IS NULL AND file_row_number // 100 = m.row_group_id)`, path, path))
	if diff := cmp.Diff([][]any{{int64(0)}}, nulls); diff != "" {
		t.Errorf("row groups with a wrong null count (-want +got):\n%s", diff)
	}
}

// A reader that skips row groups by their bounds must find the rows that it finds without. The table has the same rows
// and none of our statistics; that they are the same is checked above.
func TestDuckDB_filters(t *testing.T) {
	rows := someRows(3000)
	for i := range rows { // so that row groups have bounds of their own in every column
		if rows[i][0] != nil && i%7 == 0 {
			rows[i][0] = fmt.Sprintf("%05d ż", i)
		}
		if i%11 == 7 {
			rows[i][1], rows[i][3], rows[i][2] = int64(i), int64(i-1500), math.Copysign(0, -1)
		}
	}
	columns := everything()
	file, info := encode(t, columns, Options{RowGroupRows: 100}, batches(columns, rows, 50)...)
	db := openDuckDB(t)
	path := writeFile(t, file)
	exec(t, db, fmt.Sprintf("CREATE TABLE plain AS SELECT * FROM read_parquet('%s')", path))
	if n := query(t, db, "SELECT count(*) FROM plain"); n[0][0] != info.Rows {
		t.Fatalf("table has %v rows, the file %d", n[0][0], info.Rows)
	}
	filters := 0
	for _, e := range []string{"text", "whole", "real", "narrow", "wide", "flag", "moment", "day", "json", "roi.times", "roi.currency", "roi.wide", "roi.flag"} {
		probes := query(t, db, fmt.Sprintf("SELECT typeof(any_value(%[1]s)), unnest(quantile_disc(%[1]s, [0, 0.01, 0.25, 0.5, 0.75, 0.99, 1]))::VARCHAR FROM plain", e))
		conditions := []string{e + " IS NULL", e + " IS NOT NULL"}
		for _, p := range probes {
			literal := fmt.Sprintf("CAST('%s' AS %s)", strings.ReplaceAll(p[1].(string), "'", "''"), p[0])
			for _, op := range []string{"=", "<", ">", "<=", ">=", "<>"} {
				conditions = append(conditions, e+" "+op+" "+literal)
			}
		}
		if e == "real" {
			conditions = append(conditions, "real = 0", "real = -0.0", "real >= 0", "real <= 0", "real < 0", "real > 0")
		}
		for _, where := range conditions {
			sameFound(t, db, path, where)
		}
		filters += len(conditions)
	}
	if filters < 400 {
		t.Errorf("only %d filters tried", filters)
	}
	// Lists have no order that statistics know, but they have nulls, and their elements have bounds.
	for _, where := range []string{
		"tags IS NULL", "tags IS NOT NULL", "len(tags) = 0", "len(tags) > 2", "tags[1] = 'a'", "tags[3] IS NULL", "tags[3] > 'b1'", "list_contains(tags, 'b1')",
		"tags = ['a', NULL, 'b0']", "tags = []", "tags = [NULL]",
		"roi IS NULL", "roi IS NOT NULL", "roi = {'times': 4.0, 'currency': 'btc', 'wide': -99999999999999999999999999.99::DECIMAL(30,2), 'flag': true}",
		"legs IS NULL", "legs IS NOT NULL", "len(legs) = 0", "legs[1].amount = 5.00", "legs[1].amount > 29.80", "legs[4].amount IS NULL", "legs[3].days = []",
		"legs[1].at >= TIMESTAMPTZ '1970-01-01 00:00:02.9Z'", "legs[1].days[1] = DATE '1970-01-01' - 17", "list_contains(legs[1].days, DATE '1969-12-15')",
		"grid IS NULL", "grid IS NOT NULL", "grid = []", "grid = [NULL]", "grid[1][2] = 18", "grid[1][2] > 2990", "grid[2] = []", "grid[1][1] IS NULL",
	} {
		if n := sameFound(t, db, path, where); n == 0 || n == info.Rows {
			t.Errorf("WHERE %s finds %d rows, which tells nothing", where, n)
		}
	}
}

// sameFound holds a filter on the file against the same on the table, and says how many rows there are.
func sameFound(t *testing.T, db *sql.DB, path, where string) int64 {
	t.Helper()
	want := query(t, db, "SELECT count(*), sum(hash(text, whole, real)) FROM plain WHERE "+where)
	got := query(t, db, fmt.Sprintf("SELECT count(*), sum(hash(text, whole, real)) FROM read_parquet('%s') WHERE %s", path, where))
	if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(got)); diff != "" {
		t.Errorf("WHERE %s (-table +file):\n%s", where, diff)
	}
	return want[0][0].(int64)
}

// NaN is the greatest for DuckDB: bounds that leave it out would lose its rows.
func TestDuckDB_nan(t *testing.T) {
	columns := []contract.Column{col("f", kind(contract.Double))}
	rows := [][]any{{1.0}, {math.NaN()}, {nil}, {math.Inf(1)}, {math.Copysign(0, -1)}}
	file, _ := encode(t, columns, Options{}, batches(columns, rows, 2)...)
	db := openDuckDB(t)
	path := writeFile(t, file)
	for where, want := range map[string]int64{"f >= 5": 2, "f > 'infinity'": 1, "isnan(f)": 1, "f = 0": 1, "f < 1": 1, "f IS NULL": 1} {
		got := query(t, db, fmt.Sprintf("SELECT count(*) FROM read_parquet('%s') WHERE %s", path, where))
		if got[0][0] != want {
			t.Errorf("WHERE %s finds %v rows, want %d", where, got[0][0], want)
		}
	}
}
