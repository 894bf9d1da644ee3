package console

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tributary/infra/call"
	"tributary/shared/zone"
)

// ErrUsage is wrapped by errors that come from how a command was called.
var ErrUsage = errors.New("wrong call")

// Options are a command with its arguments.
type Options struct {
	Command string

	Stack   string // whose pipelines are worked on
	Outputs string // file with the stack's outputs; "": pulumi is asked
	Dir     string // of a local environment's state

	Dataset  string // "": all, where the command takes none
	From, To time.Time
	At       time.Time // upload, backfill: names the run
	Part     zone.Range
	Run      string // rejects
	File     string // upload
	Force    bool
	Parallel int
	Limit    int
	Full     bool

	from, to, at string
}

// Changes reports whether the command may change anything.
func (o Options) Changes() bool { return o.Command != "status" && o.Command != "rejects" }

// call is how another command is called on the same target.
func (o Options) call(words string) string {
	text := "go tool mage ops:" + words
	for _, f := range []struct{ name, value string }{{"stack", o.Stack}, {"outputs", o.Outputs}, {"dir", o.Dir}} {
		if f.value != "" {
			text += " -" + f.name + "=" + f.value
		}
	}
	return text
}

// verb is a command: what it does, and how far back it looks when no time is given.
type verb struct {
	name  string
	does  string
	back  time.Duration // 0: to the beginning
	flags func(*flag.FlagSet, *Options)
}

const day = 24 * time.Hour

// aboutTimes is said of commands that take them.
const aboutTimes = "from and to are scheduled times, the first and the last one: run ids, days or times such as 2025-03-04T14:45:00Z; a day as the last means all of it, and none means now.\n\n"

func names(f *flag.FlagSet, o *Options) {
	f.StringVar(&o.at, "at", "", "`time` that names the run (default: now)")
}

var verbs = []verb{
	{"status", "tells where runs stand: done, held, lost; what was rejected and why; how fresh the data are; what waits in failure queues (the last three days, unless from)", 3 * day, func(f *flag.FlagSet, o *Options) {
		f.IntVar(&o.Limit, "limit", 20, "runs shown, the newest ones; all are counted")
	}},
	{"replay", "has the process function process runs again; without -force only those that the deployed contract and engine have not done, so a replay that was interrupted goes on when it is given again (all runs, unless from)", 0, func(f *flag.FlagSet, o *Options) {
		f.BoolVar(&o.Force, "force", false, "process runs again that are done by the deployed contract and engine")
		f.IntVar(&o.Parallel, "parallel", 4, "runs at the same time")
	}},
	{"release", "processes held, unreadable and too large runs again, after the contract was mended and deployed (the last 30 days, unless from)", 30 * day, func(f *flag.FlagSet, o *Options) {
		f.IntVar(&o.Parallel, "parallel", 4, "runs at the same time")
	}},
	{"redrive", "sends the events in the failure queues to their functions again, and deletes those that succeed", 0, nil},
	{"backfill", "brings a part of the source's past as one run; FROM and TO are values of the contract's incremental cursor", 0, names},
	{"rejects", "shows rejected records with every reason, classified values hidden (the newest run of the last 30 days that has any, unless RUN)", 30 * day, func(f *flag.FlagSet, o *Options) {
		f.IntVar(&o.Limit, "limit", 20, "records shown")
		f.BoolVar(&o.Full, "full", false, "show all members of a record, not only its key and the faulty ones")
	}},
	{"upload", "brings a file as a run: what the API would answer, or the records alone, one a line; gzip is unpacked", 0, names},
	{"smoke", "tries what was deployed: brings one run now, as the schedule would, waits until it is done, reads a row of it back from the lake, and the item of that row from the serving table; for whoever deploys, since operators read neither", 0, nil},
	{"secret", "sets the source's secret, from the terminal without echo or from standard input", 0, nil},
}

