package record

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Sink takes what a Reader makes of a run. The sink owns a batch until it calls Release on it, possibly from another
// goroutine; a reject is valid during the call only.
type Sink interface {
	Batch(*Batch) error
	Reject(*Reject) error
}

// Run is what a Reader is told of a run.
type Run struct {
	ScheduledAt time.Time // what expressions see as run.scheduledAt
	Blocks      Blocks    // how its input is divided; the zero value is one block
}

// Page is what the manifest knows of a page.
type Page struct {
	Number    int // from 1
	FetchedAt time.Time
	Records   int64 // as counted at ingest; -1: unknown
}

// Reader reads the pages of one run in order.
type Reader struct {
	decoder
	sink Sink
	free chan *Batch

	offset int64 // bytes of the pages before
	filled int   // rows of the batch whose lineage columns are filled

	blocks   Blocks
	block    int64  // of the batch
	blockEnd Blocks // counts

	expected int64 // records of the pages so far, as counted at ingest
	uniques  []*uniqueSet
	pending  []keyed   // rows whose keys have not been looked up
	hashes   []keyHash // of pending: one for each of uniques
	touched  uint64    // keeps the compiler from leaving out look-ups ahead
	patience int       // how many rows may be pending
	meters   []*meter  // of the contract's metrics
	doubles  []*meter  // those of duplicateValues, which look at every row
	summary  Summary
	rejects  map[reason]int64
	warned   map[reason]int64
	reject   Reject
	failed   error
}

// Start begins a run.
func (p *Plan) Start(run Run, sink Sink) *Reader {
	r := &Reader{
		decoder: *newDecoder(p), sink: sink, free: make(chan *Batch, spareBatches),
		rejects: map[reason]int64{}, warned: map[reason]int64{}, blocks: run.Blocks,
	}
	r.block, r.blockEnd = r.blocks.of(0, 0)
	r.scheduledAt = run.ScheduledAt.UnixMilli()
	for _, set := range p.uniques {
		u := &uniqueSet{}
		for _, i := range set {
			u.fields = append(u.fields, r.tops[i])
		}
		r.uniques = append(r.uniques, u)
	}
	for i := range p.contract.Metrics {
		t := r.newMeter(&p.contract.Metrics[i])
		r.meters = append(r.meters, t)
		if t.keys != nil {
			r.doubles = append(r.doubles, t)
		}
	}
	if r.patience = groupSize; len(r.doubles) > 0 {
		r.patience = 1 // those metrics count rows that are sure to stay
	}
	r.begin()
	return r
}

// Page reads one uncompressed page.
func (r *Reader) Page(page Page, body io.Reader) error {
	if r.failed != nil {
		return r.failed
	}
	r.failed = r.readPage(page, body)
	return r.failed
}

func (r *Reader) readPage(page Page, body io.Reader) error {
	limits := &r.plan.contract.Source.Limits
	if limits.Pages > 0 && r.summary.Pages >= limits.Pages {
		return &TooLargeError{What: "pages", Limit: int64(limits.Pages), Page: page.Number}
	}
	r.page, r.index = page.Number, 0
	r.key, r.keyFault = "", ""
	r.fetchedAt = page.FetchedAt.UnixMilli()
	if page.Records > 0 {
		r.expected += page.Records
		for _, u := range r.uniques {
			u.keys.expect(r.expected)
		}
	}
	before := r.summary.Records
	doc := document{scanner: &r.scanner, page: page.Number, pointer: r.plan.contract.Source.Records, keyed: r.plan.contract.Source.Keyed, records: r}
	if err := doc.read(body, r.plan.window, r.plan.limit); err != nil {
		return err
	}
	if err := r.settle(); err != nil {
		return err
	}
	r.fillLineage()
	r.offset += r.base + int64(r.end)
	r.summary.Bytes = r.offset
	r.summary.Pages++
	if n := r.summary.Records - before; page.Records >= 0 && n != page.Records {
		return &UnreadableError{Page: page.Number, Offset: r.base + int64(r.end), Reason: fmt.Sprintf("the page has %d records and its manifest says %d", n, page.Records)}
	}
	return nil
}

