package record

import "encoding/binary"

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
	members []*member // those of the contract first, then unknown ones as they appear
	known   int
	index   map[string]*member
	first   *member // which opened the last object
	other   *member // stands for unknown members beyond MaxUnknown names
	extra   map[string]uint64
	again   bool // another reading of the same text has already looked for what is unknown
}

// member is a name in an object and what becomes of its value.
type member struct {
	name   string
	key    []byte   // "name": as it usually stands
	head   uint64   // the first eight bytes of key
	mask   uint64   // those of them that key has
	tail   uint64   // the last eight
	words  []uint64 // those between
	next   *member
	stamp  uint64 // of the object that had it last
	read   reading
	parent *object
	count  *tally // of an unknown member
}

// reading is what is made of one value: a column, or values further down, or several of these.
type reading struct {
	field    *field
	object   *object         // descend into an object
	elements map[int]reading // descend into an array
	also     []reading       // read the same text again
}

// at says whether the member's name stands at b[i:]. In objects of the shape of the one before this is all that names
// cost: each member knows which one followed it last time.
func (m *member) at(b []byte, i int) bool {
	if (word(b, i)^m.head)&m.mask != 0 {
		return false
	}
	n := len(m.key)
	if n <= 8 {
		return true
	}
	return n <= pad && word(b, i+n-8) == m.tail && (n <= 16 || m.middle(b, i))
}

func (m *member) middle(b []byte, i int) bool {
	for k, w := range m.words {
		if word(b, i+8+8*k) != w {
			return false
		}
	}
	return true
}

// readObject reads the members of o, i being behind the brace. Columns that it lacks become null.
func (d *decoder) readObject(o *object, i int, rep byte) int {
	b := d.buf
	d.stamp++
	stamp, seen := d.stamp, 0
	i = d.space(i)
	if b[i] == '}' {
		d.absent(o, stamp, rep)
		return i + 1
	}
	var last *member
	m := o.first
	for {
		if m != nil && m.at(b, i) {
			i += len(m.key)
		} else {
			if m, i = d.lookup(o, i, stamp); i < 0 {
				return i
			}
			if last == nil {
				o.first = m
			} else {
				last.next = m
			}
		}
		if b[i] <= ' ' {
			i = d.space(i)
		}
		switch {
		case m.stamp == stamp:
			i = d.repeated(m, i)
		case m.count != nil:
			m.stamp = stamp
			if !o.again {
				d.drift = append(d.drift, m)
			}
			i = d.skip(i)
		case m.read.field != nil && m.read.also == nil:
			m.stamp = stamp
			seen++
			i = d.readValue(m.read.field, i, rep)
		default:
			m.stamp = stamp
			seen++
			i = d.readAll(&m.read, i, rep)
		}
		if i < 0 {
			return i
		}
		if b[i] <= ' ' {
			i = d.space(i)
		}
		if b[i] == ',' {
			i++
			if b[i] <= ' ' {
				i = d.space(i)
			}
			last, m = m, m.next
			continue
		}
		if b[i] != '}' {
			return d.syntax(i, "no comma or bracket behind a value")
		}
		if seen < o.known {
			d.absent(o, stamp, rep)
		}
		return i + 1
	}
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
	name := d.buf[start : i-1]
	m := o.index[string(name)]
	if m == nil {
		text, _, fault := d.unquote(d.scratch[:0], start)
		d.scratch = text
		if fault != "" {
			d.violate(o.pointer, RuleEncoding, "a member's name "+fault, start-1, i)
			// Not to be remembered: the next object with this name must be told as well.
			m = &member{name: string(text), parent: o, count: &tally{}, mask: ^uint64(0)}
		} else if m = o.index[string(text)]; m == nil {
			m = d.unknown(o, string(text), stamp)
		}
	}
	if i = d.space(i); d.buf[i] != ':' {
		return nil, d.syntax(i, "no colon behind a member name")
	}
	return m, i + 1
}

// unknown makes a member that the contract does not name known by name, up to MaxUnknown of them.
func (d *decoder) unknown(o *object, name string, stamp uint64) *member {
	if len(o.members)-o.known < MaxUnknown {
		m := newMember(o, name)
		m.count = &tally{}
		o.add(m)
		return m
	}
	if o.other == nil {
		o.other = &member{parent: o, count: &tally{}, mask: ^uint64(0)}
		o.extra = map[string]uint64{}
	}
	// Too many names to keep: repetition is told by the names of this object alone.
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
	m := &member{name: name, parent: o, key: appendKey(nil, name)}
	var head [8]byte
	n := copy(head[:], m.key)
	m.head = binary.LittleEndian.Uint64(head[:])
	m.mask = ^uint64(0) >> (64 - 8*n)
	if last := len(m.key) - 8; last > 0 {
		m.tail = binary.LittleEndian.Uint64(m.key[last:])
		for k := 8; k < last; k += 8 {
			m.words = append(m.words, binary.LittleEndian.Uint64(m.key[k:]))
		}
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
	if i = d.skip(i); i >= 0 {
		d.violate(m.parent.pointer+"/"+escapeToken(m.name), RuleDuplicateMember, "the object has this member twice", start, i)
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
	if len(r.elements) > 0 {
		for _, e := range r.elements {
			d.miss(&e, rep)
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
	end := d.skip(i)
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
			i = d.skip(i)
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
	return i + 1
}
