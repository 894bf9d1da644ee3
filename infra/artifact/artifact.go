// Package artifact builds the deployment packages of the functions and says whether those at hand are current.
//
// There is one zip for each function and dataset: the compiled function as bootstrap, mode 0755, and the dataset's
// contract beside it. Binaries are the same for all datasets, so a contract change needs no compiler (binaries that are
// of the source as it is now are packaged again), and a new dataset changes nobody else's function. The same source,
// toolchain and target give the same bytes: no times, no paths, no build id.
//
// Build leaves a stamp beside the zips: digests of everything that went into them, and of the zips themselves. Check
// compares it with source, toolchain and zips as they are now, so that nobody deploys the code of yesterday with the
// infrastructure of today, a zip that was damaged or exchanged, or one for another machine. Whatever toolchain is there builds; a Release takes the
// one that go.mod names.
package artifact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"tributary/infra/input"
)

// Dir is where the packages to deploy lie, below the root of the project.
const Dir = ".build/arm64"

// Functions are the functions that every dataset has.
var Functions = []string{"ingest", "process"}

const (
	datasetsDir    = "shared/datasets"
	contractSuffix = ".odcs.yaml"
	stampName      = "stamp.json"
)

// Target is a kind of machine, in Go's terms.
type Target struct {
	OS   string `json:"goos"`
	Arch string `json:"goarch"`
}

func (t Target) String() string { return t.OS + "/" + t.Arch }

// AWS is what the functions run on when they are deployed.
var AWS = Target{"linux", "arm64"}

// Host is this machine.
func Host() Target { return Target{runtime.GOOS, runtime.GOARCH} }

// Options say what to build for which machine.
type Options struct {
	Root     string // of the project
	Dir      string // for the zips, below Root
	Target   Target
	Progress func(line string) // optional: what is being done, while it takes long
}

// Size is a package that was built.
type Size struct {
	Path           string
	Zip, Bootstrap int64 // bytes
}

// Zip is the path of a function's deployment package for a dataset.
func Zip(root, dir, function, dataset string) string {
	return filepath.Join(root, dir, function+"-"+dataset+".zip")
}

// Build compiles the functions and packages them for every dataset of the project.
func Build(ctx context.Context, o Options) ([]Size, error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	contracts, err := contractFiles(o.Root)
	if err != nil {
		return nil, err
	}
	from, err := readSource(o.Root)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(o.Root, o.Dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create folder %s: %w", dir, input.Plain(err))
	}
	// The stamp goes first: a build that dies half-way must not look current.
	stampPath := filepath.Join(dir, stampName)
	former, _ := readStamp(stampPath) // none, or one that cannot be read, is that of nothing
	if err := os.Remove(stampPath); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove stamp: %w", err)
	}

	made := stamp{source: from, Target: o.Target, Binaries: map[string]string{}, Contracts: map[string]string{}, Zips: map[string]string{}}
	var sizes []Size
	for _, function := range Functions {
		binary, err := former.binary(made, dir, function)
		if err == nil && binary == nil {
			binary, err = compile(ctx, o, function, from.revision())
		}
		if err != nil {
			return nil, err
		}
		made.Binaries[function] = digestOf(binary)
		bootstrap, err := former.packed(o, function, binary)
		if err != nil {
			return nil, fmt.Errorf("pack function %s: %w", function, err)
		}
		for _, c := range contracts {
			size, digest, err := writeZip(Zip(o.Root, o.Dir, function, c.dataset), bootstrap, c.text)
			if err != nil {
				return nil, fmt.Errorf("package function %s of %s: %w", function, c.dataset, err)
			}
			sizes = append(sizes, size)
			made.Contracts[c.dataset], made.Zips[filepath.Base(size.Path)] = c.digest, digest
		}
	}
	if err := removeOthers(dir, sizes); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(made, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode stamp: %w", err)
	}
	if err := os.WriteFile(stampPath, append(text, '\n'), 0o644); err != nil {
		return nil, fmt.Errorf("write stamp: %w", err)
	}
	return sizes, nil
}

