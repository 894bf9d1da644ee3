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

	"tributary/infra/ops/console"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, console.ErrUsage):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	case errors.Is(err, console.ErrShown):
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
}
