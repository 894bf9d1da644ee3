package glue

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// Definition is a view as Trino's HiveViewCodec keeps it.
type Definition struct {
	SQL     string   `json:"originalSql"` // in Trino's dialect
	Catalog string   `json:"catalog"`
	Schema  string   `json:"schema"`
	Columns []Column `json:"columns"` // types in Trino's spelling
}

const (
	viewBegin = "/* Presto View: "
	viewEnd   = " */"
)

// ParseView reads a view's text in the catalog: JSON in base64 in a comment.
func ParseView(text string) (Definition, error) {
	var d Definition
	inner, ok := strings.CutPrefix(text, viewBegin)
	if !ok {
		return d, fmt.Errorf("read view: its text does not begin with %q", viewBegin)
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(inner, viewEnd))
	if err == nil {
		err = json.Unmarshal(decoded, &d)
	}
	if err != nil {
		return d, fmt.Errorf("read view: %w", err)
	}
	if d.SQL == "" {
		return d, fmt.Errorf("read view: it has no SQL")
	}
	return d, nil
}
