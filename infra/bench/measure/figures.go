// Package measure takes the time, processor time and memory of a piece of work in this process, in the form that all
// peers of the benchmark print.
package measure

import (
	"fmt"
	"math"
	"os"
	"time"
)

// Figures is what a peer prints of one run: the line that other tools measured beside it print as well.
type Figures struct {
	Peer       string  `json:"peer"`
	Rows       int64   `json:"rows"`
	Clean      int64   `json:"clean"`
	Rejected   int64   `json:"rejected"`
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"`
	RowsPerS   int64   `json:"rows_per_s"`
	PeakRSSMB  int64   `json:"peak_rss_mb"` // MiB, of the process so far
	ParquetMB  float64 `json:"parquet_mb"`  // 0 where nothing is written
	InputMB    float64 `json:"input_mb"`    // uncompressed; 0 where the peer does not know
}

// Counts is what came of the records.
type Counts struct {
	Clean, Rejected int64
	InputBytes      int64 // uncompressed; 0 where it is not known
}

// Work times work and reads the size of the file out, unless that is "".
func Work(peer, out string, work func() (Counts, error)) (Figures, error) {
	start, before := time.Now(), CPUSeconds()
	n, err := work()
	seconds, cpu := time.Since(start).Seconds(), CPUSeconds()-before
	if err != nil {
		return Figures{}, err
	}
	f := Figures{
		Peer: peer, Rows: n.Clean + n.Rejected, Clean: n.Clean, Rejected: n.Rejected,
		Seconds: round(seconds, 4), CPUSeconds: round(cpu, 4), RowsPerS: int64(float64(n.Clean+n.Rejected) / seconds),
		PeakRSSMB: peakMB(), InputMB: megabytes(n.InputBytes),
	}
	if out != "" {
		info, err := os.Stat(out)
		if err != nil {
			return Figures{}, fmt.Errorf("measure Parquet: %w", err)
		}
		f.ParquetMB = megabytes(info.Size())
	}
	return f, nil
}

func megabytes(n int64) float64 { return round(float64(n)/1e6, 1) }

func round(v float64, places int) float64 {
	unit := math.Pow10(places)
	return math.Round(v*unit) / unit
}
