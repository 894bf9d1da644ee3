package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/google/go-cmp/cmp"
	reference "github.com/parquet-go/parquet-go/format"
	format "github.com/xitongsys/parquet-go/parquet"

	"tributary/shared/contract"
	"tributary/shared/record"
)

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

// The ends of what RFC 3339 can say, in epoch milliseconds and days.
const (
	yearOne, endOf9999  = int64(-62135596800000), int64(253402300799999)
	dayOne, lastDay9999 = int64(-719162), int64(2932896)
)

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
		float64(float64(i)*1.1) - 50, // the conversion keeps processors from fusing the two operations
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
		row[6], row[7] = yearOne, dayOne
	case 5:
		row[1], row[2], row[4] = int64(math.MaxInt64), math.MaxFloat64, bigInt(digits38)
		row[6], row[7] = endOf9999, lastDay9999
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
			sameStatistics(t, columns, f)
		})
	}
}

// A row group holds whole batches: no more rows than it may, but for a batch that is larger alone, and it ends with the
// batch that makes it large enough.
func TestRowGroups(t *testing.T) {
	columns := []contract.Column{col("s", kind(contract.String)), col("l", listOf(kind(contract.Integer)))}
	rows := make([][]any, 1000)
	for i := range rows { // some 100 bytes each, which no codec or dictionary makes less
		rows[i] = []any{strconv.Itoa(i) + strings.Repeat("x", 80), []any{int64(i), int64(-i)}}
	}
	for _, test := range []struct {
		name string
		size int
		opts Options
		want []int64 // rows of each
	}{
		{"rows, in whole batches", 50, Options{RowGroupRows: 320}, []int64{300, 300, 300, 100}},
		{"as many rows as batches have", 250, Options{RowGroupRows: 250}, []int64{250, 250, 250, 250}},
		{"batches larger than a group", 400, Options{RowGroupRows: 300}, []int64{400, 400, 200}},
		{"bytes", 50, Options{RowGroupBytes: 29_000}, []int64{300, 300, 300, 100}},
		{"a byte", 500, Options{RowGroupBytes: 1}, []int64{500, 500}},
		{"whatever comes first", 100, Options{RowGroupRows: 200, RowGroupBytes: 29_000}, []int64{200, 200, 200, 200, 200}},
		{"the default holds it all", 10, Options{}, []int64{1000}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.opts.Codec = Uncompressed
			file, _ := encode(t, columns, test.opts, batches(columns, rows, test.size)...)
			var got []int64
			for _, g := range open(t, file).Metadata().RowGroups {
				got = append(got, g.NumRows)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("rows of the groups (-want +got):\n%s", diff)
			}
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

// The bytes of a file must not depend on anything but the batches and options: not on the hash's seed, the pages that a
// batch's memory held before, or the writer's buffers.
func TestWrite_sameBytes(t *testing.T) {
	columns := everything()
	for _, codec := range []Codec{Snappy, Zstd, Uncompressed} {
		opts := Options{Codec: codec, RowGroupRows: 1500}
		first, _ := encode(t, columns, opts, batches(columns, someRows(4000), 500)...)
		second, _ := encode(t, columns, opts, batches(columns, someRows(4000), 500)...)
		if !bytes.Equal(first, second) {
			t.Errorf("%s: two writers made different files", codec)
		}
	}
}

// Every page header, size, count and offset of a file is checked against what lies there.
func TestFile_addsUp(t *testing.T) {
	columns := everything()
	rows := someRows(9000)
	for _, codec := range []Codec{Snappy, Zstd, Uncompressed} {
		file, info := encode(t, columns, Options{Codec: codec, RowGroupRows: 3000}, batches(columns, rows, 1000)...)
		m := open(t, file).Metadata()
		at, total := int64(4), int64(0)
		for _, g := range m.RowGroups {
			var raw, packed int64
			if g.FileOffset != at {
				t.Errorf("row group says it starts at %d, it starts at %d", g.FileOffset, at)
			}
			for _, c := range g.Columns {
				d := c.MetaData
				at = walkChunk(t, file, at, strings.Join(d.PathInSchema, "."), d)
				raw += d.TotalUncompressedSize
				packed += d.TotalCompressedSize
			}
			if g.TotalByteSize != raw || g.TotalCompressedSize != packed {
				t.Errorf("row group says %d and %d bytes, its chunks %d and %d", g.TotalByteSize, g.TotalCompressedSize, raw, packed)
			}
			total += g.NumRows
		}
		if footer := int64(len(file)) - 8 - int64(binary.LittleEndian.Uint32(file[len(file)-8:])); at != footer {
			t.Errorf("chunks end at %d, the footer starts at %d", at, footer)
		}
		if total != info.Rows || string(file[:4]) != "PAR1" || string(file[len(file)-4:]) != "PAR1" {
			t.Errorf("%d rows in the groups of a file of %d, between %q and %q", total, info.Rows, file[:4], file[len(file)-4:])
		}
	}
}

// walkChunk reads the page headers of the chunk that should start at offset at, and returns where it ends.
func walkChunk(t *testing.T, file []byte, at int64, name string, d reference.ColumnMetaData) int64 {
	t.Helper()
	var raw, values int64
	seen := map[[2]int32]int32{}
	start := at
	for at < start+d.TotalCompressedSize {
		data := thrift.NewTMemoryBuffer()
		data.Write(file[at:])
		h := format.NewPageHeader()
		if err := h.Read(t.Context(), thrift.NewTCompactProtocolConf(data, nil)); err != nil {
			t.Fatalf("column %s: page header at %d: %v", name, at, err)
		}
		size := int64(len(file)) - at - int64(data.RemainingBytes())
		encoding := format.Encoding_PLAIN
		if h.Type == format.PageType_DICTIONARY_PAGE {
			if d.DictionaryPageOffset != at || at != start {
				t.Errorf("column %s: a dictionary at %d, the metadata says %d", name, at, d.DictionaryPageOffset)
			}
		} else {
			encoding = h.DataPageHeader.Encoding
			if values == 0 && d.DataPageOffset != at {
				t.Errorf("column %s: the first data page at %d, the metadata says %d", name, at, d.DataPageOffset)
			}
			values += int64(h.DataPageHeader.NumValues)
		}
		seen[[2]int32{int32(h.Type), int32(encoding)}]++
		raw += size + int64(h.UncompressedPageSize)
		at += size + int64(h.CompressedPageSize)
	}
	if at != start+d.TotalCompressedSize || raw != d.TotalUncompressedSize || values != d.NumValues {
		t.Errorf("column %s: pages end at %d with %d raw bytes and %d values; the metadata says %d, %d, %d", name,
			at, raw, values, start+d.TotalCompressedSize, d.TotalUncompressedSize, d.NumValues)
	}
	said := map[[2]int32]int32{}
	for _, s := range d.EncodingStats {
		said[[2]int32{int32(s.PageType), int32(s.Encoding)}] = s.Count
	}
	if diff := cmp.Diff(seen, said); diff != "" {
		t.Errorf("column %s: pages by type and encoding (-in the file +in the metadata):\n%s", name, diff)
	}
	return at
}

// encodings are the data pages of the first column by encoding, and the entries of its dictionary.
func encodings(t *testing.T, file []byte) (plain, numbered, entries int32) {
	t.Helper()
	d := open(t, file).Metadata().RowGroups[0].Columns[0].MetaData
	for _, s := range d.EncodingStats {
		switch {
		case s.PageType == reference.DictionaryPage:
			data := thrift.NewTMemoryBuffer()
			data.Write(file[d.DictionaryPageOffset:])
			h := format.NewPageHeader()
			if err := h.Read(t.Context(), thrift.NewTCompactProtocolConf(data, nil)); err != nil {
				t.Fatal(err)
			}
			entries = h.DictionaryPageHeader.NumValues
		case s.Encoding == reference.Plain:
			plain = s.Count
		default:
			numbered = s.Count
		}
	}
	return plain, numbered, entries
}

func TestDictionary(t *testing.T) {
	text := func(distinct func(i int) int) func(int) any {
		return func(i int) any { return "value " + strconv.Itoa(distinct(i)) }
	}
	for _, test := range []struct {
		name            string
		typ             contract.Type
		value           func(i int) any
		plain, numbered int32 // of the 8 pages of 1000 rows
		entries         int32 // of the dictionary: a page that gives it up leaves nothing behind
	}{
		{name: "one text", typ: kind(contract.String), value: text(func(int) int { return 0 }), numbered: 8, entries: 1},
		{name: "hundred texts", typ: kind(contract.String), value: text(func(i int) int { return i % 100 }), numbered: 8, entries: 100},
		{name: "texts that never repeat", typ: kind(contract.String), value: text(func(i int) int { return i }), plain: 8},
		{name: "texts that cease to repeat", typ: kind(contract.String), value: text(func(i int) int { return max(i, 2000) }), numbered: 2, entries: 1, plain: 6},
		{name: "long texts beyond the dictionary's bytes", typ: kind(contract.String),
			value: func(i int) any { return strings.Repeat("x", 6000) + strconv.Itoa(i%200) }, plain: 8},
		{name: "nulls, then texts", typ: kind(contract.String), value: func(i int) any {
			if i < 2500 {
				return nil
			}
			return "a"
		}, plain: 2, numbered: 6, entries: 1},
		{name: "one number", typ: kind(contract.Timestamp), value: func(int) any { return int64(1741098300000) }, numbered: 8, entries: 1},
		{name: "few numbers", typ: kind(contract.Double), value: func(i int) any { return float64(i % 50) }, numbered: 8, entries: 50},
		{name: "zero and one", typ: kind(contract.Integer), value: func(i int) any { return int64(i % 2) }, numbered: 8, entries: 2},
		{name: "numbers in order", typ: kind(contract.Integer), value: func(i int) any { return int64(i) }, plain: 8},
		{name: "dates of two hundred days", typ: kind(contract.Date), value: func(i int) any { return int64(i * 7919 % 200) }, numbered: 8, entries: 200},
		{name: "booleans", typ: kind(contract.Boolean), value: func(i int) any { return i%2 == 0 }, plain: 8},
		{name: "wide decimals", typ: decimal(38, 0), value: func(i int) any { return big.NewInt(int64(i % 3)) }, numbered: 8, entries: 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			columns := []contract.Column{col("c", test.typ)}
			rows := make([][]any, 8000)
			for i := range rows {
				rows[i] = []any{test.value(i)}
			}
			file, _ := encode(t, columns, Options{}, batches(columns, rows, 1000)...)
			plain, numbered, entries := encodings(t, file)
			if plain != test.plain || numbered != test.numbered || entries != test.entries {
				t.Errorf("%d plain and %d numbered pages with %d entries, want %d, %d, %d",
					plain, numbered, entries, test.plain, test.numbered, test.entries)
			}
			sameSlots(t, shred(columns, rows), slotsOf(t, open(t, file)))
		})
	}
}

func TestCodec_perChunk(t *testing.T) {
	columns := []contract.Column{col("noise", kind(contract.Double)), col("steps", kind(contract.Integer)), col("text", kind(contract.String))}
	rnd := rand.New(rand.NewPCG(1, 2))
	rows := make([][]any, 5000)
	for i := range rows {
		rows[i] = []any{rnd.NormFloat64(), int64(i), "value " + strconv.FormatUint(rnd.Uint64N(10), 10)}
	}
	file, _ := encode(t, columns, Options{}, batches(columns, rows, 1000)...)
	var got []string
	for _, c := range open(t, file).Metadata().RowGroups[0].Columns {
		got = append(got, c.MetaData.Codec.String())
	}
	if diff := cmp.Diff([]string{"UNCOMPRESSED", "SNAPPY", "SNAPPY"}, got); diff != "" {
		t.Errorf("codecs (-want +got):\n%s", diff)
	}
	sameSlots(t, shred(columns, rows), slotsOf(t, open(t, file)))
}

func TestWrite_refuses(t *testing.T) {
	columns := []contract.Column{
		col("n", kind(contract.Integer)),
		col("s", kind(contract.String)),
		col("w", decimal(38, 0)),
		col("l", listOf(kind(contract.Boolean))),
		col("r", structOf(col("d", kind(contract.Date)))),
	}
	rows := [][]any{
		{int64(1), "a", big.NewInt(1), []any{true, nil}, fields{int64(1)}},
		{nil, nil, nil, nil, nil},
		{int64(3), "c", big.NewInt(3), []any{}, fields{nil}},
	}
	for _, test := range []struct {
		name  string
		spoil func(*record.Batch)
		want  string
	}{
		{name: "too few vectors", spoil: func(b *record.Batch) { b.Vectors = b.Vectors[1:] }, want: "batch has 4 vectors, the schema 5 leaves"},
		{name: "negative rows", spoil: func(b *record.Batch) { b.Rows = -1 }, want: "batch has -1 rows"},
		{name: "another kind", spoil: func(b *record.Batch) { b.Vectors[0].Kind = contract.Double }, want: "column n: vector is of kind 3, the column of kind 2"},
		{name: "too few values", spoil: func(b *record.Batch) { b.Vectors[0].I64 = b.Vectors[0].I64[1:] }, want: "column n: has 1 values in 3 slots of which 1 are null"},
		{name: "a short bitmap", spoil: func(b *record.Batch) { b.Vectors[0].Valid = nil }, want: "column n: bitmap has 0 bytes for 3 rows"},
		{name: "another bitmap", spoil: func(b *record.Batch) { b.Vectors[0].Valid[0] = 7 }, want: "column n: bitmap has 0 nulls, the vector says 1"},
		{name: "too many nulls", spoil: func(b *record.Batch) { b.Vectors[0].Nulls = 4 }, want: "column n: 4 of 3 slots are null"},
		{name: "text cut off", spoil: func(b *record.Batch) { b.Vectors[1].Bytes = b.Vectors[1].Bytes[:9] }, want: "column s: has -1 values"},
		{name: "length cut off", spoil: func(b *record.Batch) { b.Vectors[1].Bytes = b.Vectors[1].Bytes[:7] }, want: "column s: has -1 values"},
		{name: "half a decimal", spoil: func(b *record.Batch) { b.Vectors[2].Bytes = b.Vectors[2].Bytes[:24] }, want: "column w: has -1 values"},
		{name: "a level too high", spoil: func(b *record.Batch) { b.Vectors[3].Def[0] = 4 }, want: "column l.list.element: definition level 4, the highest is 3"},
		{name: "nulls that levels deny", spoil: func(b *record.Batch) { b.Vectors[3].Def[1] = 3 }, want: "column l.list.element: definition levels have 2 nulls, the vector says 3"},
		{name: "lists that start nowhere", spoil: func(b *record.Batch) { b.Vectors[3].Rep[0] = 1 }, want: "column l.list.element: repetition levels start 2 rows of 3"},
		{name: "a repetition too high", spoil: func(b *record.Batch) { b.Vectors[3].Rep[1] = 2 }, want: "column l.list.element: repetition level 2, the highest is 1"},
		{name: "levels of two lengths", spoil: func(b *record.Batch) { b.Vectors[3].Rep = b.Vectors[3].Rep[1:] }, want: "column l.list.element: has 3 repetition levels and 4 definition levels"},
		{name: "no levels", spoil: func(b *record.Batch) { b.Vectors[3] = record.Vector{Kind: contract.Boolean} }, want: "column l.list.element: repetition levels start 0 rows of 3"},
		{name: "a slot too few", spoil: func(b *record.Batch) { b.Vectors[4].Def, b.Vectors[4].Nulls = b.Vectors[4].Def[:2], 1 }, want: "column r.d: has 2 slots for 3 rows"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out untouched
			w, err := NewWriter(&out, columns, Options{RowGroupRows: 1})
			if err != nil {
				t.Fatal(err)
			}
			b := batch(columns, rows)
			test.spoil(b)
			err = w.Write(b)
			if err == nil || !strings.Contains(err.Error(), "write batch behind row 0: "+test.want) {
				t.Fatalf("got error %v, want one that has %q", err, test.want)
			}
			if again := w.Write(batch(columns, rows)); !errors.Is(again, err) {
				t.Errorf("a good batch after the bad one: %v, want the first error", again)
			}
			if _, closed := w.Close(); !errors.Is(closed, err) {
				t.Errorf("Close after the bad batch: %v, want the first error", closed)
			}
			if out.calls > 0 {
				t.Errorf("%d writes for a file that is lost", out.calls)
			}
		})
	}
}

var errDisk = errors.New("disk full")

// failing accepts left bytes and then fails, or, when short, says nothing.
type failing struct {
	left  int
	short bool
	after bool // a write came after the failure
	dead  bool
}

func (f *failing) Write(p []byte) (int, error) {
	f.after = f.after || f.dead
	if len(p) <= f.left {
		f.left -= len(p)
		return len(p), nil
	}
	n := f.left
	f.left, f.dead = 0, true
	if f.short {
		return n, nil
	}
	return n, errDisk
}

func TestWrite_failingWriter(t *testing.T) {
	columns := everything()
	rows := batches(columns, someRows(60), 20)
	whole, _ := encode(t, columns, Options{RowGroupRows: 20}, rows...)
	for left := 0; left < len(whole); left += 97 {
		for _, short := range []bool{false, true} {
			out := &failing{left: left, short: short}
			w, err := NewWriter(out, columns, Options{RowGroupRows: 20})
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range rows {
				if err = w.Write(b); err != nil {
					break
				}
			}
			_, closed := w.Close()
			want := errDisk
			if short {
				want = io.ErrShortWrite
			}
			if !errors.Is(closed, want) || err != nil && !errors.Is(err, want) {
				t.Fatalf("after %d bytes: Write %v, Close %v, want %v", left, err, closed, want)
			}
			if !strings.Contains(closed.Error(), "at offset ") {
				t.Errorf("error does not say where: %v", closed)
			}
			if out.after {
				t.Errorf("after %d bytes: the writer was used after it had failed", left)
			}
		}
	}
}

func TestClose_twice(t *testing.T) {
	w, err := NewWriter(io.Discard, everything(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); !errors.Is(err, ErrClosed) {
		t.Errorf("second Close: %v, want ErrClosed", err)
	}
	if err := w.Write(batch(everything(), someRows(1))); !errors.Is(err, ErrClosed) {
		t.Errorf("Write after Close: %v, want ErrClosed", err)
	}
}

// A writer must not keep what it was given: the batch goes back to its owner and is filled anew.
func TestWrite_keepsNothing(t *testing.T) {
	columns := everything()
	rows := someRows(200)
	want, _ := encode(t, columns, Options{}, batches(columns, rows, 100)...)
	var buf bytes.Buffer
	w, err := NewWriter(&buf, columns, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches(columns, rows, 100) {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		for i := range b.Vectors {
			v := &b.Vectors[i]
			clear(v.Valid)
			clear(v.Def)
			clear(v.Rep)
			clear(v.I64)
			clear(v.F64)
			clear(v.I32)
			clear(v.Bool)
			clear(v.Bytes)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, buf.Bytes()) {
		t.Error("the file changed with the batches after Write")
	}
}

// What a writer holds must not grow with the file. Blocks are its buffers of pages; a row group here takes no more than
// the sixth part of the file.
func TestWriter_boundedMemory(t *testing.T) {
	columns := coinMarkets()
	batches := coins(2)
	w, err := NewWriter(io.Discard, columns, Options{RowGroupRows: 2 * record.BatchRows})
	if err != nil {
		t.Fatal(err)
	}
	var after []int
	for range 6 {
		for _, b := range batches {
			if err := w.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		after = append(after, len(w.enc.blocks.free))
	}
	for _, n := range after[1:] {
		if n != after[0] {
			t.Errorf("blocks after each row group: %v, want the same number", after)
			break
		}
	}
}
