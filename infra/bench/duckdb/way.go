//go:build cgo

package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"

	"tributary/infra/bench/measure"
)

const parquet = "(FORMAT parquet, COMPRESSION snappy)"

// plain reads with the contract's types and writes. One wrong type fails the file.
func plain(ctx context.Context, db *sql.DB, s *schema, in, out string) (measure.Counts, error) {
	rows, err := exec(ctx, db, "COPY (SELECT * FROM "+s.readJSON(in, false)+") TO "+quote(out)+" "+parquet)
	return measure.Counts{Clean: rows}, err
}

// validated holds every record to the rules. It reads with the contract's types first, which is fastest; a file that
// DuckDB refuses is read again with its numbers and times as text, so that each can be cast by itself.
func validated(ctx context.Context, db *sql.DB, s *schema, in, out string) (n measure.Counts, err error) {
	asText := false
	if _, err := exec(ctx, db, s.check(in, asText)); err != nil {
		asText = true
		if _, err := exec(ctx, db, s.check(in, asText)); err != nil {
			return n, err
		}
	}
	if _, err := exec(ctx, db, s.reject()); err != nil {
		return n, err
	}
	const clean = "FROM checked WHERE rowid NOT IN (SELECT index FROM rejected)"
	if n.Clean, err = exec(ctx, db, "COPY (SELECT "+s.names()+" "+clean+") TO "+quote(out)+" "+parquet); err != nil {
		return n, err
	}
	for _, warning := range s.warnings {
		var broken int64
		query := "SELECT count(*) FILTER (WHERE NOT (" + warning + ")) " + clean
		if err := db.QueryRowContext(ctx, query).Scan(&broken); err != nil {
			return n, fmt.Errorf("count warnings: %w", err)
		}
	}
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM rejected").Scan(&n.Rejected); err != nil {
		return n, fmt.Errorf("count rejects: %w", err)
	}
	rejects := out + ".rejects.ndjson"
	if n.Rejected == 0 {
		return n, os.WriteFile(rejects, nil, 0o644)
	}
	// The records' own text is in no table: it is read once more, if it is needed.
	_, err = exec(ctx, db, `COPY (
		SELECT index, violations, json::VARCHAR AS record
		FROM rejected
		JOIN (SELECT row_number() OVER () - 1 AS index, json FROM read_json_objects(`+quote(in)+`)) USING (index)
		ORDER BY index) TO `+quote(rejects)+" (FORMAT json)")
	return n, err
}

func exec(ctx context.Context, db *sql.DB, statement string) (int64, error) {
	result, err := db.ExecContext(ctx, statement)
	if err != nil {
		return 0, fmt.Errorf("have DuckDB do %.60s…: %w", statement, err)
	}
	return result.RowsAffected()
}
