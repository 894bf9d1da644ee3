package cloud_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"tributary/shared/cloud"
	"tributary/shared/zone"
)

// call is what a service was asked.
type call struct{ Path, Target, Kind, Body string }

// service answers every call alike and keeps what it was asked.
func service(t *testing.T, status int, headers map[string]string, answer string) (aws.Config, func() call) {
	t.Helper()
	var last call
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		last = call{r.URL.Path, r.Header.Get("X-Amz-Target"), r.Header.Get("X-Amz-Invocation-Type"), string(body)}
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return aws.Config{
		Region: "eu-central-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}, func() call { return last }
}

const functionPath = "/2015-03-31/functions/process/invocations"

func TestFunctionStart(t *testing.T) {
	config, asked := service(t, http.StatusAccepted, nil, "")
	if err := cloud.NewFunction(lambda.NewFromConfig(config), "process").Start(t.Context(), []byte(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(call{functionPath, "", "Event", `{"a":1}`}, asked()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	config, _ = service(t, http.StatusForbidden, map[string]string{"X-Amzn-Errortype": "AccessDeniedException"}, "{}")
	err := cloud.NewFunction(lambda.NewFromConfig(config), "process").Start(t.Context(), nil)
	if err == nil || !strings.HasPrefix(err.Error(), "start function process: ") || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("error %v", err)
	}
}

func TestFunctionInvoke(t *testing.T) {
	for _, test := range []struct {
		name, kind, answer string
		want               string // the answer, or the function's error
	}{
		{"answer", "", `[{"run":"r"}]`, `[{"run":"r"}]`},
		{"error", "Unhandled", `{"errorMessage":"boom","errorType":"x"}`, "function process failed: boom"},
		{"time-out", "Unhandled", `{"errorMessage":"2025 Task timed out after 3.00 seconds"}`, "function process failed: 2025 Task timed out after 3.00 seconds"},
		{"an error of another shape", "Unhandled", `"dead"`, `function process failed: "dead"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			headers := map[string]string{}
			if test.kind != "" {
				headers["X-Amz-Function-Error"] = test.kind
			}
			config, asked := service(t, http.StatusOK, headers, test.answer)
			got, err := cloud.NewFunction(lambda.NewFromConfig(config), "process").Invoke(t.Context(), []byte(`{}`))
			if fault := new(zone.FunctionError); errors.As(err, &fault) != (test.kind != "") {
				t.Fatalf("error %v", err)
			}
			if text := string(got); err == nil && text != test.want || err != nil && err.Error() != test.want {
				t.Errorf("got %s, %v, want %s", text, err, test.want)
			}
			if a := asked(); a.Path != functionPath || a.Kind == "Event" {
				t.Errorf("asked %+v", a)
			}
		})
	}
}

func TestQueue(t *testing.T) {
	json10 := map[string]string{"Content-Type": "application/x-amz-json-1.0"}
	message := zone.QueueMessage{ID: "m1", Receipt: "r1", Body: "hello", Sent: time.UnixMilli(1741099500123).UTC()}
	const received = `{"Messages":[{"MessageId":"m1","ReceiptHandle":"r1","Body":"hello","MD5OfBody":"5d41402abc4b2a76b9719d911017c592","Attributes":{"SentTimestamp":"1741099500123"}}]}`
	var url string
	for _, test := range []struct {
		name, answer string
		do           func(q *cloud.Queue) (any, error)
		target       string
		asks         map[string]any
		want         any
	}{
		{"receive", received, func(q *cloud.Queue) (any, error) {
			m, ok, err := q.Receive(t.Context(), 16*time.Minute)
			return fmt.Sprint(m, ok), err
		}, "AmazonSQS.ReceiveMessage", map[string]any{"MaxNumberOfMessages": 1.0, "VisibilityTimeout": 960.0}, fmt.Sprint(message, true)},
		{"receive nothing", `{}`, func(q *cloud.Queue) (any, error) {
			_, ok, err := q.Receive(t.Context(), time.Minute)
			return ok, err
		}, "AmazonSQS.ReceiveMessage", nil, false},
		{"delete", `{}`, func(q *cloud.Queue) (any, error) { return nil, q.Delete(t.Context(), message) }, "AmazonSQS.DeleteMessage", map[string]any{"ReceiptHandle": "r1"}, nil},
		{"return", `{}`, func(q *cloud.Queue) (any, error) { return nil, q.Return(t.Context(), message) }, "AmazonSQS.ChangeMessageVisibility", map[string]any{"ReceiptHandle": "r1", "VisibilityTimeout": 0.0}, nil},
		{
			"length", `{"Attributes":{"ApproximateNumberOfMessages":"3","ApproximateNumberOfMessagesNotVisible":"2"}}`,
			func(q *cloud.Queue) (any, error) { return q.Length(t.Context()) }, "AmazonSQS.GetQueueAttributes", nil, 5,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			config, asked := service(t, http.StatusOK, json10, test.answer)
			url = *config.BaseEndpoint + "/1/failures"
			got, err := test.do(cloud.NewQueue(sqs.NewFromConfig(config), url))
			if err != nil || got != test.want {
				t.Errorf("got %v, %v, want %v", got, err, test.want)
			}
			var body map[string]any
			if err := json.Unmarshal([]byte(asked().Body), &body); err != nil {
				t.Fatal(err)
			}
			if asked().Target != test.target || body["QueueUrl"] != url {
				t.Errorf("asked %+v", asked())
			}
			for name, want := range test.asks {
				if body[name] != want {
					t.Errorf("asked with %s %v, want %v", name, body[name], want)
				}
			}
		})
	}
	config, _ := service(t, http.StatusBadRequest, json10, `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"gone"}`)
	q := cloud.NewQueue(sqs.NewFromConfig(config), *config.BaseEndpoint+"/1/failures")
	_, _, receive := q.Receive(t.Context(), time.Minute)
	_, length := q.Length(t.Context())
	for verb, err := range map[string]error{"receive from": receive, "count messages of": length, "delete message m1 of": q.Delete(t.Context(), message), "return message m1 to": q.Return(t.Context(), message)} {
		if err == nil || !strings.HasPrefix(err.Error(), verb+" ") || !strings.Contains(err.Error(), "gone") {
			t.Errorf("%s: error %v", verb, err)
		}
	}
}

func TestSecretPut(t *testing.T) {
	config, asked := service(t, http.StatusOK, map[string]string{"Content-Type": "application/x-amz-json-1.1"}, `{}`)
	if err := cloud.NewSecrets(secretsmanager.NewFromConfig(config)).Put(t.Context(), "dev/key", "s3cret"); err != nil {
		t.Fatal(err)
	}
	if a := asked(); a.Target != "secretsmanager.PutSecretValue" || !strings.Contains(a.Body, `"SecretId":"dev/key"`) || !strings.Contains(a.Body, `"SecretString":"s3cret"`) {
		t.Errorf("asked %+v", a)
	}
	config, _ = service(t, http.StatusBadRequest, nil, `{"__type":"ResourceNotFoundException"}`)
	err := cloud.NewSecrets(secretsmanager.NewFromConfig(config)).Put(t.Context(), "dev/key", "s3cret")
	if err == nil || !strings.HasPrefix(err.Error(), "put secret dev/key: ") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error %v", err)
	}
}
