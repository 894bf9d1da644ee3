package ops

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tributary/shared/contract"
	"tributary/shared/ledger"
	"tributary/shared/zone"
)

// Counter counts the messages of a queue.
type Counter interface {
	Length(ctx context.Context) (int, error)
}

// Watcher tells how a dataset is.
type Watcher struct {
	Contract *contract.Contract
	Raw      Reader
	Audit    Reader
	Queues   map[string]Counter // by what waits in them
	Now      func() time.Time
}

// Status is how a dataset is.
type Status struct {
	Dataset string
	Runs    []ledger.Run // of the time asked for, the oldest first
	Fresh   Freshness
	Held    int            // runs that are not in the lake: held back, unreadable or too large
	Lost    int            // runs that are not done, for longer than a run takes
	Rules   []RuleTotal    // rejected records of all runs by rule, the most first
	Waiting map[string]int // messages in the failure queues
}

// RuleTotal counts the records that broke a rule.
type RuleTotal struct {
	zone.RuleCount
	Runs int // in which any did
}

// Freshness is how old the newest loaded run is.
type Freshness struct {
	Newest *zone.Run // nil: none of the time asked for is loaded
	Age    time.Duration
	Limit  time.Duration // that the contract promises; 0: it promises none
}

// Stale reports whether the contract's promise is broken.
func (f Freshness) Stale() bool { return f.Limit > 0 && (f.Newest == nil || f.Age > f.Limit) }

// Read looks at the runs that were scheduled in a time. settled is how long nothing of a run must have happened before
// it counts as lost.
func (w *Watcher) Read(ctx context.Context, from, to time.Time, settled time.Duration) (Status, error) {
	s := Status{Dataset: w.Contract.Dataset, Fresh: Freshness{Limit: w.Contract.Latency}, Waiting: map[string]int{}}
	var err error
	if s.Runs, err = ledger.Read(ctx, w.Raw, w.Audit, s.Dataset, from, to); err != nil {
		return s, fmt.Errorf("read status of %s: %w", s.Dataset, err)
	}
	var errs []error
	for name, queue := range w.Queues {
		n, err := queue.Length(ctx)
		errs = append(errs, err)
		s.Waiting[name] = n
	}
	if err := errors.Join(errs...); err != nil {
		return s, fmt.Errorf("read status of %s: %w", s.Dataset, err)
	}
	now := w.Now()
	totals := map[zone.RuleCount]*RuleTotal{}
	for i := range s.Runs {
		r := &s.Runs[i]
		if r.State() != ledger.Done && now.Sub(r.Touched) >= settled {
			s.Lost++
		}
		if Held(r) {
			s.Held++
		}
		if r.Audit == nil {
			continue
		}
		if r.Audit.Outcome == zone.OutcomeLoaded {
			s.Fresh.Newest, s.Fresh.Age = &r.Run, now.Sub(r.At)
		}
		for _, rule := range r.Audit.RejectsByRule {
			place := zone.RuleCount{Rule: rule.Rule, Pointer: rule.Pointer}
			if totals[place] == nil {
				totals[place] = &RuleTotal{RuleCount: place}
			}
			totals[place].Records += rule.Records
			totals[place].Runs++
		}
	}
	s.Rules = sortedTotals(totals)
	return s, nil
}

func sortedTotals(totals map[zone.RuleCount]*RuleTotal) []RuleTotal {
	sorted := make([]RuleTotal, 0, len(totals))
	for _, total := range totals {
		sorted = append(sorted, *total)
	}
	slices.SortFunc(sorted, func(a, b RuleTotal) int {
		return cmp.Or(cmp.Compare(b.Records, a.Records), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Pointer, b.Pointer))
	})
	return sorted
}
