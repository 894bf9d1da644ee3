// Command contract checks and compares data contracts: what `go tool mage contract:*` runs.
//
//	contract check [FILE…]   every fault of the files, or of all of shared/datasets, with file, line, column and field
//	contract diff OLD NEW    what changes between two versions, and which changes break readers
//
// It ends with 1 where a contract has faults, or breaks readers without a new major version and table.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
