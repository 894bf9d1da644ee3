package record

import "strings"

// Keys are looked up for a group of rows at a time: each look-up is a cache miss, and together they overlap. A row that
// turns out to have a key of an earlier one is taken out of the columns again.

// groupSize is how many rows wait for their keys, one for each bit of a word at most.
const groupSize = 32

// keyed is a row whose key is pending.
type keyed struct {
	start, end int // of its record in the window
	index      int64
	key        string
	known      uint64 // which of its keys were there before, a bit for each of uniques
}

// await puts the row at hand among those whose keys are pending.
func (r *Reader) await(start, end int) {
	r.pending = append(r.pending, keyed{start: start, end: end, index: r.index, key: r.key})
	for _, u := range r.uniques {
		h := u.hash
		if u.null {
			h = keyHash{}
		}
		r.hashes = append(r.hashes, h)
	}
}

// startGroup notes where the vectors stand before the first row of a group.
func (r *Reader) startGroup() {
	for _, f := range r.texts {
		f.group = f.before
	}
	for _, f := range r.nested {
		f.group = f.before
	}
	r.pending, r.hashes = r.pending[:0], r.hashes[:0]
}

// settle looks the pending keys up. No record may be at hand.
func (r *Reader) settle() error {
	if len(r.pending) == 0 {
		return nil
	}
	sets := len(r.uniques)
	for k, u := range r.uniques {
		for i := k; i < len(r.hashes); i += sets {
			r.touched ^= u.keys.touch(r.hashes[i])
		}
	}
	var double uint64
	for i := range r.pending {
		if r.pending[i].known = r.claim(r.hashes[i*sets : (i+1)*sets]); r.pending[i].known != 0 {
			double |= 1 << i
		}
	}
	if double == 0 {
		r.startGroup()
		return nil
	}
	return r.dropDoubles(double)
}

// claim looks a row's keys up and, when all of them are new, puts them in: a row that is rejected claims no key. The
// result has a bit for each key that was there.
func (r *Reader) claim(hashes []keyHash) (known uint64) {
	if len(hashes) == 1 {
		if hashes[0] != (keyHash{}) && r.uniques[0].keys.claim(hashes[0]) {
			return 1
		}
		return 0
	}
	for k, h := range hashes {
		if h != (keyHash{}) && r.uniques[k].keys.has(h) {
			known |= 1 << k
		}
	}
	if known != 0 {
		return known
	}
	for k, h := range hashes {
		if h != (keyHash{}) {
			r.uniques[k].keys.add(h)
		}
	}
	return 0
}

// dropDoubles makes rejects of the pending rows whose bit is set: they are taken out of the columns, and their records
// read once more to say what is wrong with them.
func (r *Reader) dropDoubles(double uint64) error {
	from, n := r.row-len(r.pending), len(r.pending)
	for _, f := range r.leaves {
		if f.lineage == noLineage {
			f.drop(from, n, double)
		}
	}
	b, kept := r.batch, from
	for i := range n {
		if double>>i&1 == 0 {
			b.Page[kept], b.Index[kept] = b.Page[from+i], b.Index[from+i]
			kept++
		}
	}
	b.Page, b.Index, r.row = b.Page[:kept], b.Index[:kept], kept
	r.remember()

	// The record at hand has reasons of its own, which must outlive this.
	violations, reasons, unlisted := r.violations, r.reasons, r.unlisted
	r.violations, r.reasons, r.unlisted, r.warnings = nil, nil, 0, r.warnings[:0]
	rows := r.pending
	r.pending = nil
	for i, row := range rows {
		if double>>i&1 == 0 {
			continue
		}
		r.index, row.index = row.index, r.index
		r.key, row.key = row.key, r.key
		r.parse(row.start)
		r.finish()
		for _, w := range r.warnings {
			if r.warned[w]--; r.warned[w] == 0 {
				delete(r.warned, w)
			}
		}
		for k, u := range r.uniques {
			if row.known>>k&1 != 0 {
				r.addDouble(u, r.keyText(u))
			}
		}
		r.index, row.index = row.index, r.index
		r.summary.Clean--
		r.summary.Records--
		err := r.dismiss(span{offset: r.base + int64(row.start), bytes: int64(row.end - row.start), head: r.buf[row.start:row.end]}, row.index)
		r.undo()
		r.key = row.key
		if err != nil {
			return err
		}
	}
	r.pending, r.violations, r.reasons, r.unlisted = rows, violations, reasons, unlisted
	r.startGroup()
	return nil
}

// keyText shows a key of one column; a longer one is told by its columns.
func (r *Reader) keyText(u *uniqueSet) string {
	if u.null || len(u.fields) > 1 {
		return ""
	}
	return string(r.appendValue(nil, u.fields[0]))
}

func (r *Reader) addDouble(u *uniqueSet, text string) {
	if len(u.fields) == 1 {
		r.add(u.fields[0].pointer, RuleUnique, "has been there before in this run", text)
		return
	}
	names := make([]string, len(u.fields))
	for i, f := range u.fields {
		names[i] = f.Name
	}
	r.add("", RuleUnique, "has a key that has been there before in this run: "+strings.Join(names, ", "), "")
}
