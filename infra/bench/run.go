package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"tributary/shared/contract"
)

// Options say what to measure.
type Options struct {
	Root     string   // of the project, whose functions are built to be measured
	Contract string   // path of the contract of coin_markets
	Dir      string   // for data and results, some GB
	Self     string   // the bench command, which is its own peer
	Records  int      // of comparisons and stages
	Rounds   int      // of comparisons and stages, interleaved
	Largest  int      // records of the largest run by size
	Only     []string // names of Parts; none: all
	DuckDB   bool     // compare with DuckDB, which needs a C compiler
	Out      io.Writer
	Progress io.Writer // what is being done
}

// Part is one thing that is measured.
type Part struct {
	Name, What string
	run        func(*session, context.Context) error
}

// Parts lists what is measured, in this order.
func Parts() []Part {
	return []Part{
		{"clean", "clean NDJSON: against DuckDB plain, and with the rules in SQL", (*session).clean},
		{"gzip", "the same records from gzip, which a run reads: against DuckDB plain", (*session).gzip},
		{"dirty", "records of which 2 % have a fault: against DuckDB plain on the clean ones, and with the rules", (*session).dirty},
		{"stages", "what each step costs: read, scan, decode, rules, keys, Parquet, files, projection; gunzip, SHA-256; rejects", (*session).stages},
		{"profile", "the code that a whole run spends its time in, by package and file", (*session).profile},
		{"sizes", "time and memory from 10,000 records, times ten up to -largest, streamed from the generator and stored nowhere", (*session).sizes},
		{"memory", "peak memory of the process function over a run of 1 GiB, from gzip pages to the last item", (*session).memory},
		{"start", "process start of the function to its first call for work", (*session).start},
		{"zip", "size of the deployment packages", (*session).zips},
	}
}

// chosen are the parts of these names; none name all.
func chosen(names []string) ([]Part, error) {
	all := Parts()
	if len(names) == 0 {
		return all, nil
	}
	known := make([]string, len(all))
	for i, p := range all {
		known[i] = p.Name
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("choose parts: there is no part %q; they are %s", name, strings.Join(known, ", "))
		}
	}
	return slices.DeleteFunc(all, func(p Part) bool { return !slices.Contains(names, p.Name) }), nil
}

func (o *Options) check() error {
	for _, n := range []struct {
		name         string
		value, least int
	}{{"-records", o.Records, 1000}, {"-rounds", o.Rounds, 1}, {"-largest", o.Largest, 10_000}} {
		if n.value < n.least {
			return fmt.Errorf("%s=%d: want at least %d", n.name, n.value, n.least)
		}
	}
	_, err := contract.Load(o.Contract) // before minutes are spent on data for it
	return err
}

// session is one call of Run.
type session struct {
	Options
	findings []finding
	built    built
}

// Run measures and prints as it goes. A figure that cannot be had here is named with the reason.
func Run(ctx context.Context, o Options) error {
	parts, err := chosen(o.Only)
	if err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return fmt.Errorf("create folder: %w", err)
	}
	s := &session{Options: o}
	fmt.Fprintf(o.Out, "%s/%s, %d cores, %s; medians of %d rounds\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), o.Rounds)
	for _, p := range parts {
		if err := p.run(s, ctx); err != nil {
			return fmt.Errorf("measure %s: %w", p.Name, err)
		}
		s.progress("")
	}
	writeFindings(o.Out, s.findings)
	return nil
}

// found notes a figure that has a target.
func (s *session) found(t target, value float64) { s.findings = append(s.findings, finding{t, value}) }

// title prints what the next table is about.
func (s *session) title(format string, args ...any) {
	s.progress("")
	fmt.Fprintf(s.Out, format+"\n\n", args...)
}

// progress replaces the line that tells what is being done.
func (s *session) progress(format string, args ...any) {
	fmt.Fprintf(s.Progress, "\r\x1b[K"+format, args...)
}

// out is where peers write.
func (s *session) out(name string) string { return filepath.Join(s.Dir, name+".parquet") }

// peer is the engine as a command.
func (s *session) peer(verb string, records int, args ...string) []string {
	return append([]string{s.Self, verb, "-contract", s.Contract, "-records", fmt.Sprint(records)}, args...)
}
