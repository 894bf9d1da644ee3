package contract

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong in a contract file, with its place and what to do about it.
type Fault struct {
	File    string
	Line    int    // from 1
	Column  int    // from 1, in characters
	Field   string // path in the document: schema[0].properties[3].logicalTypeOptions.pattern; "" is the document
	Message string
}

// String gives the fault as compilers do, so that editors jump to it.
func (f Fault) String() string {
	if f.Field == "" {
		return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s: %s", f.File, f.Line, f.Column, f.Field, f.Message)
}

// Faults is every fault of a contract file, by place. It is the error that Parse, Load and LoadDir return for a file
// that could be read.
type Faults []Fault //nolint:errname // a list of faults, and called so wherever contracts are read

// Error lists all faults, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// sorted gives the faults by place, each once.
func (f Faults) sorted() Faults {
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Field, b.Field), cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(f)
}
