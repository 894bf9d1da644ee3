package record

import (
	"encoding/binary"

	"tributary/shared/contract"
)

// firstRows is how many rows a vector has room for at first: most pages are small, and a vector that has grown comes back.
const firstRows = 512

func newVector(f *field) Vector {
	v := Vector{Kind: f.kind}
	if f.flat {
		v.Valid = make([]byte, BatchRows/8)
	} else {
		v.Def = make([]byte, 0, firstRows)
	}
	if f.repeated {
		v.Rep = make([]byte, 0, firstRows)
	}
	switch f.kind {
	case contract.Integer, contract.Timestamp:
		v.I64 = make([]int64, 0, firstRows)
	case contract.Double:
		v.F64 = make([]float64, 0, firstRows)
	case contract.Date:
		v.I32 = make([]int32, 0, firstRows)
	case contract.Boolean:
		v.Bool = make([]byte, 0, firstRows)
	case contract.Decimal:
		if f.Type.Precision <= 18 {
			v.I64 = make([]int64, 0, firstRows)
		} else {
			v.Bytes = make([]byte, 0, firstRows*16)
		}
	default:
		v.Bytes = make([]byte, 0, firstRows*16)
	}
	return v
}

// empty makes the vector ready for a batch. A bit of Valid is set until its row turns out to be null.
func (v *Vector) empty() {
	v.Nulls = 0
	for i := range v.Valid {
		v.Valid[i] = 0xFF
	}
	v.Def, v.Rep = v.Def[:0], v.Rep[:0]
	v.I64, v.F64, v.I32, v.Bool, v.Bytes = v.I64[:0], v.F64[:0], v.I32[:0], v.Bool[:0], v.Bytes[:0]
}

// values is how many values are stored; of bytes it is their length.
func (v *Vector) values() int {
	return len(v.I64) + len(v.F64) + len(v.I32) + len(v.Bool) + len(v.Bytes)
}

// cut drops all values but the first n, or n bytes of them.
func (v *Vector) cut(n int) {
	switch v.Kind {
	case contract.Integer, contract.Timestamp:
		v.I64 = v.I64[:n]
	case contract.Double:
		v.F64 = v.F64[:n]
	case contract.Date:
		v.I32 = v.I32[:n]
	case contract.Boolean:
		v.Bool = v.Bool[:n]
	case contract.Decimal:
		if v.I64 != nil {
			v.I64 = v.I64[:n]
		} else {
			v.Bytes = v.Bytes[:n]
		}
	default:
		v.Bytes = v.Bytes[:n]
	}
}

// remember notes where leaves stand, to come back to when the next record is dropped. Flat leaves of fixed width need no
// note: each has one value or null for each row.
func (d *decoder) remember() {
	d.weight = 0
	for _, f := range d.texts {
		f.before.values = len(f.vec.Bytes)
		d.weight += len(f.vec.Bytes)
	}
	for _, f := range d.nested {
		v := f.vec
		d.weight += len(v.Def) + 8*(len(v.Def)-v.Nulls) + len(v.Bytes)
		f.before.def, f.before.rep, f.before.values, f.before.nulls = len(v.Def), len(v.Rep), v.values(), v.Nulls
	}
}

// undo drops what the record at hand has left behind.
func (d *decoder) undo() {
	d.unlisted = 0
	d.violations, d.reasons, d.warnings, d.drift, d.indexes = d.violations[:0], d.reasons[:0], d.warnings[:0], d.drift[:0], d.indexes[:0]
	d.dropRow()
}

// dropRow takes the row at hand out of the columns.
func (d *decoder) dropRow() {
	bit := byte(1) << (d.row & 7)
	for _, f := range d.leaves {
		v := f.vec
		switch {
		case f.lineage != noLineage:
		case !f.flat:
			v.Def, v.Rep, v.Nulls = v.Def[:f.before.def], v.Rep[:f.before.rep], f.before.nulls
			v.cut(f.before.values)
		case v.Valid[d.row>>3]&bit == 0:
			v.Valid[d.row>>3] |= bit
			v.Nulls--
		case v.Bytes != nil:
			v.cut(f.before.values)
		default:
			v.cut(min(v.values(), d.row-v.Nulls))
		}
	}
}

// isNull says whether a flat column has no value in the row at hand.
func (d *decoder) isNull(f *field) bool {
	return f.vec.Valid[d.row>>3]>>(d.row&7)&1 == 0
}

func appendSame(dst []int64, v int64, n int) []int64 {
	for range n {
		dst = append(dst, v)
	}
	return dst
}

// drop takes rows out of the last n of a vector, those whose bit is set.
func (f *field) drop(from, n int, rows uint64) {
	if f.flat {
		f.dropFlat(from, n, rows)
		return
	}
	v := f.vec
	at, kept := f.group.values, f.group.values
	out, row := f.group.def, -1
	for slot := f.group.def; slot < len(v.Def); slot++ {
		if v.Rep == nil || v.Rep[slot] == 0 {
			row++
		}
		has, gone := v.Def[slot] == f.def, rows>>row&1 != 0
		size := 0
		if has {
			size = v.size(at)
		}
		if gone {
			if !has {
				v.Nulls--
			}
		} else {
			v.Def[out] = v.Def[slot]
			if v.Rep != nil {
				v.Rep[out] = v.Rep[slot]
			}
			out++
			v.move(kept, at, size)
			kept += size
		}
		at += size
	}
	v.Def = v.Def[:out]
	if v.Rep != nil {
		v.Rep = v.Rep[:out]
	}
	v.cut(kept)
}

func (f *field) dropFlat(from, n int, rows uint64) {
	v := f.vec
	at := f.group.values
	if v.Bytes == nil {
		at = v.values()
		for row := from; row < from+n; row++ {
			at -= int(v.Valid[row>>3] >> (row & 7) & 1)
		}
	}
	kept, out := at, from
	for i := range n {
		row := from + i
		has := v.Valid[row>>3]>>(row&7)&1 != 0
		size := 0
		if has {
			size = v.size(at)
		}
		if rows>>i&1 != 0 {
			if !has {
				v.Nulls--
			}
		} else {
			v.move(kept, at, size)
			kept += size
			if bit := byte(1) << (out & 7); has {
				v.Valid[out>>3] |= bit
			} else {
				v.Valid[out>>3] &^= bit
			}
			out++
		}
		at += size
	}
	for ; out < from+n; out++ {
		v.Valid[out>>3] |= 1 << (out & 7)
	}
	v.cut(kept)
}

// size is how much the value at i takes, in the unit of values.
func (v *Vector) size(i int) int {
	switch {
	case v.Bytes == nil:
		return 1
	case v.Kind == contract.Decimal:
		return 16
	}
	return 4 + int(binary.LittleEndian.Uint32(v.Bytes[i:]))
}

// move copies n values from place i to an earlier one.
func (v *Vector) move(to, i, n int) {
	switch {
	case to == i || n == 0:
	case v.I64 != nil:
		copy(v.I64[to:], v.I64[i:i+n])
	case v.F64 != nil:
		copy(v.F64[to:], v.F64[i:i+n])
	case v.I32 != nil:
		copy(v.I32[to:], v.I32[i:i+n])
	case v.Bool != nil:
		copy(v.Bool[to:], v.Bool[i:i+n])
	default:
		copy(v.Bytes[to:], v.Bytes[i:i+n])
	}
}
