package parquet

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"tributary/shared/contract"
)

// source turns fuzzing input into schemas and values; at its end it gives zeros.
type source struct{ data []byte }

func (s *source) byte() byte {
	if len(s.data) == 0 {
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return b
}

func (s *source) uint64() (n uint64) {
	for range 8 {
		n = n<<8 | uint64(s.byte())
	}
	return n
}

func (s *source) columns() []contract.Column {
	columns := make([]contract.Column, 1+s.byte()%4)
	for i := range columns {
		columns[i] = col(fmt.Sprintf("c%d", i), s.typ(0))
	}
	return columns
}

func (s *source) typ(depth int) contract.Type {
	kinds := contract.Struct
	if depth == 3 {
		kinds = contract.JSON
	}
	switch k := contract.String + contract.Kind(s.byte())%kinds; k {
	case contract.Decimal:
		return decimal(1+int(s.byte())%38, 0)
	case contract.List:
		return listOf(s.typ(depth + 1))
	case contract.Struct:
		f := make([]contract.Column, 1+s.byte()%3)
		for i := range f {
			f[i] = col(fmt.Sprintf("f%d", i), s.typ(depth+1))
		}
		return structOf(f...)
	default:
		return kind(k)
	}
}

func (s *source) value(t contract.Type) any {
	form := s.byte()
	if form%5 == 0 {
		return nil
	}
	narrow := form%2 == 0 // values that come again
	switch t.Kind {
	case contract.String, contract.JSON:
		text := make([]byte, form%40)
		for i := range text {
			text[i] = 'a'
			if !narrow {
				text[i] = s.byte()
			}
		}
		return string(text)
	case contract.Double:
		if narrow {
			return float64(form)
		}
		return math.Float64frombits(s.uint64())
	case contract.Boolean:
		return narrow
	case contract.Date:
		return int64(int32(s.uint64()))
	case contract.Decimal:
		if t.Precision <= maxInt64Digits {
			return int64(s.uint64())
		}
		n := new(big.Int).Lsh(big.NewInt(int64(s.uint64())), 60)
		return n
	case contract.List:
		items := make([]any, form%4)
		for i := range items {
			items[i] = s.value(t.Elem.Type)
		}
		return items
	case contract.Struct:
		f := make(fields, len(t.Fields))
		for i := range f {
			f[i] = s.value(t.Fields[i].Type)
		}
		return f
	default:
		if narrow {
			return int64(form)
		}
		return int64(s.uint64())
	}
}

// FuzzWrite writes rows of any schema, reads them back with parquet-go, and holds statistics against what it reads.
func FuzzWrite(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{3, 0, 1, 2, 3, 17, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19})
	f.Add([]byte{1, 8, 9, 2, 0, 3, 30, 8, 1, 200, 1, 1, 7, 1, 9, 12, 255, 254, 253, 252, 251, 250, 3, 3, 3, 3, 8, 8, 8, 8, 8, 11, 11})
	f.Add([]byte("\x02\x08\x08\x08\x01\x03\x21 lists of lists of lists, and what else the text makes of itself when it is read as numbers"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &source{data}
		columns := s.columns()
		opts := Options{Codec: Codec(s.byte() % 3), RowGroupRows: 1 + int(s.byte()), RowGroupBytes: 1 + int64(s.byte())<<6}
		size, repeat := 1+int(s.byte()), 1+int(s.byte()%32)
		var rows [][]any
		for len(s.data) > 0 && len(rows) < 300 {
			row := make([]any, len(columns))
			for i := range row {
				row[i] = s.value(columns[i].Type)
			}
			for range repeat {
				rows = append(rows, row)
			}
		}
		file, info := encode(t, columns, opts, batches(columns, rows, size)...)
		if info.Rows != int64(len(rows)) {
			t.Errorf("%d rows written of %d", info.Rows, len(rows))
		}
		written := open(t, file)
		sameSlots(t, shred(columns, rows), slotsOf(t, written))
		sameStatistics(t, columns, written)
	})
}
