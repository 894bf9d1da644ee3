package record

import (
	"strconv"

	"tributary/shared/contract"
)

// newDecoder makes the working copy of the plan's columns for one reader.
func newDecoder(p *Plan) *decoder {
	d := &decoder{plan: p, powers: powersOfTen()}
	d.root = newObject("", 1)
	paths := &branch{}
	for i := range p.columns {
		f := d.newField(&p.columns[i])
		d.tops = append(d.tops, f)
		if f.Derived == nil {
			paths.add(f, f.Path)
		}
	}
	for _, f := range d.fields {
		if f.kind != contract.Struct && f.kind != contract.List {
			d.leaves = append(d.leaves, f)
			switch {
			case !f.flat:
				d.nested = append(d.nested, f)
			case f.kind == contract.String, f.kind == contract.JSON, f.kind == contract.Decimal && f.Type.Precision > 18:
				d.texts = append(d.texts, f)
			}
		}
	}
	paths.fillObject(d.root, "")
	for _, i := range p.derived {
		d.derivations = append(d.derivations, p.derivation(d, i))
	}
	for i := range p.rules {
		d.checks = append(d.checks, p.check(d, i))
	}
	return d
}

// newField copies a column and all below it.
func (d *decoder) newField(c *column) *field {
	f := &field{column: *c}
	d.fields = append(d.fields, f)
	switch c.kind {
	case contract.Struct:
		f.object = newObject(c.pointer, c.around+1)
		for i := range c.inner {
			inner := d.newField(&c.inner[i])
			m := newMember(f.object, inner.Member)
			m.read.field = inner
			f.object.add(m)
		}
		f.object.known = len(f.object.members)
	case contract.List:
		f.elem = d.newField(&c.inner[0])
	default: // a leaf has nothing below it
	}
	return f
}

func newObject(pointer string, depth int) *object {
	return &object{pointer: pointer, depth: depth, index: map[string]*member{}}
}

// branch is a place in the record: the columns that are read there, and the places below it.
type branch struct {
	fields []*field
	names  []string
	below  map[string]*branch
}

func (b *branch) add(f *field, path []string) {
	if len(path) == 0 {
		b.fields = append(b.fields, f)
		return
	}
	next := b.below[path[0]]
	if next == nil {
		next = &branch{}
		if b.below == nil {
			b.below = map[string]*branch{}
		}
		b.below[path[0]] = next
		b.names = append(b.names, path[0])
	}
	next.add(f, path[1:])
}

// fillObject gives o the members that the branch goes through.
func (b *branch) fillObject(o *object, pointer string) {
	for _, name := range b.names {
		m := newMember(o, name)
		m.read = b.below[name].reading(pointer+"/"+escapeToken(name), o.depth)
		o.add(m)
	}
	o.known = len(o.members)
}

// reading is all that is to be made of the value at the branch. A token that is a number may name an element of an
// array or a member of an object; both are looked for, whichever the value is. Around it so many levels are open.
func (b *branch) reading(pointer string, around int) reading {
	var all []reading
	for _, f := range b.fields {
		all = append(all, reading{field: f})
	}
	if len(b.names) > 0 {
		r := reading{object: newObject(pointer, around+1)}
		r.object.again = len(all) > 0
		b.fillObject(r.object, pointer)
		for k, name := range b.names {
			if !arrayIndex.MatchString(name) {
				r.named = append(r.named, r.object.members[k])
				continue
			}
			if r.elements == nil {
				r.elements = map[int]reading{}
			}
			n, _ := strconv.Atoi(name) // the expression leaves nothing that fails
			r.elements[n] = b.below[name].reading(pointer+"/"+name, around+1)
		}
		all = append(all, r)
	}
	first := all[0]
	first.also = all[1:]
	if len(first.also) == 0 {
		first.also = nil
	}
	return first
}

// appendKey writes a member's name as JSON usually has it, with its colon. A name that stands otherwise is found by
// its text.
func appendKey(dst []byte, name string) []byte {
	dst = append(dst, '"')
	for i := range len(name) {
		switch c := name[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', '0'+c>>4, "0123456789abcdef"[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"', ':')
}
