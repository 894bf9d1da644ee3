package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parts notes in which block each record came out, and as what.
type parts struct {
	collector
	rows    []int // of each batch
	blocks  map[string]int64
	batch   int64 // block of the last batch
	rejects int64 // of the last reject
	fault   string
}

func newParts(p *Plan) *parts {
	return &parts{collector: collector{plan: p}, blocks: map[string]int64{}}
}

func (s *parts) note(page int, index, block int64, last *int64) {
	key := fmt.Sprintf("%d/%d", page, index)
	if _, ok := s.blocks[key]; ok {
		s.fault += fmt.Sprintf("record %s came twice; ", key)
	}
	if block < *last {
		s.fault += fmt.Sprintf("record %s in block %d came behind block %d; ", key, block, *last)
	}
	s.blocks[key], *last = block, block
}

func (s *parts) Batch(b *Batch) error {
	if b.Rows == 0 {
		s.fault += "an empty batch; "
	}
	s.rows = append(s.rows, b.Rows)
	for i := range b.Rows {
		s.note(int(b.Page[i]), b.Index[i], b.Block, &s.batch)
	}
	return s.collector.Batch(b)
}

func (s *parts) Reject(r *Reject) error {
	s.note(r.Page, r.Index, r.Block, &s.rejects)
	return s.collector.Reject(r)
}

// divided reads pages in blocks.
func divided(p *Plan, blocks Blocks, pages ...io.Reader) (*parts, *Summary, error) {
	s := newParts(p)
	r := p.Start(Run{ScheduledAt: scheduled, Blocks: blocks}, s)
	for i, page := range pages {
		if err := r.Page(Page{Number: i + 1, FetchedAt: scheduled, Records: -1}, page); err != nil {
			return s, nil, err
		}
	}
	summary, err := r.Close()
	if err == nil && s.fault != "" {
		err = errors.New(s.fault)
	}
	return s, summary, err
}

// blocksOf says where records belong that start at these offsets of their pages.
func blocksOf(blocks Blocks, sizes []int, starts [][]int64) map[string]int64 {
	want := map[string]int64{}
	var records, bytes int64
	for p := range starts {
		for i, start := range starts[p] {
			block := int64(0)
			if blocks.Records > 0 {
				block += records / blocks.Records
			}
			if blocks.Bytes > 0 {
				block += (bytes + start) / blocks.Bytes
			}
			want[fmt.Sprintf("%d/%d", p+1, i)] = block
			records++
		}
		bytes += int64(sizes[p])
	}
	return want
}

// dirt makes records that are clean, and others that some contracts reject, or all of them.
type dirt struct {
	*rand.Rand
	n int64
}

func (d *dirt) record(lines bool) string {
	k, n, s, more := itoa(d.n), itoa(d.Int64N(100)), strings.Repeat("x", d.IntN(60)), ""
	if d.n > 0 {
		switch d.IntN(24) {
		case 0, 1:
			k = itoa(max(0, d.n-1-d.Int64N(50))) // a key that has been there
		case 2:
			k = "null"
		case 3, 4, 5:
			n = "-" + n
		case 6:
			n = `"many"`
		case 7:
			s = strings.Repeat("y", 500+d.IntN(2000))
		case 8:
			more = `,"other":{"a":[1,2]}`
		case 9:
			s += `\ud800`
		case 10:
			d.n++
			return []string{"5", `"text"`, "[1,2]", "null", "true"}[d.IntN(5)]
		case 11:
			if lines {
				d.n++
				return []string{`{"k":1,tru}`, "oops", `{"k":`, `{"k":}`}[d.IntN(4)]
			}
		case 12:
			if d.IntN(4) == 0 {
				s = strings.Repeat("z", 70<<10) // above limits.record
			}
		case 13:
			if d.IntN(4) == 0 {
				more = `,"deep":` + strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1)
			}
		}
	}
	d.n++
	return `{"k":` + k + `,"n":` + n + `,"s":"` + s + `","l":[1,2]` + more + `}`
}

