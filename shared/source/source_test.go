package source_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/contract"
	"tributary/shared/source"
	"tributary/shared/zone"
)

// clock stands still but for sleeps.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

// api answers with one step after the other, the last one for ever, and keeps what it was asked.
type api struct {
	*httptest.Server
	mu    sync.Mutex
	steps []http.HandlerFunc
	asked []*http.Request
}

func serve(t *testing.T, steps ...http.HandlerFunc) *api {
	t.Helper()
	a := &api{steps: steps}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		step := a.steps[min(len(a.asked), len(a.steps)-1)]
		a.asked = append(a.asked, r)
		a.mu.Unlock()
		step(w, r)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *api) queries() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []string
	for _, r := range a.asked {
		all = append(all, r.URL.RequestURI())
	}
	return all
}

func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func status(code int, text string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, text)
	}
}

// hangUp breaks the connection before the answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_ = conn.Close()
}

// truncated promises more than it sends.
func truncated(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `[{"id":1},{"id`)
}

// truncatedGzip ends in the middle of the compressed body.
func truncatedGzip(w http.ResponseWriter, _ *http.Request) {
	var b strings.Builder
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, `[{"id":1},{"id":2}]`)
	_ = z.Close()
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = io.WriteString(w, b.String()[:b.Len()/2])
}

func gzipped(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, text)
		_ = z.Close()
	}
}

type secrets map[string]string

func (s secrets) Get(_ context.Context, name string) (string, error) {
	value, ok := s[name]
	if !ok {
		return "", fmt.Errorf("get secret %s: %w", name, zone.ErrNotFound)
	}
	return value, nil
}

func dataset(s contract.Source) *contract.Contract {
	if s.Pagination.Kind == "" {
		s.Pagination.Kind = "single_page"
	}
	return &contract.Contract{Dataset: "orders", Version: contract.Version{Major: 1, Minor: 2}, Source: s}
}

func options(c *clock, url string) source.Options {
	return source.Options{
		URL: url, Now: c.Now, Sleep: c.Sleep, Rand: func() float64 { return 0.5 },
		Transport: &http.Transport{DisableKeepAlives: true},
	}
}

