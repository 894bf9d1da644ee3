package e2e_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"tributary/infra/local"
)

// log keeps the events of an environment.
type log struct {
	mu     sync.Mutex
	events []local.Event
}

func (l *log) add(e local.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

// of lists the events of some kinds as text.
func (l *log) of(kinds ...local.Kind) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, e := range l.events {
		if slices.Contains(kinds, e.Kind) {
			all = append(all, strings.TrimSpace(fmt.Sprint(e.Kind, ": ", e.Function, e.Role, " ", e.Action, " ", e.Resource, " ", e.Message, " ", e.Error)))
		}
	}
	return all
}

// String tells what went wrong and what the functions wrote.
func (l *log) String() string {
	return strings.Join(l.of(local.InvocationFailed, local.AccessDenied, local.EventRefused, local.LogWritten), "\n")
}

// removal takes an action out of the policy of a function's role.
type removal struct {
	function, action string
	done             int
}

func (r *removal) transform(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
	policy, ok := args.Props.(*iam.RolePolicyArgs)
	if !ok || !strings.Contains(args.Name, r.function) {
		return nil
	}
	policy.Policy = pulumi.ToOutput(policy.Policy).ApplyT(r.without).(pulumi.StringOutput)
	return &pulumi.ResourceTransformationResult{Props: policy, Opts: args.Opts}
}

func (r *removal) without(policy any) (string, error) {
	text, ok := policy.(string)
	if !ok {
		return "", fmt.Errorf("read policy: %T is no text", policy)
	}
	var document map[string]any
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		return "", fmt.Errorf("read policy: %w", err)
	}
	statements, _ := document["Statement"].([]any)
	for _, s := range statements {
		statement, _ := s.(map[string]any)
		actions, _ := statement["Action"].([]any)
		if len(actions) == 0 {
			actions = []any{statement["Action"]}
		}
		kept := slices.DeleteFunc(actions, func(a any) bool { return a == r.action })
		if len(kept) < len(actions) {
			r.done++
		}
		if len(kept) == 0 {
			kept = []any{"tag:GetResources"} // a statement needs an action: this one does no harm
		}
		statement["Action"] = kept
	}
	changed, err := json.Marshal(document)
	if err != nil {
		return "", fmt.Errorf("write policy: %w", err)
	}
	return string(changed), nil
}
