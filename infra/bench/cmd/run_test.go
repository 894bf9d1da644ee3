package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tributary/infra/bench/engine"
	"tributary/infra/bench/measure"
	"tributary/infra/call/calltest"
)

// asCommand makes the test binary the bench command, which is its own peer.
const asCommand = "TRIBUTARY_TEST_IS_BENCH"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const contractHere = "../../../" + contractPath

func call(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), args, &out, io.Discard)
	return out.String(), err
}

// The parts that need nothing built, with few records: that they run and print their tables. What the figures are is the
// machine's business.
func TestAllPrintsItsTables(t *testing.T) {
	t.Setenv(asCommand, "1")
	got, err := call(t, "all", "-contract", contractHere, "-dir", t.TempDir(), "-duckdb=false",
		"-records=2000", "-rounds=1", "-largest=10000", "-only=clean,gzip,dirty,stages,sizes")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"without DuckDB, as asked: rates only, no ratios", "2000 records, clean NDJSON:", "| tributary | 1 | ",
		"2000 records, clean, from gzip", "2000 records, 2 % of the records dirty, NDJSON:",
		"| projection and fold of served columns | ", "| gunzip | ", "| rejects: find every violation, take the row out again | ",
		"| 10000 | 8 | ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the output lacks %q", want)
		}
	}
	if strings.Count(got, "without DuckDB") != 1 {
		t.Error("it is said more than once that DuckDB is left out")
	}
	if t.Failed() {
		t.Log(got)
	}
}

func TestPeerStageAndProfileAgreeOnTheRecords(t *testing.T) {
	text, err := call(t, "coins", "-records=3000", "-dirty=50")
	if err != nil {
		t.Fatal(err)
	}
	in, out := filepath.Join(t.TempDir(), "coins.ndjson"), filepath.Join(t.TempDir(), "out.parquet")
	if err := os.WriteFile(in, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	figures := func(args ...string) (f measure.Figures) {
		printed, err := call(t, append(args, in, out)...)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(printed), &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	peer := figures("peer", "-contract", contractHere)
	stage := figures("stage", "-contract", contractHere, "-records=3000", "-stage", engine.StageKeys)
	if peer.Rows != 3000 || peer.Rejected == 0 || stage.Rejected != peer.Rejected || peer.InputMB == 0 || peer.ParquetMB == 0 {
		t.Errorf("peer %+v, stage %+v", peer, stage)
	}
	printed, err := call(t, "profile", "-contract", contractHere, "-seconds=0.05", in, out)
	if err != nil {
		t.Fatal(err)
	}
	var profiled engine.Profiled
	if err := json.Unmarshal([]byte(printed), &profiled); err != nil {
		t.Fatal(err)
	}
	if profiled.Records == 0 || profiled.Records%3000 != 0 {
		t.Errorf("profiled %d records, want a multiple of 3000", profiled.Records)
	}
}

func TestWrongCallsAreAnswered(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"nothing", nil, "no command\nusage: bench all"},
		{"command", []string{"al"}, `there is no command "al"` + "\nusage: bench all"},
		{"flag", []string{"all", "-recods=5"}, "provided but not defined: -recods; bench all -help shows the flags"},
		{"value", []string{"all", "-records=x"}, `invalid value "x" for flag -records: parse error; bench all -help`},
		{"part", []string{"all", "-only=stage"}, `there is no part "stage"`},
		{"word", []string{"all", "stages"}, `wants 0 words behind its flags, not ["stages"]`},
		{"missing word", []string{"peer", "in"}, `wants 2 words behind its flags, not ["in"]`},
		{"stage", []string{"stage", "-contract", contractHere, "-stage=none", "-records=1", "in", "out"}, `find stage "none"`},
		{"pipe", []string{"peer", "-contract", contractHere, "-", "out"}, "standard input is read once"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if out, err := call(t, tt.args...); err == nil || !strings.Contains(err.Error(), tt.want) || out != "" {
				t.Errorf("error %v, want %q; output %q", err, tt.want, out)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-help"}, "usage: bench all"},
		{[]string{"all", "-help"}, "memory   peak memory of the process function"},
		{[]string{"all", "-help=true"}, "-largest int"},
		{[]string{"peer", "-h"}, "-contract string"},
	} {
		if out, err := call(t, tt.args...); err != nil || !strings.Contains(out, tt.want) {
			t.Errorf("%q: %v, output %q lacks %q", tt.args, err, out, tt.want)
		} else if tt.args[0] == "all" {
			calltest.Flags(t, "bench", out)
		}
	}
}
