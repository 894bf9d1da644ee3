// Command mage is what `go tool mage` runs: mage itself, behind package call, which lists the targets and answers wrong
// calls.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/magefile/mage/mage"

	"tributary/infra/call"
)

func main() {
	status, done := call.Answer(os.Args[1:], ".", os.Stdout, os.Stderr)
	switch {
	case done:
	case strings.HasPrefix(os.Args[1], "-"): // flags of mage itself
		status = mage.Main()
	default:
		fmt.Fprintln(os.Stderr, "Error:", become(".", os.Args[1:]))
		status = 1
	}
	os.Exit(status)
}