// Close ends the run: it hands out the last batch and judges the run as a whole.
func (r *Reader) Close() (*Summary, error) {
	if r.failed != nil {
		return nil, r.failed
	}
	if r.row > 0 {
		if err := r.hand(); err != nil {
			return nil, err
		}
	}
	s := &r.summary
	if s.Records != s.Clean+s.Rejected {
		return nil, fmt.Errorf("close run: %d records are not %d clean and %d rejected", s.Records, s.Clean, s.Rejected)
	}
	r.judge()
	return s, nil
}

// spareBatches is how many batches wait to be used again: one is filled while others are encoded.
const spareBatches = 4

// begin takes an empty batch.
func (r *Reader) begin() {
	var b *Batch
	select {
	case b = <-r.free:
	default:
		b = &Batch{free: r.free, plan: r.plan, Vectors: make([]Vector, len(r.leaves)), Page: make([]int32, 0, firstRows), Index: make([]int64, 0, firstRows)}
		for i, f := range r.leaves {
			b.Vectors[i] = newVector(f)
		}
	}
	b.Rows, b.Page, b.Index = 0, b.Page[:0], b.Index[:0]
	for i, f := range r.leaves {
		f.vec = &b.Vectors[i]
		f.vec.empty()
	}
	r.batch, r.row, r.filled = b, 0, 0
	r.remember()
	r.startGroup()
}

// named takes the key of the next record.
func (r *Reader) named(key, fault string) { r.key, r.keyFault = key, fault }

// parse reads the record at i into the columns.
func (r *Reader) parse(i int) int {
	if r.keyFault != "" {
		r.add("", RuleEncoding, "has a key that "+r.keyFault, "")
	}
	if r.buf[i] == '{' {
		return r.readObject(r.root, i+1, 0)
	}
	end := r.skip(i)
	if end >= 0 {
		r.violate("", RuleType, "is no object", i, end)
	}
	return end
}

// take ends a record: derived columns, rules, keys, and then it is a row or a reject.
func (r *Reader) take(start, end int) error {
	if at := r.base + int64(start); r.beyond(at) {
		r.undo()
		if err := r.enter(at); err != nil {
			return err
		}
		r.parse(start) // into the columns of the next batch
	}
	object := r.buf[start] == '{'
	if object {
		r.finish()
	}
	for _, m := range r.drift {
		if m.count.stamp != r.stamp || m.key == nil {
			m.count.records++
			m.count.stamp = r.stamp
		}
	}
	r.drift = r.drift[:0]
	if len(r.violations) > 0 {
		return r.turnDown(start, end, object)
	}
	for _, t := range r.doubles {
		t.row(r)
	}
	if len(r.warnings) > 0 {
		for _, w := range r.warnings {
			r.warned[w]++
		}
		r.warnings = r.warnings[:0]
	}
	if len(r.uniques) > 0 {
		r.await(start, end)
	}
	r.batch.Page = append(r.batch.Page, int32(r.page))
	r.batch.Index = append(r.batch.Index, r.index)
	r.row++
	r.index++
	r.summary.Clean++
	if err := r.counted(); err != nil {
		return err
	}
	r.remember()
	if len(r.pending) < r.patience && !r.full() {
		return nil
	}
	if err := r.settle(); err != nil {
		return err
	}
	if !r.full() {
		return nil
	}
	if err := r.hand(); err != nil {
		return err
	}
	r.begin()
	return nil
}

// full says whether the batch is to be handed out. That rows may still be taken out of it makes no difference: it is
// asked again without them.
func (r *Reader) full() bool { return r.row == BatchRows || r.weight > BatchBytes }

// turnDown makes a reject of the record at hand.
func (r *Reader) turnDown(start, end int, object bool) error {
	type key struct {
		hash keyHash
		text string
	}
	keys := make([]key, len(r.uniques)) // settling looks at other rows
	for k, u := range r.uniques {
		if object && !u.null {
			keys[k] = key{u.hash, r.keyText(u)}
		}
	}
	r.dropRow()
	if err := r.settle(); err != nil {
		return err
	}
	for k, key := range keys {
		if u := r.uniques[k]; key.hash != (keyHash{}) && u.keys.has(key.hash) {
			r.addDouble(u, key.text)
		}
	}
	err := r.dismiss(span{offset: r.base + int64(start), bytes: int64(end - start), head: r.buf[start:end]}, r.index)
	r.index++
	r.undo()
	return err
}

