// Command readme runs what the README says; go tool mage readme calls it.
package main

import (
	"context"
	"io"
	"os/signal"
	"syscall"

	"tributary/infra/command"
	"tributary/infra/readme"
)

func main() {
	command.Main(func(ctx context.Context, _ []string, out io.Writer) error {
		ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
		defer stop()
		return readme.Run(ctx, ".", readme.Ours, out)
	})
}
