package artifact

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWriteSizes(t *testing.T) {
	largest := Size{Path: "root/" + Dir + "/ingest-coins.zip", Zip: MaxZip, Bootstrap: 25 << 20}
	if got, want := largest.String(), "root/"+Dir+"/ingest-coins.zip  10.0 MiB (bootstrap 25.0 MiB)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	var out strings.Builder
	if err := WriteSizes(&out, []Size{largest}); err != nil {
		t.Error(err)
	}
	want := "| package | zip | limit | function, unpacked |\n|---|---:|---:|---:|\n| `ingest-coins.zip` | 10.0 MiB | 10.0 MiB | 25.0 MiB |\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	above := Size{Path: "process-coins.zip", Zip: MaxZip + 1<<17}
	out.Reset()
	if err := WriteSizes(&out, []Size{largest, above}); err == nil || !strings.Contains(err.Error(), "process-coins.zip: it has 10.1 MiB") || strings.Contains(err.Error(), "ingest") {
		t.Errorf("an eighth of a MiB above: %v", err)
	}
	if !strings.Contains(out.String(), "`process-coins.zip` | 10.1 MiB") {
		t.Errorf("the table does not show what is too large:\n%s", out.String())
	}
}
