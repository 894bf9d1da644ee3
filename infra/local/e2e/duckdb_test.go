//go:build cgo

package e2e_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2" // registers the driver

	"tributary/shared/contract"
)

// readDuckDB reads a file with DuckDB, in the order of the file. Its types must be those that Athena will read.
func readDuckDB(t *testing.T, c *contract.Contract, body []byte) []row {
	t.Helper()
	file := filepath.Join(t.TempDir(), "lake.parquet")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM read_parquet('"+strings.ReplaceAll(file, "'", "''")+"')")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != len(c.Columns) {
		t.Fatalf("DuckDB sees %d columns, the contract has %d", len(names), len(c.Columns))
	}
	var all []row
	for rows.Next() {
		cells := make([]any, len(names))
		into := make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var r row
		for i := range c.Columns {
			col := &c.Columns[i]
			if names[i] != col.Name {
				t.Fatalf("column %d is %s, want %s", i, names[i], col.Name)
			}
			if col.Type.Kind != contract.Struct {
				r = append(r, utc(cells[i]))
				continue
			}
			fields, _ := cells[i].(map[string]any)
			for f := range col.Type.Fields {
				r = append(r, utc(fields[col.Type.Fields[f].Name]))
			}
		}
		all = append(all, r)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func utc(v any) any {
	if at, ok := v.(time.Time); ok {
		return at.UTC()
	}
	return v
}
