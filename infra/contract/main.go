// Command contract checks and compares data contracts: what `go tool mage contract:*` runs.
//
//	contract check [FILE…]   every fault of the files, or of all of shared/datasets, with file, line, column and field
//	contract diff OLD NEW    what changes between two versions, and which changes break readers
//	contract against REV     the same for every contract of shared/datasets, with what is new and what is gone since a git revision
//	contract docs [FILE…]    a data dictionary in Markdown
//	contract jsonschema FILE a JSON Schema of the records that the source sends
//
// It ends with 1 where a contract has faults, breaks readers without a new major version and table, or is gone before it
// was retired.
package main

import (
	"tributary/infra/command"
)

func main() { command.Main(run) }
