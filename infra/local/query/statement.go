package query

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// explain is what may stand before the statement that is explained.
var explain = regexp.MustCompile(`(?is)^\s*EXPLAIN(\s+ANALYZE)?(\s*\([^()]*\))?\s+`)

// stripped is a statement without EXPLAIN before it and semicolon behind it.
func stripped(sql string) (inner string, explained bool) {
	inner = strings.TrimRight(sql, "; \t\r\n")
	prefix := explain.FindString(inner)
	return inner[len(prefix):], prefix != ""
}

// parsed is what DuckDB's json_serialize_sql says of a text.
type parsed struct {
	Error      bool              `json:"error"`
	Type       string            `json:"error_type"`
	Statements []json.RawMessage `json:"statements"`
}

// check takes a single statement that reads. A syntax error is left to DuckDB, which shows where it is.
func (p parsed) check() error {
	const reads = "SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE, or EXPLAIN of one"
	switch {
	case p.Error && p.Type == "parser":
		return nil
	case p.Error:
		return fmt.Errorf("only statements that read are taken here (%s): what the tables hold is changed by runs alone", reads)
	case len(p.Statements) != 1:
		return fmt.Errorf("%d statements are given; one at a time is taken (%s)", len(p.Statements), reads)
	}
	return nil
}
