package local

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"tributary/infra/local/cloudwatch"
	"tributary/infra/local/dynamo"
	"tributary/infra/local/front"
	"tributary/infra/local/iam"
	"tributary/infra/local/lambda"
	"tributary/infra/local/s3"
	"tributary/infra/local/sns"
	"tributary/infra/local/sqs"
	"tributary/infra/local/wire"
)

// objectCreated tells of an object and passes the event to the functions whose rules want it. The client has no answer
// yet, so that what it starts is pending before the client goes on.
func (e *Env) objectCreated(r *http.Request, event s3.Event) {
	caller, o := front.CallerOf(r), event.Object
	e.tell(Event{Kind: ObjectWritten, Role: caller.Principal.Role, Bucket: o.Bucket, Key: o.Key, Version: o.Version, Size: o.Size})
	event.Account, event.Principal = Account, caller.ID
	event.SourceIP, _, _ = net.SplitHostPort(r.RemoteAddr)
	e.mu.Lock()
	rules := e.notifications[o.Bucket]
	e.mu.Unlock()
	for _, rule := range rules {
		if !rule.Matches(event) {
			continue
		}
		name := rule.Function[strings.LastIndexByte(rule.Function, ':')+1:]
		event.Region = strings.Split(rule.Function, ":")[3]
		if err := e.notify(name, rule, event); err != nil {
			e.tell(Event{Kind: EventRefused, Bucket: o.Bucket, Key: o.Key, Function: name, Error: err.Error()})
		}
	}
}

func (e *Env) notify(function string, rule s3.Rule, event s3.Event) error {
	if d := e.mayNotify(event.Object.Bucket, rule.Function); !d.Allowed {
		return fmt.Errorf("S3 may not invoke %s: %s", function, d.Reason)
	}
	message, err := event.Message(rule)
	if err != nil {
		return err
	}
	deliveries := []time.Duration{0}
	if e.options.Faults != nil {
		deliveries = e.options.Faults.Deliveries()
	}
	for _, delay := range deliveries {
		if _, err := e.hosts.InvokeLater(function, message, delay); err != nil {
			return err
		}
	}
	return nil
}

// mayNotify decides whether S3 may invoke a function for a bucket.
func (e *Env) mayNotify(bucket, function string) iam.Decision {
	return e.policy.Authorize(iam.Request{
		Principal: iam.Principal{Service: "s3.amazonaws.com"}, Action: "lambda:InvokeFunction", Resource: function,
		Context: map[string][]string{"aws:sourcearn": {"arn:aws:s3:::" + bucket}, "aws:sourceaccount": {Account}},
	})
}

func (e *Env) itemWritten(r *http.Request, w dynamo.Write) {
	e.tell(Event{Kind: ItemWritten, Role: front.CallerOf(r).Principal.Role, Table: w.Table, Action: w.Operation})
}

var kinds = map[lambda.Kind]Kind{
	lambda.Started: InvocationStarted, lambda.Succeeded: InvocationEnded, lambda.Failed: InvocationFailed, lambda.Retrying: InvocationRetried,
	lambda.Exhausted: InvocationExhausted, lambda.Undelivered: RecordUndelivered, lambda.Throttled: InvocationThrottled,
}

// observe tells of an invocation and keeps Lambda's metrics.
func (e *Env) observe(in lambda.Event) {
	put := func(name string, value float64, unit string) {
		e.watch.Put(cloudwatch.Datum{Namespace: "AWS/Lambda", Name: name, Dimensions: map[string]string{"FunctionName": in.Function},
			Value: value, Unit: unit, Time: in.Time.UTC()})
	}
	switch in.Kind {
	case lambda.Succeeded, lambda.Failed:
		failures := 0.0
		if in.Kind == lambda.Failed {
			failures = 1
		}
		put("Invocations", 1, "Count")
		put("Errors", failures, "Count")
		put("Duration", float64(in.Duration.Microseconds())/1000, "Milliseconds")
	case lambda.Throttled:
		put("Throttles", 1, "Count")
	case lambda.Exhausted:
		put("AsyncEventsDropped", 1, "Count")
	case lambda.Undelivered:
		put("DestinationDeliveryFailures", 1, "Count")
	case lambda.Started, lambda.Retrying: // counted when they end
	}
	e.tell(Event{Kind: kinds[in.Kind], Function: in.Function, RequestID: in.RequestID, Attempt: in.Attempt, Init: in.Init, Duration: in.Duration, Error: in.Error})
}

