// Command bootstrap prints the CloudFormation template of what an account must hold before the first deployment: what
// `go tool mage infra:bootstrap` runs, from the root of the project. Words name the stacks that live in the account; none
// means all.
package main

import (
	"context"
	"io"

	"tributary/infra/command"
)

func main() {
	command.Main(func(_ context.Context, args []string, out io.Writer) error { return run(args, ".", out) })
}
