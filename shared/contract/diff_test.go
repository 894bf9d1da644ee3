package contract

import "testing"

// Each case says what the change means, whether the digest moves, and whether it may be published as it is.
func TestDiff(t *testing.T) {
	base, err := Load("testdata/base.odcs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	testEdits(t, "testdata/diff.txt", func(t *testing.T, edited string) []string {
		c, err := Parse("edited", []byte(edited))
		if err != nil {
			t.Fatal(err)
		}
		changes := Diff(base, c)
		var lines []string
		for _, change := range changes {
			kind := "harmless"
			if change.Breaking {
				kind = "BREAKING"
			}
			lines = append(lines, kind+" "+change.String())
		}
		if c.Digest == base.Digest {
			lines = append(lines, "digest: the same")
		} else {
			lines = append(lines, "digest: another")
		}
		if err := Allowed(base, c, changes); err != nil {
			lines = append(lines, "refused: "+err.Error())
		}
		return lines
	})
}

func TestDiffOfTheSame(t *testing.T) {
	contracts, err := LoadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range contracts {
		if changes := Diff(c, c); len(changes) > 0 {
			t.Errorf("%s differs from itself: %v", c.Dataset, changes)
		}
	}
}
