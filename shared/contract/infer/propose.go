package infer

import (
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

	location    string
	insecure    bool // the sample came over plain http
	query       [][2]string
	sent        url.Values
	auth        string
	credentials []Note // what the address has of them
	fields      []field
	hoisted     string // the member whose members became columns; ""
	keys        []int
	keyNote     Note
	newer       int // the version column, or -1
	newerNote   Note
	paging      string
	pagingNote  Note
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
		*s = shape{logical: s.logical, physical: "string", private: holdsPrivate(d.fields[most]), sure: Likely, why: fmt.Sprintf("has %d members, more than a contract can declare beside the others; kept as JSON text", s.leaves())}
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
	notes = append(notes, d.credentials...)
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
