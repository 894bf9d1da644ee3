package local_test

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/scheduler"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const rawBucket = "trial-raw"

// program is a small pipeline: schedule → ingest → raw bucket → process → table and topic.
type program struct {
	zip          string
	without      string // action that no role is granted
	boundary     string // ARN of the policy that limits every role
	trust        string // who may take the functions' roles, instead of Lambda
	noPermission bool   // for S3 to invoke process
	key          string // of the topic
	unknown      bool   // declare something that is not known here
	color        string // a variable of the functions
	rate         string // of the schedule
	more         bool   // declare another queue
	fault        error  // of the program itself
}

func (p *program) deploy(ctx *pulumi.Context) error {
	if p.fault != nil {
		return p.fault
	}
	settings, _ := ctx.GetConfig("trial:settings")
	identity, err := aws.GetCallerIdentity(ctx, nil)
	if err != nil {
		return err
	}
	region, err := aws.GetRegion(ctx, nil)
	if err != nil {
		return err
	}
	d := &deployment{ctx: ctx, program: p}
	raw := d.bucket()
	failures := try(d, func() (*sqs.Queue, error) {
		return sqs.NewQueue(ctx, "failures", &sqs.QueueArgs{Name: pulumi.String("trial-failures")})
	})
	table := try(d, func() (*dynamodb.Table, error) {
		return dynamodb.NewTable(ctx, "serving", &dynamodb.TableArgs{Name: pulumi.String("trial-serving"), BillingMode: pulumi.String("PAY_PER_REQUEST"),
			HashKey: pulumi.String("id"), Attributes: dynamodb.TableAttributeArray{dynamodb.TableAttributeArgs{Name: pulumi.String("id"), Type: pulumi.String("S")}}})
	})
	topic := try(d, func() (*sns.Topic, error) {
		return sns.NewTopic(ctx, "alerts", &sns.TopicArgs{Name: pulumi.String("trial-alerts"), KmsMasterKeyId: pulumi.String(p.key)})
	})
	if d.err != nil {
		return d.err
	}
	ingest := d.function("ingest", nil, map[string]pulumi.StringInput{"RAW": raw.Bucket}, "s3:PutObject")
	process := d.function("process", failures, map[string]pulumi.StringInput{"TABLE": table.Name, "TOPIC": topic.Arn},
		"s3:GetObjectVersion", "s3:ListBucket", "dynamodb:PutItem", "sns:Publish")
	d.function("environment", nil, nil)
	if d.err != nil {
		return d.err
	}
	d.notification(raw, process)
	d.schedule(ingest)
	if p.unknown {
		var r pulumi.CustomResourceState
		if err := ctx.RegisterResource("aws:ec2/eip:Eip", "address", nil, &r); err != nil {
			return err
		}
	}
	if p.more {
		if _, err := sqs.NewQueue(ctx, "more", &sqs.QueueArgs{Name: pulumi.String("trial-more")}); err != nil {
			return err
		}
	}
	ctx.Export("settings", pulumi.String(settings))
	ctx.Export("account", pulumi.String(identity.AccountId))
	ctx.Export("region", pulumi.String(region.Name))
	ctx.Export("raw", raw.Bucket)
	return d.err
}

// deployment keeps the first error.
type deployment struct {
	*program
	ctx *pulumi.Context
	err error
}

func try[T any](d *deployment, declare func() (T, error)) T {
	var r T
	if d.err == nil {
		r, d.err = declare()
	}
	return r
}

