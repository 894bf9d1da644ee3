package local

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"tributary/infra/local/cloudwatch"
	"tributary/infra/local/iam"
)

// alarmType is the type of alarms.
const alarmType = "aws:cloudwatch/metricAlarm:MetricAlarm"

// checkAlarms holds every alarm's actions against the policies of topics and keys: on AWS an alarm that may not publish
// fails in silence, when it is needed.
func (e *Env) checkAlarms() error {
	var faults []error
	for _, r := range e.recording.Resources {
		if r.Type != alarmType {
			continue
		}
		arn, _ := r.Outputs["arn"].(string)
		for _, member := range []string{"alarmActions", "okActions", "insufficientDataActions"} {
			actions, _ := r.Inputs[member].([]any)
			for _, action := range actions {
				if err := e.mayAlarm(arn, fmt.Sprint(action)); err != nil {
					faults = append(faults, fmt.Errorf("alarm %s: %s: %w", r.Name, member, err))
				}
			}
		}
	}
	return errors.Join(faults...)
}

func (e *Env) mayAlarm(alarm, action string) error {
	if !strings.HasPrefix(action, "arn:aws:sns:") {
		return fmt.Errorf("%s is no topic", action)
	}
	topic, err := e.topics.Find(action)
	if err != nil {
		return err
	}
	needs := topic.PublishNeeds()
	if !e.policy.HasResourcePolicy(topic.ARN) {
		needs = needs[1:] // AWS's default policy lets the account's alarms in
	}
	context := map[string][]string{"aws:sourcearn": {alarm}, "aws:sourceaccount": {Account}}
	return e.ask(iam.Principal{Service: "cloudwatch.amazonaws.com"}, context, needs...)
}

// AlarmState is an alarm as it stands.
type AlarmState struct {
	Name        string
	Description string
	State       cloudwatch.State
	Why         string
}

// Alarms evaluates the stack's alarms once, on the metrics that functions and services have left so far, in the order of
// the program.
func (e *Env) Alarms() ([]AlarmState, error) {
	now := e.options.Now().UTC()
	if err := e.measureQueues(now); err != nil {
		return nil, err
	}
	var all []AlarmState
	for _, r := range e.recording.Resources {
		if r.Type != alarmType {
			continue
		}
		d := declared{Resource: r, outputs: r.Outputs}
		alarm, err := readAlarm(d)
		if err != nil {
			return nil, fmt.Errorf("read alarm %s: %w", r.Name, err)
		}
		state, why, err := e.watch.Evaluate(alarm, now)
		if err != nil {
			return nil, err
		}
		all = append(all, AlarmState{Name: alarm.Name, Description: d.text("alarmDescription"), State: state, Why: why})
	}
	return all, nil
}

// measureQueues counts what waits in each queue, as SQS does every minute.
func (e *Env) measureQueues(now time.Time) error {
	for _, r := range e.recording.Resources {
		if r.Type != "aws:sqs/queue:Queue" {
			continue
		}
		name, _ := r.Outputs["name"].(string)
		waiting, err := e.Queued(name)
		if err != nil {
			return err
		}
		e.watch.Put(cloudwatch.Datum{Namespace: "AWS/SQS", Name: "ApproximateNumberOfMessagesVisible",
			Dimensions: map[string]string{"QueueName": name}, Value: float64(len(waiting)), Unit: "Count", Time: now})
	}
	return nil
}

func readAlarm(d declared) (cloudwatch.Alarm, error) {
	threshold, _ := d.in("threshold").(float64)
	a := cloudwatch.Alarm{
		Name: d.out("name"), Comparison: d.text("comparisonOperator"), Threshold: threshold,
		Period: time.Duration(d.number(0, "period")) * time.Second, Periods: d.number(1, "evaluationPeriods"),
		Datapoints: d.number(0, "datapointsToAlarm"), Missing: d.text("treatMissingData"),
	}
	if d.text("metricName") != "" {
		a.Series = []cloudwatch.Series{{
			Namespace: d.text("namespace"), Name: d.text("metricName"), Dimensions: texts(d.in("dimensions")), Statistic: d.text("statistic"),
		}}
	}
	for _, query := range d.list("metricQueries") {
		if expression, _ := query["expression"].(string); expression != "" {
			a.Expression = expression
			continue
		}
		q := declared{}
		q.Inputs = query
		a.Period = time.Duration(q.number(0, "metric", "period")) * time.Second
		a.Series = append(a.Series, cloudwatch.Series{
			ID: q.text("id"), Namespace: q.text("metric", "namespace"), Name: q.text("metric", "metricName"),
			Dimensions: texts(q.in("metric", "dimensions")), Statistic: q.text("metric", "stat"),
		})
	}
	if len(a.Series) == 0 || a.Period <= 0 {
		return a, errors.New("it has no metric, or no period")
	}
	return a, nil
}

func texts(value any) map[string]string {
	members, _ := value.(map[string]any)
	all := make(map[string]string, len(members))
	for name, v := range members {
		all[name] = fmt.Sprint(v)
	}
	return all
}
