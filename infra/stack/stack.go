// Package stack is the program that declares one environment: what the datasets share, and one Pipeline for each
// contract in shared/datasets. It holds no resource of its own making; the building blocks are in package component.
//
// A bucket must name the function that it starts, the function's role must name the bucket, and the function's
// permission the bucket again. The circle is cut in two places. Names are chosen here and not by AWS, so policies name
// ARNs of what does not exist yet. And what remains is an order:
//
//	bucket → function → permission, failure destination, recursion guard → notification → schedule
//
// The notification is one resource for the whole raw bucket, because each overwrites the one before; the schedules wait
// for it, so that the first object of a first deployment finds it there.
//
// The program refuses to run with settings that are not exactly right, with names that AWS or another stack's policies
// would not bear, with deployment packages that are missing, damaged or older than their source, and with contracts that
// contradict the environment; a refusal lists all reasons that can be seen at once.
package stack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"tributary/infra/artifact"
	"tributary/infra/component"
	"tributary/shared/contract"
)

// Deploy declares the stack of the settings that ctx carries, for the project that the working directory lies in.
func Deploy(ctx *pulumi.Context) error { return For(artifact.AWS)(ctx) }

// For is Deploy with deployment packages for another machine: the local environment starts the functions on its own.
func For(machine artifact.Target) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		dir, err := os.Getwd()
		if err != nil {
			return fmt.Errorf("find root of the project: %w", err)
		}
		root, err := FindRoot(dir)
		if err != nil {
			return err
		}
		return deploy(ctx, root, func(root, dir string) error { return artifact.Check(root, dir, machine) })
	}
}

// deploy declares the stack for the project at root; current says why its deployment packages cannot be used.
func deploy(ctx *pulumi.Context, root string, current func(root, dir string) error) error {
	text, ok := ctx.GetConfig(ConfigKey)
	if !ok {
		return fmt.Errorf("read settings: Pulumi.%s.yaml has no %s", ctx.Stack(), ConfigKey)
	}
	config, err := ParseConfig(text)
	contracts, loadErr := contract.LoadDir(filepath.Join(root, datasetsDir))
	if loadErr != nil {
		loadErr = fmt.Errorf("load contracts: %w", loadErr)
	}
	if err := errors.Join(err, loadErr); err != nil {
		return err
	}
	if config.Environment == "" {
		config.Environment = ctx.Stack()
	}
	// Names of an account that nobody has are as long as those of the one that the provider will find.
	place := component.Place{Partition: component.Partition(config.Region), Region: config.Region, Account: "000000000000"}
	if err := errors.Join(
		newNames(ctx.Project(), ctx.Stack(), place).check(contracts),
		checkDatasets(config, contracts),
		current(root, config.Artifacts),
	); err != nil {
		return err
	}
	provider, account, err := newProvider(ctx, config)
	if err != nil {
		return err
	}
	place.Account = account
	n := newNames(ctx.Project(), ctx.Stack(), place)
	return declare(ctx, program{Config: config, names: n, root: root, inAWS: pulumi.Providers(provider)}, contracts)
}

// program is what every declaration needs to know.
type program struct {
	Config
	names
	root  string
	inAWS pulumi.ResourceOption // the explicit provider: a default one could be of any account
}

// boundary is the ARN of the policy that limits roles; empty: none.
func (p program) boundary() string {
	if p.PermissionsBoundary == "" {
		return ""
	}
	return p.place.PolicyARN(p.PermissionsBoundary)
}

// protection is how hard it is to lose data.
func (p program) protection() component.Protection { return component.Protection{Data: p.Protect} }

func declare(ctx *pulumi.Context, p program, contracts []*contract.Contract) error {
	shared, err := newShared(ctx, p, contracts)
	if err != nil {
		return err
	}
	pipelines := make([]*Pipeline, len(contracts))
	for i, c := range contracts {
		if pipelines[i], err = newPipeline(ctx, p, shared, c); err != nil {
			return fmt.Errorf("declare pipeline of dataset %s: %w", c.Dataset, err)
		}
	}
	notification, err := newNotification(ctx, shared.raw, pipelines)
	if err != nil {
		return err
	}
	datasets := pulumi.Map{}
	for i, c := range contracts {
		if err := pipelines[i].start(ctx, p, shared, notification); err != nil {
			return fmt.Errorf("declare pipeline of dataset %s: %w", c.Dataset, err)
		}
		datasets[c.Dataset] = pipelines[i].outputs
	}
	if err := newDashboard(ctx, p, pipelines); err != nil {
		return err
	}
	shared.export(ctx, p)
	ctx.Export("datasets", datasets)
	return nil
}

