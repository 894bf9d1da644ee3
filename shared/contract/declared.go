package contract

import (
	"slices"
	"strings"
)

// Line is a line of a contract's file.
type Line struct {
	Number int // from 1; 0: the contract declares nothing there, as of a text that is no JSON
	Text   string
}

// Declared is the line that a violation goes back to: that of the rule for a rule of the whole record or run, else that
// of the column, field or list element that holds the value. The tokens are those of its JSON Pointer below the record.
func (c *Contract) Declared(rule string, tokens []string) Line {
	number := c.declared(rule, tokens)
	if number < 1 || number > len(c.text) {
		return Line{}
	}
	return Line{Number: number, Text: strings.TrimSpace(c.text[number-1])}
}

func (c *Contract) declared(rule string, tokens []string) int {
	if len(tokens) == 0 {
		for _, r := range c.Rules {
			if r.ID == rule {
				return r.Line
			}
		}
		for _, m := range c.Metrics {
			if m.ID == rule {
				return m.Line
			}
		}
		return 0
	}
	var best *Column
	for i := range c.Columns {
		column := &c.Columns[i]
		if column.Derived != nil {
			if len(tokens) == 1 && tokens[0] == column.Name && best == nil {
				best = column
			}
			continue
		}
		at := column.Path
		if len(at) <= len(tokens) && slices.Equal(at, tokens[:len(at)]) && (best == nil || best.Derived != nil || len(at) > len(best.Path)) {
			best = column
		}
	}
	if best == nil {
		return 0
	}
	if best.Derived != nil {
		return best.Line
	}
	return best.line(tokens[len(best.Path):])
}

// line is that of the innermost column that the tokens lead to.
func (c *Column) line(tokens []string) int {
	if len(tokens) == 0 {
		return c.Line
	}
	if c.Type.Kind == List {
		return c.Type.Elem.line(tokens[1:])
	}
	for i := range c.Type.Fields {
		if f := &c.Type.Fields[i]; f.Member == tokens[0] {
			return f.line(tokens[1:])
		}
	}
	return c.Line
}
