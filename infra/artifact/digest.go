package artifact

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// sourceDigest is a digest of the source that the functions are compiled from, and of the toolchain. It names the
// engine's revision, so it may be too sensitive (a comment changes it) but never too dull.
func sourceDigest(root string) (string, error) {
	hash := sha256.New()
	fmt.Fprintf(hash, "%s\n", runtime.Version())
	add := func(path string) error {
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return fmt.Errorf("read source: %w", err)
		}
		fmt.Fprintf(hash, "%s %s\n", digestOf(text), filepath.ToSlash(path))
		return nil
	}
	for _, path := range []string{"go.mod", "go.sum"} {
		if err := add(path); err != nil {
			return "", err
		}
	}
	for _, top := range []string{"functions", "shared"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return fmt.Errorf("walk source: %w", err)
			}
			name := entry.Name()
			if entry.IsDir() {
				// Contracts are packaged, not compiled: Check looks at each of them.
				if name == "testdata" || name == filepath.Base(datasetsDir) {
					return filepath.SkipDir
				}
				return nil
			}
			if strings.HasSuffix(name, "_test.go") {
				return nil
			}
			relative, err := filepath.Rel(root, path)
			if err != nil {
				return fmt.Errorf("name source: %w", err)
			}
			return add(relative)
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func digestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
