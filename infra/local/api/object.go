package api

import (
	"strconv"
	"strings"
)

// object is a JSON object whose members keep their order and the form of their values.
type object []member

type member struct {
	name string
	text string // JSON
}

func (o object) get(name string) string {
	for _, m := range o {
		if m.name == name {
			return m.text
		}
	}
	return ""
}

// with returns the object with a member replaced, or added at the end.
func (o object) with(name, text string) object {
	changed := append(object(nil), o...)
	for i := range changed {
		if changed[i].name == name {
			changed[i].text = text
			return changed
		}
	}
	return append(changed, member{name, text})
}

// without returns the object without a member.
func (o object) without(name string) object {
	var rest object
	for _, m := range o {
		if m.name != name {
			rest = append(rest, m)
		}
	}
	return rest
}

func (o object) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quote(m.name))
		b.WriteByte(':')
		b.WriteString(m.text)
	}
	b.WriteByte('}')
	return b.String()
}

// quote makes a JSON string of plain text.
func quote(s string) string {
	b, err := encode(s)
	if err != nil {
		return `""`
	}
	return string(b)
}

func float(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func integer(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) }
