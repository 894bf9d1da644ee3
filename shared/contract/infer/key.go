package infer

import (
	"fmt"
	"slices"
	"strings"
)

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
