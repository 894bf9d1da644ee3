package parquet

import (
	"encoding/binary"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	reader "github.com/parquet-go/parquet-go"

	"tributary/shared/contract"
)

// stat is what a reader finds; bounds are nil where there are none.
type stat struct {
	Min, Max []byte
	Nulls    int64
}

// sameStatistics holds the statistics of every chunk against its values, as Parquet orders them, and not by our code.
func sameStatistics(t *testing.T, columns []contract.Column, f *reader.File) {
	t.Helper()
	leaves := contract.Leaves(columns)
	for g, group := range f.RowGroups() {
		for i, chunk := range group.ColumnChunks() {
			m := f.Metadata().RowGroups[g].Columns[i].MetaData.Statistics
			want := chunkStat(leaves[i].Column.Type.Kind, chunkSlots(t, chunk))
			if diff := cmp.Diff(want, stat{m.MinValue, m.MaxValue, m.NullCount}); diff != "" {
				t.Errorf("row group %d, column %v (-want +got):\n%s", g, leaves[i].Path, diff)
			}
		}
	}
}

func chunkStat(k contract.Kind, slots []slot) (s stat) {
	var low, high any
	for _, slot := range slots {
		v := slot.Value
		if v == nil {
			s.Nulls++
			continue
		}
		if low == nil {
			low, high = v, v
		}
		if x, ok := v.(float64); ok && x != x {
			low, high = math.NaN(), math.NaN() // for good: nothing is less or greater
		}
		if before(k, v, low) {
			low = v
		}
		if before(k, high, v) {
			high = v
		}
	}
	if x, ok := low.(float64); low == nil || ok && x != x {
		return s
	}
	s.Min, s.Max = plainBound(k, low, math.Copysign(0, -1)), plainBound(k, high, 0)
	if len(s.Min) > maxBound || len(s.Max) > maxBound {
		s.Min, s.Max = nil, nil
	}
	return s
}

// before orders values as the kind's logical type does.
func before(k contract.Kind, a, b any) bool {
	switch x := a.(type) {
	case int64:
		return x < b.(int64)
	case float64:
		return x < b.(float64)
	case bool:
		return !x && b.(bool)
	}
	x, y := a.(string), b.(string)
	if k == contract.Decimal {
		return signed(x).Cmp(signed(y)) < 0
	}
	return x < y // by bytes
}

// signed is a number in two's complement, big-endian.
func signed(text string) *big.Int {
	n := new(big.Int).SetBytes([]byte(text))
	if text[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(text))))
	}
	return n
}

// plainBound is a bound as the footer has it; zero stands for a zero of either sign.
func plainBound(k contract.Kind, v any, zero float64) []byte {
	switch x := v.(type) {
	case int64:
		if k == contract.Date {
			return binary.LittleEndian.AppendUint32(nil, uint32(x))
		}
		return binary.LittleEndian.AppendUint64(nil, uint64(x))
	case float64:
		if x == 0 {
			x = zero
		}
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(x))
	case bool:
		if x {
			return []byte{1}
		}
		return []byte{0}
	}
	return []byte(v.(string))
}

