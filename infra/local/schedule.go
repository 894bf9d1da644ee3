package local

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tributary/infra/local/cloudwatch"
	"tributary/infra/local/iam"
	"tributary/infra/local/wire"
)

// Schedule is an EventBridge schedule. Here it fires on request only.
type Schedule struct {
	Resource   string // the program's name of it
	Name       string
	Group      string
	ARN        string
	GroupARN   string
	Expression string
	Enabled    bool
	Target     string // ARN of a function
	Role       string // ARN
	Input      string
	DeadLetter string // ARN of a queue, or ""
}

// Fire does what a schedule does at its time: it takes its role and invokes its target asynchronously, with the
// placeholders of the input filled in. It does so for disabled schedules too. The name is that of the resource in the
// program, that of the schedule, or its ARN.
//
// Fire returns when the event is handed over, or could not be; then it is in the schedule's dead-letter queue as well.
func (e *Env) Fire(name string, at time.Time) error {
	s, err := e.schedule(name)
	if err != nil {
		return err
	}
	when := at.UTC().Truncate(time.Second).Format(time.RFC3339)
	id, err := e.handOver(s, s.input(when, strconv.FormatInt(e.options.Now().UnixNano(), 36)))
	e.measureSchedule(s, err != nil)
	if err != nil {
		return fmt.Errorf("fire schedule %s: %w", s.Name, errors.Join(err, e.buryEvent(s, when, err)))
	}
	function := s.Target[strings.LastIndexByte(s.Target, ':')+1:]
	e.tell(Event{Kind: ScheduleFired, Schedule: s.Name, ScheduledAt: at, Function: function, RequestID: id})
	return nil
}

// measureSchedule keeps Scheduler's metrics. Here an event that cannot be handed over is given up at once, where AWS tries
// for as long as the retry policy says.
func (e *Env) measureSchedule(s Schedule, failed bool) {
	names := []string{"InvocationAttemptCount"}
	if failed {
		names = append(names, "TargetErrorCount", "InvocationDroppedCount")
	}
	for _, name := range names {
		e.watch.Put(cloudwatch.Datum{Namespace: "AWS/Scheduler", Name: name, Dimensions: map[string]string{"ScheduleGroup": s.Group},
			Value: 1, Unit: "Count", Time: e.options.Now().UTC()})
	}
}

func (e *Env) schedule(name string) (Schedule, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var names []string
	for _, s := range e.schedules {
		if slices.Contains([]string{s.Resource, s.Name, s.ARN, s.Group + "/" + s.Name}, name) {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Schedule{}, fmt.Errorf("fire schedule %s: there is no such schedule, only %s", name, strings.Join(names, ", "))
}

// input fills in the placeholders as EventBridge Scheduler does: literally, wherever they stand.
func (s Schedule) input(when, execution string) string {
	return strings.NewReplacer(
		"<aws.scheduler.schedule-arn>", s.ARN,
		"<aws.scheduler.scheduled-time>", when,
		"<aws.scheduler.execution-id>", execution,
		"<aws.scheduler.attempt-number>", "1",
	).Replace(s.Input)
}

func (e *Env) handOver(s Schedule, input string) (string, error) {
	context := map[string][]string{"aws:sourcearn": {s.GroupARN}, "aws:sourceaccount": {Account}}
	if d := e.policy.Assume("scheduler.amazonaws.com", s.Role, context); !d.Allowed {
		return "", wire.Errorf("AccessDeniedException", "EventBridge Scheduler may not take role %s: %s", s.Role, d.Reason)
	}
	if err := e.ask(iam.Principal{Role: s.Role}, nil, iam.Need{Action: "lambda:InvokeFunction", Resource: s.Target}); err != nil {
		return "", err
	}
	return e.hosts.InvokeAsync(s.Target[strings.LastIndexByte(s.Target, ':')+1:], []byte(input))
}

// buryEvent puts an event that could not be handed over into the schedule's dead-letter queue.
func (e *Env) buryEvent(s Schedule, when string, cause error) error {
	if s.DeadLetter == "" {
		return nil
	}
	q, err := e.queues.Find(s.DeadLetter)
	if err != nil {
		return err
	}
	if err := e.ask(iam.Principal{Role: s.Role}, nil, q.Needs("SendMessage")...); err != nil {
		return err
	}
	var fault *wire.APIError
	if !errors.As(cause, &fault) {
		fault = &wire.APIError{Code: "ResourceNotFoundException", Message: cause.Error()}
	}
	body, attributes := undelivered(s, s.input(when, ""), fault, when)
	return e.send(s.DeadLetter, body, attributes)
}
