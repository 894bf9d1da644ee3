package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"tributary/infra/bench"
)

const contractPath = "shared/datasets/coin_markets.odcs.yaml"

var errUsage = errors.New("usage: bench all [flags] | bench peer [-contract FILE] IN OUT")

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errUsage
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	contract := flags.String("contract", contractPath, "contract of the records")
	switch args[0] {
	case "peer":
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		if flags.NArg() != 2 {
			return errUsage
		}
		figures, err := bench.Peer(ctx, *contract, flags.Arg(0), flags.Arg(1))
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(figures)
	case "all":
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find the bench command: %w", err)
		}
		o := bench.Options{Self: self, Out: out}
		flags.StringVar(&o.Dir, "dir", ".build/bench", "folder for data and results")
		flags.StringVar(&o.DuckDB, "duckdb", "", "the DuckDB peer")
		flags.StringVar(&o.Function, "function", "", "a function for this machine, to time its start")
		flags.StringVar(&o.Zip, "zip", "", "a deployment package, to weigh")
		flags.IntVar(&o.Records, "records", 500_000, "records of the comparison")
		flags.IntVar(&o.Rounds, "rounds", 5, "rounds of the comparison")
		flags.IntVar(&o.Largest, "largest", 1_000_000, "records of the largest run")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		o.Contract = *contract
		return bench.Run(ctx, o)
	}
	return errUsage
}
