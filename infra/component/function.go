package component

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"
)

// FunctionType is the type token of Function.
const FunctionType = typePrefix + "Function"

var (
	functionName  = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	retentionDays = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)

// LogRetentions are the retention periods that CloudWatch Logs knows, in days.
func LogRetentions() []int { return slices.Clone(retentionDays) }

// FunctionArgs describe a function.
type FunctionArgs struct {
	Place       Place
	Function    string // physical name; also that of its role and, with -failures, of its queue
	Description string
	Zip         string // path of the deployment package
	ZipHash     string // base64 SHA-256 of its bytes
	MemoryMB    int
	TimeoutSecs int
	Environment pulumi.StringMap
	// Grants are what the function itself calls. What Lambda does on its behalf is added.
	Grants pulumix.Input[[]Grant]
	// Boundary is the ARN of the policy that limits the function's role; empty for none.
	Boundary string
	// Retries are how often Lambda repeats an event that failed, before it goes to the failure queue.
	Retries          int
	LogRetentionDays int
	// ReservedConcurrency is nil where the function shares the account's pool.
	ReservedConcurrency *int
	Tags                map[string]string
}

// Validate reports every fault of the arguments.
func (a FunctionArgs) Validate() error {
	var f faults
	a.Place.check(&f)
	f.name("Function", a.Function, functionName, 64)
	f.require("Description", a.Description)
	f.require("Zip", a.Zip)
	f.require("ZipHash", a.ZipHash)
	f.between("MemoryMB", a.MemoryMB, 128, 10240)
	f.between("TimeoutSecs", a.TimeoutSecs, 1, 900)
	f.between("Retries", a.Retries, 0, 2)
	if a.Grants == nil {
		f.add("Grants", "is required")
	}
	if !slices.Contains(retentionDays, a.LogRetentionDays) {
		f.add("LogRetentionDays", "is %d, CloudWatch Logs knows %v", a.LogRetentionDays, retentionDays)
	}
	if a.ReservedConcurrency != nil && *a.ReservedConcurrency < 1 {
		f.add("ReservedConcurrency", "is %d: below 1 every event would go to the failure queue", *a.ReservedConcurrency)
	}
	return f.err()
}

// Function is a Lambda function with a role of its own, a log group with an end, and a queue for the events that
// failed.
type Function struct {
	pulumi.ResourceState

	Name     pulumi.StringOutput
	Arn      pulumi.StringOutput
	RoleName pulumi.StringOutput
	LogGroup pulumi.StringOutput
	// Failures is the queue of events that failed for good.
	FailuresName, FailuresURL, FailuresArn pulumi.StringOutput
	// Guard is the last part of the function. It stands when the function may run: its role has its policy, what fails
	// has somewhere to go, and recursion ends.
	Guard *lambda.FunctionRecursionConfig
}

// LogGroupName is the log group of a function.
func LogGroupName(function string) string { return "/aws/lambda/" + function }

// FailuresName is the queue of a function's events that failed for good.
func FailuresName(function string) string { return function + "-failures" }

