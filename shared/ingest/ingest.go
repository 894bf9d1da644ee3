// Package ingest brings one run of a source into the raw zone: page after page as it came, then the manifest, whose
// creation starts processing.
//
// Keys derive from the dataset, the scheduled time and the page's number, and every write says If-None-Match: *. So
// whoever repeats a run meets the pages that stand, and goes on behind the last of them with what its metadata keeps:
// the position of the next page, or why there is none. Two that bring the same run at once build one chain: the first
// writer of a page wins, the other goes on from the page that won. The manifest is made from the standing pages alone,
// so that both would write the same one. A run whose manifest stands is finished, and nothing is asked or written.
//
// A run that cannot finish writes no manifest, keeps its pages and returns the fault: the next try resumes. Pages are
// never judged here. One that is no JSON is kept like any other, ends the run, and is judged where the run is
// processed.
package ingest

import (
	"context"
	"errors"
	"fmt"

	"tributary/shared/contract"
	"tributary/shared/source"
	"tributary/shared/zone"
)

// Bucket is the raw bucket. A missing object is zone.ErrNotFound, an unmet condition zone.ErrCondition.
type Bucket interface {
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
	Manifest zone.Manifest // zero when it stood before the call
	Stored   bool          // this call stored the manifest; else it stands by another one's hand
	Fetched  int           // pages that this call asked the source for
	Bytes    int64         // of all pages as stored
}

// Run brings a run whole, or what is missing of it.
func (i *Ingester) Run(ctx context.Context, run zone.Run) (Result, error) {
	var result Result
	if _, err := i.bucket.Head(ctx, run.ManifestKey()); err == nil {
		return result, nil
	} else if !errors.Is(err, zone.ErrNotFound) {
		return result, i.fail(run, err)
	}
	walk := i.source.Walk()
	var pages []zone.ManifestPage
	for resuming := true; !walk.Done(); {
		number := len(pages) + 1
		var page storedPage
		err := zone.ErrNotFound
		if resuming {
			page, err = i.standing(ctx, run, number)
		}
		if errors.Is(err, zone.ErrNotFound) {
			resuming = false
			page, err = i.bring(ctx, run, number, walk)
			result.Fetched++
		}
		if err != nil {
			return result, i.fail(run, err)
		}
		if err := walk.Pass(page.mark); err != nil {
			return result, i.fail(run, err)
		}
		pages = append(pages, page.entry)
		result.Bytes += page.entry.Bytes
	}
	result.Manifest = i.manifest(run, walk.Ended(), pages)
	stored, err := i.store(ctx, run, result.Manifest)
	if err != nil {
		return result, i.fail(run, err)
	}
	result.Stored = stored
	return result, nil
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
	return readPage(number, object)
}

func (i *Ingester) fail(run zone.Run, err error) error {
	return fmt.Errorf("ingest run %s of %s: %w", run.ID(), i.contract.Dataset, err)
}