func client(t *testing.T, s contract.Source, known source.Secrets, o source.Options) *source.Client {
	t.Helper()
	if known == nil {
		known = secrets{}
	}
	c, err := source.New(dataset(s), "dev", known, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// walkAll goes to the end and returns the bodies.
func walkAll(ctx context.Context, w *source.Walk) ([]string, error) {
	var bodies []string
	for !w.Done() {
		page, err := w.Fetch(ctx)
		if err != nil {
			return bodies, err
		}
		if err := w.Pass(page.Mark); err != nil {
			return bodies, err
		}
		bodies = append(bodies, string(page.Body))
	}
	return bodies, nil
}

func TestPagination(t *testing.T) {
	page := func(n int) string { return fmt.Sprintf(`[{"id":%d}]`, n) }
	envelope := func(format string, args ...any) http.HandlerFunc { return body(fmt.Sprintf(format, args...)) }
	tests := []struct {
		name       string
		query      []contract.Pair
		records    []string
		pagination contract.Pagination
		steps      []http.HandlerFunc
		want       []string
		wantBodies int // where they are not compared
	}{
		{
			name:       "single_page asks once",
			query:      []contract.Pair{{Name: "vs", Value: "a b"}},
			pagination: contract.Pagination{Kind: "single_page"},
			steps:      []http.HandlerFunc{body(page(1))},
			want:       []string{"/v1/orders?fixed=1&vs=a+b"},
		},
		{
			name:       "page_number ends at the last page asked for",
			pagination: contract.Pagination{Kind: "page_number", BasePage: 1, PageParam: "page", MaximumPage: 3},
			steps:      []http.HandlerFunc{body(page(1)), body(page(2)), body(page(3))},
			want:       []string{"/v1/orders?fixed=1&page=1", "/v1/orders?fixed=1&page=2", "/v1/orders?fixed=1&page=3"},
		},
		{
			name:       "page_number ends at an empty page",
			pagination: contract.Pagination{Kind: "page_number", PageParam: "p", StopAfterEmptyPage: true},
			steps:      []http.HandlerFunc{body(page(1)), body(`[]`)},
			want:       []string{"/v1/orders?fixed=1&p=0", "/v1/orders?fixed=1&p=1"},
		},
		{
			name:       "page_number ends at the total of pages",
			records:    []string{"data"},
			pagination: contract.Pagination{Kind: "page_number", BasePage: 1, PageParam: "page", TotalPath: []string{"meta", "pages"}},
			steps:      []http.HandlerFunc{body(`{"data":[1],"meta":{"pages":2}}`), body(`{"data":[2],"meta":{"pages":"2"}}`)},
			want:       []string{"/v1/orders?fixed=1&page=1", "/v1/orders?fixed=1&page=2"},
		},
		{
			name:       "offset ends at the total of records",
			records:    []string{"data"},
			pagination: contract.Pagination{Kind: "offset", Limit: 2, OffsetParam: "offset", LimitParam: "limit", TotalPath: []string{"total"}},
			steps:      []http.HandlerFunc{body(`{"data":[1,2],"total":3}`), body(`{"data":[3],"total":3}`)},
			want:       []string{"/v1/orders?fixed=1&limit=2&offset=0", "/v1/orders?fixed=1&limit=2&offset=2"},
		},
		{
			name:       "offset ends at the maximum and at an empty page",
			pagination: contract.Pagination{Kind: "offset", Limit: 2, OffsetParam: "offset", LimitParam: "limit", MaximumOffset: 4, StopAfterEmptyPage: true},
			steps:      []http.HandlerFunc{body(`[1,2]`), body(`[3,4]`)},
			want:       []string{"/v1/orders?fixed=1&limit=2&offset=0", "/v1/orders?fixed=1&limit=2&offset=2"},
		},
		{
			name:       "cursor goes back as a parameter until it is null",
			records:    []string{"data"},
			pagination: contract.Pagination{Kind: "cursor", CursorPath: []string{"next"}, CursorParam: "after"},
			steps:      []http.HandlerFunc{body(`{"data":[1],"next":"a/b=="}`), body(`{"data":[2],"next":18446744073709551616}`), body(`{"data":[3],"next":null}`)},
			want:       []string{"/v1/orders?fixed=1", "/v1/orders?after=a%2Fb%3D%3D&fixed=1", "/v1/orders?after=18446744073709551616&fixed=1"},
		},
		{
			name:       "cursor ends when no more follows",
			records:    []string{"data"},
			pagination: contract.Pagination{Kind: "cursor", CursorPath: []string{"next"}, CursorParam: "after", HasMorePath: []string{"more"}},
			steps:      []http.HandlerFunc{body(`{"data":[1],"next":"x","more":true}`), body(`{"data":[2],"next":"y","more":false}`)},
			want:       []string{"/v1/orders?fixed=1", "/v1/orders?after=x&fixed=1"},
		},
		{
			name:       "page_number ends when no more follows",
			records:    []string{"data"},
			pagination: contract.Pagination{Kind: "page_number", BasePage: 1, PageParam: "page", HasMorePath: []string{"meta", "more"}},
			steps:      []http.HandlerFunc{body(`{"data":[1],"meta":{"more":true}}`), body(`{"data":[2],"meta":{"more":"True"}}`), body(`{"data":[3],"meta":{"more":0}}`)},
			want:       []string{"/v1/orders?fixed=1&page=1", "/v1/orders?fixed=1&page=2", "/v1/orders?fixed=1&page=3"},
		},
		{
			name:       "offset ends when no more follows",
			records:    []string{"data"},
			pagination: contract.Pagination{Kind: "offset", Limit: 2, OffsetParam: "offset", LimitParam: "limit", HasMorePath: []string{"more"}},
			steps:      []http.HandlerFunc{body(`{"data":[1,2],"more":true}`), body(`{"data":[3,4],"more":false}`)},
			want:       []string{"/v1/orders?fixed=1&limit=2&offset=0", "/v1/orders?fixed=1&limit=2&offset=2"},
		},
		{
			name:       "cursor ends at an empty page",
			records:    []string{"data"},
			pagination: contract.Pagination{Kind: "cursor", CursorPath: []string{"next"}, CursorParam: "after", StopAfterEmptyPage: true},
			steps:      []http.HandlerFunc{body(`{"data":[1],"next":"x"}`), body(`{"data":[],"next":"y"}`)},
			want:       []string{"/v1/orders?fixed=1", "/v1/orders?after=x&fixed=1"},
		},
		{
			name:       "cursor goes on behind an empty page",
			records:    []string{"data"},
			pagination: contract.Pagination{Kind: "cursor", CursorPath: []string{"next"}, CursorParam: "after"},
			steps:      []http.HandlerFunc{body(`{"data":[],"next":"x"}`), body(`{"data":[1]}`)},
			want:       []string{"/v1/orders?fixed=1", "/v1/orders?after=x&fixed=1"},
		},
		{
			name:       "json_link ends at an empty page",
			records:    []string{"data"},
			pagination: contract.Pagination{Kind: "json_link", NextURLPath: []string{"next"}, StopAfterEmptyPage: true},
			steps:      []http.HandlerFunc{body(`{"data":[1],"next":"?p=2"}`), body(`{"data":[],"next":"?p=3"}`)},
			want:       []string{"/v1/orders?fixed=1", "/v1/orders?p=2"},
		},
		{
			name:       "json_link ends when no more follows",
			records:    []string{"data"},
			pagination: contract.Pagination{Kind: "json_link", NextURLPath: []string{"next"}, HasMorePath: []string{"more"}},
			steps:      []http.HandlerFunc{body(`{"data":[1],"next":"?p=2","more":true}`), body(`{"data":[2],"next":"?p=3","more":false}`)},
			want:       []string{"/v1/orders?fixed=1", "/v1/orders?p=2"},
		},
		{
			name:       "header_link ends at an empty page",
			pagination: contract.Pagination{Kind: "header_link", StopAfterEmptyPage: true},
			steps: []http.HandlerFunc{
				status(200, page(1), "Link", `<?p=2>; rel=next`), status(200, `[]`, "Link", `<?p=3>; rel=next`),
			},
			want: []string{"/v1/orders?fixed=1", "/v1/orders?p=2"},
		},
		{
			name:       "header_link follows the relation of the contract",
			pagination: contract.Pagination{Kind: "header_link", LinksNextKey: "successor-version"},
			steps: []http.HandlerFunc{
				status(200, page(1), "Link", `<?p=9>; rel=next, <?p=2>; rel="successor-version"`), status(200, page(2), "Link", `<?p=9>; rel=next`),
			},
			want: []string{"/v1/orders?fixed=1", "/v1/orders?p=2"},
		},
		{
			name:       "json_link is resolved and followed as it is",
			records:    []string{"data"},
			pagination: contract.Pagination{Kind: "json_link", NextURLPath: []string{"links", "next"}},
			steps:      []http.HandlerFunc{body(`{"data":[1],"links":{"next":"orders?b=2&a=1#top"}}`), body(`{"data":[2],"links":{}}`)},
			want:       []string{"/v1/orders?fixed=1", "/v1/orders?b=2&a=1"},
		},
		{
			name:       "header_link follows rel next",
			pagination: contract.Pagination{Kind: "header_link"},
			steps: []http.HandlerFunc{
				status(200, page(1), "Link", `</v1/orders?p=9>; rel=last, </v1/orders?p=2>; title="a, b"; rel="x next"`),
				status(200, page(2), "Link", `</v1/orders?p=1>; rel=prev`),
			},
			want: []string{"/v1/orders?fixed=1", "/v1/orders?p=2"},
		},
		{
			name:       "an empty source has one page",
			pagination: contract.Pagination{Kind: "page_number", BasePage: 1, PageParam: "page", StopAfterEmptyPage: true},
			steps:      []http.HandlerFunc{body(`[]`)},
			want:       []string{"/v1/orders?fixed=1&page=1"},
		},
		{
			name:       "an unreadable page ends the walk",
			pagination: contract.Pagination{Kind: "page_number", BasePage: 1, PageParam: "page", MaximumPage: 9},
			steps:      []http.HandlerFunc{body(page(1)), envelope(`<html>maintenance</html>`)},
			want: []string{
				"/v1/orders?fixed=1&page=1", "/v1/orders?fixed=1&page=2", "/v1/orders?fixed=1&page=2",
				"/v1/orders?fixed=1&page=2", "/v1/orders?fixed=1&page=2", "/v1/orders?fixed=1&page=2",
			},
			wantBodies: 2,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := serve(t, test.steps...)
			c := client(t, contract.Source{Query: test.query, Records: test.records, Pagination: test.pagination}, nil,
				options(newClock(), a.URL+"/v1/orders?fixed=1"))
			bodies, err := walkAll(t.Context(), c.Walk())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, a.queries()); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
			want := test.wantBodies
			if want == 0 {
				want = len(test.want)
			}
			if len(bodies) != want {
				t.Errorf("%d pages, want %d: %q", len(bodies), want, bodies)
			}
		})
	}
}

