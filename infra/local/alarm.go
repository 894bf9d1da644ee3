package local

import (
	"errors"
	"fmt"
	"strings"

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
