// Package ingest brings one run of a source into the raw zone: page after page as it came, then the manifest, whose
// creation starts processing.
//
// Keys derive from the dataset, the scheduled time and the page's number, and every write says If-None-Match: *. So
// whoever repeats a run meets the pages that stand, and goes on behind the last of them with what its metadata keeps:
// the position of the next page, or why there is none. Two that bring the same run at once build one chain: the first
// writer of a page wins, the other goes on from the page that won. The manifest is made from the standing pages alone,
// so that both would write the same one. A run whose manifest stands is finished, and nothing is asked or written.
//
// A source with an incremental cursor is asked for what is new since the state that the last run left. The state moves
// once the manifest stands, by If-Match, and only forward. When such a source asks to wait for longer than the run has,
// and its records came in the cursor's order, the run ends early and whole, and the next one carries on. A backfill asks
// such a source for a part of its past, which its pages keep, and leaves the state alone.
//
// A run that passes a limit of the contract (the bytes of a body, the number of pages or records) would pass it at every try.
// It ends whole as well, with a manifest that says so: processing makes it too_large, with an alert, and reads no page.
//
// Any other run that cannot finish writes no manifest, keeps its pages and returns the fault: the next try resumes. Pages are
// never judged here. One that is no JSON is kept like any other, ends the run, and is judged where the run is
// processed.
//
// Behind each run the Reconciler looks back for runs that were lost on their way, and starts them again.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"

	"tributary/shared/contract"
	"tributary/shared/source"
	"tributary/shared/zone"
)

// Bucket is the raw bucket. A missing object is zone.ErrNotFound, an unmet condition zone.ErrCondition.
type Bucket interface {
	Get(ctx context.Context, key, version string) (io.ReadCloser, zone.Object, error)
	Head(ctx context.Context, key string) (zone.Object, error)
	Put(ctx context.Context, key string, body []byte, options zone.PutOptions) (zone.Object, error)
}

// Ingester brings runs of one dataset.
type Ingester struct {
	contract *contract.Contract
	bucket   Bucket
	source   *source.Client
}

// New makes the ingester of a contract's dataset.
func New(c *contract.Contract, bucket Bucket, client *source.Client) *Ingester {
	return &Ingester{contract: c, bucket: bucket, source: client}
}

// Result tells what a call found and did.
type Result struct {
	Manifest    zone.Manifest // that stands now
	Stored      bool          // this call stored the manifest; else it stands by another one's hand
	Fetched     int           // pages that this call asked the source for
	Bytes       int64         // of all pages as stored
	CursorMoved bool          // this call moved the cursor's state
	CursorTaken bool          // another run moved the cursor's state meanwhile, so that this call left it
}

// Run brings a run whole, or what is missing of it.
func (i *Ingester) Run(ctx context.Context, run zone.Run) (Result, error) {
	return i.whole(ctx, run, nil)
}

// Backfill brings a run of a part of the past, by a source with an incremental cursor. The cursor's state stays. A run that
// is of something else already is a RangeError.
func (i *Ingester) Backfill(ctx context.Context, run zone.Run, part zone.Range) (Result, error) {
	if err := CanBackfill(i.contract); err != nil {
		return Result{}, err
	}
	return i.whole(ctx, run, &part)
}

func (i *Ingester) whole(ctx context.Context, run zone.Run, part *zone.Range) (Result, error) {
	var result Result
	if err := i.run(ctx, run, part, &result); err != nil {
		return result, fmt.Errorf("ingest run %s of %s: %w", run.ID(), i.contract.Dataset, err)
	}
	return result, nil
}

