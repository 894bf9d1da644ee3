package parquet

import (
	"bytes"
	"math/big"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
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

// nested is a contract whose columns nest in all ways, with a key and a bound by which rows fall out again.
const nested = `apiVersion: v3.1.0
kind: DataContract
id: nested
name: nested
version: 1.0.0
status: active
servers:
  - {server: source, type: api, location: "https://api.example.com/nested"}
schema:
  - name: nested
    physicalName: nested
    logicalType: object
    properties:
      - {name: k, logicalType: integer, unique: true}
      - {name: l, logicalType: array, items: {logicalType: integer, logicalTypeOptions: {maximum: 98}}}
      - {name: ll, logicalType: array, items: {logicalType: array, items: {logicalType: string}}}
      - name: s
        logicalType: object
        properties:
          - {name: x, logicalType: number}
          - name: l
            logicalType: array
            items: {logicalType: object, properties: [{name: y, logicalType: boolean}, {name: m, logicalType: array, items: {logicalType: integer}}]}
          - {name: t, logicalType: object, properties: [{name: z, logicalType: string}, {name: w, logicalType: number, physicalType: "decimal(30,0)"}]}
      - name: ls
        logicalType: array
        items:
          logicalType: object
          properties:
            - {name: a, logicalType: integer}
            - {name: b, logicalType: array, items: {logicalType: array, items: {logicalType: number}}}
            - {name: c, logicalType: object, properties: [{name: d, logicalType: array, items: {logicalType: string}}]}
slaProperties:
  - {property: frequency, value: 1, unit: h}
customProperties:
  - property: source
    value: {records: "", pagination: {kind: single_page}}
`

// jsonOf draws a value of a column and writes it as an API may: members in any order, null or left out. It says whether it
// breaks the contract.
func jsonOf(r *rand.Rand, c *contract.Column) (value any, text string, bad bool) {
	if r.IntN(5) == 0 {
		return nil, "null", false
	}
	switch c.Type.Kind {
	case contract.Integer:
		n := r.Int64N(100)
		return n, strconv.FormatInt(n, 10), c.Constraints.Maximum != nil && n > 98
	case contract.Double:
		f := float64(r.IntN(100)) / 4
		return f, strconv.FormatFloat(f, 'g', -1, 64), false
	case contract.Decimal:
		n := new(big.Int).Mul(big.NewInt(r.Int64()-1<<62), big.NewInt(1e9))
		return n, n.String(), false
	case contract.Boolean:
		b := r.IntN(2) == 0
		return b, strconv.FormatBool(b), false
	case contract.String:
		s := strings.Repeat("ü", r.IntN(4))
		return s, `"` + s + `"`, false
	case contract.List:
		items, texts := make([]any, r.IntN(4)), make([]string, 0, 4)
		for i := range items {
			v, text, broken := jsonOf(r, c.Type.Elem)
			items[i], texts, bad = v, append(texts, text), bad || broken
		}
		return items, "[" + strings.Join(texts, ",") + "]", bad
	default:
		values, members, bad := membersOf(r, c.Type.Fields)
		return values, "{" + members + "}", bad
	}
}

func membersOf(r *rand.Rand, columns []contract.Column) (values fields, text string, bad bool) {
	values = make(fields, len(columns))
	var members []string
	for i := range columns {
		v, text, broken := jsonOf(r, &columns[i])
		if v == nil && r.IntN(2) == 0 {
			continue
		}
		values[i], bad = v, bad || broken
		members = append(members, strconv.Quote(columns[i].Name)+":"+text)
	}
	r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return values, strings.Join(members, ","), bad
}

// Levels are what Dremel's definition makes of the JSON, whatever rows have fallen out around them.
func TestNestedRecords(t *testing.T) {
	c, err := contract.Parse("nested.odcs.yaml", []byte(nested))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := record.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	for seed, block := range []int64{0, 7, 100, 333, 0} {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		var page, file bytes.Buffer
		var rows [][]any
		seen := map[int64]bool{}
		rejected := int64(0)
		for range 1500 {
			key := r.Int64N(4000)
			values, members, bad := membersOf(r, c.Columns[1:])
			for members == "" {
				values, members, bad = membersOf(r, c.Columns[1:])
			}
			page.WriteString(`{` + members + `,"k":` + strconv.FormatInt(key, 10) + "}\n")
			if bad || seen[key] {
				rejected++
				continue
			}
			seen[key] = true
			rows = append(rows, append([]any{key}, values...))
		}
		w, err := NewWriter(&file, c.Columns, Options{RowGroupRows: 300})
		if err != nil {
			t.Fatal(err)
		}
		reader := plan.Start(record.Run{Blocks: record.Blocks{Records: block}}, toWriter{w})
		if err := reader.Page(record.Page{Number: 1, Records: 1500}, &page); err != nil {
			t.Fatal(err)
		}
		summary, err := reader.Close()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if summary.Rejected != rejected || rejected < 100 || len(rows) < 500 {
			t.Fatalf("%d rejected, want %d beside %d rows: %v", summary.Rejected, rejected, len(rows), summary.ByRule)
		}
		f := open(t, file.Bytes())
		sameSlots(t, shred(c.Columns, rows), slotsOf(t, f))
		sameStatistics(t, c.Columns, f)
	}
}
