package component

import (
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// SecretType is the type token of Secret.
const SecretType = typePrefix + "Secret"

var secretName = regexp.MustCompile(`^[a-zA-Z0-9/_+=.@-]+$`)

// SecretArgs describe a secret.
type SecretArgs struct {
	Secret      string // physical name
	Description string
	KeyArn      pulumi.StringInput
	// RecoveryDays is how long a deleted secret can be called back; while it can, its name stays taken. 0: not at all.
	RecoveryDays int
	Protection   Protection
}

// Validate reports every fault of the arguments.
func (a SecretArgs) Validate() error {
	var f faults
	f.name("Secret", a.Secret, secretName, 512)
	f.require("Description", a.Description)
	if a.KeyArn == nil {
		f.add("KeyArn", "is required")
	}
	if a.RecoveryDays != 0 {
		f.between("RecoveryDays", a.RecoveryDays, 7, 30)
	}
	return f.err()
}

// Secret is a place for a secret value. The value is put there by hand, so that it is in no program and no state.
type Secret struct {
	pulumi.ResourceState

	Name pulumi.StringOutput
	Arn  pulumi.StringOutput
}

// NewSecret declares an empty secret.
func NewSecret(ctx *pulumi.Context, name string, args SecretArgs, opts ...pulumi.ResourceOption) (*Secret, error) {
	s := &Secret{}
	if err := register(ctx, SecretType, name, args.Validate, s, opts); err != nil {
		return nil, err
	}
	secret, err := secretsmanager.NewSecret(ctx, name, &secretsmanager.SecretArgs{
		Name:                 pulumi.String(args.Secret),
		Description:          pulumi.String(args.Description),
		KmsKeyId:             args.KeyArn.ToStringOutput().ToStringPtrOutput(),
		RecoveryWindowInDays: pulumi.Int(args.RecoveryDays),
	}, append(args.Protection.options(), pulumi.Parent(s))...)
	if err != nil {
		return nil, fmt.Errorf("declare secret %s: %w", args.Secret, err)
	}
	s.Name, s.Arn = secret.Name, secret.Arn
	if err := ctx.RegisterResourceOutputs(s, pulumi.Map{"name": s.Name, "arn": s.Arn}); err != nil {
		return nil, fmt.Errorf("register outputs of secret %s: %w", args.Secret, err)
	}
	return s, nil
}
