package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"tributary/infra/artifact"
	"tributary/infra/revision"
	"tributary/infra/stack"
)

// previewer prints the preview of a stack of the project at root, as JSON, by the program that lies there.
type previewer func(ctx context.Context, root, stack string, progress io.Writer) ([]byte, error)

// against holds every stack against what it was at a revision. What it was, the program of that revision says, in a
// folder of its own: a change of the program shows like one of its settings.
func against(ctx context.Context, out, progress io.Writer, base string, before previewer) (err error) {
	dir, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find root of the project: %w", err)
	}
	root, err := stack.FindRoot(dir)
	if err != nil {
		return err
	}
	commit, err := revision.Resolve(ctx, root, base)
	if errors.Is(err, revision.ErrNothing) {
		return writeAgainst(out, base, nil)
	}
	if err != nil {
		return err
	}
	former, remove, err := revision.Checkout(ctx, root, commit)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()

	now, err := stacksOf(root)
	if err != nil {
		return err
	}
	then, err := stacksOf(former)
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for _, name := range append(slices.Clone(now), then...) {
		names[name] = true
	}
	var pairs []pair
	for _, name := range slices.Sorted(maps.Keys(names)) {
		p := pair{stack: name}
		if slices.Contains(then, name) {
			text, err := before(ctx, former, name, progress)
			if err != nil {
				return fmt.Errorf("preview stack %s at %s: %w", name, base, err)
			}
			if p.before, err = readJSON(text); err != nil {
				return fmt.Errorf("preview stack %s at %s: %w", name, base, err)
			}
		}
		if slices.Contains(now, name) {
			if p.after, err = recordAsRead(ctx, name, progress); err != nil {
				return err
			}
		}
		pairs = append(pairs, p)
	}
	return writeAgainst(out, commit[:12], pairs)
}

// recordAsRead is the preview of a stack as it is now, by the way of JSON that the former came.
func recordAsRead(ctx context.Context, name string, progress io.Writer) (*preview, error) {
	p, err := record(ctx, name, progress)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := writeJSON(&text, p); err != nil {
		return nil, err
	}
	return readJSON(text.Bytes())
}

// stacksOf are the names of a project's stacks.
func stacksOf(root string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(root, "Pulumi.*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list stacks: %w", err)
	}
	for i, path := range paths {
		paths[i] = strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "Pulumi."), ".yaml")
	}
	return paths, nil
}

// previewOf compiles the program of a project and has it say what it declares.
func previewOf(ctx context.Context, root, stack string, progress io.Writer) ([]byte, error) {
	command := filepath.Join(root, ".build", "bin", "preview")
	// Go's cache has what is alike; for a second stack it has everything.
	if err := artifact.Compile(ctx, artifact.CompileOptions{Root: root, Package: "./infra/preview", Output: command}); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, command, "show", "-json", stack)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = io.MultiWriter(progress, &stderr)
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return text, nil
}
