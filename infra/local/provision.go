package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"

	"tributary/infra/bootstrap"
	"tributary/infra/local/dynamo"
	"tributary/infra/local/front"
	"tributary/infra/local/iam"
	"tributary/infra/local/lambda"
	"tributary/infra/local/monitor"
	"tributary/infra/local/s3"
	"tributary/infra/local/secret"
	"tributary/infra/local/sns"
	"tributary/infra/local/sqs"
)

// provisioner makes what the program declares.
type provisioner struct{ env *Env }

// Create makes a resource: package catalog says what AWS would answer, makers say what has an effect.
func (p provisioner) Create(ctx context.Context, r monitor.Resource) (string, map[string]any, error) {
	id, outputs, err := p.env.known.Create(ctx, r)
	if err != nil {
		return "", nil, err
	}
	if create, ok := makers[r.Type]; ok {
		d := declared{Resource: r, id: id, outputs: outputs, region: p.env.known.Scope(r).Region}
		if hold, ok := heldElsewhere[r.Type]; ok && p.env.elsewhere != nil {
			if err := p.env.elsewhere.In(d.region); err != nil {
				return "", nil, err
			}
			if err := hold(ctx, p.env, p.env.elsewhere, &d); err != nil {
				return "", nil, err
			}
		}
		if err := create(p.env, d); err != nil {
			return "", nil, err
		}
		id = d.id
	}
	return id, outputs, nil
}

// Invoke answers the program's data sources.
func (p provisioner) Invoke(ctx context.Context, token, provider string, arguments map[string]any) (map[string]any, error) {
	return p.env.known.Invoke(ctx, token, provider, arguments)
}

// declared is a resource with what AWS answers for it.
type declared struct {
	monitor.Resource
	id      string
	outputs map[string]any
	region  string
}

func (d declared) arn() string { return d.out("arn") }

func (d declared) out(name string) string {
	s, _ := d.outputs[name].(string)
	return s
}

// in reads an input, at a path of members and the first elements of lists.
func (d declared) in(path ...string) any {
	var value any = d.Inputs
	for _, name := range path {
		if list, ok := value.([]any); ok {
			if len(list) == 0 {
				return nil
			}
			value = list[0]
		}
		members, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = members[name]
	}
	return value
}

func (d declared) text(path ...string) string {
	s, _ := d.in(path...).(string)
	return s
}

func (d declared) number(or int, path ...string) int {
	if n, ok := d.in(path...).(float64); ok {
		return int(n)
	}
	return or
}

func (d declared) list(path ...string) []map[string]any {
	var members []map[string]any
	list, _ := d.in(path...).([]any)
	for _, element := range list {
		if m, ok := element.(map[string]any); ok {
			members = append(members, m)
		}
	}
	return members
}

// refuse fails when the program sets a property that would have no effect here although it changes what happens.
func (d declared) refuse(properties ...string) error {
	for _, property := range properties {
		switch value := d.in(property).(type) {
		case nil:
		case bool:
			if value {
				return fmt.Errorf("%s is not supported here", property)
			}
		default:
			return fmt.Errorf("%s is not supported here", property)
		}
	}
	return nil
}

// makers have an entry for every type that package catalog calls provisioned.
var makers = map[string]func(*Env, declared) error{
	"aws:s3/bucketV2:BucketV2":                     (*Env).makeBucket,
	"aws:s3/bucketVersioningV2:BucketVersioningV2": (*Env).makeVersioning,
	"aws:s3/bucketNotification:BucketNotification": (*Env).makeNotification,
	"aws:s3/bucketPolicy:BucketPolicy": func(e *Env, d declared) error {
		return e.policy.PutResourcePolicy("arn:aws:s3:::"+d.text("bucket"), d.text("policy"), false)
	},
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": (*Env).makeEncryption,
	"aws:lambda/function:Function":                                   (*Env).makeFunction,
	"aws:lambda/permission:Permission":                               (*Env).makePermission,
	"aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": (*Env).makeInvokeConfig,
	"aws:iam/role:Role":                                              (*Env).makeRole,
	"aws:iam/rolePolicy:RolePolicy":                                  (*Env).makeRolePolicy,
	"aws:iam/policy:Policy":                                          func(e *Env, d declared) error { return e.policy.PutPolicy(d.arn(), d.text("policy")) },
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment":              (*Env).makeAttachment,
	"aws:sqs/queue:Queue":                                            (*Env).makeQueue,
	"aws:sqs/queuePolicy:QueuePolicy":                                (*Env).makeQueuePolicy,
	"aws:sns/topic:Topic":                                            (*Env).makeTopic,
	"aws:sns/topicPolicy:TopicPolicy": func(e *Env, d declared) error {
		return e.policy.PutResourcePolicy(d.text("arn"), d.text("policy"), false)
	},
	"aws:sns/topicSubscription:TopicSubscription": (*Env).makeSubscription,
	"aws:dynamodb/table:Table":                    (*Env).makeTable,
	"aws:secretsmanager/secret:Secret":            (*Env).makeSecret,
	"aws:scheduler/schedule:Schedule":             (*Env).makeSchedule,
	"aws:kms/key:Key":                             (*Env).makeKey,
	"aws:cloudwatch/logGroup:LogGroup":            (*Env).makeLogGroup,
}

