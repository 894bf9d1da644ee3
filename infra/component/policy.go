package component

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Document is an IAM policy document.
type Document struct {
	Version   string      `json:"Version"`
	Statement []Statement `json:"Statement"`
}

// Statement is one statement of a document. Every statement has a Sid: it is what a reader, a test and the console
// call it by.
type Statement struct {
	Sid       string     `json:"Sid"`
	Effect    string     `json:"Effect"`
	Principal *Principal `json:"Principal,omitempty"`
	Action    []string   `json:"Action"`
	Resource  []string   `json:"Resource,omitempty"`
	Condition Condition  `json:"Condition,omitempty"`
	Why       string     `json:"-"` // for the tables in the documentation
}

// Condition is operator → key → values.
type Condition map[string]map[string][]string

// Principal is whom a statement of a resource policy speaks of: the zero value is everyone.
type Principal struct {
	Service string
	AWS     string
}

// MarshalJSON writes the form that IAM knows.
func (p Principal) MarshalJSON() ([]byte, error) {
	switch {
	case p.Service != "" && p.AWS != "":
		return nil, fmt.Errorf("principal names both service %s and account %s", p.Service, p.AWS)
	case p.Service != "":
		return json.Marshal(map[string]string{"Service": p.Service})
	case p.AWS != "":
		return json.Marshal(map[string]string{"AWS": p.AWS})
	default:
		return json.Marshal("*")
	}
}

// The effects of a statement.
const (
	Allow = "Allow"
	Deny  = "Deny"
)

// Text is the document as AWS receives it. It does not fail: a document is built by code of this package alone, whose
// documents the tests keep as golden files.
func (d Document) Text() string { return text(d) }

func document(statements ...Statement) Document {
	return Document{Version: "2012-10-17", Statement: statements}
}

// text is JSON that leaves < and > alone: EventBridge Scheduler does not know <aws.scheduler.scheduled-time> escaped.
func text(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("component: encode %T: %v", v, err))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Class is why an action is granted; there is no fourth reason. It begins the Sid, so that it can be read from what is
// deployed: a test compares the actions that were called with those granted, class by class.
type Class string

// The classes of grants.
const (
	Called Class = "Call"   // the function calls it
	Behalf Class = "Behalf" // a service does it in the role's name: keys, logs, traces, the failure queue, the schedule's target
	Answer Class = "Answer" // without it AWS answers otherwise: 403 instead of 404 for a missing key
)

// ClassOf reads the class back from a Sid.
func ClassOf(sid string) (Class, bool) {
	for _, c := range []Class{Called, Behalf, Answer} {
		if strings.HasPrefix(sid, string(c)) && len(sid) > len(c) {
			return c, true
		}
	}
	return "", false
}

// Grant is one statement of a role's policy with the reason for it.
type Grant struct {
	Class     Class
	Name      string // completes the Sid: PutPages becomes CallPutPages
	Actions   []string
	Resources []string
	Condition Condition
	Why       string // for the table of grants in the documentation
}

// Sid is the statement's id: class and name.
func (g Grant) Sid() string { return string(g.Class) + g.Name }

// Identity is the policy of a role that has the grants.
func Identity(grants []Grant) Document {
	statements := make([]Statement, len(grants))
	for i, g := range grants {
		statements[i] = Statement{Sid: g.Sid(), Effect: Allow, Action: g.Actions, Resource: g.Resources, Condition: g.Condition, Why: g.Why}
	}
	return document(statements...)
}

// everything is the one bare * among resources of identity policies.
//
// X-Ray has no resource-level permissions for writing segments (Service Authorization Reference, AWS X-Ray).
const everything = "*"

// FunctionGrants are what every function's role needs for what Lambda does on its behalf.
func FunctionGrants(p Place, function string) []Grant {
	logGroup, queue := LogGroupName(function), FailuresName(function)
	return []Grant{
		{
			Class: Behalf, Name: "WriteLogs", Actions: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, Resources: []string{p.LogGroupARN(logGroup) + ":*"},
			Why: "Lambda writes the function's log lines; the group itself is ours, so no CreateLogGroup",
		},
		{
			Class: Behalf, Name: "WriteTraces", Actions: []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, Resources: []string{everything},
			Why: "Lambda writes traces; X-Ray has no resource to name",
		},
		{
			Class: Behalf, Name: "SendFailures", Actions: []string{"sqs:SendMessage"}, Resources: []string{p.QueueARN(queue)},
			Why: "Lambda sends events that failed to the function's failure queue",
		},
	}
}

// ScheduleGrants are what a schedule's role needs.
func ScheduleGrants(p Place, schedule, function string) []Grant {
	return []Grant{
		{
			Class: Behalf, Name: "InvokeTarget", Actions: []string{"lambda:InvokeFunction"}, Resources: []string{p.FunctionARN(function)},
			Why: "EventBridge Scheduler starts the function",
		},
		{
			Class: Behalf, Name: "SendUndelivered", Actions: []string{"sqs:SendMessage"}, Resources: []string{p.QueueARN(UndeliveredName(schedule))},
			Why: "EventBridge Scheduler keeps what it could not hand over",
		},
	}
}

