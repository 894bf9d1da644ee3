package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"

	"github.com/google/pprof/profile"

	"tributary/infra/bench/measure"
)

// Profiled is where the processor was during passes over the file.
type Profiled struct {
	Records int64   `json:"records"` // of all passes
	Codes   []Code  `json:"codes"`   // most first
	Seconds float64 `json:"seconds"` // of processor time, sampled
}

// Code is a file of this project, with everything outside the project that it called.
type Code struct {
	Package string  `json:"package"` // below shared or infra; "" for what no code of ours called
	File    string  `json:"file"`
	Seconds float64 `json:"seconds"`
}

// Profile makes passes over the file, as Peer does one, until they have taken so many seconds of processor time, and
// tells which code it went to. The profiler looks a hundred times a second.
func Profile(ctx context.Context, o Options, least float64) (Profiled, error) {
	if o.In == StandardInput {
		return Profiled{}, errors.New("profile: standard input can be read only once")
	}
	w, err := prepare(o)
	if err != nil {
		return Profiled{}, err
	}
	run, err := w.run(w.contract)
	if err != nil {
		return Profiled{}, err
	}
	var samples bytes.Buffer
	if err := pprof.StartCPUProfile(&samples); err != nil {
		return Profiled{}, fmt.Errorf("start profile: %w", err)
	}
	var records int64
	for start := measure.CPUSeconds(); measure.CPUSeconds()-start < least; {
		n, err := run(ctx)
		if err != nil {
			pprof.StopCPUProfile()
			return Profiled{}, err
		}
		records += n.Clean + n.Rejected
	}
	pprof.StopCPUProfile()
	parsed, err := profile.Parse(&samples)
	if err != nil {
		return Profiled{}, fmt.Errorf("read profile: %w", err)
	}
	return attribute(parsed, records), nil
}

// attribute gives each sample to the innermost code of ours on its stack.
func attribute(p *profile.Profile, records int64) Profiled {
	total := Profiled{Records: records}
	at := map[Code]float64{}
	for _, s := range p.Sample {
		seconds := float64(s.Value[len(s.Value)-1]) / 1e9 // the last type of a CPU profile is nanoseconds
		at[codeOf(s)] += seconds
		total.Seconds += seconds
	}
	for c, seconds := range at {
		c.Seconds = seconds
		total.Codes = append(total.Codes, c)
	}
	slices.SortFunc(total.Codes, func(a, b Code) int {
		if a.Seconds != b.Seconds {
			if a.Seconds > b.Seconds {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Package+a.File, b.Package+b.File)
	})
	return total
}

// What runs without code of ours above it.
const (
	collecting = "garbage collection"
	elsewhere  = "runtime"
)

func codeOf(s *profile.Sample) Code {
	other := Code{File: elsewhere}
	for _, location := range s.Location { // from the innermost
		for _, line := range location.Line { // likewise, of what was inlined
			f := line.Function
			if f == nil {
				continue
			}
			if pkg, ours := packageOf(f.Name); ours {
				return Code{Package: pkg, File: filepath.Base(f.Filename)}
			}
			if strings.HasPrefix(f.Name, "runtime.gcBgMarkWorker") || f.Name == "runtime.bgsweep" || f.Name == "runtime.bgscavenge" {
				other.File = collecting
			}
		}
	}
	return other
}

// packageOf is a function's package, if it is of this project: tributary/shared/record.(*Reader).take is of record.
func packageOf(function string) (pkg string, ours bool) {
	const module = "tributary/"
	path, ours := strings.CutPrefix(function, module)
	if !ours {
		return "", false
	}
	slash := strings.LastIndexByte(path, '/')
	if dot := strings.IndexByte(path[slash+1:], '.'); dot >= 0 {
		path = path[:slash+1+dot]
	}
	path = strings.TrimPrefix(path, "shared/")
	return strings.TrimPrefix(path, "infra/"), true
}
