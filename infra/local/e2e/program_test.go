package e2e_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// programs are the project's commands as mage compiles them, each once for all tests.
var programs struct {
	sync.Mutex
	dir string
}

// program is the path of the command in a package below the root.
func program(t *testing.T, pkg string) string {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	if programs.dir == "" {
		dir, err := os.MkdirTemp("", "tributary-programs-") //nolint:usetesting // the folder outlives the test
		if err != nil {
			t.Fatal(err)
		}
		programs.dir = dir
	}
	path := filepath.Join(programs.dir, strings.ReplaceAll(pkg, "/", "-"))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./"+pkg)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	return path
}

// removePrograms leaves nothing of them.
func removePrograms() error {
	if programs.dir == "" {
		return nil
	}
	return os.RemoveAll(programs.dir)
}

// called runs a command in a folder, and returns its status and its screen.
func called(t *testing.T, cmd *exec.Cmd) (status int, stdout, stderr string) {
	t.Helper()
	var out, complaints bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &out
	}
	cmd.Stderr = &complaints
	err := cmd.Run()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return status, out.String(), complaints.String()
}
