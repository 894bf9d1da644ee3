package infer

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// paging guesses how further pages are asked for, from the Link header, what is around the records and the query. The
// result is the contract's pagination as YAML.
func paging(f found, o Options, query url.Values) (yaml string, n Note) {
	n = Note{What: "pagination", Sure: Likely}
	if strings.Contains(o.Link, `rel="next"`) || strings.Contains(o.Link, "rel=next") {
		n.Guess, n.Why = "header_link", "the answer has a Link header (RFC 8288)"
		return "{kind: header_link}", n
	}
	if yaml, n, ok := inEnvelope(f, query); ok {
		return yaml, n
	}
	if yaml, n, ok := inQuery(query); ok {
		return yaml, n
	}
	n.Guess, n.Why, n.Sure = "single_page", "nothing in the answer or the address speaks of further pages", Guess
	if strings.Contains(o.Link, "rel=") {
		n.Why = "the answer has a Link header (RFC 8288) without a next page: write header_link if other answers have one"
	}
	if more := unasked(f, query); more != "" {
		n.Why = more + ": there are further pages, and nothing says how to ask for them; see pagination in the reference"
	}
	return "{kind: single_page}", n
}

var (
	pageParams   = []string{"page", "p", "_page", "pageNumber", "page_number", "pageNo", "page_no", "pageNum", "currentPage", "current_page", "page[number]"}
	offsetParams = []string{"offset", "skip", "start", "startIndex", "startAt", "from", "$skip", "page[offset]"}
	limitParams  = []string{"limit", "count", "size", "take", "rows", "per_page", "perPage", "page_size", "pageSize", "maxResults", "num", "n", "$top", "_limit", "page[size]", "page[limit]"}
)

// sent is the first of the names that the query has.
func sent(query url.Values, names []string) (name string, number int, ok bool) {
	for _, name := range names {
		for given := range query {
			if !strings.EqualFold(name, given) {
				continue
			}
			if n, err := strconv.Atoi(query.Get(given)); err == nil {
				return given, n, true
			}
		}
	}
	return "", 0, false
}

// inQuery looks at what the address sends.
func inQuery(query url.Values) (string, Note, bool) {
	n := Note{What: "pagination", Sure: Likely}
	if param, page, ok := sent(query, pageParams); ok {
		n.Guess, n.Why = "page_number", fmt.Sprintf("the address has %s=%d", param, page)
		if page > 1 {
			n.Why += "; the contract begins with page 1"
		}
		return fmt.Sprintf("{kind: page_number, base_page: %d, page_param: %s, stop_after_empty_page: true}", max(0, min(page, 1)), quote(param)), n, true
	}
	offset, _, ok := sent(query, offsetParams)
	if !ok {
		return "", n, false
	}
	limit, size, ok := sent(query, limitParams)
	if !ok || size < 1 {
		return "", n, false
	}
	n.Guess, n.Why = "offset", fmt.Sprintf("the address has %s and %s", offset, limit)
	return fmt.Sprintf("{kind: offset, limit: %d, limit_param: %s, offset_param: %s, stop_after_empty_page: true}", size, quote(limit), quote(offset)), n, true
}

var (
	nextLinks = []string{"next", "next_url", "nexturl", "next_page_url", "nextpageurl", "next_link", "nextlink", "@odata.nextlink", "next_page"}
	cursors   = map[string]string{ // the member, and the parameter that usually carries it
		"next_cursor": "cursor", "nextcursor": "cursor", "next-cursor": "cursor", "cursor": "cursor", "next_page_token": "page_token", "nextpagetoken": "pageToken",
		"next_token": "next_token", "nexttoken": "nextToken", "after": "after", "end_cursor": "after", "endcursor": "after", "offset": "offset",
	}
	mores   = []string{"has_more", "hasmore", "has_next", "hasnext", "has_next_page", "hasnextpage", "more", "exceededtransferlimit"}
	totals  = []string{"total_pages", "totalpages", "page_count", "pagecount", "pages", "nbpages", "last_page", "lastpage"}
	counts  = []string{"total", "total_count", "totalcount", "total_results", "totalresults", "total-results", "total_items", "totalitems", "numfound", "count", "totalhits", "total_records"}
	asides  = []string{"meta", "metadata", "paging", "next", "pagination", "pageinfo", "page_info", "page", "links", "_links", "cursor", "cursors", "response_metadata", "info"}
	current = []string{"page", "current_page", "currentpage", "number"}
)

func among(name string, names []string) bool {
	for _, n := range names {
		if strings.EqualFold(name, n) {
			return true
		}
	}
	return false
}

// beside are the objects that may speak of paging: those around the records, and among their members those that are called
// so. What else lies in the answer is data.
func beside(f found) []level {
	var all []level
	var add func(l level, depth int)
	add = func(l level, depth int) {
		if l.pointer+"/*" == f.pointer { // its members are records, whatever they are called
			return
		}
		all = append(all, l)
		for i := range l.value.members {
			m := &l.value.members[i]
			if m.value.kind == isObject && among(m.name, asides) && depth < 2 {
				add(level{l.pointer + "/" + escape(m.name), &m.value}, depth+1)
			}
		}
	}
	for _, l := range f.around {
		add(l, 0)
		for i := range l.value.items { // [{"page": 1}, [records]]
			if v := &l.value.items[i]; v.kind == isObject {
				add(level{fmt.Sprintf("%s/%d", l.pointer, i), v}, 1)
			}
		}
	}
	return all
}

// inEnvelope looks at what is around the records.
func inEnvelope(f found, query url.Values) (string, Note, bool) {
	for _, look := range []func(level, url.Values) (string, Note, bool){byLink, byCursor, byPages, byOffset} {
		for _, l := range beside(f) {
			if yaml, n, ok := look(l, query); ok {
				return yaml, n, true
			}
		}
	}
	return "", Note{}, false
}

