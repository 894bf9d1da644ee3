package remote_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"tributary/infra/local/remote"
	"tributary/infra/local/s3"
)

const account = "000000000000"

func open(t *testing.T, h http.Handler) *remote.Endpoint {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	e, err := remote.Open(server.URL, account)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.In("eu-central-1"); err != nil {
		t.Fatal(err)
	}
	return e
}

// A request is passed on as it is, but for who signs it: nobody's credentials leave the environment.
func TestRequestsArePassedOn(t *testing.T) {
	var got *http.Request
	var body []byte
	e := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("X-Amz-Version-Id", "v1")
		w.WriteHeader(http.StatusPreconditionFailed)
		_, _ = io.WriteString(w, "<Error>no</Error>")
	}))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "http://127.0.0.1:1/bucket/a%20key?partNumber=1", strings.NewReader("text"))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=ASIAROLE/20250304/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=0")
	r.Header.Set("X-Amz-Security-Token", "a-token")
	r.Header.Set("If-Match", `"e"`)
	w := httptest.NewRecorder()
	e.Service("s3").ServeHTTP(w, r)

	if w.Code != http.StatusPreconditionFailed || w.Header().Get("X-Amz-Version-Id") != "v1" || w.Body.String() != "<Error>no</Error>" {
		t.Errorf("answer %d %v %s", w.Code, w.Header(), w.Body)
	}
	if got.Method != http.MethodPut || got.RequestURI != "/bucket/a%20key?partNumber=1" || string(body) != "text" || got.Header.Get("If-Match") != `"e"` || got.Host != "127.0.0.1:1" {
		t.Errorf("passed on %s %s %v, host %s, %q", got.Method, got.RequestURI, got.Header, got.Host, body)
	}
	signed := got.Header.Get("Authorization")
	if !strings.Contains(signed, "Credential="+account+"/") || !strings.Contains(signed, "/eu-central-1/s3/aws4_request") || strings.Contains(signed, "ASIAROLE") {
		t.Errorf("signed %s", signed)
	}
	if token := got.Header.Get("X-Amz-Security-Token"); token != "" {
		t.Errorf("token %s is passed on", token)
	}
}

func TestOneRegion(t *testing.T) {
	e := open(t, http.NotFoundHandler())
	if err := e.In("us-east-1"); err == nil || !strings.Contains(err.Error(), "eu-central-1") {
		t.Errorf("a second region: %v", err)
	}
	if err := e.In("eu-central-1"); err != nil {
		t.Error(err)
	}
	if _, err := remote.Open("localhost", account); err == nil {
		t.Error("no URL is taken for an endpoint")
	}
}

// Buckets that are made are held, read, and gone at the end; one that was there is not touched.
func TestBuckets(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("theirs"); err != nil {
		t.Fatal(err)
	}
	e, ctx := open(t, gofakes3.New(backend).Server()), t.Context()
	if err := e.CreateBucket(ctx, "theirs", "eu-central-1"); err == nil || !strings.Contains(err.Error(), "has it already") {
		t.Errorf("a bucket that is there: %v", err)
	}
	if err := e.CreateBucket(ctx, "ours", "eu-central-1"); err != nil {
		t.Fatal(err)
	}
	if err := e.SetVersioning(ctx, "ours", "Enabled"); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"first", "second"} {
		if err := e.RestoreObject(ctx, s3.Object{Bucket: "ours", Key: "p/a b", Metadata: map[string]string{"X-Amz-Meta-Next": "2"}}, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	objects, err := e.Objects(ctx, "ours")
	if err != nil || len(objects) != 1 {
		t.Fatalf("objects %v, %v", objects, err)
	}
	o := objects[0]
	if diff := cmp.Diff([]any{"ours", "p/a b", int64(6), "second", "2", true}, []any{o.Bucket, o.Key, o.Size, string(o.Bytes()), o.Metadata["X-Amz-Meta-Next"], o.Version != ""}); diff != "" {
		t.Errorf("object (-want +got):\n%s", diff)
	}
	if _, there, err := e.Stat(ctx, "ours", "nothing", ""); there || err != nil {
		t.Errorf("an object that is not there: %t, %v", there, err)
	}
	if err := e.Close(ctx); err != nil {
		t.Error(err)
	}
	left, err := backend.ListBuckets()
	if err != nil || len(left) != 1 || left[0].Name != "theirs" {
		t.Errorf("left are %v, %v", left, err)
	}
}

// What an object's creation sets off comes before the client's answer, once, and only where the other endpoint created it.
func TestCreationIsTold(t *testing.T) {
	for _, tc := range []struct {
		name, method, path string
		status             int
		answer             string
		want               string
	}{
		{"put", http.MethodPut, "/b/k", 200, "", "Put b/k v7"},
		{"refused", http.MethodPut, "/b/k", 412, "<Error><Code>PreconditionFailed</Code></Error>", ""},
		{"completed", http.MethodPost, "/b/k?uploadId=1", 200, "<CompleteMultipartUploadResult/>", "CompleteMultipartUpload b/k v7"},
		{"completion that fails", http.MethodPost, "/b/k?uploadId=1", 200, "<Error><Code>InternalError</Code></Error>", ""},
		{"a part", http.MethodPut, "/b/k?uploadId=1&partNumber=1", 200, "", ""},
		{"read", http.MethodGet, "/b/k", 200, "text", ""},
		{"not known here", http.MethodPut, "/b/k?acl", 0, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			told, asked := "", 0
			w := httptest.NewRecorder()
			e := &s3.Elsewhere{
				Store: s3.NewStore(time.Now),
				Holder: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					asked++
					w.Header().Set("X-Amz-Version-Id", "v7")
					w.WriteHeader(tc.status)
					_, _ = io.WriteString(w, tc.answer)
				}),
				Stat: func(_ context.Context, bucket, key, version string) (s3.Object, bool, error) {
					return s3.Object{Bucket: bucket, Key: key, Version: version}, true, nil
				},
				Created: func(_ *http.Request, event s3.Event) {
					told += event.Name + " " + event.Object.Bucket + "/" + event.Object.Key + " " + event.Object.Version
					if w.Body.Len() > 0 {
						t.Error("the client has its answer already")
					}
				},
			}
			e.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), tc.method, tc.path, bytes.NewReader(nil)))
			if told != tc.want {
				t.Errorf("told %q, want %q", told, tc.want)
			}
			if tc.status == 0 {
				if w.Code != http.StatusNotImplemented || asked != 0 {
					t.Errorf("status %d, asked %d times", w.Code, asked)
				}
			} else if w.Code != tc.status || w.Body.String() != tc.answer {
				t.Errorf("answer %d %s", w.Code, w.Body)
			}
		})
	}
}
