package process

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"tributary/shared/record"
	"tributary/shared/zone"
)

// maxWindow bounds the memory of a zstd page.
const maxWindow = 8 << 20

var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// outOfTimeError says that the invocation would not end within the function's time limit.
type outOfTimeError struct{ page int }

func (e *outOfTimeError) Error() string {
	return fmt.Sprintf("read page %d: the run takes longer than the function may run; give it more time or memory, or split the run", e.page)
}

// readPage passes one raw page to the reader and holds it against the manifest. What is wrong with the page itself is a
// *record.UnreadableError; every other error is a fault of the transfer.
func (j *job) readPage(ctx context.Context, reader *record.Reader, page zone.ManifestPage) error {
	body, _, err := j.Raw.Get(ctx, page.Key, page.Version)
	if errors.Is(err, zone.ErrNotFound) {
		return &record.UnreadableError{Page: page.Page, Reason: fmt.Sprintf("raw object %s version %q is missing", page.Key, page.Version)}
	}
	if err != nil {
		return fmt.Errorf("read page %d: %w", page.Page, err)
	}
	raw := &transfer{src: body, hash: sha256.New(), deadline: j.deadline, now: j.Now, page: page.Page}
	err = readBody(reader, page, raw)
	// A page that cannot be read may have been changed: the rest of it is needed to tell.
	if _, drained := io.Copy(io.Discard, raw); raw.err != nil {
		err = fmt.Errorf("read page %d from %s: %w", page.Page, page.Key, drained)
	} else if sum := hex.EncodeToString(raw.hash.Sum(nil)); raw.size != page.Bytes || sum != page.SHA256 {
		err = &record.UnreadableError{Page: page.Page, Reason: fmt.Sprintf(
			"raw object %s has %d bytes with SHA-256 %s, and the manifest says %d with %s", page.Key, raw.size, sum, page.Bytes, page.SHA256)}
	}
	if closed := body.Close(); closed != nil && err == nil {
		err = fmt.Errorf("close page %d: %w", page.Page, closed)
	}
	return err
}

func readBody(reader *record.Reader, page zone.ManifestPage, raw *transfer) error {
	content, done, err := decompress(raw)
	if err != nil {
		return &record.UnreadableError{Page: page.Page, Reason: err.Error()}
	}
	defer done()
	if page.Bytes > aheadBlock {
		var stop func()
		content, stop = readAhead(content)
		defer stop()
	}
	input := &decompressed{src: content, raw: raw, page: page.Page}
	return reader.Page(record.Page{Number: page.Page, FetchedAt: page.FetchedAt, Records: page.Records}, input)
}

// transfer is the raw body: it knows what has come through, and keeps the fault that ended it.
type transfer struct {
	src      io.Reader
	hash     hash.Hash
	size     int64
	err      error
	deadline time.Time
	now      func() time.Time
	page     int
}

func (t *transfer) Read(p []byte) (int, error) {
	if t.err != nil {
		return 0, t.err
	}
	if t.err = t.late(); t.err != nil {
		return 0, t.err
	}
	n, err := t.src.Read(p)
	t.hash.Write(p[:n])
	t.size += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		t.err = err
	}
	return n, err
}

// late says whether the time for reading is over.
func (t *transfer) late() error {
	if !t.deadline.IsZero() && !t.now().Before(t.deadline) {
		return &outOfTimeError{page: t.page}
	}
	return nil
}

// decompressed turns what is wrong with the compression into what is wrong with the page. It looks at the time itself:
// one read of the raw page may become gigabytes.
type decompressed struct {
	src  io.Reader
	raw  *transfer
	page int
}

func (d *decompressed) Read(p []byte) (int, error) {
	if err := d.raw.late(); err != nil {
		return 0, err
	}
	n, err := d.src.Read(p)
	if err != nil && err != io.EOF {
		err = &record.UnreadableError{Page: d.page, Reason: "the page cannot be decompressed: " + err.Error()}
	}
	return n, err
}

// decompress tells gzip, zstd and plain pages apart by their first bytes.
func decompress(raw io.Reader) (content io.Reader, done func(), err error) {
	buffered := bufio.NewReaderSize(raw, 64<<10)
	head, err := buffered.Peek(len(zstdMagic))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("read first bytes: %w", err)
	}
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, nil, fmt.Errorf("the page cannot be decompressed: %w", err)
		}
		return z, func() {}, nil
	case bytes.HasPrefix(head, zstdMagic):
		z, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, nil, fmt.Errorf("the page cannot be decompressed: %w", err)
		}
		return z, z.Close, nil
	}
	return buffered, func() {}, nil
}