func (e *Env) makeBucket(d declared) error { return e.objects.CreateBucket(d.out("bucket")) }

func (e *Env) makeVersioning(d declared) error {
	status := d.text("versioningConfiguration", "status")
	if status == "Disabled" {
		return nil
	}
	return e.objects.SetVersioningConfiguration(d.text("bucket"), gofakes3.VersioningConfiguration{Status: gofakes3.VersioningStatus(status)})
}

func (e *Env) makeEncryption(d declared) error {
	for _, rule := range d.list("rules") {
		inner := declared{Resource: monitor.Resource{Inputs: rule}}
		bucketKey, _ := rule["bucketKeyEnabled"].(bool)
		key, err := e.key(inner.text("applyServerSideEncryptionByDefault", "kmsMasterKeyId"))
		if err != nil {
			return err
		}
		if err := e.objects.SetEncryption(d.text("bucket"), key, bucketKey); err != nil {
			return err
		}
	}
	return nil
}

func (e *Env) makeNotification(d declared) error {
	if err := d.refuse("queues", "topics", "eventbridge"); err != nil {
		return err
	}
	bucket := d.text("bucket")
	var rules []s3.Rule
	for i, f := range d.list("lambdaFunctions") {
		inner := declared{Resource: monitor.Resource{Inputs: f}}
		rule := s3.Rule{ID: inner.text("id"), Function: inner.text("lambdaFunctionArn"), Prefix: inner.text("filterPrefix"), Suffix: inner.text("filterSuffix")}
		if rule.ID == "" {
			rule.ID = fmt.Sprintf("%s-%d", d.Name, i+1)
		}
		names, _ := f["events"].([]any)
		for _, name := range names {
			rule.Events = append(rule.Events, fmt.Sprint(name))
		}
		if decision := e.mayNotify(bucket, rule.Function); !decision.Allowed {
			return fmt.Errorf("unable to validate the following destination configurations: %s: %s", rule.Function, decision.Reason)
		}
		rules = append(rules, rule)
	}
	if err := s3.CheckRules(rules); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.notifications[bucket] != nil {
		return fmt.Errorf("bucket %s has a notification already, which this one would overwrite", bucket)
	}
	e.notifications[bucket] = rules
	return nil
}

func (e *Env) makeFunction(d declared) error {
	if err := d.refuse("layers", "vpcConfig", "fileSystemConfig", "deadLetterConfig", "imageUri", "s3Bucket"); err != nil {
		return err
	}
	if runtime := d.text("runtime"); !strings.HasPrefix(runtime, "provided.") {
		return fmt.Errorf("runtime %q: only OS-only runtimes (provided.…) can run here", runtime)
	}
	archive, ok := d.Inputs["code"].(monitor.Archive)
	if !ok {
		return errors.New("its code must be a zip file")
	}
	path, err := e.resolve(archive.Path)
	if err != nil {
		return err
	}
	f := lambda.Function{
		Name: d.out("name"), ARN: d.arn(), Role: d.text("role"), Zip: path, Handler: d.text("handler"),
		Memory: d.number(128, "memorySize"), Timeout: time.Duration(d.number(3, "timeout")) * time.Second,
		LogGroup: d.text("loggingConfig", "logGroup"), JSONLogs: d.text("loggingConfig", "logFormat") == "JSON",
		LogLevel: d.text("loggingConfig", "applicationLogLevel"), Tracing: d.text("tracingConfig", "mode") == "Active",
		Environment: map[string]string{}, Async: lambda.Async{Retries: 2},
	}
	if f.LogGroup == "" {
		f.LogGroup = "/aws/lambda/" + f.Name
	}
	if n := d.number(-1, "reservedConcurrentExecutions"); n >= 0 {
		f.Reserved = &n
	}
	variables, _ := d.in("environment", "variables").(map[string]any)
	for name, value := range variables {
		f.Environment[name] = fmt.Sprint(value)
	}
	context := map[string][]string{"aws:sourcearn": {f.ARN}, "aws:sourceaccount": {Account}}
	if decision := e.policy.Assume("lambda.amazonaws.com", f.Role, context); !decision.Allowed {
		return fmt.Errorf("the role defined for the function cannot be assumed by Lambda: %s", decision.Reason)
	}
	return e.hosts.Put(f)
}