func TestPositionInTheBody(t *testing.T) {
	tests := []struct {
		name       string
		pagination contract.Pagination
		answers    []string
		want       []string
	}{
		{
			name:       "a cursor keeps its type",
			pagination: contract.Pagination{Kind: "cursor", CursorPath: []string{"next"}, CursorBodyPath: []string{"page", "after"}},
			answers:    []string{`{"data":[1],"next":42}`, `{"data":[2],"next":"x\"y"}`, `{"data":[3]}`},
			want:       []string{`POST /? {}`, `POST /? {"page":{"after":42}}`, `POST /? {"page":{"after":"x\"y"}}`},
		},
		{
			name:       "a page number",
			pagination: contract.Pagination{Kind: "page_number", PageParam: "page", PageBodyPath: []string{"page"}, MaximumPage: 1},
			answers:    []string{`{"data":[1]}`, `{"data":[2]}`},
			want:       []string{`POST /? {"page":0}`, `POST /? {"page":1}`},
		},
		{
			name: "an offset with its limit",
			pagination: contract.Pagination{
				Kind: "offset", Limit: 2, OffsetBodyPath: []string{"page", "from"}, LimitBodyPath: []string{"page", "size"}, MaximumOffset: 3,
			},
			answers: []string{`{"data":[1,2]}`, `{"data":[3]}`},
			want:    []string{`POST /? {"page":{"from":0,"size":2}}`, `POST /? {"page":{"from":2,"size":2}}`},
		},
		{
			name:       "an offset without its limit",
			pagination: contract.Pagination{Kind: "offset", Limit: 2, OffsetBodyPath: []string{"from"}, LimitParam: "limit", MaximumOffset: 2},
			answers:    []string{`{"data":[1,2]}`},
			want:       []string{`POST /?limit=2 {"from":0}`},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			var steps []http.HandlerFunc
			for _, answer := range test.answers {
				steps = append(steps, func(w http.ResponseWriter, r *http.Request) {
					sent, _ := io.ReadAll(r.Body)
					if r.Header.Get("Content-Type") != "application/json" {
						t.Errorf("Content-Type %q", r.Header.Get("Content-Type"))
					}
					got = append(got, r.Method+" "+r.URL.Path+"?"+r.URL.RawQuery+" "+string(sent))
					_, _ = io.WriteString(w, answer)
				})
			}
			c := client(t, contract.Source{Records: []string{"data"}, Pagination: test.pagination}, nil, options(newClock(), serve(t, steps...).URL))
			if _, err := walkAll(t.Context(), c.Walk()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRetries(t *testing.T) {
	const good = `[{"id":1}]`
	date := func(d time.Duration) string {
		return newClock().Now().Add(d).Format(http.TimeFormat)
	}
	tests := []struct {
		name      string
		steps     []http.HandlerFunc
		timeout   time.Duration
		want      string
		wantSlept []time.Duration
		wantKind  source.Kind
		wantAsked int
	}{
		{name: "503 then well", steps: []http.HandlerFunc{status(503, "busy"), body(good)}, want: good, wantAsked: 2, wantSlept: []time.Duration{750 * time.Millisecond}},
		{name: "every transient status", steps: []http.HandlerFunc{status(500, ""), status(502, ""), status(408, ""), status(425, ""), body(good)}, want: good, wantAsked: 5,
			wantSlept: []time.Duration{750 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second, 6 * time.Second}},
		{name: "429 with seconds", steps: []http.HandlerFunc{status(429, "", "Retry-After", "7"), body(good)}, want: good, wantAsked: 2, wantSlept: []time.Duration{7 * time.Second}},
		{name: "429 with a date on the source's clock", steps: []http.HandlerFunc{status(429, "", "Retry-After", date(time.Hour+9*time.Second), "Date", date(time.Hour)), body(good)}, want: good, wantAsked: 2, wantSlept: []time.Duration{9 * time.Second}},
		{name: "429 with a shorter wait than ours", steps: []http.HandlerFunc{status(429, "", "Retry-After", "0"), body(good)}, want: good, wantAsked: 2, wantSlept: []time.Duration{750 * time.Millisecond}},
		{name: "Retry-After that is neither", steps: []http.HandlerFunc{status(503, "", "Retry-After", "soon"), body(good)}, want: good, wantAsked: 2, wantSlept: []time.Duration{750 * time.Millisecond}},
		{name: "connection broken", steps: []http.HandlerFunc{hangUp, body(good)}, want: good, wantAsked: 2, wantSlept: []time.Duration{750 * time.Millisecond}},
		{name: "body truncated", steps: []http.HandlerFunc{truncated, body(good)}, want: good, wantAsked: 2, wantSlept: []time.Duration{750 * time.Millisecond}},
		{name: "gzip truncated", steps: []http.HandlerFunc{truncatedGzip, body(good)}, want: good, wantAsked: 2, wantSlept: []time.Duration{750 * time.Millisecond}},
		{name: "gzip in name only", steps: []http.HandlerFunc{status(200, good, "Content-Encoding", "gzip"), body(good)}, want: good, wantAsked: 2, wantSlept: []time.Duration{750 * time.Millisecond}},
		{name: "gzip", steps: []http.HandlerFunc{gzipped(good)}, want: good, wantAsked: 1},
		{name: "no JSON then well", steps: []http.HandlerFunc{body("<html>"), body(good)}, want: good, wantAsked: 2, wantSlept: []time.Duration{750 * time.Millisecond}},
		{name: "too slow then well", timeout: 100 * time.Millisecond, steps: []http.HandlerFunc{func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, body(good)}, want: good, wantAsked: 2, wantSlept: []time.Duration{750 * time.Millisecond}},
		{name: "too slow in the body", timeout: 100 * time.Millisecond, steps: []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "[1,")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, body(good)}, want: good, wantAsked: 2, wantSlept: []time.Duration{750 * time.Millisecond}},
		{name: "503 for ever", steps: []http.HandlerFunc{status(503, "busy")}, wantKind: source.Unavailable, wantAsked: 5,
			wantSlept: []time.Duration{750 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second, 6 * time.Second}},
		{name: "429 for ever", steps: []http.HandlerFunc{status(429, "slow down", "Retry-After", "60")}, wantKind: source.RateLimited, wantAsked: 5,
			wantSlept: []time.Duration{time.Minute, time.Minute, time.Minute, time.Minute}},
		{name: "429 for longer than a run lives", steps: []http.HandlerFunc{status(429, "", "Retry-After", "86400")}, wantKind: source.RateLimited, wantAsked: 1},
		{name: "404 is not repeated", steps: []http.HandlerFunc{status(404, "no such thing")}, wantKind: source.Rejected, wantAsked: 1},
		{name: "401 is not repeated", steps: []http.HandlerFunc{status(401, "who are you")}, wantKind: source.Refused, wantAsked: 1},
		{name: "202 has nothing yet", steps: []http.HandlerFunc{status(202, "{}")}, wantKind: source.Rejected, wantAsked: 1},
		{name: "another encoding", steps: []http.HandlerFunc{status(200, good, "Content-Encoding", "br")}, wantKind: source.Malformed, wantAsked: 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := serve(t, test.steps...)
			clk := newClock()
			c := client(t, contract.Source{Limits: contract.Limits{Timeout: test.timeout}}, nil, options(clk, a.URL))
			page, err := c.Walk().Fetch(t.Context())
			var fault *source.Error
			switch {
			case test.wantKind == 0 && err != nil:
				t.Fatal(err)
			case test.wantKind != 0 && (!errors.As(err, &fault) || fault.Kind != test.wantKind):
				t.Fatalf("error %v, want kind %s", err, test.wantKind)
			case test.wantKind == 0 && (string(page.Body) != test.want || page.Records != 1):
				t.Errorf("page %q with %d records, want %q with 1", page.Body, page.Records, test.want)
			}
			if diff := cmp.Diff(test.wantSlept, clk.slept); diff != "" {
				t.Errorf("slept (-want +got):\n%s", diff)
			}
			if got := len(a.queries()); got != test.wantAsked {
				t.Errorf("asked %d times, want %d", got, test.wantAsked)
			}
		})
	}
}

func TestUnreadablePageIsHandedOn(t *testing.T) {
	a := serve(t, body("<html>maintenance</html>"))
	walk := client(t, contract.Source{}, nil, options(newClock(), a.URL)).Walk()
	page, err := walk.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if page.Records != -1 || page.Ended != zone.EndedUnreadable || string(page.Body) != "<html>maintenance</html>" {
		t.Errorf("page %+v", page)
	}
}

func TestWaitThatTheRunCannotAfford(t *testing.T) {
	a := serve(t, status(429, "slow down", "Retry-After", "120"))
	clk := newClock()
	clk.now = time.Now()
	ctx, cancel := context.WithDeadline(t.Context(), clk.now.Add(time.Minute))
	defer cancel()
	_, err := client(t, contract.Source{}, nil, options(clk, a.URL)).Walk().Fetch(ctx)
	var fault *source.Error
	if !errors.As(err, &fault) || fault.Kind != source.RateLimited || fault.Wait != 2*time.Minute || len(clk.slept) != 0 {
		t.Fatalf("error %v, slept %v", err, clk.slept)
	}
	want := "fetch orders: GET " + a.URL + ": attempt 1: rate limited: status 429 Too Many Requests: \"slow down\" (the next attempt would have to wait 2m0s, and 55s are left)"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestCallerEndsTheWait(t *testing.T) {
	a := serve(t, status(503, ""))
	ctx, cancel := context.WithCancel(t.Context())
	clk := newClock()
	o := options(clk, a.URL)
	o.Sleep = func(ctx context.Context, d time.Duration) error {
		cancel()
		return clk.Sleep(ctx, d)
	}
	_, err := client(t, contract.Source{}, nil, o).Walk().Fetch(ctx)
	var fault *source.Error
	if !errors.As(err, &fault) || fault.Kind != source.Stopped || !errors.Is(err, context.Canceled) || len(a.queries()) != 1 {
		t.Fatalf("error %v after %d requests", err, len(a.queries()))
	}
}

func TestDeclaredRateIsKept(t *testing.T) {
	clk := newClock()
	var at []time.Duration
	start := clk.Now()
	n := 0
	record := func(w http.ResponseWriter, _ *http.Request) {
		at = append(at, clk.Now().Sub(start))
		n++
		if n == 3 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, `[%d]`, n)
	}
	a := serve(t, record)
	c := client(t, contract.Source{
		Rate:       contract.Rate{Requests: 2, Per: 10 * time.Second},
		Pagination: contract.Pagination{Kind: "page_number", BasePage: 1, PageParam: "page", MaximumPage: 5},
	}, nil, options(clk, a.URL))
	if _, err := walkAll(t.Context(), c.Walk()); err != nil {
		t.Fatal(err)
	}
	// Attempts count too: the third request fails, its repetition is the fourth.
	want := []time.Duration{0, 0, 10 * time.Second, 10*time.Second + 750*time.Millisecond, 20 * time.Second, 20*time.Second + 750*time.Millisecond}
	if diff := cmp.Diff(want, at); diff != "" {
		t.Errorf("asked at (-want +got):\n%s", diff)
	}
}

func TestRateCountsPassedPages(t *testing.T) {
	a := serve(t, body(`[2]`))
	clk := newClock()
	walk := client(t, contract.Source{
		Rate:       contract.Rate{Requests: 1, Per: time.Minute},
		Pagination: contract.Pagination{Kind: "page_number", BasePage: 1, PageParam: "page", MaximumPage: 2},
	}, nil, options(clk, a.URL)).Walk()
	if err := walk.Pass(source.Mark{Next: "2", Records: 1, FetchedAt: clk.Now().Add(-20 * time.Second), Digest: "d"}); err != nil {
		t.Fatal(err)
	}
	if _, err := walk.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]time.Duration{40 * time.Second}, clk.slept); diff != "" {
		t.Errorf("slept (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/?page=2"}, a.queries()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// The rate is a promise to the source, which does not know of runs: a lost run that is finished behind another one, or
// the next run in the same process, goes on in the same window.
func TestRateIsKeptFromRunToRun(t *testing.T) {
	clk := newClock()
	start := clk.Now()
	var at []time.Duration
	a := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		at = append(at, clk.Now().Sub(start))
		_, _ = io.WriteString(w, fmt.Sprintf(`[%d]`, len(at)))
	})
	c := client(t, contract.Source{
		Rate:       contract.Rate{Requests: 2, Per: time.Minute},
		Pagination: contract.Pagination{Kind: "page_number", BasePage: 1, PageParam: "page", MaximumPage: 2},
	}, nil, options(clk, a.URL))
	for range 2 {
		if _, err := walkAll(t.Context(), c.Walk()); err != nil {
			t.Fatal(err)
		}
	}
	want := []time.Duration{0, 0, time.Minute, time.Minute}
	if diff := cmp.Diff(want, at); diff != "" {
		t.Errorf("asked at (-want +got):\n%s", diff)
	}
}

