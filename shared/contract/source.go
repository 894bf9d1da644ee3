package contract

import (
	"fmt"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Limits where the contract names none. They are generous for APIs and small for a function of 512 MiB.
const (
	defaultBody    = 32 << 20
	defaultTimeout = time.Minute
	defaultRecord  = 1 << 20
	defaultRecords = 100_000_000
	defaultPages   = 10_000
)

var (
	headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$")
	secretName = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,256}$`) // Secrets Manager's
	parameter  = regexp.MustCompile(`^[^\s&#]{1,128}$`)

	// ownHeaders are set by the HTTP client, or carry credentials.
	ownHeaders  = []string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Accept-Encoding", "Range"}
	credentials = []string{"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "Api-Key"}
)

// servers reads where the records come from and where the lake lies.
func (b *builder) servers() {
	v, ok := b.root.need("servers", "write at least {server: source, type: api, location: https://…}")
	if !ok {
		return
	}
	b.c.Source.URLs = map[string]string{}
	names := map[string]int{}
	broken := false
	for _, item := range v.list() {
		before := len(v.d.faults)
		b.server(item, names)
		broken = broken || len(v.d.faults) > before
	}
	if len(b.c.Source.URLs) == 0 && !broken && v.yaml.Kind == sequenceNode {
		v.fault("none is of type api: write where the records come from, as in {server: source, type: api, location: https://…}")
	}
}

func (b *builder) server(n node, names map[string]int) {
	o := n.object("id", "server", "type", "description", "environment", "roles", "customProperties",
		"location", "path", "format", "endpointUrl", "delimiter")
	if o.yaml.Kind != mappingNode {
		return
	}
	o.prose("description")
	o.annotations()
	o.noCustomProperties()
	o.entries("roles", "id", "role", "description", "access", "firstLevelApprovers", "secondLevelApprovers", "customProperties")
	if v, ok := o.need("server", "a name for the server"); ok {
		if name, ok := v.nonEmpty(); ok {
			if line := names[name]; line > 0 {
				v.fault("a second server %s, the first is in line %d: give it a name of its own", name, line)
			}
			names[name] = n.yaml.Line
		}
	}
	environment := ""
	if v, ok := o.get("environment"); ok {
		environment, _ = v.nonEmpty()
	}
	kind := ""
	if v, ok := o.need("type", "api, local or s3"); ok {
		kind, _ = v.oneOf("api", "local", "s3")
	}
	for _, only := range []struct {
		key   string
		kinds []string
	}{
		{"location", []string{"api", "s3"}}, {"path", []string{"local"}}, {"format", []string{"local", "s3"}},
		{"endpointUrl", []string{"s3"}}, {"delimiter", nil},
	} {
		if kind != "" && !slices.Contains(only.kinds, kind) {
			o.refuse(only.key, "is not used by a server of type %s: remove it", kind)
		}
	}
	switch kind {
	case "api":
		b.api(o, environment)
	case "local", "s3":
		b.lake(o, kind)
	}
}

// api reads the address of the source for one environment, or for all that have none of their own.
func (b *builder) api(o object, environment string) {
	v, ok := o.need("location", "the address of the API")
	if !ok {
		return
	}
	u, ok := v.address()
	if !ok {
		return
	}
	if u.Scheme == "http" && !b.c.Source.Insecure {
		v.fault("is plain http: use https, or add insecure: true to the source property")
	}
	if _, twice := b.c.Source.URLs[environment]; twice {
		where := "environment " + environment
		if environment == "" {
			where = "all environments that have none of their own: add environment"
		}
		v.fault("a second api server for %s", where)
		return
	}
	b.c.Source.URLs[environment] = u.String()
}

// lake checks that other tools look where the table is written.
func (b *builder) lake(o object, kind string) {
	if v, ok := o.need("format", "write parquet"); ok {
		v.oneOf("parquet")
	}
	key, example := "path", ".local/lake/%s/**/*.parquet"
	if kind == "s3" {
		key, example = "location", "s3://BUCKET/%s/**/*.parquet"
	}
	v, ok := o.need(key, fmt.Sprintf("where the lake lies, as in "+example, b.c.Table))
	if !ok {
		return
	}
	text, ok := v.nonEmpty()
	if ok && b.c.Table != "" && !slices.Contains(strings.Split(text, "/"), b.c.Table) {
		v.fault("does not lead to the table %s: write "+example, b.c.Table, b.c.Table)
	}
	if ok && kind == "s3" && !strings.HasPrefix(text, "s3://") {
		v.fault("is %q; want s3://BUCKET/…", text)
	}
}

// source reads how the records are fetched.
func (b *builder) source() {
	s := &b.c.Source
	s.Pagination.Kind = "single_page"
	s.Limits = Limits{Body: defaultBody, Timeout: defaultTimeout, Record: defaultRecord, Records: defaultRecords, Pages: defaultPages}
	v, ok := b.custom["source"]
	if !ok {
		return
	}
	o := v.object("query", "headers", "records", "pagination", "auth", "rate", "limits", "incremental", "insecure")
	if v, ok := o.get("query"); ok {
		s.Query = v.pairs(func(name node, key string) bool {
			if !parameter.MatchString(key) {
				name.fault("is no name of a query parameter: no spaces, & or #")
				return false
			}
			return true
		})
	}
	if v, ok := o.get("headers"); ok {
		s.Headers = v.pairs(func(name node, key string) bool {
			canonical := textproto.CanonicalMIMEHeaderKey(key)
			switch {
			case !headerName.MatchString(key):
				name.fault("is no name of a header")
			case slices.Contains(ownHeaders, canonical):
				name.fault("is set by the HTTP client: remove it")
			case slices.Contains(credentials, canonical):
				name.fault("carries credentials, which do not belong into a contract: use auth with the name of a secret")
			default:
				return true
			}
			return false
		})
	}
	if v, ok := o.get("records"); ok {
		s.Records = v.pointer(true)
	}
	if v, ok := o.get("insecure"); ok {
		s.Insecure = v.boolean()
	}
	if v, ok := o.get("pagination"); ok {
		v.pagination(&s.Pagination)
	}
	if v, ok := o.get("auth"); ok {
		s.Auth = v.auth(s)
	}
	if v, ok := o.get("rate"); ok {
		rate := v.object("requests", "per")
		if n, ok := rate.need("requests", "how many"); ok {
			count, _ := n.integer(1, 1_000_000)
			s.Rate.Requests = int(count)
		}
		if n, ok := rate.need("per", "in which time, as in 1m"); ok {
			s.Rate.Per = n.duration(24 * time.Hour)
		}
	}
	if v, ok := o.get("limits"); ok {
		v.limits(&s.Limits)
	}
	if v, ok := o.get("incremental"); ok {
		s.Cursor = v.cursor(s)
	}
}

// pairs reads a mapping of names onto texts, numbers and truth values, by name.
func (n node) pairs(valid func(name node, key string) bool) []Pair {
	o := n.mapping()
	var pairs []Pair
	for _, key := range sortedKeys(o.members) {
		v := o.members[key]
		name := node{d: v.d, yaml: o.keys[key], path: v.path}
		if !valid(name, key) {
			continue
		}
		text, ok := v.scalarText()
		if ok && strings.ContainsAny(text, "\r\n\x00") {
			v.fault("holds a line break: write it on one line")
			continue
		}
		if ok {
			pairs = append(pairs, Pair{Name: key, Value: text})
		}
	}
	return pairs
}

// paginationKeys are the parameters of each kind, in dlt's names.
var paginationKeys = map[string][]string{
	"single_page": {},
	"page_number": {"base_page", "page_param", "maximum_page", "total_path", "stop_after_empty_page"},
	"offset":      {"limit", "limit_param", "offset_param", "maximum_offset", "total_path", "stop_after_empty_page"},
	"cursor":      {"cursor_path", "cursor_param", "cursor_body_path", "has_more_path"},
	"json_link":   {"next_url_path"},
	"header_link": {"links_next_key"},
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
	switch kind {
	case "page_number":
		o.need("base_page", "the number of the first page: APIs count from 0 or from 1")
		number("base_page", &p.BasePage, 0)
		number("maximum_page", &p.MaximumPage, 1)
		text("page_param", &p.PageParam, "page")
		if o.has("maximum_page") && p.MaximumPage < p.BasePage {
			o.keyFault("maximum_page", "is below base_page: no page is left")
		}
	case "offset":
		o.need("limit", "the number of records of a page")
		number("limit", &p.Limit, 1)
		number("maximum_offset", &p.MaximumOffset, 1)
		text("limit_param", &p.LimitParam, "limit")
		text("offset_param", &p.OffsetParam, "offset")
	case "cursor":
		o.need("cursor_path", "the JSON Pointer of the next cursor in the answer, as in /meta/next")
		path("cursor_path", &p.CursorPath)
		path("has_more_path", &p.HasMorePath)
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
	if (kind == "page_number" || kind == "offset") && !p.StopAfterEmptyPage && p.TotalPath == nil && p.MaximumPage == 0 && p.MaximumOffset == 0 {
		o.keyFault("stop_after_empty_page", "leaves nothing that ends the run: add total_path or a maximum, or write true")
	}
}

var authKeys = map[string][]string{
	"bearer":                    {},
	"api_key":                   {"in", "name"},
	"http_basic":                {},
	"oauth2_client_credentials": {"token_url", "scopes"},
}

func (n node) auth(s *Source) *Auth {
	o := n.object("kind", "secret", "optional", "in", "name", "token_url", "scopes")
	kinds := []string{"bearer", "api_key", "http_basic", "oauth2_client_credentials"}
	a := &Auth{}
	v, ok := o.need("kind", alternatives(kinds))
	if !ok {
		return a
	}
	if a.Kind, ok = v.oneOf(kinds...); !ok {
		return a
	}
	for _, key := range []string{"in", "name", "token_url", "scopes"} {
		if !slices.Contains(authKeys[a.Kind], key) {
			o.refuse(key, "is not used by %s: remove it", a.Kind)
		}
	}
	if v, ok := o.need("secret", "the name of the Secrets Manager secret; never its value"); ok {
		a.Secret, _ = v.matching(secretName, "a name of Secrets Manager: letters, digits and /_+=.@-")
	}
	if v, ok := o.get("optional"); ok {
		a.Optional = v.boolean()
	}
	switch a.Kind {
	case "api_key":
		if v, ok := o.need("in", "header or query"); ok {
			a.In, _ = v.oneOf("header", "query")
		}
		if v, ok := o.need("name", "the name of the header or parameter"); ok {
			form, what := headerName, "the name of a header"
			if a.In == "query" {
				form, what = parameter, "the name of a query parameter: no spaces, & or #"
			}
			if a.Name, ok = v.matching(form, what); ok {
				taken := s.Headers
				if a.In == "query" {
					taken = s.Query
				}
				if slices.ContainsFunc(taken, func(p Pair) bool { return strings.EqualFold(p.Name, a.Name) }) {
					v.fault("stands under headers or query too: remove it there, the secret's value is sent")
				}
			}
		}
	case "oauth2_client_credentials":
		if v, ok := o.need("token_url", "where tokens are given"); ok {
			if u, ok := v.address(); ok {
				if u.Scheme == "http" && !s.Insecure {
					v.fault("is plain http: use https, or add insecure: true to the source property")
				}
				a.TokenURL = u.String()
			}
		}
		if v, ok := o.get("scopes"); ok {
			a.Scopes = v.texts()
		}
	}
	return a
}

func (n node) limits(l *Limits) {
	o := n.object("body", "timeout", "record", "records", "pages")
	if v, ok := o.get("body"); ok {
		l.Body = v.size(1 << 30)
	}
	if v, ok := o.get("timeout"); ok {
		l.Timeout = v.duration(15 * time.Minute)
	}
	if v, ok := o.get("record"); ok {
		size := v.size(64 << 20)
		l.Record = int(size)
	}
	if v, ok := o.get("records"); ok {
		l.Records, _ = v.integer(1, 10_000_000_000)
	}
	if v, ok := o.get("pages"); ok {
		n, _ := v.integer(1, 99_999) // a page's key has five digits
		l.Pages = int(n)
	}
}

func (n node) cursor(s *Source) *Cursor {
	o := n.object("cursor_path", "start_param", "initial_value", "end_value", "end_param", "lag", "on_cursor_value_missing")
	c := &Cursor{OnMissing: "raise"}
	if v, ok := o.need("cursor_path", "the JSON Pointer of the cursor in a record, as in /updated_at"); ok {
		c.Path = v.pointer(false)
	}
	text := func(key string, to *string) {
		if v, ok := o.get(key); ok {
			*to, _ = v.scalarText()
		}
	}
	param := func(key string, to *string) {
		v, ok := o.get(key)
		if !ok {
			return
		}
		*to, ok = v.matching(parameter, "the name of a query parameter: no spaces, & or #")
		if ok && slices.ContainsFunc(s.Query, func(p Pair) bool { return p.Name == *to }) {
			v.fault("stands under query too: remove it there, the cursor's value is sent")
		}
	}
	o.need("start_param", "the query parameter that says where to start")
	param("start_param", &c.Param)
	o.need("initial_value", "where the first run starts")
	text("initial_value", &c.InitialValue)
	param("end_param", &c.EndParam)
	text("end_value", &c.EndValue)
	if v, ok := o.get("lag"); ok {
		c.Lag = v.duration(366 * 24 * time.Hour)
	}
	if v, ok := o.get("on_cursor_value_missing"); ok {
		c.OnMissing, _ = v.oneOf("raise", "include", "exclude")
	}
	if o.has("end_value") && !o.has("end_param") {
		o.keyFault("end_value", "has no parameter that carries it: add end_param")
	}
	return c
}

// URL is the address of the source for an environment (a stack's name): its own, or the one for all others.
func (s *Source) URL(environment string) (string, bool) {
	if url, ok := s.URLs[environment]; ok {
		return url, true
	}
	url, ok := s.URLs[""]
	return url, ok
}
