package component

import (
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// BucketType is the type token of Bucket.
const BucketType = typePrefix + "Bucket"

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*[a-z0-9]$`)

// BucketArgs describe a bucket.
type BucketArgs struct {
	Place  Place
	Bucket string // physical name
	KeyArn pulumi.StringInput
	// WriteOnce are prefixes below which an object can be neither replaced nor deleted; only lifecycle ends it.
	WriteOnce []string
	// Keep says how long objects live, by prefix; what no rule covers lives for ever.
	Keep []Keep
	// NoncurrentDays is how long replaced and deleted versions can be called back.
	NoncurrentDays int
	// Disposable lets a stack be destroyed while objects are in the bucket.
	Disposable bool
	Protection Protection
}

// Keep is one rule of a bucket's lifecycle.
type Keep struct {
	Name        string
	Prefix      string // "" is the whole bucket
	Days        int    // 0: for ever
	ArchiveDays int    // after which objects move to Glacier Instant Retrieval; 0: never
}

// Validate reports every fault of the arguments.
func (a BucketArgs) Validate() error {
	var f faults
	a.Place.check(&f)
	f.name("Bucket", a.Bucket, bucketName, 63)
	if a.KeyArn == nil {
		f.add("KeyArn", "is required")
	}
	f.between("NoncurrentDays", a.NoncurrentDays, 1, 3650)
	for i, prefix := range a.WriteOnce {
		if prefix == "" || prefix[len(prefix)-1] != '/' {
			f.add(fmt.Sprintf("WriteOnce[%d]", i), "%q does not end in /", prefix)
		}
	}
	seen := map[string]bool{}
	for i, k := range a.Keep {
		field := fmt.Sprintf("Keep[%d]", i)
		f.require(field+".Name", k.Name)
		if seen[k.Prefix] {
			f.add(field+".Prefix", "%q has two rules", k.Prefix)
		}
		seen[k.Prefix] = true
		if k.Days < 0 || k.ArchiveDays < 0 {
			f.add(field, "days must not be negative")
		}
		if k.Days > 0 && k.ArchiveDays >= k.Days {
			f.add(field+".ArchiveDays", "%d is not before the end after %d days", k.ArchiveDays, k.Days)
		}
	}
	if a.Disposable && a.Protection.Data {
		f.add("Disposable", "contradicts Protection.Data")
	}
	return f.err()
}

// Bucket is a private, versioned, encrypted bucket that speaks TLS only and whose objects all have an owner and an end.
type Bucket struct {
	pulumi.ResourceState

	Name pulumi.StringOutput
	Arn  pulumi.StringOutput
	// Policy stands when the bucket is ready to be written to: everything else of it comes before.
	Policy *s3.BucketPolicy
}

// NewBucket declares a bucket.
//
// S3 refuses concurrent changes of one bucket's configuration (OperationAborted), so each part waits for the one
// before it; the public access block comes first.
func NewBucket(ctx *pulumi.Context, name string, args BucketArgs, opts ...pulumi.ResourceOption) (*Bucket, error) {
	b := &Bucket{}
	if err := register(ctx, BucketType, name, args.Validate, b, opts); err != nil {
		return nil, err
	}
	bucket, err := s3.NewBucketV2(ctx, name, &s3.BucketV2Args{
		Bucket:       pulumi.String(args.Bucket),
		ForceDestroy: pulumi.Bool(args.Disposable),
	}, append(args.Protection.options(), pulumi.Parent(b))...)
	if err != nil {
		return nil, fmt.Errorf("declare bucket %s: %w", args.Bucket, err)
	}
	block, err := s3.NewBucketPublicAccessBlock(ctx, name, &s3.BucketPublicAccessBlockArgs{
		Bucket:                bucket.Bucket,
		BlockPublicAcls:       pulumi.Bool(true),
		BlockPublicPolicy:     pulumi.Bool(true),
		IgnorePublicAcls:      pulumi.Bool(true),
		RestrictPublicBuckets: pulumi.Bool(true),
	}, pulumi.Parent(b))
	if err != nil {
		return nil, fmt.Errorf("declare public access block of bucket %s: %w", args.Bucket, err)
	}
	ownership, err := s3.NewBucketOwnershipControls(ctx, name, &s3.BucketOwnershipControlsArgs{
		Bucket: bucket.Bucket,
		Rule:   &s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String("BucketOwnerEnforced")},
	}, after(b, block)...)
	if err != nil {
		return nil, fmt.Errorf("declare ownership of bucket %s: %w", args.Bucket, err)
	}
	versioning, err := s3.NewBucketVersioningV2(ctx, name, &s3.BucketVersioningV2Args{
		Bucket:                  bucket.Bucket,
		VersioningConfiguration: &s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
	}, after(b, ownership)...)
	if err != nil {
		return nil, fmt.Errorf("declare versioning of bucket %s: %w", args.Bucket, err)
	}
	encryption, err := s3.NewBucketServerSideEncryptionConfigurationV2(ctx, name, &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: bucket.Bucket,
		Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{&s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
			ApplyServerSideEncryptionByDefault: &s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
				SseAlgorithm:   pulumi.String("aws:kms"),
				KmsMasterKeyId: args.KeyArn,
			},
			BucketKeyEnabled: pulumi.Bool(true),
		}},
	}, after(b, versioning)...)
	if err != nil {
		return nil, fmt.Errorf("declare encryption of bucket %s: %w", args.Bucket, err)
	}
	lifecycle, err := s3.NewBucketLifecycleConfigurationV2(ctx, name, &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.Bucket,
		Rules:  lifecycleRules(args),
	}, after(b, encryption)...)
	if err != nil {
		return nil, fmt.Errorf("declare lifecycle of bucket %s: %w", args.Bucket, err)
	}
	b.Policy, err = s3.NewBucketPolicy(ctx, name, &s3.BucketPolicyArgs{
		Bucket: bucket.Bucket,
		Policy: pulumi.String(BucketDocument(args.Place, args.Bucket, args.WriteOnce).Text()),
	}, after(b, lifecycle)...)
	if err != nil {
		return nil, fmt.Errorf("declare policy of bucket %s: %w", args.Bucket, err)
	}
	b.Name, b.Arn = bucket.Bucket, bucket.Arn
	if err := ctx.RegisterResourceOutputs(b, pulumi.Map{"name": b.Name, "arn": b.Arn}); err != nil {
		return nil, fmt.Errorf("register outputs of bucket %s: %w", args.Bucket, err)
	}
	return b, nil
}

func after(parent pulumi.Resource, earlier ...pulumi.Resource) []pulumi.ResourceOption {
	return []pulumi.ResourceOption{pulumi.Parent(parent), pulumi.DependsOn(earlier)}
}

// abandonedUploadDays is when the parts of an upload that was never completed go: Lambda gives up within hours.
const abandonedUploadDays = 2

// lifecycleRules always begins with the rule for the whole bucket; then comes one for each prefix that ends.
func lifecycleRules(args BucketArgs) s3.BucketLifecycleConfigurationV2RuleArray {
	whole := lifecycleRule("housekeeping", "")
	whole.AbortIncompleteMultipartUpload = &s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{
		DaysAfterInitiation: pulumi.Int(abandonedUploadDays),
	}
	whole.NoncurrentVersionExpiration = &s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{
		NoncurrentDays: pulumi.Int(args.NoncurrentDays),
	}
	// Where the whole bucket expires by days, S3 removes left-over delete markers as well, and takes only one of both.
	whole.Expiration = &s3.BucketLifecycleConfigurationV2RuleExpirationArgs{ExpiredObjectDeleteMarker: pulumi.Bool(true)}
	rules := s3.BucketLifecycleConfigurationV2RuleArray{whole}
	for _, k := range args.Keep {
		rule := whole
		if k.Prefix != "" {
			rule = lifecycleRule(k.Name, k.Prefix)
		}
		if k.Days > 0 {
			rule.Expiration = &s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(k.Days)}
		}
		if k.ArchiveDays > 0 {
			rule.Transitions = s3.BucketLifecycleConfigurationV2RuleTransitionArray{&s3.BucketLifecycleConfigurationV2RuleTransitionArgs{
				Days: pulumi.Int(k.ArchiveDays), StorageClass: pulumi.String("GLACIER_IR"),
			}}
		}
		if rule != whole && (k.Days > 0 || k.ArchiveDays > 0) {
			rules = append(rules, rule)
		}
	}
	return rules
}

func lifecycleRule(id, prefix string) *s3.BucketLifecycleConfigurationV2RuleArgs {
	return &s3.BucketLifecycleConfigurationV2RuleArgs{
		Id:     pulumi.String(id),
		Status: pulumi.String("Enabled"),
		Filter: &s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String(prefix)},
	}
}
