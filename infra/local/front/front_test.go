package front_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"tributary/infra/local/front"
	"tributary/infra/local/iam"
	"tributary/infra/local/secret"
	localsns "tributary/infra/local/sns"
	"tributary/infra/local/sqs"
)

const role = "arn:aws:iam::000000000000:role/process"

// trial is a front with a topic, a queue that subscribes to it and a secret.
type trial struct {
	url     string
	allowed func(iam.Request) bool
	asked   []iam.Request
	queues  *sqs.Service
	topics  *localsns.Service
	secrets *secret.Service
}

const (
	topicARN  = "arn:aws:sns:eu-west-3:000000000000:alerts"
	queueARN  = "arn:aws:sqs:eu-west-3:000000000000:mail"
	secretARN = "arn:aws:secretsmanager:eu-west-3:000000000000:secret:coingecko-abcdef"
	keyARN    = "arn:aws:kms:eu-west-3:000000000000:key/1"
)

var at = time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC)

func newTrial(t *testing.T) *trial {
	t.Helper()
	now := func() time.Time { return at }
	r := &trial{allowed: func(iam.Request) bool { return true }, secrets: secret.NewService(now)}
	r.queues = sqs.NewService(now, func(sqs.Queue, sqs.Message) {})
	r.topics = localsns.NewService(now, func(localsns.Message) {}, func(sub localsns.Subscription, body string) error {
		_, err := r.queues.Send(sub.Endpoint, body, nil)
		return err
	})
	r.topics.Create(localsns.Topic{Name: "alerts", ARN: topicARN, Key: keyARN})
	server := httptest.NewServer(&front.Front{
		Services: map[string]front.Service{"sns": r.topics, "sqs": r.queues, "secretsmanager": r.secrets, "sts": front.Identity{}, "s3": refusing{}, "dynamodb": refusing{}},
		Identify: func(key, token string) (front.Caller, bool) {
			return front.Caller{Principal: iam.Principal{Role: role}, ID: "AROA1:process", Session: "arn:aws:sts::000000000000:assumed-role/process/process"}, key == "key" && token == "token"
		},
		Authorize: func(request iam.Request) iam.Decision {
			r.asked = append(r.asked, request)
			return iam.Decision{Allowed: r.allowed(request), Reason: "no identity-based policy allows it"}
		},
		Denied: func(front.Caller, iam.Need, iam.Decision) {},
		Now:    now,
	})
	t.Cleanup(server.Close)
	r.url = server.URL
	for _, err := range []error{
		r.queues.Create(sqs.Queue{Name: "mail", ARN: queueARN, URL: r.url + "/000000000000/mail", Visibility: 30 * time.Second, MaxBytes: 100000}),
		r.topics.Subscribe(localsns.Subscription{Topic: topicARN, Protocol: "sqs", Endpoint: queueARN}),
		r.topics.Subscribe(localsns.Subscription{Topic: topicARN, Protocol: "email", Endpoint: "a@example.com"}),
		r.secrets.Create(secret.Secret{Name: "coingecko", ARN: secretARN, Key: keyARN}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// refusing is a service that needs one permission and has no operation.
type refusing struct{}

func (refusing) Needs(*http.Request) ([]iam.Need, error) {
	return []iam.Need{{Action: "x:Do", Resource: "arn:aws:x:::y"}}, nil
}
func (refusing) ServeHTTP(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }

func (r *trial) config(key, token string) aws.Config {
	return aws.Config{Region: "eu-west-3", BaseEndpoint: aws.String(r.url), RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider(key, "secret", token)}
}

func code(err error) string {
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		return api.ErrorCode()
	case err != nil:
		return err.Error()
	}
	return ""
}

// calls makes one call of each service.
var calls = map[string]func(context.Context, aws.Config) error{
	"sns": func(ctx context.Context, c aws.Config) error {
		_, err := sns.NewFromConfig(c).Publish(ctx, &sns.PublishInput{TopicArn: aws.String(topicARN), Message: aws.String("m")})
		return err
	},
	"secretsmanager": func(ctx context.Context, c aws.Config) error {
		_, err := secretsmanager.NewFromConfig(c).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("coingecko")})
		return err
	},
	"s3": func(ctx context.Context, c aws.Config) error {
		_, err := s3.NewFromConfig(c).PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("raw"), Key: aws.String("a")})
		return err
	},
	"dynamodb": func(ctx context.Context, c aws.Config) error {
		_, err := dynamodb.NewFromConfig(c).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("t")})
		return err
	},
}

