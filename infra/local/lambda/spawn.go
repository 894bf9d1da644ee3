package lambda

import (
	"os/exec"
	"runtime"
	"sync"
)

// spawner starts all processes from one thread that lives as long as the host: on Linux the kernel kills a process
// when the thread that started it ends.
type spawner struct {
	requests chan func()
	once     sync.Once
}

func newSpawner() *spawner {
	s := &spawner{requests: make(chan func())}
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		for start := range s.requests {
			start()
		}
	}()
	return s
}

func (s *spawner) start(cmd *exec.Cmd) error {
	result := make(chan error)
	s.requests <- func() { result <- cmd.Start() }
	return <-result
}

func (s *spawner) close() { s.once.Do(func() { close(s.requests) }) }
