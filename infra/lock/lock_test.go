package lock_test

import (
	"errors"
	"path/filepath"
	"testing"

	"tributary/infra/lock"
)

func TestLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	first, err := lock.Wait(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Try(name); !errors.Is(err, lock.ErrTaken) {
		t.Errorf("while another has it: %v", err)
	}
	second := make(chan error)
	go func() {
		file, err := lock.Wait(name)
		second <- err
		if err == nil {
			file.Close()
		}
	}()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-second; err != nil {
		t.Errorf("after it was let go: %v", err)
	}
	if _, err := lock.Wait(filepath.Join(t.TempDir(), "nowhere", "lock")); err == nil {
		t.Error("a lock in a folder that is not there")
	}
}
