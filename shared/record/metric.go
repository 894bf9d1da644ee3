package record

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tributary/shared/contract"
)

// meter counts what a library metric is about, over the clean rows of a run: those are the rows that readers of the
// lake would count. Nulls are neither invalid nor duplicates, as in SQL.
type meter struct {
	metric  *contract.Metric
	column  *column
	rows    int64
	missing map[string]bool
	valid   map[string]bool
	keys    *uniqueSet // duplicateValues: rows whose key has been there before
}

func (r *Reader) newMeter(m *contract.Metric) *meter {
	t := &meter{metric: m}
	if len(m.Columns) > 0 {
		if i := r.plan.index(m.Columns[0]); i >= 0 {
			t.column = &r.plan.columns[i]
		}
	}
	t.missing, t.valid = textSet(m.Missing), textSet(m.Valid)
	if m.Name == "duplicateValues" {
		t.keys = &uniqueSet{}
		for _, name := range m.Columns {
			t.keys.fields = append(t.keys.fields, r.tops[r.plan.index(name)])
		}
	}
	return t
}

// row counts the row at hand, which is clean.
func (t *meter) row(r *Reader) {
	r.keyOf(t.keys)
	switch {
	case t.keys.null:
	case t.keys.keys.has(t.keys.hash):
		t.rows++
	default:
		t.keys.keys.add(t.keys.hash)
	}
}

// batch counts the rows of a finished batch.
func (t *meter) batch(b *Batch) {
	switch t.metric.Name {
	case "nullValues":
		t.rows += b.nulls(t.column)
	case "missingValues":
		if t.metric.MissingNull {
			t.rows += b.nulls(t.column)
		}
		t.rows += b.countTexts(t.column, func(text []byte) bool { return t.missing[string(text)] })
	case "invalidValues":
		t.rows += b.countTexts(t.column, func(text []byte) bool {
			return t.valid != nil && !t.valid[string(text)] || t.metric.Pattern != nil && !t.metric.Pattern.Match(text)
		})
	}
}

// nulls counts the rows in which a column of the table is null.
func (b *Batch) nulls(c *column) (n int64) {
	leaf := c
	for leaf.kind == contract.Struct || leaf.kind == contract.List {
		leaf = &leaf.inner[0]
	}
	v := &b.Vectors[leaf.leaf]
	if c.flat {
		return int64(v.Nulls)
	}
	for slot, def := range v.Def {
		if def < c.def && (v.Rep == nil || v.Rep[slot] == 0) {
			n++
		}
	}
	return n
}

// countTexts counts the values of a flat column of strings or integers that are as wanted.
func (b *Batch) countTexts(c *column, wanted func([]byte) bool) (n int64) {
	v := &b.Vectors[c.leaf]
	if c.kind == contract.Integer {
		var text [20]byte
		for _, x := range v.I64 {
			if wanted(strconv.AppendInt(text[:0], x, 10)) {
				n++
			}
		}
		return n
	}
	for rest := v.Bytes; len(rest) > 0; {
		size := 4 + int(binary.LittleEndian.Uint32(rest))
		if wanted(rest[4:size]) {
			n++
		}
		rest = rest[size:]
	}
	return n
}

// result judges the metric at the end of a run of so many clean rows.
func (t *meter) result(clean int64) MetricResult {
	m := t.metric
	r := MetricResult{ID: m.ID, Name: m.Name, Columns: m.Columns, Percent: m.Percent, Severity: m.Severity, Value: float64(t.rows)}
	if m.Name == "rowCount" {
		r.Value = float64(clean)
	}
	unit := "rows"
	if m.Percent {
		unit = "%"
		if clean > 0 {
			r.Value = 100 * r.Value / float64(clean)
		}
	}
	if !m.Percent && r.Value == 1 {
		unit = "row"
	}
	r.Passed = meets(m.Operator, r.Value, m.Bounds)
	if !r.Passed {
		about := m.Name
		if len(m.Columns) > 0 {
			about += " of " + strings.Join(m.Columns, ", ")
		}
		r.Message = fmt.Sprintf("%s: %s is %.6g %s, and %s", m.ID, about, r.Value, unit, wanted(m))
	}
	return r
}

// wanted says in words what an operator asks for.
func wanted(m *contract.Metric) string {
	words := map[string]string{
		"mustBe": "must be %g", "mustNotBe": "must not be %g", "mustBeGreaterThan": "must be greater than %g",
		"mustBeGreaterOrEqualTo": "must be at least %g", "mustBeLessThan": "must be less than %g",
		"mustBeLessOrEqualTo": "must be at most %g", "mustBeBetween": "must be between %g and %g",
		"mustNotBeBetween": "must not be between %g and %g",
	}
	bounds := make([]any, len(m.Bounds))
	for i, b := range m.Bounds {
		bounds[i] = b
	}
	return fmt.Sprintf(words[m.Operator], bounds...)
}

// meets compares a metric with what the contract wants of it. Between leaves its bounds out, as the standard has it.
func meets(operator string, v float64, bounds []float64) bool {
	low, high := slices.Min(bounds), slices.Max(bounds)
	switch operator {
	case "mustBe":
		return v == low
	case "mustNotBe":
		return v != low
	case "mustBeGreaterThan":
		return v > low
	case "mustBeGreaterOrEqualTo":
		return v >= low
	case "mustBeLessThan":
		return v < low
	case "mustBeLessOrEqualTo":
		return v <= low
	case "mustBeBetween":
		return low < v && v < high
	case "mustNotBeBetween":
		return v <= low || v >= high
	}
	return false
}
