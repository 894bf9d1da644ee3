//go:build unix && !linux

package lambda

import "syscall"

// processAttributes puts a process into a group of its own. When this process is killed, the other notices by the
// Runtime API that is gone.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
