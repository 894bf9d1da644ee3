package bench

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// starts is how often the function is started: one takes some 20 ms.
const starts = 15

// start measures from the start of a function's process to its first call for work.
func (s *session) start(ctx context.Context) error {
	command, err := s.function(ctx)
	if err != nil {
		return err
	}
	var took []time.Duration
	for range starts {
		s.progress("start: %d of %d", len(took)+1, starts)
		t, err := coldStart(ctx, command, s.Contract)
		if err != nil {
			return err
		}
		took = append(took, t)
	}
	middle := median(took, func(d time.Duration) float64 { return d.Seconds() * 1000 })
	s.title("function start to first call for work, %d starts on this machine: median %.1f ms, slowest %.1f ms", starts, middle, slices.Max(took).Seconds()*1000)
	s.found(targetStart, middle)
	return nil
}

func coldStart(ctx context.Context, command, contract string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	f, err := startFunction(ctx, command, contract)
	if err != nil {
		return 0, err
	}
	defer f.stop()
	at, err := f.idle(ctx)
	if err != nil {
		return 0, fmt.Errorf("start function: %w", err)
	}
	return at.Sub(f.began), nil
}
