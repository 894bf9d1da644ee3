package zone

import (
	"fmt"
	"reflect"
)

// GlueColumn is a column of a JSON table.
type GlueColumn struct{ Name, Type string }

// Columns reads the columns of the Glue table that holds rows of the given kind (RejectRow, AuditRow) from its tags.
func Columns(row any) []GlueColumn {
	t := reflect.TypeOf(row)
	columns := make([]GlueColumn, t.NumField())
	for i := range columns {
		f := t.Field(i)
		columns[i] = GlueColumn{Name: f.Tag.Get("json"), Type: f.Tag.Get("glue")}
		if columns[i].Name == "" || columns[i].Type == "" {
			panic(fmt.Sprintf("zone: field %s.%s lacks its json or glue tag", t.Name(), f.Name))
		}
	}
	return columns
}
