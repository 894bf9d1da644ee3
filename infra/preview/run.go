package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"tributary/infra/call"
)

const usage = "usage: preview show [-json] STACK | preview diff STACK STACK | preview against REVISION"

// run answers one command: the answer goes to out, what takes long is told to progress.
func run(ctx context.Context, args []string, out, progress io.Writer) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	flags := flag.NewFlagSet("preview", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	asJSON := flags.Bool("json", false, "for machines")
	stacks, err := call.Parse(flags, args[1:])
	if err != nil {
		return fmt.Errorf("%w\n%s", err, usage)
	}
	switch verb := args[0]; {
	case verb == "show" && len(stacks) == 1:
		p, err := record(ctx, stacks[0], progress)
		if err != nil {
			return err
		}
		if *asJSON {
			return writeJSON(out, p)
		}
		return writeTree(out, p)
	case verb == "diff" && len(stacks) == 2 && !*asJSON:
		before, err := record(ctx, stacks[0], progress)
		if err != nil {
			return err
		}
		after, err := record(ctx, stacks[1], progress)
		if err != nil {
			return err
		}
		return writeDiff(out, before, after)
	case verb == "against" && len(stacks) == 1 && !*asJSON:
		return against(ctx, out, progress, stacks[0], previewOf)
	}
	return errors.New(usage)
}
