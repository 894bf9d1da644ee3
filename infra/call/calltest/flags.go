// Package calltest holds package call against the commands that read the flags.
package calltest

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/call"
)

// Flags fails the test where the help of a command shows other flags than package call knows of its target.
func Flags(t *testing.T, target, help string) {
	t.Helper()
	known, shown := map[string]bool{}, map[string]bool{}
	found, ok := call.Find(target)
	if !ok {
		t.Fatalf("there is no target %s", target)
	}
	for _, f := range found.Flags {
		known[f.Name] = true
	}
	for _, m := range regexp.MustCompile(`(?m)^  -(\w+)`).FindAllStringSubmatch(help, -1) {
		if m[1] != "attached" { // which mage alone gives
			shown[m[1]] = true
		}
	}
	if diff := cmp.Diff(shown, known); diff != "" {
		t.Errorf("flags of %s (-command +call):\n%s", target, diff)
	}
}
