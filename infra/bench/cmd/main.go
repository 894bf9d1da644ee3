// Command bench measures the engine; see package bench.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"tributary/infra/command"
)

func main() {
	progress := io.Discard
	if term.IsTerminal(int(os.Stderr.Fd())) {
		progress = os.Stderr
	}
	command.Main(func(ctx context.Context, args []string, out io.Writer) error {
		if err := run(ctx, args, out, progress); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		return nil
	})
}
