// Command dataset makes a new dataset from sample records: what `go tool mage dataset:new` runs.
//
//	dataset new NAME URL-or-FILE   writes shared/datasets/NAME.odcs.yaml, and says what it guessed and how sure it is
//
// It never overwrites. Of a large source it reads the beginning, and says so. The sample is kept in .local/samples, where a
// local run of the dataset finds it.
package main

import (
	"tributary/infra/command"
)

func main() { command.Main(run) }
