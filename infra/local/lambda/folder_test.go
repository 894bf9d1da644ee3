//go:build unix

package lambda

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What a killed host left is gone with the next start; what a living one has stays, as does what has no lock of ours.
func TestFoldersOfKilledHostsAreRemoved(t *testing.T) {
	below, now := t.TempDir(), time.Now()
	start := func() folder {
		t.Helper()
		f, err := newFolder(below, now)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	killed, living := start(), start()
	if err := killed.lock.Close(); err != nil { // the system does so when a process ends
		t.Fatal(err)
	}
	foreign := filepath.Join(below, folderPrefix+"foreign")
	if err := os.Mkdir(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	there := func(path string) bool {
		_, err := os.Stat(path)
		return err == nil
	}
	sweep(below, now)
	if !there(killed.path) {
		t.Error("a folder that may not have its lock yet is removed")
	}
	sweep(below, now.Add(2*settled))
	if there(killed.path) || !there(living.path) || !there(foreign) {
		t.Errorf("there is the killed host's folder %t, the living host's %t, a foreign one %t", there(killed.path), there(living.path), there(foreign))
	}
	if err := living.remove(); err != nil || there(living.path) {
		t.Errorf("a folder that is given up: %v", err)
	}
}
