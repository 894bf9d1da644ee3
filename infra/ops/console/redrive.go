package console

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tributary/infra/local/screen"
	"tributary/shared/ops"
	"tributary/shared/zone"
)

func (c Console) redrive(ctx context.Context, o Options, p pipeline) error {
	var errs []error
	sent, left := 0, 0
	for _, q := range p.queues {
		first := true
		done, err := ops.Redrive(ctx, q.queue, q.function, func(s ops.RedriveStep) {
			if first {
				c.say("  %s, for %s", q.many, q.of)
				first = false
			}
			c.redriven(s)
		})
		sent, left = sent+done.Sent, left+done.Left
		errs = append(errs, err)
	}
	err := errors.Join(errs...)
	switch {
	case sent+left > 0:
		c.say("\n  %s sent again and done, %d left in the queues", screen.Plural(int64(sent), "event was", "events were"), left)
	case err == nil:
		c.field("waiting", "nothing in the failure queues: there is nothing to send again")
		return nil
	}
	if left > 0 {
		c.next(
			o.hint("sends what is left again, when its cause is gone", "redrive %s", p.contract.Dataset),
			o.hint("shows where the runs stand", "status %s", p.contract.Dataset))
	}
	if err == nil && left > 0 {
		return ErrShown
	}
	return err
}

// redriven prints an event that was dealt with: which it is, why it had failed, what became of it.
func (c Console) redriven(s ops.RedriveStep) {
	mark, became := c.Style.Good("✓"), "sent again, and done"
	fault := new(zone.FunctionError)
	switch {
	case errors.As(s.Err, &fault) && fault.Message == s.Reason:
		mark, became = c.Style.Bad("✗"), "LEFT: it fails as before"
	case s.Err != nil:
		mark, became = c.Style.Bad("✗"), "LEFT: "+s.Err.Error()
	}
	c.say("  %s %s", mark, eventText(s))
	c.indented("waited", "since "+minute(s.Message.Sent)+" UTC")
	if s.Reason != "" {
		c.indented("had failed", s.Reason)
	}
	c.indented("now", became)
}

func (c Console) indented(label, text string) {
	for i, line := range screen.Wrap(text, c.Style.Width-18) {
		if i > 0 {
			label = ""
		}
		c.say("      %-10s  %s", label, line)
	}
}

// eventText says which event a message holds.
func eventText(s ops.RedriveStep) string {
	about := ops.AboutOf([]byte(s.Event))
	switch {
	case s.Event == "":
		return "no event: " + cut(s.Message.Body)
	case len(about.Runs) == 0:
		return "event " + cut(s.Event)
	}
	ids := make([]string, len(about.Runs))
	for i, run := range about.Runs {
		ids[i] = reads(run)
	}
	text := about.What + " of run " + strings.Join(ids, ", ")
	if part := about.Backfill; part != nil {
		text += fmt.Sprintf(", from %s to %s", part.From, part.To)
	}
	return text
}