func compile(ctx context.Context, o Options, function, revision string) ([]byte, error) {
	binary := filepath.Join(o.Root, o.Dir, function)
	err := Compile(ctx, CompileOptions{
		Root: o.Root, Package: "./functions/" + function, Output: binary, GOOS: o.Target.OS, GOARCH: o.Target.Arch,
		Tags: "lambda.norpc", Reproducible: true,
		LDFlags: "-s -w -buildid= -X tributary/shared/process.revision=" + revision + "-" + o.Target.Arch,
		Progress: func(done, total int) {
			o.Progress(fmt.Sprintf("compiling %s for %s: package %d of at most %d", function, o.Target, done, total))
		},
	})
	if err != nil {
		return nil, fmt.Errorf("build function %s: %w", function, err)
	}
	bootstrap, err := os.ReadFile(binary)
	if err != nil {
		return nil, fmt.Errorf("read function %s: %w", function, err)
	}
	return bootstrap, nil
}

// Check says whether the packages below dir are there for every dataset, made for the machine that is asked for and from
// source, contracts and toolchain as they are now, and as Build left them. The error is a sentence for whoever deploys,
// with every reason.
func Check(root, dir string, target Target) error {
	remedy := "run `go tool mage build`"
	if dir != Dir {
		remedy = "build them again" // whoever has a folder of their own knows how
	}
	made, err := readStamp(filepath.Join(root, dir, stampName))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("deployment packages are missing in %s: %s", dir, remedy)
	}
	if err != nil {
		return fmt.Errorf("deployment packages in %s have a broken stamp (%w): %s", dir, err, remedy)
	}
	now, err := readSource(root)
	if err != nil {
		return err
	}
	contracts, err := contractFiles(root)
	if err != nil {
		return err
	}
	reasons := made.changes(now)
	if made.Target != target {
		reasons = append(reasons, fmt.Sprintf("they are for %s, not for %s", made.Target, target))
	}
	for _, c := range contracts {
		faults, err := made.faults(root, dir, c)
		if err != nil {
			return err
		}
		reasons = append(reasons, faults...)
	}
	if len(reasons) > 0 {
		return fmt.Errorf("deployment packages in %s cannot be used: %s: %s", dir, strings.Join(reasons, "; "), remedy)
	}
	return nil
}

// stamp is what Build says of the packages it made.
type stamp struct {
	source
	Target
	Binaries  map[string]string `json:"binaries"`  // function → digest
	Contracts map[string]string `json:"contracts"` // dataset → digest of the file
	Zips      map[string]string `json:"zips"`      // name → digest
}

func readStamp(path string) (stamp, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return stamp{}, err
	}
	var s stamp
	return s, json.Unmarshal(text, &s)
}

// faults are what is wrong with the packages of one dataset.
func (s stamp) faults(root, dir string, c contractFile) ([]string, error) {
	switch s.Contracts[c.dataset] {
	case c.digest:
	case "":
		return []string{fmt.Sprintf("there are none for dataset %s", c.dataset)}, nil
	default:
		return []string{fmt.Sprintf("the contract of dataset %s changed since", c.dataset)}, nil
	}
	var faults []string
	for _, function := range Functions {
		path := Zip(root, dir, function, c.dataset)
		text, err := os.ReadFile(path)
		switch name := filepath.Base(path); {
		case errors.Is(err, os.ErrNotExist):
			faults = append(faults, name+" is missing")
		case err != nil:
			return nil, fmt.Errorf("read deployment package: %w", err)
		case digestOf(text) != s.Zips[name]:
			faults = append(faults, name+" is not what was built")
		}
	}
	return faults, nil
}

type contractFile struct {
	dataset, digest string
	text            []byte
}

func contractFiles(root string) ([]contractFile, error) {
	paths, err := filepath.Glob(filepath.Join(root, datasetsDir, "*"+contractSuffix))
	if err != nil {
		return nil, fmt.Errorf("list contracts: %w", err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("list contracts: no *%s in %s", contractSuffix, filepath.Join(root, datasetsDir))
	}
	files := make([]contractFile, len(paths))
	for i, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read contract: %w", err)
		}
		files[i] = contractFile{
			dataset: strings.TrimSuffix(filepath.Base(path), contractSuffix),
			digest:  digestOf(text),
			text:    text,
		}
	}
	return files, nil
}

// removeOthers deletes zips of datasets that are no more.
func removeOthers(dir string, keep []Size) error {
	paths, err := filepath.Glob(filepath.Join(dir, "*.zip"))
	if err != nil {
		return fmt.Errorf("list packages: %w", err)
	}
	for _, path := range paths {
		if slices.ContainsFunc(keep, func(s Size) bool { return s.Path == path }) {
			continue
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove package of a former dataset: %w", err)
		}
	}
	return nil
}
