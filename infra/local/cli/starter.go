package cli

import (
	"fmt"
	"os"
	"strings"
)

// process is what is known of one that runs; the zero value where the system does not tell.
type process struct {
	name   string
	parent int
}

// starters are the processes that started this one: its parent, and the go command where that started the parent, as
// `go tool mage` does. When either ends, the other may live on with nobody to end it.
func starters(parent int, of func(pid int) process) [2]int {
	if above := of(parent).parent; above > 1 && of(above).name == "go" {
		return [2]int{parent, above}
	}
	return [2]int{parent, 0}
}

// processOf reads a process of Linux.
func processOf(pid int) (p process) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return p
	}
	_, rest, _ := strings.Cut(string(text), "(")
	end := strings.LastIndexByte(rest, ')') // names hold parentheses too
	if end < 0 {
		return p
	}
	p.name = rest[:end]
	var state string
	_, _ = fmt.Sscan(rest[end+1:], &state, &p.parent) // zero where it is not told
	return p
}
