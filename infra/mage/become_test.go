package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
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
