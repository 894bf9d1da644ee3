package console

import (
	"fmt"
	"time"

	"tributary/infra/local/screen"
	"tributary/shared/zone"
)

// Every screen has the same parts: a heading that says which command works on which dataset of which target, fields and
// a table of what it found and did, and the commands that lead on.

func (c Console) say(format string, args ...any) { fmt.Fprintf(c.Out, format+"\n", args...) }

// head begins the screen of a command for a dataset.
func (c Console) head(o Options, t Target, dataset string) {
	c.say("%s\n", c.Style.Heading(dataset, "ops:"+o.Command+", "+t.Name))
}

func (c Console) field(label, format string, args ...any) {
	c.say("%s", c.Style.Field(label, fmt.Sprintf(format, args...), nil))
}

// flagged is a field that somebody should look at.
func (c Console) flagged(label, text string, paint func(string) string) {
	c.say("%s", c.Style.Field(label, text, paint))
}

// next says what leads on.
func (c Console) next(hints ...screen.Hint) {
	if text := c.Style.Hints("Next", hints); text != "" {
		fmt.Fprint(c.Out, "\n"+text)
	}
}

// hint is a command on the same target, and what it does.
func (o Options) hint(does, format string, args ...any) screen.Hint {
	return screen.Hint{Command: o.call(fmt.Sprintf(format, args...)), Does: does}
}

// scheduled says which runs are meant.
func (o Options) scheduled() string {
	if o.From.IsZero() {
		return "up to " + minute(o.To) + " UTC"
	}
	return "from " + minute(o.From) + " to " + minute(o.To) + " UTC"
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// span says how long a time is, in its two largest units.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	days, hours, minutes, seconds := int(d/day), int(d/time.Hour)%24, int(d/time.Minute)%60, int(d/time.Second)%60
	two := func(n int, unit string, m int, smaller string) string {
		if m == 0 {
			return fmt.Sprintf("%d %s", n, unit)
		}
		return fmt.Sprintf("%d %s %d %s", n, unit, m, smaller)
	}
	switch {
	case days > 0:
		return two(days, "d", hours, "h")
	case hours > 0:
		return two(hours, "h", minutes, "min")
	case minutes > 0:
		return two(minutes, "min", seconds, "s")
	}
	return fmt.Sprintf("%d s", seconds)
}

// reads tells the reader of a run id when it was.
func reads(run zone.Run) string { return run.ID() + " (" + minute(run.At) + " UTC)" }

const maxText = 80

// cut is the beginning of a text that may be long.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for end > 0 && text[end]&0xc0 == 0x80 {
		end--
	}
	return text[:end] + "…"
}
