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
	If          string             `yaml:"if"`
	Outputs     map[string]string  `yaml:"outputs"`
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
	ID   string         `yaml:"id"`
	If   string         `yaml:"if"`
	Uses string         `yaml:"uses"`
	Run  string         `yaml:"run"`
	With map[string]any `yaml:"with"`
}

func (w workflow) startsOn(event string) bool {
	return slices.ContainsFunc(append(w.On.Content, &w.On), func(n *yaml.Node) bool { return n.Value == event })
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
		if w.startsOn(trigger) {
			fault("%s gives rights of main to what is not of main", trigger)
		}
	}
	if strings.Contains(text, "secrets.") || strings.Contains(text, "AWS_ACCESS_KEY") {
		fault("a long-lived secret is used")
	}
	if strings.Contains(text, "github.actor") || strings.Contains(text, "github.triggering_actor") {
		fault("who started a run last need not be who made the change: ask github.event.pull_request.user.login")
	}
	if w.Permissions == nil || len(*w.Permissions) > 0 {
		fault("permissions of the whole are not empty")
	}
	for name, j := range w.Jobs {
		for _, f := range j.faults() {
			fault("job %s: %s", name, f)
		}
		if w.startsOn("pull_request") && j.Permissions != nil && (*j.Permissions)["id-token"] == "write" {
			for _, f := range j.strangers() {
				fault("job %s: %s", name, f)
			}
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
	if deploys {
		found = append(found, j.order()...)
	}
	return found
}

// strangers says how code of a pull request that nobody of the repository wrote gets at the role of a job.
func (j job) strangers() []string {
	var found []string
	role, _, given := strings.Cut(j.Env["ROLE"], " && matrix.role")
	for who, condition := range map[string]string{
		"a fork":     "github.event.pull_request.head.repo.full_name == github.repository",
		"Dependabot": "github.event.pull_request.user.login != 'dependabot[bot]'",
	} {
		if !given || !strings.Contains(role, condition) {
			found = append(found, fmt.Sprintf("a pull request of %s gets the role", who))
		}
	}
	for _, s := range j.Steps {
		if !strings.HasPrefix(s.If, "env.ROLE == ''") && !strings.HasPrefix(s.If, "env.ROLE != ''") {
			found = append(found, fmt.Sprintf("a step does not ask whether there is a role: %s%s", s.Uses, s.Run))
		}
	}
	return found
}

// order says what of a deployment by a push may come from an older commit than what is there, or to prod without anybody's
// consent.
func (j job) order() []string {
	var found []string
	at := func(is func(step) bool) int { return slices.IndexFunc(j.Steps, is) }
	checkout := at(func(s step) bool { return strings.HasPrefix(s.Uses, "actions/checkout@") })
	if checkout < 0 || j.Steps[checkout].With["fetch-depth"] != 0 {
		found = append(found, "without the whole history nobody knows which release is newer")
	}
	former := at(func(s step) bool { return s.ID == "former" && strings.Contains(s.Run, "git merge-base --is-ancestor") })
	if former < 0 || former > at(func(s step) bool { return strings.Contains(s.Run, "pulumi up") }) {
		found = append(found, "an old release may take the place of a newer one")
	}
	if j.Environment == "prod" && !strings.Contains(j.If, "github.event_name == 'push' && needs.release.outputs.reviewers == 'true'") {
		found = append(found, "a push may deploy prod without reviewers")
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
		{"ci.yml", "github.event_name == 'push' || github.event.pull_request.head.repo.full_name == github.repository &&", "github.event_name == 'push' ||", "job preview: a pull request of a fork gets the role"},
		{"ci.yml", "github.event.pull_request.user.login != 'dependabot[bot]'", "true", "job preview: a pull request of Dependabot gets the role"},
		{"ci.yml", "github.event.pull_request.user.login", "github.actor", "who started a run last need not be"},
		{"ci.yml", "      - if: env.ROLE != ''\n        run: go tool mage build\n", "      - run: go tool mage build\n", "job preview: a step does not ask whether there is a role"},
		{"deploy.yml", "needs.release.outputs.reviewers == 'true'", "true", "job prod: a push may deploy prod without reviewers"},
		{"deploy.yml", "fetch-depth: 0 # which", "fetch-depth: 1 # which", "job dev: without the whole history"},
		{"deploy.yml", "- id: former", "- id: later", "job prod: an old release may take the place"},
		{"deploy.yml", "git merge-base --is-ancestor \"$last\"", "test \"$last\" !=", "job dev: an old release may take the place"},
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

// testParts are the targets that test runs.
func testParts(t *testing.T) []string {
	t.Helper()
	magefile, err := os.ReadFile("../magefile.go")
	if err != nil {
		t.Fatal(err)
	}
	body := regexp.MustCompile(`(?s)func Test\(\) \{\n(.*?)\n\}`).FindSubmatch(magefile)
	if body == nil {
		t.Fatal("the magefile does not say what test runs")
	}
	var parts []string
	for _, deps := range regexp.MustCompile(`mg\.(?:Serial)?Deps\((.*?)\)`).FindAllSubmatch(body[1], -1) {
		parts = append(parts, strings.Split(strings.ToLower(string(deps[1])), ", ")...)
	}
	return parts
}

// What must hold before a change lands, CI holds, part by part.
func TestCIRunsWhatTestRuns(t *testing.T) {
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
	want := testParts(t)
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

// The workflows install one Pulumi, and it is no older than the one that the README asks for.
func TestReadmeNamesThePulumiOfCI(t *testing.T) {
	all := workflows(t)
	asked := regexp.MustCompile(`Pulumi (\d+\.\d+) or newer`).FindStringSubmatch(readmeText(t))
	if asked == nil {
		t.Fatal("the README does not say which Pulumi it takes")
	}
	for _, test := range []struct {
		name          string
		ci, deploy    string
		minimum, want string
	}{
		{"as they are", all["ci.yml"], all["deploy.yml"], asked[1], ""},
		{"one is raised", pulumis.ReplaceAllString(all["ci.yml"], "pulumi-version: 3.999.0"), all["deploy.yml"], asked[1], "differ"},
		{"the README asks for more", all["ci.yml"], all["deploy.yml"], "3.999", "older than 3.999"},
		{"none is named", all["ci.yml"], pulumis.ReplaceAllString(all["deploy.yml"], ""), asked[1], "no pulumi-version"},
	} {
		got := pulumiFault(test.minimum, test.ci, test.deploy)
		if test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

var pulumis = regexp.MustCompile(`pulumi-version: (\S+)`)

// pulumiFault says what is wrong with the versions of Pulumi in workflows.
func pulumiFault(minimum string, texts ...string) string {
	var versions []string
	for _, text := range texts {
		found := pulumis.FindAllStringSubmatch(text, -1)
		if len(found) == 0 {
			return "a workflow has no pulumi-version"
		}
		for _, m := range found {
			versions = append(versions, m[1])
		}
	}
	slices.Sort(versions)
	if versions = slices.Compact(versions); len(versions) > 1 {
		return fmt.Sprintf("the versions %v differ", versions)
	}
	var has, wants [2]int
	for text, into := range map[string]*[2]int{versions[0]: &has, minimum: &wants} {
		if _, err := fmt.Sscanf(text, "%d.%d", &into[0], &into[1]); err != nil {
			return fmt.Sprintf("the version %s: %v", text, err)
		}
	}
	if slices.Compare(has[:], wants[:]) < 0 {
		return versions[0] + " is older than " + minimum
	}
	return ""
}
