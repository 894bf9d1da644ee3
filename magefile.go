//go:build mage

// What people and CI do with this project. `go tool mage` lists it; each target says in its first sentence what it is for.
package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/magefile/mage/mg"
	"github.com/magefile/mage/sh"

	"tributary/infra/artifact"
	"tributary/infra/ops/call"
	"tributary/infra/vulnerability"
)

const (
	golangciLint = "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0"
	actionlint   = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
	govulncheck  = "golang.org/x/vuln/cmd/govulncheck@v1.9.0"
	binaries     = ".build/bin"
)

// Run sends an API response the whole way on this machine: -from=FILE or URL, -dataset=NAME, -at=TIME, -stack=NAME, -fresh.
// For a live API that asks for credentials, TRIBUTARY_SECRET in the environment holds what its secret would. With
// -faults=all, or some of throttle,5xx,lost,slow,duplicate,reorder,kill, things go wrong, and what is stored must be the same.
func Run(ctx context.Context, from, dataset, at, stack, faults, seed *string, fresh *bool) error {
	return local(ctx, "run", flags{"from": from, "dataset": dataset, "at": at, "stack": stack, "faults": faults, "seed": seed, "fresh": fresh})
}

// Invoke calls one function with an event, on this machine: `mage invoke process functions/process/event.json`.
func Invoke(ctx context.Context, function, event string, dataset, stack *string) error {
	return local(ctx, "invoke", flags{"dataset": dataset, "stack": stack}, function, event)
}

// Dev keeps the environment of a stack up until Ctrl-C, for the AWS command line and every SDK: -from=FILE or URL,
// -dataset=NAME, -stack=NAME, -fresh. It takes commands, such as fire and deploy; help lists them.
func Dev(ctx context.Context, from, dataset, stack *string, fresh *bool) error {
	attached := true
	given := flags{"from": from, "dataset": dataset, "stack": stack, "fresh": fresh, "attached": &attached}
	return localCommand.become(ctx, append([]string{"dev"}, given.words()...)...)
}

// Query ["SELECT …"]: answers SQL on the tables of the stack from what local runs left, and without SQL it is a shell;
// -format=csv or json, -stack=NAME.
func Query(ctx context.Context) error {
	return command{"./infra/local/query/cmd", "query", "compiling the query tool (a first time takes a minute: DuckDB is large)"}.become(ctx, words...)
}

// Ops groups what operators do: on the local environment, or with -stack=NAME on what is deployed; -help tells more.
type Ops mg.Namespace

// Status [DATASET] [from] [to]: where runs stand, what was rejected and why, how fresh the data are.
func (Ops) Status(ctx context.Context) error { return operate(ctx, "status") }

// Replay DATASET [from] [to]: has runs processed again; those of the deployed contract and engine only with -force.
func (Ops) Replay(ctx context.Context) error { return operate(ctx, "replay") }

// Release DATASET [from] [to]: processes held runs again, after the contract was mended and deployed.
func (Ops) Release(ctx context.Context) error { return operate(ctx, "release") }

// Redrive [DATASET]: sends the events in the failure queues to their functions again.
func (Ops) Redrive(ctx context.Context) error { return operate(ctx, "redrive") }

// Backfill DATASET FROM TO: brings a part of an incremental source's past as one run; -at=TIME names the run.
func (Ops) Backfill(ctx context.Context) error { return operate(ctx, "backfill") }

// Rejects DATASET [RUN]: rejected records with every reason; -limit=N, -full.
func (Ops) Rejects(ctx context.Context) error { return operate(ctx, "rejects") }

// Upload DATASET FILE: brings a file as a run; -at=TIME names the run.
func (Ops) Upload(ctx context.Context) error { return operate(ctx, "upload") }

// Secret DATASET: sets the secret of a source, from the terminal without echo or from standard input.
func (Ops) Secret(ctx context.Context) error { return operate(ctx, "secret") }

// Smoke [DATASET]: tries what was deployed by one run, which it brings now, and looks for in lake and table.
func (Ops) Smoke(ctx context.Context) error { return operate(ctx, "smoke") }

// words stand behind an ops: target or query, and mage must not take them for targets.
var words []string

func init() { os.Args, words = call.Divide(os.Args) }

// operate runs an operator's command where it belongs: without a stack it needs the local environment.
func operate(ctx context.Context, command string) error {
	args := append([]string{command}, words...)
	if call.Deployed(words) {
		return tool(ctx, "./infra/ops", "ops", "compiling the operators' commands", args...)
	}
	return local(ctx, "ops", nil, args...)
}

// Contract groups what concerns data contracts.
type Contract mg.Namespace

