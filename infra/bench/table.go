package bench

import (
	"fmt"
	"io"
	"strings"
)

// table is a Markdown table: text on the left, figures on the right.
type table struct {
	head []string
	rows [][]string
}

func newTable(head ...string) *table { return &table{head: head} }

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// write prints the table and an empty line.
func (t *table) write(w io.Writer) {
	line := func(cells []string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.head)
	fmt.Fprintf(w, "|---%s|\n", strings.Repeat("|---:", len(t.head)-1))
	for _, cells := range t.rows {
		line(cells)
	}
	fmt.Fprintln(w)
}
