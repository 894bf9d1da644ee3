package contract

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
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

func officialSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("testdata/odcs-v3.1.0.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestContractsPassTheOfficialSchema(t *testing.T) {
	schema := officialSchema(t)
	for _, path := range every(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			document, err := asJSON(readFile(t, path))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(document); err != nil {
				t.Errorf("%v", err)
			}
		})
	}
	document, err := asJSON("apiVersion: v3.1.0\nkind: DataContract\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(document); err == nil {
		t.Error("the schema accepts a contract without id, version and status")
	}
}

// asJSON reads YAML as tools for contracts do that know no more of it than JSON.
func asJSON(text string) (any, error) {
	var document any
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return nil, err
	}
	data, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(data))
}

var thorough = flag.Bool("thorough", false, "try every mutation of a contract (half a minute), not every sixteenth")

// What Parse takes, every other tool takes: whatever is done to one value of a contract that has every key, it is
// refused here or passes the official schema. And what changes results is told by Diff.
func TestWhatIsAcceptedPassesTheOfficialSchema(t *testing.T) {
	schema, whole := officialSchema(t), load(t, "testdata/full.odcs.yaml")
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(readFile(t, "testdata/full.odcs.yaml")), &root); err != nil {
		t.Fatal(err)
	}
	var others []*yaml.Node
	for _, text := range []string{`~`, `""`, `text`, `7`, `-1`, `1.5`, `true`, `[]`, `{}`, `[x]`, `{a: b}`, `"2020-01-01"`, `[[]]`, `[{}]`} {
		var document yaml.Node
		if err := yaml.Unmarshal([]byte(text), &document); err != nil {
			t.Fatal(err)
		}
		others = append(others, document.Content[0])
	}
	seen, tried, accepted := 0, 0, 0
	try := func(what string) {
		if seen++; seen%16 != 0 && !*thorough {
			return
		}
		text, err := yaml.Marshal(&root)
		if err != nil {
			t.Fatal(err)
		}
		tried++
		c, err := Parse("f", text)
		if err != nil {
			return
		}
		accepted++
		if c.Digest != whole.Digest && len(Diff(whole, c)) == 0 {
			t.Errorf("with %s the contract gives other results, but nothing is said to change", what)
		}
		document, err := asJSON(string(text))
		if err == nil {
			err = schema.Validate(document)
		}
		if err != nil {
			t.Errorf("accepted with %s, but: %v", what, err)
		}
	}
	var mutate func(n *yaml.Node, path string)
	mutate = func(n *yaml.Node, path string) {
		whole := *n
		for _, other := range others {
			*n = *other
			try(path + ": " + other.Value + " (" + other.ShortTag() + ")")
		}
		*n = whole
		for i := 0; i < len(whole.Content); i++ {
			switch whole.Kind {
			case yaml.MappingNode:
				key := whole.Content[i].Value
				n.Content = slices.Concat(whole.Content[:i], whole.Content[i+2:])
				try(path + " without " + key)
				*n = whole
				i++
				mutate(whole.Content[i], join(path, key))
			case yaml.SequenceNode:
				mutate(whole.Content[i], fmt.Sprintf("%s[%d]", path, i))
			default:
				mutate(whole.Content[i], path)
			}
		}
	}
	mutate(root.Content[0], "")
	if accepted < 20 || tried < 2*accepted {
		t.Errorf("%d of %d contracts accepted: the mutations try nothing", accepted, tried)
	}
	t.Logf("%d of %d contracts accepted", accepted, tried)
}
