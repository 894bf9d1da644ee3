package component

import (
	"fmt"
	"regexp"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// WatchType is the type token of Watch.
const WatchType = typePrefix + "Watch"

// Metric is one metric of CloudWatch.
type Metric struct {
	Namespace  string
	Name       string
	Dimensions map[string]string
	Statistic  string // Sum, Maximum, …
}

// Missing says what a period without data means. The choice has no default: it is what alarms are most often wrong in.
type Missing string

const (
	// Good is for what is counted only when it happens.
	Good Missing = "notBreaching"
	// Bad is for what must happen.
	Bad Missing = "breaching"
)

// Alarm is one condition that somebody should hear of.
type Alarm struct {
	Name        string // completes the physical name
	Description string // what it means and what to do
	Metrics     []Metric
	// Expression combines the metrics, which it calls m1, m2, …; empty for a single metric as it is.
	Expression string
	// AtLeast or Below is the threshold; exactly one is set.
	AtLeast, Below *float64
	Period         time.Duration
	Periods        int // that are looked at
	Breaching      int // of them, to alarm
	Missing        Missing
	// SayRecovered tells when the condition has ended as well.
	SayRecovered bool
}

// WatchArgs describe alarms that belong together.
type WatchArgs struct {
	Prefix   string // of the alarms' physical names
	TopicArn pulumi.StringInput
	Alarms   []Alarm
	Tags     map[string]string
}

// The window of an alarm, by CloudWatch: shorter for short periods.
const (
	longestWindow      = 7 * 24 * time.Hour
	longestShortWindow = 24 * time.Hour
	shortPeriod        = time.Hour
)

var alarmName = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

// Validate reports every fault of the arguments.
func (a WatchArgs) Validate() error {
	var f faults
	f.name("Prefix", a.Prefix, alarmName, 128)
	if a.TopicArn == nil {
		f.add("TopicArn", "is required")
	}
	seen := map[string]bool{}
	for i, alarm := range a.Alarms {
		field := fmt.Sprintf("Alarms[%d]", i)
		f.name(field+".Name", alarm.Name, alarmName, 64)
		if seen[alarm.Name] {
			f.add(field+".Name", "%q is there already", alarm.Name)
		}
		seen[alarm.Name] = true
		f.require(field+".Description", alarm.Description)
		alarm.check(&f, field)
	}
	return f.err()
}

func (a Alarm) check(f *faults, field string) {
	switch {
	case len(a.Metrics) == 0:
		f.add(field+".Metrics", "is empty")
	case len(a.Metrics) > 10:
		f.add(field+".Metrics", "has %d, CloudWatch allows 10", len(a.Metrics))
	case len(a.Metrics) > 1 && a.Expression == "":
		f.add(field+".Expression", "is required for more than one metric")
	}
	if (a.AtLeast == nil) == (a.Below == nil) {
		f.add(field, "needs exactly one of AtLeast and Below")
	}
	if a.Missing != Good && a.Missing != Bad {
		f.add(field+".Missing", "%q is neither %s nor %s", a.Missing, Good, Bad)
	}
	if a.Period < time.Minute || a.Period%time.Minute != 0 {
		f.add(field+".Period", "%s is no multiple of a minute", a.Period)
	}
	if a.Periods < 1 || a.Breaching < 1 || a.Breaching > a.Periods {
		f.add(field, "alarms at %d of %d periods", a.Breaching, a.Periods)
	}
	window, longest := a.Period*time.Duration(a.Periods), longestWindow
	if a.Period < shortPeriod {
		longest = longestShortWindow
	}
	if window > longest {
		f.add(field, "looks back %s, CloudWatch allows %s with periods of %s", window, longest, a.Period)
	}
}

// Watch is the alarms of one dataset. Each tells the topic.
type Watch struct {
	pulumi.ResourceState

	Arns pulumi.StringArrayOutput // in the order of the arguments
}

// NewWatch declares alarms.
func NewWatch(ctx *pulumi.Context, name string, args WatchArgs, opts ...pulumi.ResourceOption) (*Watch, error) {
	w := &Watch{}
	if err := register(ctx, WatchType, name, args.Validate, w, opts); err != nil {
		return nil, err
	}
	var arns pulumi.StringArray
	for _, a := range args.Alarms {
		alarm, err := cloudwatch.NewMetricAlarm(ctx, name+"-"+a.Name, a.inputs(args), pulumi.Parent(w))
		if err != nil {
			return nil, fmt.Errorf("declare alarm %s-%s: %w", args.Prefix, a.Name, err)
		}
		arns = append(arns, alarm.Arn)
	}
	w.Arns = arns.ToStringArrayOutput()
	if err := ctx.RegisterResourceOutputs(w, pulumi.Map{"arns": w.Arns}); err != nil {
		return nil, fmt.Errorf("register outputs of alarms %s: %w", args.Prefix, err)
	}
	return w, nil
}

func (a Alarm) inputs(args WatchArgs) *cloudwatch.MetricAlarmArgs {
	inputs := &cloudwatch.MetricAlarmArgs{
		Name:              pulumi.String(args.Prefix + "-" + a.Name),
		AlarmDescription:  pulumi.String(a.Description),
		EvaluationPeriods: pulumi.Int(a.Periods),
		DatapointsToAlarm: pulumi.Int(a.Breaching),
		TreatMissingData:  pulumi.String(string(a.Missing)),
		AlarmActions:      pulumi.Array{args.TopicArn},
		Tags:              pulumi.ToStringMap(args.Tags),
	}
	if a.SayRecovered {
		inputs.OkActions = pulumi.Array{args.TopicArn}
	}
	if a.AtLeast != nil {
		inputs.ComparisonOperator, inputs.Threshold = pulumi.String("GreaterThanOrEqualToThreshold"), pulumi.Float64(*a.AtLeast)
	} else {
		inputs.ComparisonOperator, inputs.Threshold = pulumi.String("LessThanThreshold"), pulumi.Float64(*a.Below)
	}
	period := pulumi.Int(int(a.Period / time.Second))
	if a.Expression == "" {
		m := a.Metrics[0]
		inputs.Namespace, inputs.MetricName, inputs.Statistic = pulumi.String(m.Namespace), pulumi.String(m.Name), pulumi.String(m.Statistic)
		inputs.Dimensions, inputs.Period = pulumi.ToStringMap(m.Dimensions), period
		return inputs
	}
	queries := cloudwatch.MetricAlarmMetricQueryArray{&cloudwatch.MetricAlarmMetricQueryArgs{
		Id: pulumi.String("result"), Label: pulumi.String(a.Name), Expression: pulumi.String(a.Expression), ReturnData: pulumi.Bool(true),
	}}
	for i, m := range a.Metrics {
		queries = append(queries, &cloudwatch.MetricAlarmMetricQueryArgs{
			Id: pulumi.String(fmt.Sprintf("m%d", i+1)),
			Metric: &cloudwatch.MetricAlarmMetricQueryMetricArgs{
				Namespace: pulumi.String(m.Namespace), MetricName: pulumi.String(m.Name), Stat: pulumi.String(m.Statistic),
				Dimensions: pulumi.ToStringMap(m.Dimensions), Period: period,
			},
		})
	}
	inputs.MetricQueries = queries
	return inputs
}
