package bench

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/bench/engine"
	"tributary/infra/bench/measure"
)

func text(t *table) string {
	var b strings.Builder
	t.write(&b)
	return b.String()
}

func same(t *testing.T, want, got string) {
	t.Helper()
	if diff := cmp.Diff(strings.TrimLeft(want, "\n"), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"one", []float64{3}, 3},
		{"odd", []float64{9, 1, 2}, 2},
		{"even", []float64{4, 1, 3, 100}, 3.5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := median(tt.values, func(v float64) float64 { return v }); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestFindingsStandBesideTheirTargets(t *testing.T) {
	var b strings.Builder
	writeFindings(&b, []finding{{targetPlain, 2}, {targetPlain, 1.994}, {targetMemory, 128}, {targetMemory, 128.6}, {targetParquet, 1.03}})
	same(t, `
| what | target | here |  |
|---|---:|---:|---:|
| rows per second and core, every rule on, of DuckDB plain (clean file) | ≥ 2 × | 2.00 × | met |
| rows per second and core, every rule on, of DuckDB plain (clean file) | ≥ 2 × | 1.99 × | missed |
| peak memory of a run of 1 GiB | ≤ 128 MiB | 128.00 MiB | met |
| peak memory of a run of 1 GiB | ≤ 128 MiB | 128.60 MiB | missed |
| Parquet size, of DuckDB's (snappy) | ≤ 1.1 × | 1.03 × | met |

`, b.String())
	b.Reset()
	if writeFindings(&b, nil); b.Len() != 0 {
		t.Errorf("without findings: %q", b.String())
	}
}

// Ratios are to DuckDB on as many cores, of medians.
func TestComparison(t *testing.T) {
	runs := func(peer string, rejected int64, parquet float64, seconds ...float64) []measure.Figures {
		var all []measure.Figures
		for _, s := range seconds {
			all = append(all, measure.Figures{
				Peer: peer, Rows: 1000, Rejected: rejected, Seconds: s, CPUSeconds: 2 * s, PeakRSSMB: 70, ParquetMB: parquet,
			})
		}
		return all
	}
	field := []contestant{
		{role: ours, child: child{cores: 1}, runs: runs("tributary", 3, 9.1, 0.002, 0.001, 0.05)},
		{role: plain, child: child{cores: 1}, note: ", on others", runs: runs("duckdb v1", 0, 9, 0.003, 0.003, 0.003)},
		{role: rules, child: child{cores: 1}, runs: runs("duckdb v1", 3, 9, 0.01, 0.01, 0.01)},
		{role: ours, child: child{cores: 2}, runs: runs("tributary", 3, 9.1, 0.001)},
		{role: plain, child: child{cores: 2}, runs: runs("duckdb v1", 0, 9, 0.0025)},
	}
	same(t, `
| peer | cores | rows/s | × plain | × rules | rows per CPU s | × plain | × rules | peak RSS MiB | Parquet MB | rejected |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
| tributary | 1 | 500000 | 1.50 | 5.00 | 250000 | 1.50 | 5.00 | 70 | 9.1 | 3 |
| duckdb v1 plain, on others | 1 | 333333 | – | – | 166667 | – | – | 70 | 9.0 | 0 |
| duckdb v1 with the rules | 1 | 100000 | – | – | 50000 | – | – | 70 | 9.0 | 3 |
| tributary | 2 | 1000000 | 2.50 | – | 500000 | 2.50 | – | 70 | 9.1 | 3 |
| duckdb v1 plain | 2 | 400000 | – | – | 200000 | – | – | 70 | 9.0 | 0 |

`, text(comparison(field)))
}

func TestDivisionSubtracts(t *testing.T) {
	a, b, c := trial{"a", cleanFile}, trial{"b", cleanFile}, trial{"c", cleanFile}
	d := division{whole: c, steps: []step{
		{"first", []trial{a}, nil}, {"second", []trial{b}, []trial{a}}, {"third", []trial{c, a}, []trial{b, a}},
	}}
	same(t, `
| step | µs per record | share | so far |
|---|---:|---:|---:|
| first | 0.500 | 25.0 % | 0.500 |
| second | 0.250 | 12.5 % | 0.750 |
| third | 1.250 | 62.5 % | 2.000 |
| **the whole** | **2.000** | 100 % |  |

`, text(d.table(map[trial]float64{a: 0.5, b: 0.75, c: 2})))
}

// What the steps of a division cost adds up to the whole, whatever each trial costs.
func TestDivisionsAddUp(t *testing.T) {
	for _, d := range divisions() {
		balance := map[trial]int{d.whole: -1}
		for _, s := range d.steps {
			for _, p := range s.plus {
				balance[p]++
			}
			for _, m := range s.minus {
				balance[m]--
			}
		}
		for trial, n := range balance {
			if n != 0 {
				t.Errorf("%s: %v counts %d times too often", d.title, trial, n)
			}
		}
	}
}

func TestTrialsRunOnce(t *testing.T) {
	seen := map[trial]bool{}
	for _, trial := range trials(divisions()) {
		if seen[trial] {
			t.Errorf("%v runs twice", trial)
		}
		seen[trial] = true
	}
	for _, d := range divisions() {
		if !seen[d.whole] {
			t.Errorf("%v does not run", d.whole)
		}
	}
}

func TestProfileTable(t *testing.T) {
	same(t, `
| code | µs per record | share |
|---|---:|---:|
| **record** | 6.000 | 60.0 % |
| number.go | 4.000 | 40.0 % |
| scan.go | 1.980 | 19.8 % |
| other files | 0.020 | 0.2 % |
| **parquet** | 3.000 | 30.0 % |
| codec.go | 3.000 | 30.0 % |
| **Go's runtime** | 1.000 | 10.0 % |
| garbage collection | 1.000 | 10.0 % |

`, text(profileTable(engine.Profiled{Records: 1e6, Seconds: 10, Codes: []engine.Code{
		{Package: "record", File: "number.go", Seconds: 4}, {Package: "parquet", File: "codec.go", Seconds: 3},
		{Package: "record", File: "scan.go", Seconds: 1.98}, {File: "garbage collection", Seconds: 1},
		{Package: "record", File: "text.go", Seconds: 0.02},
	}})))
}

func TestRepeats(t *testing.T) {
	for _, tt := range []struct{ records, rounds, want int }{{10_000, 5, 5}, {1_000_000, 5, 1}, {10_000_000, 5, 1}, {500_000, 5, 2}} {
		if got := repeats(tt.records, tt.rounds); got != tt.want {
			t.Errorf("%d records, %d rounds: %d, want %d", tt.records, tt.rounds, got, tt.want)
		}
	}
}
