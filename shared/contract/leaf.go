package contract

import "slices"

// Leaves flattens columns into the primitive columns of the Parquet schema, in the order of the file.
func Leaves(columns []Column) []Leaf {
	var leaves []Leaf
	for i := range columns {
		leaves = appendLeaves(leaves, &columns[i], Leaf{Top: i})
	}
	return leaves
}

// appendLeaves adds the leaves of c below the group that above describes.
func appendLeaves(leaves []Leaf, c *Column, above Leaf) []Leaf {
	above.Path = append(slices.Clip(above.Path), c.Name)
	above.MaxDef++
	switch c.Type.Kind {
	case Struct:
		for i := range c.Type.Fields {
			leaves = appendLeaves(leaves, &c.Type.Fields[i], above)
		}
		return leaves
	case List:
		above.Path = append(slices.Clip(above.Path), "list")
		above.MaxDef++
		above.MaxRep++
		return appendLeaves(leaves, c.Type.Elem, above)
	default:
		above.Column = c
		return append(leaves, above)
	}
}
