package ingest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
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

var update = flag.Bool("update", false, "write the golden files")

var run = zone.NewRun("orders", time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC))

// api is a paged API that answers from a function of the page's number and of how often it was asked in all.
type api struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []string
	answer func(page string, call int) (int, string)
}

func serve(t *testing.T, answer func(page string, call int) (int, string)) *api {
	t.Helper()
	a := &api{answer: answer}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		page := r.URL.Query().Get("page")
		a.asked = append(a.asked, page)
		status, text := a.answer(page, len(a.asked))
		a.mu.Unlock()
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(a.Close)
	return a
}

// take returns the pages asked for since the last call.
func (a *api) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	asked := a.asked
	a.asked = nil
	return asked
}

// three has records on pages 1 to 3 and then an empty page.
func three(page string, _ int) (int, string) {
	switch page {
	case "1", "2", "3":
		return 200, fmt.Sprintf(`[{"id": "%s-a", "price": 1.10}, {"id": "%s-b"}]`, page, page)
	}
	return 200, "[]\n"
}

func pageNumber() contract.Source {
	return contract.Source{Pagination: contract.Pagination{Kind: "page_number", BasePage: 1, PageParam: "page", StopAfterEmptyPage: true}}
}

func ingester(t *testing.T, a *api, bucket ingest.Bucket, s contract.Source) *ingest.Ingester {
	t.Helper()
	c := &contract.Contract{Dataset: "orders", Version: contract.Version{Major: 1, Minor: 2, Patch: 3}, Digest: "d1g357", Source: s}
	client, err := source.New(c, "dev", nil, source.Options{
		URL:   a.URL + "/v1/orders",
		Now:   func() time.Time { return run.At.Add(1234567 * time.Microsecond) },
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Rand:  func() float64 { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	return ingest.New(c, bucket, client)
}

func rawKey(name string) string {
	return "raw/orders/dt=2025-03-04/run=20250304T144500Z/" + name
}

func gunzip(t *testing.T, body []byte) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// unpacked is the raw zone with its pages uncompressed and its manifest decoded.
func unpacked(t *testing.T, bucket *cloudtest.Bucket) (map[string]string, *zone.Manifest) {
	t.Helper()
	pages := map[string]string{}
	var manifest *zone.Manifest
	for key, body := range bucket.Bodies() {
		if key == rawKey("manifest.json") {
			manifest = new(zone.Manifest)
			if err := json.Unmarshal(body, manifest); err != nil {
				t.Fatal(err)
			}
			continue
		}
		pages[key] = gunzip(t, body)
	}
	return pages, manifest
}

// checkWhole holds the manifest against the pages that stand.
func checkWhole(t *testing.T, bucket *cloudtest.Bucket) {
	t.Helper()
	bodies := bucket.Bodies()
	_, manifest := unpacked(t, bucket)
	if manifest == nil {
		t.Fatal("no manifest")
	}
	if len(bodies) != len(manifest.Pages)+1 || bucket.Versions() != len(bodies) {
		t.Errorf("%d objects in %d versions for %d pages", len(bodies), bucket.Versions(), len(manifest.Pages))
	}
	for i, page := range manifest.Pages {
		body := bodies[page.Key]
		digest := sha256.Sum256(body)
		if page.Page != i+1 || page.Key != run.RawPageKey(i+1) || page.Bytes != int64(len(body)) || page.SHA256 != hex.EncodeToString(digest[:]) {
			t.Errorf("page %d of the manifest is not the one that stands: %+v", i+1, page)
		}
	}
}

func TestRunBringsPagesThenManifest(t *testing.T) {
	a := serve(t, three)
	faults := &cloudtest.Faults{}
	bucket := cloudtest.NewBucket("raw", faults)
	result, err := ingester(t, a, bucket, pageNumber()).Run(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	if !result.Stored || result.Fetched != 4 {
		t.Errorf("result %+v", result)
	}
	pages, _ := unpacked(t, bucket)
	want := map[string]string{
		rawKey("page-00001.json.gz"): `[{"id": "1-a", "price": 1.10}, {"id": "1-b"}]`,
		rawKey("page-00002.json.gz"): `[{"id": "2-a", "price": 1.10}, {"id": "2-b"}]`,
		rawKey("page-00003.json.gz"): `[{"id": "3-a", "price": 1.10}, {"id": "3-b"}]`,
		rawKey("page-00004.json.gz"): "[]\n",
	}
	if diff := cmp.Diff(want, pages); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	checkWhole(t, bucket)
	if last := faults.Calls()[len(faults.Calls())-1]; last.Method != "Bucket.Put" || !strings.HasSuffix(last.Key, rawKey("manifest.json")) {
		t.Errorf("the last call is %s, not the manifest", last)
	}

	got := bytes.ReplaceAll(bucket.Bodies()[rawKey("manifest.json")], []byte(a.URL), []byte("https://api.example.com"))
	if *update {
		if err := os.WriteFile("testdata/manifest.golden", got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile("testdata/manifest.golden")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(golden), string(got)); diff != "" {
		t.Errorf("manifest (-want +got):\n%s", diff)
	}

	object, err := bucket.Head(t.Context(), rawKey("page-00001.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(want[object.Key]))
	wantMetadata := map[string]string{
		"next": "2", "records": "2", "fetched-at": "2025-03-04T14:45:01.234Z",
		"digest": hex.EncodeToString(digest[:]), "sha256": result.Manifest.Pages[0].SHA256,
	}
	if diff := cmp.Diff(wantMetadata, object.Metadata); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

func TestSameRunTwiceChangesNothing(t *testing.T) {
	a := serve(t, three)
	bucket := cloudtest.NewBucket("raw", nil)
	in := ingester(t, a, bucket, pageNumber())
	if _, err := in.Run(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	before, versions := bucket.Bodies(), bucket.Versions()
	a.take()
	result, err := in.Run(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	if result.Stored || result.Fetched != 0 || len(a.take()) != 0 {
		t.Errorf("result %+v", result)
	}
	if diff := cmp.Diff(before, bucket.Bodies()); diff != "" || bucket.Versions() != versions {
		t.Errorf("raw zone (-before +after), %d versions before, %d after:\n%s", versions, bucket.Versions(), diff)
	}
}

// TestEveryFaultIsRetriedToTheSameZone lets each call to the bucket fail once, before its effect, after it, and as a
// 412 of one's own write, and repeats the run until it is through.
func TestEveryFaultIsRetriedToTheSameZone(t *testing.T) {
	a := serve(t, three)
	faults := &cloudtest.Faults{}
	clean := cloudtest.NewBucket("raw", faults)
	if _, err := ingester(t, a, clean, pageNumber()).Run(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	want, calls := clean.Bodies(), faults.Calls()

	lost, unmet := errors.New("connection lost"), fmt.Errorf("put: %w", zone.ErrCondition)
	for _, call := range calls {
		for _, fault := range []struct {
			name  string
			on    string
			after bool
			err   error
			fails bool
		}{
			{"before", "Bucket", false, lost, true},
			{"after", "Bucket.Put", true, lost, true},
			{"own 412", "Bucket.Put", true, unmet, false},
		} {
			if !strings.HasPrefix(call.Method, fault.on) {
				continue
			}
			t.Run(fmt.Sprintf("%s %d %s", call.Method, call.Number, fault.name), func(t *testing.T) {
				bucket := cloudtest.NewBucket("raw", &cloudtest.Faults{Hook: func(c cloudtest.Call) error {
					if c.Number == call.Number && c.After == fault.after {
						return fault.err
					}
					return nil
				}})
				in := ingester(t, a, bucket, pageNumber())
				result, err := in.Run(t.Context(), run)
				if err == nil && !result.Stored {
					t.Error("the manifest is not this call's")
				}
				if failed := errors.Is(err, lost) && strings.HasPrefix(err.Error(), "ingest run 20250304T144500Z of orders: "); failed != fault.fails {
					t.Errorf("error %v", err)
				}
				if _, err := in.Run(t.Context(), run); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, bucket.Bodies()); diff != "" {
					t.Errorf("raw zone (-clean +retried):\n%s", diff)
				}
				checkWhole(t, bucket)
			})
		}
	}
}

func TestRetryAsksOnlyForWhatIsMissing(t *testing.T) {
	broken := true
	a := serve(t, func(page string, call int) (int, string) {
		if broken && page == "3" {
			return http.StatusServiceUnavailable, "busy"
		}
		return three(page, call)
	})
	bucket := cloudtest.NewBucket("raw", nil)
	in := ingester(t, a, bucket, pageNumber())
	_, err := in.Run(t.Context(), run)
	var fault *source.Error
	if !errors.As(err, &fault) || fault.Kind != source.Unavailable || fault.Attempt != 5 {
		t.Fatalf("error %v", err)
	}
	pages, manifest := unpacked(t, bucket)
	if len(pages) != 2 || manifest != nil {
		t.Errorf("after the fault: %d pages, manifest %v", len(pages), manifest)
	}
	a.take()
	broken = false
	result, err := in.Run(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"3", "4"}, a.take()); diff != "" || result.Fetched != 2 || !result.Stored {
		t.Errorf("asked (-want +got), result %+v:\n%s", result, diff)
	}
	checkWhole(t, bucket)
}

// TestManyAtOnceBuildOneChain races runs against an API whose every answer differs: each page that stands must be the
// answer to the cursor in the page before.
func TestManyAtOnceBuildOneChain(t *testing.T) {
	for round := range 20 {
		a := serve(t, func(page string, call int) (int, string) {
			depth := strings.Count(page, ".")
			if depth == 4 {
				return 200, fmt.Sprintf(`{"data":[{"asked":%q,"call":%d}],"next":null}`, page, call)
			}
			return 200, fmt.Sprintf(`{"data":[{"asked":%q,"call":%d}],"next":"%s.%d"}`, page, call, page, call)
		})
		cursor := contract.Source{
			Records:    []string{"data"},
			Pagination: contract.Pagination{Kind: "cursor", CursorPath: []string{"next"}, CursorParam: "page"},
		}
		bucket := cloudtest.NewBucket("raw", nil)
		var wg sync.WaitGroup
		stored := make([]bool, 6)
		for n := range stored {
			in := ingester(t, a, bucket, cursor)
			wg.Go(func() {
				result, err := in.Run(context.Background(), run)
				if err != nil {
					t.Errorf("run %d: %v", n, err)
				}
				stored[n] = result.Stored
			})
		}
		wg.Wait()
		winners := 0
		for _, s := range stored {
			if s {
				winners++
			}
		}
		if winners != 1 {
			t.Errorf("round %d: %d runs stored the manifest", round, winners)
		}
		checkWhole(t, bucket)
		pages, manifest := unpacked(t, bucket)
		next := ""
		for _, entry := range manifest.Pages {
			var page struct {
				Data []struct{ Asked string }
				Next string
			}
			if err := json.Unmarshal([]byte(pages[entry.Key]), &page); err != nil {
				t.Fatal(err)
			}
			if page.Data[0].Asked != next {
				t.Errorf("round %d: page %d answers %q, the page before says %q", round, entry.Page, page.Data[0].Asked, next)
			}
			next = page.Next
		}
		if next != "" || len(manifest.Pages) != 5 {
			t.Errorf("round %d: the chain of %d pages goes on at %q", round, len(manifest.Pages), next)
		}
	}
}

func TestEndings(t *testing.T) {
	single := contract.Source{Pagination: contract.Pagination{Kind: "single_page"}}
	tests := []struct {
		name        string
		source      contract.Source
		answer      func(string, int) (int, string)
		wantEnded   string
		wantRecords []int64
	}{
		{"empty array", single, func(string, int) (int, string) { return 200, "[]" }, "complete", []int64{0}},
		{"no JSON", single, func(string, int) (int, string) { return 200, "<html>" }, "unreadable", []int64{-1}},
		{"no JSON on the second page", pageNumber(), func(page string, call int) (int, string) {
			if page == "2" {
				return 200, `[{"id":1},{`
			}
			return three(page, call)
		}, "unreadable", []int64{2, -1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bucket := cloudtest.NewBucket("raw", nil)
			if _, err := ingester(t, serve(t, test.answer), bucket, test.source).Run(t.Context(), run); err != nil {
				t.Fatal(err)
			}
			checkWhole(t, bucket)
			_, manifest := unpacked(t, bucket)
			var records []int64
			var sum int64
			for _, page := range manifest.Pages {
				records = append(records, page.Records)
				sum += max(0, page.Records)
			}
			if diff := cmp.Diff(test.wantRecords, records); diff != "" || manifest.Ended != test.wantEnded || manifest.Records != sum {
				t.Errorf("ended %q with %d records, pages (-want +got):\n%s", manifest.Ended, manifest.Records, diff)
			}
		})
	}
}

// What passes a limit of the contract ends whole, is the same for whoever repeats it, and fetches nothing again.
func TestTooLarge(t *testing.T) {
	limited := func(s contract.Source, l contract.Limits) contract.Source {
		s.Limits = l
		return s
	}
	incremental := func(l contract.Limits) contract.Source {
		s := limited(pageNumber(), l)
		s.Cursor = &contract.Cursor{Path: []string{"id"}, Param: "since", InitialValue: "0", OnMissing: "raise"}
		return s
	}
	wide := func(page string, call int) (int, string) {
		if page == "3" {
			return 200, `[{"id": "3-a", "text": "` + strings.Repeat("x", 100) + `"}]`
		}
		return three(page, call)
	}
	tests := []struct {
		name       string
		source     contract.Source
		answer     func(string, int) (int, string)
		wantPages  int
		wantReason string
		wantCursor *zone.CursorRange
	}{
		{
			"body", limited(pageNumber(), contract.Limits{Body: 90}), wide, 2,
			"fetch orders: GET URL/v1/orders?page=3: attempt 1: too large: status 200 OK: the body has more than 90 bytes (raise limits.body in the contract, or ask for smaller pages)", nil,
		},
		{
			"first body", limited(pageNumber(), contract.Limits{Body: 9}), three, 0,
			"fetch orders: GET URL/v1/orders?page=1: attempt 1: too large: status 200 OK: the body has more than 9 bytes (raise limits.body in the contract, or ask for smaller pages)", nil,
		},
		{
			"pages", limited(pageNumber(), contract.Limits{Pages: 2}), three, 2,
			"fetch orders: too large: the run has more than 2 pages (raise limits.pages in the contract)", nil,
		},
		{
			"records", limited(pageNumber(), contract.Limits{Records: 3}), three, 2,
			"fetch orders: too large: the run has more than 3 records (raise limits.records in the contract)", nil,
		},
		{
			"body of an incremental source", incremental(contract.Limits{Body: 90}), wide, 2,
			"fetch orders: GET URL/v1/orders?page=3&since=0: attempt 1: too large: status 200 OK: the body has more than 90 bytes (raise limits.body in the contract, or ask for smaller pages)",
			&zone.CursorRange{From: "0", To: "2-b"},
		},
		{
			"records of an incremental source", incremental(contract.Limits{Records: 3}), three, 2,
			"fetch orders: too large: the run has more than 3 records (raise limits.records in the contract)", &zone.CursorRange{From: "0", To: "2-b"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := serve(t, test.answer)
			bucket := cloudtest.NewBucket("raw", nil)
			in := ingester(t, a, bucket, test.source)
			first, err := in.Run(t.Context(), run)
			if err != nil || !first.Stored || first.CursorMoved {
				t.Fatalf("result %+v, error %v", first, err)
			}
			checkWhole(t, bucket)
			_, m := unpacked(t, bucket)
			got := strings.ReplaceAll(m.Reason, a.URL, "URL")
			if diff := cmp.Diff(test.wantReason, got); diff != "" || m.Ended != zone.EndedTooLarge || len(m.Pages) != test.wantPages {
				t.Errorf("ended %s with %d pages, reason (-want +got):\n%s", m.Ended, len(m.Pages), diff)
			}
			if diff := cmp.Diff(test.wantCursor, m.Cursor); diff != "" {
				t.Errorf("cursor (-want +got):\n%s", diff)
			}
			a.take()
			again, err := in.Run(t.Context(), run)
			if err != nil || again.Stored || again.CursorMoved || len(a.take()) != 0 || bucket.Versions() != len(bucket.Bodies()) {
				t.Errorf("again: %+v, error %v", again, err)
			}
			if _, moved := bucket.Bodies()[zone.StateKey("orders")]; moved {
				t.Error("the cursor's state was moved")
			}
		})
	}
}

func TestForeignPageIsRefused(t *testing.T) {
	bucket := cloudtest.NewBucket("raw", nil)
	if _, err := bucket.Put(t.Context(), rawKey("page-00001.json.gz"), []byte("x"), zone.PutOptions{Metadata: map[string]string{"records": "many"}}); err != nil {
		t.Fatal(err)
	}
	_, err := ingester(t, serve(t, three), bucket, pageNumber()).Run(t.Context(), run)
	want := "ingest run 20250304T144500Z of orders: read standing page " + rawKey("page-00001.json.gz") + ": metadata records: strconv.ParseInt: parsing \"many\": invalid syntax\n" +
		"metadata fetched-at is missing\n" +
		"metadata fetched-at: parsing time \"\" as \"2006-01-02T15:04:05.999999999Z07:00\": cannot parse \"\" as \"2006\"\n" +
		"metadata digest is missing\nmetadata sha256 is missing"
	if err == nil || err.Error() != want {
		t.Errorf("error %v", err)
	}
}

func TestPositionThatMetadataCannotHold(t *testing.T) {
	a := serve(t, func(string, int) (int, string) {
		return 200, fmt.Sprintf(`{"data":[1],"next":%q}`, strings.Repeat("é", 400))
	})
	bucket := cloudtest.NewBucket("raw", nil)
	_, err := ingester(t, a, bucket, contract.Source{
		Records:    []string{"data"},
		Pagination: contract.Pagination{Kind: "cursor", CursorPath: []string{"next"}, CursorParam: "page"},
	}).Run(t.Context(), run)
	if err == nil || !strings.Contains(err.Error(), "store page 1: the position of the next page is too long") || len(bucket.Bodies()) != 0 {
		t.Errorf("error %v with %d objects", err, len(bucket.Bodies()))
	}
}