// Check says what is wrong with the contracts of shared/datasets, or with one: -file=FILE.
func (Contract) Check(ctx context.Context, file *string) error {
	args := []string{"check"}
	if file != nil {
		args = append(args, *file)
	}
	return contractTool(ctx, args...)
}

// Diff says what changes between two versions of a contract, and fails where readers break without a new major version.
func (Contract) Diff(ctx context.Context, older, newer string) error {
	return contractTool(ctx, "diff", older, newer)
}

// Against says what changes in all contracts since a revision of git, and fails as contract:diff does, or where one is gone
// that was not retired: `mage contract:against main`.
func (Contract) Against(ctx context.Context, revision string) error {
	return contractTool(ctx, "against", revision)
}

// Docs prints a data dictionary in Markdown of all datasets, or of one: -file=FILE.
func (Contract) Docs(ctx context.Context, file *string) error {
	args := []string{"docs"}
	if file != nil {
		args = append(args, *file)
	}
	return contractTool(ctx, args...)
}

// Jsonschema prints a JSON Schema of the records that a source sends: `mage contract:jsonschema FILE`.
func (Contract) Jsonschema(ctx context.Context, file string) error {
	return contractTool(ctx, "jsonschema", file)
}

func contractTool(ctx context.Context, args ...string) error {
	return tool(ctx, "./infra/contract", "contract", "compiling the contract checker", args...)
}

// Dataset groups what makes datasets.
type Dataset mg.Namespace

// New writes the contract of a new dataset from sample records: `mage dataset:new exchange_rates URL-or-FILE`.
func (Dataset) New(ctx context.Context, name, from string) error {
	return tool(ctx, "./infra/dataset", "dataset", "compiling the tool that reads samples", "new", name, from)
}

// Infra groups what concerns the infrastructure.
type Infra mg.Namespace

// Preview prints every resource of a stack with its inputs, without credentials: `mage infra:preview dev`, for machines
// `mage infra:preview dev -json`.
func (Infra) Preview(ctx context.Context, stack string, json *bool) error {
	return previewTool(ctx, append(append([]string{"show"}, flags{"json": json}.words()...), stack)...)
}

// Diff prints what two stacks do not have in common, without credentials: `mage infra:diff dev prod`.
func (Infra) Diff(ctx context.Context, stack, other string) error {
	return previewTool(ctx, "diff", stack, other)
}

// Against prints in Markdown what changes in every stack since a revision of git, without credentials: `mage infra:against main`.
func (Infra) Against(ctx context.Context, revision string) error {
	return previewTool(ctx, "against", revision)
}

// Bootstrap prints the CloudFormation template of what an account holds before its first deployment: state, key, roles of
// GitHub Actions; -stack=NAME for an account of one stack.
func (Infra) Bootstrap(ctx context.Context, stack *string) error {
	var stacks []string
	if stack != nil {
		stacks = append(stacks, *stack)
	}
	return tool(ctx, "./infra/bootstrap/cmd", "bootstrap", "compiling the template's writer", stacks...)
}

func previewTool(ctx context.Context, args ...string) error {
	return tool(ctx, "./infra/preview", "preview",
		"compiling the deployment program (a first time takes minutes: the Pulumi AWS SDK is large)", args...)
}

// Bench measures the engine against DuckDB, by stage, by size and in memory: -records=N, -rounds=N, -largest=N,
// -only=PART,PART, -duckdb=false; -help lists the parts.
func Bench(ctx context.Context, records, rounds, largest *int, only *string, duckdb, help *bool) error {
	given := flags{"records": records, "rounds": rounds, "largest": largest, "only": only, "duckdb": duckdb, "help": help}
	return tool(ctx, "./infra/bench/cmd", "bench", "compiling the benchmark", append([]string{"all"}, given.words()...)...)
}

// Build makes the deployment packages for AWS (linux/arm64) in .build/arm64.
func Build(ctx context.Context) error {
	progress := newTicker("compiling the functions for AWS")
	sizes, err := artifact.Build(ctx, artifact.Options{Root: ".", Dir: artifact.Dir, Target: artifact.AWS, Progress: progress.line})
	if err != nil {
		return err
	}
	for _, s := range sizes {
		fmt.Printf("%s  %.1f MiB (bootstrap %.1f MiB)\n", s.Path, mib(s.Zip), mib(s.Bootstrap))
	}
	return nil
}

// Release prints the digest of the deployment packages as a whole; with -is=DIGEST it fails where it is another.
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

// Test runs everything that must hold before a change lands.
func Test() {
	mg.SerialDeps(Vet, Lint, Unit, Mutants, Race, Arm64, Workflows)
}

// Vet runs go vet over the whole module.
func Vet() error {
	return step("vet", "vet", "./...")
}

