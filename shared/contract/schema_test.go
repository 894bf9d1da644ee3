package contract

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// every lists the contracts that users get and those that the tests use.
func every(t testing.TB) []string {
	t.Helper()
	var paths []string
	for _, dir := range []string{datasets, "testdata"} {
		found, err := filepath.Glob(filepath.Join(dir, "*.odcs.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	if len(paths) < 5 {
		t.Fatalf("only %d contracts found", len(paths))
	}
	return paths
}

func TestContractsPassTheOfficialSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("testdata/odcs-v3.1.0.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range every(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if err := schema.Validate(asJSON(t, readFile(t, path))); err != nil {
				t.Errorf("%v", err)
			}
		})
	}
	if err := schema.Validate(asJSON(t, "apiVersion: v3.1.0\nkind: DataContract\n")); err == nil {
		t.Error("the schema accepts a contract without id, version and status")
	}
}

func asJSON(t *testing.T, text string) any {
	t.Helper()
	var document any
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return value
}
