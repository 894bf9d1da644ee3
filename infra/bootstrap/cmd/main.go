// Command bootstrap prints the CloudFormation template of what an account must hold before the first deployment: what
// `go tool mage infra:bootstrap` runs, from the root of the project. Words name the stacks that live in the account; none
// means all.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:], ".", os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
