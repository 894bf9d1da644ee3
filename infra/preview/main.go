// Command preview shows what the Pulumi program declares, without credentials, network or Pulumi: what
// `go tool mage infra:*` runs.
//
//	preview show [-json] STACK   every resource with its inputs, under its parent
//	preview diff STACK STACK     what two stacks do not have in common: settings, resources, inputs
//	preview against REVISION     the same between each stack and what it was at a git revision, as Markdown
//
// It runs stack.Deploy against a provider that makes nothing and answers as AWS would, so what it shows is what the
// program says, not what an account holds. The program wants the deployment packages: they are built when they are
// missing or older than their source, as a deployment would ask for.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}
