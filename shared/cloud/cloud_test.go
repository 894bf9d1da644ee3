package cloud_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"tributary/shared/cloud"
	"tributary/shared/zone"
)

// awsConfig points at the endpoint, with made-up credentials unless the environment has its own.
func awsConfig(t *testing.T, endpoint string) aws.Config {
	t.Helper()
	options := []func(*config.LoadOptions) error{config.WithBaseEndpoint(endpoint)}
	if os.Getenv("AWS_REGION") == "" {
		options = append(options, config.WithRegion("eu-central-1"))
	}
	if os.Getenv("AWS_ACCESS_KEY_ID") == "" {
		options = append(options, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
	}
	cfg, err := config.LoadDefaultConfig(t.Context(), options...)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func serve(t *testing.T, handler http.Handler) aws.Config {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return awsConfig(t, server.URL)
}

// answers replies to every request with the same status, headers and body, and keeps the last request.
type answers struct {
	status int
	body   string
	last   *http.Request
	form   string
	count  int
}

func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	form, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.last, a.form = r, string(form)
	a.count++
	w.WriteHeader(a.status)
	io.WriteString(w, a.body) //nolint:errcheck // the client sees it
}

func TestBucketErrors(t *testing.T) {
	code := func(status int, code string) *answers {
		return &answers{status: status, body: "<Error><Code>" + code + "</Code><Message>m</Message></Error>"}
	}
	ctx := context.Background()
	put := func(c zone.Condition) func(*cloud.Bucket) error {
		return func(b *cloud.Bucket) error {
			_, err := b.Put(ctx, "k", []byte("x"), zone.PutOptions{Condition: c})
			return err
		}
	}
	get := func(b *cloud.Bucket) error { _, _, err := b.Get(ctx, "k", "v"); return err }
	tests := []struct {
		name         string
		answer       *answers
		call         func(*cloud.Bucket) error
		want         error // nil: neither of zone's
		wantRequests int
	}{
		{"missing key", code(404, "NoSuchKey"), get, zone.ErrNotFound, 1},
		{"missing version", code(404, "NoSuchVersion"), get, zone.ErrNotFound, 1},
		{"missing bucket is a fault", code(404, "NoSuchBucket"), get, nil, 1},
		{"forbidden is not missing", code(403, "AccessDenied"), get, nil, 1},
		{"refused if absent", code(412, "PreconditionFailed"), put(zone.Condition{IfAbsent: true}), zone.ErrCondition, 1},
		{"refused if match", code(412, "PreconditionFailed"), put(zone.Condition{IfMatch: "e"}), zone.ErrCondition, 1},
		{"replaced object is gone", code(404, "NoSuchKey"), put(zone.Condition{IfMatch: "e"}), zone.ErrCondition, 1},
		{"conflict is repeated", code(409, "ConditionalRequestConflict"), put(zone.Condition{IfAbsent: true}), nil, 4},
		{"conflict of a deletion is repeated", code(409, "ConditionalRequestConflict"), func(b *cloud.Bucket) error {
			return b.Delete(ctx, "k", zone.Condition{IfMatch: "e"})
		}, nil, 4},
		{"delete of nothing", code(404, "NoSuchKey"), func(b *cloud.Bucket) error {
			if err := b.Delete(ctx, "k", zone.Condition{IfMatch: "e"}); err != nil {
				return err
			}
			return errors.New("no error, as it should be")
		}, nil, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := serve(t, test.answer)
			client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true; o.RetryMaxAttempts = 1 })
			err := test.call(cloud.NewBucket(client, "b"))
			if err == nil {
				t.Fatal("no error")
			}
			for _, sentinel := range []error{zone.ErrNotFound, zone.ErrCondition} {
				if want := errors.Is(test.want, sentinel); errors.Is(err, sentinel) != want {
					t.Errorf("error %v, want %v", err, test.want)
				}
			}
			if test.answer.count != test.wantRequests {
				t.Errorf("%d requests, want %d", test.answer.count, test.wantRequests)
			}
		})
	}
}

