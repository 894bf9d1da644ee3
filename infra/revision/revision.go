// Package revision reads the project as it was at a revision of its git repository, for what compares a change with what
// it is based on.
//
// It asks the git command and changes nothing but git's own list of worktrees, which a worktree leaves when it is
// removed. A revision of zeros alone is what GitHub and git's hooks call the state before a branch was there: nothing.
package revision

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// ErrNothing is returned for the revision before a branch was there.
var ErrNothing = errors.New("there is nothing before")

// Resolve is the commit that a revision names in the repository of root.
func Resolve(ctx context.Context, root, revision string) (commit string, err error) {
	if revision != "" && strings.Trim(revision, "0") == "" {
		return "", ErrNothing
	}
	out, err := git(ctx, root, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	var exit *exec.ExitError
	if errors.As(err, &exit) && strings.Contains(err.Error(), "not a git repository") {
		return "", fmt.Errorf("find revision %s: this is no clone of a git repository", revision)
	}
	if errors.As(err, &exit) {
		return "", fmt.Errorf("find revision %s: this repository does not have it; a shallow clone gets it with `git fetch --unshallow`", revision)
	}
	if err != nil {
		return "", fmt.Errorf("find revision %s: %w", revision, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// File is a file of a revision.
type File struct {
	Name string // within its folder
	Text []byte
}

// Files are those of one folder at a commit, by name, without those of folders in it; none where it was not there. dir
// is below root.
func Files(ctx context.Context, root, commit, dir string) ([]File, error) {
	fail := func(err error) error { return fmt.Errorf("read %s at %s: %w", dir, short(commit), err) }
	// Paths of ls-tree and of commit:./path are relative to the folder that git runs in.
	listed, err := git(ctx, root, "ls-tree", "-z", commit, "--", path.Clean(dir)+"/")
	if err != nil {
		return nil, fail(err)
	}
	var files []File
	for entry := range strings.SplitSeq(strings.TrimSuffix(string(listed), "\x00"), "\x00") {
		meta, name, found := strings.Cut(entry, "\t")
		if !found || !strings.Contains(meta, " blob ") {
			continue
		}
		text, err := git(ctx, root, "cat-file", "blob", commit+":./"+name)
		if err != nil {
			return nil, fail(err)
		}
		files = append(files, File{Name: path.Base(name), Text: text})
	}
	return files, nil
}

// Checkout puts the repository at a commit into a folder of its own, and returns where the project lies in it. remove
// takes the folder away again.
func Checkout(ctx context.Context, root, commit string) (project string, remove func() error, err error) {
	fail := func(err error) error { return fmt.Errorf("check out %s: %w", short(commit), err) }
	prefix, err := git(ctx, root, "rev-parse", "--show-prefix")
	if err != nil {
		return "", nil, fail(err)
	}
	above, err := os.MkdirTemp("", "revision-")
	if err != nil {
		return "", nil, fail(err)
	}
	tree := filepath.Join(above, "tree")
	remove = func() error {
		// Also when the work was interrupted: what is left in git's list would be in the way.
		_, err := git(context.WithoutCancel(ctx), root, "worktree", "remove", "--force", tree)
		return errors.Join(err, os.RemoveAll(above))
	}
	if _, err := git(ctx, root, "worktree", "add", "--quiet", "--detach", tree, commit); err != nil {
		return "", nil, fail(errors.Join(err, os.RemoveAll(above)))
	}
	return filepath.Join(tree, filepath.FromSlash(strings.TrimSpace(string(prefix)))), remove, nil
}

// short is a commit as people write it.
func short(commit string) string { return commit[:min(len(commit), 12)] }

// git runs the git command in root.
func git(ctx context.Context, root string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}
