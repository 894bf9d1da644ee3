package record

import "tributary/shared/contract"

// Value is one value of a row as Batch.Each hands it out: the tagged form for those who work row by row. Only what its
// Kind uses is set, and nothing when it is Null. Text and the slices are valid during the call only.
type Value struct {
	Kind contract.Kind
	Null bool

	Int    int64   // Integer; Timestamp (epoch ms); Date (epoch days); Boolean (0 or 1)
	Float  float64 // Double
	Text   []byte  // String; JSON; Decimal, in plain notation with all digits of its scale
	Items  []Value // List
	Fields []Field // Struct, in the order of the contract
}

// Field is a member of a struct value.
type Field struct {
	Name  string // column name
	Value Value
}