// TestCompletionOfAnUploadThatIsGone has S3 not know an upload that is to be completed, as when it was by a request whose
// answer was lost: the caller has to look at the object, as behind a refused condition.
func TestCompletionOfAnUploadThatIsGone(t *testing.T) {
	cfg := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch query := r.URL.Query(); {
		case query.Has("uploads"):
			io.WriteString(w, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>") //nolint:errcheck // the client sees it
		case query.Has("partNumber"):
			w.Header().Set("ETag", `"e"`)
		default:
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, "<Error><Code>NoSuchUpload</Code><Message>m</Message></Error>") //nolint:errcheck // the client sees it
		}
	}))
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true; o.RetryMaxAttempts = 1 })
	upload := cloud.NewBucket(client, "b").Upload(t.Context(), "k", zone.PutOptions{})
	if _, err := upload.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := upload.Flush(); err != nil {
		t.Fatal(err)
	}
	_, err := upload.Complete(t.Context(), zone.Condition{IfAbsent: true})
	if !errors.Is(err, zone.ErrCondition) || errors.Is(err, zone.ErrNotFound) || !strings.Contains(err.Error(), "NoSuchUpload") {
		t.Errorf("error %v", err)
	}
	if err := upload.Abort(t.Context()); err != nil {
		t.Errorf("abort: %v", err)
	}
}

func TestTopic(t *testing.T) {
	answer := &answers{status: 200, body: "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"}
	topic := cloud.NewTopic(sns.NewFromConfig(serve(t, answer)), "arn:aws:sns:eu-central-1:1:alerts")
	err := topic.Publish(t.Context(), zone.Message{Subject: "s", Body: "b", Attributes: map[string]string{"severity": "info"}})
	if err != nil {
		t.Fatal(err)
	}
	form, err := url.ParseQuery(answer.form)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"Action": {"Publish"}, "Version": {"2010-03-31"}, "TopicArn": {"arn:aws:sns:eu-central-1:1:alerts"}, "Subject": {"s"}, "Message": {"b"},
		"MessageAttributes.entry.1.Name": {"severity"}, "MessageAttributes.entry.1.Value.DataType": {"String"},
		"MessageAttributes.entry.1.Value.StringValue": {"info"},
	}
	if diff := cmp.Diff(want, form); diff != "" {
		t.Error(diff)
	}
	answer.status, answer.body = 404, "<ErrorResponse><Error><Code>NotFound</Code></Error></ErrorResponse>"
	if err := topic.Publish(t.Context(), zone.Message{Subject: "s", Body: "b"}); err == nil || !strings.Contains(err.Error(), "publish to arn:aws:sns") {
		t.Errorf("error %v", err)
	}
}

func TestSecrets(t *testing.T) {
	object := func(members map[string]any) string {
		data, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	tests := []struct {
		name      string
		answer    answers
		want      string
		wantError string
		notFound  bool
	}{
		{"text", answers{status: 200, body: object(map[string]any{"SecretString": "s3cret"})}, "s3cret", "", false},
		{"bytes", answers{status: 200, body: object(map[string]any{"SecretBinary": "AAAA"})}, "", "holds bytes", false},
		{"missing", answers{status: 400, body: object(map[string]any{"__type": "ResourceNotFoundException"})}, "", "get secret key", true},
		{"denied", answers{status: 400, body: object(map[string]any{"__type": "AccessDeniedException"})}, "", "get secret key", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := cloud.NewSecrets(secretsmanager.NewFromConfig(serve(t, &test.answer))).Get(t.Context(), "key")
			if got != test.want || (err == nil) != (test.wantError == "") || err != nil && !strings.Contains(err.Error(), test.wantError) {
				t.Errorf("got %q, %v", got, err)
			}
			if errors.Is(err, zone.ErrNotFound) != test.notFound {
				t.Errorf("not found is %v: %v", !test.notFound, err)
			}
		})
	}
}
