package record

import "tributary/shared/contract"

// BatchRows is the number of rows of a full batch; every vector of a batch becomes one Parquet page.
const BatchRows = 8192

// BatchBytes ends a batch before it has BatchRows rows, when its texts, lists and structs take more.
const BatchBytes = 4 << 20

// Batch is up to BatchRows clean rows of one block as columns, in the order of the input. A batch belongs to whoever receives it
// until it is given back with Release.
type Batch struct {
	Rows    int
	Vectors []Vector // one for each of contract.Leaves, in that order
	Page    []int32  // of each row: the page that brought it, from 1
	Index   []int64  // of each row: its place among the records of the page, from 0
	Block   int64    // of the input, that all its rows come from

	plan *Plan
	free chan *Batch // of the reader, to come back to
}

// Vector is one leaf's values in a batch. Values are dense: only those that are not null are stored, in row order, as
// Parquet's PLAIN encoding wants them. Which of the value slices is used follows from Kind.
type Vector struct {
	Kind  contract.Kind
	Nulls int // slots without a value

	Valid []byte // leaf with MaxDef 1 and MaxRep 0: bit i is set when row i has a value; len ≥ (Rows+7)/8
	Def   []byte // other leaves: definition level of each slot
	Rep   []byte // leaves with MaxRep > 0: repetition level of each slot

	I64   []int64   // Integer; Timestamp (epoch ms); Decimal of up to 18 digits (unscaled)
	F64   []float64 // Double
	I32   []int32   // Date (epoch days)
	Bool  []byte    // Boolean: 0 or 1
	Bytes []byte    // String, JSON: 4-byte little-endian length and the bytes; longer Decimal: 16 bytes, big-endian
}

// Release gives the batch back to the reader that made it. The batch and its vectors must not be used afterwards.
func (b *Batch) Release() {
	select {
	case b.free <- b:
	default: // more are out than a reader needs
	}
}
