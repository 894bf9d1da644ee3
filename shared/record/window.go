package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	// pad is how many zero bytes follow the data of a window, so that loads of 8 bytes and the look at the byte behind
	// a value need no check. Zero is no part of any JSON, so every scan stops there.
	pad = 64

	// windowSize is what a window holds of a page whose records are small: it stays in the cache.
	windowSize = 128 << 10
)

var byteOrderMark = []byte("\xef\xbb\xbf")

// errWindowFull says that what is kept has reached the window's limit.
var errWindowFull = errors.New("window full")

// window is the part of a page that is in memory: buf[:end], and pad zeros behind. Positions are indexes into buf.
type window struct {
	src   io.Reader
	buf   []byte
	end   int
	base  int64 // offset of buf[0] in the page
	limit int   // largest size, without the pad
	eof   bool
}

// reset starts a page: with so many bytes in memory at first, and at most limit.
func (w *window) reset(src io.Reader, size, limit int) {
	if len(w.buf) < size+pad {
		w.buf = make([]byte, size+pad)
	}
	w.src, w.end, w.base, w.eof, w.limit = src, 0, 0, false, max(limit, size)
	clear(w.buf[:pad])
}

// more moves buf[keep:end] to the front, fills the room behind it, and says by how much positions moved. The window
// grows only when all of it is kept; at its limit that is errWindowFull. At the end of the page eof is set. Filling it
// whole keeps the cost of large records linear: what is cut at the window's end is scanned again from its start.
func (w *window) more(keep int) (shift int, err error) {
	if keep > 0 {
		copy(w.buf, w.buf[keep:w.end])
		w.end -= keep
		w.base += int64(keep)
	} else if w.end+pad == len(w.buf) {
		if w.end >= w.limit {
			return 0, errWindowFull
		}
		grown := make([]byte, min(2*w.end, w.limit)+pad)
		copy(grown, w.buf[:w.end])
		w.buf = grown
	}
	for idle := 0; w.end < len(w.buf)-pad && !w.eof; {
		n, err := w.src.Read(w.buf[w.end : len(w.buf)-pad])
		w.end += n
		switch {
		case err == io.EOF:
			w.eof = true
		case err != nil:
			return keep, fmt.Errorf("read at byte %d: %w", w.base+int64(w.end), err)
		case n > 0:
			idle = 0
		default:
			if idle++; idle == 100 {
				return keep, io.ErrNoProgress
			}
		}
	}
	clear(w.buf[w.end : w.end+pad])
	return keep, nil
}

// skipMark passes a byte order mark at the start of the page.
func (w *window) skipMark() (int, error) {
	for w.end < len(byteOrderMark) && !w.eof {
		if _, err := w.more(0); err != nil {
			return 0, err
		}
	}
	if bytes.HasPrefix(w.buf[:w.end], byteOrderMark) {
		return len(byteOrderMark), nil
	}
	return 0, nil
}
