package query

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"tributary/infra/local/screen"
)

// cell is a value as text: JSON where the format wants it, else for people.
type cell struct {
	text string
	null bool
}

// heading is a column of a result.
type heading struct {
	name   string
	number bool
}

// output writes a result.
type output interface {
	begin([]heading)
	row([]cell)
	// end returns what has to be said of what was written, and the first error of writing.
	end() (note string, err error)
}

// formats make an output by the name of a format.
var formats = map[string]func(io.Writer, screen.Style) output{
	"table": func(w io.Writer, style screen.Style) output { return &tableOutput{w: bufio.NewWriter(w), style: style} },
	"csv":   func(w io.Writer, _ screen.Style) output { return &csvOutput{w: bufio.NewWriter(w)} },
	"json":  func(w io.Writer, _ screen.Style) output { return &jsonOutput{w: bufio.NewWriter(w)} },
}

const (
	lookedAt   = 1000 // rows that decide how wide columns are
	widestCell = 40   // where a table does not fit on a terminal
	widestText = 120  // of a column elsewhere; longer values stand out
)

// tableOutput aligns. On a terminal it leaves out what does not fit; elsewhere it writes every row whole.
type tableOutput struct {
	w        *bufio.Writer
	style    screen.Style
	headings []heading
	waiting  [][]cell
	grid     *screen.Grid
}

func (o *tableOutput) begin(headings []heading) { o.headings = headings }

func (o *tableOutput) row(cells []cell) {
	if o.grid != nil {
		o.write(cells)
		return
	}
	if o.waiting = append(o.waiting, cells); len(o.waiting) == lookedAt {
		o.flush()
	}
}

func (o *tableOutput) flush() {
	columns := make([]screen.Column, len(o.headings))
	for i, h := range o.headings {
		columns[i] = screen.Column{Name: h.name, Right: h.number}
	}
	rows := make([][]string, len(o.waiting))
	for i, cells := range o.waiting {
		rows[i] = texts(cells)
	}
	width, widest := 0, widestText
	if o.style.Live {
		width, widest = o.style.Width, widestCell
	}
	o.grid = screen.NewGrid(columns, rows, o.style, width, widest)
	for _, line := range o.grid.Head() {
		fmt.Fprintln(o.w, line)
	}
	for _, cells := range o.waiting {
		o.write(cells)
	}
	o.waiting = nil
}

func (o *tableOutput) write(cells []cell) {
	fmt.Fprintln(o.w, o.grid.Line(texts(cells), func(i int) bool { return cells[i].null }))
}

func texts(cells []cell) []string {
	all := make([]string, len(cells))
	for i, c := range cells {
		all[i] = c.text
		if c.null {
			all[i] = "NULL"
		}
	}
	return all
}

func (o *tableOutput) end() (string, error) {
	if o.grid == nil {
		o.flush()
	}
	note := ""
	if left := len(o.headings) - o.grid.Shown; left > 0 {
		note = screen.Plural(int64(left), "column does", "columns do") + " not fit"
	}
	if o.grid.Cut {
		note = strings.TrimPrefix(note+" and values are cut", " and ")
	}
	if note != "" {
		note += ": -format=csv and -format=json have all"
	}
	return note, o.w.Flush()
}

// plainOutput writes texts as they are: plans have lines of their own.
type plainOutput struct{ w *bufio.Writer }

func (o *plainOutput) begin([]heading) {}

func (o *plainOutput) row(cells []cell) {
	fmt.Fprintln(o.w, strings.TrimRight(cells[len(cells)-1].text, "\n"))
}

func (o *plainOutput) end() (string, error) { return "", o.w.Flush() }

// csvOutput writes RFC 4180 with a heading. NULL is nothing at all, an empty text is "".
type csvOutput struct{ w *bufio.Writer }

func (o *csvOutput) begin(headings []heading) {
	cells := make([]cell, len(headings))
	for i, h := range headings {
		cells[i] = cell{text: h.name}
	}
	o.row(cells)
}

func (o *csvOutput) row(cells []cell) {
	for i, c := range cells {
		if i > 0 {
			_ = o.w.WriteByte(',') // its error comes with Flush
		}
		if c.null {
			continue
		}
		text := c.text
		if text == "" || strings.ContainsAny(text, ",\"\r\n") {
			text = `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
		}
		_, _ = o.w.WriteString(text)
	}
	_, _ = o.w.WriteString("\r\n")
}

func (o *csvOutput) end() (string, error) { return "", o.w.Flush() }

// jsonOutput writes an array with an object for each row, one a line.
type jsonOutput struct {
	w     *bufio.Writer
	names []string
	rows  int64
}

func (o *jsonOutput) begin(headings []heading) {
	taken := map[string]bool{}
	for _, h := range headings {
		name := h.name
		for n := 1; taken[name]; n++ {
			name = fmt.Sprintf("%s_%d", h.name, n)
		}
		taken[name] = true
		o.names = append(o.names, jsonText(name))
	}
	_, _ = o.w.WriteString("[")
}

func (o *jsonOutput) row(cells []cell) {
	if o.rows++; o.rows > 1 {
		_ = o.w.WriteByte(',')
	}
	_, _ = o.w.WriteString("\n  {")
	for i, c := range cells {
		if i > 0 {
			_, _ = o.w.WriteString(", ")
		}
		value := c.text
		if c.null {
			value = "null"
		}
		_, _ = o.w.WriteString(o.names[i] + ": " + value)
	}
	_ = o.w.WriteByte('}')
}

func (o *jsonOutput) end() (string, error) {
	_, _ = o.w.WriteString("\n]\n")
	return "", o.w.Flush()
}

// jsonText is a text as JSON, with < and & as they are.
func jsonText(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a text always encodes
	return strings.TrimSuffix(b.String(), "\n")
}
