// Package component holds the building blocks of the infrastructure: Pulumi component resources that each stand for
// one thing a reader would draw as one box (a bucket, a function, a schedule, a table), with everything AWS wants
// around it. A record passes Schedule → Function → Bucket → Function → Bucket and Serving on its way, and Topic when
// something is to be said about it.
//
// Every component takes its children as its own, registers its outputs, and checks its arguments before it declares
// anything: Validate reports every fault at once, by the argument's name. What a default could hide (a name, a key, a
// retention) is a field that must be set. Physical names are given by the caller, so that policies can name ARNs before
// the resources exist, which is what resolves the circle bucket → function → role → bucket.
//
// IAM documents are built by pure functions in policy.go and never by a data source.
//
// No resource has an alias, because none was renamed since somebody could have deployed it. Whoever renames one that is
// deployed, or moves it under another parent, gives it pulumi.Aliases with the former URN; without, Pulumi makes a new one
// and deletes, or in a protected stack refuses to delete, the old.
package component

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// typePrefix begins the type tokens of all components.
const typePrefix = "tributary:component:"

// Place is where a stack lives. ARNs are made from it and from physical names, without asking anyone.
type Place struct {
	Partition string // aws, aws-us-gov; not aws-cn, whose services have other names
	Region    string
	Account   string
}

// Partition is the partition of a region.
func Partition(region string) string {
	if strings.HasPrefix(region, "us-gov-") {
		return "aws-us-gov"
	}
	return "aws"
}

func (p Place) arn(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", p.Partition, service, p.Region, p.Account, resource)
}

// BucketARN is the ARN of a bucket, ObjectARN that of the objects a key pattern matches.
func (p Place) BucketARN(name string) string { return fmt.Sprintf("arn:%s:s3:::%s", p.Partition, name) }

// ObjectARN is the ARN of the objects of a bucket that a key pattern matches.
func (p Place) ObjectARN(bucket, pattern string) string { return p.BucketARN(bucket) + "/" + pattern }

// FunctionARN is the ARN of a Lambda function, without qualifier.
func (p Place) FunctionARN(name string) string { return p.arn("lambda", "function:"+name) }

// QueueARN is the ARN of an SQS queue.
func (p Place) QueueARN(name string) string { return p.arn("sqs", name) }

// LogGroupARN is the ARN of a log group, without the :* that stands for its streams.
func (p Place) LogGroupARN(name string) string { return p.arn("logs", "log-group:"+name) }

// TopicARN is the ARN of an SNS topic.
func (p Place) TopicARN(name string) string { return p.arn("sns", name) }

// TableARN is the ARN of a DynamoDB table.
func (p Place) TableARN(name string) string { return p.arn("dynamodb", "table/"+name) }

// GlueARN is the ARN of a part of the data catalog: catalog, database/NAME, table/DATABASE/NAME.
func (p Place) GlueARN(path string) string { return p.arn("glue", path) }

// AthenaARN is the ARN of a part of Athena: workgroup/NAME, datacatalog/NAME.
func (p Place) AthenaARN(path string) string { return p.arn("athena", path) }

// SecretARN is the ARN of the secrets that a name pattern matches; Secrets Manager adds six characters to each name.
func (p Place) SecretARN(pattern string) string { return p.arn("secretsmanager", "secret:"+pattern) }

// ScheduleGroupARN is the ARN of a group of schedules.
func (p Place) ScheduleGroupARN(name string) string {
	return p.arn("scheduler", "schedule-group/"+name)
}

// AlarmARN is the ARN of the alarms that a name pattern matches.
func (p Place) AlarmARN(pattern string) string { return p.arn("cloudwatch", "alarm:"+pattern) }

// PolicyARN is the ARN of a managed policy of the account.
func (p Place) PolicyARN(name string) string {
	return fmt.Sprintf("arn:%s:iam::%s:policy/%s", p.Partition, p.Account, name)
}

// RootARN stands for the account itself, through which IAM decides.
func (p Place) RootARN() string { return fmt.Sprintf("arn:%s:iam::%s:root", p.Partition, p.Account) }

// Service is the name under which KMS sees a request that comes through an AWS service (kms:ViaService).
func (p Place) Service(name string) string { return name + "." + p.Region + ".amazonaws.com" }

var account = regexp.MustCompile(`^\d{12}$`)

func (p Place) check(f *faults) {
	f.require("Place.Partition", p.Partition)
	f.require("Place.Region", p.Region)
	if !account.MatchString(p.Account) {
		f.add("Place.Account", "%q is not an account number of 12 digits", p.Account)
	}
}

// Protection says how hard it is to lose what a resource holds.
type Protection struct {
	Data bool // Pulumi refuses to delete it and leaves it behind when it is removed from the program
}

// options are the resource options of what holds data.
func (p Protection) options() []pulumi.ResourceOption {
	if !p.Data {
		return nil
	}
	return []pulumi.ResourceOption{pulumi.Protect(true), pulumi.RetainOnDelete(true)}
}

// faults collects what is wrong with a component's arguments.
type faults struct{ errs []error }

func (f *faults) add(field, format string, args ...any) {
	f.errs = append(f.errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
}

func (f *faults) require(field, value string) {
	if value == "" {
		f.add(field, "is required")
	}
}

// name checks a physical name against the pattern and length AWS allows.
func (f *faults) name(field, value string, pattern *regexp.Regexp, longest int) {
	switch {
	case value == "":
		f.add(field, "is required")
	case !pattern.MatchString(value):
		f.add(field, "%q does not match %s", value, pattern)
	case len(value) > longest:
		f.add(field, "%q has %d characters, AWS allows %d", value, len(value), longest)
	}
}

func (f *faults) between(field string, value, low, high int) {
	if value < low || value > high {
		f.add(field, "is %d, AWS allows %d to %d", value, low, high)
	}
}

func (f *faults) err() error { return errors.Join(f.errs...) }

// sortedKeys makes what is built from a map the same every time.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// orNone is an input that is absent where it is empty.
func orNone(text string) pulumi.StringPtrInput {
	if text == "" {
		return nil
	}
	return pulumi.String(text)
}

// register validates and opens a component.
func register(ctx *pulumi.Context, token, name string, validate func() error, resource pulumi.ComponentResource, opts []pulumi.ResourceOption) error {
	if err := validate(); err != nil {
		return fmt.Errorf("declare %s %s: %w", strings.TrimPrefix(token, typePrefix), name, err)
	}
	if err := ctx.RegisterComponentResource(token, name, resource, opts...); err != nil {
		return fmt.Errorf("declare %s %s: %w", strings.TrimPrefix(token, typePrefix), name, err)
	}
	return nil
}
