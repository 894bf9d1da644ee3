package local_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"tributary/infra/local"
)

// TestMain makes the test binary serve as the functions' bootstrap.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		runtime.Start(handlers[os.Getenv("ROLE")])
		return
	}
	code := m.Run()
	if path, err := bootstrapZip(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path)) // a temporary directory
	}
	os.Exit(code)
}

var handlers = map[string]func(context.Context, json.RawMessage) (any, error){
	"ingest":  ingest,
	"process": process,
	"environment": func(context.Context, json.RawMessage) (any, error) {
		return os.Environ(), nil
	},
}

// ingest writes a manifest named after the scheduled time.
func ingest(ctx context.Context, event json.RawMessage) (any, error) {
	var in struct {
		ScheduledAt string `json:"scheduledAt"`
		Key         string `json:"key"`
	}
	if err := json.Unmarshal(event, &in); err != nil {
		return nil, err
	}
	sdk, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	key := in.Key
	if key == "" {
		key = "raw/coin markets/run=" + in.ScheduledAt + "/manifest.json"
	}
	_, err = s3.NewFromConfig(sdk).PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(os.Getenv("RAW")), Key: aws.String(key),
		Body: strings.NewReader("{}"), IfNoneMatch: aws.String("*"), Metadata: map[string]string{"run": in.ScheduledAt}})
	return nil, err
}

// process reads the manifest that the event names, puts an item and publishes.
func process(ctx context.Context, event json.RawMessage) (any, error) {
	var in struct {
		Records []struct {
			S3 struct {
				Bucket struct{ Name string }
				Object struct{ Key, VersionID string }
			}
		}
	}
	if err := json.Unmarshal(event, &in); err != nil {
		return nil, err
	}
	if len(in.Records) == 0 {
		return nil, errors.New("no records")
	}
	fmt.Println(`{"level":"INFO","msg":"processing","_aws":{"Timestamp":1741099500000,"CloudWatchMetrics":[{"Namespace":"Tributary","Dimensions":[["Dataset"]],"Metrics":[{"Name":"Records","Unit":"Count"}]}]},"Dataset":"coin_markets","Records":30}`)
	sdk, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	o := in.Records[0].S3
	key := strings.NewReplacer("+", " ", "%3D", "=", "%3A", ":").Replace(o.Object.Key)
	got, err := s3.NewFromConfig(sdk).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(o.Bucket.Name), Key: aws.String(key), VersionId: aws.String(o.Object.VersionID)})
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, got.Body); err != nil {
		return nil, err
	}
	if err := got.Body.Close(); err != nil {
		return nil, err
	}
	if _, err := dynamodb.NewFromConfig(sdk).PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(os.Getenv("TABLE")), Item: map[string]ddbtypes.AttributeValue{
		"id": &ddbtypes.AttributeValueMemberS{Value: got.Metadata["run"]}, "n": &ddbtypes.AttributeValueMemberN{Value: "1"},
	}}); err != nil {
		return nil, err
	}
	_, err = sns.NewFromConfig(sdk).Publish(ctx, &sns.PublishInput{TopicArn: aws.String(os.Getenv("TOPIC")), Subject: aws.String("done"), Message: aws.String("run " + got.Metadata["run"])})
	return nil, err
}

// bootstrapZip packs this test binary.
var bootstrapZip = sync.OnceValues(func() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "tributary-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "function.zip")
	return path, pack(path, self)
})

func pack(path, binary string) error {
	in, err := os.Open(binary)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	z := zip.NewWriter(out)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Store}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err == nil {
		_, err = io.Copy(w, in)
	}
	return errors.Join(err, z.Close(), out.Close())
}

// start runs a program in a project of its own.
func start(t *testing.T, program *program) (*local.Env, *recorder) {
	t.Helper()
	env, events, err := tryStart(t, program)
	if err != nil {
		t.Fatal(err)
	}
	return env, events
}

