package component

import (
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ServingType is the type token of Serving.
const ServingType = typePrefix + "Serving"

var tableName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,}$`)

// KeyAttribute is one attribute of a table's key.
type KeyAttribute struct {
	Name string
	Type string // S, N or B
}

// ServingArgs describe a serving table.
type ServingArgs struct {
	Table        string // physical name
	PartitionKey KeyAttribute
	SortKey      *KeyAttribute // nil: none
	TTLAttribute string        // "": items do not expire
	// RecoveryDays is how far back the table can be restored to any second; 0: not at all.
	RecoveryDays int
	Protection   Protection
	Tags         map[string]string
}

// Validate reports every fault of the arguments.
func (a ServingArgs) Validate() error {
	var f faults
	f.name("Table", a.Table, tableName, 255)
	a.PartitionKey.check(&f, "PartitionKey")
	if a.SortKey != nil {
		a.SortKey.check(&f, "SortKey")
	}
	if a.RecoveryDays != 0 {
		f.between("RecoveryDays", a.RecoveryDays, 1, 35)
	}
	return f.err()
}

func (k KeyAttribute) check(f *faults, field string) {
	f.require(field+".Name", k.Name)
	if k.Type != "S" && k.Type != "N" && k.Type != "B" {
		f.add(field+".Type", "%q is none of S, N, B", k.Type)
	}
}

// Serving is a DynamoDB table from which applications read the newest state per key.
type Serving struct {
	pulumi.ResourceState

	Name pulumi.StringOutput
	Arn  pulumi.StringOutput
}

// NewServing declares a serving table. It is encrypted under the account's aws/dynamodb key: DynamoDB uses that for
// whoever may use the table, so that applications need no grant on a key.
func NewServing(ctx *pulumi.Context, name string, args ServingArgs, opts ...pulumi.ResourceOption) (*Serving, error) {
	s := &Serving{}
	if err := register(ctx, ServingType, name, args.Validate, s, opts); err != nil {
		return nil, err
	}
	attributes := dynamodb.TableAttributeArray{attribute(args.PartitionKey)}
	var rangeKey pulumi.StringPtrInput
	if args.SortKey != nil {
		attributes = append(attributes, attribute(*args.SortKey))
		rangeKey = pulumi.String(args.SortKey.Name)
	}
	var ttl dynamodb.TableTtlPtrInput
	if args.TTLAttribute != "" {
		ttl = &dynamodb.TableTtlArgs{AttributeName: pulumi.String(args.TTLAttribute), Enabled: pulumi.Bool(true)}
	}
	recovery := &dynamodb.TablePointInTimeRecoveryArgs{Enabled: pulumi.Bool(args.RecoveryDays > 0)}
	if args.RecoveryDays > 0 {
		recovery.RecoveryPeriodInDays = pulumi.Int(args.RecoveryDays)
	}
	table, err := dynamodb.NewTable(ctx, name, &dynamodb.TableArgs{
		Name:                      pulumi.String(args.Table),
		BillingMode:               pulumi.String("PAY_PER_REQUEST"),
		HashKey:                   pulumi.String(args.PartitionKey.Name),
		RangeKey:                  rangeKey,
		Attributes:                attributes,
		Ttl:                       ttl,
		PointInTimeRecovery:       recovery,
		ServerSideEncryption:      &dynamodb.TableServerSideEncryptionArgs{Enabled: pulumi.Bool(true)},
		DeletionProtectionEnabled: pulumi.Bool(args.Protection.Data),
		Tags:                      pulumi.ToStringMap(args.Tags),
	}, append(args.Protection.options(), pulumi.Parent(s))...)
	if err != nil {
		return nil, fmt.Errorf("declare serving table %s: %w", args.Table, err)
	}
	s.Name, s.Arn = table.Name, table.Arn
	if err := ctx.RegisterResourceOutputs(s, pulumi.Map{"name": s.Name, "arn": s.Arn}); err != nil {
		return nil, fmt.Errorf("register outputs of serving table %s: %w", args.Table, err)
	}
	return s, nil
}

func attribute(k KeyAttribute) *dynamodb.TableAttributeArgs {
	return &dynamodb.TableAttributeArgs{Name: pulumi.String(k.Name), Type: pulumi.String(k.Type)}
}
