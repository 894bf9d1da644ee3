package record

import (
	"io"

	"tributary/shared/contract"
)

// Count counts the records of an uncompressed page as a Reader of the same source would: where they are, and how large one
// may be, decide where a record ends that is no JSON.
func Count(r io.Reader, source *contract.Source) (int64, error) {
	return count(r, source, windowSize, recordLimit(source))
}

func count(r io.Reader, source *contract.Source, window, limit int) (int64, error) {
	c := &counter{}
	doc := document{scanner: &c.scanner, page: 1, pointer: source.Records, keyed: source.Keyed, records: c}
	if err := doc.read(r, window, limit); err != nil {
		return c.n, err
	}
	return c.n, nil
}

// counter passes records by.
type counter struct {
	scanner
	n int64
}

func (c *counter) parse(i int) int { return c.skip(i) }

func (c *counter) undo() {}

func (c *counter) named(string, string) {}

func (c *counter) settle() error { return nil }

func (c *counter) take(int, int) error { c.n++; return nil }

func (c *counter) refuse(span, string, string) error { c.n++; return nil }
