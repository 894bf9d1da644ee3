package screen

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

// Style is how text is written: how wide, and whether in colours.
type Style struct {
	Width  int
	Colour bool
	Live   bool // lines may be rewritten
}

const (
	narrowest    = 60
	widest       = 140
	usualColumns = 100
)

// Colours says when to use colours.
type Colours string

// Auto uses colours on a terminal unless NO_COLOR is set.
const (
	Auto   Colours = "auto"
	Always Colours = "always"
	Never  Colours = "never"
)

// ParseColours reads a choice of colours.
func ParseColours(s string) (Colours, error) {
	switch c := Colours(s); c {
	case Auto, Always, Never:
		return c, nil
	}
	return "", fmt.Errorf("read colour %q: want auto, always or never", s)
}

// StyleOf finds the style for a file: colours and live lines only on a terminal.
func StyleOf(file *os.File, choice Colours, getenv func(string) string) Style {
	terminal := term.IsTerminal(int(file.Fd())) && getenv("TERM") != "dumb"
	s := Style{Width: usualColumns, Live: terminal, Colour: terminal && getenv("NO_COLOR") == ""}
	switch choice {
	case Always:
		s.Colour = true
	case Never:
		s.Colour = false
	default:
	}
	if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
		s.Width = width
	} else if width, err := strconv.Atoi(getenv("COLUMNS")); err == nil && width > 0 {
		s.Width = width
	}
	s.Width = min(max(s.Width, narrowest), widest)
	return s
}

func (s Style) paint(code, text string) string {
	if !s.Colour || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s Style) bold(text string) string   { return s.paint("1", text) }
func (s Style) faint(text string) string  { return s.paint("2", text) }
func (s Style) green(text string) string  { return s.paint("32", text) }
func (s Style) yellow(text string) string { return s.paint("33", text) }
func (s Style) red(text string) string    { return s.paint("31", text) }

func width(text string) int { return runewidth.StringWidth(text) }

// cut shortens text to so many columns, with an ellipsis.
func cut(text string, columns int) string {
	if width(text) <= columns {
		return text
	}
	return runewidth.Truncate(text, columns, "…")
}

// cutMiddle shortens text in its middle, which keeps both ends of a path.
func cutMiddle(text string, columns int) string {
	if width(text) <= columns || columns < 8 {
		return cut(text, columns)
	}
	tail := []rune(text)
	for width(string(tail)) > columns*2/3 {
		tail = tail[1:]
	}
	return runewidth.Truncate(text, columns-width(string(tail))-1, "") + "…" + string(tail)
}

func padRight(text string, columns int) string {
	return text + strings.Repeat(" ", max(0, columns-width(text)))
}

func padLeft(text string, columns int) string {
	return strings.Repeat(" ", max(0, columns-width(text))) + text
}

// plain replaces what would move the cursor; data from outside is written through it.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' {
			return ' '
		}
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '�'
		}
		return r
	}, text)
}

// wrap breaks text between words into lines of so many columns; a longer word is broken where it must.
func wrap(text string, columns int) []string {
	var lines []string
	for _, paragraph := range strings.Split(text, "\n") {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			word = plain(word)
			if line != "" && width(line)+1+width(word) > columns {
				lines, line = append(lines, line), ""
			}
			if line != "" {
				line += " "
			}
			line += word
			for width(line) > columns {
				head := runewidth.Truncate(line, columns, "")
				if head == "" {
					break
				}
				lines, line = append(lines, head), line[len(head):]
			}
		}
		lines = append(lines, line)
	}
	return lines
}
