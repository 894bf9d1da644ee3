package bench

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"tributary/shared/process"
	"tributary/shared/settings"
	"tributary/shared/zone"
)

// TestMain lets the test binary be the function that is measured.
func TestMain(m *testing.M) {
	if api := os.Getenv("AWS_LAMBDA_RUNTIME_API"); api != "" {
		os.Exit(behave(api))
	}
	os.Exit(m.Run())
}

// behave is a function that answers events with themselves, and "fail" and "exit" as they say. With a broken contract it
// ends at once.
func behave(api string) int {
	if os.Getenv(settings.Contract) == "broken" {
		return 3
	}
	base := "http://" + api + "/2018-06-01/runtime/invocation/"
	for {
		response, err := http.Get(base + "next")
		if err != nil {
			return 0
		}
		event, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			return 0
		}
		verb := "/response"
		switch string(event) {
		case "exit":
			return 4
		case "fail":
			verb = "/error"
		}
		answer, err := http.Post(base+response.Header.Get("Lambda-Runtime-Aws-Request-Id")+verb, "", bytes.NewReader(event))
		if err != nil {
			return 0
		}
		answer.Body.Close()
	}
}

func TestColdStartIsTheTimeToTheFirstCall(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	took, err := coldStart(t.Context(), self, "any")
	if err != nil || took <= 0 || took > time.Since(before) {
		t.Errorf("took %s of %s, %v", took, time.Since(before), err)
	}
	if _, err := coldStart(t.Context(), self, "broken"); err == nil || !strings.Contains(err.Error(), "it ended: exit status 3") {
		t.Errorf("a function that ends: %v", err)
	}
	if _, err := coldStart(t.Context(), self+"-none", "any"); err == nil {
		t.Error("a function that is not there starts")
	}
}

func TestFunctionAnswers(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ event, want, fault string }{
		{"hello", "hello", ""},
		{"fail", "", "it failed: fail"},
		{"exit", "", "it ended: exit status 4"},
	} {
		t.Run(tt.event, func(t *testing.T) {
			f, err := startFunction(t.Context(), self, "any")
			if err != nil {
				t.Fatal(err)
			}
			defer f.stop()
			if _, err := f.idle(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, err := f.invoke(t.Context(), []byte(tt.event))
			if string(got) != tt.want || (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("answer %q, %v; want %q, %q", got, err, tt.want, tt.fault)
			}
		})
	}
}

func TestProcessedHoldsTheAnswerAgainstTheRun(t *testing.T) {
	for _, tt := range []struct {
		name   string
		result process.Result
		puts   int64
		ok     bool
	}{
		{"whole", process.Result{Records: 5, Clean: 5, Items: 5}, 5, true},
		{"rejects", process.Result{Records: 5, Clean: 4, Rejected: 1, Items: 4}, 4, false},
		{"items not put", process.Result{Records: 5, Clean: 5, Items: 5}, 4, false},
		{"skipped", process.Result{Status: process.StatusSkipped}, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer, err := json.Marshal([]process.Result{tt.result})
			if err != nil {
				t.Fatal(err)
			}
			if err := processed(answer, 5, tt.puts); (err == nil) != tt.ok {
				t.Errorf("error %v", err)
			}
		})
	}
	if err := processed([]byte("nothing"), 5, 5); err == nil {
		t.Error("an answer that is no JSON passes")
	}
}

func TestServicesHoldARunAndTakeItems(t *testing.T) {
	aws, err := newServices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer aws.close() //nolint:errcheck // nothing is left to answer
	s := &session{Options: Options{Progress: io.Discard}}
	run := zone.NewRun("coin_markets", time.Date(2025, 3, 4, 14, 0, 0, 0, time.UTC))
	size, records, err := s.storeRun(aws, run, 1)
	if err != nil || records != pageRecords || size < 500*pageRecords {
		t.Fatalf("%d bytes, %d records, %v", size, records, err)
	}
	get := func(key string) []byte {
		response, err := http.Get(aws.urls[0] + "/" + buckets + "raw/" + key)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("get %s: %s, %v", key, response.Status, err)
		}
		return body
	}
	var m zone.Manifest
	if err := json.Unmarshal(get(run.ManifestKey()), &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Pages) != 1 || m.Records != records || m.Pages[0].Records != records {
		t.Fatalf("manifest %+v", m)
	}
	page := get(m.Pages[0].Key)
	if sum := sha256.Sum256(page); m.Pages[0].SHA256 != hex.EncodeToString(sum[:]) || m.Pages[0].Bytes != int64(len(page)) {
		t.Errorf("the page has %d bytes, and other ones than its manifest says", len(page))
	}

	ask := func(target string) int {
		request, err := http.NewRequest(http.MethodPost, aws.urls[1], strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+target)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	if put, other := ask("PutItem"), ask("GetItem"); put != http.StatusOK || other != http.StatusBadRequest || aws.items.Load() != 1 {
		t.Errorf("PutItem %d, GetItem %d, %d items", put, other, aws.items.Load())
	}
}
