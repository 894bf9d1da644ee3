package component

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/scheduler"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ScheduleType is the type token of Schedule.
const ScheduleType = typePrefix + "Schedule"

// ScheduledTime stands in a schedule's input for the time that was scheduled. It is the same for every attempt, unlike
// the execution id: a run's name derives from it.
const ScheduledTime = "<aws.scheduler.scheduled-time>"

// ScheduleArgs describe a schedule.
type ScheduleArgs struct {
	Place       Place
	Schedule    string // physical name; also that of its group, its role and, with -undelivered, its queue
	Description string
	Expression  string // cron(…) or rate(…)
	Enabled     bool
	Boundary    string // ARN of the policy that limits the schedule's role; empty for none
	Function    string // physical name of the target
	FunctionArn pulumi.StringInput
	Input       any // encoded as JSON; may hold ScheduledTime
	// After must stand before the function is started for the first time.
	After []pulumi.Resource
	Tags  map[string]string
}

// Validate reports every fault of the arguments.
func (a ScheduleArgs) Validate() error {
	var f faults
	a.Place.check(&f)
	f.name("Schedule", a.Schedule, functionName, 64)
	f.require("Expression", a.Expression)
	f.name("Function", a.Function, functionName, 64)
	if a.FunctionArn == nil {
		f.add("FunctionArn", "is required")
	}
	if a.Input == nil {
		f.add("Input", "is required")
	}
	return f.err()
}

// Schedule starts a function at its times. It has a group of its own, because the service's metrics and its role's
// trust know groups only, and a queue for what it could not hand over.
type Schedule struct {
	pulumi.ResourceState

	Group                                           pulumi.StringOutput
	UndeliveredName, UndeliveredURL, UndeliveredArn pulumi.StringOutput
}

const (
	// A run is named after its scheduled time, so a late one is as good as a punctual one; the next is due soon enough.
	handOverSeconds  = 60 * 60
	handOverAttempts = 20
)

// UndeliveredName is the queue of what a schedule could not hand over.
func UndeliveredName(schedule string) string { return schedule + "-undelivered" }

// NewSchedule declares a schedule.
func NewSchedule(ctx *pulumi.Context, name string, args ScheduleArgs, opts ...pulumi.ResourceOption) (*Schedule, error) {
	s := &Schedule{}
	if err := register(ctx, ScheduleType, name, args.Validate, s, opts); err != nil {
		return nil, err
	}
	child := pulumi.Parent(s)
	tags := pulumi.ToStringMap(args.Tags)
	queueName := UndeliveredName(args.Schedule)

	group, err := scheduler.NewScheduleGroup(ctx, name, &scheduler.ScheduleGroupArgs{Name: pulumi.String(args.Schedule), Tags: tags}, child)
	if err != nil {
		return nil, fmt.Errorf("declare group of schedule %s: %w", args.Schedule, err)
	}
	undelivered, err := newQueue(ctx, name+"-undelivered", queueName, tags, s)
	if err != nil {
		return nil, fmt.Errorf("declare queue of schedule %s: %w", args.Schedule, err)
	}
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Name:                pulumi.String(args.Schedule),
		Description:         pulumi.String("Role of schedule " + args.Schedule),
		AssumeRolePolicy:    pulumi.String(ScheduleTrust(args.Place, args.Schedule).Text()),
		Tags:                tags,
		PermissionsBoundary: orNone(args.Boundary),
	}, child)
	if err != nil {
		return nil, fmt.Errorf("declare role of schedule %s: %w", args.Schedule, err)
	}
	policy, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{
		Name:   pulumi.String("schedule"),
		Role:   role.Name,
		Policy: pulumi.String(Identity(ScheduleGrants(args.Place, args.Schedule, args.Function)).Text()),
	}, child)
	if err != nil {
		return nil, fmt.Errorf("declare policy of schedule %s: %w", args.Schedule, err)
	}
	state := "DISABLED"
	if args.Enabled {
		state = "ENABLED"
	}
	if _, err := scheduler.NewSchedule(ctx, name, &scheduler.ScheduleArgs{
		Name:                       pulumi.String(args.Schedule),
		GroupName:                  group.Name,
		Description:                pulumi.String(args.Description),
		ScheduleExpression:         pulumi.String(args.Expression),
		ScheduleExpressionTimezone: pulumi.String("UTC"),
		State:                      pulumi.String(state),
		FlexibleTimeWindow:         &scheduler.ScheduleFlexibleTimeWindowArgs{Mode: pulumi.String("OFF")},
		Target: &scheduler.ScheduleTargetArgs{
			Arn:              args.FunctionArn,
			RoleArn:          role.Arn,
			Input:            pulumi.String(text(args.Input)),
			DeadLetterConfig: &scheduler.ScheduleTargetDeadLetterConfigArgs{Arn: undelivered.Arn},
			RetryPolicy: &scheduler.ScheduleTargetRetryPolicyArgs{
				MaximumEventAgeInSeconds: pulumi.Int(handOverSeconds),
				MaximumRetryAttempts:     pulumi.Int(handOverAttempts),
			},
		},
	}, after(s, append([]pulumi.Resource{policy}, args.After...)...)...); err != nil {
		return nil, fmt.Errorf("declare schedule %s: %w", args.Schedule, err)
	}
	s.Group = group.Name
	s.UndeliveredName, s.UndeliveredURL, s.UndeliveredArn = undelivered.Name, undelivered.Url, undelivered.Arn
	if err := ctx.RegisterResourceOutputs(s, pulumi.Map{"group": s.Group, "undeliveredUrl": s.UndeliveredURL}); err != nil {
		return nil, fmt.Errorf("register outputs of schedule %s: %w", args.Schedule, err)
	}
	return s, nil
}