// A page that this client fetched itself counts once, though it is passed again when its run is repeated.
func TestRateCountsAPageOnce(t *testing.T) {
	clk := newClock()
	c := client(t, contract.Source{
		Rate:       contract.Rate{Requests: 2, Per: time.Minute},
		Pagination: contract.Pagination{Kind: "page_number", BasePage: 1, PageParam: "page", MaximumPage: 2},
	}, nil, options(clk, serve(t, body(`[1]`), body(`[2]`)).URL))
	first, err := c.Walk().Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again := c.Walk()
	if err := again.Pass(first.Mark); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(clk.slept) != 0 {
		t.Errorf("slept %v", clk.slept)
	}
}

// What a walk passed before it broke off counts for the one that goes on behind it.
func TestLoopIsFoundAfterAResume(t *testing.T) {
	tests := []struct {
		name       string
		pagination contract.Pagination
		passed     []source.Mark
		answer     string
		want       string
	}{
		{
			"the page before", contract.Pagination{Kind: "offset", Limit: 1, OffsetParam: "offset", StopAfterEmptyPage: true},
			[]source.Mark{{Next: "1", Records: 1, Digest: source.Digest([]byte(`{"data":[1]}`), []string{"data"})}},
			`{"data":[1],"at":"later"}`, "it answers with the page before",
		},
		{
			"a page that was passed", contract.Pagination{Kind: "cursor", CursorPath: []string{"next"}, CursorParam: "after"},
			[]source.Mark{{Next: "a", Records: 1, Digest: "1"}, {Next: "b", Records: 1, Digest: "2"}},
			`{"data":[3],"next":"a"}`, "it leads back to a page that was passed",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			walk := client(t, contract.Source{Records: []string{"data"}, Pagination: test.pagination}, nil,
				options(newClock(), serve(t, body(test.answer)).URL)).Walk()
			for _, m := range test.passed {
				if err := walk.Pass(m); err != nil {
					t.Fatal(err)
				}
			}
			_, err := walk.Fetch(t.Context())
			var fault *source.Error
			if !errors.As(err, &fault) || fault.Kind != source.Looping || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	big := "[" + strings.Repeat(" ", 2000) + "1]"
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := io.WriteString(w, big); err != nil {
				return
			}
		}
	}
	bomb := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		for range 10_000 {
			if _, err := io.WriteString(z, big); err != nil {
				return
			}
		}
		_ = z.Close()
	}
	counting := func() http.HandlerFunc {
		n := 0
		return func(w http.ResponseWriter, _ *http.Request) { n++; fmt.Fprintf(w, `[%d,0]`, n) }
	}
	numbers := contract.Pagination{Kind: "page_number", BasePage: 1, PageParam: "page", StopAfterEmptyPage: true}
	tests := []struct {
		name      string
		step      http.HandlerFunc
		source    contract.Source
		wantKind  source.Kind
		wantText  string
		wantAsked int
	}{
		{"body", body(big), contract.Source{Limits: contract.Limits{Body: 1000}}, source.TooLarge, "the body has more than 1000 bytes (raise limits.body in the contract, or ask for smaller pages)", 1},
		{"body without end", endless, contract.Source{Limits: contract.Limits{Body: 100_000}}, source.TooLarge, "the body has more than 100000 bytes", 1},
		{"gzip bomb", bomb, contract.Source{Limits: contract.Limits{Body: 100_000}}, source.TooLarge, "the body has more than 100000 bytes", 1},
		{"body that just fits", body(`[12]`), contract.Source{Limits: contract.Limits{Body: 4}}, 0, "", 1},
		{"pages", counting(), contract.Source{Pagination: numbers, Limits: contract.Limits{Pages: 3}}, source.TooLarge, "the run has more than 3 pages (raise limits.pages in the contract)", 3},
		{"records", counting(), contract.Source{Pagination: numbers, Limits: contract.Limits{Records: 5}}, source.TooLarge, "the run has more than 5 records", 3},
		{"the same page again", body(`[1]`), contract.Source{Pagination: numbers}, source.Looping, "it answers with the page before", 2},
		{"the same cursor again", counted(`{"data":[%d],"next":"x"}`), contract.Source{Records: []string{"data"}, Pagination: contract.Pagination{Kind: "cursor", CursorPath: []string{"next"}, CursorParam: "after"}}, source.Looping, "it leads back to a page that was passed", 2},
		{"links in a circle", inCircle(), contract.Source{Pagination: contract.Pagination{Kind: "header_link"}}, source.Looping, "it leads back to a page that was passed", 3},
		{"the same page in another envelope", counted(`{"data":[{"id":1}],"at":%d}`), contract.Source{Records: []string{"data"}, Pagination: numbers}, source.Looping, "it answers with the page before", 2},
		{"an offset that is not heard", body(`[1,2]`), contract.Source{Pagination: contract.Pagination{Kind: "offset", Limit: 2, OffsetParam: "offset", StopAfterEmptyPage: true}}, source.Looping, "it answers with the page before", 2},
		{"a JSON link to itself", counted(`{"data":[%d],"next":"?"}`), contract.Source{Records: []string{"data"}, Pagination: contract.Pagination{Kind: "json_link", NextURLPath: []string{"next"}}}, source.Looping, "it leads back to a page that was passed", 2},
		{"no word of more", body(`{"data":[1]}`), contract.Source{Records: []string{"data"}, Pagination: contract.Pagination{Kind: "page_number", PageParam: "p", HasMorePath: []string{"more"}}}, source.Malformed, `read whether more follows at /more: "" is neither true nor false`, 1},
		{"a word of more that is none", body(`{"data":[1],"more":"perhaps"}`), contract.Source{Records: []string{"data"}, Pagination: contract.Pagination{Kind: "cursor", CursorPath: []string{"next"}, CursorParam: "after", HasMorePath: []string{"more"}}}, source.Malformed, `read whether more follows at /more: "perhaps" is neither true nor false`, 1},
		{"no total", body(`{"data":[1]}`), contract.Source{Records: []string{"data"}, Pagination: contract.Pagination{Kind: "page_number", PageParam: "p", TotalPath: []string{"a/b", "c~d"}}}, source.Malformed, `read total at /a~1b/c~0d: "" is no count (check source.pagination in the contract)`, 1},
		{"cursor that is an object", body(`{"data":[1],"next":{"a":1}}`), contract.Source{Records: []string{"data"}, Pagination: contract.Pagination{Kind: "cursor", CursorPath: []string{"next"}, CursorParam: "after"}}, source.Malformed, "read /next: it is no text and no number", 1},
		{"more without a cursor", body(`{"data":[1],"more":true}`), contract.Source{Records: []string{"data"}, Pagination: contract.Pagination{Kind: "cursor", CursorPath: []string{"next"}, CursorParam: "after", HasMorePath: []string{"more"}}}, source.Malformed, "read cursor at /next: there is none, and /more says that more follows", 1},
		{"link that is no URL", body(`{"data":[1],"next":"mailto:me@example.com"}`), contract.Source{Records: []string{"data"}, Pagination: contract.Pagination{Kind: "json_link", NextURLPath: []string{"next"}}}, source.Malformed, "read next link: it is no http or https URL", 1},
		{"redirects in a circle", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }, contract.Source{}, source.Looping, "more than 10 redirects", 10},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := serve(t, test.step)
			_, err := walkAll(t.Context(), client(t, test.source, nil, options(newClock(), a.URL)).Walk())
			var fault *source.Error
			switch {
			case test.wantKind == 0:
				if err != nil {
					t.Fatal(err)
				}
			case !errors.As(err, &fault) || fault.Kind != test.wantKind || !strings.Contains(err.Error(), test.wantText):
				t.Fatalf("error %v, want %s: %s", err, test.wantKind, test.wantText)
			}
			if got := len(a.queries()); got != test.wantAsked {
				t.Errorf("asked %d times, want %d", got, test.wantAsked)
			}
		})
	}
}

