package lambda

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// sandbox is one process of a function.
type sandbox struct {
	id    string
	role  string // ARN of the function's role
	host  *Host
	dir   string
	cmd   *exec.Cmd
	log   *logPipe
	work  chan *invocation // taken by the Runtime API
	ready chan struct{}    // closed at the first call for work
	back  chan struct{}    // buffered: the process calls for work again after an answer
	ended chan struct{}    // closed when the process is gone and its log read

	mu       sync.Mutex
	running  *invocation
	answered bool // and not yet back
	begun    time.Time
	init     time.Duration
	started  bool   // ready is closed
	fault    []byte // what the process reported to init/error
}

type invocation struct {
	id       string
	function string // ARN
	payload  []byte
	deadline time.Time
	answer   chan answer // buffered
}

type answer struct {
	payload []byte
	failed  bool
}

// start starts a process and waits until it calls for work.
func (h *Host) start(ctx context.Context, f Function, root string) (*sandbox, error) {
	id := strings.ReplaceAll(requestID(), "-", "")
	dir, err := h.scratch(id)
	if err != nil {
		return nil, err
	}
	variables, err := h.options.Variables(f)
	if err != nil {
		return nil, fmt.Errorf("prepare environment of %s: %w", f.Name, err)
	}
	s := &sandbox{id: id, role: f.Role, host: h, dir: dir, work: make(chan *invocation), ready: make(chan struct{}), back: make(chan struct{}, 1), ended: make(chan struct{})}
	if s.log, err = newLogPipe(func(request, line string) { h.options.Log(f, request, line) }); err != nil {
		return nil, err
	}
	s.cmd = exec.Command(filepath.Join(root, entrypoint)) //nolint:noctx // a process outlives the invocation that started it
	s.cmd.Dir = root
	s.cmd.Env = append(s.environment(f, root), variables...)
	s.cmd.Stdout, s.cmd.Stderr = s.log.in, s.log.in
	s.cmd.SysProcAttr = processAttributes()
	s.begun = h.options.Now()
	h.mu.Lock()
	h.sandboxes[id] = s
	h.mu.Unlock()
	if err := h.spawner.start(s.cmd); err != nil {
		s.log.close()
		h.forget(s)
		close(s.ended)
		return nil, fmt.Errorf("start %s: %w", f.Name, err)
	}
	go s.wait()

	timer := time.NewTimer(initTimeout)
	defer timer.Stop()
	select {
	case <-s.ready:
		return s, nil
	case <-s.ended:
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.fault != nil {
			return nil, fmt.Errorf("the runtime reported %s", s.fault)
		}
		return nil, fmt.Errorf("the process ended before it called for work: %s%s", s.cmd.ProcessState, s.log.tail())
	case <-timer.C:
		s.kill()
		return nil, fmt.Errorf("the process did not call for work within %s%s", initTimeout, s.log.tail())
	case <-ctx.Done():
		s.kill()
		return nil, ctx.Err()
	}
}

// environment is what every process has, whatever the account.
func (s *sandbox) environment(f Function, root string) []string {
	env := []string{
		"AWS_LAMBDA_RUNTIME_API=" + s.host.address + "/" + s.id,
		"AWS_LAMBDA_FUNCTION_NAME=" + f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(f.Memory),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=" + f.LogGroup,
		"AWS_LAMBDA_LOG_STREAM_NAME=" + s.host.options.Now().UTC().Format("2006/01/02") + "/[$LATEST]" + s.id,
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
		"_HANDLER=" + f.Handler,
		"LAMBDA_TASK_ROOT=" + root,
		"LAMBDA_RUNTIME_DIR=" + root,
		"PATH=/usr/local/bin:/usr/bin:/bin",
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
		"HOME=" + s.dir, // nobody's AWS configuration
		"TMPDIR=" + filepath.Join(s.dir, "tmp"),
	}
	if f.JSONLogs {
		env = append(env, "AWS_LAMBDA_LOG_FORMAT=JSON")
		if f.LogLevel != "" {
			env = append(env, "AWS_LAMBDA_LOG_LEVEL="+f.LogLevel)
		}
	}
	for name, value := range f.Environment {
		env = append(env, name+"="+value)
	}
	return env
}

// wait collects the process when it ends.
func (s *sandbox) wait() {
	_ = s.cmd.Wait() // its state tells more
	killGroup(s.cmd.Process.Pid)
	s.log.close()
	s.host.forget(s)
	_ = os.RemoveAll(s.dir) // the host removes what is left
	close(s.ended)
}

func (h *Host) forget(s *sandbox) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sandboxes, s.id)
}

func (s *sandbox) kill() {
	if s.cmd.Process != nil {
		killGroup(s.cmd.Process.Pid)
	}
}

func (s *sandbox) alive() bool {
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// takeInit returns the time of initialisation, once.
func (s *sandbox) takeInit() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.init
	s.init = 0
	return d
}

// invoke hands an invocation to the process and waits for the answer, its time-out or the process's end.
func (s *sandbox) invoke(ctx context.Context, in *invocation, f Function) Result {
	begun := s.host.options.Now()
	s.log.begin(in.id)
	timer := time.NewTimer(f.Timeout)
	defer timer.Stop()

	result := s.exchange(ctx, in, f, timer.C)
	result.Duration = s.host.options.Now().Sub(begun)
	s.log.sync()
	result.Log = s.log.tail()
	return result
}

func (s *sandbox) exchange(ctx context.Context, in *invocation, f Function, timeout <-chan time.Time) Result {
	work := s.work // nil once the process has taken the invocation
	for {
		select {
		case work <- in:
			work = nil
			continue
		case a := <-in.answer:
			result := Result{Payload: a.payload}
			if a.failed {
				result.Error = "Unhandled"
			}
			s.settle(ctx, timeout)
			return result
		case <-s.ended:
			return failed("Runtime.ExitError", fmt.Sprintf("RequestId: %s Error: Runtime exited: %s", in.id, s.cmd.ProcessState))
		case <-timeout:
			s.kill()
			<-s.ended
			return failed("Sandbox.Timedout", fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", in.id, f.Timeout.Seconds()))
		case <-ctx.Done():
			s.kill()
			<-s.ended
			return failed("Runtime.Cancelled", ctx.Err().Error())
		}
	}
}

// settle waits until the process that answered calls for work again, or ends: a panic is answered before the exit.
func (s *sandbox) settle(ctx context.Context, timeout <-chan time.Time) {
	select {
	case <-s.back:
		return
	case <-s.ended:
		return
	case <-timeout:
	case <-ctx.Done():
	}
	s.kill()
	<-s.ended
}

// next is the process's call for work; nil when there will be none.
func (s *sandbox) next(ctx context.Context) *invocation {
	s.mu.Lock()
	if !s.started {
		s.started = true
		s.init = s.host.options.Now().Sub(s.begun)
		close(s.ready)
	}
	if s.answered {
		s.answered = false
		s.back <- struct{}{}
	}
	s.mu.Unlock()
	select {
	case in := <-s.work:
		s.mu.Lock()
		s.running = in
		s.mu.Unlock()
		return in
	case <-ctx.Done():
	case <-s.ended:
	}
	return nil
}

var errNotRunning = errors.New("no such invocation is running")

// answer ends the running invocation.
func (s *sandbox) answer(id string, a answer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil || s.running.id != id {
		return errNotRunning
	}
	s.running.answer <- a
	s.running, s.answered = nil, true
	return nil
}
