// Command mage is what `go tool mage` runs: mage itself, behind package call, which lists the targets and answers wrong
// calls.
package main

import (
	"os"

	"github.com/magefile/mage/mage"

	"tributary/infra/call"
)

func main() {
	status, done := call.Answer(os.Args[1:], ".", os.Stdout, os.Stderr)
	if !done {
		status = mage.Main()
	}
	os.Exit(status)
}
