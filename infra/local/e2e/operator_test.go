package e2e_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"tributary/infra/bootstrap"
	"tributary/infra/local"
)

// operator is the role of whoever operates the stack. It has the policy that is deployed for it, and nothing else.
const operator = "operator"

// deployer is the role of whoever deploys, as far as that is to try what was deployed.
const deployer = "deployer"

// without is that role of one who lacks an action of its policy.
func without(role, action string) string {
	return role + "-without-" + strings.ReplaceAll(action, ":", "-")
}

// operators declares the roles of people, who are none of the stack's.
type operators struct {
	lacking []string // actions of the operator, one for each role that lacks it
	trying  []string // the same of the deployer

	policy  *iam.Policy
	granted pulumi.StringOutput
	text    string // of the policy
}

// find takes the policy out of what the program declares.
func (o *operators) find(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
	if props, ok := args.Props.(*iam.PolicyArgs); ok && args.Name == operator {
		o.policy, _ = args.Resource.(*iam.Policy)
		o.granted = pulumi.ToOutput(props.Policy).ApplyT(func(text any) string { o.text = fmt.Sprint(text); return o.text }).(pulumi.StringOutput)
	}
	return nil
}

// actions are what a policy grants.
func actions(t *testing.T, text string) []string {
	t.Helper()
	var document struct {
		Statement []struct{ Action []string }
	}
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range document.Statement {
		all = append(all, s.Action...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (o *operators) declare(ctx *pulumi.Context) error {
	if o.policy == nil {
		return fmt.Errorf("the stack declares no policy %s", operator)
	}
	role, err := person(ctx, operator)
	if err != nil {
		return err
	}
	if _, err := iam.NewRolePolicyAttachment(ctx, operator, &iam.RolePolicyAttachmentArgs{Role: role.Name, PolicyArn: o.policy.Arn}); err != nil {
		return err
	}
	for _, action := range o.lacking {
		name, r := without(operator, action), &removal{action: action}
		if role, err = person(ctx, name); err != nil {
			return err
		}
		policy := o.granted.ApplyT(func(text string) (string, error) { return r.without(text) }).(pulumi.StringOutput)
		if _, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{Role: role.Name, Policy: policy}); err != nil {
			return err
		}
	}
	for _, action := range append([]string{""}, o.trying...) {
		name, text := deployer, smokePolicy
		if action != "" {
			name = without(deployer, action)
			if text, err = (&removal{action: action}).without(smokePolicy); err != nil {
				return err
			}
		}
		if role, err = person(ctx, name); err != nil {
			return err
		}
		if _, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{Role: role.Name, Policy: pulumi.String(text)}); err != nil {
			return err
		}
	}
	return nil
}

// smokePolicy is what the template of an account grants those who deploy, but for the tags of keys, which the local
// environment does not keep.
var smokePolicy = regexp.MustCompile(`"aws:ResourceTag/[^,}]*,?`).ReplaceAllString(
	bootstrap.SmokeText("tributary", bootstrap.Stack{Name: "dev", Region: "eu-central-1"}, "aws", local.Account), "")

// person declares a role that people take.
func person(ctx *pulumi.Context, name string) (*iam.Role, error) {
	return iam.NewRole(ctx, name, &iam.RoleArgs{
		Name: pulumi.String(name),
		AssumeRolePolicy: pulumi.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` +
			local.Account + `:root"},"Action":"sts:AssumeRole"}]}`),
	})
}
