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
	"io"
	"os"

	"tributary/infra/command"
)

func main() {
	command.Main(func(ctx context.Context, args []string, out io.Writer) error { return run(ctx, args, out, os.Stderr) })
}
