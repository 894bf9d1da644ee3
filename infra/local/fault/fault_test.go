package fault

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for text, want := range map[string][]Kind{"all": Kinds, "kill": {Kill}, "5xx, lost,5xx": {Server, Lost}} {
		got, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", text, diff)
		}
	}
	for _, text := range []string{"", "none", "all,kill", "5xx,,lost"} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q: got %v and no error", text, got)
		}
	}
}

// Every kind that was asked for happens in a run of usual size, no other, and the same seed decides the same.
func TestRequest(t *testing.T) {
	for _, kinds := range [][]Kind{Kinds, {Throttle, Lost}, {Kill}} {
		one, two := New(kinds, 7), New(kinds, 7)
		killed := map[string]int{}
		for i := range 600 {
			function := []string{"ingest", "process"}[i%2]
			kind, delay := one.Request(function)
			if again, same := two.Request(function); again != kind || same != delay {
				t.Fatalf("request %d: %s after %s and %s after %s", i, kind, delay, again, same)
			}
			if (kind == Slow) != (delay > 0) {
				t.Errorf("%s with a delay of %s", kind, delay)
			}
			if kind == Kill {
				killed[function]++
			}
		}
		one.Deliveries()
		asked := map[Kind]bool{}
		for _, k := range kinds {
			asked[k] = true
		}
		for _, c := range one.Counts() {
			if !asked[c.Kind] || c.Times == 0 {
				t.Errorf("of %v: %s happened %d times", kinds, c.Kind, c.Times)
			}
		}
		if asked[Kill] && (killed["ingest"] != 1 || killed["process"] != 1) {
			t.Errorf("killed %v", killed)
		}
	}
}

func TestDeliveries(t *testing.T) {
	if got := New([]Kind{Slow}, 1).Deliveries(); len(got) != 1 || got[0] != 0 {
		t.Errorf("without faults: %v", got)
	}
	if got := New([]Kind{Duplicate}, 1).Deliveries(); len(got) != 2 || got[0] != 0 || got[1] != 0 {
		t.Errorf("duplicate: %v", got)
	}
	if got := New([]Kind{Duplicate, Reorder}, 1).Deliveries(); len(got) != 2 || got[0] == got[1] || max(got[0], got[1]) > latest {
		t.Errorf("duplicate and reorder: %v", got)
	}
}
