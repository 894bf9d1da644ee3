package bench

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/gzip"

	"tributary/infra/local/api"
)

// dirtyPermille is how many of a thousand records of a dirty file have a fault.
const dirtyPermille = 20

// Coins are the records that everything is measured with.
func Coins(first, count, dirty int) api.Bulk {
	return api.Bulk{First: first, Count: count, Seed: 1, At: time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC), DirtyPermille: dirty}
}

// plainData makes a file of the session's records, once.
func (s *session) plainData(dirty int) (string, error) {
	mark, err := fingerprint(dirty)
	if err != nil {
		return "", err
	}
	path := filepath.Join(s.Dir, fmt.Sprintf("coins-%d-%s.ndjson", s.Records, mark))
	return path, s.once(path, Coins(0, s.Records, dirty).Write)
}

// gzipData makes the same file compressed, once.
func (s *session) gzipData() (string, error) {
	plain, err := s.plainData(0)
	if err != nil {
		return "", err
	}
	return plain + ".gz", s.once(plain+".gz", func(w io.Writer) error {
		f, err := os.Open(plain)
		if err != nil {
			return fmt.Errorf("open data: %w", err)
		}
		defer f.Close()
		z := gzip.NewWriter(w)
		if _, err := io.Copy(z, f); err != nil {
			return fmt.Errorf("compress data: %w", err)
		}
		return z.Close()
	})
}

// fingerprint tells files of different generators apart.
func fingerprint(dirty int) (string, error) {
	var sample bytes.Buffer
	if err := Coins(0, 1000, dirty).Write(&sample); err != nil {
		return "", err
	}
	sum := sha256.Sum256(sample.Bytes())
	return fmt.Sprintf("%x", sum[:4]), nil
}

// once makes a file unless it is there; a half-made one never has its name.
func (s *session) once(path string, write func(io.Writer) error) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	s.progress("making %s", path)
	f, err := os.Create(path + ".part")
	if err != nil {
		return fmt.Errorf("create data: %w", err)
	}
	defer f.Close()
	if err := write(f); err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("close data: %w", err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		return fmt.Errorf("name data: %w", err)
	}
	return nil
}
