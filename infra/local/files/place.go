package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"tributary/infra/input"
	"tributary/infra/local/glue"
)

// Root walks up from the working directory to the folder with Pulumi.yaml.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find root of the project: %w", err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "Pulumi.yaml")); err == nil {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("find root of the project: no Pulumi.yaml in %s or above", dir)
		}
	}
}

// Dir is where the state of a stack lies below the root: that of dev where the contracts' servers of type local say.
func Dir(stack string) string {
	if stack == "dev" {
		return ".local"
	}
	return filepath.Join(".local", "stacks", stack)
}

// Catalog reads the Glue catalog of a folder, whoever has it open. Without one the error wraps fs.ErrNotExist: no run has
// left anything there.
func Catalog(dir string) (glue.Catalog, error) {
	var c glue.Catalog
	data, err := os.ReadFile(filepath.Join(dir, catalogName))
	if err == nil {
		err = input.JSON(data, &c)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("read catalog: %s holds none: %w", dir, fs.ErrNotExist)
	}
	if unnamed := slices.ContainsFunc(c.Tables, func(t glue.Table) bool { return t.Database == "" || t.Name == "" }); err == nil && unnamed {
		err = errors.New("it has a table without a name")
	}
	if err != nil {
		return c, fmt.Errorf("read catalog %s: %w; go tool mage run writes it, with -fresh if it cannot go on either", filepath.Join(dir, catalogName), input.Plain(err))
	}
	return c, nil
}
