package console

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tributary/infra/local/screen"
	"tributary/shared/contract"
	"tributary/shared/ingest"
	"tributary/shared/ledger"
	"tributary/shared/mask"
	"tributary/shared/ops"
	"tributary/shared/process"
	"tributary/shared/zone"
)

// ErrShown stands for failures that were printed already.
var ErrShown = errors.New("not all went well")

// Console is where commands are given: what they print, and what they ask.
type Console struct {
	Out io.Writer
	Now func() time.Time
	// AskSecret reads a secret.
	AskSecret func(prompt string) (string, error)
}

// Run runs a command on a target.
func (c Console) Run(ctx context.Context, o Options, t Target) error {
	pipelines, err := t.pipelines(o.Dataset)
	if err != nil {
		return err
	}
	run := map[string]func(context.Context, Options, Target, pipeline) error{
		"status": c.status, "replay": c.replay, "release": c.release, "redrive": c.redrive,
		"backfill": c.backfill, "rejects": c.rejects, "upload": c.upload, "secret": c.secret,
	}[o.Command]
	var errs []error
	for i, p := range pipelines {
		if i > 0 {
			c.say("")
		}
		errs = append(errs, run(ctx, o, t, p))
	}
	return errors.Join(errs...)
}

func (c Console) say(format string, args ...any) { fmt.Fprintf(c.Out, format+"\n", args...) }

func (c Console) status(ctx context.Context, o Options, t Target, p pipeline) error {
	w := ops.Watcher{Contract: p.contract, Raw: p.raw, Audit: p.lake, Queues: p.counters(), Now: c.Now}
	s, err := w.Read(ctx, o.From, o.To, ingest.Settled)
	if err != nil {
		return err
	}
	c.say("%s of %s, runs from %s to %s", s.Dataset, t.Name, minute(o.From), minute(o.To))
	c.say("  fresh    %s", freshness(s.Fresh))
	c.say("  held     %s", orNone(s.Held, "run is", "runs are", "not in the lake; mend the contract, deploy, and: go tool mage ops:release "+s.Dataset))
	c.say("  lost     %s", orNone(s.Lost, "run is", "runs are", "not done; the next ingest starts them again, or: go tool mage ops:replay "+s.Dataset))
	waiting := 0
	var queues []string
	for _, q := range p.queues {
		waiting += s.Waiting[q.name]
		queues = append(queues, fmt.Sprintf("%d %s", s.Waiting[q.name], q.name))
	}
	hint := ""
	if waiting > 0 {
		hint = "; when the cause is gone: go tool mage ops:redrive " + s.Dataset
	}
	c.say("  waiting  %s%s", strings.Join(queues, ", "), hint)
	if len(s.Runs) == 0 {
		c.say("\n  No run was scheduled in this time.")
		return nil
	}
	c.say("")
	runs := table{heads: []string{"run", "state", ">pages", ">records", ">clean", ">rejected", ">warned", ">items", "contract", "note"}}
	for i := len(s.Runs) - 1; i >= 0; i-- {
		runs.add(runCells(&s.Runs[i])...)
	}
	runs.write(c.Out, "  ")
	if len(s.Rules) > 0 {
		c.say("")
		rules := table{heads: []string{"rejected by", "at", ">records", ">runs"}}
		for _, r := range s.Rules {
			rules.add(r.Rule, r.Pointer, screen.Count(r.Records), screen.Count(int64(r.Runs)))
		}
		rules.write(c.Out, "  ")
		c.say("\n  The records with their reasons: go tool mage ops:rejects %s", s.Dataset)
	}
	return nil
}

func minute(t time.Time) string {
	if t.IsZero() {
		return "the beginning"
	}
	return t.UTC().Format("2006-01-02 15:04")
}

func freshness(f ops.Freshness) string {
	text := "no run of this time is loaded"
	if f.Newest != nil {
		text = fmt.Sprintf("run %s is loaded, %s old", f.Newest.ID(), f.Age.Round(time.Second))
	}
	switch {
	case f.Limit == 0:
		return text
	case f.Stale():
		return fmt.Sprintf("STALE: %s; the contract promises %s", text, f.Limit)
	}
	return fmt.Sprintf("%s; the contract promises %s", text, f.Limit)
}