func counted(format string) http.HandlerFunc {
	n := 0
	return func(w http.ResponseWriter, _ *http.Request) { n++; fmt.Fprintf(w, format, n) }
}

func inCircle() http.HandlerFunc {
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		n++
		next := map[string]string{"": "b", "b": "c", "c": "b"}[r.URL.Query().Get("at")]
		w.Header().Set("Link", "</?at="+next+`>; rel="next"`)
		fmt.Fprintf(w, "[%d]", n)
	}
}

func TestClientIsRefused(t *testing.T) {
	tests := []struct {
		name     string
		source   contract.Source
		override string
		want     string
	}{
		{
			name:   "no server for the environment",
			source: contract.Source{URLs: map[string]string{"prod": "https://example.com", "test": "https://example.com"}},
			want:   `make source of orders: the contract has no server of type api for environment "dev", only for "prod", "test"`,
		},
		{
			name:   "plain http",
			source: contract.Source{URLs: map[string]string{"": "http://example.com/"}},
			want:   `make source of orders: source URL "http://example.com/" is plain http and the contract does not allow it`,
		},
		{
			name:     "user information",
			override: "https://me:pass@example.com/",
			want:     "make source of orders: source URL of host example.com holds user information: declare auth and a secret",
		},
		{
			name:     "no URL",
			override: "/relative",
			want:     `make source of orders: source URL "/relative" is no http or https URL`,
		},
		{
			name:     "pagination",
			override: "https://example.com/",
			source:   contract.Source{Pagination: contract.Pagination{Kind: "scroll"}},
			want:     `make source of orders: no pagination is called "scroll"`,
		},
		{
			name:   "plain http where the contract allows it",
			source: contract.Source{Insecure: true, URLs: map[string]string{"dev": "http://example.com/"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := source.New(dataset(test.source), "dev", nil, source.Options{URL: test.override})
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestURLTellsNoSecret(t *testing.T) {
	c := client(t, contract.Source{
		Query: []contract.Pair{{Name: "page_size", Value: "9"}, {Name: "access_token", Value: "t"}},
	}, nil, source.Options{URL: "https://example.com/a?q=1&page_size=2"})
	if diff := cmp.Diff("https://example.com/a?access_token=***&page_size=9&q=1", c.URL()); diff != "" {
		t.Errorf("URL (-want +got):\n%s", diff)
	}
}
