package console

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"tributary/infra/local/screen"
	"tributary/shared/ingest"
	"tributary/shared/ledger"
	"tributary/shared/ops"
	"tributary/shared/zone"
)

func (c Console) status(ctx context.Context, o Options, p pipeline) error {
	w := ops.Watcher{Contract: p.contract, Raw: p.raw, Audit: p.lake, Queues: p.counters(), Now: c.Now}
	s, err := w.Read(ctx, o.From, o.To, ingest.Settled)
	if err != nil {
		return err
	}
	var next []screen.Hint
	c.field("runs", "%s that %s scheduled %s", screen.Count(int64(len(s.Runs))), wasWere(len(s.Runs)), o.scheduled())
	if o.to == "" { // of a time that is over, nothing is fresh
		c.fresh(s.Fresh)
	}
	if s.Held == 0 {
		c.field("held", "none")
	} else {
		c.flagged("held", screen.Plural(int64(s.Held), "run is", "runs are")+" not in the lake", c.Style.Odd)
		next = append(next, o.hint("processes them again, when the contract is mended under a higher version, and deployed", "release %s", s.Dataset))
	}
	if s.Lost == 0 {
		c.field("lost", "none")
	} else {
		c.flagged("lost", screen.Plural(int64(s.Lost), "run is", "runs are")+" not done; the next ingest starts them again", c.Style.Odd)
		next = append(next, o.hint("processes what is lost now", "replay %s", s.Dataset))
	}
	var waiting []string
	for _, q := range p.queues {
		if n := s.Waiting[q.many]; n > 0 {
			waiting = append(waiting, screen.Plural(int64(n), q.one, q.many))
		}
	}
	if len(waiting) == 0 {
		c.field("waiting", "nothing in the failure queues")
	} else {
		c.flagged("waiting", strings.Join(waiting, ", ")+", in the failure queues", c.Style.Odd)
		next = append(next, o.hint("sends what waits to its function again, when the cause is gone", "redrive %s", s.Dataset))
	}
	if len(s.Runs) > 0 {
		c.say("")
		runs := table{screen: c.Style.Width, heads: []string{"run", "state", ">pages", ">records", ">clean", ">rejected", ">warned", ">items", "contract", "note"}}
		older := max(0, len(s.Runs)-o.Limit)
		for i := len(s.Runs) - 1; i >= older; i-- {
			runs.add(runCells(&s.Runs[i])...)
		}
		runs.write(c.Out)
		if older > 0 {
			c.say("  … and %s before them", screen.Count(int64(older)))
			next = append(next, o.hint("shows all of them", "status %s%s -limit=%d", s.Dataset, o.times(), len(s.Runs)))
		}
	}
	if len(s.Rules) > 0 {
		c.say("")
		rules := table{screen: c.Style.Width, heads: []string{"rejected by", ">records", ">runs", "at"}}
		for _, r := range s.Rules {
			rules.add(r.Rule, screen.Count(r.Records), screen.Count(int64(r.Runs)), cmp.Or(r.Pointer, "(the record)"))
		}
		rules.write(c.Out)
		next = append(next, o.hint("shows the rejected records with their reasons", "rejects %s", s.Dataset))
	}
	c.next(next...)
	return nil
}

func wasWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

func (c Console) fresh(f ops.Freshness) {
	text := "no run of this time is loaded"
	if f.Newest != nil {
		text = fmt.Sprintf("run %s is loaded, %s old", f.Newest.ID(), span(f.Age))
	}
	if f.Limit > 0 {
		text += "; the contract promises " + span(f.Limit)
	}
	if f.Stale() {
		c.flagged("fresh", "STALE: "+text, c.Style.Bad)
		return
	}
	c.field("fresh", "%s", text)
}

// runCells are a run's cells in the table of status.
func runCells(r *ledger.Run) []string {
	if r.Audit == nil {
		note := "being fetched, or its ingest failed"
		if r.State() == ledger.Waiting {
			note = "its event is under way, or was lost"
		}
		return []string{r.ID(), r.State().String(), screen.Count(int64(r.Pages)), "", "", "", "", "", "", note}
	}
	a := r.Audit
	state := a.Outcome
	if a.State != zone.StateDone {
		state = a.State
	}
	note := a.Reason
	if a.Replay.Outcome != "" {
		note = fmt.Sprintf("a replay by %s was %s: %s", a.Replay.ContractVersion, a.Replay.Outcome, a.Replay.Reason)
	}
	return []string{
		r.ID(), state, screen.Count(a.Pages), screen.Count(a.Records), screen.Count(a.Clean), screen.Count(a.Rejected),
		screen.Count(a.Warnings), screen.Count(a.Items), a.ContractVersion, note,
	}
}