// Lint runs golangci-lint, which also holds the import rules.
func Lint() error {
	return step("lint", "run", golangciLint, "run", "./...")
}

// Unit runs all tests: unit, fuzz seeds, Pulumi mocks and end-to-end through the local environment.
func Unit(ctx context.Context) error {
	if !artifact.HaveCompiler(ctx) {
		fmt.Println("unit: no C compiler here, so the tests that read Parquet and SQL through DuckDB are skipped")
	}
	if err := step("unit", "test", "-timeout", "15m", "./..."); err != nil {
		return err
	}
	tables, err := os.ReadFile(".build/privileges.txt") // of the end-to-end tests; the go command shows nothing of what passes
	if err != nil {
		return fmt.Errorf("show permissions called and granted: %w", err)
	}
	fmt.Print(string(tables))
	return nil
}

// Mutants plants bugs into ingest and process, one at a time, and fails where the model of shared/proof does not catch one.
func Mutants() error {
	return step("mutants", "test", "-tags", "mutant", "-run", "TestMutants", "-timeout", "15m", "./shared/proof")
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

// Arm64 builds the deployment packages and starts one of them, under qemu-user where the machine is of another kind.
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

// Workflows checks the GitHub workflows with actionlint.
func Workflows() error {
	return step("workflows", "run", actionlint)
}

// Vulnerabilities looks for known vulnerabilities that the code can reach. Without a network it says so, and fails only with
// -required: what is published tomorrow is no fault of a change, so it is no part of test.
func Vulnerabilities(ctx context.Context, required *bool) error {
	if err := vulnerability.Reachable(ctx, http.DefaultClient, vulnerability.Database); err != nil {
		if required != nil && *required {
			return err
		}
		fmt.Println("vulnerabilities: not looked for:", err)
		return nil
	}
	return step("vulnerabilities", "run", govulncheck, "-db", vulnerability.Database, "./...")
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

// flags are optional arguments: pointers, nil where none was given.
type flags map[string]any

// command is a command of this project, compiled when it is wanted.
type command struct{ pkg, name, what string }

var localCommand = command{"./infra/local/cmd", "local",
	"compiling the deployment program and the local AWS (a first time takes minutes: some 180 MB of modules to fetch, the large Pulumi AWS SDK to compile)"}

// local runs a verb of the local environment.
func local(ctx context.Context, verb string, given flags, args ...string) error {
	return tool(ctx, localCommand.pkg, localCommand.name, localCommand.what, append(append([]string{verb}, given.words()...), args...)...)
}

// tool compiles a command of this project and runs it.
func tool(ctx context.Context, pkg, name, what string, args ...string) error {
	path, err := command{pkg, name, what}.compile(ctx)
	if err != nil {
		return err
	}
	return sh.RunV(path, args...)
}

// become compiles the command and runs it in this process's place: the terminal and its signals are its own, and its status
// is that of the whole. Nothing follows it.
func (c command) become(ctx context.Context, args ...string) error {
	path, err := c.compile(ctx)
	if err != nil {
		return err
	}
	return syscall.Exec(path, append([]string{path}, args...), os.Environ())
}

// compile tells how far it is.
func (c command) compile(ctx context.Context) (path string, err error) {
	path = filepath.Join(binaries, c.name)
	progress := newTicker(c.what)
	return path, artifact.Compile(ctx, artifact.CompileOptions{
		Root: ".", Package: c.pkg, Output: path,
		Progress: func(done, total int) { progress.line(fmt.Sprintf("package %d of at most %d", done, total)) },
	})
}

// words are the flags that were given, as the command takes them.
func (f flags) words() []string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(f)) {
		switch value := f[name].(type) {
		case *string:
			if value != nil {
				words = append(words, "-"+name+"="+*value)
			}
		case *bool:
			if value != nil {
				words = append(words, fmt.Sprintf("-%s=%t", name, *value))
			}
		case *int:
			if value != nil {
				words = append(words, fmt.Sprintf("-%s=%d", name, *value))
			}
		default:
			panic(fmt.Sprintf("flag -%s is a %T, which nobody passes on", name, value))
		}
	}
	return words
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
// prints for machines stays clean.
type ticker struct {
	what string
	next time.Time
}

func newTicker(what string) *ticker { return &ticker{what: what, next: time.Now().Add(time.Second)} }

func (t *ticker) line(text string) {
	now := time.Now()
	if now.Before(t.next) {
		return
	}
	t.next = now.Add(10 * time.Second)
	if t.what != "" {
		fmt.Fprintln(os.Stderr, t.what)
		t.what = ""
	}
	fmt.Fprintln(os.Stderr, "  "+text)
}

// firstOf is the path of the first of the commands that is installed, or "".
func firstOf(names ...string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }
