package console

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"

	"tributary/infra/local/screen"
)

// table is text in columns. Columns whose heading begins with > stand on the right. The last column is wrapped where
// the screen ends.
type table struct {
	heads  []string
	widths []int // least ones, where rows are not known beforehand; nil: those of the rows, without columns that are empty
	screen int   // columns of the screen; 0: endless
	rows   [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// fit finds the widths of the columns from the rows.
func (t *table) fit() {
	t.widths = make([]int, len(t.heads))
	for i, head := range t.heads {
		filled := false
		for _, row := range t.rows {
			t.widths[i] = max(t.widths[i], runewidth.StringWidth(row[i]))
			filled = filled || row[i] != ""
		}
		if filled {
			t.widths[i] = max(t.widths[i], runewidth.StringWidth(strings.TrimPrefix(head, ">")))
		}
	}
}

// write writes the whole table.
func (t *table) write(w io.Writer) {
	t.fit()
	t.head(w)
	for _, row := range t.rows {
		t.row(w, row)
	}
}

func (t *table) head(w io.Writer) {
	heads, rules := make([]string, len(t.heads)), make([]string, len(t.heads))
	for i, head := range t.heads {
		heads[i] = strings.TrimPrefix(head, ">")
		rules[i] = strings.Repeat("─", t.widths[i])
		if i == len(t.heads)-1 && t.screen > 0 {
			rules[i] = strings.Repeat("─", min(t.widths[i], t.room()))
		}
	}
	t.row(w, heads)
	t.row(w, rules)
}

const (
	indent     = 2
	gap        = 2
	leastRoom  = 24 // columns that the last column has, or it moves to lines of its own
	noteIndent = 6
)

// room is what an ending screen leaves for the last column.
func (t *table) room() int {
	used := indent
	for _, width := range t.widths[:len(t.widths)-1] {
		if width > 0 {
			used += width + gap
		}
	}
	return t.screen - used
}

func (t *table) row(w io.Writer, cells []string) {
	line := strings.Repeat(" ", indent)
	for i, text := range cells[:len(cells)-1] {
		if t.widths[i] == 0 {
			continue
		}
		text = screen.Plain(text)
		space := strings.Repeat(" ", max(0, t.widths[i]-runewidth.StringWidth(text)))
		if strings.HasPrefix(t.heads[i], ">") {
			text, space = space+text, ""
		}
		line += text + space + strings.Repeat(" ", gap)
	}
	last, at := cells[len(cells)-1], runewidth.StringWidth(line)
	if t.widths[len(t.widths)-1] == 0 {
		last = ""
	}
	if t.screen == 0 {
		fmt.Fprintln(w, strings.TrimRight(line+screen.Plain(last), " "))
		return
	}
	room := t.room()
	if runewidth.StringWidth(last) > room && room < leastRoom {
		fmt.Fprintln(w, strings.TrimRight(line, " "))
		line, at, room = strings.Repeat(" ", noteIndent), noteIndent, t.screen-noteIndent
	}
	for _, part := range screen.Wrap(last, room) {
		fmt.Fprintln(w, strings.TrimRight(line+part, " "))
		line = strings.Repeat(" ", at)
	}
}
