package bench

import (
	"fmt"
	"io"
	"strconv"

	"tributary/infra/artifact"
)

// target is what a figure is to reach.
type target struct {
	what  string
	most  bool // the bound is an upper one
	bound float64
	unit  string
}

// The targets of the project.
var (
	targetPlain   = target{"rows per second and core, every rule on, of DuckDB plain (clean file)", false, 2, "×"}
	targetRules   = target{"rows per second and core, of DuckDB with the rules (2 % dirty)", false, 5, "×"}
	targetParquet = target{"Parquet size, of DuckDB's (snappy)", true, 1.1, "×"}
	targetMemory  = target{"peak memory of a run of 1 GiB", true, 128, "MiB"}
	targetStart   = target{"function start to first call for work", true, 50, "ms"}
	targetZip     = target{"largest deployment package", true, artifact.MaxZip >> 20, "MiB"}
)

func (t target) String() string {
	sign := "≥"
	if t.most {
		sign = "≤"
	}
	return fmt.Sprintf("%s %s %s", sign, strconv.FormatFloat(t.bound, 'f', -1, 64), t.unit)
}

func (t target) met(value float64) bool {
	if t.most {
		return value <= t.bound
	}
	return value >= t.bound
}

// finding is what a target's figure is here.
type finding struct {
	target
	value float64
}

// writeFindings prints each figure beside its target.
func writeFindings(w io.Writer, findings []finding) {
	if len(findings) == 0 {
		return
	}
	t := newTable("what", "target", "here", "")
	for _, f := range findings {
		verdict := "missed"
		if f.met(f.value) {
			verdict = "met"
		}
		t.row(f.what, f.String(), fmt.Sprintf("%.2f %s", f.value, f.unit), verdict)
	}
	t.write(w)
}
