package command

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var told = regexp.MustCompile(`^this is a fault of the program, and not of what it was given: (.*)\nplease report it with (.*), which says where it happened\n$`)

func TestReport(t *testing.T) {
	var out bytes.Buffer
	report(&out, t.TempDir(), "index out of range", []byte("goroutine 1 [running]:"))
	m := told.FindStringSubmatch(out.String())
	if m == nil || m[1] != "index out of range" {
		t.Fatalf("told %q", &out)
	}
	if kept, err := os.ReadFile(m[2]); err != nil || string(kept) != "index out of range\n\ngoroutine 1 [running]:" {
		t.Errorf("kept %q, %v", kept, err)
	}
	out.Reset()
	report(&out, filepath.Join(t.TempDir(), "nowhere"), "nil map", []byte("goroutine 1 [running]:"))
	if !strings.HasSuffix(out.String(), "goroutine 1 [running]:") {
		t.Errorf("where nothing can be kept, the trace is lost: %q", &out)
	}
}

func TestStatus(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	before := os.Stderr
	t.Cleanup(func() { os.Stderr = before })
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	os.Stderr = file
	if status := Status(func() int { return 3 }); status != 3 {
		t.Errorf("status %d, want the command's", status)
	}
	var none map[string]int
	if status := Status(func() int { none["a"] = 1; return 0 }); status != exitFailed {
		t.Errorf("status %d after a panic", status)
	}
	screen, err := os.ReadFile(file.Name())
	if m := told.FindStringSubmatch(string(screen)); err != nil || m == nil || !strings.Contains(m[1], "nil map") {
		t.Errorf("told %q, %v", screen, err)
	}
}

func TestServerLog(t *testing.T) {
	var out bytes.Buffer
	logger := ServerLog()
	logger.SetOutput(serverLog{&out, t.TempDir()})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("broken") }))
	server.Config.ErrorLog = logger
	server.Start()
	if answer, err := server.Client().Get(server.URL); err == nil {
		answer.Body.Close()
		t.Error("a handler that panics answers")
	}
	server.Close()
	if m := told.FindStringSubmatch(out.String()); m == nil || !strings.HasSuffix(m[1], ": broken") {
		t.Errorf("told %q", &out)
	}
	out.Reset()
	logger.Print("http: TLS handshake error")
	if out.String() != "http: TLS handshake error\n" {
		t.Errorf("told %q", &out)
	}
}

type full struct{ room int }

func (f *full) Write(text []byte) (int, error) {
	if f.room -= len(text); f.room < 0 {
		return 0, errors.New("no space left on device")
	}
	return len(text), nil
}

func TestOutput(t *testing.T) {
	out := &Output{To: &full{room: 5}}
	fmt.Fprint(out, "12345")
	if out.Err() != nil {
		t.Errorf("error %v", out.Err())
	}
	fmt.Fprint(out, "6")
	fmt.Fprint(out, "")
	if err := out.Err(); err == nil || err.Error() != "write the answer: no space left on device" {
		t.Errorf("error %v", err)
	}
}
