// Command query answers SQL on what local runs left. People call it through mage.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"tributary/infra/command"
	"tributary/infra/local/query"
)

func main() { os.Exit(command.Status(run)) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return query.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv)
}
