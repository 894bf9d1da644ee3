package stack

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// datasetsDir is where the contracts are, below the root of the project.
const datasetsDir = "shared/datasets"

// FindRoot walks up from dir to the folder with Pulumi.yaml: Pulumi starts the program in infra, tests and the local
// environment start it elsewhere.
func FindRoot(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		_, err := os.Stat(filepath.Join(at, "Pulumi.yaml"))
		if err == nil {
			return at, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("find root of the project: %w", err)
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("find root of the project: no Pulumi.yaml in %s or above", dir)
		}
	}
}