// counted counts a record, whatever became of it.
func (r *Reader) counted() error {
	r.summary.Records++
	if limit := r.plan.contract.Source.Limits.Records; limit > 0 && r.summary.Records > limit {
		return &TooLargeError{What: "records", Limit: limit, Page: r.page}
	}
	return nil
}

// finish does what needs the whole record.
func (r *Reader) finish() {
	for _, derive := range r.derivations {
		derive(&r.decoder)
	}
	for _, check := range r.checks {
		check(&r.decoder)
	}
	for _, u := range r.uniques {
		r.keyOf(u)
	}
}

// refuse makes a reject of a record that could not be read.
func (r *Reader) refuse(s span, rule, reason string) error {
	if r.beyond(s.offset) {
		if err := r.enter(s.offset); err != nil {
			return err
		}
	}
	if err := r.settle(); err != nil {
		return err
	}
	r.add("", rule, reason, "")
	err := r.dismiss(s, r.index)
	r.index++
	r.undo()
	return err
}

// dismiss hands out the record at hand as a reject.
func (r *Reader) dismiss(s span, index int64) error {
	for k, reason := range r.reasons {
		if !slices.Contains(r.reasons[:k], reason) {
			r.rejects[reason]++
		}
	}
	if r.unlisted > 0 {
		r.violations = append(r.violations, Violation{Rule: RuleMore, Message: fmt.Sprintf("the record has %d further violations", r.unlisted)})
	}
	r.reject = Reject{Page: r.page, Index: index, Key: r.key, Block: r.block, Offset: s.offset, Bytes: s.bytes, Record: s.head, SHA256: s.sha256, Violations: r.violations}
	if s.sha256 == "" && len(s.head) > RejectHead {
		d := newDigest(s.offset)
		d.add(s.head)
		r.reject.Record, r.reject.SHA256 = d.head, d.sum().sha256
	}
	r.reject.Truncated = r.reject.SHA256 != ""
	r.summary.Rejected++
	if err := r.counted(); err != nil {
		return err
	}
	if err := r.sink.Reject(&r.reject); err != nil {
		return fmt.Errorf("take reject %d of page %d: %w", r.reject.Index, r.page, err)
	}
	return nil
}

// fillLineage fills the derived columns that are the same for all rows since it was called last, but for the index.
func (r *Reader) fillLineage() {
	from, b := r.filled, r.batch
	for _, f := range r.leaves {
		v := f.vec
		switch f.lineage {
		case runScheduledAt:
			v.I64 = appendSame(v.I64, r.scheduledAt, r.row-from)
		case runFetchedAt:
			v.I64 = appendSame(v.I64, r.fetchedAt, r.row-from)
		case recordPage:
			v.I64 = appendSame(v.I64, int64(r.page), r.row-from)
		case recordIndex:
			v.I64 = append(v.I64, b.Index[from:r.row]...)
		default:
		}
	}
	r.filled = r.row
}

// hand gives the batch to the sink.
func (r *Reader) hand() error {
	r.fillLineage()
	b := r.batch
	b.Rows, b.Block = r.row, r.block
	for i := range b.Vectors {
		v := &b.Vectors[i]
		if v.Valid != nil && b.Rows < BatchRows {
			v.Valid[b.Rows>>3] &= 1<<(b.Rows&7) - 1
			clear(v.Valid[b.Rows>>3+1:])
		}
	}
	for _, t := range r.meters {
		t.batch(b)
	}
	r.batch = nil
	r.row = 0
	if err := r.sink.Batch(b); err != nil {
		return fmt.Errorf("take batch that ends in page %d: %w", r.page, err)
	}
	return nil
}

// sortedCounts lists counts by rule and pointer, with * for the places in lists.
func sortedCounts(counts map[reason]int64) []RuleCount {
	var list []RuleCount
	for w, n := range counts {
		list = append(list, RuleCount{Rule: w.rule, Pointer: strings.ReplaceAll(w.pointer, anyItem, "/*"), Records: n})
	}
	slices.SortFunc(list, func(a, b RuleCount) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Pointer, b.Pointer))
	})
	return list
}
