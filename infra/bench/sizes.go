package bench

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"tributary/infra/bench/measure"
)

// sizes shows that time grows with the records, and memory only with their keys.
func (s *session) sizes(ctx context.Context) error {
	t := newTable("records", "input MB", "µs of CPU per record", "peak RSS MiB", "of it keys, at most")
	for n := 10_000; n <= s.Largest; n *= 10 {
		var runs []measure.Figures
		for range repeats(n, s.Rounds) {
			s.progress("sizes: %d records", n)
			figures, err := s.streamed(ctx, n)
			if err != nil {
				return err
			}
			runs = append(runs, figures)
		}
		cpu := median(runs, func(f measure.Figures) float64 { return f.CPUSeconds / float64(n) * 1e6 })
		peak := median(runs, func(f measure.Figures) float64 { return float64(f.PeakRSSMB) })
		t.row(fmt.Sprint(n), fmt.Sprintf("%.0f", runs[0].InputMB), fmt.Sprintf("%.2f", cpu), fmt.Sprintf("%.0f", peak), fmt.Sprintf("%.0f", float64(n*keyBytes)/(1<<20)))
	}
	s.title("by size, one core, clean NDJSON, streamed from the generator through a pipe and stored nowhere:")
	t.write(s.Out)
	return nil
}

// keyBytes is the most that the engine holds of a distinct key.
const keyBytes = 32

// repeats is how often a size is run: short runs as often as all others, long ones once.
func repeats(records, rounds int) int { return max(1, min(rounds, 1_000_000/records)) }

// streamed runs the engine over records that are generated meanwhile, on another core where there is one.
func (s *session) streamed(ctx context.Context, records int) (measure.Figures, error) {
	from, to, err := os.Pipe()
	if err != nil {
		return measure.Figures{}, fmt.Errorf("make a pipe: %w", err)
	}
	defer from.Close()
	core := runtime.NumCPU() - 1
	generator := bound(ctx, core, core, []string{s.Self, "coins", "-records", fmt.Sprint(records)})
	generator.Stdout = to
	var complaint strings.Builder
	generator.Stderr = &complaint
	if err := generator.Start(); err != nil {
		return measure.Figures{}, fmt.Errorf("start generator: %w", err)
	}
	if err := to.Close(); err != nil {
		return measure.Figures{}, fmt.Errorf("leave the pipe to the generator: %w", err)
	}
	figures, failed := child{cores: 1, stdin: from, args: s.peer("peer", records, "-", s.out("sizes"))}.measured(ctx)
	if failed != nil { // the generator may still wait to write
		_ = generator.Process.Kill()
	}
	if err := generator.Wait(); err != nil && failed == nil {
		return measure.Figures{}, fmt.Errorf("generate records: %w\n%s", err, complaint.String())
	}
	return figures, failed
}
