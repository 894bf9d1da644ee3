//go:build unix

package lambda

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	folderPrefix = "tributary-lambda-"
	lockName     = ".lock"
	settled      = time.Minute // a folder that is younger may not have its lock yet
)

// folder is where a host unpacks functions. It is locked for as long as the host lives, however it ends.
type folder struct {
	path string
	lock *os.File
}

// newFolder makes a folder below another, and removes those there whose hosts were killed.
func newFolder(below string, now time.Time) (folder, error) {
	sweep(below, now)
	path, err := os.MkdirTemp(below, folderPrefix)
	if err != nil {
		return folder{}, fmt.Errorf("make directory for functions: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err != nil {
		return folder{}, errors.Join(fmt.Errorf("lock directory for functions: %w", err), os.RemoveAll(path))
	}
	return folder{path, lock}, nil
}

func (f folder) remove() error {
	return errors.Join(os.RemoveAll(f.path), f.lock.Close())
}

// sweep removes the folders that nobody holds any more. One that it may not remove is somebody else's.
func sweep(below string, now time.Time) {
	found, _ := filepath.Glob(filepath.Join(below, folderPrefix+"*")) // the pattern is well-formed
	for _, path := range found {
		info, err := os.Stat(path)
		if err != nil || now.Sub(info.ModTime()) < settled {
			continue
		}
		lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(path) // see above
		}
		_ = lock.Close() // nothing was written
	}
}
