package record

import (
	"bytes"
	"encoding/binary"
)

// field is a column at work: what the plan knows of it and where its values go.
type field struct {
	column
	vec    *Vector
	mark   int     // where the last value of Vector.Bytes begins
	before extent  // how full the vector was before the record at hand
	group  extent  // and before the first row whose key is pending
	object *object // Struct
	elem   *field  // List
}

// extent is how full a vector is.
type extent struct{ def, rep, values, nulls int }

// object is a JSON object whose members the contract knows: the record, a struct, or what lies on a pointer's way.
type object struct {
	pointer string
	depth   int       // levels that are open within it, its own among them
	members []*member // those of the contract first, then unknown ones as they appear
	known   int
	index   map[string]*member
	shape   shape
	other   *member // stands for unknown members beyond MaxUnknown names
	extra   map[string]uint64
	again   bool // another reading of the same text has already looked for what is unknown
}

// member is a name in an object and what becomes of its value.
type member struct {
	name   string
	key    []byte   // "name": as it usually stands; nil where it is not to be looked for
	words  []uint64 // of key, without the first and the last eight bytes
	step   int      // its place in the object's shape, or -1
	stamp  uint64   // of the object that had it last
	read   reading
	parent *object
	count  *tally // of an unknown member
}

// reading is what is made of one value: a column, or values further down, or several of these.
type reading struct {
	field    *field
	object   *object         // descend into an object
	elements map[int]reading // descend into an array: object has members of these names too
	named    []*member       // those of object that no element of an array is
	also     []reading       // read the same text again
}

// readObject reads the members of o, i being behind the brace. Columns that it lacks become null.
func (d *decoder) readObject(o *object, i int, rep byte) int {
	d.stamp++
	stamp := d.stamp
	if i = d.space(i); d.buf[i] == '}' {
		d.absent(o, stamp, rep)
		return i + 1
	}
	steps := o.shape.begin()
	complete := o.shape.whole && steps != nil // so far: every step has been taken
	for k := 0; ; {
		if k < len(steps) {
			var n int
			if n, i = d.follow(steps[k:], i, stamp, rep); i < 0 {
				return i
			}
			k += n
			if d.buf[i] == '"' {
				if next := ahead(steps, k, d.buf, i); next > k {
					k, complete = next, false
					continue
				}
			}
		}
		if d.buf[i] == '}' {
			if !complete || k < len(steps) {
				d.absent(o, stamp, rep)
			}
			if steps == nil {
				o.shape.learn(o.members[:o.known], stamp)
			}
			return i + 1
		}
		m, at := d.lookup(o, i, stamp)
		if at < 0 {
			return at
		}
		next := o.shape.strayed(m, stamp, k)
		complete = complete && next == k
		k = next
		i = d.space(at)
		if m.stamp == stamp {
			i = d.repeated(m, i)
		} else {
			m.stamp = stamp
			i = d.readMember(m, i, rep)
		}
		if i < 0 {
			return i
		}
		if i = d.behindMember(i); i < 0 {
			return i
		}
	}
}

// follow reads members as long as they are where the shape has them, and says how many these were. The end is at the next
// name or at the object's brace.
func (d *decoder) follow(steps []step, i int, stamp uint64, rep byte) (n, end int) {
	for k := range steps {
		s := &steps[k]
		if !s.at(d.buf, i) {
			return k, i
		}
		s.member.stamp = stamp
		i += s.size
		if d.buf[i] <= ' ' {
			i = d.space(i)
		}
		switch s.kind {
		case stepFloat:
			i = d.readFloat(s.field, i, rep)
		case stepField:
			i = d.readValue(s.field, i, rep)
		default:
			i = d.readMember(s.member, i, rep)
		}
		if i < 0 {
			return k, i
		}
		if d.buf[i] == ',' && d.buf[i+1] == '"' {
			i++
		} else if i = d.behindMember(i); i < 0 || d.buf[i] == '}' {
			return k + 1, i
		}
	}
	return len(steps), i
}

// behindMember passes what follows a member's value, up to the next name or the object's brace.
func (d *decoder) behindMember(i int) int {
	switch i = d.space(i); d.buf[i] {
	case '}':
		return i
	case ',':
		if i = d.space(i + 1); d.buf[i] != '"' {
			return d.syntax(i, "no member name in an object")
		}
		return i
	}
	return d.syntax(i, "no comma or bracket behind a value")
}

// readMember reads a member's value for whatever wants it.
func (d *decoder) readMember(m *member, i int, rep byte) int {
	if m.count != nil {
		if !m.parent.again {
			d.drift = append(d.drift, m)
		}
		return d.skipBelow(i, m.parent.depth)
	}
	return d.readAll(&m.read, i, rep)
}

