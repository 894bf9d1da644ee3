package console

import (
	"context"
	"fmt"

	"tributary/infra/local/screen"
	"tributary/shared/ops"
	"tributary/shared/process"
	"tributary/shared/zone"
)

func (c Console) replay(ctx context.Context, o Options, p pipeline) error {
	v := c.newReplayView(o, p)
	done, err := v.replayer(p).Replay(ctx, p.contract.Dataset, o.From, o.To, o.Force)
	if done.Unstored > 0 {
		c.field("left", "%s no manifest yet: left to ingest", screen.Plural(int64(done.Unstored), "run has", "runs have"))
	}
	if done.Total == 0 && err == nil {
		c.field("runs", "none that was scheduled %s has a manifest: there is nothing to process", o.scheduled())
		c.next(o.hint("shows the runs of the last days", "status %s", p.contract.Dataset))
		return nil
	}
	return v.conclude(done, err)
}

func (c Console) release(ctx context.Context, o Options, p pipeline) error {
	v := c.newReplayView(o, p)
	done, err := v.replayer(p).Release(ctx, p.contract.Dataset, o.From, o.To)
	if done.Total == 0 && err == nil {
		c.field("runs", "none that was scheduled %s is held: there is nothing to release", o.scheduled())
		return nil
	}
	return v.conclude(done, err)
}

// replayView prints runs as they come through.
type replayView struct {
	Console
	o       Options
	dataset string
	table   table
	held    string // id of a run that is not in the lake; "": none
}

func (c Console) newReplayView(o Options, p pipeline) *replayView {
	return &replayView{Console: c, o: o, dataset: p.contract.Dataset, table: table{
		screen: c.Style.Width, heads: []string{">", "run", "outcome", ">records", ">clean", ">rejected", ">before", "note"},
	}}
}

func (v *replayView) replayer(p pipeline) *ops.Replayer {
	return &ops.Replayer{Raw: p.raw, Audit: p.lake, Process: p.process, Parallel: v.o.Parallel, Report: v.step}
}

// step prints a run that is through.
func (v *replayView) step(s ops.ReplayStep) {
	if s.Number == 1 {
		v.field("runs", "%s that %s scheduled %s", screen.Count(int64(s.Total)), wasWere(s.Total), v.o.scheduled())
		if s.Total > 1 {
			v.field("", "Ctrl-C stops, and the same call goes on")
		}
		v.say("")
		v.table.widths = []int{2*len(fmt.Sprint(s.Total)) + 1, 16, 10, 9, 9, 9, 9, 30}
		v.table.head(v.Out)
	}
	if s.Err == nil && (s.Result.Outcome != zone.OutcomeLoaded || s.Result.Kept) {
		v.held = s.Run.ID()
	}
	v.table.row(v.Out, append([]string{fmt.Sprintf("%d/%d", s.Number, s.Total)}, replayCells(s)...))
}

// replayCells say what became of a run.
func replayCells(s ops.ReplayStep) []string {
	before := ""
	if s.Before.Audit != nil {
		before = screen.Count(s.Before.Audit.Rejected)
	}
	r := s.Result
	if s.Err != nil {
		return []string{s.Run.ID(), "FAILED", "", "", "", before, s.Err.Error()}
	}
	note := r.Reason
	add := func(text string) {
		if note != "" {
			note += "; "
		}
		note += text
	}
	switch {
	case r.Kept:
		add("what was loaded before stays")
	case r.Status == process.StatusSkipped && r.Outcome == zone.OutcomeLoaded:
		add("skipped: this contract and engine have done it")
	case r.Status == process.StatusSkipped:
		add("as before: this contract and engine have judged it already")
	case r.Status == process.StatusSuperseded:
		add("left: a newer contract has processed it")
	case r.Status == process.StatusJoined:
		add("another invocation is finishing it")
	}
	return []string{s.Run.ID(), r.Outcome, screen.Count(r.Records), screen.Count(r.Clean), screen.Count(r.Rejected), before, note}
}

// conclude counts, and says what leads on.
func (v *replayView) conclude(done ops.Replayed, err error) error {
	if done.Total > 0 {
		v.say("\n  %s: %d processed, %d skipped, %d failed; %d not in the lake", screen.Plural(int64(done.Total), "run", "runs"), done.Processed, done.Skipped, done.Failed, done.Held)
	}
	var next []screen.Hint
	if v.held != "" {
		next = append(next,
			v.o.hint("shows what is wrong with the records of one that is held", "rejects %s %s", v.dataset, v.held),
			v.o.hint("processes what is held again, when the contract is mended under a higher version, and deployed", "release %s", v.dataset))
	}
	if done.Skipped > 0 && v.o.Command == "replay" && !v.o.Force {
		next = append(next, v.o.hint("processes those again as well that were skipped", "replay %s%s -force", v.dataset, v.o.times()))
	}
	if done.Failed > 0 || err != nil {
		next = append(next, v.o.hint("goes on with what is not done", "%s %s%s", v.o.Command, v.dataset, v.o.times()))
	}
	v.next(append(next, v.o.hint("shows where the runs stand now", "status %s%s", v.dataset, v.o.times()))...)
	if err == nil && done.Failed > 0 {
		return ErrShown
	}
	return err
}

// times are those that the command was given, as it was given them.
func (o Options) times() string {
	text := ""
	for _, word := range []string{o.from, o.to} {
		if word != "" {
			text += " " + word
		}
	}
	return text
}
