// Command contract checks and compares data contracts: what `go tool mage contract:*` runs.
//
//	contract check [FILE…]   every fault of the files, or of all of shared/datasets, with file, line, column and field
//	contract diff OLD NEW    what changes between two versions, and which changes break readers
//	contract docs [FILE…]    a data dictionary in Markdown
//	contract jsonschema FILE a JSON Schema of the records that the source sends
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
