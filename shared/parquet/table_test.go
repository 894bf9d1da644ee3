package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	reader "github.com/parquet-go/parquet-go"

	"tributary/shared/contract"
	"tributary/shared/record"
)

// Rows of tests are written as Go values, one for each column: nil, int64 (integers, dates, timestamps, decimals of up
// to 18 digits), *big.Int (longer decimals), float64, bool, string, []any (lists) and fields (structs).
type fields []any

// slot is one entry of a leaf with its levels: what the format stores, and what readers hand back.
type slot struct {
	Rep, Def int
	Value    any // nil, int64, float64, bool or string; fixed bytes as a string
}

// shred turns rows into the slots of every leaf, by the definition of the Dremel encoding and not by our writer.
func shred(columns []contract.Column, rows [][]any) [][]slot {
	out := make([][]slot, len(contract.Leaves(columns)))
	for _, row := range rows {
		next := 0
		for i := range columns {
			shredColumn(&columns[i], row[i], 0, 0, 0, out, &next)
		}
	}
	return out
}

func shredColumn(c *contract.Column, v any, rep, def, depth int, out [][]slot, next *int) {
	if v != nil {
		def++
	}
	switch c.Type.Kind {
	case contract.Struct:
		for i := range c.Type.Fields {
			var field any
			if v != nil {
				field = v.(fields)[i]
			}
			if v == nil {
				shredNull(&c.Type.Fields[i], rep, def, out, next)
			} else {
				shredColumn(&c.Type.Fields[i], field, rep, def, depth, out, next)
			}
		}
	case contract.List:
		items, _ := v.([]any)
		if len(items) == 0 {
			shredNull(c.Type.Elem, rep, def, out, next)
			return
		}
		first := *next
		for i, item := range items {
			*next = first
			r := rep
			if i > 0 {
				r = depth + 1
			}
			shredColumn(c.Type.Elem, item, r, def+1, depth+1, out, next)
		}
	default:
		out[*next] = append(out[*next], slot{rep, def, plainValue(v)})
		*next++
	}
}

// shredNull gives every leaf of c one slot that ends above it.
func shredNull(c *contract.Column, rep, def int, out [][]slot, next *int) {
	switch c.Type.Kind {
	case contract.Struct:
		for i := range c.Type.Fields {
			shredNull(&c.Type.Fields[i], rep, def, out, next)
		}
	case contract.List:
		shredNull(c.Type.Elem, rep, def, out, next)
	default:
		out[*next] = append(out[*next], slot{rep, def, nil})
		*next++
	}
}

func plainValue(v any) any {
	n, ok := v.(*big.Int)
	if !ok {
		return v
	}
	return string(fixed(n))
}

