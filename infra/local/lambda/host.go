// Package lambda is AWS Lambda on this machine: it runs deployment packages as processes that speak the Lambda Runtime
// API over HTTP, as on AWS, and sees to time-outs, concurrency, retries and failure destinations.
//
// A process is started from the package's bootstrap with its own directories, its own credentials and nothing of this
// process's environment. It serves one invocation at a time and is kept for the next; a further one is started while
// all are busy. What it writes to standard output and error is the function's log, complete when the invocation ends.
// Processes die with this one: on Linux by the kernel, elsewhere because the Runtime API is gone.
package lambda

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"tributary/infra/command"
)

// Options are what the host needs from outside.
type Options struct {
	// Variables gives the process environment that depends on the account: region, credentials, endpoint.
	Variables func(Function) ([]string, error)
	// Log receives a line that a function wrote, in order.
	Log func(f Function, requestID, line string)
	// Observe receives what happens to invocations.
	Observe func(Event)
	// Deliver sends the record of a failed asynchronous invocation to its destination.
	Deliver func(ctx context.Context, f Function, record []byte) error
	// RetryDelay is the time before the given retry, from 1, of an asynchronous invocation.
	RetryDelay func(retry int) time.Duration
	// Sleep waits, or returns the context's error.
	Sleep func(context.Context, time.Duration) error
	Now   func() time.Time
	// Concurrency limits the processes of a function without reserved concurrency.
	Concurrency int
}

// Kind of an Event.
type Kind int

// Kinds of events.
const (
	Started     Kind = iota // a process has the invocation
	Succeeded               // the function answered
	Failed                  // an attempt failed
	Retrying                // a failed attempt will be repeated
	Exhausted               // no attempt is left
	Undelivered             // the record of an exhausted invocation could not be sent to its destination
	Throttled
)

// Event tells of an invocation.
type Event struct {
	Kind      Kind
	Time      time.Time
	Function  string
	RequestID string
	Attempt   int
	Duration  time.Duration // of the attempt
	Init      time.Duration // from the start of the process to its first call for work; 0 for a warm one
	Error     string
}

// Result is the outcome of one attempt.
type Result struct {
	RequestID string
	Payload   []byte
	Error     string // Unhandled, as in the header X-Amz-Function-Error; "" when the function answered
	Duration  time.Duration
	Init      time.Duration
	Log       string // last lines
}

// ErrThrottled is returned when a function's reserved concurrency is used up.
var ErrThrottled = errors.New("rate exceeded: reserved concurrency is used up")

// ErrNoFunction is wrapped by errors for a function that does not exist.
var ErrNoFunction = errors.New("function not found")

// Host runs functions.
type Host struct {
	options  Options
	dir      folder
	server   *http.Server
	address  string
	spawner  *spawner
	lifetime context.Context //nolint:containedctx // ends all asynchronous work at Close
	end      context.CancelFunc

	mu        sync.Mutex
	pools     map[string]*pool // by function name
	sandboxes map[string]*sandbox
	pending   int
	quiet     chan struct{} // closed while nothing is pending
	work      sync.WaitGroup
	closed    bool
}

// NewHost starts the Runtime API.
func NewHost(options Options) (*Host, error) {
	dir, err := newFolder(os.TempDir(), time.Now())
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for functions: %w", err), dir.remove())
	}
	h := &Host{
		options: options, dir: dir, address: listener.Addr().String(), spawner: newSpawner(),
		pools: map[string]*pool{}, sandboxes: map[string]*sandbox{}, quiet: make(chan struct{}),
	}
	close(h.quiet)
	h.lifetime, h.end = context.WithCancel(context.Background())
	h.server = &http.Server{Handler: h.runtimeAPI(), ErrorLog: command.ServerLog(), ReadHeaderTimeout: time.Minute}
	go func() { _ = h.server.Serve(listener) }() // ends with ErrServerClosed at Close
	return h, nil
}

// Put deploys a function, or replaces it: processes of the former one finish their invocation and end.
func (h *Host) Put(f Function) error {
	if err := f.check(); err != nil {
		return fmt.Errorf("create function %s: %w", f.Name, err)
	}
	p := newPool(h, f)
	h.mu.Lock()
	former := h.pools[f.Name]
	h.pools[f.Name] = p
	h.mu.Unlock()
	if former != nil {
		former.retire()
	}
	return nil
}

// Configure changes what happens to failed asynchronous invocations of a function.
func (h *Host) Configure(name string, async Async) error {
	p, err := h.pool(name)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.function.Async = async
	return nil
}

// Function returns a deployed function.
func (h *Host) Function(name string) (Function, error) {
	p, err := h.pool(name)
	if err != nil {
		return Function{}, err
	}
	return p.current(), nil
}

func (h *Host) pool(name string) (*pool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, ok := h.pools[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, ErrNoFunction)
	}
	return p, nil
}

// noPayload is what a function gets when it is invoked with nothing.
var noPayload = []byte("{}")

// Invoke calls a function and waits for the answer.
func (h *Host) Invoke(ctx context.Context, name string, payload []byte) (Result, error) {
	p, err := h.pool(name)
	if err != nil {
		return Result{}, err
	}
	if !h.begin() {
		return Result{}, errors.New("the environment is closed")
	}
	defer h.done()
	id := requestID()
	if err := p.tryAcquire(ctx); err != nil {
		h.observe(Event{Kind: Throttled, Function: name, RequestID: id, Error: err.Error()})
		return Result{}, err
	}
	defer p.release()
	return p.run(ctx, id, payload, 1)
}

// InvokeAsync queues an invocation and returns its request id.
func (h *Host) InvokeAsync(name string, payload []byte) (string, error) {
	return h.InvokeLater(name, payload, 0)
}

// InvokeLater queues an invocation whose event arrives after a while.
func (h *Host) InvokeLater(name string, payload []byte, delay time.Duration) (string, error) {
	p, err := h.pool(name)
	if err != nil {
		return "", err
	}
	if !h.begin() {
		return "", errors.New("the environment is closed")
	}
	id := requestID()
	go func() {
		defer h.done()
		if delay > 0 && h.options.Sleep(h.lifetime, delay) != nil {
			return // closing
		}
		h.async(p, id, payload)
	}()
	return id, nil
}

// async attempts an invocation until it succeeds or its retries are used up, then tells the destination.
func (h *Host) async(p *pool, id string, payload []byte) {
	ctx, f := h.lifetime, p.current()
	var last Result
	attempts := 0
	if f.Reserved == nil || *f.Reserved > 0 {
		for {
			if err := p.acquire(ctx); err != nil {
				return // closing
			}
			attempts++
			result, err := p.run(ctx, id, payload, attempts)
			p.release()
			if err != nil {
				return // closing
			}
			last = result
			if last.Error == "" {
				return
			}
			if f = p.current(); attempts > f.Async.Retries {
				break
			}
			h.observe(Event{Kind: Retrying, Function: f.Name, RequestID: id, Attempt: attempts + 1})
			if h.options.Sleep(ctx, h.options.RetryDelay(attempts)) != nil {
				return
			}
		}
	}
	h.observe(Event{Kind: Exhausted, Function: f.Name, RequestID: id, Attempt: attempts, Error: string(last.Payload)})
	if f.Async.OnFailure == "" {
		return
	}
	record, err := failureRecord(f, id, h.options.Now(), attempts, payload, last)
	if err == nil {
		err = h.options.Deliver(ctx, f, record)
	}
	if err != nil {
		h.observe(Event{Kind: Undelivered, Function: f.Name, RequestID: id, Attempt: attempts, Error: err.Error()})
	}
}

// Kill ends the processes of a role that are at work: their invocations fail, as when a process crashes.
func (h *Host) Kill(role string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sandboxes {
		s.mu.Lock()
		if s.role == role && s.running != nil {
			s.kill()
		}
		s.mu.Unlock()
	}
}

// Quiet waits until no invocation is queued or running.
func (h *Host) Quiet(ctx context.Context) error {
	for {
		h.mu.Lock()
		pending, quiet := h.pending, h.quiet
		h.mu.Unlock()
		if pending == 0 {
			return nil
		}
		select {
		case <-quiet:
		case <-ctx.Done():
			return fmt.Errorf("wait for %d invocations: %w", pending, ctx.Err())
		}
	}
}

func (h *Host) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	if h.pending == 0 {
		h.quiet = make(chan struct{})
	}
	h.pending++
	h.work.Add(1)
	return true
}

func (h *Host) done() {
	h.mu.Lock()
	h.pending--
	if h.pending == 0 {
		close(h.quiet)
	}
	h.mu.Unlock()
	h.work.Done()
}

func (h *Host) observe(e Event) {
	e.Time = h.options.Now()
	h.options.Observe(e)
}

// Close ends all invocations and processes and removes their files.
func (h *Host) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	h.mu.Unlock()
	h.end()
	h.work.Wait()
	h.mu.Lock()
	sandboxes := make([]*sandbox, 0, len(h.sandboxes))
	for _, s := range h.sandboxes {
		sandboxes = append(sandboxes, s)
	}
	h.mu.Unlock()
	for _, s := range sandboxes {
		s.kill()
		<-s.ended
	}
	err := h.server.Close()
	h.spawner.close()
	return errors.Join(err, h.dir.remove())
}

// requestID makes a random UUID.
func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%s-%s-%s-%s-%s", hex.EncodeToString(b[:4]), hex.EncodeToString(b[4:6]), hex.EncodeToString(b[6:8]), hex.EncodeToString(b[8:10]), hex.EncodeToString(b[10:]))
}
