package readme

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlan(t *testing.T) {
	steps, err := Plan(Read("`go tool mage x FILE` `go tool mage test` `aws x` (needs AWS)\n\n`go tool mage x FILE`\n\n```\nshown\n```\n\n`go tool mage x FILES`"), Rules{
		Substitutions: []Substitution{{"FILE", "a.json", "a file"}, {"x a.json", "y b.json", "another"}},
		Elsewhere:     []Place{{"go tool mage test", "it runs this"}},
		Talks:         []Talk{{Command: "go tool mage x FILES"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	type row struct{ Text, Run, Why, Shown string }
	var got []row
	for _, s := range steps {
		got = append(got, row{s.Text, s.Run, strings.Join(s.Why, "; "), s.Shown})
	}
	want := []row{
		{"go tool mage x FILE", "go tool mage y b.json", "a file; another", "shown"},
		{"go tool mage test", "", "it runs this", ""},
		{"aws x", "", "needs AWS", ""},
		{"go tool mage x FILES", "go tool mage x FILES", "", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What no command needs any more must go.
func TestPlanRefusesRulesWithoutUse(t *testing.T) {
	for _, test := range []struct {
		rules Rules
		want  string
	}{
		{Rules{Substitutions: []Substitution{{"OLD", "a", ""}}}, "no command of the README has OLD, which is substituted"},
		{Rules{Substitutions: []Substitution{{"ru", "a", ""}}}, "no command of the README has ru, which is substituted"},
		{Rules{Substitutions: []Substitution{{"s3", "a", ""}}}, "no command of the README has s3, which is substituted"}, // of one that is not run
		{Rules{Elsewhere: []Place{{"go tool mage bench", ""}}}, "the README has no command go tool mage bench, which runs elsewhere"},
		{Rules{Talks: []Talk{{Command: "go tool mage dev"}}}, "the README has no command go tool mage dev, which is talked to"},
	} {
		_, err := Plan(Read("`go tool mage run` `aws s3 ls` (needs AWS)"), test.rules)
		if err == nil || err.Error() != test.want {
			t.Errorf("%+v: %v, want %s", test.rules, err, test.want)
		}
	}
	if _, err := Plan(Read("`aws s3 ls`"), Rules{}); err == nil || !strings.Contains(err.Error(), "does not say that this needs AWS") {
		t.Errorf("a command without its mark: %v", err)
	}
}
