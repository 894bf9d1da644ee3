package engine

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"
)

func TestAttributeGivesSamplesToTheInnermostCodeOfOurs(t *testing.T) {
	function := func(name, file string) profile.Line {
		return profile.Line{Function: &profile.Function{Name: name, Filename: file}}
	}
	location := func(lines ...profile.Line) *profile.Location { return &profile.Location{Line: lines} }
	take := function("tributary/shared/record.(*Reader).take", "/src/shared/record/reader.go")
	digits := function("tributary/shared/record.(*decoder).number", "/src/shared/record/number.go")
	memmove := function("runtime.memmove", "/go/src/runtime/memmove_amd64.s")
	sample := func(milliseconds int64, stack ...*profile.Location) *profile.Sample {
		return &profile.Sample{Value: []int64{1, milliseconds * 1e6}, Location: stack}
	}
	p := &profile.Profile{Sample: []*profile.Sample{
		sample(30, location(digits, take)), // one inlined into the other
		sample(20, location(take)),
		sample(10, location(memmove), location(take)),
		sample(40, location(function("github.com/klauspost/compress/s2.encodeBlockAsm", "x.s")),
			location(function("tributary/shared/parquet.(*compressor).compress", "/src/shared/parquet/codec.go"))),
		sample(5, location(function("tributary/infra/bench/engine.fileUpload.Write", "/src/infra/bench/engine/stores.go"))),
		sample(7, location(function("runtime.scanobject", "mgcmark.go")), location(function("runtime.gcBgMarkWorker", "mgc.go"))),
		sample(3, location(function("runtime.futex", "os_linux.go"))),
		sample(1, &profile.Location{}),
	}}
	want := Profiled{Records: 100, Seconds: 0.116, Codes: []Code{
		{"parquet", "codec.go", 0.04}, {"record", "number.go", 0.03}, {"record", "reader.go", 0.03}, {"", collecting, 0.007},
		{"bench/engine", "stores.go", 0.005}, {"", elsewhere, 0.004},
	}}
	near := cmp.Comparer(func(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 })
	if diff := cmp.Diff(want, attribute(p, 100), near); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestProfileFindsTheEngine(t *testing.T) {
	plain, _ := coins(t, 20_000, nil)
	got, err := Profile(t.Context(), Options{Contract: contractPath, In: plain, Out: filepath.Join(t.TempDir(), "out"), Records: -1}, 0.3)
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string]float64{}
	for _, c := range got.Codes {
		packages[c.Package] += c.Seconds
	}
	if got.Records == 0 || got.Records%20_000 != 0 || packages["record"] <= packages["process"] || packages["parquet"] == 0 {
		t.Errorf("%d records, seconds by package %v", got.Records, packages)
	}
}
