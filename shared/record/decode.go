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

	batch  *Batch
	row    int // rows of the batch that are whole; the record at hand would become this one
	stamp  uint64
	weight int // bytes of the batch that do not follow from its rows

	violations []Violation
	unlisted   int      // violations of the record beyond MaxViolations
	reasons    []reason // of the violations, without the places in lists
	warnings   []reason
	drift      []*member // unknown members of the record at hand
	indexes    []int     // places in the lists around the value at hand
	scratch    []byte
	items      keySet // for uniqueItems

	scheduledAt, fetchedAt int64 // epoch ms
	page                   int
	index                  int64  // of the record at hand in its page
	key, keyFault          string // of the record at hand, where records have keys, and why it is no text

	derivations []func(*decoder)
	checks      []func(*decoder)
	fault       string // why the expression at hand has no value
}

// readValue reads the value at i into the column f. A value that is none of the column's type is a violation, and null.
func (d *decoder) readValue(f *field, i int, rep byte) int {
	b := d.buf
	c := b[i]
	if c == 'n' {
		return d.readNull(f, i, rep)
	}
	v := f.vec
	switch f.kind {
	case contract.Double:
		return d.readFloat(f, i, rep)

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

func (d *decoder) readFloat(f *field, i int, rep byte) int {
	b := d.buf
	num, end := scanNumber(b, i)
	var x float64
	if end >= 0 && num.mant < exactUint && !num.long && uint(-num.exp) < uint(len(floatPowers)) {
		x = float64(int64(num.mant)) / floatPowers[-num.exp]
		if num.neg {
			x = -x
		}
	} else {
		text := i
		if end < 0 {
			if b[i] == 'n' {
				return d.readNull(f, i, rep)
			}
			if num, text, end = d.number(f, i, rep, end); text < 0 {
				return end
			}
		}
		var ok bool
		x, ok = num.float(d.powers, b[text:end])
		if b[i] == '"' {
			end++
		}
		if !ok {
			d.broken(f, i, end, rep, RuleOverflow, "is beyond the range of a double")
			return end
		}
	}
	f.vec.F64 = append(f.vec.F64, x)
	if !f.flat {
		d.level(f, rep)
	}
	if x < f.minFloat || x > f.maxFloat || math.Abs(x) < f.tiny || f.checked {
		d.checkFloat(f, x, num, d.numberText(i, end), i, end)
	}
	return end
}

func (d *decoder) readNull(f *field, i int, rep byte) int {
	end := d.literal(i, "null")
	if end >= 0 {
		d.null(f, i, rep)
	}
	return end
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
	end := d.skipBelow(i, f.around)
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
	end := d.skipBelow(i, f.around)
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
	if f.Type.Time.Epoch != 0 {
		return d.readEpoch(f, i, rep)
	}
	b := d.buf
	if b[i] != '"' {
		return d.mistyped(f, i, rep)
	}
	start := i + 1
	last := plain(b, start)
	if b[last] == '"' && f.kind == contract.Timestamp && f.Type.Time.Layout == "" {
		ms, cut, ok := rfc3339(b, start, last)
		return d.keepTime(f, ms, cut, ok, i, last+1, rep)
	}
	text, end := b[start:last], last+1
	if b[last] != '"' {
		if text, end, _ = d.unquote(d.scratch[:0], start); end < 0 {
			return end
		}
		d.scratch = text
	}
	ms, cut, ok := f.time(text)
	return d.keepTime(f, ms, cut, ok, i, end, rep)
}

func (d *decoder) readEpoch(f *field, i int, rep byte) int {
	num, end := scanNumber(d.buf, i)
	if end < 0 {
		var text int
		if num, text, end = d.number(f, i, rep, end); text < 0 {
			return end
		}
	}
	if d.buf[i] == '"' {
		end++
	}
	ms, cut, fault := num.epoch(f.Type.Time.Epoch)
	if fault != "" {
		d.broken(f, i, end, rep, RuleOverflow, "is outside the years 1 to 9999")
		return end
	}
	return d.keepTime(f, ms, cut, true, i, end, rep)
}

// keepTime puts a time into its column; ok says that it is one.
func (d *decoder) keepTime(f *field, ms int64, cut, ok bool, i, end int, rep byte) int {
	if !ok {
		d.broken(f, i, end, rep, RuleType, "is no "+f.want)
		return end
	}
	v, x := f.vec, ms
	if f.kind == contract.Date {
		day, within := floorDay(ms)
		x, cut = day, cut || within
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
				return d.syntax(i, "no JSON value")
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
	if f.required {
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
