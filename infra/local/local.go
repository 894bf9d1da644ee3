// Package local is the laptop environment: it runs the deployed Pulumi program in this process and provisions from it,
// and from nothing else, an embedded AWS on 127.0.0.1. The function binaries run as separate processes that reach it
// only over HTTP, with credentials of their own role, and every request is held against the policies that the program
// deployed.
//
// A record takes the way it takes in the cloud: Fire invokes the ingest function as its schedule would; the manifest
// that the function stores is an S3 event, which passes the notification's filters and the function's permission and
// invokes the process function; what fails is retried and goes to the failure queue. Quiet waits until nothing is on
// its way any more. What was written can then be read back from buckets, tables, topics, queues, logs and metrics.
//
// What the local environment does not know is refused: a resource type without an entry in package catalog, a property
// that has no effect here although its absence would change results, an operation of an AWS API that is not embedded.
package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"tributary/infra/command"
	"tributary/infra/local/catalog"
	"tributary/infra/local/cloudwatch"
	"tributary/infra/local/dynamo"
	"tributary/infra/local/fault"
	"tributary/infra/local/front"
	"tributary/infra/local/iam"
	"tributary/infra/local/lambda"
	"tributary/infra/local/monitor"
	"tributary/infra/local/remote"
	"tributary/infra/local/s3"
	"tributary/infra/local/secret"
	"tributary/infra/local/sns"
	"tributary/infra/local/sqs"
)

// Account is the account of the local environment.
const Account = "000000000000"

const (
	// defaultRegion is used where neither provider nor configuration name one.
	defaultRegion = "us-east-1"
	// defaultConcurrency limits the processes of a function without reserved concurrency: AWS would start a thousand.
	defaultConcurrency = 8
	// hurry divides the time before a retry, which is one and two minutes on AWS.
	hurry = 600
)

// Options say what to run.
type Options struct {
	Root     string         // folder with Pulumi.yaml
	Stack    string         // stack whose configuration is used
	Program  pulumi.RunFunc // the deployed program
	Settings map[string]any // laid over the stack's configuration: objects are merged, other values replaced
	Events   func(Event)    // receives what happens, one at a time; it must not call Fire or Invoke; may be nil
	Logf     func(format string, args ...any)
	Faults   *fault.Plan // what goes wrong with the functions' requests and events; nil: nothing

	// Elsewhere is the URL of an endpoint that imitates AWS and holds objects, items, topics, queues and secrets in place of
	// the embedded services; see package remote. Empty: they are embedded.
	Elsewhere string

	// Now, Sleep and RetryDelay replace the clock; nil for the real one. RetryDelay is the time before a retry of an
	// asynchronous invocation, from 1.
	Now        func() time.Time
	Sleep      func(context.Context, time.Duration) error
	RetryDelay func(retry int) time.Duration
}

// Env is a running environment.
type Env struct {
	// Endpoint is the URL of every embedded AWS service.
	Endpoint string

	options Options
	project string
	server  *http.Server
	policy  *iam.Registry
	objects *s3.Store
	items   *dynamo.Service
	queues  *sqs.Service
	topics  *sns.Service
	secrets *secret.Service
	watch   *cloudwatch.Store
	hosts   *lambda.Host
	known   *catalog.Provider

	elsewhere *remote.Endpoint // holds the contents of objects, items, queues, topics and secrets; nil: they do

	recording *monitor.Recording

	events sync.Mutex // one event at a time

	mu            sync.Mutex
	credentials   map[string]Credentials  // by role ARN; the operator's under ""
	callers       map[string]front.Caller // by access key
	tokens        map[string]string       // by access key
	roles         map[string]string       // ARN by name
	notifications map[string][]s3.Rule    // by bucket
	schedules     []Schedule
	logging       map[string]bool   // by function: may its role write its logs
	keys          map[string]string // ARN by key id
}

// Credentials open the embedded AWS.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	Region          string
}

