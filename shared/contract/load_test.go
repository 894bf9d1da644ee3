package contract

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const datasets = "../datasets"

func TestDatasetsLoad(t *testing.T) {
	contracts, err := LoadDir(datasets)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range contracts {
		if len(c.Digest) != 64 || len(c.Columns) == 0 {
			t.Errorf("%s: digest %q, %d columns", c.File, c.Digest, len(c.Columns))
		}
	}
}

func TestLoadDirSortsByDataset(t *testing.T) {
	contracts, err := LoadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range contracts {
		got = append(got, c.Dataset+" "+c.Version.String())
	}
	want := []string{"base 1.0.0", "earthquakes 1.2.3", "full 1.0.0", "orders 2.1.0", "sensor_readings 1.0.0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("contracts (-want +got):\n%s", diff)
	}
}

func TestLoadDirRefusesNamesThatTwoClaim(t *testing.T) {
	base := readFile(t, "testdata/base.odcs.yaml")
	for _, tc := range []struct {
		name  string
		edits []string // of the second contract: old, new, …
		want  []string
	}{
		{
			name: "all",
			want: []string{
				"b.odcs.yaml:3:1: id: the id base is taken by a.odcs.yaml: choose another",
				"b.odcs.yaml:12:1: schema[0].name: the dataset base is taken by a.odcs.yaml: choose another",
				"b.odcs.yaml:12:1: schema[0].name: the table of rejects base_rejects is taken by a.odcs.yaml: choose another",
				"b.odcs.yaml:12:1: schema[0].name: the view base_latest is taken by a.odcs.yaml: choose another",
				"b.odcs.yaml:13:1: schema[0].physicalName: the table base is taken by a.odcs.yaml: choose another",
			},
		},
		{
			name:  "a table and another's view",
			edits: []string{"id: base", "id: other", "- name: base", "- name: other", "physicalName: base", "physicalName: base_latest", "lake/base/", "lake/base_latest/"},
			want:  []string{"a.odcs.yaml:12:1: schema[0].name: the view base_latest is taken by b.odcs.yaml: choose another"},
		},
		{
			name:  "broken files are reported together with the rest",
			edits: []string{"id: base", "id: []", "status: active", "status: lost"},
			want: []string{
				`b.odcs.yaml:3:5: id: is a list; want a text`,
				`b.odcs.yaml:6:9: status: is the text "lost"; want proposed, draft, active, deprecated or retired`,
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			write("a.odcs.yaml", base)
			second := base
			for i := 0; i < len(tc.edits); i += 2 {
				second = strings.Replace(second, tc.edits[i], tc.edits[i+1], 1)
			}
			write("b.odcs.yaml", second)
			write("notes.yaml", "not: a contract")
			_, err := LoadDir(dir)
			var faults Faults
			if !errors.As(err, &faults) {
				t.Fatalf("LoadDir: %v, want Faults", err)
			}
			got := strings.Split(strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ""), "\n")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
}

// A file whose name is nearly right would be left out in silence.
func TestLoadDirRefusesNamesThatAreNearlyRight(t *testing.T) {
	dir := t.TempDir()
	for name, from := range map[string]string{"a.odcs.yaml": "testdata/base.odcs.yaml", "b.odcs.yml": "testdata/orders.odcs.yaml"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(readFile(t, from)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := LoadDir(dir)
	want := filepath.Join(dir, "b.odcs.yml") + ":1:1: is not read: contracts are called *.odcs.yaml; rename the file"
	if err == nil || err.Error() != want {
		t.Errorf("LoadDir: %v, want %s", err, want)
	}
}

func TestLoadSaysWhatItCannotRead(t *testing.T) {
	if _, err := Load("testdata/absent.odcs.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load: %v, want %v", err, fs.ErrNotExist)
	}
	if _, err := LoadDir(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no *.odcs.yaml") {
		t.Errorf("LoadDir of an empty directory: %v", err)
	}
}

func TestVersions(t *testing.T) {
	for _, tc := range []struct {
		older, newer string
	}{
		{"1.9.0", "1.10.0"},
		{"1.0.9", "1.0.10"},
		{"9.9.9", "10.0.0"},
	} {
		older, err := ParseVersion(tc.older)
		if err != nil {
			t.Fatal(err)
		}
		newer, err := ParseVersion(tc.newer)
		if err != nil {
			t.Fatal(err)
		}
		if older.Compare(newer) >= 0 || newer.Compare(older) <= 0 || newer.Compare(newer) != 0 {
			t.Errorf("%s is not before %s", older, newer)
		}
		if newer.String() != tc.newer {
			t.Errorf("String() = %s, want %s", newer, tc.newer)
		}
	}
	for _, text := range []string{"", "1", "1.0", "1.0.0.0", "v1.0.0", "01.0.0", "1.0.0-rc1", "1.0.9999999999", "1.0.-1", " 1.0.0"} {
		if v, err := ParseVersion(text); err == nil {
			t.Errorf("ParseVersion(%q) = %s, want an error", text, v)
		}
	}
}

// What a Lambda does with the contract before it takes its first event.
func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(datasets + "/coin_markets.odcs.yaml"); err != nil {
			b.Fatal(err)
		}
	}
}
