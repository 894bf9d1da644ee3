//go:build mage

// What people and CI do with this project. What each target is for, and how it is called, is in package call.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/magefile/mage/mg"
	"github.com/magefile/mage/sh"

	"tributary/infra/artifact"
	"tributary/infra/call"
	"tributary/infra/vulnerability"
)

const (
	golangciLint = "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0"
	actionlint   = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
	govulncheck  = "golang.org/x/vuln/cmd/govulncheck@v1.9.0"
	binaries     = ".build/bin"
)

func Run(ctx context.Context) error { return localCommand.become(ctx, "run") }

func Invoke(ctx context.Context) error { return localCommand.become(ctx, "invoke") }

func Dev(ctx context.Context) error { return localCommand.become(ctx, "dev", "-attached") }

func Query(ctx context.Context) error {
	return command{"./infra/local/query/cmd", "query", "compiling the query tool (a first time takes a minute: DuckDB is large)"}.become(ctx)
}

type Ops mg.Namespace

func (Ops) Status(ctx context.Context) error { return operate(ctx, "status") }

func (Ops) Replay(ctx context.Context) error { return operate(ctx, "replay") }

func (Ops) Release(ctx context.Context) error { return operate(ctx, "release") }

func (Ops) Redrive(ctx context.Context) error { return operate(ctx, "redrive") }

func (Ops) Backfill(ctx context.Context) error { return operate(ctx, "backfill") }

func (Ops) Rejects(ctx context.Context) error { return operate(ctx, "rejects") }

func (Ops) Upload(ctx context.Context) error { return operate(ctx, "upload") }

func (Ops) Secret(ctx context.Context) error { return operate(ctx, "secret") }

func (Ops) Smoke(ctx context.Context) error { return operate(ctx, "smoke") }

// words stand behind a target that is a command of its own, and mage must not take them for targets.
var words []string

func init() { os.Args, words = call.Divide(os.Args) }

// operate runs an operator's command where it belongs: without a stack it needs the local environment.
func operate(ctx context.Context, operation string) error {
	if call.Deployed(words) {
		return command{"./infra/ops", "ops", "compiling the operators' commands"}.become(ctx, operation)
	}
	return localCommand.become(ctx, "ops", operation)
}

type Contract mg.Namespace

func (Contract) Check(ctx context.Context) error { return contractCommand.become(ctx, "check") }

func (Contract) Diff(ctx context.Context) error { return contractCommand.become(ctx, "diff") }

func (Contract) Against(ctx context.Context) error { return contractCommand.become(ctx, "against") }

func (Contract) Docs(ctx context.Context) error { return contractCommand.become(ctx, "docs") }

func (Contract) Jsonschema(ctx context.Context) error {
	return contractCommand.become(ctx, "jsonschema")
}

type Dataset mg.Namespace

func (Dataset) New(ctx context.Context) error {
	return command{"./infra/dataset", "dataset", "compiling the tool that reads samples"}.become(ctx, "new")
}

type Infra mg.Namespace

func (Infra) Preview(ctx context.Context) error { return previewCommand.become(ctx, "show") }

func (Infra) Diff(ctx context.Context) error { return previewCommand.become(ctx, "diff") }

func (Infra) Against(ctx context.Context) error { return previewCommand.become(ctx, "against") }

func (Infra) Bootstrap(ctx context.Context) error {
	return command{"./infra/bootstrap/cmd", "bootstrap", "compiling the template's writer"}.become(ctx)
}

func Bench(ctx context.Context) error {
	return command{"./infra/bench/cmd", "bench", "compiling the benchmark"}.become(ctx, "all")
}

