package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// What the workflows decide by scripts is played here: with the scripts as they stand there, and with commands that answer
// as GitHub and Pulumi would.

// theStep is the step of a job that has an id.
func theStep(t *testing.T, file, of, id string) step {
	t.Helper()
	var w workflow
	if err := yaml.Unmarshal([]byte(workflows(t)[file]), &w); err != nil {
		t.Fatal(err)
	}
	steps := w.Jobs[of].Steps
	at := slices.IndexFunc(steps, func(s step) bool { return s.ID == id })
	if at < 0 {
		t.Fatalf("%s: job %s has no step %s", file, of, id)
	}
	return steps[at]
}

// played is what came of a script.
type played struct {
	Failed       bool
	Said, Output string // what it printed, and what it left for later steps
	Summary      string
}

// play runs a script as GitHub does. Each stub is a command that does what its text says.
func play(t *testing.T, text, dir string, stubs map[string]string, env ...string) played {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash here")
	}
	temp := t.TempDir()
	for name, does := range stubs {
		if err := os.WriteFile(filepath.Join(temp, name), []byte("#!"+bash+"\n"+does+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	files := map[string]string{"GITHUB_OUTPUT": "", "GITHUB_STEP_SUMMARY": ""}
	cmd := exec.CommandContext(t.Context(), bash, "-e", "-c", text)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+temp+":"+os.Getenv("PATH"), "RUNNER_TEMP="+temp)
	for name := range files {
		files[name] = filepath.Join(temp, name)
		if err := os.WriteFile(files[name], nil, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd.Env = append(cmd.Env, name+"="+files[name])
	}
	cmd.Env = append(cmd.Env, env...)
	said, err := cmd.CombinedOutput()
	result := played{Failed: err != nil, Said: string(said)}
	for name, into := range map[string]*string{"GITHUB_OUTPUT": &result.Output, "GITHUB_STEP_SUMMARY": &result.Summary} {
		left, err := os.ReadFile(files[name])
		if err != nil {
			t.Fatal(err)
		}
		*into = string(left)
	}
	return result
}

func TestReleaseWaitsForCI(t *testing.T) {
	waiting := theStep(t, "deploy.yml", "release", "ci")
	if want := "github.event_name == 'push' && vars.AWS_DEPLOY_ROLE_DEV != ''"; waiting.If != want {
		t.Errorf("it waits if %s, want %s: where nothing is deployed a runner would only be held", waiting.If, want)
	}
	for _, test := range []struct {
		name, gh string
		failed   bool
		said     string
	}{
		{"CI passes", `if [ "$2" = list ]; then echo 7; else [ "$3" = 7 ]; fi`, false, ""},
		{"CI fails", `if [ "$2" = list ]; then echo 7; else exit 1; fi`, true, ""},
		{"CI does not start", `[ "$2" = list ]`, true, "::error::CI did not start for this commit\n"},
	} {
		got := play(t, waiting.Run, t.TempDir(), map[string]string{"gh": test.gh, "sleep": ""}, "GITHUB_SHA=1")
		if diff := cmp.Diff(played{Failed: test.failed, Said: test.said}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestReleaseAsksForReviewers(t *testing.T) {
	text := theStep(t, "deploy.yml", "release", "reviewers").Run
	filter := regexp.MustCompile(`--jq '([^']*)'`).FindStringSubmatch(text)
	if filter == nil {
		t.Fatal("the script takes nothing out of the answer")
	}
	jq, err := exec.LookPath("jq")
	if err != nil {
		t.Skip("there is no jq here")
	}
	const warning = "::warning title=prod is not deployed by pushes::"
	for _, test := range []struct {
		name, answer string
		status       string
		want, said   string
	}{
		{"reviewers", `{"protection_rules": [{"type": "wait_timer"}, {"type": "required_reviewers", "reviewers": [{}]}]}`, "0", "true", ""},
		{"another rule", `{"protection_rules": [{"type": "branch_policy"}]}`, "0", "false", warning},
		{"no rules", `{"name": "prod"}`, "0", "false", warning},
		{"no environment", `{"message": "Not Found"}`, "1", "unknown", warning},
	} {
		// gh prints what it is answered as it is when the answer is an error.
		gh := `[ "$2" = repos/o/r/environments/prod ] || exit 3; if [ ` + test.status + ` = 0 ]; then echo '` + test.answer + `' | ` + jq + ` "$4"; else echo '` + test.answer + `'; exit 1; fi`
		got := play(t, text, t.TempDir(), map[string]string{"gh": gh}, "GITHUB_REPOSITORY=o/r")
		if got.Failed || got.Output != "prod="+test.want+"\n" || !strings.HasPrefix(got.Said, test.said) || test.said == "" && got.Said != "" {
			t.Errorf("%s: %+v, want prod=%s", test.name, got, test.want)
		}
	}
}

// A release that waited long, or is run again, does not take the place of a newer one; by hand it may.
func TestNoOldReleaseOvertakes(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("there is no jq here")
	}
	text := theStep(t, "deploy.yml", "prod", "former").Run
	if text != theStep(t, "deploy.yml", "dev", "former").Run {
		t.Error("dev and prod differ")
	}
	repository := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		cmd.Dir = repository
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q")
	commit := func() string {
		git("commit", "-q", "--allow-empty", "-m", "a change")
		return git("rev-parse", "HEAD")
	}
	first, second, third := commit(), commit(), commit()
	nowhere := strings.Repeat("0", 40)
	digest := func(commit string) string { return "sha256:" + commit + commit[:24] }
	update := func(commit, result string) string {
		return `{"kind": "update", "message": "release ` + commit + " " + digest(commit) + `", "result": "` + result + `"}`
	}
	const noted = `{"kind": "update", "message": "tried something", "result": "succeeded"}, {"kind": "refresh", "result": "succeeded"}`
	back := func(commit string) string {
		return "Back to the release before: `gh workflow run deploy.yml -f stack=prod -f commit=" + commit + " -f digest=" + digest(commit) + "`\n"
	}
	for _, test := range []struct {
		name, commit, event string
		history             []string // the newest first
		refused             bool
		back                string
	}{
		{"the first", first, "push", nil, false, ""},
		{"the first that says which it is", second, "push", []string{noted}, false, ""},
		{"a newer one", second, "push", []string{noted, update(first, "succeeded")}, false, back(first)},
		{"the same again", second, "push", []string{update(second, "failed"), update(first, "succeeded")}, false, back(first)},
		{"behind one that failed", third, "push", []string{update(second, "failed"), update(first, "succeeded")}, false, back(first)},
		{"an older one", second, "push", []string{update(third, "succeeded"), update(first, "succeeded")}, true, ""},
		{"an older one, and the newer failed", second, "push", []string{noted, update(third, "failed"), update(first, "succeeded")}, true, ""},
		{"behind one that was never on main", second, "push", []string{update(nowhere, "succeeded")}, true, ""},
		{"an older one by hand", first, "workflow_dispatch", []string{update(second, "succeeded"), update(first, "succeeded")}, false, back(second)},
		{"a newer one after that", third, "push", []string{update(first, "succeeded"), update(second, "succeeded")}, false, back(first)},
	} {
		history := "[" + strings.Join(test.history, ", ") + "]"
		pulumi := `[ "$1 $2 $3 $4" = "stack history --stack prod" ] || exit 3; echo '` + history + `'`
		got := play(t, text, repository, map[string]string{"pulumi": pulumi},
			"STACK=prod", "COMMIT="+test.commit, "DIGEST="+digest(test.commit), "GITHUB_EVENT_NAME="+test.event)
		told := strings.Contains(got.Said, "::error title=prod has a newer release::"+test.commit) &&
			strings.Contains(got.Said, "gh workflow run deploy.yml -f stack=prod -f commit="+test.commit+" -f digest="+digest(test.commit))
		if got.Failed != test.refused || told != test.refused || !test.refused && got.Said != "" {
			t.Errorf("%s: %+v, refused should be %v", test.name, got, test.refused)
		}
		if diff := cmp.Diff(test.back, got.Summary); diff != "" {
			t.Errorf("%s: summary (-want +got):\n%s", test.name, diff)
		}
	}
	// Without the history nobody knows.
	if got := play(t, text, repository, map[string]string{"pulumi": "exit 1"}, "STACK=prod", "COMMIT="+first, "GITHUB_EVENT_NAME=push"); !got.Failed {
		t.Error("a history that cannot be read lets every release pass")
	}
}
