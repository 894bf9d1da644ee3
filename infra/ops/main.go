// Command ops is the operators' commands against a deployed stack, with ordinary AWS credentials. People call it through
// mage: go tool mage ops:status -stack=dev.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"tributary/infra/command"
	"tributary/infra/ops/console"
)

func main() { os.Exit(command.Status(status)) }

func status() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdout); {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, console.ErrUsage):
		fmt.Fprintln(os.Stderr, err)
		return 2
	case errors.Is(err, console.ErrShown):
		return 1
	default:
		fmt.Fprintln(os.Stderr, "failed:", err)
		return 1
	}
}
