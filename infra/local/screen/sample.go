package screen

import (
	"fmt"
	"strconv"
)

// widestCell is where a cell of the sample is cut.
const widestCell = 28

// sample writes as many columns of the rows as fit, from the left.
func (s *summary) sample(t *Table) {
	if t == nil || len(t.Rows) == 0 {
		return
	}
	grid := NewGrid(t.Columns, t.Rows, s.Style, s.Width-2, widestCell)
	s.head("Sample of the lake", fmt.Sprintf("%d of %s, %d of %s",
		len(t.Rows), Plural(t.Of, "row", "rows"), grid.Shown, Plural(int64(len(t.Columns)), "column", "columns")))
	for _, line := range grid.Head() {
		s.line("  " + line)
	}
	for _, row := range t.Rows {
		s.line("  " + grid.Line(row, nil))
	}
}

func align(text string, columns int, right bool) string {
	if right {
		return padLeft(text, columns)
	}
	return padRight(text, columns)
}

func trimFloat(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
