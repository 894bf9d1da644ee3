package bench

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
	PeakRSSMB  int64   `json:"peak_rss_mb"` // of the process so far
	ParquetMB  float64 `json:"parquet_mb"`
}

// Measure times work, which answers how many records are clean and how many rejected, and reads the size of out.
func Measure(peer, out string, work func() (clean, rejected int64, err error)) (Figures, error) {
	start, before := time.Now(), cpuSeconds()
	clean, rejected, err := work()
	seconds, cpu := time.Since(start).Seconds(), cpuSeconds()-before
	if err != nil {
		return Figures{}, err
	}
	info, err := os.Stat(out)
	if err != nil {
		return Figures{}, fmt.Errorf("measure Parquet: %w", err)
	}
	return Figures{
		Peer: peer, Rows: clean + rejected, Clean: clean, Rejected: rejected,
		Seconds: round(seconds, 3), CPUSeconds: round(cpu, 3), RowsPerS: int64(float64(clean+rejected) / seconds),
		PeakRSSMB: peakMB(), ParquetMB: round(float64(info.Size())/1e6, 1),
	}, nil
}

func round(v float64, places int) float64 {
	unit := math.Pow10(places)
	return math.Round(v*unit) / unit
}
