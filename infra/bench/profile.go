package bench

import (
	"context"
	"fmt"
	"slices"

	"tributary/infra/bench/engine"
)

// profile prints the code that whole runs spend their time in, on one core.
func (s *session) profile(ctx context.Context) error {
	in, err := s.plainData(0)
	if err != nil {
		return err
	}
	s.progress("profile: whole runs for %d seconds of processor time", profiledSeconds)
	var found engine.Profiled
	args := s.peer("profile", s.Records, "-seconds", fmt.Sprint(profiledSeconds), in, s.out("profile"))
	if err := (child{cores: 1, args: args}).run(ctx, &found); err != nil {
		return err
	}
	s.title("%d records, one core, clean NDJSON; where %.0f s of processor time of whole runs were sampled, by the innermost code of ours:",
		s.Records, found.Seconds)
	profileTable(found).write(s.Out)
	return nil
}

// profiledSeconds makes a share of one hundredth of ten samples or so.
const profiledSeconds = 10

// least is the share of the smallest code that is named by itself.
const least = 0.005

// profileTable shows packages, the dearest first, and below each its files likewise.
func profileTable(p engine.Profiled) *table {
	t := newTable("code", "µs per record", "share")
	row := func(name string, seconds float64) {
		t.row(name, fmt.Sprintf("%.3f", seconds/float64(p.Records)*1e6), percent(seconds, p.Seconds))
	}
	sums := map[string]float64{}
	var packages []string
	for _, c := range p.Codes {
		if _, seen := sums[c.Package]; !seen {
			packages = append(packages, c.Package)
		}
		sums[c.Package] += c.Seconds
	}
	slices.SortStableFunc(packages, func(a, b string) int {
		if sums[a] > sums[b] {
			return -1
		}
		return 1
	})
	for _, pkg := range packages {
		name, small := pkg, 0.0
		if name == "" {
			name = "Go's runtime"
		}
		row("**"+name+"**", sums[pkg])
		for _, c := range p.Codes {
			switch {
			case c.Package != pkg:
			case c.Seconds < least*p.Seconds:
				small += c.Seconds
			default:
				row(c.File, c.Seconds)
			}
		}
		if small > 0 {
			row("other files", small)
		}
	}
	return t
}
