package e2e_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"tributary/infra/component"
	"tributary/infra/local"
	"tributary/infra/local/iam"
)

// The suite goes every way that a run can take; what the roles asked for on all of them is held against what they are
// granted, both ways. Only the whole suite can tell.

// privileges gathers what was granted and asked for in environments whose permissions nobody changed.
type privileges struct {
	mu     sync.Mutex
	grants map[iam.Grant]bool
	uses   map[iam.Use]int
}

var seen = privileges{grants: map[iam.Grant]bool{}, uses: map[iam.Use]int{}}

// gather takes an environment's part before it ends.
func (p *privileges) gather(env *local.Env, changed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range env.Requests() {
		if u.Allowed || !changed { // a refusal where a grant was taken away is what that test wants
			p.uses[u.Use] += u.Count
		}
	}
	if changed {
		return
	}
	for _, g := range env.Grants() {
		if _, ours := partOf(g.Role); ours {
			p.grants[g] = true
		}
	}
}

// partOf tells a role of the stack's own parts by its name: ingest, process or schedule.
func partOf(role string) (string, bool) {
	for _, part := range []string{"ingest", "process", "schedule"} {
		if strings.Contains(role, ":role/tributary-dev-"+part+"-") {
			return part, true
		}
	}
	return "", false
}

// judge lists what was asked for and not granted, and what is granted and nobody has a use for.
func judge(grants []iam.Grant, uses map[iam.Use]int) (missing, unexplained []string) {
	for u := range uses {
		if part, ours := partOf(u.Principal); ours && !u.Allowed {
			missing = append(missing, fmt.Sprintf("%s: %s on %s (%s)", part, u.Action, u.Resource, u.Reason))
		}
	}
	type grant struct{ part, sid, action string }
	needed := map[grant]bool{}
	for _, g := range grants {
		part, _ := partOf(g.Role)
		key := grant{part, g.Sid, g.Action}
		needed[key] = needed[key] || slices.ContainsFunc(slices.Collect(maps.Keys(uses)), func(u iam.Use) bool { return u.Allowed && g.Covers(u) })
	}
	for g, used := range needed {
		switch class, known := component.ClassOf(g.sid); {
		case !known:
			unexplained = append(unexplained, fmt.Sprintf("%s: %s of statement %s, whose Sid names no class", g.part, g.action, g.sid))
		case !used && class != component.Answer:
			unexplained = append(unexplained, fmt.Sprintf("%s: %s of statement %s: nobody asked for it", g.part, g.action, g.sid))
		}
	}
	slices.Sort(missing)
	slices.Sort(unexplained)
	return missing, unexplained
}

// report prints both tables, and says whether they match.
func (p *privileges) report(w io.Writer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	called := map[string]int{}
	for u, n := range p.uses {
		if part, ours := partOf(u.Principal); ours && u.Allowed {
			called[fmt.Sprintf("%-8s  %s", part, u.Action)] += n
		}
	}
	fmt.Fprintln(w, "actions called by the suite, and how often:")
	for _, line := range slices.Sorted(maps.Keys(called)) {
		fmt.Fprintf(w, "  %-45s %6d\n", line, called[line])
	}
	granted := map[string][]string{}
	for g := range p.grants {
		part, _ := partOf(g.Role)
		class, _ := component.ClassOf(g.Sid)
		line := fmt.Sprintf("%-6s  %-8s  %s", class, part, g.Sid)
		if !slices.Contains(granted[line], g.Action) {
			granted[line] = append(granted[line], g.Action)
		}
	}
	fmt.Fprintln(w, "actions granted, by class (Call: it calls them; Behalf: a service does in its name; Answer: they shape an answer):")
	for _, line := range slices.Sorted(maps.Keys(granted)) {
		slices.Sort(granted[line])
		fmt.Fprintf(w, "  %-40s %s\n", line, strings.Join(granted[line], " "))
	}
	missing, unexplained := judge(slices.Collect(maps.Keys(p.grants)), p.uses)
	for _, m := range missing {
		fmt.Fprintln(w, "MISSING  "+m)
	}
	for _, u := range unexplained {
		fmt.Fprintln(w, "UNEXPLAINED  "+u)
	}
	fmt.Fprintf(w, "%d grants are missing, %d unexplained\n", len(missing), len(unexplained))
	if elsewhere != "" && len(unexplained) > 0 {
		fmt.Fprintln(w, "what is unexplained does not count: tests that explain it are left out at another endpoint")
		unexplained = nil
	}
	return len(missing)+len(unexplained) == 0
}

// privilegesFile holds the tables of the last whole run, for mage to show: the go command hides what a test prints that passes.
const privilegesFile = ".build/privileges.txt"

// tell prints the report, keeps it, and says whether it is well.
func (p *privileges) tell() bool {
	var b bytes.Buffer
	good := p.report(&b)
	fmt.Fprint(os.Stderr, b.String())
	if elsewhere != "" { // not the whole of it
		return good
	}
	if err := os.WriteFile(filepath.Join(root, privilegesFile), b.Bytes(), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, "keep tables of permissions:", err)
		return false
	}
	return good
}

// wholeSuite reports whether all tests of the package are run.
func wholeSuite() bool {
	return !testing.Short() && flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == ""
}

// The judgement fails when one grant is taken away, and when one is added.
func TestJudgement(t *testing.T) {
	const process = "arn:aws:iam::000000000000:role/tributary-dev-process-coin_markets"
	put := iam.Grant{Role: process, Sid: "CallPut", Action: "s3:PutObject", Resource: "arn:aws:s3:::lake/*"}
	list := iam.Grant{Role: process, Sid: "AnswerMissing", Action: "s3:ListBucket", Resource: "arn:aws:s3:::raw"}
	use := func(action string, allowed bool) map[iam.Use]int {
		return map[iam.Use]int{{Principal: process, Action: action, Resource: "arn:aws:s3:::lake/a", Allowed: allowed}: 1}
	}
	for _, tc := range []struct {
		name                 string
		grants               []iam.Grant
		uses                 map[iam.Use]int
		missing, unexplained int
	}{
		{"as it should be", []iam.Grant{put, list}, use("s3:PutObject", true), 0, 0},
		{"one is taken away", []iam.Grant{list}, use("s3:PutObject", false), 1, 0},
		{"one is added", []iam.Grant{put, list, {Role: process, Sid: "CallMore", Action: "s3:DeleteBucket", Resource: "*"}}, use("s3:PutObject", true), 0, 1},
		{"one has no class", []iam.Grant{put, {Role: process, Sid: "Put", Action: "s3:PutObject", Resource: "*"}}, use("s3:PutObject", true), 0, 1},
	} {
		if missing, unexplained := judge(tc.grants, tc.uses); len(missing) != tc.missing || len(unexplained) != tc.unexplained {
			t.Errorf("%s: missing %q, unexplained %q", tc.name, missing, unexplained)
		}
	}
}