// NewFunction declares a function.
//
// The role's policy comes before the function and its failure destination: Lambda checks on the spot that the role may
// send to the queue. The recursion guard comes last, because Lambda refuses to change a function that is being changed,
// and the provider repeats every such call but this one.
func NewFunction(ctx *pulumi.Context, name string, args FunctionArgs, opts ...pulumi.ResourceOption) (*Function, error) {
	fn := &Function{}
	if err := register(ctx, FunctionType, name, args.Validate, fn, opts); err != nil {
		return nil, err
	}
	child := pulumi.Parent(fn)
	tags := pulumi.ToStringMap(args.Tags)
	logGroup, queueName := LogGroupName(args.Function), FailuresName(args.Function)

	logs, err := cloudwatch.NewLogGroup(ctx, name, &cloudwatch.LogGroupArgs{
		Name:            pulumi.String(logGroup),
		RetentionInDays: pulumi.Int(args.LogRetentionDays),
		Tags:            tags,
	}, child)
	if err != nil {
		return nil, fmt.Errorf("declare log group of function %s: %w", args.Function, err)
	}
	failures, err := newQueue(ctx, name+"-failures", queueName, tags, fn)
	if err != nil {
		return nil, fmt.Errorf("declare failure queue of function %s: %w", args.Function, err)
	}
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Name:                pulumi.String(args.Function),
		Description:         pulumi.String("Role of function " + args.Function),
		AssumeRolePolicy:    pulumi.String(FunctionTrust().Text()),
		Tags:                tags,
		PermissionsBoundary: orNone(args.Boundary),
	}, child)
	if err != nil {
		return nil, fmt.Errorf("declare role of function %s: %w", args.Function, err)
	}
	policy, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{
		Name: pulumi.String("function"),
		Role: role.Name,
		Policy: pulumix.Apply(args.Grants, func(grants []Grant) string {
			return Identity(slices.Concat(grants, FunctionGrants(args.Place, args.Function))).Text()
		}),
	}, child)
	if err != nil {
		return nil, fmt.Errorf("declare policy of function %s: %w", args.Function, err)
	}
	var reserved pulumi.IntPtrInput
	if args.ReservedConcurrency != nil {
		reserved = pulumi.Int(*args.ReservedConcurrency)
	}
	function, err := lambda.NewFunction(ctx, name, &lambda.FunctionArgs{
		Name:                         pulumi.String(args.Function),
		Description:                  pulumi.String(args.Description),
		Role:                         role.Arn,
		Runtime:                      lambda.RuntimeCustomAL2023,
		Architectures:                pulumi.StringArray{pulumi.String("arm64")},
		Handler:                      pulumi.String("bootstrap"),
		Code:                         pulumi.NewFileArchive(args.Zip),
		SourceCodeHash:               pulumi.String(args.ZipHash),
		MemorySize:                   pulumi.Int(args.MemoryMB),
		Timeout:                      pulumi.Int(args.TimeoutSecs),
		ReservedConcurrentExecutions: reserved,
		Environment:                  &lambda.FunctionEnvironmentArgs{Variables: args.Environment},
		TracingConfig:                &lambda.FunctionTracingConfigArgs{Mode: pulumi.String("Active")},
		// A stricter level than INFO would drop the metrics, which travel as log lines without a level.
		LoggingConfig: &lambda.FunctionLoggingConfigArgs{
			LogFormat: pulumi.String("JSON"), LogGroup: logs.Name,
			ApplicationLogLevel: pulumi.String("INFO"), SystemLogLevel: pulumi.String("INFO"),
		},
		Tags: tags,
	}, after(fn, policy)...)
	if err != nil {
		return nil, fmt.Errorf("declare function %s: %w", args.Function, err)
	}
	destination, err := lambda.NewFunctionEventInvokeConfig(ctx, name, &lambda.FunctionEventInvokeConfigArgs{
		FunctionName:             function.Name,
		MaximumRetryAttempts:     pulumi.Int(args.Retries),
		MaximumEventAgeInSeconds: pulumi.Int(eventAgeSeconds),
		DestinationConfig: &lambda.FunctionEventInvokeConfigDestinationConfigArgs{
			OnFailure: &lambda.FunctionEventInvokeConfigDestinationConfigOnFailureArgs{Destination: failures.Arn},
		},
	}, after(fn, policy)...)
	if err != nil {
		return nil, fmt.Errorf("declare failure destination of function %s: %w", args.Function, err)
	}
	fn.Guard, err = lambda.NewFunctionRecursionConfig(ctx, name, &lambda.FunctionRecursionConfigArgs{
		FunctionName:  function.Name,
		RecursiveLoop: pulumi.String("Terminate"),
	}, after(fn, destination)...)
	if err != nil {
		return nil, fmt.Errorf("declare recursion guard of function %s: %w", args.Function, err)
	}
	fn.Name, fn.Arn, fn.RoleName, fn.LogGroup = function.Name, function.Arn, role.Name, logs.Name
	fn.FailuresName, fn.FailuresURL, fn.FailuresArn = failures.Name, failures.Url, failures.Arn
	if err := ctx.RegisterResourceOutputs(fn, pulumi.Map{
		"name": fn.Name, "arn": fn.Arn, "logGroup": fn.LogGroup, "failuresUrl": fn.FailuresURL,
	}); err != nil {
		return nil, fmt.Errorf("register outputs of function %s: %w", args.Function, err)
	}
	return fn, nil
}

const (
	// eventAgeSeconds is Lambda's maximum: throttling is waited out for six hours before an event counts as failed.
	eventAgeSeconds = 6 * 60 * 60
	// queueSeconds is SQS's maximum, 14 days: a failure must outlast a holiday.
	queueSeconds = 14 * 24 * 60 * 60
)

// newQueue declares a queue for what failed. SSE-SQS needs no key grants, and failures must not be lost for want of
// one.
func newQueue(ctx *pulumi.Context, name, physical string, tags pulumi.StringMapInput, parent pulumi.Resource) (*sqs.Queue, error) {
	return sqs.NewQueue(ctx, name, &sqs.QueueArgs{
		Name:                    pulumi.String(physical),
		SqsManagedSseEnabled:    pulumi.Bool(true),
		MessageRetentionSeconds: pulumi.Int(queueSeconds),
		Tags:                    tags,
	}, pulumi.Parent(parent))
}
