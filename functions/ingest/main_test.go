package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"tributary/shared/ingest"
)

// asFunction makes the test binary run main, so that a test can start the function as Lambda does.
const asFunction = "TRIBUTARY_TEST_AS_FUNCTION"

func TestMain(m *testing.M) {
	if os.Getenv(asFunction) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

const contractPath = "../../shared/datasets/coin_markets.odcs.yaml"

// start runs the function as a process with exactly this environment.
func start(t *testing.T, env map[string]string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = []string{asFunction + "=1"}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, stdout, stderr
}

// await is the function's first outcome. The process is ended then.
func await(t *testing.T, cmd *exec.Cmd, outcomes <-chan outcome) outcome {
	t.Helper()
	exited := make(chan string, 1)
	go func() { exited <- fmt.Sprint(cmd.Wait()) }()
	select {
	case said := <-outcomes:
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-exited
		return said
	case state := <-exited:
		t.Fatalf("the function ended: %s\n%s%s", state, cmd.Stdout, cmd.Stderr)
		return outcome{}
	}
}

// outcome is what the function told the Runtime API.
type outcome struct {
	kind string // response, error or init
	body string
}

// runtimeAPI hands out one event and then holds the next call.
func runtimeAPI(t *testing.T, event []byte) (address string, outcomes <-chan outcome) {
	t.Helper()
	said := make(chan outcome, 1)
	done := make(chan struct{})
	handed := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := strings.CutPrefix(r.URL.Path, "/2018-06-01/runtime/")
		switch {
		case ok && path == "invocation/next" && !handed:
			handed = true
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "8f1c")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
			_, _ = w.Write(event)
		case ok && path == "invocation/next":
			select {
			case <-done:
			case <-r.Context().Done():
			}
		case ok && (path == "invocation/8f1c/response" || path == "invocation/8f1c/error" || path == "init/error"):
			body, _ := io.ReadAll(r.Body)
			parts := strings.Split(path, "/")
			said <- outcome{parts[len(parts)-1], string(body)}
			w.WriteHeader(http.StatusAccepted)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(func() { close(done); server.Close() })
	return strings.TrimPrefix(server.URL, "http://"), said
}

// secretsManager knows one secret.
func secretsManager(t *testing.T, name, value string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			ID string `json:"SecretId"`
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.ID != name {
			w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"ResourceNotFoundException"}`)
			return
		}
		fmt.Fprintf(w, `{"Name":%q,"SecretString":%q}`, name, value)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// buckets is an embedded S3 with empty buckets.
func buckets(t *testing.T, names ...string) (endpoint string, client *s3.Client) {
	t.Helper()
	server := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
	t.Cleanup(server.Close)
	client = s3.New(s3.Options{
		BaseEndpoint: &server.URL, Region: "eu-central-1", UsePathStyle: true,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
	for _, name := range names {
		if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
			t.Fatal(err)
		}
	}
	return server.URL, client
}

func TestFunctionIngestsARun(t *testing.T) {
	const apiKey = "demo-key-1234"
	var mu sync.Mutex
	var asked []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.RawQuery+" "+r.Header.Get("X-Cg-Demo-Api-Key"))
		if r.URL.Query().Get("page") == "1" {
			_, _ = io.WriteString(w, `[{"id":"bitcoin"},{"id":"ethereum"}]`)
			return
		}
		_, _ = io.WriteString(w, `[]`)
	}))
	defer api.Close()
	event, err := os.ReadFile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	address, outcomes := runtimeAPI(t, event)
	endpoint, client := buckets(t, "tributary-test-raw", "tributary-test-lake")

	cmd, stdout, stderr := start(t, map[string]string{
		"AWS_LAMBDA_RUNTIME_API":           address,
		"AWS_REGION":                       "eu-central-1",
		"AWS_ACCESS_KEY_ID":                "test",
		"AWS_SECRET_ACCESS_KEY":            "test",
		"AWS_ENDPOINT_URL_S3":              endpoint,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": secretsManager(t, "tributary/test/coingecko", apiKey),
		"TRIBUTARY_ENVIRONMENT":            "test",
		"TRIBUTARY_RAW_BUCKET":             "tributary-test-raw",
		"TRIBUTARY_LAKE_BUCKET":            "tributary-test-lake",
		"TRIBUTARY_PROCESS_FUNCTION":       "tributary-test-process",
		"TRIBUTARY_SOURCE_URL":             api.URL + "/coins/markets",
		"TRIBUTARY_SOURCE_SECRET":          "tributary/test/coingecko",
		"TRIBUTARY_CONTRACT":               contractPath,
	})
	said := await(t, cmd, outcomes)
	if said.kind != "response" {
		t.Fatalf("the function answered with %s %s\n%s%s", said.kind, said.body, stdout, stderr)
	}
	var response ingest.Response
	if err := json.Unmarshal([]byte(said.body), &response); err != nil {
		t.Fatal(err)
	}
	want := ingest.Response{
		Dataset: "coin_markets", Run: "20250304T144500Z", Stored: true, Ended: "complete", Pages: 2, Records: 2,
		Manifest: "raw/coin_markets/dt=2025-03-04/run=20250304T144500Z/manifest.json",
	}
	if diff := cmp.Diff(want, response); diff != "" {
		t.Errorf("response (-want +got):\n%s", diff)
	}
	wantAsked := []string{
		"order=market_cap_desc&page=1&per_page=250&vs_currency=usd " + apiKey,
		"order=market_cap_desc&page=2&per_page=250&vs_currency=usd " + apiKey,
	}
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff(wantAsked, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	listed, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("tributary-test-raw")})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, object := range listed.Contents {
		keys = append(keys, *object.Key)
	}
	wantKeys := []string{
		"raw/coin_markets/dt=2025-03-04/run=20250304T144500Z/manifest.json",
		"raw/coin_markets/dt=2025-03-04/run=20250304T144500Z/page-00001.json.gz",
		"raw/coin_markets/dt=2025-03-04/run=20250304T144500Z/page-00002.json.gz",
	}
	if diff := cmp.Diff(wantKeys, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for _, output := range []string{stdout.String(), stderr.String(), said.body} {
		if strings.Contains(output, apiKey) {
			t.Errorf("the key shows in %q", output)
		}
	}
	if lines := strings.Count(stdout.String(), "\n"); lines != 3 || !strings.Contains(stdout.String(), `"requestId":"8f1c"`) {
		t.Errorf("output:\n%s", stdout)
	}
}

func TestFunctionReturnsTheFault(t *testing.T) {
	api := httptest.NewServer(http.NotFoundHandler())
	defer api.Close()
	address, outcomes := runtimeAPI(t, []byte(`{"dataset":"coin_markets","scheduledAt":"2025-03-04T14:45:00Z"}`))
	endpoint, _ := buckets(t, "tributary-test-raw", "tributary-test-lake")
	cmd, _, _ := start(t, map[string]string{
		"AWS_LAMBDA_RUNTIME_API":           address,
		"AWS_REGION":                       "eu-central-1",
		"AWS_ACCESS_KEY_ID":                "test",
		"AWS_SECRET_ACCESS_KEY":            "test",
		"AWS_ENDPOINT_URL_S3":              endpoint,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": secretsManager(t, "another", ""),
		"TRIBUTARY_ENVIRONMENT":            "test",
		"TRIBUTARY_RAW_BUCKET":             "tributary-test-raw",
		"TRIBUTARY_LAKE_BUCKET":            "tributary-test-lake",
		"TRIBUTARY_PROCESS_FUNCTION":       "tributary-test-process",
		"TRIBUTARY_SOURCE_URL":             api.URL,
		"TRIBUTARY_CONTRACT":               contractPath,
	})
	said := await(t, cmd, outcomes)
	var fault struct{ ErrorMessage string }
	if err := json.Unmarshal([]byte(said.body), &fault); err != nil {
		t.Fatal(err)
	}
	want := "ingest run 20250304T144500Z of coin_markets: fetch coin_markets: GET " + api.URL +
		`?order=market_cap_desc&page=1&per_page=250&vs_currency=usd: attempt 1: rejected: status 404 Not Found: "404 page not found\n"`
	if diff := cmp.Diff(want, fault.ErrorMessage); diff != "" || said.kind != "error" {
		t.Errorf("%s (-want +got):\n%s", said.kind, diff)
	}
}

func TestRunReportsEverythingThatIsMissing(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		want []string
	}{
		{"settings", map[string]string{}, []string{"TRIBUTARY_ENVIRONMENT is not set", "TRIBUTARY_RAW_BUCKET is not set"}},
		{"contract", map[string]string{
			"TRIBUTARY_ENVIRONMENT": "test", "TRIBUTARY_RAW_BUCKET": "raw", "TRIBUTARY_LAKE_BUCKET": "lake",
			"TRIBUTARY_PROCESS_FUNCTION": "process", "LAMBDA_TASK_ROOT": "/nowhere",
		}, []string{"/nowhere/contract.odcs.yaml"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := run(t.Context(), func(name string) string { return test.env[name] })
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
		})
	}
}

func TestProcessFailsAtStart(t *testing.T) {
	cmd, _, stderr := start(t, nil)
	if err := cmd.Wait(); err == nil {
		t.Error("the function started without settings")
	}
	if !strings.HasPrefix(stderr.String(), "ingest: load settings of ingest: TRIBUTARY_ENVIRONMENT is not set") {
		t.Errorf("output %q", stderr)
	}
}
