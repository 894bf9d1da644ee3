package infer

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// paging guesses how further pages are asked for, from the Link header, the members around the records and the query. The
// result is the contract's pagination as YAML.
func paging(f found, o Options, query url.Values) (yaml string, n Note) {
	n = Note{What: "pagination", Sure: Likely}
	if strings.Contains(o.Link, "rel=") {
		n.Guess, n.Why = "header_link", "the answer has a Link header (RFC 8288)"
		return "{kind: header_link}", n
	}
	if yaml, n, ok := inEnvelope(&f.around, "", 1, query); ok {
		return yaml, n
	}
	for _, param := range []string{"page", "p", "pageNumber", "page_number"} {
		if first, err := strconv.Atoi(query.Get(param)); err == nil && first <= 1 {
			n.Guess, n.Why = "page_number", fmt.Sprintf("the address has %s=%d", param, first)
			return fmt.Sprintf("{kind: page_number, base_page: %d, page_param: %s, stop_after_empty_page: true}", first, quote(param)), n
		}
	}
	for _, offset := range []string{"offset", "skip", "start"} {
		for _, limit := range []string{"limit", "count", "size", "take"} {
			if size, err := strconv.Atoi(query.Get(limit)); err == nil && size > 0 && query.Has(offset) {
				n.Guess, n.Why = "offset", fmt.Sprintf("the address has %s and %s", offset, limit)
				return fmt.Sprintf("{kind: offset, limit: %d, limit_param: %s, offset_param: %s, stop_after_empty_page: true}", size, quote(limit), quote(offset)), n
			}
		}
	}
	n.Guess, n.Why, n.Sure = "single_page", "nothing in the answer or the address speaks of further pages", Guess
	return "{kind: single_page}", n
}

var (
	nextLinks = []string{"next", "next_url", "nexturl", "next_page_url", "nextpageurl", "next_link", "nextlink", "@odata.nextlink", "next_page"}
	cursors   = map[string]string{ // the member, and the parameter that usually carries it
		"next_cursor": "cursor", "nextcursor": "cursor", "cursor": "cursor", "next_page_token": "page_token", "nextpagetoken": "pageToken",
		"next_token": "next_token", "nexttoken": "nextToken", "after": "after", "end_cursor": "after", "endcursor": "after", "offset": "offset",
	}
	mores  = []string{"has_more", "hasmore", "has_next", "hasnext", "has_next_page", "hasnextpage", "more"}
	totals = []string{"total_pages", "totalpages", "page_count", "pagecount", "pages", "last_page", "lastpage"}
)

func among(name string, names []string) bool {
	for _, n := range names {
		if strings.EqualFold(name, n) {
			return true
		}
	}
	return false
}

// inEnvelope looks at the members around the records, and at objects among them that speak of paging.
func inEnvelope(v *value, pointer string, depth int, query url.Values) (string, Note, bool) {
	n := Note{What: "pagination", Sure: Likely}
	more := ""
	for _, m := range v.members {
		if m.value.kind == isBool && among(m.name, mores) {
			more = fmt.Sprintf(", has_more_path: %s", quote(pointer+"/"+escape(m.name)))
		}
	}
	for _, m := range v.members {
		at := pointer + "/" + escape(m.name)
		link := m.value.kind == isText && (strings.HasPrefix(m.value.text, "http") || strings.HasPrefix(m.value.text, "/") || strings.HasPrefix(m.value.text, "?"))
		if among(m.name, nextLinks) && (link || m.value.kind == isNull && !strings.EqualFold(m.name, "next_page")) {
			n.Guess, n.Why = "json_link", at+" holds the address of the next page"
			if m.value.kind == isNull {
				n.Why, n.Sure = at+" is null and would hold the address of the next page", Guess
			}
			return fmt.Sprintf("{kind: json_link, next_url_path: %s}", quote(at)), n, true
		}
	}
	for _, m := range v.members {
		at := pointer + "/" + escape(m.name)
		param, known := cursors[strings.ToLower(m.name)]
		if known && (m.value.kind == isText && m.value.text != "" || m.value.kind == isNull && strings.Contains(strings.ToLower(m.name), "next")) {
			for name := range query { // what the address itself sends is no guess
				if strings.EqualFold(name, m.name) || strings.EqualFold(name, param) {
					param = name
				}
			}
			n.Guess, n.Why, n.Sure = "cursor", fmt.Sprintf("%s holds a cursor; that the parameter %s carries it is a guess", at, param), Guess
			return fmt.Sprintf("{kind: cursor, cursor_path: %s, cursor_param: %s%s}", quote(at), quote(param), more), n, true
		}
	}
	for _, m := range v.members {
		at := pointer + "/" + escape(m.name)
		if m.value.kind == isNumber && among(m.name, totals) {
			first := 1
			for _, page := range []string{"page", "current_page", "currentPage", "number"} {
				if p := v.get(page); p != nil && p.text == "0" {
					first = 0
				}
			}
			n.Guess, n.Why = "page_number", at+" counts the pages; that the parameter page names one is a guess"
			return fmt.Sprintf("{kind: page_number, base_page: %d, page_param: page, total_path: %s, stop_after_empty_page: true}", first, quote(at)), n, true
		}
	}
	limit, offset := number(v, "limit", "per_page", "page_size", "size"), v.get("offset")
	if limit > 0 && offset != nil && offset.kind == isNumber {
		n.Guess, n.Why = "offset", pointer+"/limit and "+pointer+"/offset stand beside the records"
		total := ""
		for _, name := range []string{"total", "total_count", "count"} {
			if t := v.get(name); t != nil && t.kind == isNumber {
				total = fmt.Sprintf(", total_path: %s", quote(pointer+"/"+name))
				break
			}
		}
		return fmt.Sprintf("{kind: offset, limit: %d, limit_param: limit, offset_param: offset%s, stop_after_empty_page: true}", limit, total), n, true
	}
	if depth < 3 {
		for i := range v.members {
			m := &v.members[i]
			if m.value.kind != isObject {
				continue
			}
			if yaml, n, ok := inEnvelope(&m.value, pointer+"/"+escape(m.name), depth+1, query); ok {
				return yaml, n, true
			}
		}
	}
	return "", Note{}, false
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
