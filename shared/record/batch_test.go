package record

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hander passes batches to another goroutine, as a sink that encodes on the second core does.
type hander struct {
	batches chan *Batch
}

func (h *hander) Batch(b *Batch) error { h.batches <- b; return nil }

func (h *hander) Reject(*Reject) error { return nil }

func TestBatchesPassOn(t *testing.T) {
	const records = 5*BatchRows + 17
	text := newCoins(3).lines(records)
	p := coinPlan(t)
	h := &hander{batches: make(chan *Batch, 1)}
	var ids, rows int64
	var worker sync.WaitGroup
	worker.Go(func() {
		for b := range h.batches {
			for i, f := range p.leaves {
				v := &b.Vectors[i]
				slots := len(v.Def)
				if f.MaxDef == 1 && f.MaxRep == 0 {
					slots = b.Rows
				}
				if v.Nulls > slots || f.MaxRep == 0 && slots != b.Rows {
					t.Errorf("%v: %d nulls in %d slots of %d rows", f.Path, v.Nulls, slots, b.Rows)
				}
			}
			rows += int64(b.Rows)
			_ = b.Each([]int{0}, func(_ int, values []Value) error {
				if strings.HasSuffix(string(values[0].Text), "-"+itoa(ids)) {
					ids++
				}
				return nil
			})
			b.Release()
		}
	})
	r := p.Start(Run{ScheduledAt: scheduled}, h)
	if err := r.Page(Page{Number: 1, Records: records}, bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Close(); err != nil {
		t.Fatal(err)
	}
	close(h.batches)
	worker.Wait()
	if rows != records || ids != records {
		t.Fatalf("%d rows, %d ids in order; want %d", rows, ids, records)
	}
}

// failing is a sink that takes nothing.
type failing struct{ err error }

func (f failing) Batch(*Batch) error { return f.err }

func (f failing) Reject(*Reject) error { return f.err }

func TestSinkFails(t *testing.T) {
	p := dataset{columns: "- {name: n, logicalType: integer, unique: true}"}.plan(t)
	full := errors.New("disk full")
	for _, tt := range []struct {
		name  string
		pages []string
	}{
		{"at a reject", []string{`[{"n":"x"}]`, `[]`}},
		{"at a reject that comes later", []string{`[{"n":1},{"n":1},{"n":2}]`}},
		{"at a bad line", []string{"{\"n\":1}\nx\n"}},
		{"at the last batch", []string{`[{"n":1}]`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := p.Start(Run{ScheduledAt: scheduled}, failing{full})
			var err error
			for i, page := range tt.pages {
				if err = r.Page(Page{Number: i + 1, Records: -1}, strings.NewReader(page)); err != nil {
					break
				}
			}
			if err == nil {
				_, err = r.Close()
			}
			if !errors.Is(err, full) {
				t.Fatalf("error %v, want %v", err, full)
			}
			if _, again := r.Close(); !errors.Is(again, full) && tt.name != "at the last batch" {
				t.Fatalf("Close says %v afterwards, want %v", again, full)
			}
		})
	}
}

// Memory does not grow with the page: the window holds one record, and batches come back.
func TestBoundedMemory(t *testing.T) {
	p := dataset{columns: "- {name: n, logicalType: integer}\n- {name: s, logicalType: string}"}.plan(t)
	sink := &discard{}
	r := p.Start(Run{ScheduledAt: scheduled}, sink)
	line := `{"n":1,"s":"` + strings.Repeat("x", 300) + `"}` + "\n"
	const lines = 200_000
	if err := r.Page(Page{Number: 1, Records: lines}, io.LimitReader(&repeated{line: line}, int64(lines*len(line)))); err != nil {
		t.Fatal(err)
	}
	if len(r.buf) != windowSize+pad {
		t.Errorf("the window has grown to %d bytes", len(r.buf))
	}
	if s, err := r.Close(); err != nil || s.Clean != lines {
		t.Fatal(s, err)
	}
}

// repeated reads one line again and again.
type repeated struct {
	line string
	at   int
}

func (r *repeated) Read(b []byte) (n int, err error) {
	for n < len(b) {
		k := copy(b[n:], r.line[r.at:])
		n += k
		r.at = (r.at + k) % len(r.line)
	}
	return n, nil
}

// Large texts and lists end a batch early, at the same record whatever the window.
func TestBatchBytes(t *testing.T) {
	var page strings.Builder
	page.WriteString("[")
	for i := range 600 {
		if i > 0 {
			page.WriteString(",")
		}
		page.WriteString(`{"k":` + itoa(int64(i%590)) + `,"s":"` + strings.Repeat("x", 20_000) + `","l":[` + strings.Repeat("1,", 500) + `1]}`)
	}
	page.WriteString("]")
	p := dataset{columns: "- {name: k, logicalType: integer, unique: true}\n- {name: s, logicalType: string}\n- {name: l, logicalType: array, items: {logicalType: integer}}"}.plan(t)
	var first []int
	for _, window := range []int{windowSize, 1 << 10, 1 << 20} {
		p.window = window
		s := &sizes{}
		r := p.Start(Run{ScheduledAt: scheduled}, s)
		if err := r.Page(Page{Number: 1, Records: 600}, strings.NewReader(page.String())); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = s.rows
		}
		if diff := cmp.Diff(first, s.rows); diff != "" || len(s.rows) != 4 {
			t.Fatalf("window of %d: batches of %v rows, want those of the first window\n%s", window, s.rows, diff)
		}
	}
}

// sizes notes how many rows batches have.
type sizes struct{ rows []int }

func (s *sizes) Batch(b *Batch) error { s.rows = append(s.rows, b.Rows); b.Release(); return nil }

func (*sizes) Reject(*Reject) error { return nil }

func TestManyViolations(t *testing.T) {
	p := dataset{columns: "- {name: l, logicalType: array, items: {logicalType: integer}}"}.plan(t)
	c, s, err := run(t, p, strings.NewReader(`[{"l":[`+strings.Repeat(`"x",`, 5000)+`1]},{"l":["x"]}]`))
	if err != nil {
		t.Fatal(err)
	}
	v := c.rejects[0].Violations
	if len(v) != MaxViolations+1 || v[MaxViolations].Message != "the record has 4000 further violations" || len(c.rejects[1].Violations) != 1 {
		t.Fatalf("%d violations, the last %+v; then %d", len(v), v[len(v)-1], len(c.rejects[1].Violations))
	}
	if diff := cmp.Diff([]RuleCount{{Rule: RuleType, Pointer: "/l/*", Records: 2}}, s.ByRule); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
}