func (d *deployment) bucket() *s3.BucketV2 {
	raw := try(d, func() (*s3.BucketV2, error) {
		return s3.NewBucketV2(d.ctx, "raw", &s3.BucketV2Args{Bucket: pulumi.String(rawBucket)})
	})
	if d.err != nil {
		return nil
	}
	try(d, func() (*s3.BucketVersioningV2, error) {
		return s3.NewBucketVersioningV2(d.ctx, "raw", &s3.BucketVersioningV2Args{Bucket: raw.Bucket,
			VersioningConfiguration: s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")}})
	})
	try(d, func() (*s3.BucketPolicy, error) {
		return s3.NewBucketPolicy(d.ctx, "raw", &s3.BucketPolicyArgs{Bucket: raw.Bucket, Policy: document(map[string]any{
			"Sid": "WriteOnce", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::" + rawBucket + "/raw/*",
			"Condition": map[string]any{"Null": map[string]string{"s3:if-none-match": "true"}, "Bool": map[string]string{"s3:ObjectCreationOperation": "true"}},
		})})
	})
	return raw
}

func document(statements ...map[string]any) pulumi.String {
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(err)
	}
	return pulumi.String(text)
}

func (d *deployment) role(name, service string, actions ...string) (*iam.Role, *iam.RolePolicy) {
	actions = slices.DeleteFunc(actions, func(a string) bool { return a == d.without })
	role := try(d, func() (*iam.Role, error) {
		args := &iam.RoleArgs{Name: pulumi.String("trial-" + name), AssumeRolePolicy: document(map[string]any{
			"Effect": "Allow", "Principal": map[string]string{"Service": service}, "Action": "sts:AssumeRole"})}
		if d.boundary != "" {
			args.PermissionsBoundary = pulumi.String(d.boundary)
		}
		return iam.NewRole(d.ctx, name, args)
	})
	if d.err != nil {
		return nil, nil
	}
	policy := try(d, func() (*iam.RolePolicy, error) {
		return iam.NewRolePolicy(d.ctx, name, &iam.RolePolicyArgs{Role: role.Name, Policy: document(map[string]any{"Effect": "Allow", "Action": actions, "Resource": "*"})})
	})
	return role, policy
}

func (d *deployment) function(name string, failures *sqs.Queue, variables map[string]pulumi.StringInput, actions ...string) *lambda.Function {
	service := "lambda.amazonaws.com"
	if d.trust != "" {
		service = d.trust
	}
	role, policy := d.role(name, service, append(actions, "logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage")...)
	logs := try(d, func() (*cloudwatch.LogGroup, error) {
		return cloudwatch.NewLogGroup(d.ctx, name, &cloudwatch.LogGroupArgs{Name: pulumi.String("/aws/lambda/trial-" + name)})
	})
	if d.err != nil {
		return nil
	}
	set := pulumi.StringMap{"ROLE": pulumi.String(name), "COLOR": pulumi.String(d.color)}
	for variable, value := range variables {
		set[variable] = value
	}
	f := try(d, func() (*lambda.Function, error) {
		return lambda.NewFunction(d.ctx, name, &lambda.FunctionArgs{
			Name: pulumi.String("trial-" + name), Role: role.Arn, Code: pulumi.NewFileArchive(d.zip), Runtime: lambda.RuntimeCustomAL2023,
			Handler: pulumi.String("bootstrap"), MemorySize: pulumi.Int(256), Timeout: pulumi.Int(30),
			Environment:   lambda.FunctionEnvironmentArgs{Variables: set},
			LoggingConfig: lambda.FunctionLoggingConfigArgs{LogFormat: pulumi.String("JSON"), LogGroup: logs.Name, ApplicationLogLevel: pulumi.String("INFO")},
		}, pulumi.DependsOn([]pulumi.Resource{policy}))
	})
	if d.err != nil || failures == nil {
		return f
	}
	try(d, func() (*lambda.FunctionEventInvokeConfig, error) {
		return lambda.NewFunctionEventInvokeConfig(d.ctx, name, &lambda.FunctionEventInvokeConfigArgs{FunctionName: f.Name, MaximumRetryAttempts: pulumi.Int(2),
			DestinationConfig: lambda.FunctionEventInvokeConfigDestinationConfigArgs{OnFailure: lambda.FunctionEventInvokeConfigDestinationConfigOnFailureArgs{Destination: failures.Arn}}})
	})
	return f
}

func (d *deployment) notification(raw *s3.BucketV2, process *lambda.Function) {
	var after []pulumi.Resource
	if !d.noPermission {
		permission := try(d, func() (*lambda.Permission, error) {
			return lambda.NewPermission(d.ctx, "process", &lambda.PermissionArgs{Action: pulumi.String("lambda:InvokeFunction"), Function: process.Name,
				Principal: pulumi.String("s3.amazonaws.com"), SourceArn: raw.Arn, SourceAccount: pulumi.String("000000000000")})
		})
		after = append(after, permission)
	}
	try(d, func() (*s3.BucketNotification, error) {
		return s3.NewBucketNotification(d.ctx, "raw", &s3.BucketNotificationArgs{Bucket: raw.Bucket, LambdaFunctions: s3.BucketNotificationLambdaFunctionArray{
			s3.BucketNotificationLambdaFunctionArgs{LambdaFunctionArn: process.Arn, Events: pulumi.ToStringArray([]string{"s3:ObjectCreated:*"}),
				FilterPrefix: pulumi.String("raw/coin markets/"), FilterSuffix: pulumi.String("/manifest.json")},
		}}, pulumi.DependsOn(after))
	})
}

func (d *deployment) schedule(ingest *lambda.Function) {
	undelivered := try(d, func() (*sqs.Queue, error) {
		return sqs.NewQueue(d.ctx, "undelivered", &sqs.QueueArgs{Name: pulumi.String("trial-undelivered")})
	})
	role, policy := d.role("schedule", "scheduler.amazonaws.com", "lambda:InvokeFunction", "sqs:SendMessage")
	if d.err != nil {
		return
	}
	try(d, func() (*scheduler.Schedule, error) {
		return scheduler.NewSchedule(d.ctx, "coin_markets", &scheduler.ScheduleArgs{
			Name: pulumi.String("trial-coin-markets"), ScheduleExpression: pulumi.String(cmp.Or(d.rate, "rate(1 hour)")), State: pulumi.String("DISABLED"),
			FlexibleTimeWindow: scheduler.ScheduleFlexibleTimeWindowArgs{Mode: pulumi.String("OFF")},
			Target: scheduler.ScheduleTargetArgs{Arn: ingest.Arn, RoleArn: role.Arn,
				Input:            pulumi.String(`{"dataset":"coin_markets","scheduledAt":"<aws.scheduler.scheduled-time>"}`),
				DeadLetterConfig: scheduler.ScheduleTargetDeadLetterConfigArgs{Arn: undelivered.Arn}},
		}, pulumi.DependsOn([]pulumi.Resource{policy}))
	})
}
