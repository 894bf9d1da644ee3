package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strings"
)

// digest keeps of a record that passes by its head, its length and its hash.
type digest struct {
	span
	hash hash.Hash
}

func newDigest(offset int64) *digest {
	return &digest{span: span{offset: offset}, hash: sha256.New()}
}

func (d *digest) add(text []byte) {
	d.bytes += int64(len(text))
	d.hash.Write(text)
	d.head = append(d.head, text[:min(len(text), RejectHead-len(d.head))]...)
}

func (d *digest) sum() span {
	if d.bytes > int64(len(d.head)) {
		d.sha256 = hex.EncodeToString(d.hash.Sum(nil))
	}
	return d.span
}

// oversized refuses the record at i without holding it in memory: it may be larger than the window, or nested deeper
// than a scan goes.
func (p *document) oversized(i int, rule, reason string) (int, error) {
	seen := newDigest(p.base + int64(i))
	w := walker{bare: strings.IndexByte(`{["`, p.buf[i]) < 0}
	for {
		n, state := w.walk(p.buf[i:p.end])
		seen.add(p.buf[i : i+n])
		i += n
		switch {
		case state == walked:
			return i, p.records.refuse(seen.sum(), rule, reason)
		case state == lost && p.layout == inArray:
			p.syntax(i, "invalid within a record that is too large or too deep")
			return 0, p.stopped()
		case state == lost:
			return p.lost(seen, i, rule, reason)
		case p.eof && w.bare:
			return i, p.records.refuse(seen.sum(), rule, reason)
		case p.eof:
			return 0, p.unreadable(p.end, "the page is truncated: it ends within a value")
		}
		if err := p.slide(&i); err != nil {
			return 0, err
		}
	}
}

// oversizedLine refuses a line that is no JSON and larger than the window. Its end is at or behind from.
func (p *document) oversizedLine(i, from int, mark []byte) (int, error) {
	seen := newDigest(p.base + int64(i))
	seen.add(p.buf[i:from])
	return p.discard(seen, from, mark, RuleTooLarge, p.tooLarge())
}

// lost goes on behind the line in which a large record turned out to be no JSON.
func (p *document) lost(seen *digest, i int, rule, reason string) (int, error) {
	mark := []byte("\n{")
	if p.layout == oneLine {
		mark = mark[:1]
	}
	return p.discard(seen, i, mark, rule, reason)
}

func (p *document) discard(seen *digest, i int, mark []byte, rule, reason string) (int, error) {
	for {
		if n := bytes.Index(p.buf[i:p.end], mark); n >= 0 {
			seen.add(p.buf[i : i+n])
			return i + n, p.records.refuse(seen.sum(), rule, reason)
		}
		end := p.end
		if !p.eof {
			end = max(i, end-1) // the mark may have begun
		}
		seen.add(p.buf[i:end])
		i = end
		if p.eof {
			return i, p.records.refuse(seen.sum(), rule, reason)
		}
		if err := p.slide(&i); err != nil {
			return 0, err
		}
	}
}

// slide drops all before i and reads on.
func (p *document) slide(i *int) error {
	shift, err := p.fetch(*i)
	if err != nil {
		return p.failed(err)
	}
	*i -= shift
	return nil
}

// walkerDepth bounds a walker's memory: a bit for each level.
const walkerDepth = 1 << 20

// walker follows a JSON value through pieces of any size: brackets and strings, not the grammar between them.
type walker struct {
	bare     bool // neither an object, an array nor a string: it ends where something else begins
	objects  []uint64
	depth    int
	inString bool
	escaped  bool
}

type walkState uint8

const (
	walking walkState = iota
	walked            // the value has ended
	lost              // brackets do not match, or too many of them are open
)

// walk returns how much of text belongs to the value.
func (w *walker) walk(text []byte) (n int, state walkState) {
	if w.bare {
		if n = bytes.IndexAny(text, " \t\r\n,]}{[\""); n < 0 {
			return len(text), walking
		}
		return n, walked
	}
	for i, c := range text {
		if w.inString {
			switch {
			case w.escaped:
				w.escaped = false
			case c == '\\':
				w.escaped = true
			case c == '"':
				if w.inString = false; w.depth == 0 {
					return i + 1, walked
				}
			case c < ' ':
				return i, lost
			}
			continue
		}
		switch c {
		case '"':
			w.inString = true
		case '{', '[':
			if w.depth == walkerDepth {
				return i, lost
			}
			if w.depth>>6 == len(w.objects) {
				w.objects = append(w.objects, 0)
			}
			if bit := uint64(1) << (w.depth & 63); c == '{' {
				w.objects[w.depth>>6] |= bit
			} else {
				w.objects[w.depth>>6] &^= bit
			}
			w.depth++
		case '}', ']':
			if w.depth == 0 {
				return i, lost
			}
			w.depth--
			if object := w.objects[w.depth>>6]>>(w.depth&63)&1 != 0; object != (c == '}') {
				return i, lost
			}
			if w.depth == 0 {
				return i + 1, walked
			}
		}
	}
	return len(text), walking
}
