package readme

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"tributary/infra/lock"
)

// project is a repository with files, some of them not committed, one ignored and one deleted.
func project(t *testing.T, readme string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	dir := t.TempDir()
	write(t, dir, map[string]string{".gitignore": "/.build/\n/.local/\n", "README.md": readme, "sub/kept.txt": "as committed", "gone.txt": ""})
	for _, args := range [][]string{{"init", "-q"}, {"add", "--all"}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "all"}} {
		if _, err := git(t.Context(), dir, args...); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, map[string]string{"sub/kept.txt": "as it is", "new.txt": "new", ".local/mine.txt": "mine"})
	if err := os.Remove(filepath.Join(dir, "gone.txt")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// The commands see the project as it is, and what they do to it is done to the copy.
func TestRun(t *testing.T) {
	dir := project(t, "```sh\nA=1 cat sub/kept.txt new.txt   # both\nA=1 rm sub/kept.txt\nA=1 test ! -e gone.txt -a ! -e .local\ngit checkout COMMIT\n"+
		"aws s3 ls   # needs AWS\n```\n\n`A=1 cat new.txt` shows\n\n```\nnew\n```\n")
	t.Setenv("GIT_DIR", filepath.Join(dir, ".git")) // as in a hook
	var out bytes.Buffer
	if err := Run(t.Context(), dir, Rules{Substitutions: []Substitution{{"COMMIT", "HEAD", "the commit"}}}, &out); err != nil {
		t.Fatal(err)
	}
	want := `The 6 commands of README.md, in a fresh copy in .build/readme
  ✓     T s  A=1 cat sub/kept.txt new.txt
  ✓     T s  A=1 rm sub/kept.txt
  ✓     T s  A=1 test ! -e gone.txt -a ! -e .local
  ✓     T s  git checkout COMMIT
               as git checkout HEAD  (the commit)
  –            aws s3 ls  (needs AWS)
  ✓     T s  A=1 cat new.txt
               its screen is what the README shows
5 commands ran, 1 did not
`
	if got := regexp.MustCompile(` +\d+\.\d s `).ReplaceAllString(out.String(), "     T s "); got != want {
		t.Errorf("it prints\n%s\nwant\n%s", got, want)
	}
	if kept, err := os.ReadFile(filepath.Join(dir, "sub/kept.txt")); err != nil || string(kept) != "as it is" {
		t.Errorf("the project has %q, %v", kept, err)
	}
	if _, err := os.Stat(filepath.Join(dir, Copy)); !os.IsNotExist(err) {
		t.Errorf("the copy is still there: %v", err)
	}
	log, err := exec.Command("git", "--git-dir="+filepath.Join(dir, ".git"), "log", "--format=%s").Output()
	if err != nil || string(log) != "all\n" {
		t.Errorf("the project's commits are %q, %v", log, err)
	}
}

// Who unpacked an archive has no repository.
func TestRunWithoutARepository(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"README.md": "`A=1 sh -c false`"})
	var out bytes.Buffer
	if err := Run(t.Context(), dir, Rules{}, &out); err != nil || !strings.Contains(out.String(), "are not run: this is no git repository") {
		t.Errorf("%v; it prints %s", err, out.String())
	}
	t.Setenv("PATH", dir)
	out.Reset()
	if err := Run(t.Context(), dir, Rules{}, &out); err != nil || !strings.Contains(out.String(), "are not run: git is not installed") {
		t.Errorf("%v; it prints %s", err, out.String())
	}
}

