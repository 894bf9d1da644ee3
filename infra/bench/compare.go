package bench

import (
	"context"
	"fmt"
	"runtime"

	"tributary/infra/bench/measure"
)

// role is which way of the work a contestant goes.
type role int

const (
	ours  role = iota
	plain      // DuckDB, which checks nothing
	rules      // DuckDB with the contract's rules in SQL
)

// contestant is a peer on so many cores.
type contestant struct {
	role
	child
	note string // on what it is given, where that differs
	runs []measure.Figures
}

// clean compares on clean NDJSON.
func (s *session) clean(ctx context.Context) error {
	in, err := s.plainData(0)
	if err != nil {
		return err
	}
	field, err := s.field(ctx, in, map[role]string{plain: in, rules: in})
	if err != nil {
		return err
	}
	if err := s.compare(ctx, "clean NDJSON", field); err != nil {
		return err
	}
	if us, them := on(field, ours, 1), on(field, plain, 1); them != nil {
		s.found(targetPlain, us.rate()/them.rate())
		s.found(targetParquet, us.runs[0].ParquetMB/them.runs[0].ParquetMB)
	}
	return nil
}

// gzip compares on the same records compressed.
func (s *session) gzip(ctx context.Context) error {
	in, err := s.gzipData()
	if err != nil {
		return err
	}
	field, err := s.field(ctx, in, map[role]string{plain: in})
	if err != nil {
		return err
	}
	return s.compare(ctx, "clean, from gzip (ours with SHA-256, as a run reads its pages)", field)
}

// dirty compares on records some of which have faults.
func (s *session) dirty(ctx context.Context) error {
	in, err := s.plainData(dirtyPermille)
	if err != nil {
		return err
	}
	without, err := s.plainData(0)
	if err != nil {
		return err
	}
	field, err := s.field(ctx, in, map[role]string{plain: without, rules: in})
	if err != nil {
		return err
	}
	for i := range field {
		if field[i].role == plain {
			field[i].note = ", on the records without the faults"
		}
	}
	if err := s.compare(ctx, "2 % of the records dirty, NDJSON", field); err != nil {
		return err
	}
	for _, cores := range []int{1, 2} {
		us, them := on(field, ours, cores), on(field, rules, cores)
		if us != nil && them != nil && us.runs[0].Rejected != them.runs[0].Rejected {
			return fmt.Errorf("the peers do not do the same: tributary rejects %d records, DuckDB %d", us.runs[0].Rejected, them.runs[0].Rejected)
		}
	}
	if us, them := on(field, ours, 1), on(field, rules, 1); them != nil {
		s.found(targetRules, us.rate()/them.rate())
	}
	return nil
}

// field is the engine on one core and two, and DuckDB in the ways that are given an input.
func (s *session) field(ctx context.Context, in string, duckdb map[role]string) ([]contestant, error) {
	command, err := s.duckdb(ctx)
	if err != nil {
		return nil, err
	}
	var field []contestant
	for cores := 1; cores <= min(2, runtime.NumCPU()); cores++ {
		field = append(field, contestant{role: ours, child: child{cores: cores, args: s.peer("peer", s.Records, in, s.out("tributary"))}})
		if command == "" {
			continue
		}
		for _, way := range []struct {
			role
			flag string
		}{{plain, "-rules=false"}, {rules, "-rules=true"}} {
			if in := duckdb[way.role]; in != "" {
				args := []string{command, way.flag, s.Contract, fmt.Sprint(cores), in, s.out("duckdb")}
				field = append(field, contestant{role: way.role, child: child{cores: cores, args: args}})
			}
		}
	}
	return field, nil
}

func (s *session) compare(ctx context.Context, what string, field []contestant) error {
	for round := range s.Rounds {
		for i := range field {
			c := &field[i]
			s.progress("%s: round %d of %d, peer %d of %d", what, round+1, s.Rounds, i+1, len(field))
			figures, err := c.measured(ctx)
			if err != nil {
				return err
			}
			c.runs = append(c.runs, figures)
		}
	}
	s.title("%d records, %s:", s.Records, what)
	comparison(field).write(s.Out)
	return nil
}

// on finds a contestant; nil where it did not run.
func on(field []contestant, r role, cores int) *contestant {
	for i := range field {
		if field[i].role == r && field[i].cores == cores {
			return &field[i]
		}
	}
	return nil
}

// rate is records a second.
func (c *contestant) rate() float64 {
	return median(c.runs, func(f measure.Figures) float64 { return float64(f.Rows) / f.Seconds })
}

// perCPU is records a second of processor time.
func (c *contestant) perCPU() float64 {
	return median(c.runs, func(f measure.Figures) float64 { return float64(f.Rows) / f.CPUSeconds })
}

func (c *contestant) name() string {
	switch c.role {
	case plain:
		return c.runs[0].Peer + " plain" + c.note
	case rules:
		return c.runs[0].Peer + " with the rules" + c.note
	default:
		return c.runs[0].Peer
	}
}

// comparison is the contestants' medians, and their ratios to both ways of DuckDB on as many cores.
func comparison(field []contestant) *table {
	t := newTable("peer", "cores", "rows/s", "× plain", "× rules", "rows per CPU s", "× plain", "× rules", "peak RSS MiB", "Parquet MB", "rejected")
	for i := range field {
		c := &field[i]
		against := func(r role, value func(*contestant) float64) string {
			other := on(field, r, c.cores)
			if other == nil || c.role != ours {
				return "–"
			}
			return fmt.Sprintf("%.2f", value(c)/value(other))
		}
		peak := median(c.runs, func(f measure.Figures) float64 { return float64(f.PeakRSSMB) })
		t.row(c.name(), fmt.Sprint(c.cores),
			fmt.Sprintf("%.0f", c.rate()), against(plain, (*contestant).rate), against(rules, (*contestant).rate),
			fmt.Sprintf("%.0f", c.perCPU()), against(plain, (*contestant).perCPU), against(rules, (*contestant).perCPU),
			fmt.Sprintf("%.0f", peak), fmt.Sprintf("%.1f", c.runs[0].ParquetMB), fmt.Sprint(c.runs[0].Rejected))
	}
	return t
}
