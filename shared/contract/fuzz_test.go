package contract

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// Parse answers any text with a contract, which then passes the official schema, or with faults that have a place.
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
	schema := officialSchema(f)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse("f", []byte(text))
		if err == nil {
			if document, err := asJSON(text); err != nil {
				t.Errorf("accepted, but not read by others: %v", err)
			} else if err := schema.Validate(document); err != nil {
				t.Errorf("accepted, but not by the official schema: %v", err)
			}
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

// A time that a pattern writes is read by it again, as the same time as far as the pattern tells.
func FuzzDatePattern(f *testing.F) {
	for _, pattern := range []string{
		"yyyy-MM-dd", "dd.MM.yyyy HH:mm", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "EEE, dd MMM yyyy HH:mm:ss Z", "M/d/yyyy h:mm a",
		"yyyyMMddHHmmss", "d MMMM uuuu", "yyyy''MM''dd", "yyyyMMM'ember'dd", "ss.SSSdd", "yyyyMd",
	} {
		f.Add(pattern, int64(1741099550155))
	}
	f.Fuzz(func(t *testing.T, pattern string, ms int64) {
		p, err := compilePattern(pattern)
		if err != nil || !p.date {
			return
		}
		at := time.UnixMilli(ms).UTC()
		if at.Year() < 1 || at.Year() > 9999 {
			return
		}
		form := TimeFormat{Pattern: pattern, Layout: p.layout, Zone: time.UTC}
		text := at.Format(p.layout)
		again, err := form.Parse(text)
		if err != nil {
			t.Fatalf("%q writes %q and does not read it: %v", pattern, text, err)
		}
		if again.Format(p.layout) != text {
			t.Errorf("%q reads %q as %s", pattern, text, again)
		}
	})
}
