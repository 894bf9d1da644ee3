// Command local is the local environment: `local run`, `local invoke`. People call it through mage.
package main

import (
	"context"
	"os"

	"tributary/infra/command"
	"tributary/infra/local/cli"
)

func main() { os.Exit(command.Status(run)) }

func run() int {
	ctx, stop := cli.UntilTold(context.Background())
	defer stop()
	return cli.Main(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Getenv)
}
