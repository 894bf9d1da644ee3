package collect

import (
	"fmt"
	"slices"

	"tributary/infra/local/screen"
	"tributary/shared/mask"
	"tributary/shared/zone"
)

// reason is a violation as the screen shows it.
func (c *collector) reason(v zone.ViolationRow) screen.Reason {
	v = c.mask.Violation(v)
	return screen.Reason{Pointer: v.Pointer, Rule: v.Rule, Message: v.Message, Value: v.Value, Declared: c.declared(v)}
}

// declared is the line of the contract that a violation goes back to.
func (c *collector) declared(v zone.ViolationRow) screen.Line {
	line := c.Contract.Declared(v.Rule, mask.Tokens(v.Pointer))
	if line.Number == 0 {
		return screen.Line{}
	}
	return screen.Line{Place: fmt.Sprintf("%s:%d", c.File, line.Number), Text: line.Text}
}

// failing is a reject in full.
func (c *collector) failing(r zone.RejectRow) *screen.Row {
	row := &screen.Row{Page: int64(r.Page), Place: c.mask.Place(r.Index, r.Key)}
	var faulty []string
	for _, v := range r.Violations {
		row.Reasons = append(row.Reasons, c.reason(v))
		if tokens := mask.Tokens(v.Pointer); len(tokens) > 0 {
			faulty = append(faulty, tokens[0])
		}
	}
	members, ok := c.mask.Record(r.Record)
	if !ok || r.Encoding == "base64" {
		row.Text = r.Record
		if r.Encoding == "base64" {
			row.Text = "(base64, as the record is not UTF-8) " + r.Record
		}
		if c.mask.Hides() {
			row.Text = mask.Hidden + " (no JSON object, and the contract has classified columns)"
		}
		return row
	}
	if len(members) == 0 {
		row.Text = r.Record
	}
	for _, m := range members {
		row.Members = append(row.Members, screen.Member{Name: m.Name, Value: m.Value, Faulty: slices.Contains(faulty, m.Name)})
	}
	return row
}
