package infer

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

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
	values, err := parse(sample)
	if err != nil {
		return nil, err
	}
	f, err := find(values)
	if err != nil {
		return nil, err
	}
	if f.keys == nil { // else all are objects
		f.records = slices.DeleteFunc(slices.Clone(f.records), func(v value) bool { return v.kind != isObject })
	}
	f.records = f.records[:min(len(f.records), most)]
	d := &draft{dataset: dataset, options: o, found: f, records: len(f.records)}
	if err := d.address(); err != nil {
		return nil, err
	}
	d.columns()
	d.key()
	d.version()
	d.paging, d.pagingNote = paging(f, o, d.sent)
	text := d.yaml()
	if _, err := contract.Parse(dataset+".odcs.yaml", text); err != nil {
		return nil, fmt.Errorf("write a contract that loads (a fault of this command, please report it with the sample): %w", err)
	}
	return &Proposal{YAML: text, Notes: d.notes(), Records: len(f.records)}, nil
}

// draft is a contract in the making.
type draft struct {
	dataset string
	options Options
	found   found
	records int

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

// secretParams are query parameters that often carry credentials, beside those that are called like it.
var secretParams = []string{"key", "token", "appid", "app_id", "apitoken", "auth", "sig", "signature"}

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
		if contract.IsCredential(name) || among(name, secretParams) {
			d.auth = fmt.Sprintf("{kind: api_key, in: query, name: %s, secret: %s/key}", quote(name), d.dataset)
			d.authNote = &Note{What: "auth", Guess: "api_key in the query", Why: name + " looks like a credential; its value is not written down: ops:secret takes it", Sure: Likely}
			continue
		}
		d.query = append(d.query, [2]string{name, text})
	}
	u.RawQuery, u.Fragment = "", ""
	d.location, d.insecure = u.String(), u.Scheme == "http"
	return nil
}

// columns finds the columns; the members of a GeoJSON feature's properties, or of attributes, become columns of their own.
func (d *draft) columns() {
	all := fields(d.found.records)
	for i := range all {
		if all[i].member == "" {
			all[i].pointer = "/" // a property must have a name
		}
	}
	for i, f := range all {
		inner := f.shape.fields
		if (f.member != "properties" && f.member != "attributes") || len(inner) == 0 || f.nulls > 0 || len(all) > 8 {
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
	d.keyNote = Note{What: "key", Guess: "none", Why: "no column, and no two of them, differ in all records", Sure: Guess}
	if d.records < 2 {
		d.keyNote.Why = "one record says nothing about what differs between records"
		return
	}
	var usable []int
	for i := range d.fields {
		f := &d.fields[i]
		if f.required() && len(f.seen) == d.records && f.shape.scalar() && (f.shape.logical == "string" || f.shape.logical == "integer" || f.shape.logical == "timestamp" || f.shape.logical == "date") {
			usable = append(usable, i)
		}
	}
	best, rank := -1, 0
	for _, i := range usable {
		if !d.unique(i) {
			continue
		}
		if r := d.keyRank(i); best < 0 || r > rank {
			best, rank = i, r
		}
	}
	if best >= 0 {
		d.keys = []int{best}
		d.keyNote = Note{What: "key", Guess: d.fields[best].column, Why: fmt.Sprintf("differs in all %d records", d.records), Sure: Likely}
		if rank < named {
			d.keyNote.Sure = Guess
		}
		return
	}
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

const named = 10 // rank of a column that is called like a key

func (d *draft) keyRank(i int) int {
	f := &d.fields[i]
	rank := 0
	switch {
	case f.column == "id" || f.column == "uuid" || f.column == d.dataset+"_id":
		rank = 3 * named
	case f.derived != "", hinting(f.member, "id", "uuid", "guid"):
		rank = 2 * named
	case hinting(f.member, "key", "code", "slug", "symbol", "number", "ref", "reference", "isbn", "sku"):
		rank = named
	}
	if f.shape.logical == "string" || f.shape.logical == "integer" {
		rank++
	}
	return rank
}

func (d *draft) unique(columns ...int) bool {
	seen := make(map[string]bool, d.records)
	for r := range d.records {
		var key strings.Builder
		for _, i := range columns {
			fmt.Fprintf(&key, "%q,", d.fields[i].seen[r].text)
		}
		if seen[key.String()] {
			return false
		}
		seen[key.String()] = true
	}
	return true
}

// version looks for the time that says which of two states of a record is newer.
func (d *draft) version() {
	d.newer = -1
	d.newerNote = Note{What: "version", Guess: "none", Why: "no time without nulls says which of two states of a record is newer", Sure: Guess}
	rank := 0
	for i := range d.fields {
		f := &d.fields[i]
		if !f.required() || slices.Contains(d.keys, i) || f.shape.logical != "timestamp" && f.shape.logical != "date" {
			continue
		}
		r := 1
		switch {
		case hinting(f.member, "updated", "modified", "changed", "lastmod"):
			r = 3
		case hinting(f.member, "time", "timestamp", "date", "ts"):
			r = 2
		}
		if r > rank {
			d.newer, rank = i, r
			d.newerNote = Note{What: "version", Guess: f.column, Why: "a time that every record has", Sure: Guess}
			if r == 3 {
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
