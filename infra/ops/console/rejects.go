package console

import (
	"context"
	"fmt"
	"path/filepath"

	"tributary/infra/local/screen"
	"tributary/shared/contract"
	"tributary/shared/ledger"
	"tributary/shared/mask"
	"tributary/shared/ops"
	"tributary/shared/zone"
)

func (c Console) rejects(ctx context.Context, o Options, p pipeline) error {
	r := ops.RejectsReader{Raw: p.raw, Audit: p.lake, Rejects: p.rejects}
	found, err := c.rejectedRun(ctx, o, p, r)
	if err != nil || found == nil {
		return err
	}
	audit := found.Audit
	c.field("run", "%s, %s by contract %s", reads(found.Run), audit.Outcome, audit.ContractVersion)
	if audit.Reason != "" {
		c.flagged("", audit.Reason, c.Style.Odd)
	}
	c.field("rejected", "%s of %s", screen.Count(audit.Rejected), screen.Plural(audit.Records, "record", "records"))
	shown := int64(0)
	show := rejectView{Console: c, mask: mask.Of(p.contract), keys: keyMembers(p.contract), full: o.Full}
	if p.contract.Digest == audit.ContractDigest {
		show.declared = p.contract
	}
	err = r.Each(ctx, found.Run, func(row zone.RejectRow) bool {
		if shown == int64(o.Limit) {
			return false
		}
		shown++
		c.say("")
		show.row(row)
		return true
	})
	if err != nil {
		return err
	}
	if shown < audit.Rejected {
		c.say("\n  … and %s more", screen.Count(audit.Rejected-shown))
	}
	var next []screen.Hint
	if shown < audit.Rejected {
		next = append(next, o.hint("shows all of them", "rejects %s %s -limit=%d", p.contract.Dataset, found.ID(), audit.Rejected))
	}
	if !o.Full {
		next = append(next, o.hint("shows every member of the records", "rejects %s %s -full", p.contract.Dataset, found.ID()))
	}
	c.next(append(next, o.hint("processes the run again, when the contract is mended under a higher version, and deployed: what passes then is among the rejects no more",
		"replay %s %s %[2]s", p.contract.Dataset, found.ID()))...)
	return nil
}

// rejectedRun is the run whose rejects are asked for; nil, and the screen says why, where there is nothing to show.
func (c Console) rejectedRun(ctx context.Context, o Options, p pipeline, r ops.RejectsReader) (*ledger.Run, error) {
	dataset := p.contract.Dataset
	if o.Run == "" {
		newest, ok, err := r.Newest(ctx, dataset, o.From, o.To)
		if err != nil {
			return nil, err
		}
		if !ok {
			c.field("rejected", "nothing in any run that was scheduled %s", o.scheduled())
			c.next(o.hint("shows one run, of any time", "rejects %s RUN", dataset), o.hint("shows the runs of the last days", "status %s", dataset))
			return nil, nil
		}
		return &newest, nil
	}
	run, err := zone.ParseRunID(dataset, o.Run)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	found, ok, err := r.Find(ctx, run)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		day := run.At.Format("2006-01-02")
		return nil, fmt.Errorf("show rejects of %s: there is no run %s; those of that day: %s", dataset, run.ID(), o.call(fmt.Sprintf("status %s %s %[2]s", dataset, day)))
	case found.Audit == nil:
		c.field("run", "%s is not processed yet", reads(run))
		c.next(o.hint("shows where it stands", "status %s %s %[2]s", dataset, run.ID()), o.hint("processes it now, if its event was lost", "replay %s %s %[2]s", dataset, run.ID()))
		return nil, nil
	case found.Audit.Rejected == 0:
		c.field("run", "%s, %s by contract %s", reads(run), found.Audit.Outcome, found.Audit.ContractVersion)
		c.field("rejected", "nothing of %s", screen.Plural(found.Audit.Records, "record", "records"))
		return nil, nil
	}
	return &found, nil
}

// rejectView prints rejected records.
type rejectView struct {
	Console
	mask mask.Mask
	keys map[string]bool // members that say which record it is
	full bool            // all members, not only keys and faulty ones

	declared *contract.Contract // whose lines the reasons name; nil: the records were rejected by another
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
	v.say("  page %d, record %s", row.Page, v.mask.Place(row.Index, row.Key))
	faulty := map[string]bool{}
	reasons := table{screen: v.Style.Width - margin, heads: make([]string, 3)}
	for _, reason := range row.Violations {
		reason = v.mask.Violation(reason)
		tokens := mask.Tokens(reason.Pointer)
		if len(tokens) > 0 {
			faulty[tokens[0]] = true
		}
		text := reason.Message
		if reason.Value != "" && reason.Value != mask.Hidden {
			text += ": " + cut(reason.Value)
		}
		if v.declared != nil {
			if line := v.declared.Declared(reason.Rule, tokens); line.Number > 0 {
				text += fmt.Sprintf(" (%s:%d)", filepath.Base(v.declared.File), line.Number)
			}
		}
		reasons.add("✗", reason.Rule, text)
	}
	reasons.fit()
	for _, cells := range reasons.rows {
		reasons.row(v.Out, cells)
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
	shown := table{heads: make([]string, 3)}
	for _, member := range members {
		if v.full || v.keys[member.Name] || faulty[member.Name] {
			shown.add(" ", member.Name, cut(member.Value))
		}
	}
	shown.fit()
	for _, cells := range shown.rows {
		shown.row(v.Out, cells)
	}
}

// margin keeps wrapped reasons off the end of the screen.
const margin = 2
