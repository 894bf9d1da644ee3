package cli

import (
	"os"
	"runtime"
	"testing"
)

func TestStarters(t *testing.T) {
	for _, tc := range []struct {
		name string
		runs map[int]process
		want [2]int
	}{
		{"go tool mage", map[int]process{30: {"mage", 20}, 20: {"go", 10}}, [2]int{30, 20}},
		{"mage alone, from a shell that may end", map[int]process{30: {"mage", 20}, 20: {"bash", 10}}, [2]int{30, 0}},
		{"the go command was killed", map[int]process{30: {"mage", 1}, 1: {"go", 0}}, [2]int{30, 0}},
		{"nothing is told", nil, [2]int{30, 0}},
	} {
		if got := starters(30, func(pid int) process { return tc.runs[pid] }); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	if self := processOf(os.Getpid()); runtime.GOOS == "linux" && (self.parent != os.Getppid() || self.name == "") {
		t.Errorf("this process is %+v, want parent %d", self, os.Getppid())
	}
}
