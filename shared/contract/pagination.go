package contract

import (
	"slices"
	"strings"
)

// paginationKeys are the parameters of each kind, in dlt's names.
var paginationKeys = map[string][]string{
	"single_page": {},
	"page_number": {"base_page", "page_param", "page_body_path", "maximum_page", "total_path", "has_more_path", "stop_after_empty_page"},
	"offset": {"limit", "limit_param", "limit_body_path", "offset_param", "offset_body_path", "maximum_offset", "total_path", "has_more_path",
		"stop_after_empty_page"},
	"cursor":      {"cursor_path", "cursor_param", "cursor_body_path", "has_more_path", "stop_after_empty_page"},
	"json_link":   {"next_url_path", "has_more_path", "stop_after_empty_page"},
	"header_link": {"links_next_key", "has_more_path", "stop_after_empty_page"},
}

var paginationKinds = []string{"single_page", "page_number", "offset", "cursor", "json_link", "header_link"}

func (n node) pagination(p *Pagination) {
	all := []string{"kind"}
	for _, kind := range paginationKinds {
		all = append(all, paginationKeys[kind]...)
	}
	o := n.object(all...)
	v, ok := o.need("kind", alternatives(paginationKinds))
	if !ok {
		return
	}
	kind, ok := v.oneOf(paginationKinds...)
	if !ok {
		return
	}
	p.Kind = kind
	for _, key := range sortedKeys(o.members) {
		if key != "kind" && !slices.Contains(paginationKeys[kind], key) {
			o.refuse(key, "is not used by %s: remove it", kind)
		}
	}
	p.StopAfterEmptyPage = kind == "page_number" || kind == "offset"
	number := func(key string, to *int, low int64) {
		if v, ok := o.get(key); ok {
			n, _ := v.integer(low, 1_000_000_000)
			*to = int(n)
		}
	}
	text := func(key string, to *string, fallback string) {
		*to = fallback
		if v, ok := o.get(key); ok {
			*to, _ = v.matching(parameter, "the name of a query parameter: no spaces, & or #")
		}
	}
	path := func(key string, to *[]string) {
		if v, ok := o.get(key); ok {
			*to = v.pointer(false)
		}
	}
	if v, ok := o.get("stop_after_empty_page"); ok {
		p.StopAfterEmptyPage = v.boolean()
	}
	path("total_path", &p.TotalPath)
	path("has_more_path", &p.HasMorePath)
	place := func(param, body string, name *string, to *[]string) {
		text(param, name, strings.TrimSuffix(param, "_param"))
		path(body, to)
		if o.has(param) && o.has(body) {
			o.keyFault(body, "contradicts %s: the number is sent in one place", param)
		}
	}
	switch kind {
	case "page_number":
		o.need("base_page", "the number of the first page: APIs count from 0 or from 1")
		number("base_page", &p.BasePage, 0)
		number("maximum_page", &p.MaximumPage, 1)
		place("page_param", "page_body_path", &p.PageParam, &p.PageBodyPath)
		if o.has("maximum_page") && p.MaximumPage < p.BasePage {
			o.keyFault("maximum_page", "is below base_page: no page is left")
		}
	case "offset":
		o.need("limit", "the number of records of a page")
		number("limit", &p.Limit, 1)
		number("maximum_offset", &p.MaximumOffset, 1)
		place("limit_param", "limit_body_path", &p.LimitParam, &p.LimitBodyPath)
		place("offset_param", "offset_body_path", &p.OffsetParam, &p.OffsetBodyPath)
		if n := min(len(p.LimitBodyPath), len(p.OffsetBodyPath)); n > 0 && slices.Equal(p.LimitBodyPath[:n], p.OffsetBodyPath[:n]) {
			o.keyFault("limit_body_path", "and offset_body_path lie within each other: give each a place of its own")
		}
	case "cursor":
		o.need("cursor_path", "the JSON Pointer of the next cursor in the answer, as in /meta/next")
		path("cursor_path", &p.CursorPath)
		path("cursor_body_path", &p.CursorBodyPath)
		switch param, body := o.has("cursor_param"), o.has("cursor_body_path"); {
		case param && body:
			o.keyFault("cursor_body_path", "contradicts cursor_param: the cursor is sent in one place")
		case !param && !body:
			o.fault("cursor_param is missing: the query parameter that carries the cursor, or cursor_body_path")
		case param:
			text("cursor_param", &p.CursorParam, "")
		}
	case "json_link":
		o.need("next_url_path", "the JSON Pointer of the next page's address in the answer, as in /links/next")
		path("next_url_path", &p.NextURLPath)
	case "header_link":
		text("links_next_key", &p.LinksNextKey, "next")
	}
	if (kind == "page_number" || kind == "offset") && !p.StopAfterEmptyPage && p.TotalPath == nil && p.HasMorePath == nil && p.MaximumPage == 0 && p.MaximumOffset == 0 {
		o.keyFault("stop_after_empty_page", "leaves nothing that ends the run: add total_path, has_more_path or a maximum, or write true")
	}
}
