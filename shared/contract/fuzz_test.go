package contract

import (
	"errors"
	"strings"
	"testing"
)

// Parse answers any text with a contract or with faults that have a place, and takes its own files.
//
// Run it with -fuzzminimizetime 5x: CEL's caches make coverage differ between runs of one input, which keeps the minimizer
// busy for its whole default minute.
func FuzzParse(f *testing.F) {
	for _, path := range every(f) {
		f.Add(readFile(f, path))
	}
	base := readFile(f, "testdata/base.odcs.yaml")
	for _, c := range readEditCases(f, "testdata/faults.txt") {
		text := base
		for _, edit := range c.edits {
			text = strings.Replace(text, edit[0], edit[1], 1)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse("f", []byte(text))
		if err == nil {
			if len(c.Digest) != 64 || len(Leaves(c.Columns)) == 0 || c.Source.URLs == nil || c.Schedule.Expression == "" {
				t.Errorf("accepted, but incomplete: %+v", c)
			}
			if changes := Diff(c, c); len(changes) > 0 {
				t.Errorf("differs from itself: %v", changes)
			}
			return
		}
		var faults Faults
		if !errors.As(err, &faults) || len(faults) == 0 {
			t.Fatalf("error is no Faults: %v", err)
		}
		for _, fault := range faults {
			if fault.File != "f" || fault.Line < 1 || fault.Column < 1 || fault.Message == "" {
				t.Errorf("fault without a place or a message: %+v", fault)
			}
		}
	})
}
