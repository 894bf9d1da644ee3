package lambda

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

const (
	maxLine   = 1 << 20 // of a CloudWatch log event
	tailBytes = 4 << 10
)

// logPipe carries what a process writes. The write end stays open here too: a mark written to it after the process
// answered comes out behind all that the process wrote before, so that the log of an invocation is complete at its end.
type logPipe struct {
	in, out *os.File
	mark    []byte
	line    func(request, line string)

	mu      sync.Mutex
	request string
	recent  []byte
	marks   chan struct{} // one for each mark that came out
	ended   chan struct{}
	once    sync.Once
}

func newLogPipe(line func(request, line string)) (*logPipe, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make log pipe: %w", err)
	}
	l := &logPipe{in: in, out: out, mark: []byte("\x00" + rand.Text()), line: line, marks: make(chan struct{}, 1), ended: make(chan struct{})}
	go l.read()
	return l, nil
}

// begin says which invocation the following lines belong to.
func (l *logPipe) begin(request string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.request, l.recent = request, nil
}

// sync waits until all that was written before has been read.
func (l *logPipe) sync() {
	if _, err := l.in.Write(append(bytes.Clone(l.mark), '\n')); err != nil {
		<-l.ended // the process is gone, and its pipe is being read to the end
		return
	}
	select {
	case <-l.marks:
	case <-l.ended:
	}
}

// close ends the pipe when the process is gone, and waits until it is read.
func (l *logPipe) close() {
	l.once.Do(func() { _ = l.in.Close() }) // closing twice is the only error
	<-l.ended
}

func (l *logPipe) read() {
	defer close(l.ended)
	defer func() { _ = l.out.Close() }() // it was only read
	in := bufio.NewReaderSize(l.out, 64<<10)
	var line []byte
	for {
		piece, err := in.ReadSlice('\n')
		line = append(line, piece...)
		if errors.Is(err, bufio.ErrBufferFull) && len(line) < maxLine {
			continue
		}
		if before, _, found := bytes.Cut(line, l.mark); found {
			l.emit(before)
			l.marks <- struct{}{}
		} else {
			l.emit(line)
		}
		line = line[:0]
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if !errors.Is(err, io.EOF) {
				l.emit([]byte("read log: " + err.Error()))
			}
			return
		}
	}
}

func (l *logPipe) emit(line []byte) {
	text := strings.TrimRight(string(line), "\r\n")
	if text == "" {
		return
	}
	l.mu.Lock()
	request := l.request
	l.recent = append(append(l.recent, text...), '\n')
	if excess := len(l.recent) - tailBytes; excess > 0 {
		l.recent = l.recent[excess:]
	}
	l.mu.Unlock()
	l.line(request, text)
}

// tail returns the last lines, each on its own line.
func (l *logPipe) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.recent) == 0 {
		return ""
	}
	return "\n" + strings.TrimRight(string(l.recent), "\n")
}
