package engine

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"tributary/shared/contract"
	"tributary/shared/record"
	"tributary/shared/zone"
)

// StandardInput is the path of what comes through a pipe. It can be read once, so its number of records must be given.
const StandardInput = "-"

func compressed(path string) bool { return strings.HasSuffix(path, ".gz") }

// open gives the file's bytes as they lie there.
func open(path string) (io.ReadCloser, error) {
	if path == StandardInput {
		return io.NopCloser(os.Stdin), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open input: %w", err)
	}
	return f, nil
}

// openText gives the file's records, decompressed where its name ends in .gz.
func openText(path string) (io.ReadCloser, error) {
	f, err := open(path)
	if err != nil || !compressed(path) {
		return f, err
	}
	z, err := gzip.NewReader(bufio.NewReaderSize(f, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("decompress input: %w", err)
	}
	return struct {
		io.Reader
		io.Closer
	}{z, f}, nil
}

// count counts the records, as ingest does for the manifest.
func count(path string, c *contract.Contract) (int64, error) {
	text, err := openText(path)
	if err != nil {
		return 0, err
	}
	defer text.Close()
	n, err := record.Count(text, &c.Source)
	if err != nil {
		return 0, fmt.Errorf("count records: %w", err)
	}
	return n, nil
}

// rawFile is a raw bucket with one object, a file.
type rawFile string

// Get opens the file, whatever the key.
func (f rawFile) Get(context.Context, string, string) (io.ReadCloser, zone.Object, error) {
	body, err := open(string(f))
	return body, zone.Object{}, err
}

// describe is what a manifest says of the file.
func (f rawFile) describe(records int64, at time.Time) (zone.ManifestPage, error) {
	body, err := open(string(f))
	if err != nil {
		return zone.ManifestPage{}, err
	}
	defer body.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, body)
	if err != nil {
		return zone.ManifestPage{}, fmt.Errorf("hash input: %w", err)
	}
	return zone.ManifestPage{
		Page: 1, Key: string(f), Bytes: size, SHA256: hex.EncodeToString(sum.Sum(nil)), Records: records, FetchedAt: at,
	}, nil
}
