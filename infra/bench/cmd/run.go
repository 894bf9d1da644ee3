package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"tributary/infra/bench"
	"tributary/infra/bench/engine"
)

const contractPath = "shared/datasets/coin_markets.odcs.yaml"

const usage = `usage: bench all [flags]                        measures everything; go tool mage bench calls it
       bench peer [flags] IN OUT                the engine over a file of records, as one line of figures
       bench stage -stage=NAME [flags] IN OUT   the same, as far as a stage
       bench profile [flags] IN OUT             the code that whole runs spend their time in
       bench coins [flags]                      made-up records to standard output
COMMAND -help shows its flags. IN is NDJSON or a JSON array, gzip where its name ends in .gz; of peer also - for
standard input. OUT is a Parquet file; rejects go to OUT.rejects.ndjson.
`

var errUsage = errors.New("wrong call")

// run does what the arguments say. Help goes to out, and so do figures; what is being done goes to progress.
func run(ctx context.Context, args []string, out, progress io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: no command\n%s", errUsage, usage)
	}
	commands := map[string]func(context.Context, *flag.FlagSet, []string, io.Writer, io.Writer) error{
		"all": all, "peer": peer, "stage": stage, "profile": profile, "coins": coins,
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		fmt.Fprint(out, usage)
		return nil
	}
	command, known := commands[args[0]]
	if !known {
		return fmt.Errorf("%w: there is no command %q\n%s", errUsage, args[0], usage)
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard) // what is wrong is in the error
	err := command(ctx, flags, args[1:], out, progress)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(out, "flags of bench %s:\n", args[0])
		flags.SetOutput(out)
		flags.PrintDefaults()
		return nil
	}
	return err
}

// parse reads flags and checks how many words follow them.
func parse(flags *flag.FlagSet, args []string, words int) error {
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		return fmt.Errorf("%w: %s; bench %s -help shows the flags", errUsage, strings.TrimPrefix(err.Error(), "flag "), flags.Name())
	case flags.NArg() != words:
		return fmt.Errorf("%w: bench %s wants %d words behind its flags, not %q", errUsage, flags.Name(), words, flags.Args())
	}
	return nil
}

func all(ctx context.Context, flags *flag.FlagSet, args []string, out, progress io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the bench command: %w", err)
	}
	var parts strings.Builder
	for _, p := range bench.Parts() {
		fmt.Fprintf(&parts, "\n  %-8s %s", p.Name, p.What)
	}
	o := bench.Options{Root: ".", Self: self, Out: out, Progress: progress}
	flags.StringVar(&o.Contract, "contract", contractPath, "contract of coin_markets")
	flags.StringVar(&o.Dir, "dir", ".build/bench", "folder for data and results")
	flags.IntVar(&o.Records, "records", 500_000, "records of comparisons, stages and profile")
	flags.IntVar(&o.Rounds, "rounds", 5, "rounds of comparisons and stages; each figure is their median")
	flags.IntVar(&o.Largest, "largest", 1_000_000, "records of the largest run by size; 10000000 takes minutes and no disk")
	flags.BoolVar(&o.DuckDB, "duckdb", true, "compare with DuckDB, where there is a C compiler")
	only := flags.String("only", "", "some of the parts, with commas between them, in place of all:"+parts.String())
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	if *only != "" {
		o.Only = strings.Split(*only, ",")
	}
	return bench.Run(ctx, o)
}

// engineFlags are those of the commands that run the engine.
func engineFlags(flags *flag.FlagSet, o *engine.Options) {
	flags.StringVar(&o.Contract, "contract", contractPath, "contract of the records")
	flags.Int64Var(&o.Records, "records", -1, "how many records there are; -1: they are counted first, which is not timed")
}

func peer(ctx context.Context, flags *flag.FlagSet, args []string, out, _ io.Writer) error {
	var o engine.Options
	engineFlags(flags, &o)
	if err := parse(flags, args, 2); err != nil {
		return err
	}
	o.In, o.Out = flags.Arg(0), flags.Arg(1)
	figures, err := engine.Peer(ctx, o)
	return show(out, figures, err)
}

func stage(ctx context.Context, flags *flag.FlagSet, args []string, out, _ io.Writer) error {
	var o engine.Options
	engineFlags(flags, &o)
	name := flags.String("stage", "", "how far to go")
	if err := parse(flags, args, 2); err != nil {
		return err
	}
	o.In, o.Out = flags.Arg(0), flags.Arg(1)
	figures, err := engine.Stage(ctx, *name, o)
	return show(out, figures, err)
}

func profile(ctx context.Context, flags *flag.FlagSet, args []string, out, _ io.Writer) error {
	var o engine.Options
	engineFlags(flags, &o)
	least := flags.Float64("seconds", 10, "processor time after which no further run begins")
	if err := parse(flags, args, 2); err != nil {
		return err
	}
	o.In, o.Out = flags.Arg(0), flags.Arg(1)
	found, err := engine.Profile(ctx, o, *least)
	return show(out, found, err)
}

func coins(_ context.Context, flags *flag.FlagSet, args []string, out, _ io.Writer) error {
	records := flags.Int("records", 1000, "how many")
	dirty := flags.Int("dirty", 0, "about so many of a thousand have a fault")
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	return bench.Coins(0, *records, *dirty).Write(out)
}

// show prints what was found as one JSON value.
func show(out io.Writer, found any, err error) error {
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(found)
}