// Parse reads a command with its arguments. Flags may stand anywhere.
func Parse(args []string, now time.Time, help io.Writer) (Options, error) {
	var o Options
	if len(args) == 0 {
		return o, fmt.Errorf("%w: no command\n%s", ErrUsage, Usage())
	}
	i := slices.IndexFunc(verbs, func(v verb) bool { return v.name == args[0] })
	if i < 0 {
		return o, fmt.Errorf("%w: there is no command %q\n%s", ErrUsage, args[0], Usage())
	}
	v := verbs[i]
	o.Command = v.name
	f := flag.NewFlagSet(v.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {
		fmt.Fprintf(help, "usage: %s [flags]\n\n%s %s.\n\n", v.target().Call(), v.name, v.does)
		if strings.Contains(v.target().Takes(), "[from]") {
			fmt.Fprint(help, aboutTimes)
		}
		f.SetOutput(help)
		f.PrintDefaults()
		f.SetOutput(io.Discard)
	}
	f.StringVar(&o.Stack, "stack", "", "`name` of the deployed stack (default: the local environment)")
	f.StringVar(&o.Outputs, "outputs", "", "`file` with what pulumi stack output --json says (default: pulumi is asked)")
	f.StringVar(&o.Dir, "dir", "", "`folder` of the local environment's state (default: .local)")
	if v.flags != nil {
		v.flags(f, &o)
	}
	words, err := call.Parse(f, args[1:])
	if err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, err
		}
		return o, v.wrong("%s", strings.TrimPrefix(err.Error(), "flag "))
	}
	if err := o.take(v, words); err != nil {
		return o, err
	}
	if o.Run != "" {
		if _, err := zone.ParseRunID(o.Dataset, o.Run); err != nil {
			return o, v.wrong("%q is no run id such as 20250304T144500Z", o.Run)
		}
	}
	return o, o.readTimes(v, now)
}

func (v verb) target() call.Target {
	t, _ := call.Find(call.Prefix + v.name)
	return t
}

// wrong is the error of a wrong call, with the right one.
func (v verb) wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %s\nthe call is: %s [flags]; -help shows the flags", ErrUsage, fmt.Sprintf(format, args...), v.target().Call())
}

// take reads the words of a command, by the names of its arguments.
func (o *Options) take(v verb, words []string) error {
	takes := strings.Fields(v.target().Takes())
	if len(words) > 0 && len(takes) > 1 && takes[0] == "[DATASET]" {
		if _, err := readTime(words[0], false); err == nil {
			takes = takes[1:] // times of all datasets
		}
	}
	needed := 0
	for _, name := range takes {
		if !strings.HasPrefix(name, "[") {
			needed++
		}
	}
	if len(words) < needed || len(words) > len(takes) {
		return v.wrong("%s takes %s, not %q", v.name, v.target().Takes(), words)
	}
	into := map[string]*string{
		"DATASET": &o.Dataset, "RUN": &o.Run, "FILE": &o.File, "FROM": &o.Part.From, "TO": &o.Part.To, "from": &o.from, "to": &o.to,
	}
	for i, word := range words {
		*into[strings.Trim(takes[i], "[]")] = word
	}
	return nil
}

func (o *Options) readTimes(v verb, now time.Time) error {
	now = now.UTC().Truncate(time.Second)
	o.To, o.At = now, now
	if v.back > 0 {
		o.From = now.Add(-v.back)
	}
	for _, t := range []struct {
		name, text string
		end        bool
		into       *time.Time
	}{{"from", o.from, false, &o.From}, {"to", o.to, true, &o.To}, {"at", o.at, false, &o.At}} {
		if t.text == "" {
			continue
		}
		at, err := readTime(t.text, t.end)
		if err != nil {
			return v.wrong("%s %q is neither a run id nor a time such as 2025-03-04 or 2025-03-04T14:45:00Z", t.name, t.text)
		}
		*t.into = at
	}
	if o.To.Before(o.From) {
		return v.wrong("the end %s lies before the beginning %s", o.To.Format(time.RFC3339), o.From.Format(time.RFC3339))
	}
	return nil
}

// readTime reads a run id, a time or a date, of which it takes the beginning or the end.
func readTime(text string, end bool) (time.Time, error) {
	if run, err := zone.ParseRunID("", text); err == nil {
		return run.At, nil
	}
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		if end {
			at = at.Add(day - time.Second)
		}
		return at, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	return at.UTC().Truncate(time.Second), err
}

// Usage lists the commands.
func Usage() string {
	var b strings.Builder
	b.WriteString("usage: go tool mage ops:COMMAND … [flags]\n\n")
	for _, v := range verbs {
		what, _, _ := strings.Cut(v.does, " (")
		what, _, _ = strings.Cut(what, ";")
		fmt.Fprintf(&b, "  %-32s %s\n", v.name+" "+v.target().Takes(), what)
	}
	b.WriteString("\nWithout -stack the commands work on the local environment, with it on what is deployed.\n")
	return b.String()
}
