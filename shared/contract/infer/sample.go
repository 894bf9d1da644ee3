package infer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// kind is what a JSON value is.
type kind uint8

const (
	isNull kind = iota
	isBool
	isNumber
	isText
	isArray
	isObject
)

// value is a JSON value with its members in their order and its numbers as they stand.
type value struct {
	kind    kind
	bytes   int    // of its text in the sample, with what stands before it
	text    string // of a number or string; true or false
	items   []value
	members []member
}

type member struct {
	name  string
	value value
}

// get is a member of an object; nil where there is none.
func (v *value) get(name string) *value {
	for i := range v.members {
		if v.members[i].name == name {
			return &v.members[i].value
		}
	}
	return nil
}

const deepest = 64

// jsonp is how a call of a function begins.
var jsonp = regexp.MustCompile(`^(/\*.*?\*/)?[\w.$]+\(`)

// parser reads JSON values.
type parser struct {
	*json.Decoder
	twice string // a member's name that stands twice in one object; "" where none does
}

// parse reads all JSON values of a sample. Of members of one name it keeps the first, and names one of them.
func parse(sample []byte) (all []value, twice string, err error) {
	sample = bytes.TrimPrefix(sample, []byte("\xef\xbb\xbf"))
	trimmed := bytes.TrimSpace(sample)
	first, _ := utf8.DecodeRune(trimmed)
	switch {
	case len(trimmed) == 0:
		return nil, "", errors.New("the sample is empty")
	case bytes.HasPrefix(trimmed, []byte("\xff\xfe")), bytes.HasPrefix(trimmed, []byte("\xfe\xff")):
		return nil, "", errors.New("the sample is UTF-16, and only UTF-8 is read: ask for that, or convert it")
	case bytes.IndexByte(trimmed, 0) >= 0, first == utf8.RuneError:
		return nil, "", errors.New("the sample is binary, or text in another encoding than UTF-8, and no JSON: ask the API for JSON, and save it as it comes")
	case jsonp.Match(trimmed):
		return nil, "", errors.New("the sample is JavaScript that calls a function with the answer (JSONP): leave the parameter out that names the function, as in callback=f")
	case trimmed[0] == '<':
		return nil, "", errors.New("the sample is HTML or XML and no JSON: is the address that of an API, and does it want a key?")
	}
	if line, _, _ := bytes.Cut(trimmed, []byte("\n")); !bytes.ContainsAny(line[:1], "[{\"") && bytes.ContainsAny(line, ",;\t") {
		return nil, "", errors.New("the sample looks like CSV, and only JSON is read: ask the API for JSON, or write the rows as objects, one a line")
	}
	p := parser{Decoder: json.NewDecoder(bytes.NewReader(sample))}
	p.UseNumber()
	for {
		v, err := p.read(0)
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it ends within a value: was it cut short?")
		}
		if err != nil {
			return nil, "", fmt.Errorf("the sample is no JSON at byte %d: %w", p.InputOffset(), err)
		}
		all = append(all, v)
	}
	return all, p.twice, nil
}

func (p *parser) read(depth int) (value, error) {
	start := p.InputOffset()
	token, err := p.Token()
	if err != nil {
		return value{}, err
	}
	v, err := p.readFrom(token, depth)
	v.bytes = int(p.InputOffset() - start)
	return v, err
}

func (p *parser) readFrom(token json.Token, depth int) (value, error) {
	if depth > deepest {
		return value{}, fmt.Errorf("values nest deeper than %d levels", deepest)
	}
	switch t := token.(type) {
	case nil:
		return value{}, nil
	case bool:
		return value{kind: isBool, text: fmt.Sprint(t)}, nil
	case json.Number:
		return value{kind: isNumber, text: t.String()}, nil
	case string:
		return value{kind: isText, text: t}, nil
	case json.Delim:
		if t == '[' {
			return p.readArray(depth)
		}
		return p.readObject(depth)
	}
	return value{}, fmt.Errorf("unexpected %v", token)
}

func (p *parser) readArray(depth int) (value, error) {
	v := value{kind: isArray}
	for p.More() {
		item, err := p.read(depth + 1)
		if err != nil {
			return v, unexpected(err)
		}
		v.items = append(v.items, item)
	}
	_, err := p.Token()
	return v, unexpected(err)
}

func (p *parser) readObject(depth int) (value, error) {
	v := value{kind: isObject}
	seen := map[string]bool{}
	for p.More() {
		name, err := p.Token()
		if err != nil {
			return v, unexpected(err)
		}
		inner, err := p.read(depth + 1)
		if err != nil {
			return v, unexpected(err)
		}
		if text := name.(string); !seen[text] { // a name is always a string
			seen[text] = true
			v.members = append(v.members, member{text, inner})
		} else {
			p.twice = text
		}
	}
	_, err := p.Token()
	return v, unexpected(err)
}

// unexpected turns the end of the sample inside a value into what it is.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// escape writes a member's name as a token of a JSON Pointer.
func escape(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
