package record

import (
	"encoding/binary"
	"strconv"

	"tributary/shared/contract"
)

// Each calls fn for every row with the values of the given top-level columns (indexes into Contract.Columns). The
// values are reused from row to row.
func (b *Batch) Each(columns []int, fn func(row int, values []Value) error) error {
	values := make([]Value, len(columns))
	cursors := make([]cursor, len(b.Vectors))
	for row := range b.Rows {
		for i, c := range columns {
			b.value(&b.plan.columns[c], &values[i], cursors, row)
		}
		if err := fn(row, values); err != nil {
			return err
		}
	}
	return nil
}

// cursor is how far a leaf has been handed out.
type cursor struct {
	slot  int // of Def and Rep
	value int // or byte, in Bytes
	text  []byte
}

// value reads the column's next value. A struct or list is put together from its leaves' levels.
func (b *Batch) value(c *column, v *Value, cursors []cursor, row int) {
	switch c.kind {
	case contract.Struct:
		*v = Value{Kind: c.kind, Fields: v.Fields[:0], Null: b.level(c, cursors) < c.def}
		for i := range c.inner {
			inner := &c.inner[i]
			v.Fields = append(v.Fields, Field{Name: inner.Name})
			b.value(inner, &v.Fields[i].Value, cursors, row)
		}
		if v.Null {
			v.Fields = v.Fields[:0]
		}
	case contract.List:
		level := b.level(c, cursors)
		*v = Value{Kind: c.kind, Null: level < c.def}
		elem := &c.inner[0]
		for {
			var item Value
			b.value(elem, &item, cursors, row)
			if level > c.def {
				v.Items = append(v.Items, item)
			}
			if !b.goesOn(c, cursors) {
				return
			}
		}
	default:
		b.leaf(c, v, &cursors[c.leaf], row)
	}
}

// level is the definition level of the next slot of the column's first leaf.
func (b *Batch) level(c *column, cursors []cursor) byte {
	for c.kind == contract.Struct || c.kind == contract.List {
		c = &c.inner[0]
	}
	v := &b.Vectors[c.leaf]
	return v.Def[cursors[c.leaf].slot]
}

// goesOn says whether the list's next slot is one more element.
func (b *Batch) goesOn(list *column, cursors []cursor) bool {
	c := list
	for c.kind == contract.Struct || c.kind == contract.List {
		c = &c.inner[0]
	}
	v, at := &b.Vectors[c.leaf], cursors[c.leaf].slot
	return at < len(v.Rep) && v.Rep[at] >= list.rep
}

func (b *Batch) leaf(c *column, v *Value, at *cursor, row int) {
	vec := &b.Vectors[c.leaf]
	v.Kind = c.kind
	if c.flat {
		v.Null = vec.Valid[row>>3]>>(row&7)&1 == 0
	} else {
		v.Null = vec.Def[at.slot] < c.def
		at.slot++
	}
	if v.Null {
		return
	}
	switch c.kind {
	case contract.Integer, contract.Timestamp:
		v.Int = vec.I64[at.value]
		at.value++
	case contract.Double:
		v.Float = vec.F64[at.value]
		at.value++
	case contract.Date:
		v.Int = int64(vec.I32[at.value])
		at.value++
	case contract.Boolean:
		v.Int = int64(vec.Bool[at.value])
		at.value++
	case contract.Decimal:
		var u uint128
		var neg bool
		if c.Type.Precision <= 18 {
			u, neg = split(vec.I64[at.value])
			at.value++
		} else {
			u, neg = split128(vec.Bytes[at.value:])
			at.value += 16
		}
		at.text = appendDecimalText(at.text[:0], u, neg, c.Type.Scale)
		v.Text = at.text
		if c.repeated {
			v.Text = append([]byte(nil), at.text...)
		}
	default:
		n := int(binary.LittleEndian.Uint32(vec.Bytes[at.value:]))
		v.Text = vec.Bytes[at.value+4 : at.value+4+n]
		at.value += 4 + n
	}
}

// split separates the sign from an unscaled decimal.
func split(n int64) (u uint128, neg bool) {
	if n < 0 {
		return uint128{lo: -uint64(n)}, true
	}
	return uint128{lo: uint64(n)}, false
}

// split128 reads what appendDecimal128 wrote.
func split128(b []byte) (u uint128, neg bool) {
	u = uint128{hi: binary.BigEndian.Uint64(b), lo: binary.BigEndian.Uint64(b[8:])}
	if u.hi>>63 == 0 {
		return u, false
	}
	u.hi, u.lo = ^u.hi, ^u.lo
	if u.lo++; u.lo == 0 {
		u.hi++
	}
	return u, true
}

// appendValue shows the value that a flat column has in the row at hand.
func (d *decoder) appendValue(dst []byte, f *field) []byte {
	v := f.vec
	switch f.lineage {
	case runScheduledAt:
		return appendTimestamp(dst, d.scheduledAt)
	case runFetchedAt:
		return appendTimestamp(dst, d.fetchedAt)
	case recordPage:
		return strconv.AppendInt(dst, int64(d.page), 10)
	case recordIndex:
		return strconv.AppendInt(dst, d.index, 10)
	default:
	}
	switch f.kind {
	case contract.Integer:
		return strconv.AppendInt(dst, v.I64[len(v.I64)-1], 10)
	case contract.Timestamp:
		return appendTimestamp(dst, v.I64[len(v.I64)-1])
	case contract.Date:
		return appendDate(dst, int64(v.I32[len(v.I32)-1]))
	case contract.Double:
		return strconv.AppendFloat(dst, v.F64[len(v.F64)-1], 'g', -1, 64)
	case contract.Boolean:
		return strconv.AppendBool(dst, v.Bool[len(v.Bool)-1] != 0)
	case contract.Decimal:
		if f.Type.Precision <= 18 {
			u, neg := split(v.I64[len(v.I64)-1])
			return appendDecimalText(dst, u, neg, f.Type.Scale)
		}
		u, neg := split128(v.Bytes[f.mark:])
		return appendDecimalText(dst, u, neg, f.Type.Scale)
	default:
	}
	text := v.Bytes[f.mark+4:]
	if len(text) > valueShown {
		text = text[:valueShown]
	}
	return strconv.AppendQuote(dst, string(text))
}
