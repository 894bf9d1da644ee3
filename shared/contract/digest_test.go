package contract

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The canonical form decides whether a replay is skipped, so a change of the code must not change it unseen: it is a
// persisted format. A run that was processed before such a change is processed again.
func TestCanonicalForm(t *testing.T) {
	for _, path := range every(t) {
		if filepath.Dir(path) != "testdata" {
			continue // a dataset is there to be edited
		}
		name := strings.TrimSuffix(filepath.Base(path), ".odcs.yaml")
		t.Run(name, func(t *testing.T) {
			c, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			form, err := json.MarshalIndent(c.canonical(), "", "\t")
			if err != nil {
				t.Fatal(err)
			}
			got := string(form) + "\n" + c.Digest + "\n"
			golden := filepath.Join("testdata", name+".canonical.golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(readFile(t, golden), got); diff != "" {
				t.Errorf("canonical form (-want +got):\n%s", diff)
			}
		})
	}
}
