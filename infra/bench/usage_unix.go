//go:build unix

package bench

import (
	"runtime"
	"syscall"
)

// cpuSeconds is the processor time of this process so far, user and system.
func cpuSeconds() float64 {
	usage := selfUsage()
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

// peakMB is the most memory that was resident, in MiB.
func peakMB() int64 {
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