// lookup finds the member whose name stands at i, and passes name and colon.
func (d *decoder) lookup(o *object, i int, stamp uint64) (*member, int) {
	if d.buf[i] != '"' {
		return nil, d.syntax(i, "no member name in an object")
	}
	start := i + 1
	if i = d.quoted(start); i < 0 {
		return nil, i
	}
	var m *member
	if name := d.buf[start : i-1]; bytes.IndexByte(name, '\\') < 0 { // an escaped name may read as another one's text
		m = o.index[string(name)]
	}
	if m == nil {
		text, _, fault := d.unquote(d.scratch[:0], start)
		d.scratch = text
		if fault != "" {
			d.violate(o.pointer, RuleEncoding, "a member's name "+fault, start-1, i)
			// Not to be remembered: the next object with this name must be told as well.
			m = &member{name: string(text), parent: o, count: &tally{}, step: -1}
		} else if m = o.index[string(text)]; m == nil {
			m = d.unknown(o, string(text), stamp)
		}
	}
	if i = d.space(i); d.buf[i] != ':' {
		return nil, d.syntax(i, "no colon behind a member name")
	}
	return m, i + 1
}

// unknown makes a member that the contract does not name known by name, up to MaxUnknown of them, none of them long.
func (d *decoder) unknown(o *object, name string, stamp uint64) *member {
	if len(o.members)-o.known < MaxUnknown && len(name) <= maxUnknownName {
		m := newMember(o, name)
		m.count = &tally{}
		o.add(m)
		return m
	}
	if o.other == nil {
		o.other = &member{parent: o, count: &tally{}, step: -1}
		o.extra = map[string]uint64{}
	}
	// Not to be kept: repetition is told by the names of this object alone.
	if o.other.stamp != stamp {
		clear(o.extra)
	}
	o.other.name = name
	o.other.stamp = stamp - 1
	if o.extra[name] == stamp {
		o.other.stamp = stamp
	}
	o.extra[name] = stamp
	return o.other
}

func newMember(o *object, name string) *member {
	m := &member{name: name, parent: o, key: appendKey(nil, name), step: -1}
	for k := 8; k < len(m.key)-8; k += 8 {
		m.words = append(m.words, binary.LittleEndian.Uint64(m.key[k:]))
	}
	return m
}

func (o *object) add(m *member) {
	o.members = append(o.members, m)
	o.index[m.name] = m
}

// repeated passes the value of a member that the object has already had.
func (d *decoder) repeated(m *member, i int) int {
	start := i
	if i = d.skipBelow(i, m.parent.depth); i >= 0 {
		noted := d.violate(m.parent.pointer+"/"+escapeToken(m.name), RuleDuplicateMember, "the object has this member twice", start, i)
		if noted && m.key == nil { // names that are not kept have no end: they count as their object
			d.reasons[len(d.reasons)-1].pointer = m.parent.pointer
		}
	}
	return i
}

// absent makes the columns null whose members o did not have.
func (d *decoder) absent(o *object, stamp uint64, rep byte) {
	for _, m := range o.members[:o.known] {
		if m.stamp != stamp {
			d.miss(&m.read, rep)
		}
	}
}

// miss makes every column null that would have been read.
func (d *decoder) miss(r *reading, rep byte) {
	if r.field != nil {
		d.null(r.field, -1, rep)
	}
	if r.object != nil {
		for _, m := range r.object.members[:r.object.known] {
			d.miss(&m.read, rep)
		}
	}
	for k := range r.also {
		d.miss(&r.also[k], rep)
	}
}

// readAll reads a value for everything that wants it.
func (d *decoder) readAll(r *reading, i int, rep byte) int {
	end := d.readOne(r, i, rep)
	if end < 0 {
		return end
	}
	for k := range r.also {
		d.readOne(&r.also[k], i, rep)
	}
	return end
}

func (d *decoder) readOne(r *reading, i int, rep byte) int {
	switch c := d.buf[i]; {
	case r.field != nil:
		return d.readValue(r.field, i, rep)
	case r.object != nil && c == '{':
		return d.readObject(r.object, i+1, rep)
	case r.elements != nil && c == '[':
		return d.readElements(r, i+1, rep)
	}
	end := d.skipBelow(i, r.object.depth-1)
	if end >= 0 {
		d.miss(r, rep)
	}
	return end
}

// readElements reads those elements of an array that a pointer names.
func (d *decoder) readElements(r *reading, i int, rep byte) int {
	n := 0
	for i = d.space(i); d.buf[i] != ']'; n++ {
		if e, ok := r.elements[n]; ok {
			i = d.readAll(&e, i, rep)
		} else {
			i = d.skipBelow(i, r.object.depth)
		}
		if i < 0 {
			return i
		}
		if i = d.space(i); d.buf[i] == ',' {
			if i = d.space(i + 1); d.buf[i] == ']' {
				return d.syntax(i, "no JSON value")
			}
		} else if d.buf[i] != ']' {
			return d.syntax(i, "no comma or bracket behind a value")
		}
	}
	for k, e := range r.elements {
		if k >= n {
			d.miss(&e, rep)
		}
	}
	for _, m := range r.named {
		d.miss(&m.read, rep)
	}
	return i + 1
}
