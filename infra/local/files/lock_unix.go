//go:build unix

package files

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lockFile locks a file for this process; the system lets go of it when the process ends, however it ends.
func lockFile(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errors.New("another local run is at work in it")
		}
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
