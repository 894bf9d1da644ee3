package source

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tributary/shared/contract"
)

// request is what a pager wants asked.
type request struct {
	method string
	url    *url.URL
	body   []byte // nil: none
}

// answer is what came back, with the transfer encoding removed.
type answer struct {
	url     *url.URL // behind redirects
	header  http.Header
	body    []byte
	records int64 // -1: unreadable
	at      time.Time
}

// pager is one kind of pagination. A position is its own text for what to ask; "" is the beginning.
type pager interface {
	// request makes the request for a position from the one for the contract's URL.
	request(resource *url.URL, position string) (request, error)
	// next reads the next position from the answer to a position; "" says that there is none.
	next(position string, a *answer) (string, error)
}

func newPager(p contract.Pagination) (pager, error) {
	switch p.Kind {
	case "single_page":
		return singlePage{}, nil
	case "page_number":
		return pageNumber{p}, nil
	case "offset":
		return offset{p}, nil
	case "cursor":
		return cursor{p}, nil
	case "json_link":
		return jsonLink{p}, nil
	case "header_link":
		return headerLink{p}, nil
	}
	return nil, fmt.Errorf("no pagination is called %q", p.Kind)
}

// param is a query parameter, or a JSON value at a path of the request's body; one without a place or a value is left
// out.
type param struct {
	name  string
	value string
	path  []string // in place of name; the value is a JSON literal then
}

// ask is the request for the resource with further parameters: a GET, or a POST where one of them stands in the body.
func ask(resource *url.URL, params ...param) (request, error) {
	document, inBody := map[string]any{}, false
	for _, p := range params {
		if len(p.path) == 0 {
			continue
		}
		inBody = true
		if p.value != "" {
			nest(document, p.path, p.value)
		}
	}
	r := get(resource, params...)
	if !inBody {
		return r, nil
	}
	body, err := json.Marshal(document)
	return request{method: http.MethodPost, url: r.url, body: body}, err
}

// nest puts a JSON literal at a path of a document.
func nest(document map[string]any, path []string, value string) {
	for _, token := range path[:len(path)-1] {
		next, ok := document[token].(map[string]any)
		if !ok {
			next = map[string]any{}
			document[token] = next
		}
		document = next
	}
	document[path[len(path)-1]] = json.RawMessage(value)
}

// get is the request for the resource with further parameters of the query.
func get(resource *url.URL, params ...param) request {
	u := *resource
	query := u.Query()
	for _, p := range params {
		if p.name != "" && p.value != "" && len(p.path) == 0 {
			query.Set(p.name, p.value)
		}
	}
	u.RawQuery = query.Encode()
	return request{method: http.MethodGet, url: &u}
}

type singlePage struct{}

func (singlePage) request(resource *url.URL, _ string) (request, error) { return get(resource), nil }
func (singlePage) next(string, *answer) (string, error)                 { return "", nil }

// pageNumber counts pages from base_page. It ends behind maximum_page, behind as many pages as the total says, where no
// more follows, or at an empty page.
type pageNumber struct{ contract.Pagination }

func (p pageNumber) request(resource *url.URL, position string) (request, error) {
	n, err := number(position, p.BasePage)
	if err != nil {
		return request{}, err
	}
	return ask(resource, param{p.PageParam, strconv.Itoa(n), p.PageBodyPath})
}

func (p pageNumber) next(position string, a *answer) (string, error) {
	n, err := number(position, p.BasePage)
	if err != nil {
		return "", err
	}
	n++
	if more, err := follows(p.Pagination, a); err != nil || !more || p.MaximumPage > 0 && n > p.MaximumPage {
		return "", err
	}
	if pages, ok, err := total(a, p.TotalPath); err != nil || ok && n >= pages+p.BasePage {
		return "", err
	}
	return strconv.Itoa(n), nil
}

// offset counts records in steps of the limit. It ends at maximum_offset, at the total of records, where no more follows,
// or at an empty page.
type offset struct{ contract.Pagination }

func (p offset) request(resource *url.URL, position string) (request, error) {
	n, err := number(position, 0)
	if err != nil {
		return request{}, err
	}
	return ask(resource, param{p.OffsetParam, strconv.Itoa(n), p.OffsetBodyPath}, param{p.LimitParam, strconv.Itoa(p.Limit), p.LimitBodyPath})
}

