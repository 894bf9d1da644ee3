package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"tributary/shared/contract"
	"tributary/shared/ledger"
	"tributary/shared/source"
	"tributary/shared/zone"
)

const (
	// leastBack and gapsBack are how far each run looks back for runs that were lost: three days, and three runs.
	leastBack = 3 * 24 * time.Hour
	gapsBack  = 3
	// Settled is how long nothing of a run must have been written before it counts as lost: longer than an invocation of
	// either function with its retries may take.
	Settled = time.Hour
	// resumeReserve is what must be left of an invocation's time to finish another run, resumeMargin what is kept of it to
	// say how that ended.
	resumeReserve = time.Minute
	resumeMargin  = 10 * time.Second
)

// Process starts the process function with an event and does not wait for it.
type Process interface {
	Start(ctx context.Context, payload []byte) error
}

// Reconciler finds earlier runs that were lost on their way and starts them again: it finishes those without a
// manifest, and has those processed whose manifest has no audit row, or one that is not done.
//
// Everything it does is idempotent, so it may be wrong about a run that is still at work. To be seldom wrong it leaves
// a run alone until nothing of it was written for Settled. What fails for good is not started at every run: it is tried
// whenever its age has doubled, which for runs of every quarter of an hour is at the ages of 1, 2, 4 … 64 hours. A replay
// of a run from before the time it looks back to is its operator's: it is seen through, or handed to Lambda's retries.
//
// A Reconciler that lives for several runs reads again only the audit rows that have changed.
type Reconciler struct {
	Ingester *Ingester
	Raw      ledger.Raw
	Audit    ledger.Audit
	Process  Process
	Now      func() time.Time

	rows recall
}

// LookBack is how far the runs of a schedule look back.
func LookBack(s contract.Schedule) time.Duration { return max(leastBack, gapsBack*s.Gap()) }

// Reconciled is what was found before a run, and done about it.
type Reconciled struct {
	Lost    []ledger.Run // settled and not done
	Started []zone.Run   // handed to the process function
	Resumed []zone.Run   // whose manifest stands now
	Left    error        // why a run was not resumed; it stays lost, and is tried again later
}

// Reconcile looks back from a run. Runs are resumed only if the source is known to answer.
func (c *Reconciler) Reconcile(ctx context.Context, run zone.Run, answers bool) (Reconciled, error) {
	var done Reconciled
	fail := func(err error) (Reconciled, error) {
		return done, fmt.Errorf("reconcile runs of %s before %s: %w", run.Dataset, run.ID(), err)
	}
	back := LookBack(c.Ingester.contract.Schedule)
	runs, err := ledger.Read(ctx, c.Raw, c.rows.begin(c.Audit), run.Dataset, run.At.Add(-back), run.At.Add(-time.Second))
	if err != nil {
		return fail(err)
	}
	c.rows.end()
	interval := back
	if n := len(runs); n > 0 {
		interval = run.At.Sub(runs[n-1].At)
	}
	now := c.Now()
	var begun []zone.Run
	for _, r := range runs {
		age := now.Sub(r.Touched)
		if r.State() == ledger.Done || age < Settled {
			continue
		}
		done.Lost = append(done.Lost, r)
		switch {
		case !due(age, interval):
		case r.State() == ledger.Begun:
			begun = append(begun, r.Run)
		default:
			if err := c.start(ctx, r.Run); err != nil {
				return fail(err)
			}
			done.Started = append(done.Started, r.Run)
		}
	}
	if answers {
		done.Resumed, done.Left = c.resume(ctx, begun)
	}
	return done, nil
}

// due reports whether an age, in units of Settled, has reached a power of two within the last interval.
func due(age, interval time.Duration) bool {
	doublings := func(age time.Duration) int { return bits.Len64(uint64(max(age, 0) / Settled)) }
	return doublings(age) > doublings(age-interval)
}

func (c *Reconciler) start(ctx context.Context, run zone.Run) error {
	payload, err := json.Marshal(zone.NewReplay(run, false))
	if err != nil {
		return fmt.Errorf("encode replay of run %s: %w", run.ID(), err)
	}
	if err := c.Process.Start(ctx, payload); err != nil {
		return fmt.Errorf("start run %s: %w", run.ID(), err)
	}
	return nil
}

// resume finishes runs while there is time, the oldest first. The first that fails by the source ends it.
func (c *Reconciler) resume(ctx context.Context, begun []zone.Run) (resumed []zone.Run, left error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-resumeMargin))
		defer cancel()
	}
	for _, run := range begun {
		if deadline, ok := ctx.Deadline(); ok && deadline.Sub(c.Now()) < resumeReserve {
			return resumed, errors.Join(left, fmt.Errorf("no time is left for run %s", run.ID()))
		}
		_, err := c.Ingester.Run(ctx, run)
		if err == nil {
			resumed = append(resumed, run)
			continue
		}
		left = errors.Join(left, err)
		if unwell := new(source.Error); errors.As(err, &unwell) {
			break
		}
	}
	return resumed, left
}
