package artifact

import (
	"fmt"
	"os"
	"path/filepath"
)

// Release is the digest of the packages below dir as a whole, as in sha256:…: of the stamp, which names source, contracts
// and toolchain and has a digest of every zip. The same commit gives the same, wherever it is built; packages that Check
// refuses have none.
func Release(root, dir string, target Target) (string, error) {
	if err := Check(root, dir, target); err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(root, dir, stampName))
	if err != nil {
		return "", fmt.Errorf("read stamp: %w", err)
	}
	return "sha256:" + digestOf(text), nil
}

// CheckRelease says whether the packages below dir are those of a release.
func CheckRelease(root, dir string, target Target, want string) error {
	got, err := Release(root, dir, target)
	switch {
	case err != nil:
		return err
	case want == "":
		return fmt.Errorf("check release: no digest is known to hold %s against: was this commit ever deployed?", got)
	case got != want:
		return fmt.Errorf("check release: deployment packages in %s are %s, not %s: they are of another commit, or were built by another toolchain", dir, got, want)
	}
	return nil
}
