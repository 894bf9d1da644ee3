// Package input reads what people give to commands, and says in their words what is wrong with it: files, packed or not, and
// JSON and YAML of a shape. Errors do not name the file, which the caller knows by the name it was given.
package input

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"
)

// File reads a file whole; what is packed with gzip is unpacked.
func File(name string) ([]byte, error) {
	in, err := Open(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return io.ReadAll(in)
}

// Open opens a file for reading; what is packed with gzip is unpacked.
func Open(name string) (io.ReadCloser, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, Plain(err)
	}
	buffered := bufio.NewReader(file)
	mark, err := buffered.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) { // a shorter file has no mark
		return nil, errors.Join(Plain(err), file.Close())
	}
	if !bytes.Equal(mark, []byte{0x1f, 0x8b}) {
		return &reader{buffered, file, Plain}, nil
	}
	z, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, errors.Join(unpacked(err), file.Close())
	}
	return &reader{z, file, unpacked}, nil
}

// reader says in plain words what goes wrong.
type reader struct {
	io.Reader
	io.Closer
	plain func(error) error
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // an io.Reader gives it as it is
		err = r.plain(err)
	}
	return n, err
}

// unpacked is the error of unpacking.
func unpacked(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("it is packed with gzip and ends too early: it was cut short; fetch it again")
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return fmt.Errorf("it is packed with gzip and damaged (%w): fetch it again", err)
	}
	return fmt.Errorf("unpack it: %w", Plain(err))
}

// Plain is an error of the file system without the path, which stands in front of it.
func Plain(err error) error {
	var fault *fs.PathError
	if !errors.As(err, &fault) {
		return err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no such file%w", hidden{err})
	case errors.Is(err, syscall.EISDIR):
		return fmt.Errorf("it is a folder, not a file%w", hidden{err})
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("a file stands where a folder must be: move it away%w", hidden{err})
	}
	return fault.Err
}

// hidden is an error that is known and not said.
type hidden struct{ error }

func (hidden) Error() string   { return "" }
func (h hidden) Unwrap() error { return h.error }

// JSON decodes one JSON value, whose numbers stay as they are written where the place for them is any.
func JSON(text []byte, into any) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return errors.New("it is empty, and no JSON")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err := d.Decode(into)
	var shape *json.UnmarshalTypeError
	switch {
	case errors.As(err, &shape) && shape.Field != "":
		return fmt.Errorf("its member %s has %s, which does not belong there", shape.Field, article(shape.Value))
	case errors.As(err, &shape):
		return fmt.Errorf("it is JSON of another shape: it has %s where another kind of value belongs", article(shape.Value))
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it is no JSON: it ends within a value")
	case err != nil:
		return fmt.Errorf("it is no JSON: %w", err)
	}
	return nil
}

func article(kind string) string {
	if strings.ContainsRune("aeiou", rune(kind[0])) {
		return "an " + kind
	}
	return "a " + kind
}

// goTypes is how the library names the shape that it wanted.
var goTypes = regexp.MustCompile("cannot unmarshal (!!\\w+)( `[^`]*`)? into .*")

// YAML decodes one YAML document.
func YAML(text []byte, into any) error {
	err := yaml.Unmarshal(text, into)
	var shape *yaml.TypeError
	if errors.As(err, &shape) {
		faults := make([]string, len(shape.Errors))
		for i, fault := range shape.Errors {
			faults[i] = goTypes.ReplaceAllString(fault, "$1 stands where another kind of value belongs")
		}
		return errors.New(strings.NewReplacer("!!seq", "a list", "!!map", "a mapping", "!!str", "a text", "!!int", "a number", "!!float", "a number",
			"!!bool", "true or false", "!!null", "nothing").Replace(strings.Join(faults, "; ")))
	}
	if err != nil {
		return fmt.Errorf("it is no YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return nil
}