func tryStart(t *testing.T, program *program) (*local.Env, *recorder, error) {
	t.Helper()
	root := t.TempDir()
	write(t, filepath.Join(root, "Pulumi.yaml"), "name: trial\nruntime: go\n")
	write(t, filepath.Join(root, "Pulumi.dev.yaml"), "config:\n  aws:region: eu-west-3\n  trial:settings:\n    color: red\n    nested: {a: 1, b: 2}\n")
	zipped, err := bootstrapZip()
	if err != nil {
		t.Fatal(err)
	}
	program.zip = zipped
	events := &recorder{}
	env, err := local.Start(t.Context(), local.Options{
		Root: root, Stack: "dev", Program: program.deploy, Events: events.add, Logf: t.Logf,
		Settings:   map[string]any{"settings": map[string]any{"nested": map[string]any{"b": 3}}},
		RetryDelay: func(int) time.Duration { return 0 },
	})
	if err == nil {
		t.Cleanup(func() {
			if err := env.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return env, events, err
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

type recorder struct {
	mu     sync.Mutex
	events []local.Event
}

func (r *recorder) add(e local.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) of(kind local.Kind) []local.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []local.Event
	for _, e := range r.events {
		if e.Kind == kind {
			list = append(list, e)
		}
	}
	return list
}

func (r *recorder) kinds() map[local.Kind]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := map[local.Kind]int{}
	for _, e := range r.events {
		counts[e.Kind]++
	}
	delete(counts, local.LogWritten)
	return counts
}

var at = time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC)

func fire(t *testing.T, env *local.Env) {
	t.Helper()
	if err := env.Fire("coin_markets", at); err != nil {
		t.Fatal(err)
	}
	if err := env.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestARunGoesTheWholeWay(t *testing.T) {
	env, events := start(t, &program{})
	fire(t, env)

	objects, err := env.Objects(rawBucket)
	if err != nil {
		t.Fatal(err)
	}
	if len(objects) != 1 || objects[0].Key != "raw/coin markets/run=2025-03-04T14:45:00Z/manifest.json" || objects[0].Version == "" {
		t.Errorf("objects: %+v", objects)
	}
	items, err := env.Items("trial-serving")
	if err != nil {
		t.Fatal(err)
	}
	if len(items) != 1 || string(items[0]["id"]) != `{"S":"2025-03-04T14:45:00Z"}` {
		t.Errorf("items: %s", items)
	}
	messages, err := env.Messages("trial-alerts")
	if err != nil {
		t.Fatal(err)
	}
	if len(messages) != 1 || messages[0].Subject != "done" || messages[0].Body != "run 2025-03-04T14:45:00Z" {
		t.Errorf("messages: %+v", messages)
	}
	want := map[local.Kind]int{local.ScheduleFired: 1, local.InvocationStarted: 2, local.InvocationEnded: 2, local.ObjectWritten: 1, local.ItemWritten: 1, local.MessagePublished: 1}
	if got := events.kinds(); !maps.Equal(got, want) {
		t.Errorf("events: %v, want %v\n%+v", got, want, events.of(local.InvocationFailed))
	}
	if lines := env.Logs("trial-process"); len(lines) != 1 || !strings.Contains(lines[0], "processing") {
		t.Errorf("log of process: %q", lines)
	}
	records := 0.0
	for _, d := range env.Metrics() {
		if d.Namespace == "Tributary" && d.Name == "Records" && d.Dimensions["Dataset"] == "coin_markets" {
			records += d.Value
		}
	}
	if records != 30 {
		t.Errorf("metric Records: %v, want 30", records)
	}
	for _, use := range env.Requests() {
		if !use.Allowed {
			t.Errorf("%s was refused %s on %s: %s", use.Principal, use.Action, use.Resource, use.Reason)
		}
	}
}

func TestAFailureIsRetriedAndGoesToTheQueue(t *testing.T) {
	env, events := start(t, &program{})
	_, err := env.Invoke(t.Context(), "trial-process", []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	before := len(events.of(local.InvocationFailed))
	if before != 1 {
		t.Fatalf("%d failures of a synchronous call, want 1", before)
	}
	object(t, env, "raw/coin markets/run=x/manifest.json") // without metadata: the key of the item would be empty
	if err := env.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(events.of(local.InvocationFailed)) - before; got != 3 {
		t.Errorf("%d failed attempts, want 3", got)
	}
	queued, err := env.Queued("trial-failures")
	if err != nil {
		t.Fatal(err)
	}
	if len(queued) != 1 {
		t.Fatalf("%d messages in the failure queue, want 1", len(queued))
	}
	var record struct {
		RequestContext struct {
			Condition, FunctionArn string
			ApproximateInvokeCount int
		}
		RequestPayload  struct{ Records []any }
		ResponsePayload struct{ ErrorMessage string }
	}
	if err := json.Unmarshal([]byte(queued[0].Body), &record); err != nil {
		t.Fatal(err)
	}
	if record.RequestContext.ApproximateInvokeCount != 3 || record.RequestContext.Condition != "RetriesExhausted" || len(record.RequestPayload.Records) != 1 ||
		!strings.Contains(record.ResponsePayload.ErrorMessage, "ValidationException") {
		t.Errorf("record: %s", queued[0].Body)
	}
}

// object writes an object as the operator.
func object(t *testing.T, env *local.Env, key string) {
	t.Helper()
	client := s3.NewFromConfig(operator(t, env))
	if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(rawBucket), Key: aws.String(key), Body: bytes.NewReader(nil), IfNoneMatch: aws.String("*")}); err != nil {
		t.Fatal(err)
	}
}

func operator(t *testing.T, env *local.Env) aws.Config {
	t.Helper()
	c, err := env.Credentials("")
	if err != nil {
		t.Fatal(err)
	}
	return aws.Config{Region: c.Region, BaseEndpoint: aws.String(env.Endpoint), Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}, nil
	})}
}

