package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/catalog"
)

// Every type that a stack declares, whatever its settings and datasets, is known to the local environment with what it does
// there, and the README tells it.
func TestEveryTypeIsKnownLocally(t *testing.T) {
	declared := map[string]bool{}
	for _, p := range []project{newProject(t), newProject(t, "testdata/orders.odcs.yaml")} {
		for _, stack := range []string{"dev", "prod", viewed} {
			for _, r := range p.record(t, stack).Declared() {
				declared[r.Type] = declared[r.Type] || r.Custom
			}
		}
	}
	var b strings.Builder
	b.WriteString("| type | locally | |\n|---|---|---|\n")
	for _, token := range catalog.Tokens() {
		known, _ := catalog.Lookup(token)
		delete(declared, token)
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", token, known.Kind, known.Does)
	}
	for token, custom := range declared {
		if custom {
			t.Errorf("%s is declared, but package catalog does not say what it does locally", token)
		}
	}

	const begin, end = "<!-- local -->\n", "<!-- /local -->"
	path := filepath.Join(projectRoot, "README.md")
	head, rest, _ := strings.Cut(string(read(t, path)), begin)
	table, tail, found := strings.Cut(rest, end)
	if !found {
		t.Fatalf("%s has no part between %q and %q", path, begin, end)
	}
	if *update {
		if err := os.WriteFile(path, []byte(head+begin+b.String()+end+tail), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(b.String(), table); diff != "" {
		t.Errorf("the README says otherwise what types do locally (-catalog +README); run the test with -update:\n%s", diff)
	}
}
