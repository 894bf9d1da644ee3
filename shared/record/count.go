package record

import "io"

// Count counts the records of an uncompressed page whose array of records lies at the given JSON Pointer tokens, as a
// Reader would count them.
func Count(r io.Reader, records []string) (int64, error) { return count(r, records, windowSize) }

func count(r io.Reader, records []string, window int) (int64, error) {
	c := &counter{}
	doc := document{scanner: &c.scanner, page: 1, pointer: records, records: c}
	if err := doc.read(r, window, DefaultRecordLimit); err != nil {
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

func (c *counter) settle() error { return nil }

func (c *counter) take(int, int) error { c.n++; return nil }

func (c *counter) refuse(span, string, string) error { c.n++; return nil }
