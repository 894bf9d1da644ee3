package ingest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/contract"
	"tributary/shared/ingest"
	"tributary/shared/source"
	"tributary/shared/zone"
)

const stateKey = "state/orders.json"

// feed is an API with the records 1 to last, two a page, from the parameter since on.
type feed struct {
	*httptest.Server
	mu         sync.Mutex
	last       int
	descending bool
	limited    int // the page that is answered with 429
	asked      []string
}

func serveFeed(t *testing.T, last int) *feed {
	t.Helper()
	f := &feed{last: last}
	f.Server = httptest.NewServer(http.HandlerFunc(f.answer))
	t.Cleanup(f.Close)
	return f
}

func (f *feed) answer(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, r.URL.RawQuery)
	since, _ := strconv.Atoi(r.URL.Query().Get("since"))
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	if page == f.limited {
		w.Header().Set("Retry-After", "86400")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	var records []string
	for n := max(since, 1); n <= f.last; n++ {
		records = append(records, fmt.Sprintf(`{"seq":%d}`, n))
	}
	if f.descending {
		for i, j := 0, len(records)-1; i < j; i, j = i+1, j-1 {
			records[i], records[j] = records[j], records[i]
		}
	}
	from := min((page-1)*2, len(records))
	fmt.Fprintf(w, "[%s]", strings.Join(records[from:min(from+2, len(records))], ","))
}

func (f *feed) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.asked
	f.asked = nil
	return asked
}

func incremental(cursor contract.Cursor) contract.Source {
	s := pageNumber()
	cursor.Path, cursor.Param, cursor.OnMissing = []string{"seq"}, "since", "raise"
	s.Cursor = &cursor
	return s
}

func (f *feed) ingester(t *testing.T, bucket ingest.Bucket, s contract.Source) *ingest.Ingester {
	t.Helper()
	return ingester(t, &api{Server: f.Server}, bucket, s)
}

// hour is the run of an hour of the day.
func hour(n int) zone.Run {
	return zone.NewRun("orders", time.Date(2025, 3, 4, n, 0, 0, 0, time.UTC))
}

// state is the cursor's value and the run that moved it.
func state(t *testing.T, bucket *cloudtest.Bucket) string {
	t.Helper()
	body, ok := bucket.Bodies()[stateKey]
	if !ok {
		return "none"
	}
	var s struct{ Value, Run string }
	if err := json.Unmarshal(body, &s); err != nil {
		t.Fatal(err)
	}
	return s.Value + " by " + s.Run
}

