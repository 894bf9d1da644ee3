package query

import (
	"fmt"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"tributary/infra/local/glue"
)

// duckType is the type of DuckDB that holds exactly what a type of Glue holds.
func duckType(t glue.Type) string {
	switch t.Kind {
	case glue.Int:
		return "INTEGER"
	case glue.BigInt:
		return "BIGINT"
	case glue.Double:
		return "DOUBLE"
	case glue.Boolean:
		return "BOOLEAN"
	case glue.Timestamp:
		return "TIMESTAMP"
	case glue.Date:
		return "DATE"
	case glue.Decimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale)
	case glue.Array:
		return duckType(*t.Elem) + "[]"
	case glue.Struct:
		fields := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = quote(f.Name) + " " + duckType(f.Type)
		}
		return "STRUCT(" + strings.Join(fields, ", ") + ")"
	default:
		return "VARCHAR"
	}
}

// mismatch is a place in a file whose type is not what Glue says.
type mismatch struct {
	column   string // with the way to a field: roi.times
	declared glue.Type
	found    string // the file's type
}

// fit makes the expression that reads a column or field of a file, at ref, as Glue's type. It fails where the file's
// type is another.
func fit(node *parquet.Column, t glue.Type, place, ref string) (string, *mismatch) {
	wrong := &mismatch{column: place, declared: t, found: describe(node)}
	switch t.Kind {
	case glue.Struct:
		return fitStruct(node, t, place, ref, wrong)
	case glue.Array:
		return fitArray(node, t, place, ref, wrong)
	default:
	}
	if !node.Leaf() || node.Repeated() || !accepts(t, node.Type().Kind(), logical(node)) {
		return "", wrong
	}
	return "CAST(" + ref + " AS " + duckType(t) + ")", nil
}

func fitStruct(node *parquet.Column, t glue.Type, place, ref string, wrong *mismatch) (string, *mismatch) {
	if node.Leaf() || node.Repeated() || logical(node) != nil {
		return "", wrong
	}
	fields := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		value := "CAST(NULL AS " + duckType(f.Type) + ")"
		if child := childOf(node, f.Name); child != nil {
			var fault *mismatch
			value, fault = fit(child, f.Type, place+"."+f.Name, "struct_extract("+ref+", "+literal(child.Name())+")")
			if fault != nil {
				return "", fault
			}
		}
		fields[i] = quote(f.Name) + " := " + value
	}
	return "CASE WHEN " + ref + " IS NOT NULL THEN struct_pack(" + strings.Join(fields, ", ") + ") END", nil
}

// fitArray knows lists of three levels, which every writer of today makes.
func fitArray(node *parquet.Column, t glue.Type, place, ref string, wrong *mismatch) (string, *mismatch) {
	if _, ok := logical(node).(*format.ListType); !ok || len(node.Columns()) != 1 {
		return "", wrong
	}
	middle := node.Columns()[0]
	if middle.Leaf() || !middle.Repeated() || len(middle.Columns()) != 1 {
		return "", wrong
	}
	element := fmt.Sprintf("e%d", strings.Count(place, "[]")) // a lambda sees those around it
	value, fault := fit(middle.Columns()[0], *t.Elem, place+"[]", element)
	if fault != nil {
		return "", fault
	}
	return "list_transform(" + ref + ", lambda " + element + ": " + value + ")", nil
}

// accepts reports whether a leaf of a file is exactly of a type. A text without annotation, and a time stamp of the older
// kind, are read the same by all readers.
func accepts(t glue.Type, kind parquet.Kind, annotation any) bool {
	switch t.Kind {
	case glue.String:
		switch annotation.(type) {
		case nil, *format.StringType, *format.EnumType, *format.JsonType:
			return kind == parquet.ByteArray
		}
		return false
	case glue.Int:
		return kind == parquet.Int32 && isInteger(annotation, 32)
	case glue.BigInt:
		return kind == parquet.Int64 && isInteger(annotation, 64)
	case glue.Double:
		return kind == parquet.Double
	case glue.Boolean:
		return kind == parquet.Boolean
	case glue.Timestamp:
		stamp, ok := annotation.(*format.TimestampType)
		if !ok {
			return kind == parquet.Int96
		}
		_, milliseconds := stamp.Unit.Value.(*format.MilliSeconds)
		return kind == parquet.Int64 && milliseconds
	case glue.Date:
		_, ok := annotation.(*format.DateType)
		return kind == parquet.Int32 && ok
	case glue.Decimal:
		decimal, ok := annotation.(*format.DecimalType)
		return ok && int(decimal.Precision) == t.Precision && int(decimal.Scale) == t.Scale
	default:
		return false
	}
}

func isInteger(annotation any, bits int8) bool {
	if annotation == nil {
		return true
	}
	integer, ok := annotation.(*format.IntType)
	return ok && integer.BitWidth == bits && integer.IsSigned
}

// logical is the annotation of a column or group; nil where there is none.
func logical(node *parquet.Column) any {
	if l := node.Type().LogicalType(); l != nil && l.Value != nil {
		return l.Value
	}
	return nil
}

// describe is the type of a column or group in the file, in Parquet's words.
func describe(node *parquet.Column) string {
	text := "a group of " + fmt.Sprint(len(node.Columns()))
	if node.Leaf() {
		text = node.Type().Kind().String()
	}
	if l := node.Type().LogicalType(); l != nil && l.Value != nil && !isInteger(l.Value, 64) {
		text += " " + l.String()
	}
	if node.Repeated() {
		text = "repeated " + text
	}
	return text
}

// childOf finds a column by name, whatever its case: Glue knows none.
func childOf(node *parquet.Column, name string) *parquet.Column {
	for _, child := range node.Columns() {
		if strings.EqualFold(child.Name(), name) {
			return child
		}
	}
	return nil
}

// quote makes an identifier; literal makes a text.
func quote(name string) string   { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
