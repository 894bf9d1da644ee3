// Command mage is what `go tool mage` runs: mage itself, behind package call, which lists the targets and answers wrong
// calls.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/magefile/mage/mage"

	"tributary/infra/call"
	"tributary/infra/command"
)

func main() { os.Exit(command.Status(run)) }

func run() int {
	status, done := call.Answer(os.Args[1:], ".", os.Stdout, os.Stderr)
	switch {
	case done:
		return status
	case strings.HasPrefix(os.Args[1], "-"): // flags of mage itself
		return mage.Main()
	}
	fmt.Fprintln(os.Stderr, "Error:", become(".", os.Args[1:]))
	return 1
}
