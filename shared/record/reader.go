package record

import (
	"errors"
	"io"
	"time"
)

// Sink takes what a Reader makes of a run. The sink owns a batch until it calls Release on it, possibly from another
// goroutine; a reject is valid during the call only.
type Sink interface {
	Batch(*Batch) error
	Reject(*Reject) error
}

// Run is what expressions see as run.
type Run struct {
	ScheduledAt time.Time
}

// Page is what the manifest knows of a page.
type Page struct {
	Number    int // from 1
	FetchedAt time.Time
	Records   int64 // as counted at ingest; -1: unknown
}

// Reader reads the pages of one run in order.
type Reader struct {
	plan *Plan
	run  Run
	sink Sink
}

// Start begins a run.
func (p *Plan) Start(run Run, sink Sink) *Reader {
	return &Reader{plan: p, run: run, sink: sink}
}

// Page reads one uncompressed page.
func (r *Reader) Page(page Page, body io.Reader) error {
	return errors.ErrUnsupported
}

// Close ends the run: it hands out the last batch and judges the run as a whole.
func (r *Reader) Close() (*Summary, error) {
	return nil, errors.ErrUnsupported
}
