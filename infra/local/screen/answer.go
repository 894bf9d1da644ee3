package screen

import (
	"fmt"
	"io"
)

// Answer is what a function that was called said.
type Answer struct {
	Function string
	Payload  string
	Error    string // empty when the function answered
	Log      []string
	Faults   []string
	Saved    string // where the state lies
}

// WriteAnswer writes what a function said. Its log is written as it is, a line each, whatever the width: somebody may
// search it.
func WriteAnswer(w io.Writer, a Answer, style Style) error {
	s := &summary{Style: style}
	s.head("Log", a.Function)
	for _, line := range a.Log {
		s.line("  " + s.faint(plain(line)))
	}
	if len(a.Log) == 0 {
		s.line("  nothing")
	}
	if a.Error == "" {
		s.head("Answer", "")
	} else {
		s.line("")
		s.line(s.red(s.bold("Error")) + "  " + s.faint(a.Error))
	}
	for _, line := range lines(a.Payload) {
		for _, part := range wrapIndented(line, s.Width-4) {
			s.line("  " + part)
		}
	}
	s.faults(a.Faults)
	if a.Saved != "" {
		s.line("")
		s.line(s.faint(cut("What the buckets and tables hold now lies in "+a.Saved+".", s.Width)))
	}
	if _, err := w.Write(s.out.Bytes()); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}
