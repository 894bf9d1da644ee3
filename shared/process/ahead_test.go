package process

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/iotest"
)

func TestReadAheadChangesNothing(t *testing.T) {
	if runtime.GOMAXPROCS(0) == 1 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	}
	data := make([]byte, 3*aheadBlock+17)
	for i := range data {
		data[i] = byte(i * i >> 3)
	}
	broken := errors.New("broken")
	tests := []struct {
		name string
		size int
		err  error // that ends it
	}{
		{"nothing", 0, io.EOF},
		{"less than a block", 100, io.EOF},
		{"a whole block", aheadBlock, io.EOF},
		{"several blocks", len(data), io.EOF},
		{"a fault at once", 0, broken},
		{"a fault within a block", aheadBlock + 1, broken},
		{"a compressed page that ends too early", aheadBlock + 1, io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			content, stop := readAhead(io.MultiReader(iotest.HalfReader(bytes.NewReader(data[:tt.size])), iotest.ErrReader(tt.err)))
			defer stop()
			var got []byte
			var err error
			for buf := make([]byte, 1000); err == nil; {
				var n int
				n, err = content.Read(buf)
				got = append(got, buf[:n]...)
			}
			if !bytes.Equal(got, data[:tt.size]) || !errors.Is(err, tt.err) {
				t.Errorf("got %d bytes and %v, want the first %d and %v", len(got), err, tt.size, tt.err)
			}
			if _, again := content.Read(make([]byte, 1)); !errors.Is(again, tt.err) {
				t.Errorf("then %v, want %v again", again, tt.err)
			}
		})
	}
}

func TestReadAheadStops(t *testing.T) {
	if runtime.GOMAXPROCS(0) == 1 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	}
	src := &endless{}
	content, stop := readAhead(src)
	if _, err := io.ReadFull(content, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	stop()
	before := src.read // nobody else reads any more: the race detector would tell
	if limit := (aheadBlocks + 2) * aheadBlock; before > limit {
		t.Errorf("%d bytes were read ahead, want at most %d", before, limit)
	}
	stop()
}

// endless is a source without end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}