// page writes records in one of the forms that pages have, and says where they start.
func (d *dirt) page(form string, records int) (text string, starts []int64) {
	var b strings.Builder
	before, between, after := "", "", ""
	switch form {
	case "array":
		before, between, after = "\xef\xbb\xbf[", ",", "]\n"
	case "below a pointer":
		before, between, after = `{"next":{"a":1},"a":{"b":[`, " ,\n", `],"c":null}}`
	case "lines":
		between, after = "\n", "\n"
	}
	b.WriteString(before)
	for i := range records {
		if i > 0 {
			b.WriteString(between + strings.Repeat(" ", d.IntN(3)))
		}
		starts = append(starts, int64(b.Len()))
		b.WriteString(d.record(form == "lines"))
	}
	b.WriteString(after)
	return b.String(), starts
}

var blockContracts = []struct{ name, columns, quality string }{
	{name: "loose"},
	{name: "unique keys", columns: "- {name: key, logicalType: integer, unique: true, transformSourceObjects: [/k]}"},
	{name: "narrow", columns: "- {name: key, logicalType: integer, unique: true, required: true, transformSourceObjects: [/k]}\n" +
		"- {name: few, logicalType: number, transformSourceObjects: [/n], logicalTypeOptions: {minimum: 40}}\n" +
		"- {name: short, logicalType: string, transformSourceObjects: [/s], logicalTypeOptions: {maxLength: 30}}"},
	{name: "doubles counted", quality: "- {id: again, type: library, metric: duplicateValues, mustBe: 0, unit: rows, severity: warning, arguments: {properties: [k]}}"},
	{name: "nothing passes", columns: "- {name: absent, logicalType: string, required: true}"},
}

// Records lie in the same blocks under every contract, in every form of page, however the window cuts it, and nothing
// else depends on the blocks.
func TestBlocks(t *testing.T) {
	sizes := []Blocks{{}, {Records: 1}, {Bytes: 1}, {Records: 7}, {Records: 32}, {Bytes: 1000}, {Bytes: 20_000}, {Records: 50, Bytes: 4096}, {Records: 1 << 40, Bytes: 1 << 50}}
	for _, form := range []string{"array", "lines", "below a pointer"} {
		d := &dirt{Rand: rand.New(rand.NewPCG(1, 2))}
		var pages []string
		var lengths []int
		var starts [][]int64
		for _, n := range []int{150, 1, 90, 0, 33, 260} {
			if n == 0 && form == "lines" {
				continue // a stream without records is no page
			}
			text, at := d.page(form, n)
			pages, lengths, starts = append(pages, text), append(lengths, len(text)), append(starts, at)
		}
		for _, c := range blockContracts {
			records := ""
			if form == "below a pointer" {
				records = "/a/b"
			}
			p := dataset{
				columns: "- {name: k, logicalType: integer}\n- {name: n, logicalType: number}\n- {name: s, logicalType: string}\n- {name: l, logicalType: array, items: {logicalType: integer}}\n" +
					"- {name: place, logicalType: integer, transformLogic: record.index}\n" + c.columns,
				quality: c.quality, records: records, limits: "{record: 64KiB}",
			}.plan(t)
			whole, summary, err := divided(p, Blocks{}, readers(pages)...)
			if err != nil {
				t.Fatal(err)
			}
			if rejected := summary.Rejected; rejected == 0 || (summary.Clean == 0) != (c.name == "nothing passes") {
				t.Fatalf("%s, %s: %d clean and %d rejected records show little", form, c.name, summary.Clean, rejected)
			}
			for _, window := range []int{windowSize, 1 << 10, 1} {
				p.window = window
				for _, size := range sizes {
					t.Run(fmt.Sprintf("%s/%s/%d/%d records %d bytes", form, c.name, window, size.Records, size.Bytes), func(t *testing.T) {
						got, again, err := divided(p, size, readers(pages)...)
						if err != nil {
							t.Fatal(err)
						}
						if diff := cmp.Diff(blocksOf(size, lengths, starts), got.blocks); diff != "" {
							t.Errorf("blocks (-want +got)\n%s", diff)
						}
						if diff := cmp.Diff(whole.outcome, got.outcome); diff != "" {
							t.Errorf("outcome (-in one block +in many)\n%s", diff)
						}
						if diff := cmp.Diff(summary, again); diff != "" {
							t.Errorf("summary (-in one block +in many)\n%s", diff)
						}
					})
				}
			}
		}
	}
}

