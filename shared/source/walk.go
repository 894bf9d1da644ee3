package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"time"

	"tributary/shared/zone"
)

// Mark is what has to be kept of a stored page so that a walk can go on behind it.
type Mark struct {
	Next      string // position of the next page; "" when the walk ended
	Ended     string // why there is no next page; "" while there is one
	Records   int64  // -1: the body is no JSON, or lacks the array of records
	FetchedAt time.Time
	Digest    string // Digest of the page
	From      string // incremental cursor: where the run starts
	To        string // incremental cursor: where it is to end; "" for what is newest
	Span      Span   // incremental cursor: what the records hold
}

// Page is one answer of the source.
type Page struct {
	Mark
	Body []byte
}

// Walk is the way of one run through the pages of a source. It is for one goroutine.
type Walk struct {
	client   *Client
	keys     credentials
	position string
	asked    map[string]bool // positions of the pages that were passed
	last     Mark
	pages    int
	records  int64
	from, to string // incremental cursor: where the run starts, and is to end
	span     Span   // of all passed pages
	steps    []step
}

// step is what is known behind a passed page: how many records it had, and the greatest cursor value up to it.
type step struct {
	records  int64
	greatest string
}

// Walk starts at the first page of all records.
func (c *Client) Walk() *Walk {
	return &Walk{
		client: c, keys: credentials{client: c},
		asked: map[string]bool{}, span: Span{Ascending: true},
	}
}

// WalkFrom starts at the first page of the records from a value of the incremental cursor on. A page that was stored
// with another value decides for the pages behind it.
func (c *Client) WalkFrom(value string) *Walk {
	w := c.Walk()
	w.from = value
	return w
}

// WalkRange starts at the first page of the records from one value of the incremental cursor to another.
func (c *Client) WalkRange(from, to string) *Walk {
	w := c.WalkFrom(from)
	w.to = to
	return w
}

// To is the value of the incremental cursor at which the walk is to end; "" for what is newest.
func (w *Walk) To() string { return w.to }

// From is the value of the incremental cursor at which the walk starts.
func (w *Walk) From() string { return w.from }

// Reach is the greatest value of the incremental cursor that the passed pages hold, as far as no record that came while
// they were read can be missing in between. Where pages are counted, a page that is not full has a gap behind it if there
// is a further one: it was the last when it was read, and what has come since has moved into its place. An offset says how
// much is full; of numbered pages the longest of the run is taken for it.
func (w *Walk) Reach() string {
	full, last := int64(0), -1
	switch p := w.client.pager.(type) {
	case pageNumber:
	case offset:
		full = int64(p.Limit)
	default:
		return w.span.Greatest
	}
	for i, s := range w.steps {
		full = max(full, s.records)
		if s.records > 0 {
			last = i
		}
	}
	for i, s := range w.steps {
		if i < last && s.records < full {
			return s.greatest
		}
	}
	return w.span.Greatest
}

// CanEndEarly reports whether the records not yet fetched are all at or above the greatest cursor value that was
// passed, so that the next run can carry on there. The passed records must show it by their order.
func (w *Walk) CanEndEarly() bool {
	return w.client.source.Cursor != nil && w.pages > 0 && w.span.Ascending && CompareCursors(w.span.Least, w.span.Greatest) < 0
}

// Done reports whether the last page has been passed.
func (w *Walk) Done() bool { return w.last.Ended != "" }

// Ended tells how the walk ended: zone.EndedComplete or zone.EndedUnreadable; "" before that.
func (w *Walk) Ended() string { return w.last.Ended }