func byLink(l level, _ url.Values) (string, Note, bool) {
	n := Note{What: "pagination", Guess: "json_link", Sure: Likely}
	for i := range l.value.members {
		m := &l.value.members[i]
		at, v := l.pointer+"/"+escape(m.name), &m.value
		if !among(m.name, nextLinks) {
			continue
		}
		for _, name := range []string{"href", "link", "url"} {
			if inner := v.get(name); inner != nil {
				at, v = at+"/"+name, inner
			}
		}
		link := v.kind == isText && (strings.HasPrefix(v.text, "http") || strings.HasPrefix(v.text, "/") || strings.HasPrefix(v.text, "?"))
		if !link && (v.kind != isNull || strings.EqualFold(m.name, "next_page")) {
			continue
		}
		n.Why = at + " holds the address of the next page"
		if v.kind == isNull {
			n.Why, n.Sure = at+" is null and would hold the address of the next page", Guess
		}
		return fmt.Sprintf("{kind: json_link, next_url_path: %s}", quote(at)), n, true
	}
	return "", n, false
}

func byCursor(l level, query url.Values) (string, Note, bool) {
	n := Note{What: "pagination", Guess: "cursor", Sure: Guess}
	more := ""
	for i := range l.value.members {
		if m := &l.value.members[i]; m.value.kind == isBool && among(m.name, mores) {
			more = fmt.Sprintf(", has_more_path: %s", quote(l.pointer+"/"+escape(m.name)))
		}
	}
	for i := range l.value.members {
		m := &l.value.members[i]
		at, lower := l.pointer+"/"+escape(m.name), strings.ToLower(m.name)
		param, known := cursors[lower]
		if !known || (m.value.kind != isText || m.value.text == "") && (m.value.kind != isNull || !strings.Contains(lower, "next")) {
			continue
		}
		for name := range query { // what the address itself sends is no guess
			if strings.EqualFold(name, m.name) || strings.EqualFold(name, param) {
				param = name
			}
		}
		n.Why = fmt.Sprintf("%s holds a cursor; that the parameter %s carries it is a guess", at, param)
		return fmt.Sprintf("{kind: cursor, cursor_path: %s, cursor_param: %s%s}", quote(at), quote(param), more), n, true
	}
	return "", n, false
}

func byPages(l level, query url.Values) (string, Note, bool) {
	n := Note{What: "pagination", Guess: "page_number", Sure: Likely}
	for i := range l.value.members {
		m := &l.value.members[i]
		at := l.pointer + "/" + escape(m.name)
		if m.value.kind != isNumber || !among(m.name, totals) {
			continue
		}
		first := 1
		for k := range l.value.members {
			if c := &l.value.members[k]; among(c.name, current) && c.value.text == "0" {
				first = 0
			}
		}
		param, _, ok := sent(query, pageParams)
		n.Why = at + " counts the pages"
		if !ok {
			param = "page"
			n.Why += "; that the parameter page names one is a guess"
		}
		return fmt.Sprintf("{kind: page_number, base_page: %d, page_param: %s, total_path: %s, stop_after_empty_page: true}", first, quote(param), quote(at)), n, true
	}
	return "", n, false
}

func byOffset(l level, query url.Values) (string, Note, bool) {
	n := Note{What: "pagination", Guess: "offset", Sure: Likely}
	limit, from := "", ""
	size := 0
	for i := range l.value.members {
		switch m := &l.value.members[i]; {
		case m.value.kind != isNumber:
		case limit == "" && among(m.name, limitParams) && m.name != "count":
			limit, size = m.name, number(l.value, m.name)
		case from == "" && among(m.name, offsetParams):
			from = m.name
		}
	}
	if size < 1 || from == "" {
		return "", n, false
	}
	n.Why = fmt.Sprintf("%s/%s and %[1]s/%[3]s stand beside the records", l.pointer, escape(limit), escape(from))
	total := ""
	for i := range l.value.members {
		if m := &l.value.members[i]; m.value.kind == isNumber && among(m.name, counts) && m.name != "count" {
			total = fmt.Sprintf(", total_path: %s", quote(l.pointer+"/"+escape(m.name)))
			break
		}
	}
	if name, _, ok := sent(query, limitParams); ok {
		limit = name
	}
	if name, _, ok := sent(query, offsetParams); ok {
		from = name
	}
	return fmt.Sprintf("{kind: offset, limit: %d, limit_param: %s, offset_param: %s%s, stop_after_empty_page: true}", size, quote(limit), quote(from), total), n, true
}

func number(v *value, names ...string) int {
	for _, name := range names {
		if m := v.get(name); m != nil && m.kind == isNumber {
			if n, err := strconv.Atoi(m.text); err == nil {
				return n
			}
		}
	}
	return 0
}

// unasked says why there must be more records than the answer has; "" where nothing says so.
func unasked(f found, query url.Values) string {
	for _, l := range beside(f) {
		for i := range l.value.members {
			m := &l.value.members[i]
			if m.value.text == "true" && m.value.kind == isBool && among(m.name, mores) {
				return fmt.Sprintf("%s/%s is true", l.pointer, escape(m.name))
			}
			if n, err := strconv.Atoi(m.value.text); m.value.kind == isNumber && err == nil && among(m.name, counts) && n > len(f.records) {
				return fmt.Sprintf("%s/%s is %d and the answer has %s", l.pointer, escape(m.name), n, plural(len(f.records), "record"))
			}
		}
	}
	if name, size, ok := sent(query, limitParams); ok && size == len(f.records) {
		return fmt.Sprintf("the address asks for %s=%d and as many came", name, size)
	}
	return ""
}
