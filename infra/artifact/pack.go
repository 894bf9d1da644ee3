package artifact

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"tributary/shared/settings"
)

const bootstrapName = "bootstrap"

// binary is a function that was compiled before from what would be compiled now; nil where there is none.
func (s stamp) binary(now stamp, dir, function string) ([]byte, error) {
	if s.source != now.source || s.Target != now.Target {
		return nil, nil
	}
	bootstrap, err := os.ReadFile(filepath.Join(dir, function))
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && digestOf(bootstrap) != s.Binaries[function]:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read function %s: %w", function, err)
	}
	return bootstrap, nil
}

// packed is a file of a zip. Functions are large: each is compressed once, and not for every dataset.
type packed struct {
	text, compressed []byte
}

// packed compresses a function, or takes it out of a package that holds it already.
func (s stamp) packed(o Options, function string, binary []byte) (packed, error) {
	p := packed{text: binary}
	if s.Binaries[function] == digestOf(binary) && s.Toolchain == runtime.Version() { // another one may compress in another way
		for dataset := range s.Contracts {
			if body, err := rawBootstrap(Zip(o.Root, o.Dir, function, dataset), binary); err == nil {
				p.compressed = body
				return p, nil
			}
		}
	}
	var err error
	p.compressed, err = deflate(binary)
	return p, err
}

// rawBootstrap reads the function of a package as it is compressed there.
func rawBootstrap(path string, want []byte) (compressed []byte, err error) {
	r, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for _, f := range r.File {
		if f.Name != bootstrapName || f.Method != zip.Deflate || f.UncompressedSize64 != uint64(len(want)) || f.CRC32 != crc32.ChecksumIEEE(want) {
			continue
		}
		raw, err := f.OpenRaw()
		if err != nil {
			return nil, err
		}
		return io.ReadAll(raw)
	}
	return nil, errors.New("it holds another function")
}

func deflate(text []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// ready is a compressor of one text, which is compressed already.
type ready struct {
	out        io.Writer
	compressed []byte
}

func (r ready) Write(text []byte) (int, error) { return len(text), nil }

func (r ready) Close() error {
	_, err := r.out.Write(r.compressed)
	return err
}

// epoch is the time of every file in a zip: the format's earliest, so that no clock is in the bytes.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// writeZip makes a package and returns its size and digest.
func writeZip(path string, bootstrap packed, contract []byte) (Size, string, error) {
	compressed, err := deflate(contract)
	if err != nil {
		return Size{}, "", fmt.Errorf("pack contract: %w", err)
	}
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, file := range []struct {
		name string
		mode os.FileMode
		packed
	}{
		{bootstrapName, 0o755, bootstrap}, // Lambda starts only what is executable
		{settings.ContractFile, 0o644, packed{contract, compressed}},
	} {
		w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
			return ready{out, file.compressed}, nil
		})
		header := &zip.FileHeader{Name: file.name, Method: zip.Deflate, Modified: epoch}
		header.SetMode(file.mode)
		f, err := w.CreateHeader(header)
		if err != nil {
			return Size{}, "", fmt.Errorf("add %s: %w", file.name, err)
		}
		if _, err := f.Write(file.text); err != nil {
			return Size{}, "", fmt.Errorf("add %s: %w", file.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return Size{}, "", fmt.Errorf("close zip: %w", err)
	}
	size := Size{Path: path, Zip: int64(buf.Len()), Bootstrap: int64(len(bootstrap.text))}
	// A zip of the same bytes keeps its time, and whoever watches it keeps quiet.
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, buf.Bytes()) {
		return size, digestOf(buf.Bytes()), nil
	}
	if err := os.WriteFile(path, buf.Bytes(), 0o644); err != nil {
		return Size{}, "", fmt.Errorf("write zip: %w", err)
	}
	return size, digestOf(buf.Bytes()), nil
}
