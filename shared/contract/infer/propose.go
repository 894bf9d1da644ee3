package infer

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"tributary/shared/contract"
)

// Options are what is known beside the sample.
type Options struct {
	URL  string // where the sample came from; "" for a file
	Link string // the Link header of the answer
}

// Note is something that was guessed.
type Note struct {
	What  string
	Guess string
	Why   string
	Sure  Sure
}

// Proposal is a contract with what was guessed for it.
type Proposal struct {
	YAML    []byte
	Notes   []Note
	Records int // that were looked at
}

var datasetName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// CheckName says whether a dataset may be called so.
func CheckName(name string) error {
	if !datasetName.MatchString(name) {
		return fmt.Errorf("%q is no name for a dataset: lower-case letters, digits and _, a letter first, at most 40, as in exchange_rates", name)
	}
	return nil
}

// Contract proposes a contract for a dataset of which a sample is given.
func Contract(dataset string, sample []byte, o Options) (*Proposal, error) {
	if err := CheckName(dataset); err != nil {
		return nil, err
	}
	values, twice, err := parse(sample)
	if err != nil {
		return nil, err
	}
	f, err := find(values)
	if err != nil {
		return nil, err
	}
	d := &draft{dataset: dataset, options: o, found: f, largest: largest(f), body: len(sample)}
	all := len(f.records)
	if f.keys == nil { // else all are objects
		f.records = slices.DeleteFunc(slices.Clone(f.records), func(v value) bool { return v.kind != isObject })
	}
	d.found, d.records, d.others = f, len(f.records), all-len(f.records)
	d.broken, d.twice = broken(sample), twice
	if err := d.address(); err != nil {
		return nil, err
	}
	d.columns()
	d.fit()
	if len(d.fields) > mostColumns {
		return nil, fmt.Errorf("the records have %d members in all, and a contract has at most %d columns: their names look like data; ask the API for fewer members, or wrap it", len(d.fields), mostColumns)
	}
	d.key()
	d.version()
	d.paging, d.pagingNote = paging(f, o, d.sent)
	if names := d.dropped(); len(names) > 0 {
		d.pagingNote.Why += "; a run begins with the first page, so " + strings.Join(names, ", ") + " of the address is left out"
	}
	text := d.yaml()
	if _, err := contract.Parse(dataset+".odcs.yaml", text); err != nil {
		return nil, fmt.Errorf("write a contract that loads (a fault of this command, please report it with the sample): %w", err)
	}
	return &Proposal{YAML: text, Notes: d.notes(), Records: len(f.records)}, nil
}

