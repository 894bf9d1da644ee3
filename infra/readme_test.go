package main

import (
	"errors"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/cost"
	"tributary/infra/ops/call"
	"tributary/infra/ops/console"
)

// The README is what people follow first: its commands must exist as they stand there, and what it quotes must be what
// the project holds.

func TestReadmeCommandsExist(t *testing.T) {
	targets := mageTargets(t)
	commands := regexp.MustCompile(`go tool mage ([^\n#`+"`"+`]*)`).FindAllStringSubmatch(readme(t), -1)
	if len(commands) < 5 {
		t.Fatalf("found %d commands in the README, want more", len(commands))
	}
	for _, command := range commands {
		words := strings.Fields(command[1])
		if len(words) == 0 {
			continue
		}
		target, ok := targets[strings.ToLower(words[0])]
		if !ok {
			t.Errorf("README says `go tool mage %s`, and there is no target %s", command[1], words[0])
			continue
		}
		if operation, ok := strings.CutPrefix(words[0], call.Prefix); ok {
			// Package console reads what stands behind it.
			if _, err := console.Parse(append([]string{operation}, words[1:]...), time.Now(), io.Discard); err != nil && !errors.Is(err, flag.ErrHelp) {
				t.Errorf("README says `go tool mage %s`: %v", command[1], err)
			}
			continue
		}
		if call.TakesAll(words[0]) {
			continue // SQL, which package query's own tests read
		}
		positional := 0
		for _, word := range words[1:] {
			name, isFlag := strings.CutPrefix(word, "-")
			if !isFlag {
				positional++
				continue
			}
			name, _, _ = strings.Cut(name, "=")
			if !target.flags[name] {
				t.Errorf("README says `go tool mage %s`, and %s has no flag -%s", command[1], words[0], name)
			}
		}
		if positional != target.arguments {
			t.Errorf("README says `go tool mage %s`: %d arguments, want %d", command[1], positional, target.arguments)
		}
	}
}

// Each operators' command is a target, and each target a command; what mage lists of it is how it is called.
func TestOperatorsTargets(t *testing.T) {
	found := map[string]string{}
	for name, target := range mageTargets(t) {
		if operation, ok := strings.CutPrefix(name, call.Prefix); ok {
			found[operation], _, _ = strings.Cut(target.doc, ":")
		}
	}
	want := map[string]string{}
	for _, c := range console.Calls() {
		name, _, _ := strings.Cut(c, " ")
		want[name] = strings.ToUpper(c[:1]) + c[1:]
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("targets (-commands +magefile):\n%s", diff)
	}
	for operation := range want {
		if !strings.Contains(readme(t), "go tool mage "+call.Prefix+operation) {
			t.Errorf("the README does not say `go tool mage %s%s`", call.Prefix, operation)
		}
	}
}

func TestReadmeQuotesTheContract(t *testing.T) {
	contract, err := os.ReadFile("../shared/datasets/coin_markets.odcs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	quotes := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readme(t), -1)
	if len(quotes) == 0 {
		t.Fatal("the README quotes no contract")
	}
	for _, quote := range quotes {
		for line := range strings.Lines(quote[1]) {
			if line = strings.TrimSpace(line); line != "" && !strings.Contains(string(contract), line) {
				t.Errorf("README quotes a line that the contract does not have: %s", line)
			}
		}
	}
}

var writeReadme = flag.Bool("update", false, "rewrite the parts of the README that are made from code")

// What the README says of costs is what the prices and the assumptions give.
func TestReadmeTellsTheCosts(t *testing.T) {
	const begin, end = "<!-- cost -->\n", "<!-- /cost -->"
	before, rest, found := strings.Cut(readme(t), begin)
	told, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("the README has no part between %q and %q", begin, end)
	}
	want := cost.MonthTable(cost.Volumes)
	if *writeReadme {
		if err := os.WriteFile("../README.md", []byte(before+begin+want+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("costs (-code +README):\n%s", diff)
	}
}

// Every alarm that is deployed is in the runbook, and no other.
func TestReadmeTellsEveryAlarm(t *testing.T) {
	golden, err := os.ReadFile("stack/testdata/dev.alarms.txt")
	if err != nil {
		t.Fatal(err)
	}
	deployed := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^tributary-dev-(?:alarm-)?coin_markets-(\S+)$`).FindAllStringSubmatch(string(golden), -1) {
		deployed[m[1]] = true
	}
	_, section, _ := strings.Cut(readme(t), "### When an alarm rings")
	section, _, _ = strings.Cut(section, "\n## ")
	told := map[string]bool{}
	for line := range strings.Lines(section) {
		if names, _, row := strings.Cut(strings.TrimPrefix(line, "| "), " | "); row && strings.HasPrefix(line, "| `") {
			for _, m := range regexp.MustCompile("`([a-z-]+)`").FindAllStringSubmatch(names, -1) {
				told[m[1]] = true
			}
		}
	}
	if diff := cmp.Diff(deployed, told); diff != "" || len(deployed) == 0 {
		t.Errorf("alarms (-deployed +README):\n%s", diff)
	}
}

func TestReadmeLinksLeadSomewhere(t *testing.T) {
	for _, link := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(readme(t), -1) {
		if strings.Contains(link[1], "://") {
			continue
		}
		if _, err := os.Stat("../" + link[1]); err != nil {
			t.Errorf("README links to %s: %v", link[1], err)
		}
	}
}

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

type target struct {
	doc       string
	arguments int
	flags     map[string]bool
}

// mageTargets reads the targets from the magefile as mage does: exported functions, methods of a namespace as
// namespace:method, pointers as flags.
func mageTargets(t *testing.T) map[string]target {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../magefile.go", nil, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]target{}
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || !function.Name.IsExported() {
			continue
		}
		name := strings.ToLower(function.Name.Name)
		if function.Recv != nil {
			receiver, ok := function.Recv.List[0].Type.(*ast.Ident)
			if !ok {
				continue
			}
			name = strings.ToLower(receiver.Name) + ":" + name
		}
		found := target{doc: function.Doc.Text(), flags: map[string]bool{}}
		for _, field := range function.Type.Params.List {
			switch field.Type.(type) {
			case *ast.SelectorExpr: // context.Context
			case *ast.StarExpr:
				for _, name := range field.Names {
					found.flags[name.Name] = true
				}
			default:
				found.arguments += len(field.Names)
			}
		}
		targets[name] = found
	}
	return targets
}
