package record

import (
	"encoding/binary"
	"math"
	"slices"

	"tributary/shared/contract"
)

// AppendColumns appends the given top-level columns (indexes into Contract.Columns) and the places of their rows, as
// they are, to be read back by Plan.ReadColumns: for those who need rows later, and perhaps never.
func (b *Batch) AppendColumns(dst []byte, columns []int) []byte {
	dst = binary.AppendUvarint(dst, uint64(b.Rows))
	for from := 0; from < b.Rows; {
		n := 1 // records of one page that follow each other
		for from+n < b.Rows && b.Page[from+n] == b.Page[from] && b.Index[from+n] == b.Index[from]+int64(n) {
			n++
		}
		dst = binary.AppendUvarint(dst, uint64(n))
		dst = binary.AppendUvarint(dst, uint64(b.Page[from]))
		dst = binary.AppendUvarint(dst, uint64(b.Index[from]))
		from += n
	}
	for _, c := range columns {
		from, to := b.plan.leavesOf(c)
		for i := from; i < to; i++ {
			dst = b.Vectors[i].append(dst, b.Rows)
		}
	}
	return dst
}

// ReadColumns makes b what AppendColumns saw; its vectors of other columns are empty. It needs no Release. The bytes are
// our own: what does not fit panics.
func (p *Plan) ReadColumns(data []byte, columns []int, b *Batch) {
	c := columnBytes{data}
	b.plan, b.Rows = p, c.uvarint()
	b.Page, b.Index = b.Page[:0], b.Index[:0]
	if b.Vectors == nil {
		b.Vectors = make([]Vector, len(p.leaves))
	}
	for len(b.Page) < b.Rows {
		n, page, index := c.uvarint(), c.uvarint(), c.uvarint()
		for i := range n {
			b.Page, b.Index = append(b.Page, int32(page)), append(b.Index, int64(index+i))
		}
	}
	for _, column := range columns {
		from, to := p.leavesOf(column)
		for i := from; i < to; i++ {
			c.vector(&b.Vectors[i], b.Rows)
		}
	}
}

// leavesOf gives the range of a column's leaves.
func (p *Plan) leavesOf(column int) (from, to int) {
	if column+1 == len(p.columns) {
		return p.columns[column].leaf, len(p.leaves)
	}
	return p.columns[column].leaf, p.columns[column+1].leaf
}

func (v *Vector) append(dst []byte, rows int) []byte {
	dst = append(dst, byte(v.Kind))
	dst = binary.AppendUvarint(dst, uint64(v.Nulls))
	dst = appendSized(dst, v.Def)
	dst = appendSized(dst, v.Rep)
	if v.Def == nil && v.Nulls > 0 {
		dst = append(dst, v.Valid[:(rows+7)/8]...)
	}
	dst = appendSized(dst, v.Bytes)
	dst = appendSized(dst, v.Bool)
	dst = slices.Grow(dst, 8*(len(v.I64)+len(v.F64))+4*len(v.I32)+64)
	dst = binary.AppendUvarint(dst, uint64(len(v.I64)))
	for _, n := range v.I64 {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(n))
	}
	dst = binary.AppendUvarint(dst, uint64(len(v.F64)))
	for _, f := range v.F64 {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(f))
	}
	dst = binary.AppendUvarint(dst, uint64(len(v.I32)))
	for _, n := range v.I32 {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
	}
	return dst
}

func appendSized(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// columnBytes reads what AppendColumns has written.
type columnBytes struct{ rest []byte }

func (c *columnBytes) uvarint() int {
	v, n := binary.Uvarint(c.rest)
	c.rest = c.rest[n:]
	return int(v)
}

func (c *columnBytes) take(n int) []byte {
	b := c.rest[:n:n]
	c.rest = c.rest[n:]
	return b
}

func (c *columnBytes) vector(v *Vector, rows int) {
	*v = Vector{Valid: v.Valid, I64: v.I64[:0], F64: v.F64[:0], I32: v.I32[:0]}
	v.Kind = contract.Kind(c.take(1)[0])
	v.Nulls = c.uvarint()
	v.Def, v.Rep = c.take(c.uvarint()), c.take(c.uvarint())
	if len(v.Def) == 0 {
		v.Valid = v.Valid[:0]
		if size := (rows + 7) / 8; v.Nulls > 0 {
			v.Valid = append(v.Valid, c.take(size)...)
		} else {
			for range size {
				v.Valid = append(v.Valid, 0xFF)
			}
		}
	}
	v.Bytes, v.Bool = c.take(c.uvarint()), c.take(c.uvarint())
	for range c.uvarint() {
		v.I64 = append(v.I64, int64(binary.LittleEndian.Uint64(c.take(8))))
	}
	for range c.uvarint() {
		v.F64 = append(v.F64, math.Float64frombits(binary.LittleEndian.Uint64(c.take(8))))
	}
	for range c.uvarint() {
		v.I32 = append(v.I32, int32(binary.LittleEndian.Uint32(c.take(4))))
	}
}
