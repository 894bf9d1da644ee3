// Package cli is the command of the local environment: run sends a dataset's records the whole way and shows what
// happened, dev keeps the environment up and does what it is told, invoke calls one function with one event, ops does what
// operators do.
//
// All build the functions for this machine, deploy the stack's own program on the embedded AWS, give it back what
// earlier runs left in .local, and save what is there at the end. The exit status is 0 only if everything went well:
// 1 after any failure of the environment, a function or the run's own figures, 2 after a wrong call.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"tributary/infra/local/screen"
	"tributary/infra/ops/console"
)

// Exit statuses.
const (
	exitFailed = 1
	exitUsage  = 2
)

const usage = `usage: local COMMAND [flags] …

  run      send a dataset's records the whole way and show what happened
  dev      keep the environment up, for the AWS command line and every SDK
  invoke   call one function with one event
  ops      what operators do: status, replay, release, redrive, backfill, rejects, upload, secret, smoke

COMMAND -help shows its flags.
`

// Main runs the command with its arguments and returns the exit status.
func Main(ctx context.Context, args []string, stdout *os.File, stderr io.Writer, getenv func(string) string) int {
	return conclude(ctx, dispatch(ctx, args, stdout, getenv), stderr)
}

// conclude tells of an error and finds the exit status.
func conclude(ctx context.Context, err error, stderr io.Writer) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case err == errShown: //nolint:errorlint // alone: what is joined to it has not been shown
		return exitFailed
	case errors.Is(err, errUsage), errors.Is(err, console.ErrUsage):
		fmt.Fprintln(stderr, err)
		return exitUsage
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "interrupted")
		return exitFailed
	case errors.Is(err, syscall.EPIPE): // whoever reads no more wants to hear no more
		return exitFailed
	default:
		fmt.Fprintln(stderr, "failed:", err)
		return exitFailed
	}
}

// errShown stands for failures that the screen has told already.
var errShown = console.ErrShown

func dispatch(ctx context.Context, args []string, stdout *os.File, getenv func(string) string) error {
	command := ""
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	switch command {
	case "run":
		o, err := parseRun(args, time.Now(), stdout)
		if err != nil {
			return err
		}
		o.secret = getenv("TRIBUTARY_SECRET")
		return run(ctx, o, stdout, screen.StyleOf(stdout, o.colours, getenv))
	case "dev":
		o, err := parseDev(args, stdout)
		if err != nil {
			return err
		}
		o.secret = getenv("TRIBUTARY_SECRET")
		return keep(ctx, o, os.Stdin, stdout, screen.StyleOf(stdout, o.colours, getenv))
	case "invoke":
		o, err := parseInvoke(args, stdout)
		if err != nil {
			return err
		}
		return invoke(ctx, o, stdout, screen.StyleOf(stdout, o.colours, getenv))
	case "ops":
		return operate(ctx, args, stdout, screen.StyleOf(stdout, screen.Auto, getenv))
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage)
		return nil
	case "":
		return fmt.Errorf("%w: no command\n%s", errUsage, usage)
	default:
		return fmt.Errorf("%w: there is no command %q\n%s", errUsage, command, usage)
	}
}
