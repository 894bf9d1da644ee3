package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/magefile/mage/mage"

	"tributary/infra/lock"
)

// become compiles the magefile of a folder and runs its targets in this process's place: it returns only when it fails.
//
// Mage writes a file beside the magefile, compiles both and removes it. Of two that do so at the same time one would find
// the file of the other, or none, so that they take turns until each has begun to run.
func become(dir string, targets []string) error {
	path, turn, err := compile(dir)
	if err != nil {
		return err
	}
	err = syscall.Exec(path, slices.Concat([]string{path}, targets), os.Environ()) //nolint:gosec // the program that was just compiled; this closes the lock
	return errors.Join(fmt.Errorf("run %s: %w", path, err), turn.Close())
}

// compile compiles the magefile of a folder. While turn is open no other process does.
func compile(dir string) (path string, turn *os.File, err error) {
	fail := func(err error) (string, *os.File, error) { return "", nil, fmt.Errorf("compile magefile: %w", err) }
	build, err := filepath.Abs(filepath.Join(dir, ".build"))
	if err != nil {
		return fail(err)
	}
	if err := os.MkdirAll(build, 0o755); err != nil {
		return fail(err)
	}
	if turn, err = lock.Wait(filepath.Join(build, "mage.lock")); err != nil {
		return fail(err)
	}
	over := make(chan struct{})
	defer close(over)
	go tell(os.Stderr, time.After(time.Second), over)
	path = filepath.Join(build, "bin", "mage")
	if status := mage.Invoke(mage.Invocation{Dir: dir, CompileOut: path, Stdout: os.Stdout, Stderr: os.Stderr}); status != 0 {
		return fail(errors.Join(errors.New("see above"), turn.Close()))
	}
	return path, turn, nil
}

// tell says what takes so long, unless it is over before it is late. Of what Go fetches Go tells, and of what it compiles
// nobody would.
func tell(out io.Writer, late <-chan time.Time, over <-chan struct{}) {
	select {
	case <-late:
		fmt.Fprintln(out, "compiling the targets (a first time takes a minute or two: Go compiles its own library as well, and fetches modules)")
	case <-over:
	}
}
