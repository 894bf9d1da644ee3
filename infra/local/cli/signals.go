package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// UntilTold is a context that is done when somebody has enough: by Ctrl-C, by closing the terminal, or by kill. A screen that
// nobody reads any more is no reason to die at once: what there is, is saved and ended first.
func UntilTold(ctx context.Context) (context.Context, context.CancelFunc) {
	// Who is notified of a broken pipe gets an error from the write and lives on; children do not inherit it.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
}
