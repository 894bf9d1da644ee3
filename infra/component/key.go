package component

import (
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// KeyType is the type token of Key.
const KeyType = typePrefix + "Key"

var aliasName = regexp.MustCompile(`^[a-zA-Z0-9/_-]+$`)

// KeyArgs describe a key.
type KeyArgs struct {
	Place       Place
	Alias       string // without alias/
	Description string
	// Alarms is the name pattern of CloudWatch alarms that publish under the key; empty for none.
	Alarms string
	// DeletionDays is how long a deleted key can be called back.
	DeletionDays int
	Protection   Protection
}

// Validate reports every fault of the arguments.
func (a KeyArgs) Validate() error {
	var f faults
	a.Place.check(&f)
	f.name("Alias", a.Alias, aliasName, 250)
	f.require("Description", a.Description)
	f.between("DeletionDays", a.DeletionDays, 7, 30)
	return f.err()
}

// Key is a KMS key that rotates, with an alias to find it by.
type Key struct {
	pulumi.ResourceState

	Arn pulumi.StringOutput
}

// NewKey declares a key.
func NewKey(ctx *pulumi.Context, name string, args KeyArgs, opts ...pulumi.ResourceOption) (*Key, error) {
	k := &Key{}
	if err := register(ctx, KeyType, name, args.Validate, k, opts); err != nil {
		return nil, err
	}
	key, err := kms.NewKey(ctx, name, &kms.KeyArgs{
		Description:          pulumi.String(args.Description),
		Policy:               pulumi.String(KeyDocument(args.Place, args.Alarms).Text()),
		EnableKeyRotation:    pulumi.Bool(true),
		DeletionWindowInDays: pulumi.Int(args.DeletionDays),
	}, append(args.Protection.options(), pulumi.Parent(k))...)
	if err != nil {
		return nil, fmt.Errorf("declare key %s: %w", name, err)
	}
	if _, err := kms.NewAlias(ctx, name, &kms.AliasArgs{
		Name:        pulumi.String("alias/" + args.Alias),
		TargetKeyId: key.KeyId,
	}, pulumi.Parent(k)); err != nil {
		return nil, fmt.Errorf("declare alias of key %s: %w", name, err)
	}
	k.Arn = key.Arn
	if err := ctx.RegisterResourceOutputs(k, pulumi.Map{"arn": k.Arn}); err != nil {
		return nil, fmt.Errorf("register outputs of key %s: %w", name, err)
	}
	return k, nil
}
