package local_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local"
)

var settings = map[string]any{"settings": map[string]any{"nested": map[string]any{"b": 3}}}

// An update of the program changes functions, policies and schedules under the same endpoint and credentials, and leaves
// what the stores hold.
func TestRedeploy(t *testing.T) {
	p := &program{color: "red"}
	env, events := start(t, p)
	fire(t, env)
	endpoint := env.Endpoint
	operator, err := env.Credentials("")
	if err != nil {
		t.Fatal(err)
	}

	p.color, p.without, p.rate = "blue", "dynamodb:PutItem", "rate(2 hours)"
	changed, err := env.Redeploy(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range changed {
		names = append(names, r.Type[strings.LastIndexByte(r.Type, ':')+1:]+" "+r.Name)
	}
	slices.Sort(names)
	want := []string{"Function environment", "Function ingest", "Function process", "RolePolicy process", "Schedule coin_markets"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	result, err := env.Invoke(t.Context(), "trial-environment", nil)
	if err != nil || !strings.Contains(string(result.Payload), `"COLOR=blue"`) {
		t.Errorf("the function sees %s, %v", result.Payload, err)
	}
	if s := env.Schedules(); len(s) != 1 || s[0].Expression != "rate(2 hours)" {
		t.Errorf("schedules: %+v", s)
	}
	objects, err := env.Objects(rawBucket)
	if err != nil || len(objects) != 1 {
		t.Errorf("%d objects, %v", len(objects), err)
	}
	again, err := env.Credentials("")
	if err != nil || again != operator || env.Endpoint != endpoint {
		t.Errorf("endpoint and credentials are now %s, %v, %v", env.Endpoint, again == operator, err)
	}

	// Without its grant the function fails, is retried, and its event goes where failed events went before.
	if err := env.Fire("coin_markets", at.AddDate(0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	if err := env.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	if denied := events.of(local.AccessDenied); len(denied) == 0 || denied[0].Action != "dynamodb:PutItem" {
		t.Errorf("denied: %+v", denied)
	}
	if queued, err := env.Queued("trial-failures"); err != nil || len(queued) != 1 {
		t.Errorf("%d failed events, %v", len(queued), err)
	}

	if changed, err := env.Redeploy(t.Context(), settings); err != nil || len(changed) != 0 {
		t.Errorf("the same program changes %v, %v", changed, err)
	}
}

// What cannot be changed is refused as a whole, with every reason.
func TestRedeployRefuses(t *testing.T) {
	p := &program{color: "red"}
	env, _ := start(t, p)
	for _, test := range []struct {
		name   string
		change program
		want   []string
	}{
		{"the program fails", program{color: "blue", fault: errors.New("no settings")}, []string{"no settings"}},
		{"new resources", program{color: "blue", more: true}, []string{"needs to be started anew, because of the new Queue more"}},
		{"resources that are gone", program{color: "blue", noPermission: true}, []string{"Permission process, which is gone"}},
		{"other properties", program{color: "blue", key: "alias/aws/sns", more: true}, []string{"the changed Topic alerts", "the new Queue more"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			zip := p.zip
			*p = test.change
			p.zip = zip
			changed, err := env.Redeploy(t.Context(), settings)
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v, %v; want %q", changed, err, want)
				}
			}
			result, err := env.Invoke(t.Context(), "trial-environment", nil)
			if err != nil || !strings.Contains(string(result.Payload), `"COLOR=red"`) {
				t.Errorf("the function sees %s, %v", result.Payload, err)
			}
		})
	}
}
