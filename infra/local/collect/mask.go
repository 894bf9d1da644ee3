package collect

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"tributary/infra/local/screen"
	"tributary/shared/contract"
	"tributary/shared/zone"
)

// hidden stands for a value that is classified.
const hidden = "•••"

// mask knows what is classified, in records and in columns.
type mask struct {
	paths   [][]string      // JSON Pointer tokens below the record
	columns map[string]bool // names, those of columns derived from classified ones included
}

func newMask(c *contract.Contract) mask {
	m := mask{columns: map[string]bool{}}
	for i := range c.Columns {
		m.add(&c.Columns[i], c.Columns[i].Path)
	}
	// A derived column may read another one that comes after it: go on until nothing is added.
	for before := -1; before != len(m.columns); {
		before = len(m.columns)
		for i := range c.Columns {
			col := &c.Columns[i]
			if col.Derived != nil && slices.ContainsFunc(col.Derived.Columns, func(n string) bool { return m.columns[n] }) {
				m.columns[col.Name] = true
			}
		}
	}
	return m
}

func (m *mask) add(c *contract.Column, path []string) {
	if c.Masked() {
		m.columns[c.Name] = true
		if len(path) > 0 {
			m.paths = append(m.paths, path)
		}
		return
	}
	for i := range c.Type.Fields {
		field := &c.Type.Fields[i]
		inner := field.Path
		if len(inner) <= len(path) {
			inner = append(slices.Clip(path), field.Member)
		}
		m.add(field, inner)
	}
	if c.Type.Elem != nil && c.Type.Elem.Masked() {
		m.paths = append(m.paths, path)
	}
}

// touches reports whether a JSON Pointer leads to something classified, into it or around it.
func (m mask) touches(pointer string) bool {
	var tokens []string
	if pointer != "" {
		for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
			tokens = append(tokens, strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~"))
		}
	}
	for _, p := range m.paths {
		shared := min(len(p), len(tokens))
		if slices.Equal(p[:shared], tokens[:shared]) {
			return true
		}
	}
	return false
}

// violation hides what a violation tells of classified values. One of the record as a whole keeps its message, which
// names a rule, not values.
func (m mask) violation(v zone.ViolationRow) screen.Reason {
	r := screen.Reason{Pointer: v.Pointer, Rule: v.Rule, Message: v.Message, Value: v.Value}
	if m.touches(v.Pointer) {
		r.Value = hidden
		if v.Pointer != "" {
			r.Message = hidden + " (the column is classified)"
		}
	}
	return r
}

// failing is a reject in full.
func (c *collector) failing(r zone.RejectRow) *screen.Row {
	row := &screen.Row{Page: int64(r.Page), Index: r.Index}
	var faulty []string
	for _, v := range r.Violations {
		row.Reasons = append(row.Reasons, c.mask.violation(v))
		if name, _, _ := strings.Cut(strings.TrimPrefix(v.Pointer, "/"), "/"); v.Pointer != "" {
			faulty = append(faulty, strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~"))
		}
	}
	members, ok := parse(r.Record)
	if !ok || r.Encoding == "base64" {
		row.Text = r.Record
		if len(c.mask.paths) > 0 {
			row.Text = hidden + " (no JSON object, and the contract has classified columns)"
		}
		return row
	}
	for _, m := range members {
		row.Members = append(row.Members, screen.Member{
			Name: m.name, Value: c.mask.hide(m.value, []string{m.name}), Faulty: slices.Contains(faulty, m.name),
		})
	}
	return row
}

type member struct{ name, value string }

// parse reads the members of a JSON object in their order, values as the text they are.
func parse(text string) ([]member, bool) {
	d := json.NewDecoder(strings.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, false
	}
	var members []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, false
		}
		key, ok := name.(string)
		if !ok {
			return nil, false
		}
		members = append(members, member{key, string(value)})
	}
	return members, true
}

// hide replaces what is classified in the value at a path.
func (m mask) hide(value string, path []string) string {
	inside := false
	for _, p := range m.paths {
		if len(p) <= len(path) && slices.Equal(p, path[:len(p)]) {
			return hidden
		}
		inside = inside || len(p) > len(path) && slices.Equal(p[:len(path)], path)
	}
	if !inside {
		return value
	}
	members, ok := parse(value)
	if !ok {
		return hidden
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, inner := range members {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(inner.name)
		if err != nil {
			return hidden
		}
		b.Write(name)
		b.WriteByte(':')
		b.WriteString(m.hide(inner.value, append(slices.Clip(path), inner.name)))
	}
	b.WriteByte('}')
	return b.String()
}
