package record

import (
	"unicode/utf16"
	"unicode/utf8"
)

// unquote appends the decoded text of a string to dst, i being behind its opening quote. fault says what keeps it from
// being UTF-8; the string is passed to its end all the same.
func (s *scanner) unquote(dst []byte, i int) (text []byte, end int, fault string) {
	b := s.buf
	for {
		start := i
		i = plain(b, i)
		dst = append(dst, b[start:i]...)
		switch c := b[i]; {
		case c == '"':
			return dst, i + 1, fault
		case c < ' ':
			return dst, s.syntax(i, "control character in a string"), ""
		case c == '\\':
			var r rune
			if r, i = s.escape(i + 1); i < 0 {
				return dst, i, ""
			}
			if !utf8.ValidRune(r) {
				fault = "holds half a surrogate pair"
				r = utf8.RuneError
			}
			dst = utf8.AppendRune(dst, r)
		default:
			r, n := utf8.DecodeRune(b[i:s.end])
			if r == utf8.RuneError && n <= 1 {
				fault = "is not UTF-8"
				n = 1
			}
			dst = append(dst, b[i:i+n]...)
			i += n
		}
	}
}

// escape reads what follows a backslash; half a surrogate pair is returned as it is.
func (s *scanner) escape(i int) (r rune, end int) {
	b := s.buf
	switch c := b[i]; c {
	case '"', '\\', '/':
		return rune(c), i + 1
	case 'b':
		return '\b', i + 1
	case 'f':
		return '\f', i + 1
	case 'n':
		return '\n', i + 1
	case 'r':
		return '\r', i + 1
	case 't':
		return '\t', i + 1
	case 'u':
	default:
		return 0, s.syntax(i, "invalid escape in a string")
	}
	if r = hex4(b, i+1); r < 0 {
		return 0, s.syntax(badHex(b, i+1), "invalid \\u escape in a string")
	}
	i += 5
	if utf16.IsSurrogate(r) && b[i] == '\\' && b[i+1] == 'u' {
		if low := hex4(b, i+2); low >= 0 {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, i + 6
			}
		}
	}
	return r, i
}