// Start runs the program and provisions what it declares.
func Start(ctx context.Context, options Options) (*Env, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Sleep == nil {
		options.Sleep = sleep
	}
	if options.RetryDelay == nil {
		options.RetryDelay = func(retry int) time.Duration { return time.Duration(retry) * time.Minute / hurry }
	}
	project, config, err := monitor.Config(options.Root, options.Stack, options.Settings)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	e, err := open(ctx, options, config["aws:region"])
	if err != nil {
		return nil, err
	}
	e.project = project
	e.recording, err = options.run(ctx, project, config, provisioner{e})
	if err == nil {
		err = e.checkAlarms()
	}
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// run runs the program to its end.
func (o Options) run(ctx context.Context, project string, config map[string]string, provider monitor.Provider) (*monitor.Recording, error) {
	return monitor.Run(ctx, monitor.Program{
		Project: project, Stack: o.Stack, Root: o.Root, Config: config, Run: o.Program, Logf: o.Logf,
	}, provider)
}

// open starts the empty environment.
func open(ctx context.Context, options Options, region string) (*Env, error) {
	if region == "" {
		region = defaultRegion
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the embedded AWS: %w", err)
	}
	e := &Env{
		Endpoint: "http://" + listener.Addr().String(), options: options, policy: iam.NewRegistry(), objects: s3.NewStore(options.Now),
		secrets: secret.NewService(options.Now), watch: cloudwatch.NewStore(),
		credentials: map[string]Credentials{}, callers: map[string]front.Caller{}, tokens: map[string]string{}, roles: map[string]string{},
		notifications: map[string][]s3.Rule{}, logging: map[string]bool{}, keys: map[string]string{},
	}
	e.known = &catalog.Provider{Account: Account, Region: region, SQS: e.Endpoint}
	if options.Elsewhere != "" {
		if e.elsewhere, err = remote.Open(options.Elsewhere, Account); err != nil {
			return nil, errors.Join(err, listener.Close())
		}
	}
	e.items = dynamo.NewService(e.itemWritten)
	if e.elsewhere != nil {
		e.items = dynamo.Elsewhere(e.elsewhere.Service("dynamodb"), e.itemWritten)
	}
	e.queues = sqs.NewService(options.Now, func(q sqs.Queue, m sqs.Message) {
		e.tell(Event{Kind: MessageQueued, Queue: q.Name, Message: m.Body})
	})
	e.topics = sns.NewService(options.Now, func(m sns.Message) {
		e.tell(Event{Kind: MessagePublished, Topic: m.Topic, Subject: m.Subject, Message: m.Body})
	}, e.deliverToQueue)
	e.hosts, err = lambda.NewHost(lambda.Options{
		Variables: e.variables, Log: e.logLine, Observe: e.observe, Deliver: e.deliverFailure,
		RetryDelay: options.RetryDelay, Sleep: options.Sleep, Now: options.Now, Concurrency: defaultConcurrency,
	})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	root := "arn:aws:iam::" + Account + ":root"
	e.issue("", region, front.Caller{Principal: iam.Principal{Root: root}, Session: root, ID: Account})
	e.server = &http.Server{Handler: e.front(), ErrorLog: command.ServerLog(), ReadHeaderTimeout: time.Minute}
	go func() { _ = e.server.Serve(listener) }() // ends with ErrServerClosed at Close
	return e, nil
}

func (e *Env) front() http.Handler {
	services := map[string]front.Service{
		"s3":       objectService{e.objects, s3.NewHandler(e.objects, e.objectCreated)},
		"dynamodb": e.items, "sqs": e.queues, "sns": e.topics, "secretsmanager": e.secrets,
		"lambda": lambda.API{Host: e.hosts}, "sts": front.Identity{},
	}
	if e.elsewhere != nil {
		e.passOn(services)
	}
	f := &front.Front{
		Services: services,
		Identify: e.identify, Authorize: e.policy.Authorize, Now: e.options.Now,
		Denied: func(c front.Caller, n iam.Need, d iam.Decision) { e.denied(c.Principal, n, d) },
	}
	if plan := e.options.Faults; plan != nil {
		f.Interfere = &front.Interference{
			Decide: func(c front.Caller) (fault.Kind, time.Duration) { return plan.Request(c.Principal.Role) },
			Kill:   func(c front.Caller) { e.hosts.Kill(c.Principal.Role) },
		}
	}
	return f
}

// objectService joins the two halves of S3.
type objectService struct {
	*s3.Store
	http.Handler
}

func (o objectService) Needs(r *http.Request) ([]iam.Need, error) { return o.Store.Needs(r), nil }

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends all functions and the embedded AWS, and removes what another endpoint held for it.
func (e *Env) Close() error {
	faults := []error{e.hosts.Close(), e.server.Close()}
	if e.elsewhere != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		faults = append(faults, e.elsewhere.Close(ctx))
	}
	return errors.Join(faults...)
}

