package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tributary/shared/ledger"
	"tributary/shared/process"
	"tributary/shared/zone"
)

// Replayer has runs processed again by the process function.
type Replayer struct {
	Raw      Reader
	Audit    Reader
	Process  Function
	Parallel int              // runs at the same time; 0: 4
	Report   func(ReplayStep) // receives each run when it is through, one at a time; may be nil
}

// ReplayStep is a run that is through.
type ReplayStep struct {
	Number, Total int
	Run           zone.Run
	Before        ledger.Run
	Result        process.Result
	Err           error
}

// Replayed counts what became of runs.
type Replayed struct {
	Total     int
	Processed int
	Skipped   int // done before by the same contract and engine or by a newer contract, or being done by somebody else
	Held      int // processed or skipped, and not loaded
	Failed    int
	Unstored  int // runs without a manifest: ingest has to finish them first
}

// Replay processes the runs of a time again, the oldest first. Without force those are skipped that the deployed
// contract and engine have done, so that a replay that was interrupted goes on when it is given again.
func (r *Replayer) Replay(ctx context.Context, dataset string, from, to time.Time, force bool) (Replayed, error) {
	done, err := r.replay(ctx, dataset, from, to, force, func(*ledger.Run) bool { return true })
	if err != nil {
		return done, fmt.Errorf("replay %s: %w", dataset, err)
	}
	return done, nil
}

// Release processes those runs of a time again that are not in the lake: held back, unreadable or too large. Under the
// contract that held them they stay as they are.
func (r *Replayer) Release(ctx context.Context, dataset string, from, to time.Time) (Replayed, error) {
	done, err := r.replay(ctx, dataset, from, to, false, Held)
	done.Unstored = 0 // nothing that was held
	if err != nil {
		return done, fmt.Errorf("release runs of %s: %w", dataset, err)
	}
	return done, nil
}

// Held reports whether a run, or its last replay, did not load.
func Held(r *ledger.Run) bool {
	return r.Audit != nil && (r.Audit.Outcome != "" && r.Audit.Outcome != zone.OutcomeLoaded || r.Audit.Replay.Outcome != "")
}

func (r *Replayer) replay(ctx context.Context, dataset string, from, to time.Time, force bool, choose func(*ledger.Run) bool) (Replayed, error) {
	var done Replayed
	known, err := ledger.Read(ctx, r.Raw, r.Audit, dataset, from, to)
	if err != nil {
		return done, err
	}
	var runs []ledger.Run
	for i := range known {
		switch {
		case !known[i].Manifest:
			done.Unstored++
		case choose(&known[i]):
			runs = append(runs, known[i])
		}
	}
	done.Total = len(runs)
	parallel := r.Parallel
	if parallel == 0 {
		parallel = 4
	}
	var mu sync.Mutex
	through := 0
	var group errgroup.Group
	group.SetLimit(parallel)
	for _, run := range runs {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			result, err := invokeReplay(ctx, r.Process, run.Run, force)
			mu.Lock()
			defer mu.Unlock()
			through++
			done.count(result, err)
			if r.Report != nil {
				r.Report(ReplayStep{Number: through, Total: done.Total, Run: run.Run, Before: run, Result: result, Err: err})
			}
			return nil
		})
	}
	return done, errors.Join(group.Wait(), ctx.Err())
}

func (d *Replayed) count(result process.Result, err error) {
	switch {
	case err != nil:
		d.Failed++
		return
	case result.Status == process.StatusProcessed:
		d.Processed++
	default:
		d.Skipped++
	}
	if result.Outcome != zone.OutcomeLoaded || result.Kept {
		d.Held++
	}
}

func invokeReplay(ctx context.Context, function Function, run zone.Run, force bool) (process.Result, error) {
	payload, err := json.Marshal(zone.NewReplay(run, force))
	if err != nil {
		return process.Result{}, fmt.Errorf("encode replay: %w", err)
	}
	answer, err := function.Invoke(ctx, payload)
	if err != nil {
		return process.Result{}, err
	}
	var results []process.Result
	if err := json.Unmarshal(answer, &results); err != nil {
		return process.Result{}, fmt.Errorf("read the function's answer: %w", err)
	}
	if len(results) != 1 {
		return process.Result{}, fmt.Errorf("read the function's answer: it tells of %d runs, want 1", len(results))
	}
	return results[0], nil
}
