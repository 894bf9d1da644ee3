package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"tributary/shared/settings"
)

// function is a process of a function, with a Runtime API of its own.
type function struct {
	cmd    *exec.Cmd
	server *http.Server
	cancel context.CancelFunc
	began  time.Time
	ended  chan struct{} // closed behind fault
	fault  error         // what it ended with

	asked   chan time.Time // for each call for work
	events  chan []byte
	answers chan answer
}

// answer is what a function said to an event.
type answer struct {
	body   []byte
	failed bool
}

const (
	buckets       = "bench-" // and raw, lake, rejects
	servingTable  = "bench-coins"
	invocationEnd = time.Hour // longer than Lambda's, for slow machines
)

// startFunction starts a function as Lambda does, for the buckets and the table of this package. Variables are added to
// its environment.
func startFunction(ctx context.Context, path, contract string, variables ...string) (*function, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen as Runtime API: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	f := &function{
		cmd: exec.CommandContext(ctx, path), cancel: cancel, ended: make(chan struct{}),
		asked: make(chan time.Time, 2), events: make(chan []byte), answers: make(chan answer, 1),
	}
	f.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: f.runtimeAPI()}
	go f.server.Serve(listener) //nolint:errcheck // it ends with Close
	f.cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(), "AWS_REGION=eu-central-1",
		"AWS_ACCESS_KEY_ID=none", "AWS_SECRET_ACCESS_KEY=none",
		settings.Environment + "=bench", settings.Stack + "=bench", settings.Contract + "=" + contract,
		settings.RawBucket + "=" + buckets + "raw", settings.LakeBucket + "=" + buckets + "lake", settings.RejectsBucket + "=" + buckets + "rejects",
		settings.ServingTable + "=" + servingTable, settings.AlertTopic + "=arn:aws:sns:eu-central-1:123456789012:alerts",
	}, variables...)
	f.cmd.Stderr = os.Stderr
	f.began = time.Now()
	if err := f.cmd.Start(); err != nil {
		cancel()
		return nil, errors.Join(fmt.Errorf("start function: %w", err), f.server.Close())
	}
	go func() {
		if f.fault = f.cmd.Wait(); f.fault == nil {
			f.fault = errors.New("of its own accord")
		}
		close(f.ended)
	}()
	return f, nil
}

// runtimeAPI is the part of Lambda's Runtime API that a function without extensions calls.
func (f *function) runtimeAPI() http.Handler {
	const base = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"invocation/next", func(w http.ResponseWriter, r *http.Request) {
		f.asked <- time.Now()
		select {
		case event := <-f.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "bench")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(invocationEnd).UnixMilli(), 10))
			_, _ = w.Write(event) // a function that has gone is seen by its end
		case <-r.Context().Done():
		}
	})
	take := func(failed bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				body, failed = []byte("read answer: "+err.Error()), true
			}
			f.answers <- answer{body, failed}
			w.WriteHeader(http.StatusAccepted)
		}
	}
	mux.HandleFunc("POST "+base+"invocation/bench/response", take(false))
	mux.HandleFunc("POST "+base+"invocation/bench/error", take(true))
	return mux
}

// idle waits until the function calls for work, and tells when that was.
func (f *function) idle(ctx context.Context) (time.Time, error) {
	select {
	case at := <-f.asked:
		return at, nil
	case <-f.ended:
		return time.Time{}, fmt.Errorf("wait for the function's call for work: it ended: %w", f.fault)
	case <-ctx.Done():
		return time.Time{}, fmt.Errorf("wait for the function's call for work: %w", ctx.Err())
	}
}

// invoke gives an idle function an event and waits for its answer.
func (f *function) invoke(ctx context.Context, event []byte) ([]byte, error) {
	select {
	case f.events <- event:
	case <-f.ended:
		return nil, fmt.Errorf("invoke function: it ended: %w", f.fault)
	}
	select {
	case a := <-f.answers:
		if a.failed {
			return nil, fmt.Errorf("invoke function: it failed: %s", strings.TrimSpace(string(a.body)))
		}
		return a.body, nil
	case <-f.ended:
		return nil, fmt.Errorf("invoke function: it ended: %w", f.fault)
	case <-ctx.Done():
		return nil, fmt.Errorf("invoke function: %w", ctx.Err())
	}
}

// stop ends the process.
func (f *function) stop() {
	f.cancel()
	<-f.ended
	_ = f.server.Close() // nothing is left to answer
}
