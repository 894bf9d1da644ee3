package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Several that are started at the same moment do not take each other's generated file away.
func TestCompileAtTheSameTime(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module project\n", "magefile.go": "//go:build mage\n\npackage main\n\nfunc Greet() { println(\"hello\") }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			path, turn, err := compile(dir)
			if err != nil {
				t.Error(err)
				return
			}
			said, err := exec.Command(path, "greet").CombinedOutput()
			if err != nil || string(said) != "hello\n" {
				t.Errorf("it says %q: %v", said, err)
			}
			if err := turn.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if left, _ := filepath.Glob(filepath.Join(dir, "mage_*")); left != nil {
		t.Errorf("left are %q", left)
	}
}

func TestCompileFails(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "magefile.go"), []byte("//go:build mage\n\npackage main\n\nfunc Greet() { nothing() }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first lets go of the lock
		if _, _, err := compile(dir); err == nil {
			t.Error("no error")
		}
	}
}

// What is quick stays quiet.
func TestTell(t *testing.T) {
	var out strings.Builder
	over := make(chan struct{})
	late := make(chan time.Time, 1)
	late <- time.Time{}
	if tell(&out, late, over); !strings.HasPrefix(out.String(), "compiling the targets (a first time takes a minute or two") || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("when it is late it says %q", &out)
	}
	out.Reset()
	close(over)
	if tell(&out, late, over); out.Len() > 0 {
		t.Errorf("when it was quick it says %q", &out)
	}
}
