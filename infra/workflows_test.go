package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"tributary/infra/call"
)

// workflow is what the rules look at of a GitHub workflow. Aliases are resolved.
type workflow struct {
	On          yaml.Node       `yaml:"on"`
	Permissions *map[string]any `yaml:"permissions"`
	Jobs        map[string]job  `yaml:"jobs"`
}

type job struct {
	Permissions *map[string]string `yaml:"permissions"`
	Timeout     int                `yaml:"timeout-minutes"`
	Environment string             `yaml:"environment"`
	Concurrency struct {
		Group  string `yaml:"group"`
		Cancel any    `yaml:"cancel-in-progress"`
	} `yaml:"concurrency"`
	Strategy struct {
		Matrix struct {
			Target []string `yaml:"target"`
		} `yaml:"matrix"`
	} `yaml:"strategy"`
	Env   map[string]string `yaml:"env"`
	Uses  string            `yaml:"uses"`
	Steps []step            `yaml:"steps"`
}

type step struct {
	Uses string         `yaml:"uses"`
	Run  string         `yaml:"run"`
	With map[string]any `yaml:"with"`
}

var (
	pinned   = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	command  = regexp.MustCompile("go tool mage ([^\n>|)]*)")
	variable = regexp.MustCompile(`\bvars\.(\w+)`)
)

// faults says which rules a workflow breaks.
func faults(text string) ([]string, error) {
	var w workflow
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		return nil, err
	}
	var found []string
	fault := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	for line := range strings.Lines(text) {
		if _, action, ok := strings.Cut(line, "uses: "); ok && !pinned.MatchString(strings.TrimSpace(action)) {
			fault("%s is not pinned to a commit, with its version behind it", strings.TrimSpace(action))
		}
	}
	for _, trigger := range []string{"pull_request_target", "workflow_run"} {
		if slices.ContainsFunc(append(w.On.Content, &w.On), func(n *yaml.Node) bool { return n.Value == trigger }) {
			fault("%s gives rights of main to what is not of main", trigger)
		}
	}
	if strings.Contains(text, "secrets.") || strings.Contains(text, "AWS_ACCESS_KEY") {
		fault("a long-lived secret is used")
	}
	if w.Permissions == nil || len(*w.Permissions) > 0 {
		fault("permissions of the whole are not empty")
	}
	for name, j := range w.Jobs {
		for _, f := range j.faults() {
			fault("job %s: %s", name, f)
		}
	}
	slices.Sort(found)
	return found, nil
}

func (j job) faults() []string {
	var found []string
	fault := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if j.Permissions == nil {
		fault("it names no permissions of its own")
		j.Permissions = &map[string]string{}
	}
	if j.Timeout == 0 {
		fault("it has no time limit")
	}
	writes, runs, deploys := false, false, false
	for right, level := range *j.Permissions {
		writes = writes || level == "write" && right != "id-token"
	}
	for _, s := range j.Steps {
		if strings.HasPrefix(s.Uses, "actions/checkout@") {
			runs = true
			if s.With["persist-credentials"] != false {
				fault("checkout leaves its credentials behind")
			}
		}
		if strings.Contains(s.Run, "${{") {
			fault("a value becomes part of a script: %s", s.Run)
		}
		for _, found := range command.FindAllStringSubmatch(s.Run, -1) {
			if why := wrongCall(strings.ReplaceAll(found[1], `"`, "")); why != "" {
				fault("go tool mage %s: %s", found[1], why)
			}
		}
		deploys = deploys || strings.Contains(s.Run, "pulumi up")
	}
	for _, target := range j.Strategy.Matrix.Target {
		if why := wrongCall(target); why != "" {
			fault("target %s: %s", target, why)
		}
	}
	if writes && runs {
		fault("it may write, and has code of the change at hand")
	}
	if stack := j.Env["STACK"]; deploys && (stack == "" || j.Environment != stack || j.Concurrency.Group != "stack-"+stack || j.Concurrency.Cancel != false) {
		fault("deployments of stack %q are not in its environment, one after the other and to their end", stack)
	}
	return found
}

// wrongCall says why mage would refuse a call.
func wrongCall(words string) string {
	var said bytes.Buffer
	if status, _ := call.Answer(strings.Fields(words), "..", io.Discard, &said); status != 0 {
		return said.String()
	}
	return ""
}

func workflows(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("../.github/workflows/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(path)] = string(text)
	}
	return texts
}

