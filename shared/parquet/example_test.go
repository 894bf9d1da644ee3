package parquet_test

import (
	"bytes"
	"fmt"

	"tributary/shared/contract"
	"tributary/shared/parquet"
	"tributary/shared/record"
)

func ExampleWriter() {
	columns := []contract.Column{
		{Name: "id", Type: contract.Type{Kind: contract.String}},
		{Name: "price", Type: contract.Type{Kind: contract.Double}},
	}
	// Two rows: ("btc", 79847.5) and ("eth", null). Package record fills batches like this one.
	batch := &record.Batch{Rows: 2, Vectors: []record.Vector{
		{Kind: contract.String, Bytes: []byte("\x03\x00\x00\x00btc\x03\x00\x00\x00eth"), Valid: []byte{0b11}},
		{Kind: contract.Double, F64: []float64{79847.5}, Valid: []byte{0b01}, Nulls: 1},
	}}

	var file bytes.Buffer
	w, err := parquet.NewWriter(&file, columns, parquet.Options{Metadata: []parquet.KeyValue{{Key: "dataset", Value: "coins"}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Write(batch); err != nil {
		fmt.Println(err)
		return
	}
	info, err := w.Close()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Rows, "rows,", info.RowGroups, "row group,", info.Bytes == int64(file.Len()))

	schema, err := parquet.SchemaText(columns)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(schema)
	// Output:
	// 2 rows, 1 row group, true
	// message schema {
	//   optional binary id (STRING);
	//   optional double price;
	// }
}
