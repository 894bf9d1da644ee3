package measure

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
)

// PeakOf is the most memory that was resident of a running process, in MiB, as Linux tells it; other systems have no
// such file, and that is the error.
func PeakOf(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read peak memory of process %d: %w", pid, err)
	}
	peak, err := parsePeak(status)
	if err != nil {
		return 0, fmt.Errorf("read peak memory of process %d: %w", pid, err)
	}
	return peak, nil
}

// parsePeak finds the high-water mark of a process's own memory, rounded up.
func parsePeak(status []byte) (int64, error) {
	_, rest, found := bytes.Cut(status, []byte("\nVmHWM:"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	number, kib := bytes.CutSuffix(bytes.TrimSpace(line), []byte(" kB"))
	if !found || !kib {
		return 0, errors.New("there is no line VmHWM in kB")
	}
	n, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read VmHWM: %w", err)
	}
	return (n + 1023) >> 10, nil
}
