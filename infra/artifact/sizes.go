package artifact

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
)

// MaxZip is how large a package may be, in bytes: Lambda takes 50 MB, but a start fetches all of it.
const MaxZip = 10 << 20

// String names the package and its sizes.
func (s Size) String() string {
	return fmt.Sprintf("%s  %s (bootstrap %s)", s.Path, mib(s.Zip), mib(s.Bootstrap))
}

// WriteSizes writes a table in Markdown of the packages that Build made. The error names those above MaxZip.
func WriteSizes(out io.Writer, sizes []Size) error {
	text := "| package | zip | limit | function, unpacked |\n|---|---:|---:|---:|\n"
	var errs []error
	for _, s := range sizes {
		name := filepath.Base(s.Path)
		text += fmt.Sprintf("| `%s` | %s | %s | %s |\n", name, mib(s.Zip), mib(MaxZip), mib(s.Bootstrap))
		if s.Zip > MaxZip {
			errs = append(errs, fmt.Errorf("check size of %s: it has %s, at most %s are allowed", name, mib(s.Zip), mib(MaxZip)))
		}
	}
	_, err := io.WriteString(out, text)
	return errors.Join(append(errs, err)...)
}

func mib(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }
