package revision

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// repository has a project in a folder of its own, of two commits.
func repository(t *testing.T) (root string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	top := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Dir = top
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(top, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run("init", "--quiet", "--initial-branch=main")
	write("project/sets/a.yaml", "a: 1\n")
	write("project/sets/ü b.yaml", "b: 1\n")
	write("project/sets/deeper/c.yaml", "c: 1\n")
	run("add", ".")
	run("commit", "--quiet", "-m", "one")
	write("project/sets/a.yaml", "a: 2\n")
	run("commit", "--quiet", "-a", "-m", "two")
	return filepath.Join(top, "project")
}

func resolve(t *testing.T, root, revision string) string {
	t.Helper()
	commit, err := Resolve(t.Context(), root, revision)
	if err != nil {
		t.Fatal(err)
	}
	return commit
}

func TestResolve(t *testing.T) {
	root := repository(t)
	if commit := resolve(t, root, "main"); len(commit) != 40 || commit != resolve(t, root, commit[:10]) {
		t.Errorf("main is %q", commit)
	}
	for _, test := range []struct{ name, revision, want string }{
		{"unknown", "nowhere", "find revision nowhere: this repository does not have it"},
		{"an option", "--all", "find revision --all: this repository does not have it"},
		{"none", "", "find revision : this repository does not have it"},
	} {
		if _, err := Resolve(t.Context(), root, test.revision); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %s", test.name, err, test.want)
		}
	}
	if _, err := Resolve(t.Context(), root, strings.Repeat("0", 40)); !errors.Is(err, ErrNothing) {
		t.Errorf("zeros: error %v", err)
	}
}

func TestFiles(t *testing.T) {
	root := repository(t)
	for _, test := range []struct {
		revision, dir string
		want          []File
	}{
		{"main~1", "sets", []File{{"a.yaml", []byte("a: 1\n")}, {"ü b.yaml", []byte("b: 1\n")}}},
		{"main", "sets/", []File{{"a.yaml", []byte("a: 2\n")}, {"ü b.yaml", []byte("b: 1\n")}}},
		{"main", "other", nil},
	} {
		got, err := Files(t.Context(), root, resolve(t, root, test.revision), test.dir)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s at %s (-want +got):\n%s", test.dir, test.revision, diff)
		}
	}
}

func TestCheckout(t *testing.T) {
	root := repository(t)
	project, remove, err := Checkout(t.Context(), root, resolve(t, root, "main~1"))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(project, "sets", "a.yaml")); err != nil || string(text) != "a: 1\n" {
		t.Errorf("the file is %q, %v", text, err)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(project); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder after its removal: %v", err)
	}
	if left, err := git(t.Context(), root, "worktree", "list"); err != nil || strings.Count(string(left), "\n") != 1 {
		t.Errorf("worktrees that are left: %s, %v", left, err)
	}
	if _, _, err := Checkout(t.Context(), root, "nothing"); err == nil {
		t.Error("a commit that is not there was checked out")
	}
}
