package readme

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// fresh makes dir a copy of the project as it is, with what is not committed and without what git ignores, in a repository
// of its own with one commit.
func fresh(ctx context.Context, root, dir string) error {
	fail := func(err error) error { return fmt.Errorf("copy project to %s: %w", dir, err) }
	listed, err := git(ctx, root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return fail(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fail(err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(listed, "\x00"), "\x00") {
		err := copyFile(filepath.Join(root, name), filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // deleted, and not committed
			return fail(err)
		}
	}
	for _, args := range [][]string{
		{"init", "-q"}, {"add", "--all"},
		{"-c", "user.name=readme", "-c", "user.email=readme@example.com", "-c", "commit.gpgSign=false", "commit", "-q", "--no-verify", "-m", "as it is"},
	} {
		if _, err := git(ctx, dir, args...); err != nil {
			return fail(err)
		}
	}
	return nil
}

// unlisted is why git cannot say what belongs to the project, or "".
func unlisted(ctx context.Context, root string) string {
	if _, err := exec.LookPath("git"); err != nil {
		return "git is not installed"
	}
	if _, err := git(ctx, root, "rev-parse", "--git-dir"); err != nil && strings.Contains(err.Error(), "not a git repository") {
		return "this is no git repository"
	}
	return ""
}

func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	body, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, body, info.Mode().Perm()) //nolint:gosec // git lists files below the root alone
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = dir, append(environment(os.Environ()), "LC_ALL=C")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return string(out), nil
}
