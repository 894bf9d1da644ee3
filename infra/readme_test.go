package main

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/bootstrap"
	"tributary/infra/call"
	"tributary/infra/local/cost"
	"tributary/infra/ops/console"
	"tributary/infra/readme"
)

// The README is what people follow first: what it quotes must be what the project holds. Its commands are run by package
// readme.

// What is not run there must at least be understood.
func TestReadmeCommandsExist(t *testing.T) {
	steps, err := readme.Plan(readme.Read(readmeText(t)), readme.Ours)
	if err != nil {
		t.Fatal(err)
	}
	understood := 0
	filled := strings.NewReplacer("DATASET", "coin_markets", " FROM TO ", " 2024-01-01 2024-02-01 ", "=STACK", "=dev")
	for _, s := range steps {
		for _, called := range command.FindAllStringSubmatch(s.Text, -1) {
			if s.Run != "" {
				continue
			}
			understood++
			called[1] = filled.Replace(called[1])
			if why := wrongCall(called[1]); why != "" {
				t.Errorf("README.md:%d: `go tool mage %s`: %s", s.Line, called[1], why)
			}
			operation, ok := strings.CutPrefix(called[1], call.Prefix)
			if !ok {
				continue
			}
			if _, err := console.Parse(strings.Fields(operation), time.Now(), io.Discard); err != nil {
				t.Errorf("README.md:%d: `go tool mage %s`: %v", s.Line, called[1], err)
			}
		}
	}
	for _, place := range readme.Ours.Elsewhere {
		if target := strings.TrimPrefix(place.Command, "go tool mage "); target != "test" && !slices.Contains(testParts(t), target) {
			t.Errorf("%s runs elsewhere (%s), and is no part of test", place.Command, place.Why)
		}
	}
	if understood < 5 {
		t.Errorf("%d calls are not run, want more", understood)
	}
	for _, g := range call.Groups {
		for _, target := range g.Targets {
			if strings.HasPrefix(target.Name, call.Prefix) && !strings.Contains(readmeText(t), "go tool mage "+target.Name) {
				t.Errorf("the README does not say `go tool mage %s`", target.Name)
			}
		}
	}
}

// What the magefile does is what is listed.
func TestTargets(t *testing.T) {
	listed := map[string]bool{}
	for _, g := range call.Groups {
		for _, target := range g.Targets {
			listed[target.Name] = true
		}
	}
	if diff := cmp.Diff(mageTargets(t), listed); diff != "" {
		t.Errorf("targets (-magefile +listed):\n%s", diff)
	}
}

func TestReadmeQuotesTheContract(t *testing.T) {
	contract, err := os.ReadFile("../shared/datasets/coin_markets.odcs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	quotes := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readmeText(t), -1)
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
	before, rest, found := strings.Cut(readmeText(t), begin)
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
	_, section, _ := strings.Cut(readmeText(t), "### When an alarm rings")
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
	// Alarms ring on stacks; without one a command answers from the laptop.
	for _, command := range regexp.MustCompile("`(go tool mage [^`]+)`").FindAllStringSubmatch(section, -1) {
		if !strings.Contains(command[1], " -stack=STACK") {
			t.Errorf("the runbook types %s, which asks no stack", command[1])
		}
	}
}

// What the README has people type is what the bootstrap makes.
func TestReadmeNamesTheBootstrap(t *testing.T) {
	project, err := bootstrap.ReadProject("..")
	if err != nil {
		t.Fatal(err)
	}
	template := bootstrap.New(project)
	words := strings.NewReplacer("${StateBucket}", "tributary-bootstrap-ACCOUNT-REGION", "${AWS::Region}", "REGION", "STACK", "dev")
	for _, name := range []string{"PulumiBackend", "SecretsProvider"} {
		value := template.Outputs[name].Value.(map[string]string)["Fn::Sub"]
		if text := words.Replace(value); !strings.Contains(readmeText(t), "'"+text+"'") {
			t.Errorf("the README does not have %s, which is %s", name, text)
		}
	}
	for name := range template.Outputs {
		if name != "SecretsProvider" && !strings.Contains(readmeText(t), "`"+name+"`") {
			t.Errorf("the README does not say what the output %s is for", name)
		}
	}
	given := regexp.MustCompile(`\b(\w+)=SUBJECT:`).FindAllStringSubmatch(readmeText(t), -1)
	if len(given) < 2 {
		t.Errorf("the README gives %d parameters of the template, want a deploy role's and the previews'", len(given))
	}
	for _, parameter := range given {
		if _, ok := template.Parameters[parameter[1]]; !ok {
			t.Errorf("the README gives a parameter %s, which the template does not have", parameter[1])
		}
	}
	// Whoever sets another region finds none that is spelled out.
	for _, line := range regexp.MustCompile(`(?m)^.*(?:--region[ =]|[?&]region=)[a-z]{2}-.*$`).FindAllString(readmeText(t), -1) {
		t.Errorf("the README takes one region for every reader's, not REGION: %s", line)
	}
}

// CI installs what the README says was tried.
func TestReadmeNamesTheDatacontractOfCI(t *testing.T) {
	ci, err := os.ReadFile("../.ci/run")
	if err != nil {
		t.Fatal(err)
	}
	tried := regexp.MustCompile(`pip install 'datacontract-cli\[duckdb\]'.* (\d+\.\d+\.\d+) was tried`).FindStringSubmatch(readmeText(t))
	if tried == nil || !strings.Contains(string(ci), "'datacontract-cli[duckdb]=="+tried[1]+"'") {
		t.Errorf("the README tells of %q, which .ci/run does not install", tried)
	}
}

func TestReadmeLinksLeadSomewhere(t *testing.T) {
	for _, link := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(readmeText(t), -1) {
		if strings.Contains(link[1], "://") {
			continue
		}
		if _, err := os.Stat("../" + link[1]); err != nil {
			t.Errorf("README links to %s: %v", link[1], err)
		}
	}
}

func readmeText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// mageTargets reads the targets from the magefile as mage does: exported functions, methods of a namespace as
// namespace:method.
func mageTargets(t *testing.T) map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../magefile.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{}
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
		targets[name] = true
	}
	return targets
}
