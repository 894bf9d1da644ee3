//go:build cgo

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/bench"
	"tributary/infra/bench/engine"
	"tributary/infra/bench/measure"
	"tributary/shared/contract"
)

const contractPath = "../../../shared/datasets/coin_markets.odcs.yaml"

// peer runs the command and reads its figures and rejects.
func peer(t *testing.T, rules, in string) (measure.Figures, map[int64][]string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.parquet")
	var printed bytes.Buffer
	if err := run(t.Context(), []string{rules, contractPath, "1", in, out}, &printed); err != nil {
		t.Fatal(err)
	}
	var figures measure.Figures
	if err := json.Unmarshal(printed.Bytes(), &figures); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(figures.Peer, "duckdb v") {
		t.Errorf("peer %q names no version", figures.Peer)
	}
	return figures, rejects(t, out)
}

// rejects reads the violations of each reject by its index.
func rejects(t *testing.T, out string) map[int64][]string {
	t.Helper()
	text, err := os.ReadFile(out + ".rejects.ndjson")
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	found := map[int64][]string{}
	for decoder := json.NewDecoder(bytes.NewReader(text)); decoder.More(); {
		var r struct {
			Index      int64
			Violations []string
		}
		if err := decoder.Decode(&r); err != nil {
			t.Fatal(err)
		}
		slices.Sort(r.Violations)
		found[r.Index] = r.Violations
	}
	return found
}

func write(t *testing.T, count, dirty int) string {
	t.Helper()
	var text bytes.Buffer
	if err := bench.Coins(0, count, dirty).Write(&text); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "coins.ndjson")
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// A comparison is only worth making of the same work: with the rules, DuckDB and the engine reject the same records for
// the same reasons.
func TestRulesRejectWhatTheEngineRejects(t *testing.T) {
	for name, dirty := range map[string]int{"clean": 0, "dirty": 50} {
		t.Run(name, func(t *testing.T) {
			in, out := write(t, 4000, dirty), filepath.Join(t.TempDir(), "ours.parquet")
			ours, err := engine.Peer(t.Context(), engine.Options{Contract: contractPath, In: in, Out: out, Records: -1})
			if err != nil {
				t.Fatal(err)
			}
			theirs, found := peer(t, "-rules=true", in)
			if diff := cmp.Diff(rejects(t, out), found); diff != "" {
				t.Errorf("violations by record (-engine +DuckDB):\n%s", diff)
			}
			if theirs.Clean != ours.Clean || theirs.Rejected != ours.Rejected || (theirs.Rejected > 0) != (dirty > 0) {
				t.Errorf("DuckDB has %d clean and %d rejected, the engine %d and %d", theirs.Clean, theirs.Rejected, ours.Clean, ours.Rejected)
			}
		})
	}
}

func TestPlainReadsAndWrites(t *testing.T) {
	got, found := peer(t, "-rules=false", write(t, 500, 0))
	if got.Clean != 500 || got.Rejected != 0 || got.ParquetMB == 0 || found != nil {
		t.Errorf("%+v, rejects %v", got, found)
	}
}

func TestCallErrors(t *testing.T) {
	for _, args := range [][]string{nil, {contractPath, "1", "in"}, {contractPath, "one", "in", "out"}, {"none.yaml", "1", "in", "out"}, {"-x"}} {
		if err := run(t.Context(), args, &bytes.Buffer{}); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

func TestConditionRefusesWhatSQLReadsOtherwise(t *testing.T) {
	for cel, want := range map[string]string{
		"high_24h >= low_24h": "high_24h >= low_24h", "a == b * 1.5": "a = b * 1.5",
		"a > b && b > c": "", "name.startsWith('x')": "", "a / b > 1.0": "", "a < b < c": "", "size(name) > 1, x": "",
	} {
		got, err := condition(cel)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v; want %q", cel, got, err, want)
		}
	}
}

// A contract with rules that are not translated is refused, not compared at an advantage.
func TestTranslateRefusesOtherRules(t *testing.T) {
	for _, file := range []string{"orders", "earthquakes"} {
		c, err := contract.Load("../../../shared/contract/testdata/" + file + ".odcs.yaml")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := translate(c); err == nil {
			t.Errorf("%s: no error", file)
		}
	}
}
