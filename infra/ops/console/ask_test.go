package console

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestAskSecretFromStandardInput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "input")
	if err := os.WriteFile(file, []byte("s3cret key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var out bytes.Buffer
	got, err := AskSecret(in, &out)("key: ")
	if err != nil || got != "s3cret key\n" || out.Len() > 0 {
		t.Errorf("%q, %v; printed %q", got, err, out.String())
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := AskSecret(in, &out)("key: "); err == nil {
		t.Errorf("of a file that is closed came %q", got)
	}
}
