package record

import "errors"

// Each calls fn for every row with the values of the given top-level columns (indexes into Contract.Columns). The
// values are reused from row to row.
func (b *Batch) Each(columns []int, fn func(row int, values []Value) error) error {
	return errors.ErrUnsupported
}