// Batches are no smaller than the blocks make them.
func TestBatchesOfBlocks(t *testing.T) {
	const records = 20_000
	p := dataset{columns: "- {name: n, logicalType: integer, unique: true}"}.plan(t)
	var page strings.Builder
	for i := range int64(records) {
		fmt.Fprintf(&page, "{\"n\":%05d}\n", 10_000+i)
	}
	for _, tt := range []struct {
		blocks Blocks
		want   []int
	}{
		{Blocks{}, []int{BatchRows, BatchRows, 3616}},
		{Blocks{Records: BatchRows}, []int{BatchRows, BatchRows, 3616}},
		{Blocks{Records: BatchRows - 1}, []int{BatchRows - 1, BatchRows - 1, 3618}},
		{Blocks{Records: BatchRows + 1}, []int{BatchRows, 1, BatchRows, 1, 3614}},
		{Blocks{Records: 10_000}, []int{BatchRows, 1808, BatchRows, 1808}},
		{Blocks{Bytes: 60_000}, []int{5000, 5000, 5000, 5000}},
		{Blocks{Bytes: 60_001}, []int{5001, 5000, 5000, 4999}},
		{Blocks{Records: 8000, Bytes: 120_000}, []int{8000, 2000, 6000, 4000}},
	} {
		s, summary, err := divided(p, tt.blocks, strings.NewReader(page.String()))
		if err != nil || summary.Clean != records {
			t.Fatal(summary, err)
		}
		if diff := cmp.Diff(tt.want, s.rows); diff != "" {
			t.Errorf("%+v: rows of batches (-want +got)\n%s", tt.blocks, diff)
		}
	}
}

// The next block is not entered when what there is of the last one cannot be given away.
func TestSinkFailsAtBorder(t *testing.T) {
	full := errors.New("disk full")
	for name, page := range map[string]string{"row": `[{"n":1},{"n":2}]`, "reject": "{\"n\":1}\noops\n{\"n\":2}\n", "double": `[{"n":1},{"n":1},{"n":2}]`} {
		for _, records := range []int64{1, 2} {
			p := dataset{columns: "- {name: n, logicalType: integer, unique: true}"}.plan(t)
			r := p.Start(Run{ScheduledAt: scheduled, Blocks: Blocks{Records: records}}, failing{full})
			err := r.Page(Page{Number: 1, Records: -1}, strings.NewReader(page))
			if err == nil {
				_, err = r.Close()
			}
			if !errors.Is(err, full) {
				t.Errorf("%s at %d records: error %v, want %v", name, records, err, full)
			}
		}
	}
}

// beginnings notes where the records of a page start, without any contract.
type beginnings struct {
	scanner
	at []int64
}

func (b *beginnings) parse(i int) int         { return b.skip(i) }
func (*beginnings) undo()                     {}
func (*beginnings) named(string, string)      {}
func (*beginnings) settle() error             { return nil }
func (b *beginnings) take(start, _ int) error { b.at = append(b.at, b.base+int64(start)); return nil }
func (b *beginnings) refuse(s span, _, _ string) error {
	b.at = append(b.at, s.offset)
	return nil
}

// FuzzBlocks reads any bytes as two pages under contracts that have nothing in common: records lie in the same blocks.
func FuzzBlocks(f *testing.F) { fuzzText(f, pageSeeds, blocksAgree(f)) }

func blocksAgree(tb testing.TB) func(*testing.T, string) {
	plans := []*Plan{fuzzPlan(tb), dataset{columns: "- {name: absent, logicalType: string, required: true}"}.plan(tb), dataset{columns: "- {name: i, logicalType: string}"}.plan(tb)}
	plans[1].window = 1
	plans[2].window = 1 << 10
	return func(t *testing.T, page string) {
		b := &beginnings{}
		doc := document{scanner: &b.scanner, page: 1, records: b}
		if err := doc.read(strings.NewReader(page), 1<<10, DefaultRecordLimit); err != nil {
			return // FuzzPage looks at these
		}
		for _, size := range []Blocks{{Records: 1}, {Records: 2}, {Bytes: 10}, {Records: 3, Bytes: 20}} {
			want := blocksOf(size, []int{len(page), len(page)}, [][]int64{b.at, b.at})
			for i, p := range plans {
				got, _, err := divided(p, size, bytes.NewReader([]byte(page)), strings.NewReader(page))
				if err != nil {
					t.Fatalf("contract %d: %v", i, err)
				}
				if diff := cmp.Diff(want, got.blocks); diff != "" {
					t.Fatalf("contract %d, %+v: blocks (-want +got)\n%s", i, size, diff)
				}
			}
		}
	}
}
