package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// here previews a project elsewhere by this program: in the test the former program is the same, and only what it reads
// differs.
func here(t *testing.T) previewer {
	return func(ctx context.Context, root, stack string, progress io.Writer) ([]byte, error) {
		back, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		t.Chdir(root)
		defer t.Chdir(back)
		var text bytes.Buffer
		err = run(ctx, []string{"show", "-json", stack}, &text, progress)
		return text.Bytes(), err
	}
}

func edit(t *testing.T, path string, replacements ...string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replacements); i += 2 {
		if !strings.Contains(string(text), replacements[i]) {
			t.Fatalf("%s has no %q", path, replacements[i])
		}
		text = []byte(strings.Replace(string(text), replacements[i], replacements[i+1], 1))
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAgainst(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()) // so that what is left there is this test's own
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	clone(t)
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"}, {"add", "."},
		{"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--no-gpg-sign", "--no-verify", "-m", "one"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = ".."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	ask := func(revision string) string {
		t.Helper()
		var out bytes.Buffer
		if err := against(t.Context(), &out, io.Discard, revision, here(t)); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if same := ask("main"); !strings.HasPrefix(same, marker+"\n### Infrastructure: what changes since `") ||
		!strings.Contains(same, "#### dev: nothing\n") || !strings.Contains(same, "#### prod: nothing\n") {
		t.Errorf("a project differs from itself:\n%s", same)
	}

	// A contract without a serving table, another limit, another mail address, one stack less and one more.
	contract, err := os.ReadFile("../shared/datasets/coin_markets.odcs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(contract), "  - property: serving\n")
	if !found {
		t.Fatal("the contract has no custom property serving")
	}
	_, rest, _ = strings.Cut(rest, "\n  - property: ")
	if rest != "" {
		rest = "  - property: " + rest
	}
	if err := os.WriteFile("../shared/datasets/coin_markets.odcs.yaml", []byte(head+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	edit(t, "../Pulumi.prod.yaml", "scanLimitMB: 102400", "scanLimitMB: 2048", "data-alerts@example.com", "night@example.com")
	if err := os.Rename("../Pulumi.dev.yaml", "../Pulumi.trial.yaml"); err != nil {
		t.Fatal(err)
	}
	changed := ask("main")
	_, changed, _ = strings.Cut(changed, "`\n") // behind the commit
	// Digests of zips are the toolchain's as well.
	golden(t, "against.md", regexp.MustCompile(`(?m)^([-+]) \S{43}=$`).ReplaceAllString(changed, "$1 DIGEST"))

	if nothing := ask(strings.Repeat("0", 40)); !strings.Contains(nothing, "There is nothing before.") {
		t.Errorf("before everything:\n%s", nothing)
	}
	if err := against(t.Context(), io.Discard, io.Discard, "nowhere", here(t)); err == nil || !strings.Contains(err.Error(), "find revision nowhere") {
		t.Errorf("an unknown revision: %v", err)
	}
	broken := func(context.Context, string, string, io.Writer) ([]byte, error) { return []byte("{"), nil }
	if err := against(t.Context(), io.Discard, io.Discard, "main", broken); err == nil || !strings.Contains(err.Error(), "preview stack dev at main: read preview") {
		t.Errorf("an unreadable preview: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "revision-*")); err != nil || len(left) > 0 {
		t.Errorf("folders that are left: %q, %v", left, err)
	}
}

func TestHunks(t *testing.T) {
	for _, test := range []struct {
		name string
		of   string
		c    change
		want string
	}{
		{"a number", "", change{of: "Function", what: "memorySize", a: "512", b: "1024", where: "ingest, process"}, "@@ Function memorySize @@ ingest, process\n- 512\n+ 1024"},
		{"a setting", "setting", change{what: "protect", a: "false", b: "true"}, "@@ setting protect @@\n- false\n+ true"},
		{"statements", "", change{of: "RolePolicy", what: "policy", a: "A: Allow x; B: Allow y", b: "B: Allow y; C: Allow z", where: "process"}, "@@ RolePolicy policy @@ process\n- A: Allow x\n+ C: Allow z"},
		{"lines", "", change{of: "NamedQuery", what: "query", a: "SELECT a\nFROM t", b: "SELECT b\nFROM t", where: "q"}, "@@ NamedQuery query @@ q\n- SELECT a\n+ SELECT b"},
		{"order", "", change{of: "X", what: "list", a: "a\nb", b: "b\na", where: "x"}, "@@ X list @@ x\n- a ⏎ b\n+ b ⏎ a"},
		{"gone", "output", change{what: "topic", a: "arn", b: "–"}, "@@ output topic @@\n- arn\n+ –"},
	} {
		if got := strings.Join(hunk(test.of, test.c), "\n"); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	if fence := fenceOf("a ```` b"); fence != "`````" {
		t.Errorf("fence %s", fence)
	}
}

func TestAgainstFitsIntoAComment(t *testing.T) {
	p := func(value string) *preview {
		return &preview{Project: "p", Stack: "s", Exports: map[string]any{"out": strings.Repeat(value+"\n", 40000)}}
	}
	var out bytes.Buffer
	if err := writeAgainst(&out, "abc", []pair{{stack: "s", before: p("aä"), after: p("bö")}}); err != nil {
		t.Fatal(err)
	}
	if n := len([]rune(out.String())); n > 65536 {
		t.Errorf("%d characters, GitHub takes 65536", n)
	}
}