func (e *Env) tell(event Event) {
	if e.options.Events == nil {
		return
	}
	e.events.Lock()
	defer e.events.Unlock()
	event.Time = e.options.Now()
	e.options.Events(event)
}

func (e *Env) denied(p iam.Principal, n iam.Need, d iam.Decision) {
	e.tell(Event{Kind: AccessDenied, Role: p.String(), Action: n.Action, Resource: n.Resource, Error: d.Reason})
}

// issue makes credentials for a role, or for the operator.
func (e *Env) issue(role, region string, caller front.Caller) {
	c := Credentials{AccessKeyID: "ASIA" + rand.Text()[:16], SecretAccessKey: rand.Text() + rand.Text()[:14], SessionToken: rand.Text(), Region: region}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.credentials[role], e.callers[c.AccessKeyID], e.tokens[c.AccessKeyID] = c, caller, c.SessionToken
}

func (e *Env) identify(accessKey, token string) (front.Caller, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	caller, ok := e.callers[accessKey]
	return caller, ok && token == e.tokens[accessKey]
}

// Credentials returns the credentials of a role, by ARN or name, or with "" those of the operator, who may do
// everything that no policy denies.
func (e *Env) Credentials(role string) (Credentials, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if arn, ok := e.roles[role]; ok {
		role = arn
	}
	c, ok := e.credentials[role]
	if !ok {
		return c, fmt.Errorf("find credentials: the stack has no role %s", role)
	}
	return c, nil
}

// Invoke calls a function, waits for its answer and returns it; an error of the function is in the result.
func (e *Env) Invoke(ctx context.Context, function string, payload []byte) (lambda.Result, error) {
	result, err := e.hosts.Invoke(ctx, function, payload)
	if err != nil {
		return result, fmt.Errorf("invoke %s: %w", function, err)
	}
	return result, nil
}

// Memory is the memory that a function is given, in MB; 0 where there is no such function.
func (e *Env) Memory(function string) int {
	f, err := e.hosts.Function(function)
	if err != nil {
		return 0
	}
	return f.Memory
}

// Quiet waits until no invocation is queued or running.
func (e *Env) Quiet(ctx context.Context) error { return e.hosts.Quiet(ctx) }

// Logs returns the lines that a function wrote.
func (e *Env) Logs(function string) []string {
	var lines []string
	for _, line := range e.watch.Lines(function) {
		lines = append(lines, line.Text)
	}
	return lines
}

// Metrics returns all metric values: those in the functions' logs, and Lambda's own.
func (e *Env) Metrics() []cloudwatch.Datum { return e.watch.Metrics() }

// RestoreMetrics puts back values that an earlier environment kept.
func (e *Env) RestoreMetrics(data []cloudwatch.Datum) {
	for _, d := range data {
		e.watch.Put(d)
	}
}

// Requests lists what was asked of the embedded AWS, by whom, and how it was decided.
func (e *Env) Requests() []iam.UseCount { return e.policy.Used() }

// Grants lists what the policies of the roles allow.
func (e *Env) Grants() []iam.Grant { return e.policy.Grants() }

// Resources lists what the program declared, in the order of provisioning.
func (e *Env) Resources() []monitor.Resource { return e.recording.Declared() }

// Exports returns the outputs of the stack.
func (e *Env) Exports() map[string]any { return maps.Clone(e.recording.Exports) }

// variables are the part of a process's environment that names account and endpoint.
func (e *Env) variables(f lambda.Function) ([]string, error) {
	c, err := e.Credentials(f.Role)
	if err != nil {
		return nil, err
	}
	region := strings.Split(f.ARN, ":")[3]
	return []string{
		"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "AWS_ACCESS_KEY_ID=" + c.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + c.SecretAccessKey, "AWS_SESSION_TOKEN=" + c.SessionToken, "AWS_ENDPOINT_URL=" + e.Endpoint,
	}, nil
}

// Schedules lists the schedules.
func (e *Env) Schedules() []Schedule {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.schedules)
}

// resolve makes a path of the program absolute: it runs with the project's folder as its own.
func (e *Env) resolve(path string) (string, error) {
	if filepath.IsAbs(path) {
		return path, nil
	}
	for _, base := range []string{e.options.Root, "."} {
		if absolute, err := filepath.Abs(filepath.Join(base, path)); err == nil {
			if _, err := os.Stat(absolute); err == nil {
				return absolute, nil
			}
		}
	}
	return "", fmt.Errorf("find %s: it is neither below %s nor below the working directory", path, e.options.Root)
}
