package lambda

import "syscall"

// processAttributes puts a process into a group of its own and has the kernel kill it with its parent.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