func mustRun(t *testing.T, in *ingest.Ingester, r zone.Run) ingest.Result {
	t.Helper()
	result, err := in.Run(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestCursorCarriesOnFromRunToRun(t *testing.T) {
	f := serveFeed(t, 3)
	bucket := cloudtest.NewBucket("raw", nil)
	in := f.ingester(t, bucket, incremental(contract.Cursor{InitialValue: "2", Lag: time.Second}))

	first := mustRun(t, in, hour(1))
	if diff := cmp.Diff(&zone.CursorRange{From: "2", To: "3"}, first.Manifest.Cursor); diff != "" || !first.CursorMoved {
		t.Errorf("first run: moved %t, range (-want +got):\n%s", first.CursorMoved, diff)
	}
	if diff := cmp.Diff([]string{"page=1&since=2", "page=2&since=2"}, f.take()); diff != "" {
		t.Errorf("first run asked (-want +got):\n%s", diff)
	}
	if got, want := state(t, bucket), "3 by 20250304T010000Z"; got != want {
		t.Errorf("state %q, want %q", got, want)
	}

	nothingNew := mustRun(t, in, hour(2))
	if nothingNew.CursorMoved || nothingNew.Manifest.Cursor.From != "2" || state(t, bucket) != "3 by 20250304T010000Z" {
		t.Errorf("run without news: %+v, state %s", nothingNew.Manifest.Cursor, state(t, bucket))
	}

	f.mu.Lock()
	f.last = 6
	f.mu.Unlock()
	f.take()
	news := mustRun(t, in, hour(3))
	if diff := cmp.Diff(&zone.CursorRange{From: "2", To: "6"}, news.Manifest.Cursor); diff != "" || state(t, bucket) != "6 by 20250304T030000Z" {
		t.Errorf("state %s, range (-want +got):\n%s", state(t, bucket), diff)
	}
}

func TestCursorEveryFaultIsRetriedToTheSameZone(t *testing.T) {
	f := serveFeed(t, 3)
	s := incremental(contract.Cursor{InitialValue: "1"})
	faults := &cloudtest.Faults{}
	clean := cloudtest.NewBucket("raw", faults)
	mustRun(t, f.ingester(t, clean, s), run)
	want := clean.Bodies()
	if state(t, clean) != "3 by 20250304T144500Z" {
		t.Fatalf("state %s", state(t, clean))
	}
	unmet := fmt.Errorf("put: %w", zone.ErrCondition)
	for _, call := range faults.Calls() {
		for _, after := range []bool{false, true} {
			for _, fault := range []error{errors.New("connection lost"), unmet} {
				if errors.Is(fault, unmet) && (!after || call.Method != "Bucket.Put") {
					continue
				}
				t.Run(fmt.Sprintf("%s %d after %t %v", call.Method, call.Number, after, fault), func(t *testing.T) {
					bucket := cloudtest.NewBucket("raw", &cloudtest.Faults{Hook: func(c cloudtest.Call) error {
						if c.Number == call.Number && c.After == after {
							return fault
						}
						return nil
					}})
					in := f.ingester(t, bucket, s)
					if result, err := in.Run(t.Context(), run); errors.Is(fault, unmet) && (err != nil || result.CursorTaken) {
						t.Errorf("one's own 412: result %+v, error %v", result, err)
					}
					mustRun(t, in, run)
					if diff := cmp.Diff(want, bucket.Bodies()); diff != "" {
						t.Errorf("bucket (-clean +retried):\n%s", diff)
					}
				})
			}
		}
	}
}

func TestOverlappingRunsMoveTheCursorOnce(t *testing.T) {
	f := serveFeed(t, 3)
	s := incremental(contract.Cursor{InitialValue: "1"})
	faults := &cloudtest.Faults{}
	bucket := cloudtest.NewBucket("raw", faults)
	overlapped := false
	faults.Hook = func(c cloudtest.Call) error {
		if !overlapped && c.Method == "Bucket.Put" && strings.HasSuffix(c.Key, stateKey) {
			overlapped = true
			f.mu.Lock()
			f.last = 5
			f.mu.Unlock()
			mustRun(t, f.ingester(t, bucket, s), hour(2))
		}
		return nil
	}
	var out bytes.Buffer
	h := handler(t, f.ingester(t, bucket, s), bucket, &out)
	if _, err := h.Handle(t.Context(), json.RawMessage(`{"dataset":"orders","scheduledAt":"2025-03-04T01:00:00Z"}`)); err != nil {
		t.Fatal(err)
	}
	if got, want := state(t, bucket), "5 by 20250304T020000Z"; got != want {
		t.Errorf("state %q, want %q", got, want)
	}
	if !strings.Contains(out.String(), `"level":"WARN","message":"cursor state left as another run moved it"`) {
		t.Errorf("nothing is said of it:\n%s", out.String())
	}
}

func TestRateLimitLongerThanTheRun(t *testing.T) {
	tests := []struct {
		name       string
		source     contract.Source
		descending bool
		limited    int
		wantEnded  string // "": the run fails
		wantState  string
	}{
		{"a cursor in order ends early", incremental(contract.Cursor{InitialValue: "1"}), false, 3, zone.EndedRateLimit, "4 by 20250304T144500Z"},
		{"a cursor out of order fails", incremental(contract.Cursor{InitialValue: "1"}), true, 3, "", "none"},
		{"nothing came yet", incremental(contract.Cursor{InitialValue: "1"}), false, 1, "", "none"},
		{"no cursor", pageNumber(), false, 3, "", "none"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := serveFeed(t, 6)
			f.descending, f.limited = test.descending, test.limited
			bucket := cloudtest.NewBucket("raw", nil)
			in := f.ingester(t, bucket, test.source)
			result, err := in.Run(t.Context(), run)
			var fault *source.Error
			if test.wantEnded == "" {
				if !errors.As(err, &fault) || fault.Kind != source.RateLimited || result.Stored {
					t.Errorf("result %+v, error %v", result, err)
				}
				if pages, manifest := len(bucket.Bodies()), result.Manifest.Pages; pages != test.limited-1 || manifest != nil {
					t.Errorf("%d pages are kept, manifest %v", pages, manifest)
				}
			} else if err != nil || result.Manifest.Ended != test.wantEnded || len(result.Manifest.Pages) != 2 {
				t.Errorf("result %+v, error %v", result, err)
			}
			if got := state(t, bucket); got != test.wantState {
				t.Errorf("state %q, want %q", got, test.wantState)
			}
			if test.wantEnded == "" {
				return
			}
			f.take()
			f.mu.Lock()
			f.limited = 0
			f.mu.Unlock()
			next := mustRun(t, in, hour(23))
			if diff := cmp.Diff(&zone.CursorRange{From: "4", To: "6"}, next.Manifest.Cursor); diff != "" || next.Manifest.Ended != zone.EndedComplete {
				t.Errorf("the next run (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStateIsLeftAlone(t *testing.T) {
	t.Run("by a contract with an end", func(t *testing.T) {
		f := serveFeed(t, 3)
		bucket := cloudtest.NewBucket("raw", nil)
		in := f.ingester(t, bucket, incremental(contract.Cursor{InitialValue: "1", EndParam: "until", EndValue: "3"}))
		mustRun(t, in, run)
		if diff := cmp.Diff([]string{"page=1&since=1&until=3", "page=2&since=1&until=3", "page=3&since=1&until=3"}, f.take()); diff != "" || state(t, bucket) != "none" {
			t.Errorf("state %s, asked (-want +got):\n%s", state(t, bucket), diff)
		}
	})
	t.Run("by a run whose pages cannot be read", func(t *testing.T) {
		a := serve(t, func(page string, _ int) (int, string) {
			if page == "1" {
				return 200, `[{"seq":1},{"seq":2}]`
			}
			return 200, "<html>"
		})
		bucket := cloudtest.NewBucket("raw", nil)
		result := mustRun(t, ingester(t, a, bucket, incremental(contract.Cursor{InitialValue: "1"})), run)
		if result.CursorMoved || state(t, bucket) != "none" || result.Manifest.Ended != zone.EndedUnreadable {
			t.Errorf("result %+v, state %s", result, state(t, bucket))
		}
	})
}

func TestForeignStateIsRefused(t *testing.T) {
	bucket := cloudtest.NewBucket("raw", nil)
	if _, err := bucket.Put(t.Context(), stateKey, []byte(`{"format":2}`), zone.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	f := serveFeed(t, 3)
	_, err := f.ingester(t, bucket, incremental(contract.Cursor{InitialValue: "1"})).Run(t.Context(), run)
	if want := "ingest run 20250304T144500Z of orders: read cursor state state/orders.json: it is not one of format 1 for orders"; err == nil || err.Error() != want {
		t.Errorf("error %v", err)
	}
	if len(f.take()) != 0 {
		t.Error("the source was asked")
	}
}

func TestBackfillLeavesTheStateAlone(t *testing.T) {
	f := serveFeed(t, 5)
	bucket := cloudtest.NewBucket("raw", nil)
	in := f.ingester(t, bucket, incremental(contract.Cursor{InitialValue: "4", EndParam: "until"}))
	mustRun(t, in, hour(14))
	f.take()

	// The second page fails; whoever goes on with the run, a reconciler that knows nothing of a backfill included, asks
	// for the same part.
	broken := errors.New("lost")
	failing := bucket.With(&cloudtest.Faults{Hook: func(c cloudtest.Call) error {
		if c.Method == "Bucket.Put" && strings.HasSuffix(c.Key, "page-00002.json.gz") {
			return broken
		}
		return nil
	}})
	part := zone.Range{From: "1", To: "3"}
	if _, err := f.ingester(t, failing, incremental(contract.Cursor{InitialValue: "4", EndParam: "until"})).Backfill(t.Context(), hour(15), part); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	result := mustRun(t, in, hour(15))
	for _, query := range f.take() {
		if !strings.Contains(query, "since=1&until=3") {
			t.Errorf("asked for %s", query)
		}
	}
	want := &zone.CursorRange{From: "1", End: "3", To: "5"} // the test's API does not know until
	if diff := cmp.Diff(want, result.Manifest.Cursor); diff != "" || result.CursorMoved || state(t, bucket) != "5 by 20250304T140000Z" {
		t.Errorf("state %s, range (-want +got):\n%s", state(t, bucket), diff)
	}
}

// A run that stands, or was begun, is never taken for the part of the past that was asked for, unless it is that part.
func TestBackfillOntoARunThatIsThere(t *testing.T) {
	s := incremental(contract.Cursor{InitialValue: "4", EndParam: "until"})
	part, other := zone.Range{From: "1", To: "3"}, zone.Range{From: "1", To: "2"}
	begin := func(t *testing.T, f *feed, bucket *cloudtest.Bucket, run func(*ingest.Ingester) error) {
		t.Helper()
		broken := errors.New("lost")
		failing := bucket.With(&cloudtest.Faults{Hook: func(c cloudtest.Call) error {
			if c.Method == "Bucket.Put" && strings.HasSuffix(c.Key, "page-00002.json.gz") {
				return broken
			}
			return nil
		}})
		if err := run(f.ingester(t, failing, s)); !errors.Is(err, broken) {
			t.Fatal(err)
		}
	}
	back := func(t *testing.T, part zone.Range) func(*ingest.Ingester) error {
		return func(in *ingest.Ingester) error { _, err := in.Backfill(t.Context(), hour(15), part); return err }
	}
	plain := func(t *testing.T) func(*ingest.Ingester) error {
		return func(in *ingest.Ingester) error { _, err := in.Run(t.Context(), hour(15)); return err }
	}
	const taken = "ingest run 20250304T150000Z of orders: the run is there already, and is "
	tests := []struct {
		name        string
		before      func(t *testing.T, f *feed, bucket *cloudtest.Bucket)
		want        string
		wantStored  bool
		wantFetched int
	}{
		{"the same part stands", func(t *testing.T, f *feed, b *cloudtest.Bucket) {
			if err := back(t, part)(f.ingester(t, b, s)); err != nil {
				t.Fatal(err)
			}
		}, "", false, 0},
		{"the same part was begun", func(t *testing.T, f *feed, b *cloudtest.Bucket) { begin(t, f, b, back(t, part)) }, "", true, 4},
		{"another part stands", func(t *testing.T, f *feed, b *cloudtest.Bucket) {
			if err := back(t, other)(f.ingester(t, b, s)); err != nil {
				t.Fatal(err)
			}
		}, taken + "a backfill from 1 to 2: take another time", false, 0},
		{"another part was begun", func(t *testing.T, f *feed, b *cloudtest.Bucket) { begin(t, f, b, back(t, other)) },
			taken + "a backfill from 1 to 2: take another time", false, 0},
		{"a scheduled run stands", func(t *testing.T, f *feed, b *cloudtest.Bucket) {
			if err := plain(t)(f.ingester(t, b, s)); err != nil {
				t.Fatal(err)
			}
		}, taken + "of what was new at its time: take another time", false, 0},
		{"a scheduled run was begun", func(t *testing.T, f *feed, b *cloudtest.Bucket) { begin(t, f, b, plain(t)) },
			taken + "of what was new at its time: take another time", false, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := serveFeed(t, 7)
			bucket := cloudtest.NewBucket("raw", nil)
			test.before(t, f, bucket)
			f.take()
			before := bucket.Versions()
			result, err := f.ingester(t, bucket, s).Backfill(t.Context(), hour(15), part)
			message := ""
			if err != nil {
				message = err.Error()
			}
			if diff := cmp.Diff(test.want, message); diff != "" || result.Stored != test.wantStored || result.Fetched != test.wantFetched {
				t.Errorf("result %+v, error (-want +got):\n%s", result, diff)
			}
			if test.want == "" && (len(result.Manifest.Pages) != 5 || result.Manifest.Records != 7) {
				t.Errorf("manifest %+v", result.Manifest)
			}
			if refused := test.want != ""; refused && (bucket.Versions() != before || len(f.take()) != 0) {
				t.Error("a refused backfill stored or asked something")
			}
		})
	}
}

// A refusal is the answer of a function that is well.
func TestHandleRefusesABackfillOntoAnotherRun(t *testing.T) {
	f := serveFeed(t, 3)
	bucket := cloudtest.NewBucket("raw", nil)
	in := f.ingester(t, bucket, incremental(contract.Cursor{InitialValue: "1", EndParam: "until"}))
	mustRun(t, in, hour(15))
	var out bytes.Buffer
	got, err := handler(t, in, bucket, &out).Handle(t.Context(),
		json.RawMessage(`{"dataset":"orders","scheduledAt":"2025-03-04T15:00:00Z","backfill":{"from":"1","to":"2"}}`))
	want := ingest.Response{
		Dataset: "orders", Run: "20250304T150000Z", Manifest: hour(15).ManifestKey(),
		Refused: "the run is there already, and is of what was new at its time: take another time",
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, response (-want +got):\n%s", err, diff)
	}
	if !strings.Contains(out.String(), `"level":"WARN","message":"backfill refused"`) {
		t.Errorf("nothing is said of it:\n%s", out.String())
	}
}

func TestBackfillIsRefused(t *testing.T) {
	f := serveFeed(t, 3)
	bucket := cloudtest.NewBucket("raw", nil)
	for name, test := range map[string]struct {
		source contract.Source
		want   string
	}{
		"without a cursor": {pageNumber(), "backfill orders: its source has no past: "},
		"without an end":   {incremental(contract.Cursor{InitialValue: "1"}), "names no parameter that says where to end (end_param)"},
	} {
		_, err := f.ingester(t, bucket, test.source).Backfill(t.Context(), run, zone.Range{From: "1", To: "2"})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if len(f.take()) != 0 || len(bucket.Bodies()) != 0 {
		t.Error("the source was asked, or something was stored")
	}
}
