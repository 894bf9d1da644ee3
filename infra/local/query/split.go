package query

import (
	"regexp"
	"strings"
)

var dollar = regexp.MustCompile(`^\$(?:[A-Za-z_]\w*)?\$`)

// statementEnd is where the first statement of a text ends, behind its semicolon; -1 while it has none. Semicolons in
// texts, identifiers and comments end nothing.
func statementEnd(text string) int {
	for i := 0; i < len(text); {
		rest := text[i:]
		switch {
		case rest[0] == ';':
			return i + 1
		case rest[0] == '\'' || rest[0] == '"':
			end := strings.IndexByte(rest[1:], rest[0])
			if end < 0 {
				return -1
			}
			i += end + 2 // a doubled quote begins the next part of the same text
		case strings.HasPrefix(rest, "--"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				return -1
			}
			i += end
		case strings.HasPrefix(rest, "/*"):
			end := commentEnd(rest)
			if end < 0 {
				return -1
			}
			i += end
		case rest[0] == '$' && dollar.MatchString(rest):
			mark := dollar.FindString(rest)
			end := strings.Index(rest[len(mark):], mark)
			if end < 0 {
				return -1
			}
			i += 2*len(mark) + end
		default:
			i++
		}
	}
	return -1
}

// commentEnd is where a comment ends, which may hold others.
func commentEnd(text string) int {
	depth := 0
	for i := 0; i+1 < len(text); {
		switch text[i : i+2] {
		case "/*":
			depth++
			i += 2
		case "*/":
			depth--
			i += 2
		default:
			i++
		}
		if depth == 0 {
			return i
		}
	}
	return -1
}
