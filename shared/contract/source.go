package contract

import (
	"cmp"
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
