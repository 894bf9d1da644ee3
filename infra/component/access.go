package component

import (
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"
)

// AccessType is the type token of Access.
const AccessType = typePrefix + "Access"

var policyName = regexp.MustCompile(`^[\w+=,.@-]+$`)

// IsPolicyName says whether a text can be the name of a managed policy, which has neither path nor ARN.
func IsPolicyName(text string) bool { return len(text) <= 128 && policyName.MatchString(text) }

// AccessArgs describe what one kind of people or programs may do.
type AccessArgs struct {
	Policy      string // physical name
	Description string
	Grants      pulumix.Input[[]Grant]
	Tags        map[string]string
}

// Validate reports every fault of the arguments.
func (a AccessArgs) Validate() error {
	var f faults
	f.name("Policy", a.Policy, policyName, 128)
	f.require("Description", a.Description)
	if a.Grants == nil {
		f.add("Grants", "is required")
	}
	return f.err()
}

// Access is a managed policy to attach to roles that are not ours.
type Access struct {
	pulumi.ResourceState

	Arn pulumi.StringOutput
}

// NewAccess declares a managed policy.
func NewAccess(ctx *pulumi.Context, name string, args AccessArgs, opts ...pulumi.ResourceOption) (*Access, error) {
	a := &Access{}
	if err := register(ctx, AccessType, name, args.Validate, a, opts); err != nil {
		return nil, err
	}
	policy, err := iam.NewPolicy(ctx, name, &iam.PolicyArgs{
		Name:        pulumi.String(args.Policy),
		Description: pulumi.String(args.Description),
		Policy:      pulumix.Apply(args.Grants, func(grants []Grant) string { return Identity(grants).Text() }),
		Tags:        pulumi.ToStringMap(args.Tags),
	}, pulumi.Parent(a))
	if err != nil {
		return nil, fmt.Errorf("declare policy %s: %w", args.Policy, err)
	}
	a.Arn = policy.Arn
	if err := ctx.RegisterResourceOutputs(a, pulumi.Map{"arn": a.Arn}); err != nil {
		return nil, fmt.Errorf("register outputs of policy %s: %w", args.Policy, err)
	}
	return a, nil
}
