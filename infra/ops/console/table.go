package console

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
)

// table is text in columns. Columns whose heading begins with > stand on the right; a heading that is empty in all rows
// is left out.
type table struct {
	heads []string
	rows  [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) write(w io.Writer, indent string) {
	widths := make([]int, len(t.heads))
	for i, head := range t.heads {
		filled := false
		for _, row := range t.rows {
			widths[i] = max(widths[i], runewidth.StringWidth(row[i]))
			filled = filled || row[i] != ""
		}
		if filled {
			widths[i] = max(widths[i], runewidth.StringWidth(strings.TrimPrefix(head, ">")))
		}
	}
	line := func(cell func(i int) string) {
		var b strings.Builder
		for i, head := range t.heads {
			if widths[i] == 0 {
				continue
			}
			text := cell(i)
			gap := strings.Repeat(" ", widths[i]-runewidth.StringWidth(text))
			if strings.HasPrefix(head, ">") {
				text, gap = gap+text, ""
			}
			b.WriteString(text + gap + "  ")
		}
		fmt.Fprintln(w, indent+strings.TrimRight(b.String(), " "))
	}
	line(func(i int) string { return strings.TrimPrefix(t.heads[i], ">") })
	line(func(i int) string { return strings.Repeat("─", widths[i]) })
	for _, row := range t.rows {
		line(func(i int) string { return row[i] })
	}
}
