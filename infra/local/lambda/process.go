//go:build unix

package lambda

import "syscall"

// killGroup kills a process and all it started.
func killGroup(pid int) {
	_ = syscall.Kill(-pid, syscall.SIGKILL) // it may be gone
}
