package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// records is who takes the records of a page as they are found. Positions are those of the window; they are valid
// until the next call of window.more.
type records interface {
	// parse reads the record at i and returns the position behind it, or a negative one with the fault in the scanner.
	parse(i int) int
	// named tells the name of the member that the next record is, and what is wrong with it as a text, if anything.
	named(key, fault string)
	// settle ends all use of positions: the window is about to move.
	settle() error
	// undo drops what parse has made of a record that must be read again.
	undo()
	// take ends a record that parse has read.
	take(start, end int) error
	// refuse ends a record that could not be read.
	refuse(r span, rule, reason string) error
}

// span is a record that could not be parsed.
type span struct {
	offset, bytes int64
	head          []byte
	sha256        string // when head is not all of it
}

// document walks through a page to its records.
type document struct {
	*scanner
	page    int
	pointer []string
	keyed   bool // the records are the members of an object
	records records
	layout  layout
	largest int // bytes of a record
}

// layout is how the records of a stream follow each other: it decides where one that is no JSON ends.
type layout uint8

const (
	inArray       layout = iota // no stream
	unknownLayout               // no record has been read yet
	oneLine                     // records without line breaks
	manyLines
)

// unreadable says what is wrong with the page at position i.
func (p *document) unreadable(i int, format string, args ...any) error {
	return p.unreadableAt(p.base+int64(i), format, args...)
}

