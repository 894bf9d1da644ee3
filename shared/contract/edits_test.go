package contract

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// An edit of base.odcs.yaml and what follows from it, as faults.txt and diff.txt hold them:
//
//	== name
//	- text that stands in the base once
//	+ text that takes its place
//	a line of the result
//
// Several edits may follow each other, and an edit may have several lines of each kind.
type editCase struct {
	name  string
	edits [][2]string
	want  []string
	block []string // the lines up to the result
}

func readEditCases(t testing.TB, path string) []editCase {
	t.Helper()
	var cases []editCase
	for line := range strings.SplitSeq(strings.TrimSuffix(readFile(t, path), "\n"), "\n") {
		if name, ok := strings.CutPrefix(line, "== "); ok {
			cases = append(cases, editCase{name: name, block: []string{line}})
			continue
		}
		if line == "" {
			continue
		}
		c := &cases[len(cases)-1]
		sign, text := line[0], strings.TrimPrefix(line[1:], " ")
		switch n := len(c.edits) - 1; {
		case sign == '-' && (n < 0 || c.edits[n][1] != ""):
			c.edits = append(c.edits, [2]string{text, ""})
		case sign == '-':
			c.edits[n][0] += "\n" + text
		case sign == '+' && c.edits[n][1] == "":
			c.edits[n][1] = text
		case sign == '+':
			c.edits[n][1] += "\n" + text
		default:
			c.want = append(c.want, line)
			continue
		}
		c.block = append(c.block, line)
	}
	return cases
}

// testEdits runs the cases of a file: result says what follows from the edited base, one line each. With -update it
// writes what follows into the file.
func testEdits(t *testing.T, path string, result func(t *testing.T, edited string) []string) {
	base := readFile(t, "testdata/base.odcs.yaml")
	var golden strings.Builder
	for _, c := range readEditCases(t, path) {
		t.Run(c.name, func(t *testing.T) {
			text := base
			for _, edit := range c.edits {
				if n := strings.Count(text, edit[0]); n != 1 {
					t.Fatalf("the base has %q %d times", edit[0], n)
				}
				text = strings.Replace(text, edit[0], edit[1], 1)
			}
			got := result(t, text)
			if len(got) == 0 {
				t.Fatal("nothing follows from the edit")
			}
			if *update {
				fmt.Fprintf(&golden, "%s\n%s\n\n", strings.Join(c.block, "\n"), strings.Join(got, "\n"))
				return
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(path, []byte(strings.TrimSuffix(golden.String(), "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
