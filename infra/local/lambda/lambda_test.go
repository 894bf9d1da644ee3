package lambda_test

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	runtime "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/lambda"
)

// TestMain makes the test binary serve as the functions' bootstrap.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		if os.Getenv("LONELY_HOST") != "" {
			lonelyHost()
		}
		code := m.Run()
		if path, err := bootstrap(); err == nil {
			_ = os.RemoveAll(filepath.Dir(path)) // a temporary directory
		}
		os.Exit(code)
	}
	switch os.Getenv("AT_START") {
	case "exit":
		fmt.Println("cannot start")
		os.Exit(3)
	case "report":
		report()
	}
	runtime.Start(handle)
}

// report tells the Runtime API why the function cannot start.
func report() {
	url := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/init/error"
	answer, err := http.Post(url, "application/json", strings.NewReader(`{"errorMessage":"no settings"}`))
	if err == nil {
		answer.Body.Close()
	}
	os.Exit(1)
}

// event tells the function what to do.
type event struct {
	Do   string
	Path string
}

func handle(ctx context.Context, payload json.RawMessage) (any, error) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	switch e.Do {
	case "echo":
		return payload, nil
	case "hear":
		return nil, os.WriteFile(os.Getenv("HEARD"), payload, 0o600)
	case "fail":
		return nil, errors.New("it failed")
	case "panic":
		panic("it panicked")
	case "exit":
		fmt.Println("leaving")
		os.Exit(7)
	case "hang":
		if e.Path != "" {
			child := exec.CommandContext(ctx, "sleep", "600")
			if err := child.Start(); err != nil {
				return nil, err
			}
			if err := os.WriteFile(e.Path, []byte(strconv.Itoa(child.Process.Pid)), 0o600); err != nil {
				return nil, err
			}
		}
		select {}
	case "meet": // waits until another invocation has met it: both run at once, in other processes
		conn, err := os.OpenFile(e.Path, os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		_, err = conn.Write([]byte("x"))
		return os.Getpid(), err
	case "log":
		for i := range 500 {
			fmt.Println("out", i)
			fmt.Fprint(os.Stderr, "err ", i, "\n")
		}
		fmt.Print("no end of line")
	}
	return map[string]any{"pid": os.Getpid(), "request": lc.AwsRequestID, "arn": lc.InvokedFunctionArn, "seconds": int(time.Until(deadline).Round(time.Second).Seconds())}, nil
}

var bootstrap = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tributary-test-")
	if err != nil {
		return "", err
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	body, err := os.ReadFile(self)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "function.zip")
	return path, pack(path, "bootstrap", 0o755, body)
})

func pack(path, name string, mode os.FileMode, body []byte) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	z := zip.NewWriter(out)
	header := &zip.FileHeader{Name: name}
	header.SetMode(mode)
	w, err := z.CreateHeader(header)
	if err == nil {
		_, err = w.Write(body)
	}
	return errors.Join(err, z.Close(), out.Close())
}

type trial struct {
	*lambda.Host

	happened chan lambda.Event // the first hundred

	mu      sync.Mutex
	events  []lambda.Event
	lines   []string
	records []string
	delays  []time.Duration
	refuse  error // of the destination
}

func newTrial(t *testing.T) *trial {
	t.Helper()
	r := &trial{happened: make(chan lambda.Event, 100)}
	host, err := lambda.NewHost(lambda.Options{
		Variables: func(lambda.Function) ([]string, error) { return []string{"AWS_REGION=eu-west-3"}, nil },
		Log: func(_ lambda.Function, id, line string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.lines = append(r.lines, id+" "+line)
		},
		Observe: func(e lambda.Event) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.events = append(r.events, e)
			select {
			case r.happened <- e:
			default:
			}
		},
		Deliver: func(_ context.Context, _ lambda.Function, record []byte) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.records = append(r.records, string(record))
			return r.refuse
		},
		RetryDelay: func(retry int) time.Duration { return time.Duration(retry) * time.Minute },
		Sleep: func(_ context.Context, d time.Duration) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.delays = append(r.delays, d)
			return nil
		},
		Now: time.Now, Concurrency: 4,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *trial) deploy(t *testing.T, change func(*lambda.Function)) {
	t.Helper()
	path, err := bootstrap()
	if err != nil {
		t.Fatal(err)
	}
	f := lambda.Function{Name: "f", ARN: "arn:aws:lambda:eu-west-3:000000000000:function:f", Zip: path, Handler: "bootstrap", Memory: 128, Timeout: 20 * time.Second,
		Async: lambda.Async{Retries: 2, OnFailure: "queue"}}
	if change != nil {
		change(&f)
	}
	if err := r.Put(f); err != nil {
		t.Fatal(err)
	}
}