func Build(ctx context.Context) error {
	progress := newTicker("compiling the functions for AWS")
	defer progress.stop()
	sizes, err := artifact.Build(ctx, artifact.Options{Root: ".", Dir: artifact.Dir, Target: artifact.AWS, Progress: progress.line})
	if err != nil {
		return err
	}
	for _, s := range sizes {
		fmt.Println(s)
	}
	if err := artifact.CheckToolchain("."); err != nil {
		fmt.Fprintln(os.Stderr, "build: these packages cannot be a release:", err)
	}
	return nil
}

func Sizes(ctx context.Context) error {
	sizes, err := artifact.Build(ctx, artifact.Options{Root: ".", Dir: artifact.Dir, Target: artifact.AWS})
	if err != nil {
		return err
	}
	return artifact.WriteSizes(os.Stdout, sizes)
}

func Release(is *string) error {
	if is != nil {
		return artifact.CheckRelease(".", artifact.Dir, artifact.AWS, *is)
	}
	digest, err := artifact.Release(".", artifact.Dir, artifact.AWS)
	if err == nil {
		fmt.Println(digest)
	}
	return err
}

func Test() {
	mg.SerialDeps(Vet, Lint, Unit, Mutants)
	mg.Deps(Readme, Race) // at the same time: the README's commands mostly wait
	mg.SerialDeps(Arm64, Workflows)
}

func Vet() error {
	return step("vet", "vet", "./...")
}

func Lint() error {
	return step("lint", "run", golangciLint, "run", "./...")
}

func Unit(ctx context.Context) error {
	if !artifact.HaveCompiler(ctx) {
		fmt.Println("unit: no C compiler here, so the tests that read Parquet and SQL through DuckDB are skipped")
	}
	if err := step("unit", "test", "-timeout", "15m", "./..."); err != nil {
		return err
	}
	// The go command shows nothing of what passes: the end-to-end tests and the model leave their tables.
	for _, name := range []string{".build/model.txt", ".build/privileges.txt"} {
		tables, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("show what the tests counted (go clean -testcache makes them count again): %w", err)
		}
		fmt.Print(string(tables))
	}
	return nil
}

func Mutants() error {
	return step("mutants", "test", "-tags", "mutant", "-run", "TestMutants", "-timeout", "15m", "./shared/proof")
}

func Readme() error {
	return step("readme", "run", "./infra/readme/cmd")
}

// Race runs the tests under the race detector, but for the end-to-end tests, whose functions are processes of their own.
func Race(ctx context.Context) error {
	if !artifact.HaveCompiler(ctx) {
		fmt.Println("race: skipped, the race detector needs a C compiler")
		return nil
	}
	listed, err := sh.Output("go", "list", "./shared/...", "./functions/...", "./infra/local/...")
	if err != nil {
		return fmt.Errorf("list packages: %w", err)
	}
	packages := slices.DeleteFunc(strings.Fields(listed), func(pkg string) bool { return strings.HasSuffix(pkg, "/e2e") })
	return step("race", append([]string{"test", "-race", "-short", "-timeout", "15m"}, packages...)...)
}

func Arm64(ctx context.Context) error {
	if err := Build(ctx); err != nil {
		return err
	}
	if runtime.GOOS != "linux" {
		fmt.Println("arm64: start skipped, this is not Linux")
		return nil
	}
	command := []string{filepath.Join(artifact.Dir, "process")}
	if runtime.GOARCH != "arm64" {
		qemu := firstOf("qemu-aarch64-static", "qemu-aarch64")
		if qemu == "" {
			fmt.Println("arm64: start skipped, qemu-user is not installed (Debian: apt-get install qemu-user-static)")
			return nil
		}
		command = append([]string{qemu}, command...)
	}
	return startsAndComplains(ctx, command)
}

func Workflows() error {
	return step("workflows", "run", actionlint)
}

