package bench

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChosen(t *testing.T) {
	all, err := chosen(nil)
	if err != nil || len(all) != len(Parts()) {
		t.Errorf("none named: %d parts, %v; want all", len(all), err)
	}
	some, err := chosen([]string{"zip", "clean"})
	if err != nil || len(some) != 2 || some[0].Name != "clean" || some[1].Name != "zip" {
		t.Errorf("two named: %v, %v; want them in the order of all", some, err)
	}
}

func TestRunRefusesBeforeItMeasures(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		o          Options
	}{
		{"part", `there is no part "stage"; they are clean, gzip, dirty, stages,`, Options{Only: []string{"stage"}}},
		{"records", "-records=10: want at least 1000", Options{Records: 10, Rounds: 1, Largest: 10_000}},
		{"rounds", "-rounds=0: want at least 1", Options{Records: 1000, Largest: 10_000}},
		{"largest", "-largest=5: want at least 10000", Options{Records: 1000, Rounds: 1, Largest: 5}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Dir, tt.o.Out, tt.o.Progress = filepath.Join(t.TempDir(), "data"), io.Discard, io.Discard
			if err := Run(t.Context(), tt.o); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if _, err := os.Stat(tt.o.Dir); !os.IsNotExist(err) {
				t.Errorf("it has made its folder: %v", err)
			}
		})
	}
}

func TestDataIsMadeOnceAndWhole(t *testing.T) {
	s := &session{Options: Options{Dir: t.TempDir(), Records: 1000, Progress: io.Discard}}
	names := map[string]bool{}
	for _, data := range []func() (string, error){
		func() (string, error) { return s.plainData(0) },
		func() (string, error) { return s.plainData(dirtyPermille) },
		s.gzipData,
	} {
		path, err := data()
		if err != nil {
			t.Fatal(err)
		}
		names[path] = true
		if err := os.WriteFile(path, []byte("kept"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := data(); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); string(got) != "kept" || err != nil {
			t.Errorf("%s was made again: %v", path, err)
		}
	}
	if len(names) != 3 {
		t.Errorf("files %v, want three", names)
	}
	path := filepath.Join(s.Dir, "broken")
	if err := s.once(path, func(w io.Writer) error { _, _ = io.WriteString(w, "half"); return io.ErrUnexpectedEOF }); err == nil {
		t.Error("a generator's error is lost")
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("half a file has its name: %v", err)
	}
}

func TestFingerprintTellsDataApart(t *testing.T) {
	marks := map[string]int{}
	for _, dirty := range []int{0, 20, 20, 30} {
		mark, err := fingerprint(dirty)
		if err != nil {
			t.Fatal(err)
		}
		marks[mark]++
	}
	if len(marks) != 3 {
		t.Errorf("fingerprints %v, want three", marks)
	}
}

func TestCoinsAreTheSameEveryTime(t *testing.T) {
	var texts [2]bytes.Buffer
	for i := range texts {
		if err := Coins(5, 20, dirtyPermille).Write(&texts[i]); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(texts[0].String(), texts[1].String()); diff != "" {
		t.Error(diff)
	}
}