func (p offset) next(position string, a *answer) (string, error) {
	n, err := number(position, 0)
	if err != nil {
		return "", err
	}
	n += p.Limit
	if more, err := follows(p.Pagination, a); err != nil || !more || p.MaximumOffset > 0 && n >= p.MaximumOffset {
		return "", err
	}
	if records, ok, err := total(a, p.TotalPath); err != nil || ok && n >= records {
		return "", err
	}
	return strconv.Itoa(n), nil
}

// number reads a position that is a number.
func number(position string, first int) (int, error) {
	if position == "" {
		return first, nil
	}
	n, err := strconv.Atoi(position)
	if err != nil {
		return 0, fmt.Errorf("read position %q: it is no number", position)
	}
	return n, nil
}

// follows reports whether an answer leaves it open that more follows: it is not empty where that ends the run, and it does
// not say that there is no more.
func follows(p contract.Pagination, a *answer) (bool, error) {
	if p.StopAfterEmptyPage && a.records == 0 {
		return false, nil
	}
	if len(p.HasMorePath) == 0 {
		return true, nil
	}
	more, err := text(a.body, p.HasMorePath)
	if err != nil {
		return false, err
	}
	switch strings.ToLower(more) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, fmt.Errorf("read whether more follows at %s: %q is neither true nor false", pointer(p.HasMorePath), head(more))
}

// total reads the declared total; ok is false when none is declared.
func total(a *answer, path []string) (n int, ok bool, err error) {
	if len(path) == 0 {
		return 0, false, nil
	}
	value, err := text(a.body, path)
	if err != nil {
		return 0, false, err
	}
	if n, err = strconv.Atoi(value); err != nil || n < 0 {
		return 0, false, fmt.Errorf("read total at %s: %q is no count", pointer(path), head(value))
	}
	return n, true, nil
}

// cursor sends back the token of the answer before, as a parameter, or in a JSON body with the type that it had.
type cursor struct{ contract.Pagination }

func (p cursor) request(resource *url.URL, position string) (request, error) {
	return ask(resource, param{p.CursorParam, position, p.CursorBodyPath})
}

func (p cursor) next(_ string, a *answer) (string, error) {
	if more, err := follows(p.Pagination, a); err != nil || !more {
		return "", err
	}
	read := text
	if len(p.CursorBodyPath) > 0 {
		read = literal
	}
	token, err := read(a.body, p.CursorPath)
	if err == nil && token == "" && len(p.HasMorePath) > 0 {
		err = fmt.Errorf("read cursor at %s: there is none, and %s says that more follows", pointer(p.CursorPath), pointer(p.HasMorePath))
	}
	return token, err
}

// jsonLink follows the URL that the answer holds.
type jsonLink struct{ contract.Pagination }

func (p jsonLink) request(resource *url.URL, position string) (request, error) {
	return follow(resource, position)
}

func (p jsonLink) next(_ string, a *answer) (string, error) {
	if more, err := follows(p.Pagination, a); err != nil || !more {
		return "", err
	}
	link, err := text(a.body, p.NextURLPath)
	if err != nil || link == "" {
		return "", err
	}
	return resolve(a.url, link)
}

// headerLink follows the Link header of RFC 8288.
type headerLink struct{ contract.Pagination }

func (p headerLink) request(resource *url.URL, position string) (request, error) {
	return follow(resource, position)
}

func (p headerLink) next(_ string, a *answer) (string, error) {
	if more, err := follows(p.Pagination, a); err != nil || !more {
		return "", err
	}
	relation := p.LinksNextKey
	if relation == "" {
		relation = "next"
	}
	link := findLink(a.header.Values("Link"), relation)
	if link == "" {
		return "", nil
	}
	return resolve(a.url, link)
}

// follow asks a link as it is: it brings its own query.
func follow(resource *url.URL, position string) (request, error) {
	if position == "" {
		return get(resource), nil
	}
	u, err := url.Parse(position)
	if err != nil {
		return request{}, fmt.Errorf("read position: it is no URL")
	}
	return request{method: http.MethodGet, url: u}, nil
}

// resolve makes a link absolute. The error does not show the link: it may hold credentials.
func resolve(base *url.URL, link string) (string, error) {
	u, err := base.Parse(link)
	if err != nil {
		return "", fmt.Errorf("read next link: it is no URL")
	}
	if u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("read next link: it is no http or https URL")
	}
	u.Fragment = ""
	return u.String(), nil
}
