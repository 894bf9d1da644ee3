package contract

import (
	"cmp"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
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
	credentials = []string{"Authorization", "Proxy-Authorization", "Cookie", "Private-Token"}

	// credential is how headers and parameters end that carry a secret.
	credential = regexp.MustCompile(`(?i)(^|[-_])((api|access)[-_]?key|(access|auth)[-_]?token|secret|password)$`)
)

// IsCredential reports whether a header or query parameter is called like one that carries a secret.
func IsCredential(name string) bool { return credential.MatchString(name) }

// OrDefault is the limits with those that are not set as they are where a contract names none.
func (l Limits) OrDefault() Limits {
	return Limits{
		Body: cmp.Or(l.Body, defaultBody), Timeout: cmp.Or(l.Timeout, defaultTimeout), Record: cmp.Or(l.Record, defaultRecord),
		Records: cmp.Or(l.Records, defaultRecords), Pages: cmp.Or(l.Pages, defaultPages),
	}
}

// source reads how the records are fetched.
func (b *builder) source() {
	s := &b.c.Source
	s.Pagination.Kind = "single_page"
	s.Limits = Limits{}.OrDefault()
	v, ok := b.custom["source"]
	if !ok {
		return
	}
	o := v.object("query", "headers", "records", "pagination", "auth", "rate", "limits", "incremental", "insecure")
	if v, ok := o.get("query"); ok {
		s.Query = v.pairs(func(name node, key string) bool {
			switch {
			case !parameter.MatchString(key):
				name.fault("is no name of a query parameter: no spaces, & or #")
			case credential.MatchString(key):
				name.fault("carries credentials, which do not belong into a contract: use auth with the name of a secret")
			default:
				return true
			}
			return false
		})
	}
	if v, ok := o.get("headers"); ok {
		spelled := map[string]string{}
		s.Headers = v.pairs(func(name node, key string) bool {
			canonical := textproto.CanonicalMIMEHeaderKey(key)
			other, twice := spelled[canonical]
			spelled[canonical] = key
			switch {
			case twice:
				name.fault("is the header %s in other letters, and only one of the two can be sent: remove one", other)
			case !headerName.MatchString(key):
				name.fault("is no name of a header")
			case slices.Contains(ownHeaders, canonical):
				name.fault("is set by the HTTP client: remove it")
			case slices.Contains(credentials, canonical) || credential.MatchString(key):
				name.fault("carries credentials, which do not belong into a contract: use auth with the name of a secret")
			default:
				return true
			}
			return false
		})
	}
	if v, ok := o.get("records"); ok {
		s.Records, s.Keyed = v.records()
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
		s.Cursor = v.cursor()
		b.ordered(v, s.Cursor)
	}
	o.parameters(s)
	o.withinLimits(s)
}

// parameters refuses a query parameter that two parts of the source send: one value would hide the other.
func (o object) parameters(s *Source) {
	senders := map[string]string{}
	for _, p := range s.Query {
		senders[p.Name] = "query"
	}
	claim := func(part, key, name string) {
		v, ok := o.get(part)
		if !ok || name == "" {
			return
		}
		if other, twice := senders[name]; twice {
			at := v
			if v, ok := v.mapping().get(key); ok {
				at = v
			}
			at.fault("the query parameter %s is sent by %s too: remove it there, or give one another name", name, other)
			return
		}
		senders[name] = part
	}
	p := &s.Pagination
	claim("pagination", "page_param", p.PageParam)
	claim("pagination", "limit_param", p.LimitParam)
	claim("pagination", "offset_param", p.OffsetParam)
	claim("pagination", "cursor_param", p.CursorParam)
	if s.Cursor != nil {
		claim("incremental", "start_param", s.Cursor.Param)
		claim("incremental", "end_param", s.Cursor.EndParam)
	}
	if s.Auth != nil && s.Auth.In == "query" {
		claim("auth", "name", s.Auth.Name)
	}
}