// The copy is of one run alone.
func TestRunIsAlone(t *testing.T) {
	dir := project(t, "`A=1 cat new.txt`")
	write(t, dir, map[string]string{Copy + "/of-the-other": ""})
	other, err := lock.Wait(filepath.Join(dir, Copy+".lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := Run(t.Context(), dir, Rules{}, io.Discard); err == nil || err.Error() != "another run of the README is at work in .build/readme" {
		t.Errorf("says %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, Copy, "of-the-other")); err != nil {
		t.Error(err)
	}
}

// All that fails is told, and the copy stays for a look.
func TestRunTellsWhatFailed(t *testing.T) {
	dir := project(t, "`A=1 sh -c false`, `A=1 cat new.txt` shows\n\n```\nold\n```\n\n`A=1 cat nowhere.txt`")
	var out bytes.Buffer
	err := Run(t.Context(), dir, Rules{}, &out)
	if err == nil {
		t.Fatalf("no error; it prints\n%s", out.String())
	}
	for _, want := range []string{
		"README.md:1: A=1 sh -c false: exit status 1", `README.md:1: A=1 cat new.txt: compare with the screen`, `"old"`,
		"README.md:7: A=1 cat nowhere.txt: exit status 1\nit complained:\ncat: nowhere.txt: No such file", "3 of 3 commands failed; .build/readme is as they left it",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
	if strings.Count(out.String(), "✗") != 3 {
		t.Errorf("it prints\n%s", out.String())
	}
	if _, err := os.Stat(filepath.Join(dir, Copy, "new.txt")); err != nil {
		t.Error(err)
	}
}

func TestShell(t *testing.T) {
	t.Setenv("AWS_PROFILE", "mine")
	for _, test := range []struct {
		command, printed, fails string
		lines                   []Line
	}{
		{"echo a; echo b >&2", "a\n", "", nil},
		{`echo "<$AWS_PROFILE>"`, "<>\n", "", nil},
		{"read x; echo $?", "1\n", "", nil}, // nobody says anything
		{"echo a; echo b >&2; exit 3", "", "exit status 3\nit printed:\na\nit complained:\nb\n", nil},
		{"echo 'goroutine 7 [running]:' >&2", "", "it broke down: goroutine 7 [", nil},
		{"echo x; echo 'panic: no'", "", "it broke down: panic: ", nil},
		{"echo 'Error: runtime error: index'", "", "it broke down: runtime error: ", nil},
		{"echo 'do not panic: it is well'", "do not panic: it is well\n", "", nil},
		{
			`sh -c 'trap "echo bye; exit 0" INT; echo ready; read x; echo "got $x, ready"; while :; do sleep 0.01; done'`, "ready\ngot hello, ready\nbye\n", "",
			[]Line{{"ready", "hello"}, {"ready", CtrlC}},
		},
		{"sh -c 'echo ready; read x'", "", `it ended before it showed "more"`, []Line{{"ready", "hello"}, {"more", CtrlC}}},
	} {
		printed, err := shell(t.Context(), t.TempDir(), test.command, test.lines)
		switch {
		case test.fails == "" && err != nil:
			t.Errorf("%s: %v", test.command, err)
		case test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)):
			t.Errorf("%s: %v, want %s", test.command, err, test.fails)
		case printed != test.printed:
			t.Errorf("%s printed %q, want %q", test.command, printed, test.printed)
		}
	}
}

// Whoever interrupts it leaves nothing running.
func TestShellIsInterrupted(t *testing.T) {
	dir := t.TempDir()
	held := filepath.Join(dir, "held") // open for as long as any of the processes runs
	if err := syscall.Mkfifo(held, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() {
		file, err := os.Open(held)
		if err == nil {
			_, err = file.Read(make([]byte, 8))
			cancel()
			_, rest := io.Copy(io.Discard, file)
			err = errors.Join(err, rest, file.Close())
		}
		ended <- err
	}()
	if _, err := shell(ctx, dir, "exec 3>held; sh -c 'while :; do sleep 1; done' & echo started >&3; while :; do sleep 1; done", nil); err == nil {
		t.Error("no error")
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestLacks(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"full/" + tool: ""})
	address, server, err := serve([]byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ dir, command, want string }{
		{"empty", tool + " lint x", "datacontract is not installed; the README says how"},
		{"full", tool + " lint x", ""},
		{"empty", "AWS_ENDPOINT_URL=" + address + " go test ./x", ""},
		{"empty", "go tool mage run", ""},
	} {
		if got := lacks(t.Context(), filepath.Join(dir, test.dir), test.command); got != test.want {
			t.Errorf("%s: %q, want %q", test.command, got, test.want)
		}
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if got := lacks(t.Context(), dir, "AWS_ENDPOINT_URL="+address+" go test ./x"); got != "no moto listens there" {
		t.Errorf("nobody listens: %q", got)
	}
}