// Fetch asks for the page at the walk's position. The walk stays where it is until Pass.
func (w *Walk) Fetch(ctx context.Context) (*Page, error) {
	if limit := w.client.source.Limits.Pages; w.pages >= limit {
		return nil, w.tooLarge("pages", int64(limit))
	}
	r, err := w.client.pager.request(w.resource(), w.position)
	if err != nil {
		return nil, w.misled(request{}, err)
	}
	a, err := w.ask(ctx, r)
	if err != nil {
		return nil, err
	}
	page := &Page{Body: a.body, Mark: Mark{
		Records:   a.records,
		FetchedAt: a.at.UTC().Truncate(time.Millisecond),
		Digest:    Digest(a.body, w.client.source.Records),
		From:      w.from,
		To:        w.to,
	}}
	if a.records < 0 {
		page.Ended = zone.EndedUnreadable
		return page, nil
	}
	if a.records > 0 && page.Digest == w.last.Digest {
		return nil, w.looping(r, "it answers with the page before")
	}
	if c := w.client.source.Cursor; c != nil {
		if page.Span, err = span(a.body, &w.client.source, c); err != nil {
			return nil, w.pagingFault(Malformed, r, err, "check source.cursor in the contract")
		}
	}
	next, err := w.client.pager.next(w.position, a)
	if err != nil {
		return nil, w.misled(r, err)
	}
	if next == "" {
		page.Ended = zone.EndedComplete
		return page, nil
	}
	if page.Next, err = w.bare(next); err != nil {
		return nil, w.misled(r, err)
	}
	if page.Next == w.position || w.asked[page.Next] {
		return nil, w.looping(r, "it leads back to a page that was passed")
	}
	return page, nil
}

// Pass moves behind a stored page, which need not be one that this walk fetched. A page with which the run passes its limit
// of records is passed as well, and the walk cannot go on.
func (w *Walk) Pass(m Mark) error {
	if w.Done() {
		return errors.New("pass page: the walk has ended")
	}
	if (m.Next == "") == (m.Ended == "") {
		return errors.New("pass page: its mark must name either the next page or why there is none")
	}
	w.pages++
	w.records += max(0, m.Records)
	w.from, w.to = m.From, m.To
	w.extend(m.Span)
	w.steps = append(w.steps, step{max(0, m.Records), w.span.Greatest})
	w.asked[w.position] = true
	w.position, w.last = m.Next, m
	w.client.window.passed(m.FetchedAt)
	if limit := w.client.source.Limits.Records; w.records > limit {
		return w.tooLarge("records", limit)
	}
	return nil
}

// extend adds a page's cursor values to those of the walk.
func (w *Walk) extend(s Span) {
	if s.Greatest == "" {
		return
	}
	if w.span.Greatest == "" {
		w.span = s
		return
	}
	w.span.Ascending = w.span.Ascending && s.Ascending && CompareCursors(w.span.Greatest, s.Least) <= 0
	if CompareCursors(s.Least, w.span.Least) < 0 {
		w.span.Least = s.Least
	}
	if CompareCursors(s.Greatest, w.span.Greatest) > 0 {
		w.span.Greatest = s.Greatest
	}
}

// resource is the contract's URL with the range of the incremental cursor.
func (w *Walk) resource() *url.URL {
	u := w.client.resource()
	c := w.client.source.Cursor
	if c == nil {
		return u
	}
	return get(u, param{name: c.Param, value: w.from}, param{name: c.EndParam, value: w.to}).url
}

// bare is a position without the credential that a link of the source may bring back.
func (w *Walk) bare(position string) (string, error) {
	switch w.client.pager.(type) {
	case jsonLink, headerLink:
		u, err := url.Parse(position)
		if err != nil {
			return "", errors.New("read next link: it is no URL")
		}
		return without(u, w.client.keyParam()).String(), nil
	}
	return position, nil
}

func (w *Walk) misled(r request, err error) error {
	return w.pagingFault(Malformed, r, err, pagingHint)
}

func (w *Walk) looping(r request, what string) error {
	return w.pagingFault(Looping, r, errors.New(what), pagingHint)
}

const pagingHint = "check source.pagination in the contract"

func (w *Walk) pagingFault(kind Kind, r request, err error, hint string) error {
	fault := &Error{Kind: kind, Dataset: w.client.dataset, Err: err, Hint: hint}
	if r.url != nil {
		fault.Method, fault.URL = r.method, w.keys.hider.hide(redact(r.url, w.client.keyParam()).String())
	}
	return fault
}

func (w *Walk) tooLarge(what string, limit int64) error {
	return &Error{
		Kind: TooLarge, Dataset: w.client.dataset, Err: fmt.Errorf("the run has more than %d %s", limit, what),
		Hint: "raise limits." + what + " in the contract",
	}
}

// Digest tells pages apart by their records, wherever those stand: what stands around them, such as a time, may differ
// between two answers with the same page. It is the lower-case hex SHA-256 of their array, or of the whole page where
// no array is found.
func Digest(body []byte, records []string) string {
	if len(records) > 0 {
		if array, err := lookup(body, records); err == nil && array != nil {
			body = array
		}
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