func TestFiltersOfTheNotification(t *testing.T) {
	env, events := start(t, &program{})
	for _, key := range []string{"raw/coin markets/page-1.json", "raw/coins/manifest.json", "manifest.json"} {
		object(t, env, key)
	}
	if err := env.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	if started := events.of(local.InvocationStarted); len(started) != 0 {
		t.Errorf("started: %+v", started)
	}
}

func TestAMissingGrantIsAccessDenied(t *testing.T) {
	env, events := start(t, &program{without: "dynamodb:PutItem"})
	fire(t, env)
	denied := events.of(local.AccessDenied)
	if len(denied) == 0 || denied[0].Action != "dynamodb:PutItem" || !strings.HasSuffix(denied[0].Resource, ":table/trial-serving") {
		t.Fatalf("denied: %+v", denied)
	}
	failed := events.of(local.InvocationFailed)
	if len(failed) != 3 || !strings.Contains(failed[0].Error, "AccessDeniedException") || !strings.Contains(failed[0].Error, "dynamodb:PutItem") {
		t.Errorf("failed: %+v", failed)
	}
}

func TestWithoutTheGrantToWriteLogsThereAreNone(t *testing.T) {
	env, events := start(t, &program{without: "logs:PutLogEvents"})
	fire(t, env)
	if lines := env.Logs("trial-process"); len(lines) != 0 {
		t.Errorf("log: %q", lines)
	}
	if denied := events.of(local.AccessDenied); len(denied) != 1 || denied[0].Action != "logs:PutLogEvents" {
		t.Errorf("denied: %+v", denied)
	}
}

func TestTheRawBucketIsWriteOnce(t *testing.T) {
	env, _ := start(t, &program{})
	client := s3.NewFromConfig(operator(t, env))
	_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(rawBucket), Key: aws.String("raw/x"), Body: strings.NewReader("x")})
	if err == nil || !strings.Contains(err.Error(), "AccessDenied") || !strings.Contains(err.Error(), "WriteOnce") {
		t.Errorf("unconditional write: %v", err)
	}
	created, err := client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String(rawBucket), Key: aws.String("raw/x")})
	if err != nil {
		t.Errorf("start of a multipart upload, which takes no condition: %v", err)
	}
	if _, err := client.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: aws.String(rawBucket), Key: aws.String("raw/x"), UploadId: created.UploadId}); err != nil {
		t.Error(err)
	}
}

