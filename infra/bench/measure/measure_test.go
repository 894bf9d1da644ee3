package measure

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestWorkCountsAndWeighs(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.parquet")
	got, err := Work("peer", out, func() (Counts, error) {
		return Counts{Clean: 3, Rejected: 1, InputBytes: 2_340_000}, os.WriteFile(out, make([]byte, 150_000), 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Figures{Peer: "peer", Rows: 4, Clean: 3, Rejected: 1, ParquetMB: 0.2, InputMB: 2.3}
	taken := cmpopts.IgnoreFields(Figures{}, "Seconds", "CPUSeconds", "RowsPerS", "PeakRSSMB")
	if diff := cmp.Diff(want, got, taken); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got.RowsPerS <= 0 || got.PeakRSSMB <= 0 {
		t.Errorf("%d rows per second, %d MB", got.RowsPerS, got.PeakRSSMB)
	}
}

func TestWorkFails(t *testing.T) {
	broken := errors.New("broken")
	if _, err := Work("peer", "", func() (Counts, error) { return Counts{}, broken }); !errors.Is(err, broken) {
		t.Errorf("failed work: %v", err)
	}
	if _, err := Work("peer", filepath.Join(t.TempDir(), "none"), func() (Counts, error) { return Counts{}, nil }); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestParsePeak(t *testing.T) {
	for _, tt := range []struct {
		name, status string
		want         int64
		fails        bool
	}{
		{"line among others", "Name:\tbench\nVmPeak:\t  999999 kB\nVmHWM:\t   76801 kB\nVmRSS:\t   70000 kB\n", 76, false},
		{"whole", "Name:\tbench\nVmHWM:\t   76800 kB\n", 75, false},
		{"a kernel thread has none", "Name:\tkthreadd\nThreads:\t1\n", 0, true},
		{"other unit", "Name:\tbench\nVmHWM:\t75 MB\n", 0, true},
		{"no number", "Name:\tbench\nVmHWM:\tx kB\n", 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parsePeak([]byte(tt.status))
			if got != tt.want || (err != nil) != tt.fails {
				t.Errorf("got %d, %v; want %d", got, err, tt.want)
			}
		})
	}
}
