package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// initTimeout is how long a process may take to its first call for work.
const initTimeout = 10 * time.Second

// pool holds the processes of one function.
type pool struct {
	host  *Host
	slots chan struct{} // one for each invocation that may run at once
	once  sync.Once
	root  string // where the package is unpacked
	fault error  // of unpacking

	mu       sync.Mutex
	function Function
	idle     []*sandbox
	retired  bool
}

func newPool(h *Host, f Function) *pool {
	limit := h.options.Concurrency
	if f.Reserved != nil {
		limit = *f.Reserved
	}
	return &pool{host: h, function: f, slots: make(chan struct{}, limit)}
}

func (p *pool) current() Function {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.function
}

// acquire waits for a slot.
func (p *pool) acquire(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for %s: %w", p.current().Name, ctx.Err())
	}
}

// tryAcquire takes a slot at once where concurrency is reserved, as AWS throttles synchronous calls.
func (p *pool) tryAcquire(ctx context.Context) error {
	if p.current().Reserved == nil {
		return p.acquire(ctx)
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	default:
		return ErrThrottled
	}
}

func (p *pool) release() { <-p.slots }

// run gives an invocation to a process. The error is of the environment; the function's own is in the result.
func (p *pool) run(ctx context.Context, id string, payload []byte, attempt int) (Result, error) {
	f := p.current()
	if len(payload) == 0 {
		payload = noPayload
	}
	s, initError := p.take(ctx)
	if ctx.Err() != nil {
		if s != nil {
			p.give(s)
		}
		return Result{}, fmt.Errorf("invoke %s: %w", f.Name, ctx.Err())
	}
	event := Event{Function: f.Name, RequestID: id, Attempt: attempt}
	if s != nil {
		event.Init = s.takeInit()
	}
	event.Kind = Started
	p.host.observe(event)
	var result Result
	if initError != nil {
		result = failed("Runtime.InitError", initError.Error())
	} else {
		result = s.invoke(ctx, &invocation{id: id, function: f.ARN, payload: payload, deadline: p.host.options.Now().Add(f.Timeout), answer: make(chan answer, 1)}, f)
		p.give(s)
	}
	if ctx.Err() != nil && result.Error != "" {
		return Result{}, fmt.Errorf("invoke %s: %w", f.Name, ctx.Err())
	}
	result.RequestID, result.Init = id, event.Init
	event.Kind, event.Duration = Succeeded, result.Duration
	if result.Error != "" {
		event.Kind, event.Error = Failed, string(result.Payload)
	}
	p.host.observe(event)
	return result, nil
}

// take returns an idle process or starts one.
func (p *pool) take(ctx context.Context) (*sandbox, error) {
	p.mu.Lock()
	for len(p.idle) > 0 {
		s := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if s.alive() {
			p.mu.Unlock()
			return s, nil
		}
	}
	p.mu.Unlock()
	p.once.Do(func() {
		p.root, p.fault = os.MkdirTemp(p.host.dir.path, "task-")
		if p.fault == nil {
			p.fault = unzip(p.function.Zip, p.root)
		}
	})
	if p.fault != nil {
		return nil, p.fault
	}
	return p.host.start(ctx, p.current(), p.root)
}

func (p *pool) give(s *sandbox) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.retired {
		s.kill()
	} else if s.alive() {
		p.idle = append(p.idle, s)
	}
}

func (p *pool) retire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = true
	for _, s := range p.idle {
		s.kill()
	}
	p.idle = nil
}

// failed is the result of an attempt that ended outside the function's own code.
func failed(kind, message string) Result {
	payload, _ := json.Marshal(map[string]string{"errorType": kind, "errorMessage": message}) // strings always encode
	return Result{Error: "Unhandled", Payload: payload}
}

func (h *Host) scratch(id string) (string, error) {
	dir := filepath.Join(h.dir.path, "sandbox-"+id)
	if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o700); err != nil {
		return "", fmt.Errorf("make directory for a process: %w", err)
	}
	return dir, nil
}