// function is the name in a reference to a function by name or ARN.
func function(reference string) string {
	return reference[strings.LastIndexByte(reference, ':')+1:]
}

func (e *Env) makePermission(d declared) error {
	f, err := e.hosts.Function(function(d.text("function")))
	if err != nil {
		return err
	}
	s := iam.Statement{Sid: d.out("statementId"), Allow: true, Action: []string{d.text("action")}, Resource: []string{f.ARN}}
	switch principal := d.text("principal"); {
	case principal == "*":
		s.Principal = &iam.PrincipalSet{Any: true}
	case strings.HasSuffix(principal, ".amazonaws.com"):
		s.Principal = &iam.PrincipalSet{Service: []string{principal}}
	default:
		s.Principal = &iam.PrincipalSet{AWS: []string{principal}}
	}
	if source := d.text("sourceArn"); source != "" {
		s.Condition = append(s.Condition, iam.Condition{Operator: "ArnLike", Key: "aws:SourceArn", Values: []string{source}})
	}
	if account := d.text("sourceAccount"); account != "" {
		s.Condition = append(s.Condition, iam.Condition{Operator: "StringEquals", Key: "aws:SourceAccount", Values: []string{account}})
	}
	e.policy.AddResourceStatement(f.ARN, s)
	return nil
}

func (e *Env) makeInvokeConfig(d declared) error {
	name := function(d.text("functionName"))
	f, err := e.hosts.Function(name)
	if err != nil {
		return err
	}
	async := lambda.Async{Retries: d.number(2, "maximumRetryAttempts"), OnFailure: d.text("destinationConfig", "onFailure", "destination")}
	if async.OnFailure != "" {
		q, err := e.queues.Find(async.OnFailure)
		if err != nil {
			return fmt.Errorf("on-failure destination: only queues are supported here: %w", err)
		}
		if err := e.ask(iam.Principal{Role: f.Role}, nil, q.Needs("SendMessage")...); err != nil {
			return fmt.Errorf("the function's execution role does not have permissions to call SendMessage on SQS: %w", err)
		}
	}
	return e.hosts.Configure(name, async)
}