// withinLimits refuses limits that contradict each other.
func (o object) withinLimits(s *Source) {
	limits, _ := o.get("limits")
	if limits.yaml != nil {
		if v, ok := limits.mapping().get("record"); ok && s.Limits.Record > 0 && s.Limits.Body > 0 && int64(s.Limits.Record) > s.Limits.Body {
			v.fault("says nothing: no record is larger than the body that holds it (%d bytes); lower it, or raise limits.body", s.Limits.Body)
		}
	}
	v, ok := o.get("pagination")
	if !ok || s.Limits.Pages == 0 {
		return
	}
	p, pages, key := &s.Pagination, 0, ""
	switch {
	case p.MaximumPage > 0:
		pages, key = p.MaximumPage-p.BasePage+1, "maximum_page"
	case p.MaximumOffset > 0 && p.Limit > 0:
		pages, key = (p.MaximumOffset+p.Limit-1)/p.Limit, "maximum_offset"
	}
	if v, ok := v.mapping().get(key); ok && pages > s.Limits.Pages {
		v.fault("allows %d pages, and limits.pages refuses a run of more than %d: correct one of the two", pages, s.Limits.Pages)
	}
}

// ordered refuses a cursor that is read as a column whose values have no order as the source writes them.
func (b *builder) ordered(v node, cursor *Cursor) {
	at, ok := v.mapping().get("cursor_path")
	if !ok || len(cursor.Path) == 0 {
		return
	}
	for _, r := range b.readings() {
		if !slices.EqualFunc(r.place, cursor.Path, func(t token, name string) bool { return !t.item && t.name == name }) {
			continue
		}
		switch t := &r.column.Type; {
		case t.Kind == Boolean || t.Kind != 0 && !t.compared():
			at.fault("leads to %s, which is %s: a cursor has an order", r.name, t.Glue())
		case (t.Kind == Double || t.Kind == Decimal) && cursor.Lag > 0:
			at.fault("leads to %s, which is %s: a lag is taken from times and whole numbers; remove it", r.name, t.Glue())
		case t.Time.Pattern != "" && !strings.HasPrefix(t.Time.Layout, "2006"):
			at.fault("leads to %s, whose times are of the form %s: such texts do not sort by time, so the newest would not be found", r.name, t.Time.Pattern)
		}
		return
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
		if i := strings.IndexFunc(text, unicode.IsControl); ok && i >= 0 {
			if text[i] == '\n' || text[i] == '\r' {
				v.fault("holds a line break: write it on one line")
			} else {
				v.fault("holds the control character %U: remove it", text[i])
			}
			continue
		}
		if ok {
			pairs = append(pairs, Pair{Name: key, Value: text})
		}
	}
	return pairs
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

func (n node) cursor() *Cursor {
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
		if v, ok := o.get(key); ok {
			*to, _ = v.matching(parameter, "the name of a query parameter: no spaces, & or #")
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
		if v.yaml.Value == "exclude" { // dlt knows it
			v.fault("excludes records before they are judged, and here every record is kept, or rejected with a reason: " +
				"write include, and make the cursor's column required")
		} else {
			c.OnMissing, _ = v.oneOf("raise", "include")
		}
	}
	if o.has("end_value") && !o.has("end_param") {
		o.keyFault("end_value", "has no parameter that carries it: add end_param")
	}
	return c
}

// everyMember, at the end of the pointer to the records, says that they are the members of an object.
const everyMember = "*"

// records reads where the records are.
func (n node) records() (pointer []string, keyed bool) {
	pointer = n.pointer(true)
	last := len(pointer) - 1
	switch at := slices.Index(pointer, everyMember); {
	case at < 0:
		return pointer, false
	case at < last:
		n.fault("is %q; * stands for every member of an object of records, and only at the end", n.yaml.Value)
		return pointer, false
	}
	return pointer[:last:last], true
}

// keyed holds what needs the keys of records, or stands among them, against whether they have any.
func (b *builder) keyed() {
	s := &b.c.Source
	if s.Keyed {
		p := &s.Pagination
		for _, path := range [][]string{p.TotalPath, p.CursorPath, p.NextURLPath, p.HasMorePath} {
			if len(path) > len(s.Records) && slices.Equal(path[:len(s.Records)], s.Records) {
				b.custom["source"].fault("has the pagination's %s among the members of %s, which are all records: the one would be taken for another", pointerText(path), s.RecordsPointer())
			}
		}
		return
	}
	needs := func(e *Expr, path string) {
		if e != nil && slices.Contains(e.Context, RecordKey) {
			b.root.d.faultAt(e.Line, 1, path, "uses %s, and records have keys only where they are the members of an object: say so with records: /path/to/*", RecordKey)
		}
	}
	for i := range b.c.Columns {
		needs(b.c.Columns[i].Derived, "column "+b.c.Columns[i].Name)
	}
	for _, r := range b.c.Rules {
		needs(&r.Expr, "rule "+r.ID)
	}
}