func (p *document) unreadableAt(offset int64, format string, args ...any) error {
	return &UnreadableError{Page: p.page, Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

// stopped turns the scanner's fault into what is wrong with the page.
func (p *document) stopped() error {
	if p.fail.at >= p.end {
		return p.unreadable(p.end, "the page is truncated: it ends within a value")
	}
	return p.unreadable(p.fail.at, "the page is no JSON: %s", p.fail.reason)
}

// next gives the first byte at or behind i that is no space, reading on as needed; 0 at the end of the page.
func (p *document) next(i int) (int, byte, error) {
	for {
		i = p.space(i)
		if i < p.end {
			return i, p.buf[i], nil
		}
		if p.eof {
			return i, 0, nil
		}
		shift, err := p.fetch(i)
		if err != nil {
			return i, 0, p.failed(err)
		}
		i -= shift
	}
}

// fetch reads on, keeping what lies behind keep.
func (p *document) fetch(keep int) (shift int, err error) {
	if err := p.records.settle(); err != nil {
		return 0, err
	}
	return p.more(keep)
}

// failed passes a failure of the source on.
func (p *document) failed(err error) error {
	return fmt.Errorf("read page %d: %w", p.page, err)
}

// read reads the whole page through a window of the given size, which grows to limit for a large record.
func (p *document) read(src io.Reader, size, limit int) error {
	p.reset(src, size, limit+1) // a record of the limit itself is followed by something
	p.largest = limit
	i, err := p.skipMark()
	if err != nil {
		return p.failed(err)
	}
	i, c, err := p.next(i)
	if err != nil {
		return err
	}
	switch {
	case c == 0 && i >= p.end:
		return p.unreadable(i, "the page is empty")
	case c == '<':
		return p.unreadable(i, "the page is no JSON but looks like HTML or XML")
	case len(p.pointer) > 0 || p.keyed:
		i, err = p.envelope(i, p.pointer)
	case c == '[':
		i, err = p.array(i)
	case c == '{':
		return p.stream(i)
	default:
		var lines bool
		if lines, i, err = p.beforeLines(i); err != nil {
			return err
		}
		if lines {
			return p.stream(i)
		}
		start := p.base + int64(i)
		if i, err = p.pass(i); err == nil && c != 'n' {
			err = p.unreadableAt(start, "the page is a single value and no array of records")
		}
	}
	if err != nil {
		return err
	}
	i, _, err = p.next(i)
	if err != nil {
		return err
	}
	if i < p.end {
		return p.unreadable(i, "the page goes on behind its JSON")
	}
	return nil
}

// beforeLines says whether a line near the start of the page begins with an object: then what stands at i is a bad line
// of a stream, else the page is no JSON at all.
func (p *document) beforeLines(i int) (found bool, at int, err error) {
	for {
		if bytes.Contains(p.buf[i:p.end], []byte("\n{")) {
			return true, i, nil
		}
		if p.eof || p.end-i >= windowSize/2 {
			return false, i, nil
		}
		shift, err := p.fetch(i)
		if errors.Is(err, errWindowFull) {
			return false, i, nil
		}
		if err != nil {
			return false, i, p.failed(err)
		}
		i -= shift
	}
}

// pass passes a value of any size.
func (p *document) pass(i int) (int, error) {
	for {
		end := p.skip(i)
		if end >= 0 && (end < p.end || p.eof) {
			return end, nil
		}
		if end < 0 && (p.fail.at < p.end || p.eof) {
			return 0, p.stopped()
		}
		shift, err := p.fetch(i)
		if errors.Is(err, errWindowFull) {
			return 0, p.unreadable(i, "a value beside the records is larger than %d bytes", p.limit)
		}
		if err != nil {
			return 0, p.failed(err)
		}
		i -= shift
	}
}

// name reads a member's name at i, and passes the colon. The fault is what makes it no text.
func (p *document) name(i int) (name, fault string, end int, err error) {
	for {
		end = -1
		if p.buf[i] != '"' {
			p.syntax(i, "no member name in an object")
		} else if end = p.quoted(i + 1); end >= 0 {
			var text []byte
			text, _, fault = p.unquote(nil, i+1)
			name = string(text)
			if end = p.space(end); p.buf[end] != ':' {
				end = p.syntax(end, "no colon behind a member name")
			}
		}
		if end >= 0 {
			return name, fault, end + 1, nil
		}
		if p.fail.at < p.end || p.eof {
			return "", "", 0, p.stopped()
		}
		shift, err := p.fetch(i)
		if errors.Is(err, errWindowFull) {
			return "", "", 0, p.unreadable(i, "a member name beside the records is larger than %d bytes", p.limit)
		}
		if err != nil {
			return "", "", 0, p.failed(err)
		}
		i -= shift
	}
}

// envelope goes down to the records, and checks everything around it.
func (p *document) envelope(i int, pointer []string) (int, error) {
	i, c, err := p.next(i)
	if err != nil {
		return 0, err
	}
	if len(pointer) == 0 {
		switch {
		case c == 'n':
			return p.pass(i)
		case p.keyed:
			return p.members(i, c)
		case c == '[':
			return p.array(i)
		}
		return 0, p.unreadable(i, "there is no array at %s, where the contract says the records are", p.where())
	}
	if c != '{' && c != '[' {
		start := p.base + int64(i)
		if _, err := p.pass(i); err != nil {
			return 0, err
		}
		return 0, p.unreadableAt(start, "there is nothing at %s, where the contract says the records are", p.where())
	}
	found := false
	closing := c + 2
	i, c, err = p.next(i + 1)
	if err != nil {
		return 0, err
	}
	for n := 0; c != closing; n++ {
		name := fmt.Sprint(n)
		if closing == '}' {
			if name, _, i, err = p.name(i); err != nil {
				return 0, err
			}
		}
		switch {
		case name != pointer[0]:
			if i, _, err = p.next(i); err == nil {
				i, err = p.pass(i)
			}
		case found:
			return 0, p.unreadable(i, "the member %q, on the way to the records, is there twice", name)
		default:
			found = true
			i, err = p.envelope(i, pointer[1:])
		}
		if err != nil {
			return 0, err
		}
		if i, c, err = p.next(i); err != nil {
			return 0, err
		}
		if c == ',' {
			if i, c, err = p.next(i + 1); err != nil {
				return 0, err
			}
			if c == closing {
				return 0, p.unreadable(i, "the page is no JSON: nothing behind a comma")
			}
		} else if c != closing {
			p.syntax(i, "no comma or bracket behind a value")
			return 0, p.stopped()
		}
	}
	if !found {
		return 0, p.unreadable(i, "there is nothing at %s, where the contract says the records are", p.where())
	}
	return i + 1, nil
}

func (p *document) where() string {
	if len(p.pointer) == 0 {
		return "the top"
	}
	where := ""
	for _, token := range p.pointer {
		where += "/" + escapeToken(token)
	}
	return where
}

// members reads the records that are the members of an object. Languages that know no difference between the two write an
// empty one as an empty array.
func (p *document) members(i int, c byte) (int, error) {
	if c == '{' {
		return p.elements(i, '}')
	}
	if c == '[' {
		at := p.base + int64(i)
		end, c, err := p.next(i + 1)
		if err != nil {
			return 0, err
		}
		if c == ']' {
			return end + 1, nil
		}
		return 0, p.unreadableAt(at, "there is an array at %s, where the contract says that records are the members of an object", p.where())
	}
	return 0, p.unreadable(i, "there is no object at %s, where the contract says that its members are the records", p.where())
}

// array reads the records of the array at i and returns the position behind it.
func (p *document) array(i int) (int, error) { return p.elements(i, ']') }

// elements reads records up to the closing bracket of what they are in.
func (p *document) elements(i int, closing byte) (int, error) {
	i, c, err := p.next(i + 1)
	if err != nil {
		return 0, err
	}
	for c != closing {
		if closing == '}' {
			var key, fault string
			if key, fault, i, err = p.name(i); err != nil {
				return 0, err
			}
			p.records.named(key, fault)
			if i, _, err = p.next(i); err != nil {
				return 0, err
			}
		}
		if i, err = p.element(i); err != nil {
			return 0, err
		}
		if i, c, err = p.next(i); err != nil {
			return 0, err
		}
		if c == ',' {
			if i, c, err = p.next(i + 1); err != nil {
				return 0, err
			}
			if c == closing {
				return 0, p.unreadable(i, "the page is no JSON: nothing behind a comma")
			}
		} else if c != closing {
			p.syntax(i, "no comma or bracket behind a value")
			return 0, p.stopped()
		}
	}
	return i + 1, nil
}

// element reads one record of an array or object.
func (p *document) element(i int) (int, error) {
	for {
		end := p.records.parse(i)
		if end >= 0 && (end < p.end || p.eof) {
			return end, p.took(i, end)
		}
		p.records.undo()
		if end < 0 && p.fail.deep {
			return p.oversized(i, RuleDepth, fmt.Sprintf("is nested deeper than %d levels", MaxDepth))
		}
		if end < 0 && (p.fail.at < p.end || p.eof) {
			return 0, p.stopped()
		}
		shift, err := p.fetch(i)
		if errors.Is(err, errWindowFull) {
			return p.oversized(i, RuleTooLarge, p.tooLarge())
		}
		if err != nil {
			return 0, p.failed(err)
		}
		i -= shift
	}
}

// took ends a record that parse has read.
func (p *document) took(i, end int) error {
	if end-i <= p.largest {
		return p.records.take(i, end)
	}
	p.records.undo()
	return p.records.refuse(p.text(i, end), RuleTooLarge, p.tooLarge())
}

func (p *document) tooLarge() string { return fmt.Sprintf("is larger than %d bytes", p.largest) }

// stream reads records that follow each other: lines of JSON, or values one behind the other.
func (p *document) stream(i int) error {
	p.layout = unknownLayout
	for {
		var c byte
		var err error
		if i, c, err = p.next(i); err != nil {
			return err
		}
		if c == 0 && i >= p.end {
			return nil
		}
		if i, err = p.streamed(i); err != nil {
			return err
		}
	}
}

// streamed reads one record of a stream.
func (p *document) streamed(i int) (int, error) {
	for {
		end := p.records.parse(i)
		if end >= 0 && (end < p.end || p.eof) {
			if p.layout == unknownLayout {
				p.layout = oneLine
				if bytes.IndexByte(p.buf[i:end], '\n') >= 0 {
					p.layout = manyLines
				}
			}
			return end, p.took(i, end)
		}
		p.records.undo()
		if end < 0 && p.fail.deep {
			return p.oversized(i, RuleDepth, fmt.Sprintf("is nested deeper than %d levels", MaxDepth))
		}
		if end < 0 && (p.fail.at < p.end || p.eof) {
			return p.badLine(i)
		}
		shift, err := p.fetch(i)
		if errors.Is(err, errWindowFull) {
			return p.oversized(i, RuleTooLarge, p.tooLarge())
		}
		if err != nil {
			return 0, p.failed(err)
		}
		i -= shift
	}
}

// badLine refuses what starts at i and is no JSON, up to where the next record can start: behind the next line break,
// or, where records have several lines, at the next line that starts with a brace.
func (p *document) badLine(i int) (int, error) {
	from, mark := i, []byte("\n{")
	switch p.layout {
	case oneLine:
		mark = mark[:1]
	case manyLines:
		from = max(i, min(p.fail.at, p.end)-1)
	default:
	}
	truncated, reason := p.fail.at >= p.end, p.fail.reason
	at := p.base + int64(p.fail.at)
	for {
		if n := bytes.Index(p.buf[from:p.end], mark); n >= 0 {
			end := from + n
			return end, p.records.refuse(p.text(i, end), RuleJSON, fmt.Sprintf("is no JSON: %s at byte %d of the page", reason, at))
		}
		if p.eof {
			if truncated {
				return 0, p.unreadable(p.end, "the page is truncated: it ends within a value")
			}
			return p.end, p.records.refuse(p.text(i, p.end), RuleJSON, fmt.Sprintf("is no JSON: %s at byte %d of the page", reason, at))
		}
		from = max(from, p.end-1)
		shift, err := p.fetch(i)
		if errors.Is(err, errWindowFull) {
			return p.oversizedLine(i, from, mark)
		}
		if err != nil {
			return 0, p.failed(err)
		}
		i -= shift
		from -= shift
	}
}

// text is what stands between i and end, without the space behind it.
func (p *document) text(i, end int) span {
	line := bytes.TrimRight(p.buf[i:end], " \t\r\n")
	return span{offset: p.base + int64(i), bytes: int64(len(line)), head: line}
}