func (e *Env) makeRole(d declared) error {
	if err := d.refuse("inlinePolicies", "managedPolicyArns"); err != nil {
		return err
	}
	if err := e.policy.PutRole(d.arn(), d.text("assumeRolePolicy")); err != nil {
		return err
	}
	if err := e.bound(d); err != nil {
		return err
	}
	name, unique := d.out("name"), d.out("uniqueId")
	e.issue(d.arn(), d.region, front.Caller{
		Principal: iam.Principal{Role: d.arn()}, ID: unique + ":" + name,
		Session: "arn:aws:sts::" + Account + ":assumed-role/" + name + "/" + name,
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.roles[name] = d.arn()
	return nil
}

// bound limits a role as it is declared. The account is one that package bootstrap has prepared: it has the boundary of
// this stack, and no other policy.
func (e *Env) bound(d declared) error {
	arn := d.text("permissionsBoundary")
	if arn == "" {
		return nil
	}
	if arn == "arn:aws:iam::"+Account+":policy/"+bootstrap.BoundaryName(e.project, e.options.Stack) {
		stack := bootstrap.Stack{Name: e.options.Stack, Region: d.region}
		if err := e.policy.PutPolicy(arn, bootstrap.BoundaryText(e.project, stack, "aws", Account)); err != nil {
			return err
		}
	}
	return e.policy.Bound(d.arn(), arn)
}

func (e *Env) roleARN(name string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.roles[name]
}

func (e *Env) makeRolePolicy(d declared) error {
	return e.policy.PutRolePolicy(e.roleARN(d.text("role")), d.out("name"), d.text("policy"))
}

// makeAttachment attaches to a role of the program. One that the account has beside it (QuickSight's) makes no requests
// here.
func (e *Env) makeAttachment(d declared) error {
	role := e.roleARN(d.text("role"))
	if role == "" {
		return nil
	}
	return e.policy.Attach(role, d.text("policyArn"))
}

func (e *Env) makeQueue(d declared) error {
	if err := d.refuse("fifoQueue", "redrivePolicy", "delaySeconds"); err != nil {
		return err
	}
	key, err := e.key(d.text("kmsMasterKeyId"))
	if err != nil {
		return err
	}
	return e.queues.Create(sqs.Queue{
		Name: d.out("name"), URL: d.out("url"), ARN: d.arn(), Key: key,
		Visibility: time.Duration(d.number(30, "visibilityTimeoutSeconds")) * time.Second, MaxBytes: d.number(262144, "maxMessageSize"),
	})
}

func (e *Env) makeQueuePolicy(d declared) error {
	q, err := e.queues.Find(d.text("queueUrl"))
	if err != nil {
		return err
	}
	return e.policy.PutResourcePolicy(q.ARN, d.text("policy"), false)
}

func (e *Env) makeTopic(d declared) error {
	key, err := e.key(d.text("kmsMasterKeyId"))
	if err != nil {
		return err
	}
	e.topics.Create(sns.Topic{Name: d.out("name"), ARN: d.arn(), Key: key})
	return nil
}

func (e *Env) makeSubscription(d declared) error {
	if err := d.refuse("filterPolicy", "redrivePolicy"); err != nil {
		return err
	}
	switch protocol := d.text("protocol"); protocol {
	case "sqs", "email", "email-json", "http", "https", "sms":
	default:
		return fmt.Errorf("subscriptions of protocol %s are not supported here", protocol)
	}
	return e.topics.Subscribe(subscription(d))
}

func subscription(d declared) sns.Subscription {
	raw, _ := d.in("rawMessageDelivery").(bool)
	return sns.Subscription{ARN: d.arn(), Topic: d.text("topic"), Protocol: d.text("protocol"), Endpoint: d.text("endpoint"), Raw: raw}
}

func (e *Env) makeTable(d declared) error {
	if err := d.refuse("globalSecondaryIndexes", "localSecondaryIndexes", "replicas", "streamEnabled"); err != nil {
		return err
	}
	if e.elsewhere != nil {
		e.items.Define(table(d))
		return nil
	}
	return e.items.Create(table(d))
}

func table(d declared) dynamo.Table {
	t := dynamo.Table{Name: d.out("name"), ARN: d.arn(), HashKey: d.text("hashKey"), RangeKey: d.text("rangeKey"), Attributes: map[string]string{}}
	for _, a := range d.list("attributes") {
		t.Attributes[fmt.Sprint(a["name"])] = fmt.Sprint(a["type"])
	}
	return t
}

func (e *Env) makeSecret(d declared) error {
	key, err := e.key(d.text("kmsKeyId"))
	if err != nil {
		return err
	}
	return e.secrets.Create(secret.Secret{Name: d.out("name"), ARN: d.arn(), Key: key})
}

func (e *Env) makeSchedule(d declared) error {
	group := d.out("groupName")
	s := Schedule{
		Resource: d.Name, Name: d.out("name"), Group: group, ARN: d.arn(),
		GroupARN:   e.known.Scope(d.Resource).ARN("scheduler", "schedule-group/"+group),
		Expression: d.text("scheduleExpression"), Enabled: d.text("state") != "DISABLED",
		Target: d.text("target", "arn"), Role: d.text("target", "roleArn"), Input: d.text("target", "input"), DeadLetter: d.text("target", "deadLetterConfig", "arn"),
	}
	if strings.Contains(s.Input, `\u003caws.scheduler.`) {
		return errors.New("its input holds a placeholder with an escaped <, which EventBridge Scheduler does not fill in")
	}
	if _, err := e.hosts.Function(function(s.Target)); err != nil {
		return fmt.Errorf("only functions can be targets here: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if i := slices.IndexFunc(e.schedules, func(other Schedule) bool { return other.ARN == s.ARN }); i >= 0 {
		e.schedules[i] = s
		return nil
	}
	e.schedules = append(e.schedules, s)
	return nil
}

// key returns the ARN of the KMS key that a resource refers to; "" for AWS's own keys, whose use needs no grant.
func (e *Env) key(reference string) (string, error) {
	if reference == "" || strings.HasPrefix(reference, "alias/aws/") {
		return "", nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, arn := range e.keys {
		if reference == id || reference == arn {
			return arn, nil
		}
	}
	return "", fmt.Errorf("find key %s: it is neither the ARN nor the id of a key of this stack", reference)
}

// keyDefault is the policy of a key for which the program gives none.
const keyDefault = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + Account + `:root"},"Action":"kms:*","Resource":"*"}]}`

func (e *Env) makeKey(d declared) error {
	policy := d.text("policy")
	if policy == "" {
		policy = keyDefault
	}
	e.mu.Lock()
	e.keys[d.id] = d.arn()
	e.mu.Unlock()
	return e.policy.PutResourcePolicy(d.arn(), policy, true)
}

func (e *Env) makeLogGroup(d declared) error {
	key, err := e.key(d.text("kmsKeyId"))
	if err != nil {
		return err
	}
	if key != "" {
		context := map[string][]string{"kms:encryptioncontext:aws:logs:arn": {d.arn()}, "aws:sourceaccount": {Account}}
		service := iam.Principal{Service: "logs." + d.region + ".amazonaws.com"}
		if err := e.ask(service, context, iam.Need{Action: "kms:Encrypt", Resource: key}, iam.Need{Action: "kms:GenerateDataKey", Resource: key}); err != nil {
			return fmt.Errorf("the specified KMS key is not allowed to be used with %s: %w", d.arn(), err)
		}
	}
	e.watch.CreateGroup(d.out("name"))
	return nil
}
