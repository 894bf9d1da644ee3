package api_test

import (
	"bytes"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"tributary/infra/local/api"
	"tributary/shared/contract"
	"tributary/shared/record"
)

func bulk(t *testing.T, b api.Bulk) []string {
	t.Helper()
	var text bytes.Buffer
	if err := b.Write(&text); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
}

// numbered keeps the places of rejects.
type numbered struct{ at map[int64]bool }

func (numbered) Batch(b *record.Batch) error { b.Release(); return nil }

func (n numbered) Reject(r *record.Reject) error { n.at[r.Index] = true; return nil }

func TestBulkIsCleanButForWhatIsPlanted(t *testing.T) {
	const count = 5000
	clean := bulk(t, api.Bulk{Count: count, Seed: 3, At: at})
	dirty := bulk(t, api.Bulk{Count: count, Seed: 3, At: at, DirtyPermille: 20})
	if len(clean) != count || len(dirty) != count {
		t.Fatalf("%d and %d lines, want %d", len(clean), len(dirty), count)
	}
	planted := map[int64]bool{}
	for i := range clean {
		if clean[i] != dirty[i] {
			planted[int64(i)] = true
		}
	}
	if n := len(planted); n < count*15/1000 || n > count*25/1000 {
		t.Errorf("%d records have faults, want about %d", n, count*20/1000)
	}
	c, err := contract.Load("../../../shared/datasets/coin_markets.odcs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := record.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		lines []string
		want  map[int64]bool
	}{"clean": {clean, map[int64]bool{}}, "dirty": {dirty, planted}} {
		found := numbered{at: map[int64]bool{}}
		reader := plan.Start(record.Run{ScheduledAt: at}, found)
		if err := reader.Page(record.Page{Number: 1, FetchedAt: at, Records: count}, strings.NewReader(strings.Join(tt.lines, "\n"))); err != nil {
			t.Fatal(err)
		}
		if _, err := reader.Close(); err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(tt.want, found.at); diff != "" {
			t.Errorf("%s: rejected records (-planted +found):\n%s", name, diff)
		}
	}
}

func TestBulkContinues(t *testing.T) {
	whole := bulk(t, api.Bulk{Count: 300, Seed: 3, At: at, DirtyPermille: 50})
	first := bulk(t, api.Bulk{Count: 120, Seed: 3, At: at, DirtyPermille: 50})
	rest := bulk(t, api.Bulk{First: 120, Count: 180, Seed: 3, At: at, DirtyPermille: 50})
	if diff := gocmp.Diff(whole, append(first, rest...)); diff != "" {
		t.Errorf("in two pieces (-whole +pieces):\n%s", diff)
	}
}
