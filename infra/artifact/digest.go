package artifact

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// source is what functions are compiled from, as digests. It names the engine's revision, so it may be too sensitive (a
// comment changes it) but never too dull.
type source struct {
	Files     string `json:"source"`  // of functions/ and shared/
	Modules   string `json:"modules"` // go.mod and go.sum
	Toolchain string `json:"toolchain"`
}

func (s source) revision() string {
	return digestOf([]byte(s.Files + s.Modules + s.Toolchain))[:12]
}

// changes say why packages made from s are not those that now would be made.
func (s source) changes(now source) []string {
	var changes []string
	if s.Files != now.Files {
		changes = append(changes, "functions/ or shared/ changed since")
	}
	if s.Modules != now.Modules {
		changes = append(changes, "go.mod or go.sum changed since")
	}
	if s.Toolchain != now.Toolchain {
		changes = append(changes, fmt.Sprintf("they were built with %q, and Go is now %s", s.Toolchain, now.Toolchain))
	}
	return changes
}

func readSource(root string) (source, error) {
	s := source{Toolchain: runtime.Version()}
	modules := sha256.New()
	for _, path := range []string{"go.mod", "go.sum"} {
		if err := addFile(modules, root, path); err != nil {
			return source{}, err
		}
	}
	files := sha256.New()
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
			return addFile(files, root, relative)
		})
		if err != nil {
			return source{}, err
		}
	}
	s.Files, s.Modules = hex.EncodeToString(files.Sum(nil)), hex.EncodeToString(modules.Sum(nil))
	return s, nil
}

func addFile(to hash.Hash, root, path string) error {
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		return fmt.Errorf("read source: %w", err)
	}
	fmt.Fprintf(to, "%s %s\n", digestOf(text), filepath.ToSlash(path))
	return nil
}

func digestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
