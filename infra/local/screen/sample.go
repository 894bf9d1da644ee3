package screen

import (
	"fmt"
	"strconv"
	"strings"
)

// widestCell is where a cell of the sample is cut.
const widestCell = 28

// sample writes as many columns of the rows as fit, from the left.
func (s *summary) sample(t *Table) {
	if t == nil || len(t.Rows) == 0 {
		return
	}
	widths := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		widths[i] = width(c.Name)
		for _, row := range t.Rows {
			widths[i] = max(widths[i], min(width(plain(row[i])), widestCell))
		}
	}
	shown, used := 0, 2
	for i := range t.Columns {
		if shown > 0 && used+widths[i] > s.Width {
			break
		}
		used += widths[i] + 2
		shown++
	}
	s.head("Sample of the lake", fmt.Sprintf("%d of %s, %d of %s",
		len(t.Rows), Plural(t.Of, "row", "rows"), shown, Plural(int64(len(t.Columns)), "column", "columns")))
	var heads, rules []string
	for i, c := range t.Columns[:shown] {
		heads = append(heads, align(c.Name, widths[i], c.Right))
		rules = append(rules, strings.Repeat("─", widths[i]))
	}
	s.line("  " + strings.Join(heads, "  "))
	s.line("  " + s.faint(strings.Join(rules, "  ")))
	for _, row := range t.Rows {
		var cells []string
		for i, c := range t.Columns[:shown] {
			cells = append(cells, align(cut(plain(row[i]), widths[i]), widths[i], c.Right))
		}
		s.line("  " + strings.Join(cells, "  "))
	}
}

func align(text string, columns int, right bool) string {
	if right {
		return padLeft(text, columns)
	}
	return padRight(text, columns)
}

func trimFloat(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
