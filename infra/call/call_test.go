package call_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/call"
)

func TestDivide(t *testing.T) {
	for _, test := range []struct{ line, mage, words string }{
		{"mage", "mage", ""},
		{"mage run -from=a.json test", "mage run", "-from=a.json test"},
		{"mage ops:status", "mage ops:status", ""},
		{"mage -v ops:replay coins 2025-03-01 -force 2025-03-02", "mage -v ops:replay", "coins 2025-03-01 -force 2025-03-02"},
		{"mage Ops:Upload coins ops:x", "mage Ops:Upload", "coins ops:x"},
		{"mage ops:", "mage ops:", ""},
		{"mage vet lint", "mage vet lint", ""},
		{"mage query -format=csv SELECT 1", "mage query", "-format=csv SELECT 1"},
		{"mage queries query", "mage queries query", ""},
	} {
		mage, words := call.Divide(strings.Fields(test.line))
		if diff := cmp.Diff([]string{test.mage, test.words}, []string{strings.Join(mage, " "), strings.Join(words, " ")}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.line, diff)
		}
	}
}

func TestDeployed(t *testing.T) {
	for _, test := range []struct {
		words string
		want  bool
	}{
		{"", false},
		{"coins 2025-03-01 -force", false},
		{"coins -stack=dev", true},
		{"coins --stack dev", true},
		{"-outputs=outputs.json coins", true},
		{"coins stack", false},
		{"coins -stacks=dev", false},
	} {
		if got := call.Deployed(strings.Fields(test.words)); got != test.want {
			t.Errorf("%q: %t", test.words, got)
		}
	}
}
