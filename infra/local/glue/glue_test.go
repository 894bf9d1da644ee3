package glue_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/glue"
)

func TestParseType(t *testing.T) {
	for _, test := range []struct {
		text string
		want glue.Type
	}{
		{"string", glue.Type{Kind: glue.String}},
		{"timestamp", glue.Type{Kind: glue.Timestamp}},
		{"decimal(38,10)", glue.Type{Kind: glue.Decimal, Precision: 38, Scale: 10}},
		{"array<array<int>>", glue.Type{Kind: glue.Array, Elem: &glue.Type{Kind: glue.Array, Elem: &glue.Type{Kind: glue.Int}}}},
		{"struct<a:bigint,b-c:array<struct<d:date>>,e:decimal(4,0)>", glue.Type{Kind: glue.Struct, Fields: []glue.Field{
			{Name: "a", Type: glue.Type{Kind: glue.BigInt}},
			{Name: "b-c", Type: glue.Type{Kind: glue.Array, Elem: &glue.Type{Kind: glue.Struct, Fields: []glue.Field{{Name: "d", Type: glue.Type{Kind: glue.Date}}}}}},
			{Name: "e", Type: glue.Type{Kind: glue.Decimal, Precision: 4}},
		}}},
	} {
		got, err := glue.ParseType(test.text)
		if err != nil {
			t.Error(err)
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" || got.String() != test.text {
			t.Errorf("%s reads as %s (-want +got):\n%s", test.text, got, diff)
		}
	}
}

func TestParseTypeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                  `"" is not among the types that are known here`,
		"map<string,int>":   `"map" is not among the types`,
		"varchar(10)":       `"varchar" is not among the types`,
		"decimal":           `want "(" before ""`,
		"decimal(a,1)":      "a decimal is written decimal(precision,scale)",
		"decimal(39,1)":     "beyond 38 digits",
		"decimal(3,4)":      "beyond 38 digits",
		"array<string":      `want ">" before ""`,
		"struct<>":          "a struct's fields are written name:type",
		"struct<a:int;b>":   `is not among the types`,
		"struct<a:int,>":    "a struct's fields are written name:type",
		"string>":           `">" follows it`,
		"array<int>,string": `",string" follows it`,
	} {
		if got, err := glue.ParseType(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q reads as %s, %v; want an error with %q", text, got, err, want)
		}
	}
}

func TestReadTable(t *testing.T) {
	got, err := glue.ReadTable(map[string]any{
		"name": "coins", "databaseName": "db", "tableType": "EXTERNAL_TABLE", "description": "Coins",
		"parameters":    map[string]any{"EXTERNAL": "TRUE"},
		"partitionKeys": []any{map[string]any{"name": "dt", "type": "string"}},
		"storageDescriptor": map[string]any{
			"location": "s3://lake/coins/", "inputFormat": "x",
			"columns":   []any{map[string]any{"name": "id", "type": "string", "comment": "Which"}},
			"serDeInfo": map[string]any{"serializationLibrary": glue.ParquetSerDe, "parameters": map[string]any{"serialization.format": "1"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := glue.Table{
		Database: "db", Name: "coins", Description: "Coins", Kind: "EXTERNAL_TABLE", Parameters: map[string]string{"EXTERNAL": "TRUE"},
		PartitionKeys: []glue.Column{{Name: "dt", Type: "string"}},
		Storage:       glue.Storage{Location: "s3://lake/coins/", Columns: []glue.Column{{Name: "id", Type: "string", Comment: "Which"}}},
	}
	want.Storage.SerDe.Library = glue.ParquetSerDe
	if diff := cmp.Diff(want, got); diff != "" || got.View() {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]glue.Column{{Name: "id", Type: "string", Comment: "Which"}, {Name: "dt", Type: "string"}}, got.Columns()); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	for _, inputs := range []map[string]any{{"name": "coins"}, {"name": 1, "databaseName": "db"}} {
		if _, err := glue.ReadTable(inputs); err == nil {
			t.Errorf("%v is a table", inputs)
		}
	}
}

func table(parameters map[string]string) glue.Table {
	all := map[string]string{
		"projection.enabled": "true", "projection.dt.type": "date", "projection.dt.format": "yyyy-MM-dd", "projection.dt.range": "2024-01-01,NOW+1DAY",
	}
	for name, value := range parameters {
		all[name] = value
	}
	return glue.Table{Name: "coins", Parameters: all, PartitionKeys: []glue.Column{{Name: "dt", Type: "string"}}}
}

func TestDays(t *testing.T) {
	now := time.Date(2025, 3, 4, 23, 30, 0, 0, time.FixedZone("", -3600)) // the next day in UTC
	for text, want := range map[string]glue.Days{
		"2024-01-01,NOW+1DAY":   {Key: "dt", First: "2024-01-01", Last: "2025-03-06"},
		"2024-01-01,2024-12-31": {Key: "dt", First: "2024-01-01", Last: "2024-12-31"},
		"NOW-3YEARS, NOW":       {Key: "dt", First: "2022-03-05", Last: "2025-03-05"},
		"NOW - 2 MONTHS,NOW":    {Key: "dt", First: "2025-01-05", Last: "2025-03-05"},
		"NOW-1WEEK,NOW":         {Key: "dt", First: "2025-02-26", Last: "2025-03-05"},
	} {
		got, err := table(map[string]string{"projection.dt.range": text}).Days(now)
		if err != nil || got != want {
			t.Errorf("%s is %v, %v; want %v", text, got, err, want)
		}
	}
	days := glue.Days{First: "2024-01-01", Last: "2024-12-31"}
	for day, want := range map[string]bool{
		"2024-01-01": true, "2024-12-31": true, "2023-12-31": false, "2025-01-01": false, "2024-02-30": false, "2024-2-3": false, "": false, "today": false,
	} {
		if got := days.Has(day); got != want {
			t.Errorf("%s: %t", day, got)
		}
	}
}

func TestDaysRefuses(t *testing.T) {
	for _, parameters := range []map[string]string{
		{"projection.enabled": "false"}, {"projection.dt.type": "enum"}, {"projection.dt.format": "yyyyMMdd"}, {"projection.dt.range": "2024-01-01"},
		{"projection.dt.range": "2024-01-01,TOMORROW"}, {"projection.dt.range": "2024-01-01,NOW+1HOUR"}, {"storage.location.template": "s3://x/${dt}/"},
	} {
		if days, err := table(parameters).Days(time.Now()); err == nil || !strings.Contains(err.Error(), "projection of table coins") {
			t.Errorf("%v: %v, %v", parameters, days, err)
		}
	}
}

func TestParseView(t *testing.T) {
	encode := func(text string) string {
		return "/* Presto View: " + base64.StdEncoding.EncodeToString([]byte(text)) + " */"
	}
	got, err := glue.ParseView(encode(`{"originalSql":"SELECT 1","catalog":"awsdatacatalog","schema":"db","columns":[{"name":"a","type":"row(\"b\" double)"}]}`))
	want := glue.Definition{SQL: "SELECT 1", Catalog: "awsdatacatalog", Schema: "db", Columns: []glue.Column{{Name: "a", Type: `row("b" double)`}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, text := range []string{"", "SELECT 1", "/* Presto View: ? */", encode("{"), encode("{}")} {
		if _, err := glue.ParseView(text); err == nil {
			t.Errorf("%q is a view", text)
		}
	}
}
