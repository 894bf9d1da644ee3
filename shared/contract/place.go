package contract

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// token is a step of a place in a record: a member's name, or any item of an array.
type token struct {
	name string
	item bool
}

// reading is a value of the record that a column, a member of it or its items are read from.
type reading struct {
	place  []token
	column *Column
	name   string // as people say it: customer.email, lines[].sku
	path   string // in the document
}

// readings lists what is read, and from where.
func (b *builder) readings() []reading {
	var all []reading
	for i := range b.c.Columns {
		if c := &b.c.Columns[i]; c.Path != nil {
			all = appendReadings(all, nil, reading{column: c, name: c.Name, path: b.columns[i].path})
		}
	}
	return all
}

// appendReadings adds r and what is inside it. The places of members start at the item of the innermost array, which
// array leads to.
func appendReadings(all []reading, array []token, r reading) []reading {
	r.place = slices.Clip(array)
	for _, name := range r.column.Path {
		r.place = append(r.place, token{name: name})
	}
	all = append(all, r)
	switch t := &r.column.Type; t.Kind {
	case Struct:
		for i := range t.Fields {
			f := &t.Fields[i]
			all = appendReadings(all, array, reading{column: f, name: r.name + "." + f.Name, path: fmt.Sprintf("%s.properties[%d]", r.path, i)})
		}
	case List:
		items := append(slices.Clip(r.place), token{item: true})
		all = appendReadings(all, items, reading{column: t.Elem, name: r.name + "[]", path: r.path + ".items"})
	default:
	}
	return all
}

var arrayIndex = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})$`)

// matches reports whether two steps may be the same one.
func (t token) matches(other token) bool {
	switch {
	case t.item && other.item:
		return true
	case t.item:
		return arrayIndex.MatchString(other.name)
	case other.item:
		return arrayIndex.MatchString(t.name)
	default:
		return t.name == other.name
	}
}

// leadsTo reports whether the other place is this one or lies inside it.
func leadsTo(place, other []token) bool {
	return len(place) <= len(other) && slices.EqualFunc(place, other[:len(place)], token.matches)
}

// places checks what columns say of one value of the record together.
func (b *builder) places() {
	all := b.readings()
	for i := range b.columns {
		if v, ok := b.columns[i].get("transformSourceObjects"); ok && b.c.Columns[i].Path != nil {
			b.reachable(v, &b.c.Columns[i], all)
		}
	}
	for _, hidden := range all {
		if !hidden.column.Masked() {
			continue
		}
		class := hidden.column.Classification
		for _, r := range all {
			switch inside, around := leadsTo(hidden.place, r.place), leadsTo(r.place, hidden.place); {
			case inside && around:
				b.hide(r, class, "%s is the same value and %s", hidden.name, class)
			case inside:
				b.hide(r, class, "lies in %s, which is %s", hidden.name, class)
			case around && r.column.Type.Kind == JSON:
				b.hide(r, class, "holds %s, which is %s", hidden.name, class)
			}
		}
	}
}

// reachable refuses a pointer that leads through what another column says cannot be entered.
func (b *builder) reachable(v node, c *Column, all []reading) {
	place := make([]token, len(c.Path))
	for i, name := range c.Path {
		place[i] = token{name: name}
	}
	for _, r := range all {
		if len(r.place) >= len(place) || !leadsTo(r.place, place) || !complete(r.column.Type) {
			continue
		}
		switch next := place[len(r.place)].name; r.column.Type.Kind {
		case Struct, JSON:
		case List:
			if !arrayIndex.MatchString(next) {
				v.fault("leads to %q in the array %s: an array is entered by an index, as in %s/0", next, r.name, pointerText(c.Path[:len(r.place)]))
				return
			}
		default:
			v.fault("leads into %s, which is %s: correct the pointer, or the type of %s", r.name, r.column.Type.Glue(), r.name)
			return
		}
	}
}

// hide gives a column the classification of what it shows, and refuses one that would show it.
func (b *builder) hide(r reading, class, because string, args ...any) {
	if r.column.Masked() {
		return
	}
	if v, written := b.root.d.classified[r.path]; written {
		v.fault("is %s, but %s %s: write %s, or leave classification out", r.column.Classification, r.name, fmt.Sprintf(because, args...), class)
	}
	r.column.Classification = class
}

// hideDerived gives derived columns the classification of the columns that they show.
func (b *builder) hideDerived() {
	for changed := true; changed; {
		changed = false
		for i := range b.c.Columns {
			c := &b.c.Columns[i]
			if c.Derived == nil || c.Masked() {
				continue
			}
			if from := b.c.maskedKey(); from != nil && slices.Contains(c.Derived.Context, RecordKey) {
				b.hide(reading{column: c, name: c.Name, path: b.columns[i].path}, from.Classification,
					"shows the key of the record as %s does, which is %s", from.Name, from.Classification)
				changed = true
				continue
			}
			for _, name := range c.Derived.Columns {
				if from := b.column(name); from != nil && from.Masked() {
					b.hide(reading{column: c, name: c.Name, path: b.columns[i].path}, from.Classification,
						"is derived from %s, which is %s", name, from.Classification)
					changed = true
					break
				}
			}
		}
	}
}

// examples refuses examples that the column itself would reject: people copy them.
func (o object) examples(v node, c *Column) {
	for _, item := range v.list() {
		if complete(c.Type) {
			item.example(c)
		}
	}
}

func (n node) example(c *Column) {
	var fits bool
	switch c.Type.Kind {
	case List:
		fits = n.yaml.Kind == sequenceNode
	case Struct:
		fits = n.yaml.Kind == mappingNode
	case JSON:
		fits = n.yaml.Kind == mappingNode || n.yaml.Kind == sequenceNode
	case Boolean:
		fits = n.scalar("!!bool")
	case Integer, Double, Decimal:
		fits = n.scalar("!!int") || n.scalar("!!float") || n.scalar("!!str") && numberText.MatchString(strings.TrimSpace(n.yaml.Value))
	default:
		fits = n.scalar("!!str") || n.scalar("!!timestamp") || c.Type.Time.Epoch != 0 && n.scalar("!!int")
	}
	if !fits && n.plain() {
		n.fault("is %s; the column is %s: correct the example", n.describe(), c.Type.Glue())
	}
}
