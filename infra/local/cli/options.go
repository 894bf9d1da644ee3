package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"tributary/infra/call"
	"tributary/infra/local/fault"
	"tributary/infra/local/screen"
)

// options are the flags of the commands.
type options struct {
	stack   string
	dataset string // "": every dataset, or that of the event
	dir     string // for what buckets and tables hold; empty: files.Dir
	colours screen.Colours

	from  string    // run: file or URL in place of the built-in API
	at    time.Time // run: scheduled time
	named bool      // run: at was given; one that is only the time of the call gives way to a run that has it already
	fresh bool      // run: begin with empty stores

	faults []fault.Kind // run: what is to go wrong
	seed   uint64       // run: which requests it befalls

	secret string // value of the source's secret, for a live URL that wants one; from the environment

	attached bool // dev: end with the process that started this one

	function string // invoke: kind or full name
	event    string // invoke: file, or - for standard input
}

// errUsage is wrapped by errors that come from how the command was called.
var errUsage = errors.New("wrong call")

// isURL reports whether -from names a live source and not a file.
func isURL(from string) bool {
	u, err := url.Parse(from)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

const runUsage = `usage: go tool mage run [DATASET] [flags]

Sends what the third-party API of a dataset, or of every dataset of shared/datasets, answers the whole way on this machine: schedule, ingest function, raw pages, S3 event,
process function, Parquet lake, rejects, table, alert and audit row. What it leaves lies in .local.
A live URL that wants credentials gets those in the environment variable TRIBUTARY_SECRET.
With -faults, requests and events of the functions go wrong; afterwards the same raw run is processed once more on a
second embedded AWS without faults, and what the stores hold must be the same.

`

const invokeUsage = `usage: go tool mage invoke FUNCTION EVENT.json [DATASET] [flags]

Calls one function with one event, on this machine, and prints its answer and its log. FUNCTION is ingest or process, or
the full name of a deployed function; EVENT.json is a file, or - for standard input. DATASET is that of the run which the
event names, unless it is given. The function finds what the runs
before it left in .local; what it leaves is kept there too.

`

func parseRun(args []string, now time.Time, help io.Writer) (options, error) {
	var o options
	var at, colours, faults string
	flags := newFlags("run", runUsage, help, &o, &colours)
	flags.StringVar(&o.from, "from", "", "recorded `file` (JSON or NDJSON), live URL, or built-in for made-up records; a dataset made by dataset:new has its sample")
	flags.StringVar(&at, "at", "", "scheduled `time`, which names the run, such as 2025-03-04T14:45:00Z (default: now)")
	flags.StringVar(&faults, "faults", "", "what is to go wrong in the embedded AWS: all, or a `list` of throttle, 5xx, lost, slow, duplicate, reorder, kill")
	flags.Uint64Var(&o.seed, "seed", 0, "`number` that decides which requests -faults befall (default: another one each time)")
	flags.BoolVar(&o.fresh, "fresh", false, "forget what earlier runs left in .local")
	if err := parse(flags, args, &o, &colours, &o.dataset); err != nil {
		return o, err
	}
	if faults != "" {
		var err error
		if o.faults, err = fault.Parse(faults); err != nil {
			return o, fmt.Errorf("%w: -faults: %w", errUsage, err)
		}
	}
	if len(o.faults) > 0 && o.seed == 0 {
		o.seed = uint64(now.UnixMilli() % 1_000_000)
	}
	o.at, o.named = now.UTC().Truncate(time.Second), at != ""
	if at != "" {
		t, err := time.Parse(time.RFC3339, at)
		if err != nil {
			return o, fmt.Errorf("%w: -at=%s is no time such as 2025-03-04T14:45:00Z", errUsage, at)
		}
		o.at = t.UTC().Truncate(time.Second)
	}
	return o, nil
}

const devUsage = `usage: go tool mage dev [DATASET] [flags]

Keeps the environment of a stack up on this machine, with all its datasets or the one, with what earlier runs left in .local: functions, schedules, buckets,
tables, topics and queues behind one endpoint. It prints the variables with which the AWS command line and every SDK reach
it, and takes commands: help lists them. What changes in the stores is saved whenever all is quiet. Ctrl-C ends it; without a
terminal it runs until SIGINT or SIGTERM.

`

func parseDev(args []string, help io.Writer) (options, error) {
	var o options
	var colours string
	flags := newFlags("dev", devUsage, help, &o, &colours)
	flags.StringVar(&o.from, "from", "", "recorded `file` (JSON or NDJSON), live URL, or built-in for made-up records")
	flags.BoolVar(&o.fresh, "fresh", false, "forget what earlier runs left in .local")
	flags.BoolVar(&o.attached, "attached", false, "end when the process that started this one ends, as mage wants it")
	return o, parse(flags, args, &o, &colours, &o.dataset)
}

func parseInvoke(args []string, help io.Writer) (options, error) {
	var o options
	var colours string
	flags := newFlags("invoke", invokeUsage, help, &o, &colours)
	if err := parse(flags, args, &o, &colours, &o.function, &o.event, &o.dataset); err != nil {
		return o, err
	}
	if o.event == "" {
		return o, fmt.Errorf("%w: invoke takes a function and an event, such as: invoke process functions/process/event.json", errUsage)
	}
	return o, nil
}

func newFlags(name, usage string, help io.Writer, o *options, colours *string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {
		fmt.Fprint(help, usage)
		flags.SetOutput(help)
		flags.PrintDefaults()
		flags.SetOutput(io.Discard)
	}
	flags.StringVar(&o.stack, "stack", "dev", "`name` of the stack whose settings are deployed")
	flags.StringVar(&o.dir, "dir", "", "`folder` for what buckets and tables hold (default: .local)")
	flags.StringVar(colours, "color", string(screen.Auto), "auto, always or never")
	return flags
}

// parse reads flags, and into the words what stands between them.
func parse(flags *flag.FlagSet, args []string, o *options, colours *string, into ...*string) error {
	words, err := call.Parse(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		return fmt.Errorf("%w: %s; %s -help shows the flags", errUsage, strings.TrimPrefix(err.Error(), "flag "), flags.Name())
	case len(words) > len(into):
		return fmt.Errorf("%w: %q is too much; %s -help shows the call", errUsage, strings.Join(words[len(into):], " "), flags.Name())
	}
	for i, word := range into[:len(words)] {
		*word = words[i]
	}
	if o.colours, err = screen.ParseColours(*colours); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return nil
}