// newNotification declares the one notification of the raw bucket: the manifest of each dataset starts its process
// function. Prefixes end in a slash, because S3 refuses filters that overlap. It waits for the functions as a whole: what
// fails from the first event on has a queue to go to, and S3, which tries each function at once and is refused where the
// permission has only just been given (hashicorp/terraform-provider-aws#19088), tries a little later.
func newNotification(ctx *pulumi.Context, raw *component.Bucket, pipelines []*Pipeline) (*s3.BucketNotification, error) {
	var functions s3.BucketNotificationLambdaFunctionArray
	var before []pulumi.Resource
	for _, pipeline := range pipelines {
		functions = append(functions, pipeline.trigger())
		before = append(before, pipeline.permission, pipeline.process.Guard)
	}
	notification, err := s3.NewBucketNotification(ctx, rawBucket, &s3.BucketNotificationArgs{
		Bucket:          raw.Name,
		LambdaFunctions: functions,
	}, pulumi.Parent(raw), pulumi.DependsOn(append(before, raw.Policy)))
	if err != nil {
		return nil, fmt.Errorf("declare notification of the raw bucket: %w", err)
	}
	return notification, nil
}

// checkDatasets finds what settings and contracts say against each other.
func checkDatasets(config Config, contracts []*contract.Contract) error {
	var errs []error
	for _, c := range contracts {
		fault := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("dataset %s: %s", c.Dataset, fmt.Sprintf(format, args...)))
		}
		if file := filepath.Base(c.File); file != c.Dataset+".odcs.yaml" {
			fault("its contract must be called %s.odcs.yaml, not %s: deployment packages are named after the file", c.Dataset, file)
		}
		_, specific := c.Source.URLs[config.Environment]
		_, general := c.Source.URLs[""]
		if !specific && !general && config.Datasets[c.Dataset].SourceURL == "" {
			fault("the contract has no server of type api for environment %s, and settings no sourceUrl", config.Environment)
		}
		lake := config.lakeDays(days(c.Retention))
		if raw := config.Retention.Raw; raw > 0 && (lake == 0 || lake > raw) {
			fault("raw bytes must outlive the lake: retention.rawDays is %d, the lake keeps %s", raw, forDays(lake))
		}
	}
	for _, name := range sortedKeys(config.Datasets) {
		if !slices.ContainsFunc(contracts, func(c *contract.Contract) bool { return c.Dataset == name }) {
			errs = append(errs, fmt.Errorf("settings override dataset %s, which has no contract in %s", name, datasetsDir))
		}
	}
	return errors.Join(errs...)
}

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }

func forDays(n int) string {
	if n == 0 {
		return "for ever"
	}
	return plural(n, "day")
}

// newProvider declares the provider that everything else is declared with, and asks it for the account.
func newProvider(ctx *pulumi.Context, config Config) (*aws.Provider, string, error) {
	tags := map[string]string{projectTag: ctx.Project(), stackTag: ctx.Stack(), managerTag: "pulumi"}
	for key, value := range config.Tags {
		tags[key] = value
	}
	args := &aws.ProviderArgs{
		Region:      pulumi.String(config.Region),
		DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: pulumi.ToStringMap(tags)},
	}
	if len(config.AccountIDs) > 0 {
		args.AllowedAccountIds = pulumi.ToStringArray(config.AccountIDs)
	}
	provider, err := aws.NewProvider(ctx, "aws", args)
	if err != nil {
		return nil, "", fmt.Errorf("declare provider: %w", err)
	}
	caller, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{}, pulumi.Provider(provider))
	if err != nil {
		return nil, "", fmt.Errorf("ask for the account: %w", err)
	}
	return provider, caller.AccountId, nil
}