// logLine keeps a line that a function wrote, if its role may write its log, as Lambda does on the role's behalf.
func (e *Env) logLine(f lambda.Function, requestID, text string) {
	if f.JSONLogs && f.LogLevel != "" && !cloudwatch.Passes(text, f.LogLevel) {
		return
	}
	if !e.mayLog(f) {
		return
	}
	e.watch.Write(f.LogGroup, cloudwatch.Line{Time: e.options.Now().UTC(), Function: f.Name, RequestID: requestID, Text: text})
	e.tell(Event{Kind: LogWritten, Function: f.Name, RequestID: requestID, Message: text})
}

// mayLog decides once for each function; where it may not, AWS loses its lines in silence.
func (e *Env) mayLog(f lambda.Function) bool {
	e.mu.Lock()
	allowed, decided := e.logging[f.ARN]
	e.mu.Unlock()
	if decided {
		return allowed
	}
	part := strings.Split(f.ARN, ":")
	stream := "arn:aws:logs:" + part[3] + ":" + part[4] + ":log-group:" + f.LogGroup + ":log-stream:local"
	needs := []iam.Need{{Action: "logs:CreateLogStream", Resource: stream}, {Action: "logs:PutLogEvents", Resource: stream}}
	if !e.watch.HasGroup(f.LogGroup) {
		needs = append(needs, iam.Need{Action: "logs:CreateLogGroup", Resource: strings.TrimSuffix(stream, ":log-stream:local")})
	}
	allowed = e.ask(iam.Principal{Role: f.Role}, nil, needs...) == nil
	if f.Tracing {
		_ = e.ask(iam.Principal{Role: f.Role}, nil, iam.Need{Action: "xray:PutTraceSegments", Resource: "*"}, iam.Need{Action: "xray:PutTelemetryRecords", Resource: "*"}) // without it there are no traces, as on AWS
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.logging[f.ARN] = allowed
	return allowed
}

// ask decides what a service does on behalf of a principal; all needs must be allowed.
func (e *Env) ask(p iam.Principal, context map[string][]string, needs ...iam.Need) error {
	for _, need := range needs {
		keys := map[string][]string{"aws:principalaccount": {Account}, "aws:principalarn": {p.String()}, "aws:securetransport": {"true"}}
		for _, more := range []map[string][]string{context, need.Context} {
			for name, values := range more {
				keys[name] = values
			}
		}
		d := e.policy.Authorize(iam.Request{Principal: p, Action: need.Action, Resource: need.Resource, Context: keys})
		if !d.Allowed {
			e.denied(p, need, d)
			return wire.Errorf("AccessDenied", "%s is not authorized to perform: %s on resource: %s because %s", p, need.Action, need.Resource, d.Reason)
		}
	}
	return nil
}

// deliverFailure sends the record of a failed invocation to its destination with the function's role.
func (e *Env) deliverFailure(_ context.Context, f lambda.Function, record []byte) error {
	role, destination := iam.Principal{Role: f.Role}, f.Async.OnFailure
	if q, err := e.queues.Find(destination); err == nil {
		if err := e.ask(role, nil, q.Needs("SendMessage")...); err != nil {
			return err
		}
		return e.send(destination, string(record), nil)
	}
	return fmt.Errorf("send failure of %s: there is no queue %s", f.Name, destination)
}

// deliverToQueue passes a message of a topic to a queue that subscribes.
func (e *Env) deliverToQueue(sub sns.Subscription, body string) error {
	q, err := e.queues.Find(sub.Endpoint)
	if err != nil {
		return err
	}
	context := map[string][]string{"aws:sourcearn": {sub.Topic}, "aws:sourceaccount": {Account}}
	if err := e.ask(iam.Principal{Service: "sns.amazonaws.com"}, context, q.Needs("SendMessage")...); err != nil {
		return err
	}
	_, err = e.queues.Send(q.ARN, body, nil)
	return err
}

// undelivered is the message that a schedule leaves in its dead-letter queue.
func undelivered(s Schedule, input string, fault *wire.APIError, at string) (string, map[string]sqs.Attribute) {
	text := func(value string) sqs.Attribute { return sqs.Attribute{DataType: "String", StringValue: value} }
	return input, map[string]sqs.Attribute{
		"ERROR_CODE": text(fault.Code), "ERROR_MESSAGE": text(fault.Message), "RETRY_ATTEMPTS": text("0"),
		"SCHEDULED_TIME": text(at), "SCHEDULE_ARN": text(s.ARN), "TARGET_ARN": text(s.Target),
	}
}
