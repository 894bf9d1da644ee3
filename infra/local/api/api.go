package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"tributary/shared/contract"
	"tributary/shared/record"
)

// API answers in place of a dataset's source. It is safe for concurrent use.
type API struct {
	source contract.Source
	path   string
	draw   func(at time.Time) []Record // nil for a recorded file
	file   recording

	mu       sync.Mutex
	records  []Record
	faults   map[int]int // number of the request in the run → status it is answered with
	asked    int
	requests []Request
}

// Request is one request that the API answered.
type Request struct {
	URL    string // path and query
	Status int
}

// Record is one record as it stands in a response.
type Record struct {
	Text  string // JSON
	Plant *Plant // nil: nothing wrong with it
}

// New makes the built-in API of a dataset, with made-up records drawn from the seed.
func New(c *contract.Contract, environment string, seed uint64) (*API, error) {
	a, err := newAPI(c, environment)
	if err != nil {
		return nil, err
	}
	if c.Dataset == "coin_markets" {
		a.draw = func(at time.Time) []Record { return coins(seed, at) }
		return a, nil
	}
	plan, err := record.Compile(c)
	if err != nil {
		return nil, fmt.Errorf("make up records of %s: %w", c.Dataset, err)
	}
	a.draw = func(at time.Time) []Record { return generic(c, plan, seed, at) }
	return a, nil
}

func newAPI(c *contract.Contract, environment string) (*API, error) {
	raw, ok := c.Source.URLs[environment]
	if !ok {
		raw, ok = c.Source.URLs[""]
	}
	if !ok {
		return nil, fmt.Errorf("serve %s: %s has no server of type api for environment %q", c.Dataset, c.File, environment)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("serve %s: read its URL: %w", c.Dataset, err)
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return &API{source: c.Source, path: path}, nil
}

// Path is where the API answers, to be put behind the address of its server.
func (a *API) Path() string { return a.path }

// Begin sets the scheduled time of the run whose requests come next, and with it the records; the 429 and the 503 of
// the run lie ahead again.
func (a *API) Begin(at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked, a.requests, a.faults = 0, nil, nil
	if a.draw == nil {
		return
	}
	a.records = a.draw(at)
	// The second page is refused once and the third fails once; with one page, both befall it.
	a.faults = map[int]int{2: http.StatusTooManyRequests, 4: http.StatusServiceUnavailable}
	if a.source.Pagination.Kind == "single_page" {
		a.faults = map[int]int{1: http.StatusTooManyRequests, 2: http.StatusServiceUnavailable}
	}
}

// Requests lists what was asked since Begin.
func (a *API) Requests() []Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Request(nil), a.requests...)
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	status := a.answer(w, r)
	a.requests = append(a.requests, Request{URL: r.URL.RequestURI(), Status: status})
}

func (a *API) answer(w http.ResponseWriter, r *http.Request) int {
	if r.URL.EscapedPath() != a.path {
		return refuse(w, http.StatusNotFound, fmt.Sprintf("no such path: %s; this API answers %s", r.URL.Path, a.path))
	}
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return refuse(w, http.StatusMethodNotAllowed, r.Method+" is not supported")
	}
	if !a.opens(r) {
		return refuse(w, http.StatusUnauthorized, "missing or wrong credentials")
	}
	query := r.URL.Query()
	for _, p := range a.source.Query {
		if !query.Has(p.Name) {
			return refuse(w, http.StatusBadRequest, "missing parameter "+p.Name)
		}
	}
	a.asked++
	switch a.faults[a.asked] {
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "1")
		return refuse(w, http.StatusTooManyRequests, "you have exceeded the rate limit")
	case http.StatusServiceUnavailable:
		return refuse(w, http.StatusServiceUnavailable, "try again later")
	}
	if a.draw == nil {
		return a.file.serve(w, r, a.source)
	}
	at, err := readPosition(a.source, query)
	if err != nil {
		return refuse(w, http.StatusBadRequest, err.Error())
	}
	return a.servePage(w, r, at)
}

func (a *API) servePage(w http.ResponseWriter, r *http.Request, at position) int {
	from := min(at.start, len(a.records))
	to := from + min(at.size, len(a.records)-from)
	texts := make([]json.RawMessage, 0, to-from)
	for _, rec := range a.records[from:to] {
		texts = append(texts, json.RawMessage(rec.Text))
	}
	next := ""
	if to < len(a.records) {
		next = strconv.Itoa(to)
	}
	body, err := envelope(a.source, r, held(a.source, texts, from), len(a.records), next)
	if err != nil {
		return refuse(w, http.StatusInternalServerError, err.Error())
	}
	if next != "" && a.source.Pagination.Kind == "header_link" {
		w.Header().Set("Link", fmt.Sprintf("<%s>; rel=%q", nextURL(r, next), linkName(a.source.Pagination)))
	}
	return send(w, http.StatusOK, body)
}

func refuse(w http.ResponseWriter, status int, message string) int {
	body, err := json.Marshal(map[string]any{"status": map[string]any{"error_code": status, "error_message": message}})
	if err != nil {
		status, body = http.StatusInternalServerError, nil
	}
	return send(w, status, body)
}

func send(w http.ResponseWriter, status int, body []byte) int {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	// A client that hangs up has its own error to report.
	_, _ = w.Write(body)
	return status
}
