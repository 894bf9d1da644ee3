package contract

import (
	"strings"
	"testing"
)

func TestFaults(t *testing.T) {
	testEdits(t, "testdata/faults.txt", func(_ *testing.T, edited string) []string {
		_, err := Parse("f", []byte(edited))
		if err == nil {
			return nil
		}
		lines := strings.Split(err.Error(), "\n")
		for i, line := range lines {
			lines[i] = strings.TrimPrefix(line, "f:")
		}
		return lines
	})
}
