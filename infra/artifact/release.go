package artifact

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
)

// Release is the digest of the packages below dir as a whole, as in sha256:…: of the stamp, which names source, contracts
// and toolchain and has a digest of every zip. The same commit gives the same, wherever it is built; packages that Check
// refuses have none, nor have those of a toolchain that CheckToolchain refuses.
func Release(root, dir string, target Target) (string, error) {
	if err := CheckToolchain(root); err != nil {
		return "", err
	}
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
	switch {
	case want == "":
		return errors.New("check release: the digest to hold the packages against is empty: was this commit ever deployed?")
	case !digest.MatchString(want):
		return fmt.Errorf("check release: %q is no digest of a release, which is sha256: and 64 hexadecimal digits", want)
	}
	got, err := Release(root, dir, target)
	switch {
	case err != nil:
		return err
	case got != want:
		return fmt.Errorf("check release: deployment packages in %s are %s, not %s: they are of another commit", dir, got, want)
	}
	return nil
}

var digest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

var toolchain = regexp.MustCompile(`(?m)^toolchain[ \t]+(go\S+)`)

// CheckToolchain says whether packages that are built here can be those of a release: only by the toolchain that go.mod
// names does a commit give the same bytes on every machine. Where it names none, every toolchain will do.
func CheckToolchain(root string) error {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return fmt.Errorf("read toolchain: %w", err)
	}
	if named := toolchain.FindSubmatch(text); named != nil && string(named[1]) != runtime.Version() {
		return fmt.Errorf("check toolchain: this is %s, and go.mod names %s, without which the same commit gives other bytes: "+
			"run `export GOTOOLCHAIN=%[2]s`, then `go tool mage build`", runtime.Version(), named[1])
	}
	return nil
}