// fixed is n in sixteen bytes, big-endian, two's complement.
func fixed(n *big.Int) []byte {
	if n.Sign() < 0 {
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	return n.FillBytes(make([]byte, 16))
}

// batches cuts rows into batches of at most size rows.
func batches(columns []contract.Column, rows [][]any, size int) []*record.Batch {
	var out []*record.Batch
	for len(rows) > 0 {
		n := min(size, len(rows))
		out = append(out, batch(columns, rows[:n]))
		rows = rows[n:]
	}
	return out
}

func batch(columns []contract.Column, rows [][]any) *record.Batch {
	b := &record.Batch{Rows: len(rows)}
	leaves := contract.Leaves(columns)
	for i, slots := range shred(columns, rows) {
		b.Vectors = append(b.Vectors, vector(leaves[i], slots))
	}
	return b
}

func vector(l contract.Leaf, slots []slot) record.Vector {
	v := record.Vector{Kind: l.Column.Type.Kind}
	flat := l.MaxDef == 1 && l.MaxRep == 0
	if flat {
		v.Valid = bytes.Repeat([]byte{0xff}, (len(slots)+7)/8) // what lies behind the last row is not to be relied on
	}
	for i, s := range slots {
		switch {
		case flat && s.Value == nil:
			v.Valid[i/8] &^= 1 << (i % 8)
		case !flat:
			v.Def = append(v.Def, byte(s.Def))
			if l.MaxRep > 0 {
				v.Rep = append(v.Rep, byte(s.Rep))
			}
		}
		appendValue(&v, s.Value, l.Column.Type)
	}
	return v
}

func appendValue(v *record.Vector, value any, t contract.Type) {
	switch x := value.(type) {
	case nil:
		v.Nulls++
	case int64:
		if t.Kind == contract.Date {
			v.I32 = append(v.I32, int32(x))
		} else {
			v.I64 = append(v.I64, x)
		}
	case float64:
		v.F64 = append(v.F64, x)
	case bool:
		b := byte(0)
		if x {
			b = 1
		}
		v.Bool = append(v.Bool, b)
	case string:
		if t.Kind != contract.Decimal {
			v.Bytes = binary.LittleEndian.AppendUint32(v.Bytes, uint32(len(x)))
		}
		v.Bytes = append(v.Bytes, x...)
	default:
		panic(fmt.Sprintf("no column holds a %T", value))
	}
}

// encode writes batches to a file in memory.
func encode(t testing.TB, columns []contract.Column, opts Options, batches ...*record.Batch) ([]byte, Info) {
	t.Helper()
	var buf bytes.Buffer
	w, err := NewWriter(&buf, columns, opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	info, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	if info.Bytes != int64(buf.Len()) {
		t.Errorf("Close says %d bytes, %d were written", info.Bytes, buf.Len())
	}
	return buf.Bytes(), info
}

func open(t testing.TB, file []byte) *reader.File {
	t.Helper()
	f, err := reader.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatalf("open with parquet-go: %v", err)
	}
	return f
}

// slotsOf reads all leaves through parquet-go.
func slotsOf(t testing.TB, f *reader.File) [][]slot {
	t.Helper()
	out := make([][]slot, len(f.Schema().Columns()))
	for _, group := range f.RowGroups() {
		for i, chunk := range group.ColumnChunks() {
			out[i] = append(out[i], chunkSlots(t, chunk)...)
		}
	}
	return out
}

func chunkSlots(t testing.TB, chunk reader.ColumnChunk) []slot {
	t.Helper()
	var out []slot
	pages := chunk.Pages()
	defer pages.Close()
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("read page of column %d: %v", chunk.Column(), err)
		}
		values := make([]reader.Value, page.NumValues())
		n, err := page.Values().ReadValues(values)
		if err != nil && !errors.Is(err, io.EOF) || n != len(values) {
			t.Fatalf("read values of column %d: %d of %d: %v", chunk.Column(), n, len(values), err)
		}
		for _, v := range values {
			out = append(out, slot{v.RepetitionLevel(), v.DefinitionLevel(), goValue(t, v)})
		}
		reader.Release(page)
	}
}

func goValue(t testing.TB, v reader.Value) any {
	if v.IsNull() {
		return nil
	}
	switch v.Kind() {
	case reader.Boolean:
		return v.Boolean()
	case reader.Int32:
		return int64(v.Int32())
	case reader.Int64:
		return v.Int64()
	case reader.Double:
		return v.Double()
	case reader.ByteArray, reader.FixedLenByteArray:
		return string(v.ByteArray())
	default:
		t.Fatalf("value of kind %s", v.Kind())
		return nil
	}
}

// col is shorthand for a column of a test's schema.
func col(name string, t contract.Type) contract.Column {
	return contract.Column{Name: name, Type: t}
}

func listOf(t contract.Type) contract.Type {
	return contract.Type{Kind: contract.List, Elem: &contract.Column{Name: "element", Type: t}}
}

func structOf(f ...contract.Column) contract.Type {
	return contract.Type{Kind: contract.Struct, Fields: f}
}

func kind(k contract.Kind) contract.Type { return contract.Type{Kind: k} }

func decimal(precision, scale int) contract.Type {
	return contract.Type{Kind: contract.Decimal, Precision: precision, Scale: scale}
}

// sameSlots compares what a reader saw with what was meant; NaN equals NaN and the zeros differ.
func sameSlots(t *testing.T, want, got [][]slot) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("file has %d leaves, want %d", len(got), len(want))
	}
	for i := range want {
		// cmp takes seconds for what is nearly always equal.
		if !slices.EqualFunc(want[i], got[i], sameSlot) {
			t.Errorf("leaf %d differs (-want +got):\n%s", i, cmp.Diff(want[i], got[i], cmp.Comparer(sameFloat)))
		}
	}
}

func sameSlot(a, b slot) bool {
	x, float := a.Value.(float64)
	if y, ok := b.Value.(float64); float && ok {
		return a.Rep == b.Rep && a.Def == b.Def && sameFloat(x, y)
	}
	return a == b
}

func sameFloat(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
}