// broken is the place of the first byte that is no UTF-8, or -1.
func broken(sample []byte) int {
	for i := 0; i < len(sample); {
		r, n := utf8.DecodeRune(sample[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// draft is a contract in the making.
type draft struct {
	dataset string
	options Options
	found   found
	records int
	largest int    // bytes of a record, or of a value beside the records
	body    int    // bytes of the sample
	others  int    // values among the records that are no objects
	twice   string // a member's name that stands twice in one object
	broken  int    // where the sample is no UTF-8; -1 where it is

	location   string
	insecure   bool // the sample came over plain http
	query      [][2]string
	sent       url.Values
	auth       string
	authNote   *Note
	fields     []field
	hoisted    string // the member whose members became columns; ""
	keys       []int
	keyNote    Note
	newer      int // the version column, or -1
	newerNote  Note
	paging     string
	pagingNote Note
}

// Words of names of query parameters that carry credentials, and those before them that make them carry something else.
var (
	secretWords = []string{
		"key", "token", "secret", "password", "passwd", "pwd", "pass", "auth", "authorization", "jwt", "bearer", "session", "sessionid", "sid", "appid",
		"apikey", "apitoken", "authkey", "appkey", "accesskey", "accesstoken", "sig", "signature", "credential", "credentials", "hmac",
	}
	plainWords = []string{"page", "next", "sort", "order", "group", "partition", "continuation", "sync", "primary", "foreign", "start"}
)

// secret reports whether a query parameter is called like one that carries a credential.
func secret(name string) bool {
	words := strings.Split(snake(name), "_")
	plain := slices.ContainsFunc(words, func(w string) bool { return slices.Contains(plainWords, w) })
	return contract.IsCredential(name) || strings.HasSuffix(snake(name), "app_id") || !plain && slices.ContainsFunc(words, func(w string) bool { return slices.Contains(secretWords, w) })
}

// address takes the URL apart: credentials never go into a contract.
func (d *draft) address() error {
	if d.options.URL == "" {
		d.location = "https://api.example.com/" + d.dataset
		return nil
	}
	u, err := url.Parse(d.options.URL)
	if err != nil || u.Host == "" {
		return errors.New("the address is no URL with a host")
	}
	d.sent = u.Query()
	if u.User != nil {
		d.auth = fmt.Sprintf("{kind: http_basic, secret: %s/login}", d.dataset)
		d.authNote = &Note{What: "auth", Guess: "http_basic", Why: "the address has a user name; what stood there is not written down: ops:secret takes it", Sure: Likely}
		u.User = nil
	}
	for _, pair := range strings.FieldsFunc(u.RawQuery, func(r rune) bool { return r == '&' }) {
		name, text, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		text, err2 := url.QueryUnescape(text)
		if err1 != nil || err2 != nil {
			return errors.New("the query of the address is not well formed")
		}
		if secret(name) {
			d.auth = fmt.Sprintf("{kind: api_key, in: query, name: %s, secret: %s/key}", quote(name), d.dataset)
			d.authNote = &Note{What: "auth", Guess: "api_key in the query", Why: name + " looks like a credential; its value is not written down: ops:secret takes it", Sure: Likely}
			continue
		}
		if slices.ContainsFunc(d.query, func(q [2]string) bool { return q[0] == name }) {
			return fmt.Errorf("the address sends the parameter %s twice, and a contract sends each once: ask for one value, or for all in one parameter if the API takes that", name)
		}
		d.query = append(d.query, [2]string{name, text})
	}
	u.RawQuery, u.Fragment = "", ""
	d.location, d.insecure = u.String(), u.Scheme == "http"
	return nil
}

// wrappers are the members in which records often carry what they have to say: GeoJSON, JSON:API, Reddit, GraphQL,
// Elasticsearch, Airtable, FHIR.
var wrappers = []string{"properties", "attributes", "data", "node", "_source", "fields", "resource"}

// columns finds the columns; the members of what a record is wrapped in become columns of their own.
func (d *draft) columns() {
	all := fields(d.found.records, 0)
	for i := range all {
		if all[i].member == "" {
			all[i].pointer = "/" // a property must have a name
		}
	}
	for i, f := range all {
		inner := f.shape.fields
		if !slices.Contains(wrappers, f.member) || len(inner) == 0 || f.nulls > 0 || len(all) > 8 {
			continue
		}
		d.hoisted = f.member
		for k := range inner {
			inner[k].pointer = "/" + f.member + "/" + escape(inner[k].member)
		}
		all = slices.Concat(all[:i], inner, all[i+1:])
		name(all)
		break
	}
	if keys := d.found.keys; keys != nil {
		all = append([]field{d.underKey(keys[:d.records], all)}, all...)
	}
	d.fields = all
}

// Limits of a contract.
const (
	mostColumns = 500
	mostLeaves  = 1900 // beside the lineage; a contract takes 2000
	longestGlue = 100_000
)

// fit keeps the largest columns as JSON text until all that is declared fits into a contract.
func (d *draft) fit() {
	for {
		all, most := 0, -1
		sizes := make([]int, len(d.fields))
		for i := range d.fields {
			s := &d.fields[i].shape
			sizes[i] = s.leaves()
			if len(s.glue()) > longestGlue {
				sizes[i] = mostLeaves + 1
			}
			all += sizes[i]
			if most < 0 || sizes[i] > sizes[most] {
				most = i
			}
		}
		if all <= mostLeaves || sizes[most] == 1 {
			return
		}
		s := &d.fields[most].shape
		*s = shape{logical: s.logical, physical: "string", sure: Likely, why: fmt.Sprintf("has %d members, more than a contract can declare beside the others; kept as JSON text", s.leaves())}
	}
}

// leaves counts the plain values that a shape declares.
func (s *shape) leaves() int {
	if s.items != nil {
		return s.items.leaves()
	}
	if len(s.fields) == 0 {
		return 1
	}
	n := 0
	for i := range s.fields {
		n += s.fields[i].shape.leaves()
	}
	return n
}

// largest is the size of the largest record, or of a value that is passed on the way to the records.
func largest(f found) int {
	n := 0
	for i := range f.records {
		n = max(n, f.records[i].bytes)
	}
	for _, l := range f.around {
		within := f.pointer + "/"
		for k := range l.value.members {
			m := &l.value.members[k]
			if !strings.HasPrefix(within, l.pointer+"/"+escape(m.name)+"/") {
				n = max(n, m.value.bytes)
			}
		}
	}
	return n
}

// underKey is the column of the records' own names, called as no member is.
func (d *draft) underKey(keys []value, others []field) field {
	f := field{column: "id", derived: contract.RecordKey, seen: keys, records: len(keys)}
	for _, name := range []string{"key", "record_key", "member_key"} {
		if !slices.ContainsFunc(others, func(o field) bool { return o.column == f.column }) {
			break
		}
		f.column = name
	}
	f.shape = shape{logical: "string", physical: "string", why: "the name of the member that is the record", sure: Certain}
	return f
}

// scalar reports whether a column's values can be compared.
func (s *shape) scalar() bool {
	text := s.physical == "string" && s.logical != "string" // of values that have no type in common
	return s.items == nil && len(s.fields) == 0 && !text
}

// key looks for the column, or the two, whose values occur once.
func (d *draft) key() {
	d.keyNote = Note{What: "key", Guess: "none", Why: "no column that could be one, and no two of them, differ in all records", Sure: Guess}
	if d.records < 2 {
		d.keyNote.Why = "one record says nothing about what differs between records"
		return
	}
	ranks := map[int]int{}
	var usable []int // for a key of two
	for i := range d.fields {
		f := &d.fields[i]
		if !f.required() || len(f.seen) != d.records || !f.shape.scalar() {
			continue
		}
		rank := d.keyRank(i)
		if rank > 0 && (rank >= named || d.records >= enoughRecords) {
			usable = append(usable, i)
			ranks[i] = rank
		}
	}
	best := -1
	for _, i := range usable {
		if (best < 0 || ranks[i] > ranks[best]) && d.unique(i) {
			best = i
		}
	}
	if (best < 0 || ranks[best] < named) && d.keyWithin() {
		return
	}
	if best >= 0 && (d.fields[best].shape.logical == "timestamp" || d.fields[best].shape.logical == "date") {
		for _, i := range usable { // of one thing at several times; the next page may have another's
			if ranks[i] >= 2*named {
				d.keys = []int{i, best}
				d.keyNote = Note{What: "key", Guess: d.fields[i].column + " and " + d.fields[best].column, Why: fmt.Sprintf("the latter differs in all %d records, the former is called like a key", d.records), Sure: Guess}
				return
			}
		}
	}
	if best >= 0 {
		d.keys = []int{best}
		d.keyNote = Note{What: "key", Guess: d.fields[best].column, Why: fmt.Sprintf("differs in all %d records", d.records), Sure: Likely}
		if ranks[best] < 2*named {
			d.keyNote.Sure = Guess
		}
		return
	}
	if d.records < enoughRecords {
		d.keyNote.Why = fmt.Sprintf("%d records are too few to tell which columns differ by chance", d.records)
		return
	}
	slices.SortStableFunc(usable, func(a, b int) int { return ranks[b] - ranks[a] })
	usable = usable[:min(len(usable), 12)]
	for a, i := range usable {
		for _, j := range usable[a+1:] {
			if d.unique(i, j) {
				d.keys = []int{i, j}
				d.keyNote = Note{What: "key", Guess: d.fields[i].column + " and " + d.fields[j].column, Why: fmt.Sprintf("differ together in all %d records", d.records), Sure: Guess}
				return
			}
		}
	}
}

// keyWithin finds the id of an object that every record has once, and makes a column of it.
func (d *draft) keyWithin() bool {
	for i := range d.fields {
		f := &d.fields[i]
		if f.nulls > 0 || len(f.seen) != d.records {
			continue
		}
		for k := range f.shape.fields {
			inner := f.shape.fields[k]
			if !among(inner.member, []string{"id", "uuid", "guid"}) || inner.nulls > 0 || !inner.shape.scalar() {
				continue
			}
			inner.column = f.column + "_" + inner.column
			for slices.ContainsFunc(d.fields, func(o field) bool { return o.column == inner.column }) {
				inner.column += "_2"
			}
			inner.pointer = f.pointer
			if inner.pointer == "" {
				inner.pointer = "/" + escape(f.member)
			}
			inner.pointer += "/" + escape(inner.member)
			inner.shape.why += ", also a column of its own, to be the key"
			d.fields = append(d.fields, inner)
			if last := len(d.fields) - 1; d.unique(last) {
				d.keys = []int{last}
				d.keyNote = Note{What: "key", Guess: inner.column, Why: fmt.Sprintf("%s differs in all %d records", inner.pointer, d.records), Sure: Guess}
				return true
			}
			d.fields = d.fields[:len(d.fields)-1]
		}
	}
	return false
}

const (
	named      = 10 // rank of a column that is called like a key
	longestKey = 100

	manyRecords = 100 // in which short texts do not differ by chance
	shortText   = 60
)

// keyRank says how much a column looks like a key: its name, or the form of its values; 0 is not at all. A number that is
// not called like a key is a measure, and a text with spaces is prose.
func (d *draft) keyRank(i int) int {
	f := &d.fields[i]
	text, whole := f.shape.logical == "string", f.shape.logical == "integer"
	if !text && !whole && f.shape.logical != "timestamp" && f.shape.logical != "date" {
		return 0
	}
	short := text && d.records >= manyRecords && !slices.ContainsFunc(f.seen, func(v value) bool { return len(v.text) > shortText })
	prose := text && slices.ContainsFunc(f.seen, func(v value) bool { return len(v.text) > longestKey })
	rank := 0
	switch {
	case prose, whole && hinting(f.member, "count", "counts", "total", "num"):
		return 0
	case f.column == "id" || f.column == "uuid" || f.column == d.dataset+"_id" || f.derived != "":
		rank = 4 * named
	case hinting(f.member, "id", "uuid", "guid"):
		rank = 3 * named
	case hinting(f.member, "key", "code", "slug", "symbol", "ref", "reference", "isbn", "issn", "isin", "ticker", "iata", "icao", "ean", "gtin", "sku", "doi"):
		rank = 2 * named
	case hinting(f.member, "number", "no", "name", "path", "sha", "hash", "login", "username", "url", "uri", "href", "domain", "email", "iso", "version"):
		rank = named
	case whole && !hinting(f.member, "year", "month", "week", "day", "hour", "quarter"):
		return 0
	case text && !short && slices.ContainsFunc(f.seen, func(v value) bool { return strings.ContainsAny(v.text, " \t\n") }):
		return 0
	case f.shape.logical == "timestamp" && hinting(f.member, lasting...): // of many that were made one after the other
		return 0
	}
	if text || whole {
		rank++
	}
	return rank + 1
}

func (d *draft) unique(columns ...int) bool {
	seen := make(map[string]bool, d.records)
	for r := range d.records {
		var key strings.Builder
		for _, i := range columns {
			text := d.fields[i].seen[r].text
			fmt.Fprintf(&key, "%d:%s", len(text), text)
		}
		if seen[key.String()] {
			return false
		}
		seen[key.String()] = true
	}
	return true
}

// lasting are words in the names of times that stay as they are when a record changes.
var lasting = []string{
	"created", "create", "creation", "published", "publish", "pub", "upload", "uploaded", "release", "released", "start", "started", "end", "ended",
	"birth", "born", "joined", "registered", "due", "expires", "expiry", "expiration", "closed", "merged", "sent", "added", "opened", "founded",
}

// version looks for the time that says which of two states of a record is newer; without one, the newest run's is.
func (d *draft) version() {
	d.newer = -1
	d.newerNote = Note{What: "version", Guess: d.lineageName("run_at"), Why: "no time without nulls says when a record changed last: of two states that of the newer run is kept", Sure: Guess}
	if len(d.keys) == 0 {
		d.newerNote = Note{What: "version", Guess: "none", Why: "without a key there are no two states of one record", Sure: Guess}
		return
	}
	rank := 0
	for i := range d.fields {
		f := &d.fields[i]
		if !f.required() || slices.Contains(d.keys, i) || f.shape.logical != "timestamp" && f.shape.logical != "date" {
			continue
		}
		r := 0
		switch {
		case hinting(f.member, "updated", "update", "modified", "changed", "lastmod", "touched"):
			r = 2
		case hinting(f.member, "time", "timestamp", "date", "ts", "dt", "observed") && !hinting(f.member, lasting...):
			r = 1
		}
		if r > rank {
			d.newer, rank = i, r
			d.newerNote = Note{What: "version", Guess: f.column, Why: "a time that every record has", Sure: Guess}
			if r == 2 {
				d.newerNote.Why, d.newerNote.Sure = "a time that every record has, called like that of its last change", Likely
			}
		}
	}
}

// shown is the column's name, with the member's where it says nothing of it.
func (f *field) shown() string {
	if f.member != "" && snake(f.member) == "" {
		return f.column + " (" + f.member + ")"
	}
	return f.column
}

// notes are all guesses, the largest first.
func (d *draft) notes() []Note {
	where := d.found.pointer
	if where == "" {
		where = "the whole document"
	}
	notes := []Note{{What: "records", Guess: d.found.form + " at " + where, Why: d.found.why, Sure: d.found.sure}, d.pagingNote}
	if d.others > 0 {
		notes = append(notes, Note{What: "records", Guess: fmt.Sprintf("%d among them are no objects", d.others), Why: "they are rejected, for a record is an object", Sure: Guess})
	}
	if d.twice != "" {
		notes = append(notes, Note{What: "records", Guess: "a member twice: " + d.twice, Why: "a record that has a member twice is rejected, for it does not say which counts", Sure: Guess})
	}
	if d.broken >= 0 {
		notes = append(notes, Note{What: "encoding", Guess: fmt.Sprintf("not UTF-8 at byte %d", d.broken), Why: "records with such bytes are rejected: ask the API for UTF-8", Sure: Guess})
	}
	if d.authNote != nil {
		notes = append(notes, *d.authNote)
	}
	if d.options.URL == "" {
		notes = append(notes, Note{What: "address", Guess: d.location, Why: "the sample is a file: write where the records come from", Sure: Guess})
	}
	if d.insecure {
		notes = append(notes, Note{What: "address", Guess: "plain http, insecure: true", Why: "records, and a key if there is one, can be read and changed on the way: write https and remove insecure if the source has it", Sure: Guess})
	}
	notes = append(notes, d.keyNote, d.newerNote, Note{What: "schedule", Guess: "once an hour", Why: "a sample does not tell how often the source changes", Sure: Guess})
	for i := range d.fields {
		f := &d.fields[i]
		n := Note{What: "column " + f.shown(), Guess: f.shape.logical, Why: f.shape.why, Sure: f.shape.sure}
		if f.shape.logical != f.shape.physical {
			n.Guess += ", " + f.shape.glue()
		}
		if len(n.Guess) > 60 {
			n.Guess = string([]rune(n.Guess)[:min(59, len([]rune(n.Guess)))]) + "…"
		}
		if !f.required() {
			n.Why += fmt.Sprintf("; null or missing in %d of %d", f.nulls, f.records)
		}
		notes = append(notes, n)
	}
	return notes
}
