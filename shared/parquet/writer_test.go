package parquet

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"tributary/shared/contract"
)

func sameFloat(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a != a && b != b
}

// everything has a column of each type, flat, in structs and in lists.
func everything() []contract.Column {
	return []contract.Column{
		col("text", kind(contract.String)),
		col("whole", kind(contract.Integer)),
		col("real", kind(contract.Double)),
		col("narrow", decimal(18, 4)),
		col("wide", decimal(38, 10)),
		col("flag", kind(contract.Boolean)),
		col("moment", kind(contract.Timestamp)),
		col("day", kind(contract.Date)),
		col("json", kind(contract.JSON)),
		col("tags", listOf(kind(contract.String))),
		col("roi", structOf(
			col("times", kind(contract.Double)),
			col("currency", kind(contract.String)),
			col("wide", decimal(30, 2)),
			col("flag", kind(contract.Boolean)),
		)),
		col("legs", listOf(structOf(
			col("at", kind(contract.Timestamp)),
			col("days", listOf(kind(contract.Date))),
			col("amount", decimal(10, 2)),
		))),
		col("grid", listOf(listOf(kind(contract.Integer)))),
	}
}

func bigInt(s string) *big.Int {
	n, ok := new(big.Int).SetString(s, 10)
	if !ok {
		panic(s)
	}
	return n
}

const digits38 = "99999999999999999999999999999999999999"

// someRows are n rows over everything, deterministic, with nulls at every level, empty lists and extreme values.
func someRows(n int) [][]any {
	rows := make([][]any, n)
	for i := range rows {
		rows[i] = someRow(i)
	}
	return rows
}

func someRow(i int) []any {
	row := []any{
		"Größe " + strconv.Itoa(i%40),
		int64(i) * 7919 * (1 - int64(i%2)*2),
		float64(i)*1.1 - 50,
		int64(i%2000)*1e12 - 1e15,
		new(big.Int).Mul(big.NewInt(int64(i-100)), bigInt("123456789012345678901234567890")),
		i%3 == 0,
		int64(1741098300000) + int64(i)*int64(1-i%2*2)*1e9,
		int64(i%3000 - 1500),
		`{"n":` + strconv.Itoa(i) + `}`,
		[]any{"a", nil, "b" + strconv.Itoa(i%3)},
		fields{float64(i % 10), "btc", bigInt("-" + digits38[:28]), i%2 == 0},
		[]any{
			fields{int64(i), []any{int64(-i), nil}, int64(i)},
			nil,
			fields{nil, []any{}, nil},
			fields{int64(-i), nil, int64(-1)},
		},
		[]any{[]any{int64(1), int64(i)}, []any{}, nil, []any{nil}},
	}
	switch i % 11 {
	case 1:
		row[0], row[9], row[10], row[11], row[12] = "", []any{}, nil, []any{}, []any{}
	case 2:
		row[1], row[4], row[9], row[11], row[12] = nil, nil, nil, nil, nil
	case 3:
		row[10] = fields{nil, nil, nil, nil}
		row[2], row[3], row[5], row[6], row[7], row[8] = nil, nil, nil, nil, nil, nil
	case 4:
		row[1], row[2], row[4] = int64(math.MinInt64), math.Copysign(0, -1), bigInt("-"+digits38)
		row[7], row[6] = int64(math.MinInt32), int64(math.MinInt64)
	case 5:
		row[1], row[2], row[4] = int64(math.MaxInt64), math.MaxFloat64, bigInt(digits38)
		row[0] = strings.Repeat("é🐸", 20)
	case 6:
		row[9], row[12] = []any{nil}, []any{nil}
	}
	return row
}

func TestRoundTrip(t *testing.T) {
	for _, test := range []struct {
		name string
		rows [][]any
		size int
		opts Options
	}{
		{name: "no rows"},
		{name: "one row", rows: someRows(1)},
		{name: "seven rows", rows: someRows(7)},
		{name: "eight rows in one page", rows: someRows(8)},
		{name: "one page", rows: someRows(300)},
		{name: "pages of three rows", rows: someRows(100), size: 3},
		{name: "many row groups by rows", rows: someRows(1000), size: 50, opts: Options{RowGroupRows: 120}},
		{name: "many row groups by bytes", rows: someRows(1000), size: 50, opts: Options{RowGroupBytes: 1 << 14}},
		{name: "dictionaries given up half way", rows: someRows(6000), size: 500},
		{name: "zstd", rows: someRows(1000), size: 300, opts: Options{Codec: Zstd}},
		{name: "uncompressed", rows: someRows(1000), size: 300, opts: Options{Codec: Uncompressed}},
		{name: "only nulls", rows: slicesRepeat(make([]any, 13), 500), size: 100},
		{name: "nulls before values", rows: append(slicesRepeat(make([]any, 13), 20), someRows(40)...), size: 10},
		{name: "values before nulls", rows: append(someRows(40), slicesRepeat(make([]any, 13), 20)...), size: 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			columns := everything()
			if test.size == 0 {
				test.size = 8192
			}
			file, info := encode(t, columns, test.opts, batches(columns, test.rows, test.size)...)
			f := open(t, file)
			if info.Rows != int64(len(test.rows)) || f.NumRows() != info.Rows || len(f.RowGroups()) != info.RowGroups {
				t.Errorf("info %+v, %d rows given, %d rows and %d groups read", info, len(test.rows), f.NumRows(), len(f.RowGroups()))
			}
			sameSlots(t, shred(columns, test.rows), slotsOf(t, f))
		})
	}
}

func slicesRepeat(row []any, n int) [][]any {
	rows := make([][]any, n)
	for i := range rows {
		rows[i] = row
	}
	return rows
}
