package e2e_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tributary/infra/artifact"
	"tributary/shared/contract"
)

// project copies this one as far as an environment needs it, with the orders as a second dataset, so that contracts can
// be mended. The functions are those that are compiled already.
func project(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "Pulumi.yaml", "Pulumi.dev.yaml", "functions", "shared", packages} {
		err := filepath.WalkDir(filepath.Join(root, name), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			to := filepath.Join(dir, strings.TrimPrefix(path, root))
			switch {
			case d.IsDir() && d.Name() == "testdata":
				return filepath.SkipDir
			case d.IsDir():
				return os.MkdirAll(to, 0o755)
			case strings.HasSuffix(path, "_test.go"):
				return nil
			}
			return copyFile(to, path)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := copyFile(contractFile(dir, "orders"), filepath.Join(root, "infra/local/e2e/testdata/orders.odcs.yaml")); err != nil {
		t.Fatal(err)
	}
	pack(t, dir)
	return dir
}

func copyFile(to, from string) error {
	body, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, body, 0o700)
}

// pack makes the packages of a project's functions and contracts as they are.
func pack(t *testing.T, dir string) {
	t.Helper()
	_, err := artifact.Build(t.Context(), artifact.Options{Root: dir, Dir: packages, Target: artifact.Host()})
	if err != nil {
		t.Fatal(err)
	}
}

func contractFile(dir, dataset string) string {
	return filepath.Join(dir, "shared/datasets", dataset+".odcs.yaml")
}

func loadContract(t *testing.T, dir, dataset string) *contract.Contract {
	t.Helper()
	c, err := contract.Load(contractFile(dir, dataset))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mend changes a project's contract: each pair is a text and what stands in its place.
func mend(t *testing.T, dir, dataset string, pairs ...string) {
	t.Helper()
	file := contractFile(dir, dataset)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if strings.Count(string(text), pairs[i]) != 1 {
			t.Fatalf("the contract of %s has %q %d times, want once", dataset, pairs[i], strings.Count(string(text), pairs[i]))
		}
	}
	if err := os.WriteFile(file, []byte(strings.NewReplacer(pairs...).Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
}
