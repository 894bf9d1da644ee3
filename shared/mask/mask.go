// Package mask hides what a contract classifies (restricted, confidential) from logs, reports and screens. The rejects
// store alone keeps it.
//
// It hides by place: a classified column's member of the record, whatever lies in or around it, and what a violation
// says of it. Where a place cannot be told, as in a record that is no JSON object, it shows nothing.
package mask

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"tributary/shared/contract"
	"tributary/shared/zone"
)

// Hidden stands for a value that is classified.
const Hidden = "•••"

// Mask knows what is classified, in records and in columns.
type Mask struct {
	paths   [][]string      // JSON Pointer tokens below the record
	key     bool            // of records that are the members of an object
	columns map[string]bool // names, those of columns derived from classified ones included
}

// Of makes the mask of a contract.
func Of(c *contract.Contract) Mask {
	m := Mask{columns: map[string]bool{}, key: c.KeyMasked()}
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

func (m *Mask) add(c *contract.Column, path []string) {
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

// Hides reports whether there is anything to hide in records.
func (m Mask) Hides() bool { return len(m.paths) > 0 }

// Place tells where in its page a record is: by its number, and by its key where it has one.
func (m Mask) Place(index int64, key string) string {
	switch {
	case key == "":
		return fmt.Sprint(index)
	case m.key:
		return fmt.Sprintf("%d (%s)", index, Hidden)
	}
	return fmt.Sprintf("%d (%q)", index, key)
}

// Column reports whether a column is classified, or derived from one that is.
func (m Mask) Column(name string) bool { return m.columns[name] }

// touches reports whether a JSON Pointer leads to something classified, into it or around it.
func (m Mask) touches(pointer string) bool {
	tokens := Tokens(pointer)
	for _, p := range m.paths {
		shared := min(len(p), len(tokens))
		if slices.Equal(p[:shared], tokens[:shared]) {
			return true
		}
	}
	return false
}

// Tokens are the tokens of a JSON Pointer.
func Tokens(pointer string) []string {
	if pointer == "" {
		return nil
	}
	var tokens []string
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		tokens = append(tokens, strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~"))
	}
	return tokens
}

// Violation hides what a violation tells of classified values. One of the record as a whole keeps its message, which
// names a rule, not values.
func (m Mask) Violation(v zone.ViolationRow) zone.ViolationRow {
	if m.touches(v.Pointer) {
		v.Value = Hidden
		if v.Pointer != "" {
			v.Message = Hidden + " (the column is classified)"
		}
	}
	return v
}

// Member is a member of a JSON object, its value as the text it is.
type Member struct{ Name, Value string }

// Record reads the members of a record in their order, with what is classified hidden; false when it is no JSON object.
func (m Mask) Record(text string) ([]Member, bool) {
	members, ok := parse(text)
	for i := range members {
		members[i].Value = m.hide(members[i].Value, []string{members[i].Name})
	}
	return members, ok
}

// parse reads the members of a JSON object in their order, values as the text they are.
func parse(text string) ([]Member, bool) {
	d := json.NewDecoder(strings.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, false
	}
	var members []Member
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
		members = append(members, Member{key, string(value)})
	}
	if _, err := d.Token(); err != nil {
		return nil, false
	}
	return members, true
}

// hide replaces what is classified in the value at a path.
func (m Mask) hide(value string, path []string) string {
	inside := false
	for _, p := range m.paths {
		if len(p) <= len(path) && slices.Equal(p, path[:len(p)]) {
			return Hidden
		}
		inside = inside || len(p) > len(path) && slices.Equal(p[:len(path)], path)
	}
	if !inside {
		return value
	}
	members, ok := parse(value)
	if !ok {
		return Hidden
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, inner := range members {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(inner.Name)
		if err != nil {
			return Hidden
		}
		b.Write(name)
		b.WriteByte(':')
		b.WriteString(m.hide(inner.Value, append(slices.Clip(path), inner.Name)))
	}
	b.WriteByte('}')
	return b.String()
}
