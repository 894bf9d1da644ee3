package artifact

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestRelease(t *testing.T) {
	one, two := project(t), project(t)
	build(t, one)
	build(t, two)
	digest, err := Release(one, Dir, AWS)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Release(two, Dir, AWS); err != nil || again != digest || len(digest) != len("sha256:")+64 {
		t.Errorf("the same source gives %s and %s, %v", digest, again, err)
	}
	write(t, two, "shared/datasets/coins.odcs.yaml", "name: coin\n")
	build(t, two)
	other, err := Release(two, Dir, AWS)
	if err != nil || other == digest {
		t.Errorf("another contract gives %s again, %v", other, err)
	}
	for _, test := range []struct{ name, root, digest, want string }{
		{"the same", one, digest, ""},
		{"another", one, other, "are " + digest + ", not " + other},
		{"none", one, "", "the digest to hold the packages against is empty: was this commit ever deployed?"},
		{"none, and nothing is built", t.TempDir(), "", "is empty: was this commit ever deployed?"},
		{"without its kind", one, strings.TrimPrefix(digest, "sha256:"), "is no digest of a release, which is sha256: and 64 hexadecimal digits"},
		{"cut short, and nothing is built", t.TempDir(), digest[:20], "is no digest of a release"},
	} {
		if err := CheckRelease(test.root, Dir, AWS, test.digest); (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	// What was exchanged on its way is no release, whatever its stamp says.
	if err := os.WriteFile(Zip(one, Dir, "process", "coins"), []byte("PK"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckRelease(one, Dir, AWS, digest); err == nil || !strings.Contains(err.Error(), "process-coins.zip is not what was built") {
		t.Errorf("an exchanged zip: %v", err)
	}
}

// What goes to AWS is built by the toolchain that go.mod names, since another gives other bytes; what is tried here need not
// be.
func TestReleaseIsOfTheToolchainThatGoModNames(t *testing.T) {
	t.Setenv("GOTOOLCHAIN", "local") // the go command would fetch what go.mod names
	const module = "module tributary\n\ngo 1.26.0\n"
	for _, test := range []struct{ name, mod, want string }{
		{"none is named", module, ""},
		{"this one", module + "\ntoolchain " + runtime.Version() + "\n", ""},
		{"another", module + "\ntoolchain go1.26.999 // why\n", "this is " + runtime.Version() + ", and go.mod names go1.26.999, without which the same commit gives other bytes: run `export GOTOOLCHAIN=go1.26.999`, then `go tool mage build`"},
	} {
		root := project(t)
		write(t, root, "go.mod", test.mod)
		build(t, root)
		if err := Check(root, Dir, AWS); err != nil {
			t.Errorf("%s: what was built cannot be used: %v", test.name, err)
		}
		digest, err := Release(root, Dir, AWS)
		if err != nil {
			digest = "sha256:" + strings.Repeat("0", 64)
		}
		for _, err := range []error{err, CheckRelease(root, Dir, AWS, digest)} {
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%s: %v, want %q", test.name, err, test.want)
			}
		}
	}
}

// A release comes back from its commit alone, on the machine that built it and on another.
func TestRollBack(t *testing.T) {
	root := project(t)
	run := func(dir string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	release := func(root string) string {
		t.Helper()
		build(t, root)
		digest, err := Release(root, Dir, AWS)
		if err != nil {
			t.Fatal(err)
		}
		return digest
	}
	refused := func(root, digest, want string) {
		t.Helper()
		if err := CheckRelease(root, Dir, AWS, digest); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want it refused with %q", err, want)
		}
	}
	commit := func() string {
		run(root, "add", "-A")
		run(root, "commit", "-q", "-m", "a change")
		return run(root, "rev-parse", "HEAD")
	}
	write(t, root, ".gitignore", ".build/\n")
	run(root, "init", "-q")
	good := commit()
	former := release(root)

	write(t, root, "shared/process/process.go", "package process\n\nconst Faulty = true\n")
	write(t, root, "functions/process/main.go", "package main\n\nimport \"tributary/shared/process\"\n\nfunc main() { println(process.Faulty) }\n")
	write(t, root, "shared/datasets/coins.odcs.yaml", "name: coins\nversion: 2.0.0\n")
	write(t, root, "shared/datasets/more.odcs.yaml", "name: more\n")
	commit()
	faulty := release(root)
	refused(root, former, "are "+faulty+", not "+former)

	run(root, "checkout", "-q", good)
	refused(root, former, "the contract of dataset coins changed since") // the packages are still the faulty ones
	if got := release(root); got != former {
		t.Errorf("the commit gives %s again, want %s", got, former)
	}
	if err := CheckRelease(root, Dir, AWS, former); err != nil {
		t.Error(err)
	}
	refused(root, faulty, "are "+former+", not "+faulty)
	if _, err := os.Stat(Zip(root, Dir, "process", "more")); !os.IsNotExist(err) {
		t.Errorf("the package of the faulty release's dataset: %v, want it gone", err)
	}

	elsewhere := filepath.Join(t.TempDir(), "clone")
	run(root, "clone", "-q", root, elsewhere)
	run(elsewhere, "checkout", "-q", good)
	if got := release(elsewhere); got != former {
		t.Errorf("the commit gives %s in another clone, want %s", got, former)
	}
}
