// Package ledger tells where the runs of a dataset stand, from what lies in the zones and nothing else: raw pages,
// manifests and audit rows. Nobody keeps a list of runs that could disagree with them.
//
// It lists by day, so what it costs grows with the days asked for and not with the age of the dataset, and reads the
// audit rows alone, a few at a time. It changes nothing, and sees no run that has not stored its first page.
package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"tributary/shared/zone"
)

// Raw is the raw bucket.
type Raw interface {
	List(ctx context.Context, prefix, startAfter string) iter.Seq2[zone.Object, error]
}

// Audit is the bucket of the audit rows.
type Audit interface {
	List(ctx context.Context, prefix, startAfter string) iter.Seq2[zone.Object, error]
	Get(ctx context.Context, key, version string) (io.ReadCloser, zone.Object, error)
}

// State is how far a run has come.
type State uint8

// The states, in the order of a run.
const (
	Begun      State = iota // pages stand, the manifest does not
	Waiting                 // the manifest stands, and no audit row: its event is under way, or was lost
	Unfinished              // the audit row does not say done
	Done
)

// String names the state.
func (s State) String() string {
	return [...]string{"begun", "waiting", "unfinished", "done"}[s]
}

// Run is what is known of a run.
type Run struct {
	zone.Run
	Pages    int
	Manifest bool
	Audit    *zone.AuditRow // nil: none
	Touched  time.Time      // when the last of it was written
}

// State tells how far the run has come.
func (r *Run) State() State {
	switch {
	case r.Audit == nil && r.Manifest:
		return Waiting
	case r.Audit == nil:
		return Begun
	case r.Audit.State != zone.StateDone || r.Audit.Replay.State != "" && r.Audit.Replay.State != zone.StateDone:
		return Unfinished
	}
	return Done
}

// readers bounds how many audit rows are read at the same time.
const readers = 8

// Read returns the runs of a dataset that were scheduled from one time to another, both included, in that order. From
// the zero time they are all.
func Read(ctx context.Context, raw Raw, audit Audit, dataset string, from, to time.Time) ([]Run, error) {
	if from.IsZero() {
		first, ok, err := firstDay(ctx, raw, dataset)
		if err != nil || !ok {
			return nil, err
		}
		from = first
	}
	from, to = from.UTC().Truncate(time.Second), to.UTC()
	b := book{dataset: dataset, from: from, to: to, runs: map[string]*Run{}}
	rows := map[string]*Run{} // by key
	for day := from.Truncate(24 * time.Hour); !day.After(to); day = day.AddDate(0, 0, 1) {
		for object, err := range raw.List(ctx, zone.RawDayPrefix(dataset, day), "") {
			if err != nil {
				return nil, fmt.Errorf("list raw runs of %s: %w", dataset, err)
			}
			if err := b.raw(object, day); err != nil {
				return nil, err
			}
		}
		for object, err := range audit.List(ctx, zone.AuditDayPrefix(dataset, day), "") {
			if err != nil {
				return nil, fmt.Errorf("list audit rows of %s: %w", dataset, err)
			}
			run, err := b.audit(object, day)
			if err != nil {
				return nil, err
			}
			if run != nil {
				rows[object.Key] = run
			}
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for key, run := range rows {
		group.Go(func() (err error) {
			run.Audit, err = readRow(ctx, audit, key)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	runs := make([]Run, 0, len(b.runs))
	for _, id := range slices.Sorted(maps.Keys(b.runs)) {
		runs = append(runs, *b.runs[id])
	}
	return runs, nil
}

// firstDay is the day of the oldest raw object; false when there is none.
func firstDay(ctx context.Context, raw Raw, dataset string) (time.Time, bool, error) {
	prefix := zone.RawPrefix(dataset)
	for object, err := range raw.List(ctx, prefix, "") {
		if err != nil {
			return time.Time{}, false, fmt.Errorf("list raw runs of %s: %w", dataset, err)
		}
		folder, _, _ := strings.Cut(strings.TrimPrefix(object.Key, prefix), "/")
		day, err := time.Parse(time.DateOnly, strings.TrimPrefix(folder, "dt="))
		if err != nil {
			return time.Time{}, false, fmt.Errorf("read key %s: %w", object.Key, err)
		}
		return day, true, nil
	}
	return time.Time{}, false, nil
}

// book collects runs.
type book struct {
	dataset  string
	from, to time.Time
	runs     map[string]*Run // by id, which sorts by time
}

// find is the run of an id, new where it was not known; nil when it lies outside of the time asked for.
func (b *book) find(id string, o zone.Object) (*Run, error) {
	run, err := zone.ParseRunID(b.dataset, id)
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", o.Key, err)
	}
	if run.At.Before(b.from) || run.At.After(b.to) {
		return nil, nil
	}
	known := b.runs[run.ID()]
	if known == nil {
		known = &Run{Run: run}
		b.runs[run.ID()] = known
	}
	if o.Modified.After(known.Touched) {
		known.Touched = o.Modified
	}
	return known, nil
}

func (b *book) raw(o zone.Object, day time.Time) error {
	folder, name, _ := strings.Cut(strings.TrimPrefix(o.Key, zone.RawDayPrefix(b.dataset, day)), "/")
	run, err := b.find(strings.TrimPrefix(folder, "run="), o)
	if err != nil || run == nil {
		return err
	}
	if name == zone.ManifestName {
		run.Manifest = true
	} else {
		run.Pages++
	}
	return nil
}

func (b *book) audit(o zone.Object, day time.Time) (*Run, error) {
	id := strings.TrimSuffix(strings.TrimPrefix(o.Key, zone.AuditDayPrefix(b.dataset, day)), ".json")
	return b.find(id, o)
}

func readRow(ctx context.Context, audit Audit, key string) (*zone.AuditRow, error) {
	body, _, err := audit.Get(ctx, key, "")
	if err != nil {
		return nil, fmt.Errorf("read audit row: %w", err)
	}
	data, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, fmt.Errorf("read audit row %s: %w", key, err)
	}
	row := new(zone.AuditRow)
	if err := json.Unmarshal(data, row); err != nil {
		return nil, fmt.Errorf("read audit row %s: %w", key, err)
	}
	return row, nil
}