func (r *trial) invoke(t *testing.T, payload string) lambda.Result {
	t.Helper()
	result, err := r.Invoke(t.Context(), "f", []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (r *trial) kinds() []lambda.Kind {
	r.mu.Lock()
	defer r.mu.Unlock()
	var kinds []lambda.Kind
	for _, e := range r.events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func TestAWarmProcessServesTheNextInvocation(t *testing.T) {
	r := newTrial(t)
	r.deploy(t, nil)
	first, second := r.invoke(t, `{}`), r.invoke(t, `{}`)
	var one, two struct {
		PID     int
		Request string
		ARN     string
		Seconds int
	}
	if err := errors.Join(json.Unmarshal(first.Payload, &one), json.Unmarshal(second.Payload, &two)); err != nil {
		t.Fatal(err)
	}
	if one.PID != two.PID || one.Request != first.RequestID || two.Request != second.RequestID || one.Request == two.Request {
		t.Errorf("%+v, %+v", one, two)
	}
	if one.ARN != "arn:aws:lambda:eu-west-3:000000000000:function:f" || one.Seconds != 20 {
		t.Errorf("function %s, time %d s", one.ARN, one.Seconds)
	}
	if first.Init <= 0 || second.Init != 0 {
		t.Errorf("init %s, then %s", first.Init, second.Init)
	}
}

func TestResultsOfAnAttempt(t *testing.T) {
	for _, test := range []struct {
		name, payload string
		change        func(*lambda.Function)
		want          string // in the payload; "" for success
	}{
		{"success", `{}`, nil, ""},
		{"error", `{"Do":"fail"}`, nil, `"errorMessage":"it failed"`},
		{"panic", `{"Do":"panic"}`, nil, `"errorMessage":"it panicked"`},
		{"exit", `{"Do":"exit"}`, nil, "Runtime.ExitError"},
		{"time-out", `{"Do":"hang"}`, func(f *lambda.Function) { f.Timeout = 50 * time.Millisecond }, "Task timed out after 0.05 seconds"},
		{"no start", `{}`, func(f *lambda.Function) { f.Environment = map[string]string{"AT_START": "exit"} }, "cannot start"},
		{"reported start", `{}`, func(f *lambda.Function) { f.Environment = map[string]string{"AT_START": "report"} }, "no settings"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newTrial(t)
			r.deploy(t, test.change)
			result := r.invoke(t, test.payload)
			if (result.Error == "") != (test.want == "") || !strings.Contains(string(result.Payload), test.want) {
				t.Errorf("error %q, payload %s", result.Error, result.Payload)
			}
			last := lambda.Failed
			if test.want == "" {
				last = lambda.Succeeded
			}
			if diff := cmp.Diff([]lambda.Kind{lambda.Started, last}, r.kinds()); diff != "" {
				t.Error(diff)
			}
			if again := r.invoke(t, `{}`); test.change == nil && again.Error != "" {
				t.Errorf("the next invocation: %s", again.Payload)
			}
		})
	}
}

func TestATimeoutKillsWhatTheProcessStarted(t *testing.T) {
	r := newTrial(t)
	r.deploy(t, func(f *lambda.Function) { f.Timeout = 2 * time.Second })
	path := filepath.Join(t.TempDir(), "pid")
	result := r.invoke(t, `{"Do":"hang","Path":"`+path+`"}`)
	if !strings.Contains(string(result.Payload), "timed out") {
		t.Fatalf("%s", result.Payload)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if !gone(t, pid) {
		t.Errorf("process %d lives", pid)
	}
}

// gone waits for a killed process that is nobody's child here to be collected.
func gone(t *testing.T, pid int) bool {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
			return true
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err == nil && strings.Contains(string(stat), ") Z ") { // dead; nobody collects it where there is no init
			return true
		}
	}
	return false
}

func TestAsynchronousFailuresAreRetriedAndDelivered(t *testing.T) {
	r := newTrial(t)
	r.deploy(t, nil)
	id, err := r.InvokeAsync("f", []byte(`{"Do":"fail"}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []lambda.Kind{lambda.Started, lambda.Failed, lambda.Retrying, lambda.Started, lambda.Failed, lambda.Retrying, lambda.Started, lambda.Failed, lambda.Exhausted}
	if diff := cmp.Diff(want, r.kinds()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]time.Duration{time.Minute, 2 * time.Minute}, r.delays); diff != "" {
		t.Error(diff)
	}
	if len(r.records) != 1 {
		t.Fatalf("%d records", len(r.records))
	}
	var record map[string]any
	if err := json.Unmarshal([]byte(r.records[0]), &record); err != nil {
		t.Fatal(err)
	}
	if _, err := time.Parse(time.RFC3339, fmt.Sprint(record["timestamp"])); err != nil {
		t.Error(err)
	}
	delete(record, "timestamp")
	type m = map[string]any
	if diff := cmp.Diff(m{
		"version": "1.0", "requestPayload": m{"Do": "fail"}, "responsePayload": m{"errorMessage": "it failed", "errorType": "errorString"},
		"requestContext":  m{"requestId": id, "functionArn": "arn:aws:lambda:eu-west-3:000000000000:function:f:$LATEST", "condition": "RetriesExhausted", "approximateInvokeCount": 3.0},
		"responseContext": m{"statusCode": 200.0, "executedVersion": "$LATEST", "functionError": "Unhandled"},
	}, record); diff != "" {
		t.Error(diff)
	}
}

func TestARefusedRecordIsTold(t *testing.T) {
	r := newTrial(t)
	r.refuse = errors.New("access denied")
	r.deploy(t, func(f *lambda.Function) { f.Async.Retries = 0 })
	if _, err := r.InvokeAsync("f", []byte(`{"Do":"fail"}`)); err != nil {
		t.Fatal(err)
	}
	if err := r.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]lambda.Kind{lambda.Started, lambda.Failed, lambda.Exhausted, lambda.Undelivered}, r.kinds()); diff != "" {
		t.Error(diff)
	}
}

func TestBusyProcessesGetCompany(t *testing.T) {
	r := newTrial(t)
	r.deploy(t, nil)
	path := filepath.Join(t.TempDir(), "meet")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	hold, err := os.OpenFile(path, os.O_RDWR, 0) // keeps what is written until it is read here
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	results := make(chan lambda.Result, 3)
	for range 3 {
		go func() {
			result, err := r.Invoke(t.Context(), "f", []byte(`{"Do":"meet","Path":"`+path+`"}`))
			if err != nil {
				t.Error(err)
			}
			results <- result
		}()
	}
	if _, err := io.ReadFull(hold, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if result := <-results; result.Error != "" {
			t.Errorf("%s", result.Payload)
		}
	}
}

func TestReservedConcurrency(t *testing.T) {
	none, one := 0, 1
	t.Run("used up", func(t *testing.T) {
		r := newTrial(t)
		r.deploy(t, func(f *lambda.Function) { f.Reserved = &one })
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan error)
		go func() {
			_, err := r.Invoke(ctx, "f", []byte(`{"Do":"hang"}`))
			first <- err
		}()
		if e := <-r.happened; e.Kind != lambda.Started { // it holds its slot
			t.Fatalf("first %+v", e)
		}
		if _, err := r.Invoke(t.Context(), "f", nil); !errors.Is(err, lambda.ErrThrottled) {
			t.Errorf("second call: %v", err)
		}
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("first call: %v", err)
		}
		if result := r.invoke(t, `{}`); result.Error != "" {
			t.Errorf("%s", result.Payload)
		}
	})
	t.Run("zero sends events to the destination", func(t *testing.T) {
		r := newTrial(t)
		r.deploy(t, func(f *lambda.Function) { f.Reserved = &none })
		if _, err := r.InvokeAsync("f", []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
		if err := r.Quiet(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(r.records) != 1 || !strings.Contains(r.records[0], `"approximateInvokeCount":0`) || strings.Contains(r.records[0], "responsePayload") {
			t.Errorf("records %q", r.records)
		}
	})
}

func TestTheLogIsCompleteWhenTheInvocationEnds(t *testing.T) {
	r := newTrial(t)
	r.deploy(t, nil)
	for range 5 {
		r.lines = nil
		result := r.invoke(t, `{"Do":"log"}`)
		if len(r.lines) != 1001 || r.lines[1000] != result.RequestID+" no end of line" || r.lines[0] != result.RequestID+" out 0" {
			t.Fatalf("%d lines, the last %q", len(r.lines), r.lines[len(r.lines)-1])
		}
		if !strings.HasSuffix(result.Log, "err 499\nno end of line") {
			t.Errorf("tail %q", result.Log)
		}
	}
}

func TestAReplacedFunctionGetsNewProcesses(t *testing.T) {
	r := newTrial(t)
	r.deploy(t, nil)
	before := r.invoke(t, `{}`)
	r.deploy(t, nil)
	after := r.invoke(t, `{}`)
	if string(before.Payload) == string(after.Payload) || after.Init == 0 {
		t.Errorf("%s, then %s", before.Payload, after.Payload)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	r := newTrial(t)
	r.deploy(t, nil)
	var running struct{ PID int }
	if err := json.Unmarshal(r.invoke(t, `{}`).Payload, &running); err != nil {
		t.Fatal(err)
	}
	if _, err := r.InvokeAsync("f", []byte(`{"Do":"hang"}`)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(running.PID, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d: %v", running.PID, err)
	}
	if _, err := r.Invoke(t.Context(), "f", nil); err == nil {
		t.Error("invoked after the end")
	}
}

// lonelyHost runs a function, tells its process's id and waits to be killed.
func lonelyHost() {
	host, err := lambda.NewHost(lambda.Options{
		Variables: func(lambda.Function) ([]string, error) { return nil, nil },
		Log:       func(lambda.Function, string, string) {}, Observe: func(lambda.Event) {}, Now: time.Now, Concurrency: 1,
	})
	if err == nil {
		err = host.Put(lambda.Function{Name: "f", Zip: os.Getenv("LONELY_HOST"), Memory: 128, Timeout: time.Minute})
	}
	if err == nil {
		var result lambda.Result
		result, err = host.Invoke(context.Background(), "f", nil)
		fmt.Printf("%s\n", result.Payload)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	select {}
}

func TestProcessesDieWithAKilledHost(t *testing.T) {
	path, err := bootstrap()
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "LONELY_HOST="+path, "TMPDIR="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var running struct{ PID int }
	decodeErr := json.NewDecoder(out).Decode(&running)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if decodeErr != nil || running.PID == 0 {
		t.Fatalf("process %d: %v", running.PID, decodeErr)
	}
	if !gone(t, running.PID) {
		t.Errorf("process %d lives", running.PID)
	}
}

func TestPutRefuses(t *testing.T) {
	dir := t.TempDir()
	plain, missing := filepath.Join(dir, "plain.zip"), filepath.Join(dir, "missing.zip")
	if err := errors.Join(pack(plain, "bootstrap", 0o644, nil), pack(missing, "main", 0o755, nil)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		change func(*lambda.Function)
		want   string
	}{
		{"no package", func(f *lambda.Function) { f.Zip = filepath.Join(dir, "none.zip") }, "open deployment package"},
		{"not executable", func(f *lambda.Function) { f.Zip = plain }, "bootstrap is not executable"},
		{"no bootstrap", func(f *lambda.Function) { f.Zip = missing }, "no bootstrap at its root"},
		{"reserved variable", func(f *lambda.Function) { f.Environment = map[string]string{"AWS_REGION": "x"} }, "environment variable AWS_REGION is reserved"},
		{"large environment", func(f *lambda.Function) { f.Environment = map[string]string{"X": strings.Repeat("x", 4096)} }, "more than 4096"},
		{"timeout", func(f *lambda.Function) { f.Timeout = 16 * time.Minute }, "timeout 16m0s"},
		{"memory", func(f *lambda.Function) { f.Memory = 64 }, "memory 64 MB"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newTrial(t)
			path, err := bootstrap()
			if err != nil {
				t.Fatal(err)
			}
			f := lambda.Function{Name: "f", Zip: path, Memory: 128, Timeout: time.Second}
			test.change(&f)
			if err := r.Put(f); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}
