// Package ledger tells where the runs of a dataset stand, from what lies in the zones and nothing else: raw pages,
// manifests and audit rows. Nobody keeps a list of runs that could disagree with them.
//
// It lists the raw runs of the time asked for, then the audit rows of the days that have any, so what it costs grows with
// the runs of that time and not with the age of the dataset. It reads the audit rows alone, a few at a time, changes
// nothing, and sees no run that has not stored its first page.
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
	b := book{dataset: dataset, from: from.UTC().Truncate(time.Second), to: to.UTC(), runs: map[string]*Run{}}
	if err := b.listRaw(ctx, raw); err != nil {
		return nil, err
	}
	rows, err := b.listAudit(ctx, audit)
	if err != nil {
		return nil, err
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

// book collects runs.
type book struct {
	dataset  string
	from, to time.Time
	runs     map[string]*Run // by id, which sorts by time
}

// listRaw enters the raw runs. Their keys sort by time.
func (b *book) listRaw(ctx context.Context, raw Raw) error {
	prefix, after := zone.RawPrefix(b.dataset), ""
	if !b.from.IsZero() {
		after = zone.NewRun(b.dataset, b.from).RawRunPrefix()
	}
	for object, err := range raw.List(ctx, prefix, after) {
		if err != nil {
			return fmt.Errorf("list raw runs of %s: %w", b.dataset, err)
		}
		_, rest, _ := strings.Cut(strings.TrimPrefix(object.Key, prefix), "/")
		folder, name, _ := strings.Cut(rest, "/")
		run, err := zone.ParseRunID(b.dataset, strings.TrimPrefix(folder, "run="))
		switch {
		case err != nil:
			return fmt.Errorf("read key %s: %w", object.Key, err)
		case run.At.After(b.to):
			return nil
		}
		known := b.runs[run.ID()]
		if known == nil {
			known = &Run{Run: run}
			b.runs[run.ID()] = known
		}
		known.touch(object)
		if name == zone.ManifestName {
			known.Manifest = true
		} else {
			known.Pages++
		}
	}
	return nil
}

// listAudit gives the runs that have an audit row, by its key.
func (b *book) listAudit(ctx context.Context, audit Audit) (map[string]*Run, error) {
	days := map[string]time.Time{}
	for _, run := range b.runs {
		days[run.Day()] = run.At
	}
	rows := map[string]*Run{}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		prefix := zone.AuditDayPrefix(b.dataset, days[day])
		for object, err := range audit.List(ctx, prefix, "") {
			if err != nil {
				return nil, fmt.Errorf("list audit rows of %s: %w", b.dataset, err)
			}
			run, err := zone.ParseRunID(b.dataset, strings.TrimSuffix(strings.TrimPrefix(object.Key, prefix), ".json"))
			if err != nil {
				return nil, fmt.Errorf("read key %s: %w", object.Key, err)
			}
			if known := b.runs[run.ID()]; known != nil {
				known.touch(object)
				rows[object.Key] = known
			}
		}
	}
	return rows, nil
}

func (r *Run) touch(o zone.Object) {
	if o.Modified.After(r.Touched) {
		r.Touched = o.Modified
	}
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
