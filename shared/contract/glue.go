package contract

import (
	"fmt"
	"strings"
)

// Glue is the type as Glue, Hive and Athena spell it.
func (t Type) Glue() string {
	switch t.Kind {
	case Integer:
		return "bigint"
	case Double:
		return "double"
	case Decimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	case Boolean:
		return "boolean"
	case Timestamp:
		return "timestamp"
	case Date:
		return "date"
	case List:
		return "array<" + t.Elem.Type.Glue() + ">"
	case Struct:
		fields := make([]string, len(t.Fields))
		for i := range t.Fields {
			fields[i] = t.Fields[i].Name + ":" + t.Fields[i].Type.Glue()
		}
		return "struct<" + strings.Join(fields, ",") + ">"
	default: // String and JSON text
		return "string"
	}
}