// Encrypt is the grant to write under a key through a service, Decrypt the one to read. S3 wants both actions to
// write, because it verifies what it has written.
func Encrypt(p Place, name, keyARN, service string) Grant {
	g := Decrypt(p, name, keyARN, service)
	g.Actions = []string{"kms:Decrypt", "kms:GenerateDataKey"}
	return g
}

// Decrypt is the grant to read under a key through a service.
func Decrypt(p Place, name, keyARN, service string) Grant {
	return Grant{
		Class: Behalf, Name: name, Actions: []string{"kms:Decrypt"}, Resources: []string{keyARN},
		Condition: Condition{"StringEquals": {"kms:ViaService": {p.Service(service)}}},
		Why:       service + " asks KMS in the caller's name",
	}
}

// FunctionTrust lets Lambda take a function's role.
func FunctionTrust() Document {
	return document(Statement{
		Sid: "LambdaTakesRole", Effect: Allow, Principal: &Principal{Service: "lambda.amazonaws.com"}, Action: []string{"sts:AssumeRole"},
		Why: "the function runs as its role; Lambda takes it for functions of this account alone (iam:PassRole)",
	})
}

// ScheduleTrust lets EventBridge Scheduler take the role for schedules of one group of this account alone: the
// service knows no schedule's ARN there, only its group's.
func ScheduleTrust(p Place, group string) Document {
	return document(Statement{
		Sid: "SchedulerTakesRole", Effect: Allow, Principal: &Principal{Service: "scheduler.amazonaws.com"}, Action: []string{"sts:AssumeRole"},
		Condition: Condition{"StringEquals": {
			"aws:SourceAccount": {p.Account},
			"aws:SourceArn":     {p.ScheduleGroupARN(group)},
		}},
		Why: "schedules of the group, which holds this one, start the function",
	})
}

// BucketDocument refuses plain HTTP for the whole bucket and, below each write-once prefix, every write that does not
// say If-None-Match and every deletion: a delete marker would let the key be written again. Requests that are no
// creation of an object (a part of a multipart upload) carry no such header and pass.
func BucketDocument(p Place, bucket string, writeOnce []string) Document {
	statements := []Statement{{
		Sid: "OnlyTLS", Effect: Deny, Principal: &Principal{}, Action: []string{"s3:*"},
		Resource:  []string{p.BucketARN(bucket), p.ObjectARN(bucket, "*")},
		Condition: Condition{"Bool": {"aws:SecureTransport": {"false"}}},
		Why:       "nothing travels in the clear",
	}}
	if len(writeOnce) == 0 {
		return document(statements...)
	}
	var objects []string
	for _, prefix := range writeOnce {
		objects = append(objects, p.ObjectARN(bucket, prefix+"*"))
	}
	return document(append(statements,
		Statement{
			Sid: "WriteOnce", Effect: Deny, Principal: &Principal{}, Action: []string{"s3:PutObject"}, Resource: objects,
			Condition: Condition{"Null": {"s3:if-none-match": {"true"}}, "Bool": {"s3:ObjectCreationOperation": {"true"}}},
			Why:       "what is stored is never replaced",
		},
		Statement{
			Sid: "NeverDelete", Effect: Deny, Principal: &Principal{}, Action: []string{"s3:DeleteObject", "s3:DeleteObjectVersion"}, Resource: objects,
			Why: "only the lifecycle ends it; a delete marker would let the key be written again",
		},
	)...)
}

// KeyDocument leaves decisions about a key to IAM. In a key policy the resource * is this key. Where alarms, a name
// pattern, is not empty, those of CloudWatch may encrypt what they publish: without it they fail in silence.
func KeyDocument(p Place, alarms string) Document {
	statements := []Statement{{
		Sid: "AccountDecides", Effect: Allow, Principal: &Principal{AWS: p.RootARN()}, Action: []string{"kms:*"}, Resource: []string{"*"},
		Why: "the account's IAM policies decide; without it they count for nothing",
	}}
	if alarms != "" {
		statements = append(statements, Statement{
			Sid: "AlarmsEncrypt", Effect: Allow, Principal: &Principal{Service: "cloudwatch.amazonaws.com"},
			Action: []string{"kms:Decrypt", "kms:GenerateDataKey*"}, Resource: []string{"*"}, Condition: fromAlarms(p, alarms),
			Why: "alarms encrypt what they publish",
		})
	}
	return document(statements...)
}

func fromAlarms(p Place, alarms string) Condition {
	return Condition{
		"StringEquals": {"aws:SourceAccount": {p.Account}},
		"ArnLike":      {"aws:SourceArn": {p.AlarmARN(alarms)}},
	}
}

// TopicDocument lets CloudWatch alarms of the stack publish and refuses plain HTTP. Functions publish by their own
// policies.
func TopicDocument(p Place, topic, alarms string) Document {
	arn := []string{p.TopicARN(topic)}
	return document(
		Statement{
			Sid: "AlarmsPublish", Effect: Allow, Principal: &Principal{Service: "cloudwatch.amazonaws.com"},
			Action: []string{"sns:Publish"}, Resource: arn, Condition: fromAlarms(p, alarms),
			Why: "alarms tell people",
		},
		Statement{
			Sid: "OnlyTLS", Effect: Deny, Principal: &Principal{}, Action: []string{"sns:Publish"}, Resource: arn,
			Condition: Condition{"Bool": {"aws:SecureTransport": {"false"}}},
			Why:       "nothing travels in the clear",
		},
	)
}
