package query

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/term"

	"tributary/infra/local/files"
	"tributary/infra/local/screen"
)

// Exit statuses.
const (
	exitFailed = 1
	exitUsage  = 2
)

// Main runs the command with its arguments and returns the exit status.
func Main(ctx context.Context, args []string, stdin, stdout *os.File, stderr io.Writer, getenv func(string) string) int {
	switch err := run(ctx, args, stdin, stdout, stderr, getenv); {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintln(stderr, err)
		return exitUsage
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "interrupted")
		return exitFailed
	default:
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
}

func run(ctx context.Context, args []string, stdin, stdout *os.File, stderr io.Writer, getenv func(string) string) (err error) {
	o, err := parse(args, stdout)
	if err != nil {
		return err
	}
	if o.dir == "" {
		root, err := files.Root()
		if err != nil {
			return err
		}
		o.dir = filepath.Join(root, files.Dir(o.stack))
	}
	l, err := openLake(o.dir, time.Now())
	if errors.Is(err, fs.ErrNotExist) {
		stack := ""
		if o.stack != "dev" {
			stack = " -stack=" + o.stack
		}
		return fmt.Errorf("%s holds no tables yet: go tool mage run%s first", relative(o.dir), stack)
	}
	if err != nil {
		return err
	}
	db, err := connect(ctx, l)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	a := asker{db: db, lake: l, format: o.format, stdout: stdout, stderr: stderr, style: styleOf(stdout, getenv), now: time.Now}
	if o.sql != "" {
		return a.ask(ctx, o.sql)
	}
	return a.shell(ctx, linesOf(stdin, stdout))
}

// styleOf is the style of a file, and on a terminal its whole width.
func styleOf(file *os.File, getenv func(string) string) screen.Style {
	style := screen.StyleOf(file, screen.Auto, getenv)
	if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
		style.Width = width
	}
	return style
}

// asker asks and writes answers: results to stdout, what is to be said of them to stderr.
type asker struct {
	db             *database
	lake           *lake
	format         string
	stdout, stderr io.Writer
	style          screen.Style
	now            func() time.Time
}

func (a asker) ask(ctx context.Context, sql string) error {
	began := a.now()
	out := formats[a.format](a.stdout, a.style)
	if _, explained := stripped(sql); explained && a.format == "table" {
		out = &plainOutput{w: bufio.NewWriter(a.stdout)}
	}
	rows, note, err := a.db.ask(ctx, sql, a.format, out)
	if err != nil {
		return err
	}
	if note != "" {
		note = "; " + note
	}
	fmt.Fprintf(a.stderr, "%s in %s%s\n", screen.Plural(rows, "row", "rows"), screen.Duration(a.now().Sub(began)), note)
	return nil
}
