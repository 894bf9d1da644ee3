// Package command is how the mains of the project's commands begin and end: what they return becomes a status, what they
// could not print is an error, and a panic is told as the fault of the program that it is.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
)

const exitFailed = 1

// Main runs a command whose errors are sentences for its user, until it ends or is interrupted, and ends the process: with 1
// where it failed or its answer could not be written.
func Main(run func(ctx context.Context, args []string, out io.Writer) error) {
	os.Exit(Status(func() int {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		context.AfterFunc(ctx, stop) // who interrupts twice is in a hurry
		out := &Output{To: os.Stdout}
		if err := errors.Join(run(ctx, os.Args[1:], out), out.Err()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return exitFailed
		}
		return 0
	}))
}

// Status runs a command and returns its status. A panic is told in two lines, and the trace kept in a file. It does not
// reach panics of other goroutines.
func Status(run func() int) (status int) {
	defer func() {
		if fault := recover(); fault != nil {
			report(os.Stderr, os.TempDir(), fmt.Sprint(fault), debug.Stack())
			status = exitFailed
		}
	}()
	return run()
}

// report tells of a panic.
func report(out io.Writer, dir, fault string, trace []byte) {
	fmt.Fprintf(out, "this is a fault of the program, and not of what it was given: %s\n", fault)
	file, err := os.CreateTemp(dir, "tributary-fault-*.txt")
	if err == nil {
		_, err = fmt.Fprintf(file, "%s\n\n%s", fault, trace)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		fmt.Fprintf(out, "please report it; where it happened cannot be kept in a file (%v):\n%s", err, trace)
		return
	}
	fmt.Fprintf(out, "please report it with %s, which says where it happened\n", file.Name())
}

// ServerLog is the ErrorLog of HTTP servers in commands: the panic of a handler, which the server survives, is told as that
// of a command is.
func ServerLog() *log.Logger { return log.New(serverLog{os.Stderr, os.TempDir()}, "", 0) }

type serverLog struct {
	out io.Writer
	dir string
}

func (l serverLog) Write(line []byte) (int, error) {
	first, trace, _ := strings.Cut(string(line), "\n")
	if !strings.HasPrefix(first, "http: panic serving ") {
		return l.out.Write(line)
	}
	report(l.out, l.dir, strings.TrimPrefix(first, "http: "), []byte(trace))
	return len(line), nil
}

// Output is where a command prints. It remembers that it could not, so that prints need no look at their errors.
type Output struct {
	To  io.Writer
	err error
}

func (o *Output) Write(text []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.To.Write(text)
	if err != nil {
		o.err = fmt.Errorf("write the answer: %w", err)
	}
	return n, o.err
}

// Err is the first error of a write.
func (o *Output) Err() error { return o.err }
