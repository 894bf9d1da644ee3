//go:build unix

package measure

import (
	"os"
	"runtime"
	"syscall"
)

// CPUSeconds is the processor time of this process so far, user and system.
func CPUSeconds() float64 {
	usage := selfUsage()
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

// peakMB is the most memory that was resident, in MiB. What the kernel says of a process by getrusage begins, on Linux,
// with the peak of the process that started it.
func peakMB() int64 {
	if peak, err := PeakOf(os.Getpid()); err == nil {
		return peak
	}
	peak := selfUsage().Maxrss
	if runtime.GOOS == "darwin" { // bytes there, KiB elsewhere
		return peak >> 20
	}
	return peak >> 10
}

func selfUsage() syscall.Rusage {
	var usage syscall.Rusage
	// It fails only for a bad argument.
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage
}
