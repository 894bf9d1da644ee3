//go:build unix

// Package lock keeps processes from doing the same in one place at the same time. A lock is a file that is open: the system
// lets go of it when the file is closed or its process ends, however it ends, and when another program takes its place.
package lock

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrTaken is returned where another process has the lock.
var ErrTaken = errors.New("another process has the lock")

// Try locks a file, which it makes where it is missing.
func Try(name string) (*os.File, error) { return take(name, syscall.LOCK_EX|syscall.LOCK_NB) }

// Wait locks a file as Try does, once no other process has it.
func Wait(name string) (*os.File, error) { return take(name, syscall.LOCK_EX) }

func take(name string, how int) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	for {
		err = syscall.Flock(int(file.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrTaken
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), file.Close())
	}
	return file, nil
}
