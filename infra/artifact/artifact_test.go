package artifact

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// project writes a small project with the layout of this one: two functions and two datasets.
func project(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for path, text := range map[string]string{
		"go.mod":                           "module tributary\n\ngo 1.26\n",
		"go.sum":                           "",
		"functions/ingest/main.go":         "package main\n\nfunc main() { println(\"ingest\") }\n",
		"functions/process/main.go":        "package main\n\nfunc main() { println(\"process\") }\n",
		"shared/process/process.go":        "package process\n",
		"shared/datasets/coins.odcs.yaml":  "name: coins\n",
		"shared/datasets/orders.odcs.yaml": "name: orders\n",
	} {
		write(t, root, path, text)
	}
	return root
}

func write(t *testing.T, root, path, text string) {
	t.Helper()
	full := filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func build(t *testing.T, root string) []Size {
	t.Helper()
	sizes, err := Build(t.Context(), Options{Root: root, Dir: Dir, Target: AWS})
	if err != nil {
		t.Fatal(err)
	}
	return sizes
}

func TestBuildPackagesEveryFunctionForEveryDataset(t *testing.T) {
	root := project(t)
	var got []string
	for _, s := range build(t, root) {
		relative, err := filepath.Rel(root, s.Path)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, filepath.ToSlash(relative))
		if s.Zip == 0 || s.Bootstrap == 0 {
			t.Errorf("%s: sizes %d, %d", relative, s.Zip, s.Bootstrap)
		}
	}
	want := []string{Dir + "/ingest-coins.zip", Dir + "/ingest-orders.zip", Dir + "/process-coins.zip", Dir + "/process-orders.zip"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}

	r, err := zip.OpenReader(Zip(root, Dir, "process", "orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	modes := map[string]os.FileMode{}
	for _, f := range r.File {
		modes[f.Name] = f.Mode()
	}
	if diff := cmp.Diff(map[string]os.FileMode{"bootstrap": 0o755, "contract.odcs.yaml": 0o644}, modes); diff != "" {
		t.Errorf("files in the zip (-want +got):\n%s", diff)
	}
}

func TestBuildGivesTheSameBytesInAnotherFolder(t *testing.T) {
	one, two := project(t), project(t)
	build(t, one)
	build(t, two)
	for _, function := range Functions {
		a, b := read(t, Zip(one, Dir, function, "coins")), read(t, Zip(two, Dir, function, "coins"))
		if !bytes.Equal(a, b) {
			t.Errorf("%s: %d and %d bytes differ", function, len(a), len(b))
		}
	}
}

// What is compiled already from the source as it is now is packaged and not compiled again; nothing else is.
func TestBuildCompilesWhatChanged(t *testing.T) {
	built := project(t)
	build(t, built)
	for _, test := range []struct {
		name   string
		change func(t *testing.T, root string)
		want   int // functions that are compiled
	}{
		{"nothing", func(*testing.T, string) {}, 0},
		{"a contract", func(t *testing.T, root string) { write(t, root, "shared/datasets/coins.odcs.yaml", "name: coin\n") }, 0},
		{"source", func(t *testing.T, root string) {
			write(t, root, "shared/process/process.go", "package process // new\n")
		}, 2},
		{"the machine", func(t *testing.T, root string) {
			stamp := string(read(t, filepath.Join(root, Dir, stampName)))
			write(t, root, Dir+"/"+stampName, strings.Replace(stamp, "arm64", "amd64", 1))
		}, 2},
		{"a binary", func(t *testing.T, root string) {
			write(t, root, Dir+"/ingest", string(read(t, filepath.Join(root, Dir, "ingest")))+"x")
		}, 1},
		{"a binary is gone", func(t *testing.T, root string) {
			if err := os.Remove(filepath.Join(root, Dir, "process")); err != nil {
				t.Fatal(err)
			}
		}, 1},
		{"the stamp is broken", func(t *testing.T, root string) { write(t, root, Dir+"/"+stampName, "{") }, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.CopyFS(root, os.DirFS(built)); err != nil {
				t.Fatal(err)
			}
			test.change(t, root)
			before := time.Unix(1, 0)
			for _, function := range Functions {
				if err := os.Chtimes(filepath.Join(root, Dir, function), before, before); err != nil && !os.IsNotExist(err) {
					t.Fatal(err)
				}
			}
			build(t, root)
			compiled := 0
			for _, function := range Functions {
				info, err := os.Stat(filepath.Join(root, Dir, function))
				if err != nil {
					t.Fatal(err)
				}
				if !info.ModTime().Equal(before) {
					compiled++
				}
			}
			if compiled != test.want {
				t.Errorf("%d functions were compiled, want %d", compiled, test.want)
			}
			for _, function := range Functions {
				if got := unpacked(t, Zip(root, Dir, function, "coins"), bootstrapName); !bytes.Equal(got, read(t, filepath.Join(root, Dir, function))) {
					t.Errorf("the package of %s holds another function", function)
				}
			}
			if got, want := unpacked(t, Zip(root, Dir, "ingest", "coins"), "contract.odcs.yaml"), read(t, filepath.Join(root, "shared/datasets/coins.odcs.yaml")); !bytes.Equal(got, want) {
				t.Errorf("the package holds the contract %q, want %q", got, want)
			}
			if err := Check(root, Dir, AWS); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBuildRemovesThePackagesOfAFormerDataset(t *testing.T) {
	root := project(t)
	build(t, root)
	if err := os.Remove(filepath.Join(root, "shared/datasets/orders.odcs.yaml")); err != nil {
		t.Fatal(err)
	}
	build(t, root)
	if _, err := os.Stat(Zip(root, Dir, "process", "orders")); !os.IsNotExist(err) {
		t.Errorf("package of the removed dataset: %v, want it gone", err)
	}
}

func TestCheckTellsWhatToDo(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, root string)
		target Target
		want   []string // none is no error
	}{
		{"current", func(*testing.T, string) {}, AWS, nil},
		{"a test was added", func(t *testing.T, root string) { write(t, root, "shared/process/process_test.go", "package process\n") }, AWS, nil},
		{"source changed", func(t *testing.T, root string) {
			write(t, root, "shared/process/process.go", "package process // new\n")
		}, AWS, []string{"cannot be used: functions/ or shared/ changed since: run"}},
		{"dependency changed", func(t *testing.T, root string) { write(t, root, "go.sum", "x\n") }, AWS, []string{"cannot be used: go.mod or go.sum changed since: run"}},
		{"another Go", func(t *testing.T, root string) {
			stamp := string(read(t, filepath.Join(root, Dir, stampName)))
			write(t, root, Dir+"/"+stampName, strings.Replace(stamp, runtime.Version(), "go1.1", 1))
		}, AWS, []string{`cannot be used: they were built with "go1.1", and Go is now ` + runtime.Version() + ": run"}},
		{"another machine", func(*testing.T, string) {}, Target{"linux", "amd64"}, []string{"cannot be used: they are for linux/arm64, not for linux/amd64: run"}},
		{"contract changed", func(t *testing.T, root string) { write(t, root, "shared/datasets/coins.odcs.yaml", "name: coin\n") }, AWS, []string{"the contract of dataset coins changed since"}},
		{"dataset added", func(t *testing.T, root string) { write(t, root, "shared/datasets/new.odcs.yaml", "name: new\n") }, AWS, []string{"there are none for dataset new"}},
		{"package removed", func(t *testing.T, root string) {
			if err := os.Remove(Zip(root, Dir, "ingest", "coins")); err != nil {
				t.Fatal(err)
			}
		}, AWS, []string{"ingest-coins.zip is missing"}},
		{"package damaged", func(t *testing.T, root string) {
			text := read(t, Zip(root, Dir, "ingest", "coins"))
			text[len(text)/2] ^= 1
			write(t, root, Dir+"/ingest-coins.zip", string(text))
		}, AWS, []string{"cannot be used: ingest-coins.zip is not what was built: run"}},
		{"packages exchanged", func(t *testing.T, root string) {
			coins, orders := read(t, Zip(root, Dir, "process", "coins")), read(t, Zip(root, Dir, "process", "orders"))
			write(t, root, Dir+"/process-coins.zip", string(orders))
			write(t, root, Dir+"/process-orders.zip", string(coins))
		}, AWS, []string{"process-coins.zip is not what was built; process-orders.zip is not what was built"}},
		{"much at once", func(t *testing.T, root string) {
			write(t, root, "functions/ingest/main.go", "package main\n")
			write(t, root, "go.mod", "module tributary\n")
			write(t, root, Dir+"/ingest-orders.zip", "")
		}, Host(), []string{"functions/ or shared/ changed since; go.mod or go.sum changed since; ", "ingest-orders.zip is not what was built"}},
		{"nothing built", func(t *testing.T, root string) {
			if err := os.RemoveAll(filepath.Join(root, Dir)); err != nil {
				t.Fatal(err)
			}
		}, AWS, []string{"missing"}},
		{"broken stamp", func(t *testing.T, root string) { write(t, root, Dir+"/stamp.json", "{") }, AWS, []string{"broken stamp"}},
	}
	built := project(t)
	build(t, built)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.CopyFS(root, os.DirFS(built)); err != nil {
				t.Fatal(err)
			}
			tt.change(t, root)
			err := Check(root, Dir, tt.target)
			if len(tt.want) == 0 && err != nil {
				t.Errorf("got %v, want no error", err)
			}
			if len(tt.want) > 0 && err == nil {
				t.Fatalf("got no error, want one with %q", tt.want)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "go tool mage build") {
					t.Errorf("got %q, want it to say %q and the command", err, want)
				}
			}
		})
	}
}

func TestCompileSaysWhatIsWrong(t *testing.T) {
	root := project(t)
	write(t, root, "functions/ingest/main.go", "package main\n\nfunc main() { undefined() }\n")
	_, err := Build(t.Context(), Options{Root: root, Dir: Dir, Target: Host()})
	if err == nil || !strings.Contains(err.Error(), "undefined: undefined") {
		t.Errorf("got %v, want the compiler's complaint", err)
	}
	if Check(root, Dir, Host()) == nil {
		t.Error("packages look current after a failed build")
	}
}

func TestFollowTellsPackagesFromComplaints(t *testing.T) {
	out := "go: downloading example.com/a v1.0.0\ninternal/abi\nruntime\n# tributary/functions/ingest\nmain.go:3:2: undefined: x\n"
	var counts []int
	complaints := follow(strings.NewReader(out), func(done int) { counts = append(counts, done) })
	if diff := cmp.Diff([]int{1, 2}, counts); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("# tributary/functions/ingest\nmain.go:3:2: undefined: x\n", complaints); diff != "" {
		t.Errorf("complaints (-want +got):\n%s", diff)
	}
}

func unpacked(t *testing.T, path, name string) []byte {
	t.Helper()
	r, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	file, err := r.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(file) // checks the CRC as well
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