func TestWorkflows(t *testing.T) {
	all := workflows(t)
	if len(all) < 2 {
		t.Fatalf("found %d workflows", len(all))
	}
	for name, text := range all {
		found, err := faults(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, fault := range found {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// Each rule is broken once.
func TestWorkflowRules(t *testing.T) {
	all := workflows(t)
	for _, test := range []struct{ file, old, planted, want string }{
		{"ci.yml", "actions/setup-go@b7ad1dad31e06c5925ef5d2fc7ad053ef454303e # v7.0.0", "actions/setup-go@v7", "actions/setup-go@v7 is not pinned"},
		{"ci.yml", " # v7.0.1", "", "is not pinned to a commit, with its version"},
		{"ci.yml", "  pull_request:", "  pull_request_target:", "pull_request_target gives rights"},
		{"ci.yml", "on:\n  pull_request:\n  push:\n    branches: [main]", "on: [push, workflow_run]", "workflow_run gives rights"},
		{"ci.yml", "github.token", "secrets.TOKEN", "a long-lived secret"},
		{"ci.yml", "permissions: {}", "permissions: {contents: read}", "permissions of the whole"},
		{"ci.yml", "permissions: {}\n", "", "permissions of the whole"},
		{"ci.yml", "    permissions:\n      pull-requests: write # the comment\n", "", "job comment: it names no permissions"},
		{"ci.yml", "    timeout-minutes: 5\n", "", "job comment: it has no time limit"},
		{"ci.yml", "persist-credentials: false", "persist-credentials: true", "checkout leaves its credentials"},
		{"ci.yml", `"$NUMBER"`, "${{ github.event.pull_request.number }}", "job comment: a value becomes part of a script"},
		{"ci.yml", "mage vulnerabilities -required", "mage vulnerable", "there is no target vulnerable"},
		{"ci.yml", "mage vulnerabilities -required", "mage vulnerabilities -strict", "there is no flag -strict"},
		{"ci.yml", `contract:against "$BASE"`, "contract:against", "REVISION is missing"},
		{"ci.yml", "[vet, lint,", "[vet, lints,", "there is no target lints"},
		{"ci.yml", "      contents: read\n    env:\n      CHANGES", "      contents: write\n    env:\n      CHANGES", "job infrastructure: it may write, and has code"},
		{"deploy.yml", "group: stack-prod\n", "group: stack-dev\n", `deployments of stack "prod" are not in its environment`},
		{"deploy.yml", "environment: prod", "environment: dev", `deployments of stack "prod" are not in its environment`},
		{"deploy.yml", "cancel-in-progress: false # what", "cancel-in-progress: true # what", `deployments of stack "dev" are not in its environment`},
	} {
		broken := strings.ReplaceAll(all[test.file], test.old, test.planted)
		if broken == all[test.file] {
			t.Errorf("%s does not have %q", test.file, test.old)
			continue
		}
		found, err := faults(broken)
		if err != nil {
			t.Errorf("%s with %q: %v", test.file, test.planted, err)
		} else if !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, test.want) }) {
			t.Errorf("%s with %q breaks no rule %q, but %q", test.file, test.planted, test.want, found)
		}
	}
}

// What must hold before a change lands, CI holds, part by part.
func TestCIRunsWhatTestRuns(t *testing.T) {
	magefile, err := os.ReadFile("../magefile.go")
	if err != nil {
		t.Fatal(err)
	}
	parts := regexp.MustCompile(`func Test\(\) \{\n\tmg\.SerialDeps\((.*)\)`).FindSubmatch(magefile)
	if parts == nil {
		t.Fatal("the magefile does not say what test runs")
	}
	var w workflow
	if err := yaml.Unmarshal([]byte(workflows(t)["ci.yml"]), &w); err != nil {
		t.Fatal(err)
	}
	ran := slices.Clone(w.Jobs["check"].Strategy.Matrix.Target)
	for _, s := range w.Jobs["arm64"].Steps {
		if target, ok := strings.CutPrefix(s.Run, ".ci/run "); ok {
			ran = append(ran, target)
		}
	}
	want := strings.Split(strings.ToLower(string(parts[1])), ", ")
	slices.Sort(ran)
	slices.Sort(want)
	if diff := cmp.Diff(want, ran); diff != "" {
		t.Errorf("mage test and CI (-test +CI):\n%s", diff)
	}
}

// Whoever sets up delivery reads in the README which variables there are.
func TestReadmeTellsTheVariables(t *testing.T) {
	used := map[string]bool{}
	for _, text := range workflows(t) {
		for _, m := range variable.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
		}
	}
	told := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| variables? ([^|]+) \|`).FindAllStringSubmatch(readmeText(t), -1) {
		for _, name := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(row[1], -1) {
			told[name[1]] = true
		}
	}
	if diff := cmp.Diff(used, told); diff != "" || len(used) == 0 {
		t.Errorf("variables (-workflows +README):\n%s", diff)
	}
}