// Vulnerabilities looks for known vulnerabilities that the code can reach. Without a network it says so, and fails only with
// -required: what is published tomorrow is no fault of a change, so it is no part of test.
func Vulnerabilities(ctx context.Context, required *bool) error {
	database, err := vulnerability.Find(ctx, http.DefaultClient, os.Stdout, filepath.Join(".build", "vulndb"))
	if err != nil {
		if required != nil && *required {
			return err
		}
		fmt.Println("vulnerabilities: not looked for:", err)
		return nil
	}
	return step("vulnerabilities", "run", govulncheck, "-db", database, "./...")
}

// startsAndComplains starts a function without its settings: it must run this far and name what it lacks.
func startsAndComplains(ctx context.Context, command []string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err == nil {
		err = errors.New("no error")
	}
	if !errors.As(err, &exit) || !strings.Contains(string(out), "TRIBUTARY_RAW_BUCKET") {
		return fmt.Errorf("start %s: want it to end naming TRIBUTARY_RAW_BUCKET, got %q and: %w", strings.Join(command, " "), out, err)
	}
	fmt.Printf("arm64: %s starts and says what it lacks\n", strings.Join(command, " "))
	return nil
}

// command is a command of this project, compiled when it is wanted.
type command struct{ pkg, name, what string }

var (
	localCommand = command{"./infra/local/cmd", "local",
		"compiling the deployment program and the local AWS (a first time takes minutes: some 180 MB of modules to fetch, the large Pulumi AWS SDK to compile)"}
	contractCommand = command{"./infra/contract", "contract", "compiling the contract checker"}
	previewCommand  = command{"./infra/preview", "preview",
		"compiling the deployment program (a first time takes minutes: the Pulumi AWS SDK is large)"}
)

// become compiles the command and runs it in this process's place, with the words behind the target: the terminal and its
// signals are its own, and its status is that of the whole. Nothing follows it.
func (c command) become(ctx context.Context, args ...string) error {
	path, err := c.compile(ctx)
	if err != nil {
		return err
	}
	return syscall.Exec(path, slices.Concat([]string{path}, args, words), os.Environ())
}

// compile tells how far it is.
func (c command) compile(ctx context.Context) (path string, err error) {
	path = filepath.Join(binaries, c.name)
	progress := newTicker(c.what)
	defer progress.stop()
	return path, artifact.Compile(ctx, artifact.CompileOptions{
		Root: ".", Package: c.pkg, Output: path,
		Progress: func(done, total int) { progress.line(fmt.Sprintf("package %d of at most %d", done, total)) },
	})
}

// step runs the go command, saying which part of the whole it is and how long it took.
func step(name string, args ...string) error {
	shown := args
	if len(shown) > 10 {
		shown = append(slices.Clone(shown[:10]), "…")
	}
	fmt.Printf("── %s: go %s\n", name, strings.Join(shown, " "))
	start := time.Now()
	if err := sh.RunV("go", args...); err != nil {
		return fmt.Errorf("%s failed: %w", name, err)
	}
	fmt.Printf("── %s: ok in %s\n", name, time.Since(start).Round(100*time.Millisecond))
	return nil
}

// ticker tells of progress now and then, the first time after a second: what is quick stays quiet, and what a target
// prints for machines stays clean. What is done is said even where there is no progress to tell of yet.
type ticker struct {
	mu    sync.Mutex
	what  string
	next  time.Time
	timer *time.Timer
}

func newTicker(what string) *ticker {
	t := &ticker{what: what, next: time.Now().Add(time.Second)}
	t.timer = time.AfterFunc(time.Second, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.begin()
	})
	return t
}

// begin says what is done, once.
func (t *ticker) begin() {
	if t.what != "" {
		fmt.Fprintln(os.Stderr, t.what)
		t.what = ""
	}
}

func (t *ticker) line(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if now.Before(t.next) {
		return
	}
	t.next = now.Add(10 * time.Second)
	t.begin()
	fmt.Fprintln(os.Stderr, "  "+text)
}

func (t *ticker) stop() { t.timer.Stop() }

// firstOf is the path of the first of the commands that is installed, or "".
func firstOf(names ...string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
