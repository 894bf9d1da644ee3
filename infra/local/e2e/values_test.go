package e2e_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"tributary/shared/contract"
)

// clean is a record that must be a row, with what derived columns know of it.
type clean struct {
	text      string
	page      int
	index     int64
	scheduled time.Time
	fetched   time.Time
}

// row is the values of a row by leaf: nil, int64, float64, string, bool or time.Time.
type row []any

// expect reads from the JSON, with the standard library alone, what the row must hold.
func expect(t *testing.T, c *contract.Contract, r clean) row {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(r.text))
	d.UseNumber()
	var doc map[string]any
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	var want row
	for i := range c.Columns {
		col := &c.Columns[i]
		if col.Derived != nil {
			want = append(want, derived(t, col, doc, r))
			continue
		}
		value := lookup(doc, col.Path)
		if col.Type.Kind == contract.Struct {
			for f := range col.Type.Fields {
				field := &col.Type.Fields[f]
				inner, _ := value.(map[string]any)
				want = append(want, typed(t, field, inner[field.Member]))
			}
			continue
		}
		want = append(want, typed(t, col, value))
	}
	return want
}

func lookup(doc map[string]any, path []string) any {
	var value any = doc
	for _, token := range path {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[token]
	}
	return value
}

// derived computes the derived columns of coin_markets by hand.
func derived(t *testing.T, c *contract.Column, doc map[string]any, r clean) any {
	t.Helper()
	switch c.Derived.Source {
	case "run.scheduledAt":
		return r.scheduled.UTC()
	case "run.fetchedAt":
		return r.fetched.UTC().Truncate(time.Millisecond)
	case "record.page":
		return int64(r.page)
	case "record.index":
		return r.index
	case "high_24h - low_24h":
		high, low := number(t, doc["high_24h"]), number(t, doc["low_24h"])
		if high == nil || low == nil {
			return nil
		}
		return high.(float64) - low.(float64)
	}
	t.Fatalf("column %s is derived by %q, which this test does not know", c.Name, c.Derived.Source)
	return nil
}

func typed(t *testing.T, c *contract.Column, value any) any {
	t.Helper()
	if value == nil {
		return nil
	}
	switch c.Type.Kind {
	case contract.Double:
		return number(t, value)
	case contract.Integer:
		n, ok := new(big.Rat).SetString(text(value))
		if !ok || !n.IsInt() || !n.Num().IsInt64() {
			t.Fatalf("%s: %v is no integer", c.Name, value)
		}
		return n.Num().Int64()
	case contract.Timestamp:
		at, err := time.Parse(time.RFC3339Nano, text(value))
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		return at.UTC().Truncate(time.Millisecond)
	case contract.String, contract.Boolean:
		return value
	default:
		t.Fatalf("%s: this test does not know kind %d", c.Name, c.Type.Kind)
		return nil
	}
}

func number(t *testing.T, value any) any {
	t.Helper()
	if value == nil {
		return nil
	}
	f, err := strconv.ParseFloat(text(value), 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func text(value any) string {
	if n, ok := value.(json.Number); ok {
		return n.String()
	}
	s, _ := value.(string)
	return s
}

// readParquet reads a file with parquet-go/parquet-go, which shares no code with the writer.
func readParquet(t *testing.T, c *contract.Contract, body []byte) []row {
	t.Helper()
	file, err := parquet.OpenFile(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	leaves := contract.Leaves(c.Columns)
	var all []row
	for _, group := range file.RowGroups() {
		rows := group.Rows()
		buffer := make([]parquet.Row, group.NumRows())
		for read := 0; read < len(buffer); {
			n, err := rows.ReadRows(buffer[read:])
			if n == 0 {
				t.Fatalf("read rows: %v", err)
			}
			read += n
		}
		for _, values := range buffer {
			r := make(row, len(leaves))
			for _, v := range values {
				r[v.Column()] = native(v, leaves[v.Column()].Column.Type.Kind)
			}
			all = append(all, r)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func native(v parquet.Value, kind contract.Kind) any {
	if v.IsNull() {
		return nil
	}
	switch kind {
	case contract.Integer:
		return v.Int64()
	case contract.Double:
		return v.Double()
	case contract.Boolean:
		return v.Boolean()
	case contract.Timestamp:
		return time.UnixMilli(v.Int64()).UTC()
	default:
		return string(v.ByteArray())
	}
}
