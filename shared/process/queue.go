package process

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// queue keeps bytes in the order they came: one piece after the other, in a temporary file when they outgrow its memory.
type queue struct {
	dir    string // of the temporary file; "": the system's
	memory int
	limit  int64 // bytes of the file

	held    []byte // length and bytes of each piece
	file    *os.File
	written int64
}

func newQueue(dir string, memory int, limit int64) *queue {
	return &queue{dir: dir, memory: memory, limit: limit}
}

// add takes a piece. The bytes are copied.
func (q *queue) add(piece []byte) error {
	q.held = binary.AppendUvarint(q.held, uint64(len(piece)))
	q.held = append(q.held, piece...)
	// Half of it: the other half is what append may keep in reserve.
	if len(q.held) < q.memory/2 {
		return nil
	}
	return q.spill()
}

func (q *queue) spill() error {
	if q.file == nil {
		f, err := os.CreateTemp(q.dir, "tributary-spool-")
		if err != nil {
			return fmt.Errorf("spool served columns: %w", err)
		}
		q.file = f
		// It has no name from the start, so that a crash leaves nothing behind.
		if err := os.Remove(f.Name()); err != nil {
			return fmt.Errorf("spool served columns: %w", err)
		}
	}
	if q.written += int64(len(q.held)); q.written > q.limit {
		return &spoolFullError{limit: q.limit}
	}
	if _, err := q.file.Write(q.held); err != nil {
		return fmt.Errorf("spool served columns: %w", err)
	}
	q.held = q.held[:0]
	return nil
}

// seal ends the adding: what does not fit is told now, before anything is made visible.
func (q *queue) seal() error {
	if q.file == nil {
		return nil
	}
	return q.spill()
}

// each calls fn for every piece, after seal. The bytes are valid during the call.
func (q *queue) each(fn func(piece []byte) error) error {
	if q.file == nil {
		for rest := q.held; len(rest) > 0; {
			length, n := binary.Uvarint(rest)
			end := n + int(length)
			if err := fn(rest[n:end]); err != nil {
				return err
			}
			rest = rest[end:]
		}
		return nil
	}
	if _, err := q.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read spool of served columns: %w", err)
	}
	r := bufio.NewReaderSize(q.file, 64<<10)
	var item []byte
	for {
		length, err := binary.ReadUvarint(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			item = append(item[:0], make([]byte, length)...)
			_, err = io.ReadFull(r, item)
		}
		if err != nil {
			return fmt.Errorf("read spool of served columns: %w", err)
		}
		if err := fn(item); err != nil {
			return err
		}
	}
}

func (q *queue) close() error {
	q.held = nil
	if q.file == nil {
		return nil
	}
	err := q.file.Close()
	q.file = nil
	return err
}