func TestRefusalsAreInTheFormOfTheService(t *testing.T) {
	denied := map[string]string{"sns": "AuthorizationError", "secretsmanager": "AccessDeniedException", "s3": "AccessDenied", "dynamodb": "AccessDeniedException"}
	for service, call := range calls {
		t.Run(service, func(t *testing.T) {
			r := newTrial(t)
			r.allowed = func(iam.Request) bool { return false }
			err := call(t.Context(), r.config("key", "token"))
			if got := code(err); got != denied[service] {
				t.Errorf("code %q, want %q", got, denied[service])
			}
			if !strings.Contains(err.Error(), "assumed-role/process/process is not authorized to perform: ") || !strings.Contains(err.Error(), "because no identity-based policy allows it") {
				t.Errorf("message %v", err)
			}
			for _, who := range [][2]string{{"key", "stale"}, {"other", "token"}} {
				if got := code(call(t.Context(), r.config(who[0], who[1]))); got != "InvalidClientTokenId" {
					t.Errorf("credentials %v: code %q", who, got)
				}
			}
		})
	}
}

func TestUnsignedAndUnknown(t *testing.T) {
	r := newTrial(t)
	for authorization, want := range map[string]int{
		"":       http.StatusForbidden,
		"Bearer": http.StatusForbidden,
		"AWS4-HMAC-SHA256 Credential=key/20250304/eu-west-3/ec2/aws4_request, SignedHeaders=host, Signature=0": http.StatusNotImplemented,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", authorization)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%q: status %d, want %d", authorization, answer.StatusCode, want)
		}
	}
}

func TestPublish(t *testing.T) {
	r := newTrial(t)
	client := sns.NewFromConfig(r.config("key", "token"))
	out, err := client.Publish(t.Context(), &sns.PublishInput{TopicArn: aws.String(topicARN), Subject: aws.String("held"), Message: aws.String("run & <all>")})
	if err != nil {
		t.Fatal(err)
	}
	messages, err := r.topics.Messages("alerts")
	if err != nil || len(messages) != 1 || messages[0].ID != *out.MessageId || messages[0].Body != "run & <all>" || !messages[0].Published.Equal(at) {
		t.Errorf("messages %+v, %v", messages, err)
	}
	queued, err := r.queues.Messages("mail")
	if err != nil || len(queued) != 1 || !strings.Contains(queued[0].Body, `"Subject":"held"`) {
		t.Errorf("queued %+v, %v", queued, err)
	}
	var actions []string
	for _, request := range r.asked {
		actions = append(actions, request.Action)
	}
	if got := strings.Join(actions, " "); got != "sns:Publish kms:GenerateDataKey kms:Decrypt" {
		t.Errorf("asked %s", got)
	}
	if c := r.asked[0].Context; c["aws:principalarn"][0] != role || c["aws:securetransport"][0] != "true" || c["aws:requestedregion"][0] != "eu-west-3" || c["aws:principalaccount"][0] != "000000000000" {
		t.Errorf("context %v", c)
	}
	for name, in := range map[string]*sns.PublishInput{
		"InvalidParameter": {TopicArn: aws.String(topicARN), Message: aws.String(strings.Repeat("x", 256<<10+1))},
		"NotFound":         {TopicArn: aws.String(topicARN + "x"), Message: aws.String("m")},
	} {
		if _, err := client.Publish(t.Context(), in); code(err) != name {
			t.Errorf("%v, want %s", err, name)
		}
	}
}

