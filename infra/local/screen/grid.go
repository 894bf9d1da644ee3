package screen

import "strings"

// Grid lays rows out in columns, as many as fit from the left.
type Grid struct {
	Shown int  // columns that fit
	Cut   bool // a value was longer than its column

	style   Style
	columns []Column
	widths  []int
	limit   int // columns of the screen; 0: no end
}

// NewGrid finds the widths that rows need in so many columns of a screen. Where they do not fit, a column has at most
// widest. A limit of 0 is no limit: all columns are shown and no value is cut, but longer ones than widest stand out.
func NewGrid(columns []Column, rows [][]string, style Style, limit, widest int) *Grid {
	g := &Grid{style: style, columns: columns, widths: make([]int, len(columns)), limit: limit}
	needed := make([]int, len(columns))
	total := 0
	for i, c := range columns {
		needed[i] = width(plain(c.Name))
		for _, row := range rows {
			needed[i] = max(needed[i], width(plain(row[i])))
		}
		total += needed[i] + gap
	}
	narrow := limit == 0 || total-gap > limit
	used := 0
	for i, c := range columns {
		g.widths[i] = needed[i]
		if narrow {
			g.widths[i] = min(needed[i], max(widest, width(plain(c.Name))))
		}
		if limit > 0 && i > 0 && used+g.widths[i] > limit {
			break
		}
		if limit > 0 {
			g.widths[i] = min(g.widths[i], limit)
		}
		used += g.widths[i] + gap
		g.Shown++
	}
	return g
}

const gap = 2

// Head is the names of the columns and the rule below.
func (g *Grid) Head() []string {
	var heads, rules []string
	for i, c := range g.columns[:g.Shown] {
		heads = append(heads, align(cut(plain(c.Name), g.widths[i]), g.widths[i], c.Right))
		rules = append(rules, strings.Repeat("─", g.widths[i]))
	}
	return []string{strings.TrimRight(strings.Join(heads, "  "), " "), g.style.faint(strings.Join(rules, "  "))}
}

// Line is a row; cells that are faint stand back.
func (g *Grid) Line(row []string, faint func(i int) bool) string {
	var cells []string
	for i, c := range g.columns[:g.Shown] {
		text := plain(row[i])
		if g.limit > 0 && width(text) > g.widths[i] {
			text, g.Cut = cut(text, g.widths[i]), true
		}
		text = align(text, g.widths[i], c.Right)
		if faint != nil && faint(i) {
			text = g.style.faint(text)
		}
		cells = append(cells, text)
	}
	return strings.TrimRight(strings.Join(cells, "  "), " ")
}
