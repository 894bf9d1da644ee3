package e2e_test

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"testing"
)

// elsewhere is the URL of an endpoint that holds what the embedded services would hold; "" where they do.
var elsewhere = os.Getenv("AWS_ENDPOINT_URL")

const (
	keepsState = "a command puts back what the one before it left, with the versions, ETags and times that are in .local, and another endpoint gives its own"
	noStores   = "it reaches no store"
)

// embeddedOnly are the tests that another endpoint cannot take, and why. They are skipped there, aloud; all others run there.
var embeddedOnly = map[string]string{
	"TestRunCommand":               keepsState,
	"TestFaultsOnDemand":           keepsState,
	"TestCommandsThatFail":         keepsState,
	"TestDevCommand":               keepsState,
	"TestDevWhoseTerminalIsClosed": keepsState,
	"TestOperateLocally":           keepsState,
	"TestQueryCommand":             keepsState,
	"TestFromSampleToPreview":      keepsState,
	"TestHostileInput":             keepsState,
	"TestUnknownFunction":          noStores,
	"TestLostRunsAreFound":         "a run counts as lost when its objects are hours old, and another endpoint dates what is put back as of now",
}

var left = map[string]bool{}

// embedded leaves a test out where another endpoint cannot take it.
func embedded(t *testing.T) {
	t.Helper()
	why, ok := embeddedOnly[t.Name()]
	if !ok {
		t.Fatalf("embeddedOnly does not say why %s needs the embedded services", t.Name())
	}
	left[t.Name()] = true
	if elsewhere != "" {
		t.Skipf("not at %s: %s", elsewhere, why)
	}
}

// tellLeft prints what was left out, which the go command hides, and says whether the list is that of the tests.
func tellLeft(w io.Writer) bool {
	good := true
	for _, name := range slices.Sorted(maps.Keys(embeddedOnly)) {
		if !left[name] {
			fmt.Fprintf(w, "embeddedOnly names %s, which does not ask\n", name)
			good = false
		}
		if elsewhere != "" {
			fmt.Fprintf(w, "LEFT OUT at %s: %s: %s\n", elsewhere, name, embeddedOnly[name])
		}
	}
	return good
}