func TestStatistics(t *testing.T) {
	le64 := func(v int64) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(v)) }
	le32 := func(v int32) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }
	float := func(v float64) []byte { return le64(int64(math.Float64bits(v))) }
	negZero := math.Copysign(0, -1)
	long := strings.Repeat("x", maxBound)
	for _, test := range []struct {
		name   string
		typ    contract.Type
		values []any
		want   stat
	}{
		{name: "integers", typ: kind(contract.Integer), values: []any{int64(3), nil, int64(-7), int64(5)}, want: stat{le64(-7), le64(5), 1}},
		{name: "one null first", typ: kind(contract.Integer), values: []any{nil, int64(4)}, want: stat{le64(4), le64(4), 1}},
		{name: "only nulls", typ: kind(contract.String), values: []any{nil, nil, nil}, want: stat{nil, nil, 3}},
		{name: "dates before 1970", typ: kind(contract.Date), values: []any{int64(-1), int64(1)}, want: stat{le32(-1), le32(1), 0}},
		{name: "timestamps", typ: kind(contract.Timestamp), values: []any{int64(1), int64(-1)}, want: stat{le64(-1), le64(1), 0}},
		{name: "narrow decimals", typ: decimal(18, 2), values: []any{int64(-5), int64(3)}, want: stat{le64(-5), le64(3), 0}},
		{name: "wide decimals are signed", typ: decimal(38, 0), values: []any{big.NewInt(-1), big.NewInt(0), bigInt(digits38), bigInt("-" + digits38)},
			want: stat{fixed(bigInt("-" + digits38)), fixed(bigInt(digits38)), 0}},
		{name: "wide decimals in the lower half", typ: decimal(38, 0), values: []any{bigInt("18446744073709551615"), big.NewInt(1), bigInt("9223372036854775808")},
			want: stat{fixed(big.NewInt(1)), fixed(bigInt("18446744073709551615")), 0}},
		{name: "doubles", typ: kind(contract.Double), values: []any{1.5, -2.5, nil}, want: stat{float(-2.5), float(1.5), 1}},
		{name: "zero is -0 below", typ: kind(contract.Double), values: []any{0.0, 1.0}, want: stat{float(negZero), float(1), 0}},
		{name: "zero is +0 above", typ: kind(contract.Double), values: []any{negZero, -1.0}, want: stat{float(-1), float(0), 0}},
		{name: "infinities", typ: kind(contract.Double), values: []any{math.Inf(1), math.Inf(-1)}, want: stat{float(math.Inf(-1)), float(math.Inf(1)), 0}},
		{name: "NaN first", typ: kind(contract.Double), values: []any{math.NaN(), 1.0, nil}, want: stat{nil, nil, 1}},
		{name: "NaN later", typ: kind(contract.Double), values: []any{1.0, 2.0, 3.0, math.NaN()}, want: stat{nil, nil, 0}},
		{name: "booleans", typ: kind(contract.Boolean), values: []any{false, nil, false}, want: stat{[]byte{0}, []byte{0}, 1}},
		{name: "both booleans", typ: kind(contract.Boolean), values: []any{true, false}, want: stat{[]byte{0}, []byte{1}, 0}},
		{name: "text by unsigned bytes", typ: kind(contract.String), values: []any{"z", "é", "a", "🐸", "～"}, want: stat{[]byte("a"), []byte("🐸"), 0}},
		{name: "text that is a prefix", typ: kind(contract.String), values: []any{"abcdefgh", "abcdefghi", "abcdefg", "abc\x00"}, want: stat{[]byte("abc\x00"), []byte("abcdefghi"), 0}},
		{name: "text with zero bytes", typ: kind(contract.String), values: []any{"a\x00\x00", "a", "a\x00"}, want: stat{[]byte("a"), []byte("a\x00\x00"), 0}},
		{name: "empty text", typ: kind(contract.String), values: []any{"", nil}, want: stat{[]byte{}, []byte{}, 1}},
		{name: "text of the longest length", typ: kind(contract.String), values: []any{long, "a"}, want: stat{[]byte("a"), []byte(long), 0}},
		{name: "text that is too long", typ: kind(contract.String), values: []any{"a", long + "x", "b"}, want: stat{nil, nil, 0}},
		{name: "long text between the bounds", typ: kind(contract.String), values: []any{"a", long + "x", "y"}, want: stat{[]byte("a"), []byte("y"), 0}},
		{name: "lists count their empty slots", typ: listOf(kind(contract.Integer)), values: []any{nil, []any{}, []any{nil, int64(2)}}, want: stat{le64(2), le64(2), 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			columns := []contract.Column{col("c", test.typ)}
			var rows [][]any
			for _, v := range test.values {
				rows = append(rows, []any{v})
			}
			// Whether values come in one page or in many must not matter.
			for _, size := range []int{1, 2, len(rows)} {
				file, _ := encode(t, columns, Options{}, batches(columns, rows, size)...)
				m := open(t, file).Metadata().RowGroups[0].Columns[0].MetaData.Statistics
				got := stat{m.MinValue, m.MaxValue, m.NullCount}
				if m.Min != nil || m.Max != nil {
					t.Errorf("the deprecated bounds are set: %x %x", m.Min, m.Max)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("pages of %d (-want +got):\n%s", size, diff)
				}
			}
		})
	}
}
