//go:build cgo

// Command duckdb is the peer that the engine is held against: COPY (SELECT … FROM read_json(…)) TO … (FORMAT parquet),
// which validates nothing. It prints the same line of figures as the engine.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2"

	"tributary/infra/bench"
	"tributary/shared/contract"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "duckdb:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("usage: duckdb CONTRACT THREADS IN OUT")
	}
	c, err := contract.Load(args[0])
	if err != nil {
		return err
	}
	threads, err := strconv.Atoi(args[1])
	if err != nil {
		return fmt.Errorf("read threads: %w", err)
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return fmt.Errorf("open DuckDB: %w", err)
	}
	defer db.Close() //nolint:errcheck // it is in memory
	// One connection: the number of threads is the session's.
	db.SetMaxOpenConns(1)
	var version string
	if err := db.QueryRowContext(ctx, "SELECT version()").Scan(&version); err != nil {
		return fmt.Errorf("ask DuckDB's version: %w", err)
	}
	if _, err := db.ExecContext(ctx, fmt.Sprintf("SET threads = %d", threads)); err != nil {
		return fmt.Errorf("set threads: %w", err)
	}
	query := fmt.Sprintf("COPY (SELECT * FROM read_json(%s, columns = {%s})) TO %s (FORMAT parquet, COMPRESSION snappy)",
		quote(args[2]), columns(c), quote(args[3]))
	figures, err := bench.Measure("duckdb "+version, args[3], func() (int64, int64, error) {
		result, err := db.ExecContext(ctx, query)
		if err != nil {
			return 0, 0, fmt.Errorf("copy: %w", err)
		}
		rows, err := result.RowsAffected()
		return rows, 0, err
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(figures)
}

// columns are the members that the contract reads, in DuckDB's types.
func columns(c *contract.Contract) string {
	var list []string
	for _, column := range c.Columns {
		if len(column.Path) == 1 {
			list = append(list, fmt.Sprintf("%s: %s", quote(column.Member), quote(typeOf(column.Type))))
		}
	}
	return strings.Join(list, ", ")
}

func typeOf(t contract.Type) string {
	switch t.Kind {
	case contract.Integer:
		return "BIGINT"
	case contract.Double:
		return "DOUBLE"
	case contract.Boolean:
		return "BOOLEAN"
	case contract.Timestamp:
		return "TIMESTAMPTZ"
	case contract.Date:
		return "DATE"
	case contract.Decimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale)
	case contract.JSON:
		return "JSON"
	case contract.List:
		return typeOf(t.Elem.Type) + "[]"
	case contract.Struct:
		var fields []string
		for _, field := range t.Fields {
			fields = append(fields, fmt.Sprintf("%q %s", field.Member, typeOf(field.Type)))
		}
		return "STRUCT(" + strings.Join(fields, ", ") + ")"
	default:
		return "VARCHAR"
	}
}

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
