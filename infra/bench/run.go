package bench

import (
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"tributary/infra/local/api"
)

// Options say what to measure.
type Options struct {
	Contract string // of coin_markets
	Dir      string // for data and results, some GB
	Self     string // the bench command, which is its own peer
	DuckDB   string // the DuckDB peer; "" where it cannot be built
	Function string // a function's binary, for the time to its first poll; "" leaves it out
	Zip      string // a deployment package; "" leaves it out
	Records  int    // of the main comparison
	Rounds   int    // of the main comparison, interleaved
	Largest  int    // records of the largest run; 0 leaves memory and size out
	Out      io.Writer
}

// Run measures and prints as it goes. A figure that cannot be had here is named with the reason.
func Run(ctx context.Context, o Options) error {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return fmt.Errorf("create folder: %w", err)
	}
	in, err := o.data(o.Records)
	if err != nil {
		return err
	}
	compressed, err := o.compress(in)
	if err != nil {
		return err
	}
	info, err := os.Stat(in)
	if err != nil {
		return fmt.Errorf("measure input: %w", err)
	}
	fmt.Fprintf(o.Out, "%d records, %.0f MB NDJSON, %d rounds interleaved, medians; %s/%s, %d cores, %s\n\n",
		o.Records, float64(info.Size())/1e6, o.Rounds, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())

	ours := func(name string, cores int, in string) peer {
		return peer{name: name, cores: cores, args: []string{o.Self, "peer", "-contract", o.Contract, in, filepath.Join(o.Dir, "tributary.parquet")}}
	}
	peers := []peer{ours("tributary", 1, in), ours("tributary, gzip", 1, compressed), ours("tributary", 2, in), ours("tributary, gzip", 2, compressed)}
	if o.DuckDB != "" {
		for _, cores := range []int{1, 2} {
			peers = append(peers, peer{
				name: "duckdb", cores: cores,
				args: []string{o.DuckDB, o.Contract, fmt.Sprint(cores), in, filepath.Join(o.Dir, "duckdb.parquet")},
			})
		}
	} else {
		fmt.Fprintln(o.Out, "without DuckDB, which needs a C compiler: rates only, no ratios")
	}
	if err := o.compare(ctx, peers); err != nil {
		return err
	}
	return errors.Join(o.sizes(ctx), o.start(ctx), o.packages())
}

// peer is a command that prints Figures.
type peer struct {
	name  string
	cores int
	args  []string
	runs  []Figures
}

func (o *Options) compare(ctx context.Context, peers []peer) error {
	for round := range o.Rounds {
		for i := range peers {
			p := &peers[i]
			fmt.Fprintf(os.Stderr, "\rround %d of %d: %-24s", round+1, o.Rounds, fmt.Sprintf("%s, %d core(s)", p.name, p.cores))
			figures, err := measured(ctx, p.cores, p.args)
			if err != nil {
				return fmt.Errorf("run %s: %w", p.name, err)
			}
			p.runs = append(p.runs, figures)
		}
	}
	fmt.Fprint(os.Stderr, "\r"+strings.Repeat(" ", 48)+"\r")

	rate := func(f Figures) float64 { return float64(f.Rows) / f.Seconds }
	perCPU := func(f Figures) float64 { return float64(f.Rows) / f.CPUSeconds }
	baseline := map[int]*peer{}
	for i := range peers {
		if peers[i].name == "duckdb" {
			baseline[peers[i].cores] = &peers[i]
		}
	}
	fmt.Fprintln(o.Out, "| peer | cores | rows/s | × duckdb | rows per CPU s | × duckdb | peak RSS MB | Parquet MB |")
	fmt.Fprintln(o.Out, "|---|---:|---:|---:|---:|---:|---:|---:|")
	for i := range peers {
		p := &peers[i]
		name, wall, cpu := p.name, "–", "–"
		if b := baseline[p.cores]; b != nil {
			wall = fmt.Sprintf("%.2f", median(p.runs, rate)/median(b.runs, rate))
			cpu = fmt.Sprintf("%.2f", median(p.runs, perCPU)/median(b.runs, perCPU))
			if b == p {
				name = p.runs[0].Peer
			}
		}
		peak := median(p.runs, func(f Figures) float64 { return float64(f.PeakRSSMB) })
		fmt.Fprintf(o.Out, "| %s | %d | %.0f | %s | %.0f | %s | %.0f | %.1f |\n",
			name, p.cores, median(p.runs, rate), wall, median(p.runs, perCPU), cpu, peak, p.runs[0].ParquetMB)
	}
	fmt.Fprintln(o.Out)
	return nil
}

