package record

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// MaxDepth is how deep a record may nest, itself being the first level: beyond it a record is a reject, and a page whose
// values beside the records go beyond it is unreadable.
const MaxDepth = 512

// fault is why and where a scan stopped. At the end of the window it may only mean that more must be read.
type fault struct {
	at     int
	reason string
	deep   bool // nested beyond MaxDepth, but JSON so far
}

// scanner reads JSON in a window. Its methods take and return positions; a negative result is a fault, left in fail.
type scanner struct {
	window
	fail fault
}

func (s *scanner) syntax(at int, reason string) int {
	s.fail = fault{at: at, reason: reason}
	return -1
}

// space passes white space.
func (s *scanner) space(i int) int {
	b := s.buf
	for b[i] <= ' ' && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

const (
	low8    = 0x0101010101010101
	quotes8 = low8 * '"'
	slash8  = low8 * '\\'
	space8  = low8 * ' '
)

// word loads the eight bytes at b[i:]; a window's pad has them for every position. The check of bounds that this still
// makes was not to be measured.
func word(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i : i+8 : i+8]) }

// view is the text as a string, without a copy: it must not outlive the window's next move.
func view(text []byte) string {
	return unsafe.String(unsafe.SliceData(text), len(text)) //nolint:gosec // G103: the functions called with it keep nothing
}

// plain gives the first byte at or behind i that is not plain inside a string: a quote, a backslash, a control
// character or the start of a character beyond ASCII.
func plain(b []byte, i int) int {
	for {
		w := word(b, i)
		q, s := w^quotes8, w^slash8
		stop := ((q-low8)&^q | (s-low8)&^s | (w - space8) | w) & high8
		if stop != 0 {
			return i + bits.TrailingZeros64(stop)>>3
		}
		i += 8
	}
}

// quoted passes the rest of a string, i being behind its opening quote, and returns the position behind the closing
// one. Whether the text is UTF-8 is not looked at.
func (s *scanner) quoted(i int) int {
	b := s.buf
	for {
		i = plain(b, i)
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			i++
			switch b[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
				i++
			case 'u':
				if hex4(b, i+1) < 0 {
					return s.syntax(badHex(b, i+1), "invalid \\u escape in a string")
				}
				i += 5
			default:
				return s.syntax(i, "invalid escape in a string")
			}
		case c < ' ':
			return s.syntax(i, "control character in a string")
		default:
			for b[i] >= 0x80 {
				i++
			}
		}
	}
}

// badHex is where four hexadecimal digits at i end too early.
func badHex(b []byte, i int) int {
	for n := 0; n < 4 && hexValue(b[i]) >= 0; n++ {
		i++
	}
	return i
}

func hexValue(c byte) int {
	switch {
	case c-'0' <= 9:
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// hex4 reads four hexadecimal digits, -1 where there are none.
func hex4(b []byte, i int) rune {
	var r rune
	for _, c := range b[i : i+4] {
		v := hexValue(c)
		if v < 0 {
			return -1
		}
		r = r<<4 | rune(v)
	}
	return r
}

// literal passes true, false or null.
func (s *scanner) literal(i int, text string) int {
	for n := range len(text) {
		if s.buf[i+n] != text[n] {
			return s.syntax(i+n, "invalid literal")
		}
	}
	return i + len(text)
}

// scalar passes a value that is no object and no array.
func (s *scanner) scalar(i int) int {
	switch c := s.buf[i]; {
	case c == '"':
		return s.quoted(i + 1)
	case c == '-' || c-'0' <= 9:
		_, end := scanNumber(s.buf, i)
		if end < 0 {
			return s.syntax(^end, "invalid number")
		}
		return end
	case c == 't':
		return s.literal(i, "true")
	case c == 'f':
		return s.literal(i, "false")
	case c == 'n':
		return s.literal(i, "null")
	}
	return s.syntax(i, "no JSON value")
}

// skip passes any value that starts at i.
func (s *scanner) skip(i int) int { return s.skipBelow(i, 0) }

// skipBelow passes a value around which so many levels of its record are open.
func (s *scanner) skipBelow(i, around int) int {
	if c := s.buf[i]; c != '{' && c != '[' {
		return s.scalar(i)
	}
	var objects [MaxDepth / 64]uint64 // of each open level, whether it is an object
	depth := around
	inObject := false
	for {
		// i is at a value
		switch c := s.buf[i]; c {
		case '{', '[':
			if depth == MaxDepth {
				s.fail = fault{at: i, reason: "nested too deep", deep: true}
				return -1
			}
			inObject = c == '{'
			if bit := uint64(1) << (depth & 63); inObject {
				objects[depth>>6] |= bit
			} else {
				objects[depth>>6] &^= bit
			}
			depth++
			i = s.space(i + 1)
			if s.buf[i] == c+2 { // ] and } follow [ and { by two
				if depth--; depth == around {
					return i + 1
				}
				inObject = objects[(depth-1)>>6]>>((depth-1)&63)&1 != 0
				break
			}
			if inObject {
				if i = s.member(i); i < 0 {
					return i
				}
			}
			continue
		default:
			if i = s.scalar(i); i < 0 {
				return i
			}
			i-- // the loop below looks behind the value
		}
		// i is at the last byte of a value
		for {
			i++
			if s.buf[i] <= ' ' {
				i = s.space(i)
			}
			if s.buf[i] == ',' {
				i = s.space(i + 1)
				if inObject {
					if i = s.member(i); i < 0 {
						return i
					}
				}
				break
			}
			want := byte(']')
			if inObject {
				want = '}'
			}
			if s.buf[i] != want {
				return s.syntax(i, "no comma or bracket behind a value")
			}
			if depth--; depth == around {
				return i + 1
			}
			inObject = objects[(depth-1)>>6]>>((depth-1)&63)&1 != 0
		}
	}
}

// member passes a member's name and colon.
func (s *scanner) member(i int) int {
	if s.buf[i] != '"' {
		return s.syntax(i, "no member name in an object")
	}
	if i = s.quoted(i + 1); i < 0 {
		return i
	}
	return s.colon(i)
}

// colon passes the colon behind a name, and the space around it.
func (s *scanner) colon(i int) int {
	if i = s.space(i); s.buf[i] != ':' {
		return s.syntax(i, "no colon behind a member name")
	}
	return s.space(i + 1)
}
