package bench

import (
	"context"
	"fmt"
	"path/filepath"
)

// zips weighs the deployment packages.
func (s *session) zips(ctx context.Context) error {
	sizes, err := s.packages(ctx)
	if err != nil {
		return err
	}
	t := newTable("deployment package", "MiB", "bootstrap MiB")
	largest := 0.0
	for _, size := range sizes {
		largest = max(largest, mib(size.Zip))
		t.row(filepath.Base(size.Path), fmt.Sprintf("%.1f", mib(size.Zip)), fmt.Sprintf("%.1f", mib(size.Bootstrap)))
	}
	s.progress("")
	t.write(s.Out)
	s.found(targetZip, largest)
	return nil
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }
