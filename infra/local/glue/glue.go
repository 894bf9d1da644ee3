// Package glue reads what the Pulumi program declares in the Glue catalog: tables, views, their types in Hive's spelling,
// and the days that partition projection looks at. Here it is the only place that knows how these are written, so that a
// reader of the local files (package query) takes every name and type from the deployed program and states none itself.
//
// What Glue would keep and nobody here understands is an error that names it: a type, a projection, a view's encoding.
package glue

import (
	"encoding/json"
	"fmt"
)

// TableType is the resource type of tables and views.
const TableType = "aws:glue/catalogTable:CatalogTable"

// Catalog is what was deployed, with the buckets that the locations of its tables are in.
type Catalog struct {
	Buckets map[string]string `json:"buckets"` // role (lake, rejects, …) by name
	Tables  []Table           `json:"tables"`
}

// Table is a table or a view, under the names of the program's inputs.
type Table struct {
	Database         string            `json:"databaseName"`
	Name             string            `json:"name"`
	Description      string            `json:"description,omitempty"`
	Kind             string            `json:"tableType"`
	Parameters       map[string]string `json:"parameters,omitempty"`
	PartitionKeys    []Column          `json:"partitionKeys,omitempty"`
	Storage          Storage           `json:"storageDescriptor"`
	ViewOriginalText string            `json:"viewOriginalText,omitempty"`
}

// Storage is where a table's files lie and how they are read.
type Storage struct {
	Location string   `json:"location,omitempty"`
	Columns  []Column `json:"columns"`
	SerDe    struct {
		Library string `json:"serializationLibrary"`
	} `json:"serDeInfo"`
}

// Column is a column in Hive's spelling.
type Column struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Comment string `json:"comment,omitempty"`
}

// The libraries that tables are read with.
const (
	ParquetSerDe = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
	JSONSerDe    = "org.apache.hive.hcatalog.data.JsonSerDe"
)

// View reports whether the table is a view.
func (t Table) View() bool { return t.Kind == "VIRTUAL_VIEW" }

// Columns are those of the files and those of the path, in the order of SELECT *.
func (t Table) Columns() []Column {
	all := make([]Column, 0, len(t.Storage.Columns)+len(t.PartitionKeys))
	return append(append(all, t.Storage.Columns...), t.PartitionKeys...)
}

// ReadTable reads a table from the inputs of its resource.
func ReadTable(inputs map[string]any) (Table, error) {
	var t Table
	raw, err := json.Marshal(inputs)
	if err == nil {
		err = json.Unmarshal(raw, &t)
	}
	if err != nil {
		return t, fmt.Errorf("read Glue table %v: %w", inputs["name"], err)
	}
	if t.Name == "" || t.Database == "" {
		return t, fmt.Errorf("read Glue table %q of database %q: both must have names", t.Name, t.Database)
	}
	return t, nil
}