func (i *Ingester) run(ctx context.Context, run zone.Run, part *zone.Range, result *Result) error {
	if _, err := i.bucket.Head(ctx, run.ManifestKey()); err == nil {
		return i.settle(ctx, run, part, result)
	} else if !errors.Is(err, zone.ErrNotFound) {
		return fmt.Errorf("look for manifest: %w", err)
	}
	state, walk, err := i.start(ctx, part)
	if err != nil {
		return err
	}
	brought, err := i.pages(ctx, run, walk, part, result)
	if err != nil {
		return err
	}
	result.Manifest = i.manifest(run, walk, brought)
	if result.Stored, err = i.store(ctx, run, result.Manifest); err != nil {
		return err
	}
	if !result.Stored {
		return i.settle(ctx, run, part, result)
	}
	result.CursorMoved, result.CursorTaken, err = i.moveCursor(ctx, run, result.Manifest, state)
	return err
}

// brought are the pages of a run that ended.
type brought struct {
	pages  []zone.ManifestPage
	ended  string
	reason string // of zone.EndedTooLarge
}

// pages goes the way of the run: behind the pages that stand, then behind those it brings.
func (i *Ingester) pages(ctx context.Context, run zone.Run, walk *source.Walk, part *zone.Range, result *Result) (brought, error) {
	var b brought
	for resuming := true; !walk.Done(); {
		number := len(b.pages) + 1
		var page storedPage
		err := zone.ErrNotFound
		if resuming {
			page, err = i.standing(ctx, run, number)
		}
		if errors.Is(err, zone.ErrNotFound) {
			resuming = false
			page, err = i.bring(ctx, run, number, walk)
			if b.endsBy(err, walk) {
				return b, nil
			}
			result.Fetched++
		}
		if err != nil {
			return b, err
		}
		if err := fits(part, page.mark.From, page.mark.To); err != nil {
			return b, err
		}
		b.pages = append(b.pages, page.entry)
		result.Bytes += page.entry.Bytes
		if err := walk.Pass(page.mark); b.endsBy(err, walk) {
			return b, nil
		} else if err != nil {
			return b, err
		}
	}
	b.ended = walk.Ended()
	return b, nil
}

// endsBy reports whether a fault of the source ends the run with the pages that stand, and notes how.
func (b *brought) endsBy(err error, walk *source.Walk) bool {
	var fault *source.Error
	switch {
	case !errors.As(err, &fault):
		return false
	case fault.Kind == source.TooLarge:
		b.ended, b.reason = zone.EndedTooLarge, fault.Error()
	case fault.Kind == source.RateLimited && walk.CanEndEarly():
		b.ended = zone.EndedRateLimit
	default:
		return false
	}
	return true
}

// bring asks for a page and stores it, or adopts the page that another one stored meanwhile.
func (i *Ingester) bring(ctx context.Context, run zone.Run, number int, walk *source.Walk) (storedPage, error) {
	fetched, err := walk.Fetch(ctx)
	if err != nil {
		return storedPage{}, err
	}
	page, body, err := pack(run, number, fetched)
	if err != nil {
		return storedPage{}, err
	}
	object, err := i.bucket.Put(ctx, page.entry.Key, body, zone.PutOptions{
		Condition:   zone.Condition{IfAbsent: true},
		ContentType: "application/gzip",
		Metadata:    page.metadata(),
	})
	if errors.Is(err, zone.ErrCondition) {
		return i.standing(ctx, run, number)
	}
	if err != nil {
		return storedPage{}, fmt.Errorf("store page %d: %w", number, err)
	}
	page.entry.Version = object.Version
	return page, nil
}

// standing reads what is known of a page that stands.
func (i *Ingester) standing(ctx context.Context, run zone.Run, number int) (storedPage, error) {
	object, err := i.bucket.Head(ctx, run.RawPageKey(number))
	if err != nil {
		return storedPage{}, fmt.Errorf("look for page %d: %w", number, err)
	}
	if object.Metadata[metaUpload] != "" {
		return storedPage{}, errors.New("it is an upload that was not finished: only the same file can finish it, with go tool mage ops:upload and the run's time")
	}
	return readPage(number, object)
}
