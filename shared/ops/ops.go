// Package ops is what operators do with a dataset: look where its runs stand, have runs processed again, empty failure
// queues, bring a part of the past or a file, look at rejects, set a secret.
//
// Nothing here does a function's work. A replay invokes the process function, a backfill the ingest function, a file is
// stored as a run by package ingest: so every effect passes the same conditions as in daily business, and a command that
// was interrupted, or was given twice, does no harm. Whatever takes longer than a moment reports each step, and goes on
// where it was when it is given again.
//
// The package knows no SDK and no screen: it is given stores, functions and queues, and returns what there is to say.
package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"tributary/shared/contract"
	"tributary/shared/ingest"
	"tributary/shared/source"
	"tributary/shared/zone"
)

// Reader reads a bucket.
type Reader interface {
	List(ctx context.Context, prefix, startAfter string) iter.Seq2[zone.Object, error]
	Get(ctx context.Context, key, version string) (io.ReadCloser, zone.Object, error)
}

// Function is one of the dataset's functions. An error of the function itself is *zone.FunctionError.
type Function interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// Secrets keeps secrets.
type Secrets interface {
	Put(ctx context.Context, name, value string) error
}

// FillSecret gives the source's secret a value. A value that the source could not use is refused.
func FillSecret(ctx context.Context, secrets Secrets, c *contract.Contract, name, value string) error {
	if c.Source.Auth == nil {
		return fmt.Errorf("fill secret of %s: its source asks for none", c.Dataset)
	}
	if err := source.CheckSecret(c.Source.Auth, value); err != nil {
		return fmt.Errorf("fill secret %s of %s: %w", name, c.Dataset, err)
	}
	return secrets.Put(ctx, name, value)
}

// Backfill has the ingest function bring a part of the source's past as a run of its own, whose time names it. Given
// again with the same time, it goes on behind the last page that was stored; a run that is of something else is refused.
func Backfill(ctx context.Context, function Function, c *contract.Contract, at time.Time, part zone.Range) (ingest.Response, error) {
	var response ingest.Response
	if err := ingest.CanBackfill(c); err != nil {
		return response, err
	}
	run := zone.NewRun(c.Dataset, at)
	fail := func(err error) (ingest.Response, error) {
		return response, fmt.Errorf("backfill %s from %s to %s as run %s: %w", c.Dataset, part.From, part.To, run.ID(), err)
	}
	if source.CompareCursors(part.From, part.To) >= 0 {
		return fail(errors.New("the end must lie behind the beginning"))
	}
	payload, err := json.Marshal(zone.IngestEvent{Dataset: c.Dataset, ScheduledAt: run.At, Backfill: &part})
	if err != nil {
		return fail(err)
	}
	answer, err := function.Invoke(ctx, payload)
	if err != nil {
		return fail(err)
	}
	if err := json.Unmarshal(answer, &response); err != nil {
		return fail(fmt.Errorf("read the function's answer: %w", err))
	}
	if response.Refused != "" {
		return fail(errors.New(response.Refused))
	}
	return response, nil
}