func orNone(n int, one, many, rest string) string {
	if n == 0 {
		return "none"
	}
	return screen.Plural(int64(n), one, many) + " " + rest
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

func (c Console) replay(ctx context.Context, o Options, _ Target, p pipeline) error {
	done, err := c.replayer(o, p).Replay(ctx, p.contract.Dataset, o.From, o.To, o.Force)
	if done.Unstored > 0 {
		c.say("%s no manifest yet and left to ingest.", screen.Plural(int64(done.Unstored), "run has", "runs have"))
	}
	return c.replayed(done, err, p, "No run of this time has a manifest.")
}

func (c Console) release(ctx context.Context, o Options, _ Target, p pipeline) error {
	done, err := c.replayer(o, p).Release(ctx, p.contract.Dataset, o.From, o.To)
	return c.replayed(done, err, p, "No run of this time is held.")
}

func (c Console) replayer(o Options, p pipeline) *ops.Replayer {
	return &ops.Replayer{Raw: p.raw, Audit: p.lake, Process: p.process, Parallel: o.Parallel, Report: func(s ops.ReplayStep) {
		c.say("%*d/%d  %s  %s", len(fmt.Sprint(s.Total)), s.Number, s.Total, s.Run.ID(), replayText(s))
	}}
}

// replayText says what became of a run.
func replayText(s ops.ReplayStep) string {
	if s.Err != nil {
		return "FAILED: " + s.Err.Error()
	}
	r := s.Result
	text := r.Outcome
	if r.Outcome == zone.OutcomeLoaded {
		text = fmt.Sprintf("loaded, %s clean and %s rejected of %s", screen.Count(r.Clean), screen.Count(r.Rejected), screen.Plural(r.Records, "record", "records"))
		if before := s.Before.Audit; before != nil && before.Rejected != r.Rejected && before.Outcome == zone.OutcomeLoaded {
			text += fmt.Sprintf(" (before: %s rejected)", screen.Count(before.Rejected))
		}
	} else if r.Reason != "" {
		text += ": " + r.Reason
	}
	switch {
	case r.Kept:
		text += "; what was loaded before stays"
	case r.Status == process.StatusSkipped && r.Outcome == zone.OutcomeLoaded:
		text += "; skipped: this contract and engine have done it"
	case r.Status == process.StatusSkipped:
		text += "; as before: this contract and engine have judged it already"
	case r.Status == process.StatusSuperseded:
		text += "; left: a newer contract has processed it"
	case r.Status == process.StatusJoined:
		text += "; another invocation is finishing it"
	}
	return text
}

func (c Console) replayed(done ops.Replayed, err error, p pipeline, none string) error {
	if done.Total == 0 && err == nil {
		c.say("%s", none)
		return nil
	}
	if done.Total > 0 {
		c.say("%s: %d processed, %d skipped, %d failed; %d not in the lake.", screen.Plural(int64(done.Total), "run", "runs"), done.Processed, done.Skipped, done.Failed, done.Held)
	}
	if err != nil {
		return err
	}
	if done.Held > 0 {
		c.say("What is held shows with: go tool mage ops:rejects %s -run=ID. Mend the contract under a higher version, deploy, and release.", p.contract.Dataset)
	}
	if done.Failed > 0 {
		return ErrShown
	}
	return nil
}

func (c Console) redrive(ctx context.Context, _ Options, _ Target, p pipeline) error {
	var errs []error
	total := 0
	for _, q := range p.queues {
		done, err := ops.Redrive(ctx, q.queue, q.function, func(s ops.RedriveStep) {
			state := "sent again, and done"
			if s.Err != nil {
				state = "LEFT: " + s.Err.Error()
			}
			c.say("%s  %s, since %s (%s)\n  %s\n  %s", p.contract.Dataset, q.name, minute(s.Message.Sent), s.Reason, s.Event, state)
		})
		if n := done.Sent + done.Left; n > 0 {
			c.say("%s  %s: %d sent again, %d left", p.contract.Dataset, q.name, done.Sent, done.Left)
			total += n
		}
		if err == nil && done.Left > 0 {
			err = ErrShown
		}
		errs = append(errs, err)
	}
	err := errors.Join(errs...)
	if total == 0 && err == nil {
		c.say("Nothing waits in the failure queues of %s.", p.contract.Dataset)
	}
	return err
}

func (c Console) backfill(ctx context.Context, o Options, _ Target, p pipeline) error {
	run := zone.NewRun(p.contract.Dataset, o.At)
	response, err := ops.Backfill(ctx, p.ingest, p.contract, o.At, o.Part)
	if fault := new(zone.FunctionError); errors.As(err, &fault) {
		c.say("The pages that came are kept. Go on with: go tool mage ops:backfill %s %s %s -at=%s", p.contract.Dataset, o.Part.From, o.Part.To, o.At.Format(time.RFC3339))
	}
	if err != nil {
		return err
	}
	c.say("run %s brought %s on %s; the process function has its event.", run.ID(), screen.Plural(response.Records, "record", "records"), screen.Plural(int64(response.Pages), "page", "pages"))
	return nil
}

func (c Console) rejects(ctx context.Context, o Options, _ Target, p pipeline) error {
	r := ops.RejectsReader{Raw: p.raw, Audit: p.lake, Rejects: p.rejects}
	var run zone.Run
	total := int64(-1)
	if o.Run != "" {
		var err error
		if run, err = zone.ParseRunID(p.contract.Dataset, o.Run); err != nil {
			return fmt.Errorf("%w: %w", ErrUsage, err)
		}
	} else {
		newest, ok, err := r.Newest(ctx, p.contract.Dataset, o.From, o.To)
		if err != nil {
			return err
		}
		if !ok {
			c.say("No run of %s since %s has rejects.", p.contract.Dataset, minute(o.From))
			return nil
		}
		run, total = newest.Run, newest.Audit.Rejected
	}
	shown := 0
	show := rejectView{Console: c, mask: mask.Of(p.contract), keys: keyMembers(p.contract), full: o.Full}
	err := r.Each(ctx, run, func(row zone.RejectRow) bool {
		if shown == o.Limit {
			return false
		}
		shown++
		show.row(row)
		return true
	})
	switch {
	case err != nil:
		return err
	case shown == 0:
		c.say("Run %s of %s has no rejects.", run.ID(), p.contract.Dataset)
	case total > int64(shown):
		c.say("%d of the %s of run %s; more with -limit=%d", shown, screen.Plural(total, "reject", "rejects"), run.ID(), total)
	default:
		c.say("%s of run %s", screen.Plural(int64(shown), "reject", "rejects"), run.ID())
	}
	return nil
}

// maxValue is how much of a member's value is shown.
const maxValue = 80

// rejectView prints rejected records.
type rejectView struct {
	Console
	mask mask.Mask
	keys map[string]bool // members that say which record it is
	full bool            // all members, not only keys and faulty ones
}

// keyMembers are the top-level members that the record's key is read from.
func keyMembers(c *contract.Contract) map[string]bool {
	keys := map[string]bool{}
	for i := range c.Columns {
		if c.Columns[i].Key > 0 && len(c.Columns[i].Path) > 0 {
			keys[c.Columns[i].Path[0]] = true
		}
	}
	return keys
}

// row prints where the record lies, every reason, and its members, the faulty ones marked.
func (v rejectView) row(row zone.RejectRow) {
	v.say("page %d, record %d", row.Page, row.Index)
	faulty := map[string]bool{}
	for _, reason := range row.Violations {
		reason = v.mask.Violation(reason)
		if tokens := mask.Tokens(reason.Pointer); len(tokens) > 0 {
			faulty[tokens[0]] = true
		}
		value := ""
		if reason.Value != "" && reason.Value != mask.Hidden {
			value = ": " + cut(reason.Value)
		}
		v.say("  ✗ %s  %s%s", reason.Rule, reason.Message, value)
	}
	members, ok := v.mask.Record(row.Record)
	switch {
	case row.Truncated:
		v.say("      %s; the first of them are in the rejects store", screen.Bytes(row.Bytes))
		return
	case (!ok || row.Encoding == "base64") && v.mask.Hides():
		v.say("      %s (no JSON object, and the contract has classified columns)", mask.Hidden)
		return
	case !ok || row.Encoding == "base64":
		v.say("      %s", cut(row.Record))
		return
	}
	for _, member := range members {
		if v.full || v.keys[member.Name] || faulty[member.Name] {
			v.say("      %s: %s", member.Name, cut(member.Value))
		}
	}
}

func cut(text string) string {
	if len(text) <= maxValue {
		return text
	}
	return strings.ToValidUTF8(text[:maxValue], "") + "…"
}

func (c Console) upload(ctx context.Context, o Options, _ Target, p pipeline) error {
	body, err := readFile(o.File)
	if err != nil {
		return fmt.Errorf("upload %s: %w", o.File, err)
	}
	u := ingest.Uploader{Contract: p.contract, Bucket: p.raw, Now: c.Now}
	run := zone.NewRun(p.contract.Dataset, o.At)
	result, err := u.Upload(ctx, run, filepath.Base(o.File), body)
	if err != nil {
		return err
	}
	c.say("run %s has %s of %s on %s; the process function has its event.", run.ID(), screen.Plural(result.Manifest.Records, "record", "records"),
		filepath.Base(o.File), screen.Plural(int64(len(result.Manifest.Pages)), "page", "pages"))
	return nil
}

func readFile(name string) ([]byte, error) {
	body, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return body, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	if body, err = io.ReadAll(z); err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return body, nil
}

func (c Console) secret(ctx context.Context, _ Options, t Target, p pipeline) error {
	if p.contract.Source.Auth == nil {
		return fmt.Errorf("fill secret of %s: its source asks for none", p.contract.Dataset)
	}
	value, err := c.AskSecret(fmt.Sprintf("secret %s of %s (%s): ", p.outputs.Secret, p.contract.Dataset, p.contract.Source.Auth.Kind))
	if err != nil {
		return fmt.Errorf("read secret of %s: %w", p.contract.Dataset, err)
	}
	if err := ops.FillSecret(ctx, p.secrets, p.contract, p.outputs.Secret, strings.TrimSpace(value)); err != nil {
		return err
	}
	c.say("secret %s of %s is set; the next run uses it.", p.outputs.Secret, t.Name)
	return nil
}
