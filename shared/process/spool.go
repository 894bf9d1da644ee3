package process

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
)

const (
	spoolParts = 64
	entryCost  = 96 // of the map and the entry, beside the bytes themselves
)

// spool keeps the newest item of every key. What does not fit into its memory goes to temporary files, split by key, so
// that each can be folded by itself.
type spool struct {
	dir    string // of the temporary files; "": the system's
	memory int    // bytes held before they go to files
	limit  int64  // bytes of the files

	index   map[string]int
	entries []spooled
	held    int
	arena   []byte

	files   []*os.File // nil while all is in memory
	writers []*bufio.Writer
	written int64
	seed    maphash.Seed
}

type spooled struct{ key, version, item []byte }

// spoolFullError says that the served columns of a run exceed the temporary storage.
type spoolFullError struct{ limit int64 }

func (e *spoolFullError) Error() string {
	return fmt.Sprintf("spool served columns: they exceed %d bytes of temporary storage; serve fewer columns or split the run", e.limit)
}

func newSpool(dir string, memory int, limit int64) *spool {
	return &spool{dir: dir, memory: memory, limit: limit, index: map[string]int{}, seed: maphash.MakeSeed()}
}

// add takes an item unless a newer one of its key is there; of equal versions the later wins. The bytes are copied.
func (s *spool) add(key, version, item []byte) error {
	s.fold(key, version, item)
	if s.held < s.memory {
		return nil
	}
	return s.spill()
}

func (s *spool) fold(key, version, item []byte) {
	i, ok := s.index[string(key)]
	if ok && bytes.Compare(version, s.entries[i].version) < 0 {
		return
	}
	e := spooled{key: s.keep(key), version: s.keep(version), item: s.keep(item)}
	s.held += len(key) + len(version) + len(item)
	if ok {
		s.entries[i] = e
		return
	}
	s.held += entryCost + len(key)
	s.index[string(key)] = len(s.entries)
	s.entries = append(s.entries, e)
}

// keep copies bytes into a block of memory that many share.
func (s *spool) keep(b []byte) []byte {
	if cap(s.arena)-len(s.arena) < len(b) {
		s.arena = make([]byte, 0, max(256<<10, len(b)))
	}
	start := len(s.arena)
	s.arena = append(s.arena, b...)
	return s.arena[start:len(s.arena):len(s.arena)]
}

func (s *spool) clear() {
	clear(s.index)
	clear(s.entries)
	s.entries, s.arena, s.held = s.entries[:0], nil, 0
}

// spill moves what is in memory to the files.
func (s *spool) spill() error {
	if s.files == nil {
		if err := s.open(); err != nil {
			return fmt.Errorf("spool served columns: %w", err)
		}
	}
	var length [binary.MaxVarintLen64]byte
	for _, e := range s.entries {
		w := s.writers[maphash.Bytes(s.seed, e.key)%spoolParts]
		for _, b := range [][]byte{e.key, e.version, e.item} {
			n := binary.PutUvarint(length[:], uint64(len(b)))
			s.written += int64(n + len(b))
			if s.written > s.limit {
				return &spoolFullError{limit: s.limit}
			}
			_, err := w.Write(length[:n])
			if err == nil {
				_, err = w.Write(b)
			}
			if err != nil {
				return fmt.Errorf("spool served columns: %w", err)
			}
		}
	}
	s.clear()
	return nil
}

// open makes the files. They have no name from the start, so that a crash leaves nothing behind.
func (s *spool) open() error {
	for range spoolParts {
		f, err := os.CreateTemp(s.dir, "tributary-spool-")
		if err != nil {
			return err
		}
		s.files = append(s.files, f)
		s.writers = append(s.writers, bufio.NewWriterSize(f, 16<<10))
		if err := os.Remove(f.Name()); err != nil {
			return err
		}
	}
	return nil
}

func (s *spool) seal() error {
	if s.files == nil {
		return nil
	}
	return s.spill()
}

func (s *spool) each(fn func(item []byte) error) error {
	if s.files == nil {
		return s.eachHeld(fn)
	}
	for i, f := range s.files {
		err := s.writers[i].Flush()
		if err == nil {
			_, err = f.Seek(0, io.SeekStart)
		}
		if err == nil {
			err = s.load(bufio.NewReaderSize(f, 64<<10))
		}
		if err != nil {
			return fmt.Errorf("read spool of served columns: %w", err)
		}
		if err := s.eachHeld(fn); err != nil {
			return err
		}
		s.clear()
	}
	return nil
}

func (s *spool) eachHeld(fn func(item []byte) error) error {
	for _, e := range s.entries {
		if err := fn(e.item); err != nil {
			return err
		}
	}
	return nil
}

// load folds one file: its entries are in the order in which they were added.
func (s *spool) load(r *bufio.Reader) error {
	var fields [3][]byte
	for {
		for i := range fields {
			length, err := binary.ReadUvarint(r)
			if i == 0 && errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			fields[i] = append(fields[i][:0], make([]byte, length)...)
			if _, err := io.ReadFull(r, fields[i]); err != nil {
				return err
			}
		}
		s.fold(fields[0], fields[1], fields[2])
	}
}

func (s *spool) close() error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.Close())
	}
	s.files, s.writers = nil, nil
	s.clear()
	return errors.Join(errs...)
}