func TestSecrets(t *testing.T) {
	r := newTrial(t)
	client := secretsmanager.NewFromConfig(r.config("key", "token"))
	get := func(id string) (string, error) {
		out, err := client.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id})
		if err != nil {
			return "", err
		}
		return *out.SecretString, nil
	}
	if _, err := get("coingecko"); code(err) != "ResourceNotFoundException" || !strings.Contains(err.Error(), "AWSCURRENT") {
		t.Errorf("empty secret: %v", err)
	}
	if _, err := get("other"); code(err) != "ResourceNotFoundException" {
		t.Errorf("no secret: %v", err)
	}
	if _, err := client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String("coingecko"), SecretString: aws.String("s3cret")}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"coingecko", secretARN, strings.TrimSuffix(secretARN, "-abcdef")} {
		if value, err := get(id); err != nil || value != "s3cret" {
			t.Errorf("%s: %q, %v", id, value, err)
		}
	}
}

func TestQueuesAreListed(t *testing.T) {
	r := newTrial(t)
	client := awssqs.NewFromConfig(r.config("key", "token"))
	for prefix, want := range map[string]int{"": 1, "ma": 1, "x": 0} {
		listed, err := client.ListQueues(t.Context(), &awssqs.ListQueuesInput{QueueNamePrefix: aws.String(prefix)})
		if err != nil || len(listed.QueueUrls) != want {
			t.Errorf("with prefix %q: %v, %v", prefix, listed, err)
		}
	}
	if got := r.asked[0]; got.Action != "sqs:ListQueues" || got.Resource != "*" {
		t.Errorf("asked %s on %s", got.Action, got.Resource)
	}
}

func TestQueue(t *testing.T) {
	r := newTrial(t)
	url := r.url + "/000000000000/mail"
	call := func(operation, body string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
		request.Header.Set("X-Amz-Security-Token", "token")
		request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=key/20250304/eu-west-3/sqs/aws4_request, SignedHeaders=host, Signature=0")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(text)
	}
	if status, text := call("SendMessage", `{"QueueUrl":"`+url+`","MessageBody":"hello"}`); status != 200 || !strings.Contains(text, "5d41402abc4b2a76b9719d911017c592") {
		t.Fatalf("send: %d %s", status, text)
	}
	if status, text := call("ReceiveMessage", `{"QueueUrl":"`+url+`","MaxNumberOfMessages":10}`); status != 200 || !strings.Contains(text, `"Body":"hello"`) {
		t.Fatalf("receive: %d %s", status, text)
	} else {
		_, rest, _ := strings.Cut(text, `"ReceiptHandle":"`)
		receipt, _, _ := strings.Cut(rest, `"`)
		if _, hidden := call("ReceiveMessage", `{"QueueUrl":"`+url+`"}`); hidden != `{"Messages":[]}` {
			t.Errorf("received again at once: %s", hidden)
		}
		if _, attributes := call("GetQueueAttributes", `{"QueueUrl":"`+url+`"}`); !strings.Contains(attributes, `"ApproximateNumberOfMessagesNotVisible":"1"`) {
			t.Errorf("attributes: %s", attributes)
		}
		if status, text := call("DeleteMessage", `{"QueueUrl":"`+url+`","ReceiptHandle":"`+receipt+`"}`); status != 200 {
			t.Errorf("delete: %d %s", status, text)
		}
		if status, text := call("DeleteMessage", `{"QueueUrl":"`+url+`","ReceiptHandle":"`+receipt+`"}`); status != 400 || !strings.Contains(text, "ReceiptHandleIsInvalid") {
			t.Errorf("delete again: %d %s", status, text)
		}
	}
	for _, test := range []struct{ operation, body, want string }{
		{"SendMessage", `{"QueueUrl":"` + url + `x","MessageBody":"hello"}`, "QueueDoesNotExist"},
		{"SendMessage", `{"QueueUrl":"` + url + `","MessageBody":"` + strings.Repeat("x", 100001) + `"}`, "InvalidParameterValue"},
		{"CreateQueue", `{"QueueName":"x"}`, "UnsupportedOperation"},
	} {
		if status, text := call(test.operation, test.body); status != 400 || !strings.Contains(text, test.want) {
			t.Errorf("%s: %d %s, want %s", test.operation, status, text, test.want)
		}
	}
}