// sizes shows that time grows with the records and memory does not.
func (o *Options) sizes(ctx context.Context) error {
	if o.Largest == 0 {
		return nil
	}
	fmt.Fprintln(o.Out, "| records | input MB | µs per record | peak RSS MB |")
	fmt.Fprintln(o.Out, "|---:|---:|---:|---:|")
	for n := 10_000; n <= o.Largest; n *= 10 {
		in, err := o.data(n)
		if err != nil {
			return err
		}
		figures, err := measured(ctx, 1, []string{o.Self, "peer", "-contract", o.Contract, in, filepath.Join(o.Dir, "tributary.parquet")})
		if err != nil {
			return fmt.Errorf("run %d records: %w", n, err)
		}
		info, err := os.Stat(in)
		if err != nil {
			return fmt.Errorf("measure input: %w", err)
		}
		fmt.Fprintf(o.Out, "| %d | %.0f | %.2f | %d |\n", n, float64(info.Size())/1e6, figures.Seconds/float64(n)*1e6, figures.PeakRSSMB)
	}
	fmt.Fprintln(o.Out)
	return nil
}

// start measures from the start of a function's process to its first call for work.
func (o *Options) start(ctx context.Context) error {
	if o.Function == "" {
		return nil
	}
	const starts = 15
	var took []time.Duration
	for range starts {
		t, err := coldStart(ctx, o.Function, o.Contract)
		if err != nil {
			return err
		}
		took = append(took, t)
	}
	slices.Sort(took)
	fmt.Fprintf(o.Out, "function start to first call for work, %d starts on this machine: median %s, slowest %s\n",
		starts, took[len(took)/2].Round(100*time.Microsecond), took[len(took)-1].Round(100*time.Microsecond))
	return nil
}

func (o *Options) packages() error {
	if o.Zip == "" {
		return nil
	}
	info, err := os.Stat(o.Zip)
	if err != nil {
		return fmt.Errorf("measure package: %w", err)
	}
	fmt.Fprintf(o.Out, "deployment package %s: %.1f MiB\n", filepath.Base(o.Zip), float64(info.Size())/(1<<20))
	return nil
}

// data makes a file of so many records, once.
func (o *Options) data(records int) (string, error) {
	path := filepath.Join(o.Dir, fmt.Sprintf("coins-%d.ndjson", records))
	return path, once(path, func(w io.Writer) error {
		fmt.Fprintf(os.Stderr, "making %s\n", path)
		return api.WriteCoins(w, records, 1, time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC))
	})
}

func (o *Options) compress(in string) (string, error) {
	return in + ".gz", once(in+".gz", func(w io.Writer) error {
		f, err := os.Open(in)
		if err != nil {
			return fmt.Errorf("open data: %w", err)
		}
		defer f.Close()
		z := gzip.NewWriter(w)
		if _, err := io.Copy(z, f); err != nil {
			return fmt.Errorf("compress data: %w", err)
		}
		return z.Close()
	})
}

// once makes a file unless it is there; a half-made one never has its name.
func once(path string, write func(io.Writer) error) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	f, err := os.Create(path + ".part")
	if err != nil {
		return fmt.Errorf("create data: %w", err)
	}
	defer f.Close()
	if err := write(f); err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("close data: %w", err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		return fmt.Errorf("name data: %w", err)
	}
	return nil
}

// measured runs a peer on so many cores and reads its figures.
func measured(ctx context.Context, cores int, args []string) (Figures, error) {
	if taskset, err := exec.LookPath("taskset"); err == nil {
		args = append([]string{taskset, "-c", fmt.Sprintf("0-%d", cores-1)}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", cores))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return Figures{}, fmt.Errorf("start %s: %w", strings.Join(args, " "), err)
	}
	var figures Figures
	if err := json.Unmarshal(out, &figures); err != nil {
		return Figures{}, fmt.Errorf("read figures %q: %w", out, err)
	}
	return figures, nil
}

func median[T any, N cmp.Ordered](of []T, value func(T) N) N {
	values := make([]N, len(of))
	for i, v := range of {
		values[i] = value(v)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
