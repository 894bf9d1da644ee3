package component

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/athena"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// WorkgroupType is the type token of Workgroup.
const WorkgroupType = typePrefix + "Workgroup"

// WorkgroupArgs describe a workgroup.
type WorkgroupArgs struct {
	Place         Place
	Workgroup     string // physical name
	Description   string
	ResultsBucket pulumi.StringInput
	KeyArn        pulumi.StringInput
	ScanLimit     int64 // bytes that one query may read
	// Disposable lets a stack be destroyed while the workgroup holds queries.
	Disposable bool
}

// minimumScanLimit is Athena's.
const minimumScanLimit = 10 << 20

// Validate reports every fault of the arguments.
func (a WorkgroupArgs) Validate() error {
	var f faults
	a.Place.check(&f)
	f.name("Workgroup", a.Workgroup, functionName, 128)
	if a.ResultsBucket == nil {
		f.add("ResultsBucket", "is required")
	}
	if a.KeyArn == nil {
		f.add("KeyArn", "is required")
	}
	if a.ScanLimit < minimumScanLimit {
		f.add("ScanLimit", "is %d bytes, Athena wants at least %d", a.ScanLimit, minimumScanLimit)
	}
	return f.err()
}

// Workgroup is where queries run: results are encrypted in a bucket of ours, and no query can scan without limit.
type Workgroup struct {
	pulumi.ResourceState

	Name pulumi.StringOutput
	Arn  pulumi.StringOutput
}

// NewWorkgroup declares a workgroup whose settings clients cannot override.
func NewWorkgroup(ctx *pulumi.Context, name string, args WorkgroupArgs, opts ...pulumi.ResourceOption) (*Workgroup, error) {
	w := &Workgroup{}
	if err := register(ctx, WorkgroupType, name, args.Validate, w, opts); err != nil {
		return nil, err
	}
	workgroup, err := athena.NewWorkgroup(ctx, name, &athena.WorkgroupArgs{
		Name:         pulumi.String(args.Workgroup),
		Description:  pulumi.String(args.Description),
		ForceDestroy: pulumi.Bool(args.Disposable),
		Configuration: &athena.WorkgroupConfigurationArgs{
			EnforceWorkgroupConfiguration:   pulumi.Bool(true),
			PublishCloudwatchMetricsEnabled: pulumi.Bool(true),
			BytesScannedCutoffPerQuery:      pulumi.Int(int(args.ScanLimit)),
			ResultConfiguration: &athena.WorkgroupConfigurationResultConfigurationArgs{
				OutputLocation:      pulumi.Sprintf("s3://%s/results/", args.ResultsBucket),
				ExpectedBucketOwner: pulumi.String(args.Place.Account),
				EncryptionConfiguration: &athena.WorkgroupConfigurationResultConfigurationEncryptionConfigurationArgs{
					EncryptionOption: pulumi.String("SSE_KMS"),
					KmsKeyArn:        args.KeyArn.ToStringOutput().ToStringPtrOutput(),
				},
			},
		},
	}, pulumi.Parent(w))
	if err != nil {
		return nil, fmt.Errorf("declare workgroup %s: %w", args.Workgroup, err)
	}
	w.Name, w.Arn = workgroup.Name, workgroup.Arn
	if err := ctx.RegisterResourceOutputs(w, pulumi.Map{"name": w.Name, "arn": w.Arn}); err != nil {
		return nil, fmt.Errorf("register outputs of workgroup %s: %w", args.Workgroup, err)
	}
	return w, nil
}
