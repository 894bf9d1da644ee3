package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"

	"tributary/shared/contract"
)

// startParam carries the position in the links that this API hands out for json_link and header_link.
const startParam = "start"

const defaultPageSize = 100

// sizeParams are the usual names of the parameter that says how many records a page holds.
var sizeParams = []string{"per_page", "page_size", "pagesize", "pageSize", "perPage", "limit", "size", "count", "rows"}

// position is the part of the records that a request asks for.
type position struct{ start, size int }

// first reports whether the request asks for the beginning.
func (p position) first() bool { return p.start == 0 }

func readPosition(s contract.Source, query url.Values) (position, error) {
	p := s.Pagination
	size := defaultPageSize
	names := sizeParams
	if p.LimitParam != "" {
		names = []string{p.LimitParam}
	}
	for _, name := range names {
		if query.Has(name) {
			n, err := number(query, name, 1)
			if err != nil {
				return position{}, err
			}
			size = n
			break
		}
	}
	at := position{size: size}
	var err error
	switch p.Kind {
	case "single_page":
		at.size = math.MaxInt
	case "page_number":
		page := p.BasePage
		if query.Has(p.PageParam) {
			page, err = number(query, p.PageParam, p.BasePage)
		}
		at.start = (page - p.BasePage) * size
	case "offset":
		if query.Has(p.OffsetParam) {
			at.start, err = number(query, p.OffsetParam, 0)
		}
	case "cursor":
		if query.Get(p.CursorParam) != "" {
			at.start, err = number(query, p.CursorParam, 0)
		}
	default:
		if query.Has(startParam) {
			at.start, err = number(query, startParam, 0)
		}
	}
	return at, err
}

func number(query url.Values, name string, least int) (int, error) {
	n, err := strconv.Atoi(query.Get(name))
	if err != nil || n < least || n > 1<<30 {
		return 0, fmt.Errorf("parameter %s: %q is not a number from %d", name, query.Get(name), least)
	}
	return n, nil
}

// held is what the records of a page stand in; start is the place of the first among all.
func held(s contract.Source, records []json.RawMessage, start int) any {
	if !s.Keyed {
		return append([]json.RawMessage{}, records...)
	}
	members := map[string]json.RawMessage{}
	for i, r := range records {
		members[fmt.Sprintf("key-%06d", start+i+1)] = r // encoded in the order of the keys, which is theirs
	}
	return members
}

// envelope wraps a page's records as the contract says the source does: what holds them itself, or it below its pointer with
// the total and whatever leads to the next page.
func envelope(s contract.Source, r *http.Request, records any, total int, next string) ([]byte, error) {
	if len(s.Records) == 0 {
		return encode(records)
	}
	doc := map[string]any{}
	put(doc, s.Records, records)
	p := s.Pagination
	if len(p.TotalPath) > 0 {
		put(doc, p.TotalPath, total)
	}
	switch p.Kind {
	case "cursor":
		put(doc, p.CursorPath, orNull(next))
	case "json_link":
		if next != "" {
			put(doc, p.NextURLPath, nextURL(r, next))
		} else {
			put(doc, p.NextURLPath, nil)
		}
	}
	if len(p.HasMorePath) > 0 {
		put(doc, p.HasMorePath, next != "")
	}
	return encode(doc)
}

// encode keeps the texts of the records as they are: no escaping of <, > and &.
func encode(doc any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(doc); err != nil {
		return nil, fmt.Errorf("encode page: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// put sets the value at a JSON Pointer, making the objects on the way.
func put(doc map[string]any, path []string, value any) {
	for i, token := range path {
		if i == len(path)-1 {
			doc[token] = value
			return
		}
		inner, ok := doc[token].(map[string]any)
		if !ok {
			inner = map[string]any{}
			doc[token] = inner
		}
		doc = inner
	}
}

func nextURL(r *http.Request, next string) string {
	u := *r.URL
	u.Scheme, u.Host = "http", r.Host
	q := u.Query()
	q.Set(startParam, next)
	u.RawQuery = q.Encode()
	return u.String()
}

func linkName(p contract.Pagination) string {
	if p.LinksNextKey != "" {
		return p.LinksNextKey
	}
	return "next"
}
