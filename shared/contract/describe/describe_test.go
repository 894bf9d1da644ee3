package describe

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"tributary/shared/contract"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got)\n%s", name, diff)
	}
}

func load(t *testing.T, file string) *contract.Contract {
	t.Helper()
	c, err := contract.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var contracts = map[string]string{
	"coin_markets": "../../datasets/coin_markets.odcs.yaml", "orders": "../testdata/orders.odcs.yaml",
	"earthquakes": "../testdata/earthquakes.odcs.yaml", "sensor_readings": "../testdata/sensor_readings.odcs.yaml",
	"keyed": "../infer/testdata/keyed.odcs.yaml",
}

func TestDescriptions(t *testing.T) {
	for name, file := range contracts {
		t.Run(name, func(t *testing.T) {
			c := load(t, file)
			golden(t, name+".md", []byte(Dictionary(c)))
			schema, err := Schema(c)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".schema.json", schema)
		})
	}
}

func compile(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	text, err := Schema(load(t, file))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiler.AddResource("records.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("records.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// The schema takes what the contract takes, and refuses what it refuses, by a validator that is not ours.
func TestSchemaJudgesRecords(t *testing.T) {
	const order = `{"order_id":"0f8fad5b-d9cb-469f-a165-70867728950e","status":"open","ordered_at":"2025-03-04T14:45:00Z","total":"12.50",
		"customer":{"id":7,"email":"a@example.com"},"lines":[{"sku":"A","quantity":1,"unitPrice":2.5,"tags":null}],"coupons":null}`
	schema := compile(t, contracts["orders"])
	for _, tc := range []struct {
		name, old, new string
		good           bool
	}{
		{"as it is", "", "", true},
		{"a member more", `"status"`, `"further":1,"status"`, true},
		{"null that may be", `"coupons":null`, `"coupons":["x"]`, true},
		{"no uuid", "0f8fad5b", "nothing", false},
		{"a status that is none", `"open"`, `"lost"`, false},
		{"required and null", `"lines":[`, `"lines":null,"x":[`, false},
		{"no lines", `[{"sku":"A","quantity":1,"unitPrice":2.5,"tags":null}]`, `[]`, false},
		{"quantity below the minimum", `"quantity":1`, `"quantity":0`, false},
		{"no mail address", `a@example.com`, `nobody`, false},
		{"a number for a text", `"sku":"A"`, `"sku":5`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			record, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.Replace(order, tc.old, tc.new, 1)))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(record); (err == nil) != tc.good {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSchemasCompile(t *testing.T) {
	for name, file := range contracts {
		if compile(t, file) == nil {
			t.Errorf("%s has no schema", name)
		}
	}
}