func TestProcessesSeeNothingOfThisOne(t *testing.T) {
	t.Setenv("SECRET_OF_THE_PARENT", "1")
	env, _ := start(t, &program{})
	result, err := env.Invoke(t.Context(), "trial-environment", nil)
	if err != nil || result.Error != "" {
		t.Fatalf("%s %v", result.Payload, err)
	}
	var variables []string
	if err := json.Unmarshal(result.Payload, &variables); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		got[name] = value
	}
	if _, leaked := got["SECRET_OF_THE_PARENT"]; leaked {
		t.Error("the parent's environment leaks")
	}
	c, err := env.Credentials("trial-environment")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"AWS_REGION": "eu-west-3", "AWS_ACCESS_KEY_ID": c.AccessKeyID, "AWS_SESSION_TOKEN": c.SessionToken, "AWS_ENDPOINT_URL": env.Endpoint,
		"AWS_LAMBDA_FUNCTION_NAME": "trial-environment", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "ROLE": "environment", "_HANDLER": "bootstrap",
		"AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/trial-environment",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if _, err := os.Stat(filepath.Join(got["LAMBDA_TASK_ROOT"], "bootstrap")); err != nil {
		t.Errorf("LAMBDA_TASK_ROOT: %v", err)
	}
}

func TestWhatTheProgramGotAndGave(t *testing.T) {
	env, _ := start(t, &program{})
	want := map[string]any{"settings": `{"color":"red","nested":{"a":1,"b":3}}`, "raw": rawBucket, "account": local.Account, "region": "eu-west-3"}
	got := env.Exports()
	for name, value := range want {
		if got[name] != value {
			t.Errorf("export %s is %v, want %v", name, got[name], value)
		}
	}
	var urns []string
	for _, r := range env.Resources() {
		urns = append(urns, r.URN)
	}
	const notification = "urn:pulumi:dev::trial::aws:s3/bucketNotification:BucketNotification::raw"
	i := slices.Index(urns, notification)
	if i < 0 {
		t.Fatalf("no notification among %q", urns)
	}
	if deps := env.Resources()[i].Dependencies; !slices.Contains(deps, "urn:pulumi:dev::trial::aws:lambda/permission:Permission::process") {
		t.Errorf("the notification depends on %q", deps)
	}
}

func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		name    string
		program program
		want    string
	}{
		{"no permission for the bucket", program{noPermission: true}, "unable to validate the following destination configurations"},
		{"role that Lambda cannot take", program{trust: "ec2.amazonaws.com"}, "cannot be assumed by Lambda"},
		{"destination without a grant", program{without: "sqs:SendMessage"}, "does not have permissions to call SendMessage on SQS"},
		{"boundary that allows other names only", program{boundary: "arn:aws:iam::000000000000:policy/trial-bootstrap-dev-boundary"}, "but not by the permissions boundary arn:aws:iam::000000000000:policy/trial-bootstrap-dev-boundary"},
		{"boundary of nobody", program{boundary: "arn:aws:iam::000000000000:policy/other"}, "no policy arn:aws:iam::000000000000:policy/other"},
		{"unknown type", program{unknown: true}, "resource type aws:ec2/eip:Eip is not known here"},
		{"key of nobody", program{key: "arn:aws:kms:eu-west-3:000000000000:key/other"}, "neither the ARN nor the id of a key of this stack"},
		{"error of the program", program{fault: errors.New("settings are wrong")}, "settings are wrong"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := tryStart(t, &test.program)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestFireWithoutGrantGoesToTheDeadLetterQueue(t *testing.T) {
	env, _ := start(t, &program{without: "lambda:InvokeFunction"})
	err := env.Fire("coin_markets", at)
	if err == nil || !strings.Contains(err.Error(), "lambda:InvokeFunction") {
		t.Errorf("error %v", err)
	}
	queued, err := env.Queued("trial-undelivered")
	if err != nil {
		t.Fatal(err)
	}
	if len(queued) != 1 || queued[0].Body != `{"dataset":"coin_markets","scheduledAt":"2025-03-04T14:45:00Z"}` || queued[0].Attributes["ERROR_CODE"].StringValue != "AccessDenied" {
		t.Errorf("queued: %+v", queued)
	}
	if err := env.Fire("nobody", at); err == nil || !strings.Contains(err.Error(), "only trial-coin-markets") {
		t.Errorf("unknown schedule: %v", err)
	}
}
