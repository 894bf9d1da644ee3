package parquet

import (
	"bytes"
	"math/big"
	"os"
	"testing"
	"time"

	"tributary/shared/contract"
	"tributary/shared/record"
)

// contractRows are the clean rows of the pages that package record is tested with, as a reader of the files is to find
// them: the whole way from a contract and its API's bytes to Parquet.
var contractRows = []struct {
	name string
	rows [][]any
}{
	{"orders", [][]any{
		{
			"123e4567-e89b-12d3-a456-426614174000", "paid", at("2025-03-01T07:00:00Z"), day("2025-03-04"), int64(123450), 0.19, true,
			fields{int64(7), "a@example.com", fields{"Köln", "50667"}},
			[]any{
				fields{"A", int64(2), big.NewInt(1234567891), []any{"x", nil}},
				fields{"B", int64(1), bigInt("999999999999999999990000000000"), []any{}},
			},
			[]any{"C1", "C2"}, `{"any": [1, 2.0]}`, int64(7), 0.81, day("2025-03-01"), at("2025-03-04T14:45:00Z"),
		},
		{
			"123e4567-e89b-12d3-a456-426614174001", "open", at("2025-03-01T08:00:00Z"), nil, int64(0), nil, nil,
			fields{int64(8), nil, nil},
			[]any{fields{"C", int64(1), big.NewInt(10_000_000_000), nil}},
			nil, nil, int64(8), nil, day("2025-03-01"), at("2025-03-04T14:45:00Z"),
		},
	}},
	{"earthquakes", [][]any{
		{
			"a1", 4.5, `off "X"`, at("2025-03-04T14:45:50.155Z"), nil, "https://example.org/a1", []any{-117.5, 35.25, 8.0},
			`{"type":"Point","coordinates":[-117.5,35.25,8]}`, []any{[]any{int64(1), int64(2)}, []any{}, nil, []any{nil, int64(3)}}, false,
			at("2025-03-04T14:45:00Z"),
		},
		{
			"a2", 6.5, nil, at("2025-03-04T14:45:50.155Z"), int64(0), nil, []any{1.0, 2.0}, `{"coordinates":[1,2]}`, nil, true,
			at("2025-03-04T14:45:00Z"),
		},
	}},
	{"sensor_readings", [][]any{
		{
			int64(1), at("2025-03-04T14:45:50Z"), at("2025-03-04T14:46:00.25Z"), at("2025-07-01T10:00:00Z"), -0.5, 1013.25, int64(15), int64(99), "Anna",
			fields{52.5, 13.4}, []any{true, false, nil}, "192.0.2.1", at("2025-03-04T14:45:00Z"), "1:0", 10.0, false,
		},
		{
			int64(1), at("2025-03-04T14:45:50.5Z"), at("2025-03-04T14:48:20Z"), nil, 20.0, nil, nil, nil, "Bo2",
			nil, nil, nil, at("2025-03-04T14:45:00Z"), "1:1", 150.0, true,
		},
	}},
}

func at(text string) int64 {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t.UnixMilli()
}

func day(text string) int64 { return at(text+"T00:00:00Z") / (24 * 60 * 60 * 1000) }

// contractFile reads the page of a contract's API and writes what is clean, with a row group for each row.
func contractFile(t *testing.T, name string) ([]contract.Column, []byte) {
	t.Helper()
	c, err := contract.Load("../contract/testdata/" + name + ".odcs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := record.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../record/testdata/contracts/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w, err := NewWriter(&file, c.Columns, Options{RowGroupRows: 1})
	if err != nil {
		t.Fatal(err)
	}
	run := record.Run{ScheduledAt: time.UnixMilli(at("2025-03-04T14:45:00Z")), Blocks: record.Blocks{Records: 1}}
	reader := plan.Start(run, toWriter{w})
	if err := reader.Page(record.Page{Number: 1, FetchedAt: run.ScheduledAt, Records: -1}, bytes.NewReader(page)); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return c.Columns, file.Bytes()
}

// toWriter is a sink that writes batches and drops rejects.
type toWriter struct{ *Writer }

func (w toWriter) Batch(b *record.Batch) error {
	defer b.Release()
	return w.Write(b)
}

func (toWriter) Reject(*record.Reject) error { return nil }

func TestContracts(t *testing.T) {
	for _, test := range contractRows {
		t.Run(test.name, func(t *testing.T) {
			columns, file := contractFile(t, test.name)
			f := open(t, file)
			if n := len(f.RowGroups()); n != len(test.rows) {
				t.Errorf("%d row groups, want %d", n, len(test.rows))
			}
			sameSlots(t, shred(columns, test.rows), slotsOf(t, f))
			sameStatistics(t, columns, f)
		})
	}
}
