package query

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"tributary/infra/local/screen"
)

const (
	prompt = "tributary> "
	more   = "       ... "
)

// lines gives a line at a time, and io.EOF at the end.
type lines func(prompt string) (string, error)

// linesOf reads the lines of a file: on a terminal they can be edited, and those before come back with the arrows.
func linesOf(stdin, stdout *os.File) lines {
	if !term.IsTerminal(int(stdin.Fd())) || !term.IsTerminal(int(stdout.Fd())) {
		s := bufio.NewScanner(stdin)
		s.Buffer(nil, 1<<24)
		return func(string) (string, error) {
			if s.Scan() {
				return s.Text(), nil
			}
			if err := s.Err(); err != nil {
				return "", fmt.Errorf("read statements: %w", err)
			}
			return "", io.EOF
		}
	}
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{stdin, stdout}, "")
	return func(prompt string) (string, error) {
		// Raw only while a line is typed: else Ctrl-C would not end a query.
		state, err := term.MakeRaw(int(stdin.Fd()))
		if err != nil {
			return "", fmt.Errorf("prepare terminal: %w", err)
		}
		if width, height, err := term.GetSize(int(stdout.Fd())); err == nil {
			_ = t.SetSize(width, height) // only where lines break depends on it
		}
		t.SetPrompt(prompt)
		line, err := t.ReadLine()
		return line, errors.Join(err, term.Restore(int(stdin.Fd()), state))
	}
}

const shellHelp = `  \d          the tables
  \d TABLE    its columns, with Glue's types
  \q          end (as Ctrl-D does)
  SELECT …;   any statement that reads, over as many lines as you like

`

// shell answers statements until the end of the input. An error of one does not keep the next from being read; where
// nobody looks on, it fails the whole.
func (a asker) shell(ctx context.Context, next lines) error {
	rest, failed := "", 0
	try := func(statement string) {
		if err := a.ask(ctx, statement); err != nil && ctx.Err() == nil {
			failed++
			fmt.Fprintln(a.stderr, err)
		}
	}
	for ended := false; !ended && ctx.Err() == nil; {
		ask := prompt
		if rest != "" {
			ask = more
		}
		line, err := next(ask)
		if errors.Is(err, io.EOF) {
			line, ended = ";", true
		} else if err != nil {
			return err
		}
		rest += line + "\n"
		for ctx.Err() == nil {
			rest = strings.TrimLeft(rest, " \t\r\n;")
			if words := commandOf(rest); len(words) > 0 {
				if words[0] == `\q` || words[0] == "exit" || words[0] == "quit" {
					return a.sum(ctx, failed)
				}
				a.command(words)
				_, rest, _ = strings.Cut(rest, "\n")
				continue
			}
			end := statementEnd(rest)
			if end < 0 {
				break
			}
			try(rest[:end])
			rest = rest[end:]
		}
	}
	if rest != "" && ctx.Err() == nil {
		try(rest) // a text or comment without end, which DuckDB names
	}
	return a.sum(ctx, failed)
}

// commandOf is the words of a line that is no SQL.
func commandOf(text string) []string {
	line, _, _ := strings.Cut(text, "\n")
	if words := strings.Fields(line); len(words) > 0 && (words[0][0] == '\\' || words[0] == "help" || words[0] == "exit" || words[0] == "quit") {
		return words
	}
	return nil
}

func (a asker) sum(ctx context.Context, failed int) error {
	if ctx.Err() != nil || failed == 0 || a.style.Live {
		return ctx.Err()
	}
	return errors.New(screen.Plural(int64(failed), "statement", "statements") + " failed")
}

func (a asker) command(words []string) {
	switch {
	case words[0] == `\d` && len(words) == 1:
		a.tables()
	case words[0] == `\d` && len(words) == 2:
		t := a.lake.find(strings.TrimSuffix(lastPart(words[1]), ";"))
		if t == nil {
			fmt.Fprintf(a.stderr, "there is no table %s; there is %s\n", words[1], strings.Join(a.lake.names(), ", "))
			return
		}
		a.columns(t)
	default:
		fmt.Fprint(a.stdout, shellHelp)
	}
}

// list writes rows as a table, whatever the format of results is.
func (a asker) list(names []string, rows [][]string) {
	out := formats["table"](a.stdout, a.style)
	headings := make([]heading, len(names))
	for i, name := range names {
		headings[i].name = name
	}
	out.begin(headings)
	for _, row := range rows {
		cells := make([]cell, len(row))
		for i, text := range row {
			cells[i].text = text
		}
		out.row(cells)
	}
	if _, err := out.end(); err != nil {
		fmt.Fprintln(a.stderr, err)
	}
}

func (a asker) tables() {
	var rows [][]string
	for _, t := range a.lake.tables {
		rows = append(rows, []string{t.Name, t.holds(), t.Description})
	}
	a.list([]string{"table", "holds", "description"}, rows)
}

// holds says in words what a query finds in a table.
func (t *table) holds() string {
	switch {
	case t.fault != nil:
		return "cannot be asked here: " + t.fault.Error()
	case t.View():
		return "view"
	}
	days := map[string]bool{}
	for _, f := range t.files {
		days[f.day] = true
	}
	text := screen.Plural(int64(len(t.files)), "file", "files") + " of " + screen.Plural(int64(len(days)), "day", "days")
	if t.outside > 0 {
		text += fmt.Sprintf("; %d outside %s … %s, which no query sees", t.outside, t.days.First, t.days.Last)
	}
	return text
}

func (a asker) columns(t *table) {
	var rows [][]string
	for _, c := range t.Columns() {
		rows = append(rows, []string{c.Name, c.Type, c.Comment})
	}
	a.list([]string{"column", "type in Glue", "comment"}, rows)
}
