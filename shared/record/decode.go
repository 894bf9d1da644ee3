package record

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"tributary/shared/contract"
)

// decoder turns one record after another into the columns of a batch. It belongs to one reader.
type decoder struct {
	scanner
	plan   *Plan
	powers *powers
	root   *object
	tops   []*field // one for each column of the contract
	fields []*field // all of them, outer before inner
	leaves []*field // those with a vector, in the order of contract.Leaves
	nested []*field // the leaves that are not flat
	texts  []*field // the flat leaves of variable width

	batch *Batch
	row   int // rows of the batch that are whole; the record at hand would become this one
	stamp uint64

	violations []Violation
	reasons    []reason // of the violations, without the places in lists
	warnings   []reason
	drift      []*member // unknown members of the record at hand
	indexes    []int     // places in the lists around the value at hand
	scratch    []byte
	items      keySet // for uniqueItems

	scheduledAt, fetchedAt int64 // epoch ms
	page                   int
	index                  int64 // of the record at hand in its page

	derivations []func(*decoder)
	checks      []func(*decoder)
	fault       string // why the expression at hand has no value
}

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
		}
		if m = o.index[string(text)]; m == nil {
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
				return d.syntax(i, "no value behind a comma")
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

// readValue reads the value at i into the column f. A value that is none of the column's type is a violation, and null.
func (d *decoder) readValue(f *field, i int, rep byte) int {
	b := d.buf
	c := b[i]
	if c == 'n' {
		end := d.literal(i, "null")
		if end >= 0 {
			d.null(f, i, rep)
		}
		return end
	}
	v := f.vec
	switch f.kind {
	case contract.Double:
		num, end := scanNumber(b, i)
		text := i
		if end < 0 {
			if num, text, end = d.number(f, i, rep, end); text < 0 {
				return end
			}
		}
		x, ok := num.float(d.powers, b[text:end])
		if b[i] == '"' {
			end++
		}
		if !ok {
			d.broken(f, i, end, rep, RuleOverflow, "is beyond the range of a double")
			return end
		}
		v.F64 = append(v.F64, x)
		if !f.flat {
			d.level(f, rep)
		}
		if x < f.minFloat || x > f.maxFloat || math.Abs(x) < f.tiny || f.checked {
			d.checkFloat(f, x, num, d.numberText(i, end), i, end)
		}
		return end

	case contract.String:
		if c != '"' {
			return d.mistyped(f, i, rep)
		}
		start := i + 1
		end := plain(b, start)
		f.mark = len(v.Bytes)
		if b[end] != '"' {
			return d.readEscaped(f, i, rep)
		}
		v.Bytes = append(binary.LittleEndian.AppendUint32(v.Bytes, uint32(end-start)), b[start:end]...)
		if !f.flat {
			d.level(f, rep)
		}
		if n := end - start; n < f.minLength || n > f.maxLength || f.checked {
			d.checkText(f, b[start:end], n, i, end+1)
		}
		return end + 1

	case contract.Timestamp, contract.Date:
		return d.readTime(f, i, rep)

	case contract.Integer:
		num, end := scanNumber(b, i)
		text := i
		if end < 0 {
			if num, text, end = d.number(f, i, rep, end); text < 0 {
				return end
			}
		}
		x, fault := num.integer()
		if num.long {
			x, fault = longInteger(b[text:end])
		}
		if b[i] == '"' {
			end++
		}
		switch fault {
		case "":
		case RuleType:
			d.broken(f, i, end, rep, RuleType, "is no integer")
			return end
		default:
			d.broken(f, i, end, rep, fault, "is beyond the range of a 64-bit integer")
			return end
		}
		v.I64 = append(v.I64, x)
		if !f.flat {
			d.level(f, rep)
		}
		if x < f.minInt || x > f.maxInt || f.checked {
			d.checkInt(f, x, i, end)
		}
		return end

	case contract.Decimal:
		return d.readDecimal(f, i, rep)

	case contract.Boolean:
		var x byte
		var end int
		switch c {
		case 't':
			x, end = 1, d.literal(i, "true")
		case 'f':
			end = d.literal(i, "false")
		default:
			return d.mistyped(f, i, rep)
		}
		if end >= 0 {
			v.Bool = append(v.Bool, x)
			if !f.flat {
				d.level(f, rep)
			}
		}
		return end

	case contract.Struct:
		if c != '{' {
			return d.mistyped(f, i, rep)
		}
		return d.readObject(f.object, i+1, rep)

	case contract.List:
		if c != '[' {
			return d.mistyped(f, i, rep)
		}
		return d.readList(f, i, rep)

	default:
		return d.readText(f, i, rep)
	}
}

// number reads what stands where a number is wanted and is none: a numeric string, unless the column is strict, or a
// violation. end is behind the number, text its start, or negative when there is nothing to read.
func (d *decoder) number(f *field, i int, rep byte, fault int) (v number, text, end int) {
	b := d.buf
	switch c := b[i]; {
	case c == '-' || c-'0' <= 9:
		return v, -1, d.syntax(^fault, "invalid number")
	case c == '"' && !f.Strict:
		if v, end = scanNumber(b, i+1); end >= 0 && b[end] == '"' {
			return v, i + 1, end
		}
	}
	return v, -1, d.mistyped(f, i, rep)
}

// mistyped passes a value of another type than the column's.
func (d *decoder) mistyped(f *field, i int, rep byte) int {
	end := d.skip(i)
	if end >= 0 {
		d.broken(f, i, end, rep, RuleType, "is no "+f.want)
	}
	return end
}

// broken records a value that cannot be kept.
func (d *decoder) broken(f *field, i, end int, rep byte, rule, message string) {
	d.violate(f.pointer, rule, message, i, end)
	d.fill(f, f.def-1, rep)
}

// readEscaped reads a string that is more than plain ASCII.
func (d *decoder) readEscaped(f *field, i int, rep byte) int {
	v := f.vec
	text, end, fault := d.unquote(append(v.Bytes, 0, 0, 0, 0), i+1)
	if end < 0 {
		return end
	}
	if fault != "" {
		d.broken(f, i, end, rep, RuleEncoding, fault)
		return end
	}
	v.Bytes = text
	value := text[f.mark+4:]
	binary.LittleEndian.PutUint32(text[f.mark:], uint32(len(value)))
	if !f.flat {
		d.level(f, rep)
	}
	if f.checked || f.minLength > 0 || len(value) > f.maxLength {
		if n := utf8.RuneCount(value); n < f.minLength || n > f.maxLength || f.checked {
			d.checkText(f, value, n, i, end)
		}
	}
	return end
}

// readText keeps the text of a value as it stands.
func (d *decoder) readText(f *field, i int, rep byte) int {
	end := d.skip(i)
	if end < 0 {
		return end
	}
	text := d.buf[i:end]
	if !utf8.Valid(text) {
		d.broken(f, i, end, rep, RuleEncoding, "is not UTF-8")
		return end
	}
	v := f.vec
	f.mark = len(v.Bytes)
	v.Bytes = append(binary.LittleEndian.AppendUint32(v.Bytes, uint32(len(text))), text...)
	if !f.flat {
		d.level(f, rep)
	}
	return end
}

func (d *decoder) readDecimal(f *field, i int, rep byte) int {
	b, v := d.buf, f.vec
	num, end := scanNumber(b, i)
	text := i
	if end < 0 {
		if num, text, end = d.number(f, i, rep, end); text < 0 {
			return end
		}
	}
	last := end
	if b[i] == '"' {
		end++
	}
	precision, scale := f.Type.Precision, f.Type.Scale
	var u uint128
	var neg bool
	n, ok := num.decimal64(precision, scale)
	if ok {
		neg = n < 0
		u.lo = uint64(max(n, -n))
	} else {
		var fault string
		switch u, neg, fault = decimal(b[text:last], precision, scale); fault {
		case RulePrecision:
			d.broken(f, i, end, rep, fault, "has more digits behind the point than "+f.want+" keeps")
			return end
		case RuleOverflow:
			d.broken(f, i, end, rep, fault, "has more digits before the point than "+f.want+" keeps")
			return end
		}
	}
	if precision <= 18 {
		n = int64(u.lo)
		if neg {
			n = -n
		}
		v.I64 = append(v.I64, n)
	} else {
		f.mark = len(v.Bytes)
		v.Bytes = appendDecimal128(v.Bytes, u, neg)
	}
	if !f.flat {
		d.level(f, rep)
	}
	if w := u.signed(neg); w.less(f.minWide) || f.maxWide.less(w) || f.checked {
		d.checkDecimal(f, u, neg, i, end)
	}
	return end
}

func (d *decoder) readTime(f *field, i int, rep byte) int {
	b := d.buf
	var ms int64
	var cut, ok bool
	end := 0
	if f.Type.Time.Epoch != 0 {
		num, last := scanNumber(b, i)
		text := i
		if last < 0 {
			if num, text, last = d.number(f, i, rep, last); text < 0 {
				return last
			}
		}
		if end = last; b[i] == '"' {
			end++
		}
		var fault string
		if ms, cut, fault = num.epoch(f.Type.Time.Epoch); fault != "" {
			d.broken(f, i, end, rep, RuleOverflow, "is outside the years 1 to 9999")
			return end
		}
	} else {
		if b[i] != '"' {
			return d.mistyped(f, i, rep)
		}
		start := i + 1
		last := plain(b, start)
		text := b[start:last]
		if end = last + 1; b[last] != '"' {
			var escaped []byte
			if escaped, end, _ = d.unquote(d.scratch[:0], start); end < 0 {
				return end
			}
			d.scratch = escaped
			text = escaped
		}
		switch {
		case f.Type.Time.Layout != "":
			ms, cut, ok = clock(&f.Type.Time, text)
		case f.kind == contract.Date:
			var day int
			day, ok = isoDate(text, 0, len(text))
			ms = int64(day) * millisPerDay
		case b[last] == '"':
			ms, cut, ok = rfc3339(b, start, last)
		default:
			n := len(text)
			text = append(text, 0, 0, 0, 0, 0, 0, 0, 0)
			d.scratch = text
			ms, cut, ok = rfc3339(text, 0, n)
		}
		if !ok {
			d.broken(f, i, end, rep, RuleType, "is no "+f.want)
			return end
		}
	}
	v := f.vec
	x := ms
	if f.kind == contract.Date {
		x, cut = floorDay(ms)
		v.I32 = append(v.I32, int32(x))
	} else {
		v.I64 = append(v.I64, x)
	}
	if !f.flat {
		d.level(f, rep)
	}
	if cut {
		d.warn(f.pointer, RuleCut)
	}
	if x < f.minInt || x > f.maxInt || f.checked {
		d.checkInt(f, x, i, end)
	}
	return end
}

func (d *decoder) readList(f *field, i int, rep byte) int {
	start, n := i, 0
	d.indexes = append(d.indexes, 0)
	at := len(d.indexes) - 1
	for i = d.space(i + 1); d.buf[i] != ']'; n++ {
		d.indexes[at] = n
		if i = d.readValue(f.elem, i, rep); i < 0 {
			return i
		}
		rep = f.rep
		if i = d.space(i); d.buf[i] == ',' {
			if i = d.space(i + 1); d.buf[i] == ']' {
				return d.syntax(i, "no value behind a comma")
			}
		} else if d.buf[i] != ']' {
			return d.syntax(i, "no comma or bracket behind a value")
		}
	}
	d.indexes = d.indexes[:at]
	i++
	if n == 0 {
		d.fill(f.elem, f.def, rep)
	}
	if f.checked {
		d.checkItems(f, n, start, i)
	}
	return i
}

// null records a value that is null or, with i negative, missing.
func (d *decoder) null(f *field, i int, rep byte) {
	if f.Required {
		end := i
		if i >= 0 {
			end = i + len("null")
		}
		d.violate(f.pointer, RuleRequired, "is required", i, end)
	}
	if f.flat {
		f.vec.Nulls++
		f.vec.Valid[d.row>>3] &^= 1 << (d.row & 7)
		return
	}
	d.fill(f, f.def-1, rep)
}

// fill gives every leaf of f one slot without a value, def being how far its path is defined.
func (d *decoder) fill(f *field, def, rep byte) {
	switch {
	case f.kind == contract.Struct:
		for _, m := range f.object.members[:f.object.known] {
			d.fill(m.read.field, def, rep)
		}
	case f.kind == contract.List:
		d.fill(f.elem, def, rep)
	case f.flat:
		f.vec.Nulls++
		f.vec.Valid[d.row>>3] &^= 1 << (d.row & 7)
	default:
		v := f.vec
		v.Nulls++
		v.Def = append(v.Def, def)
		if f.repeated {
			v.Rep = append(v.Rep, rep)
		}
	}
}

// level records that a leaf which is not flat has a value.
func (d *decoder) level(f *field, rep byte) {
	f.vec.Def = append(f.vec.Def, f.def)
	if f.repeated {
		f.vec.Rep = append(f.vec.Rep, rep)
	}
}
