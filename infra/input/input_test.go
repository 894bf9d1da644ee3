package input_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tributary/infra/input"
)

func packed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFile(t *testing.T) {
	whole := packed(t, strings.Repeat("text ", 1000))
	damaged := whole[:len(whole)-8] + "\x00\x00\x00\x00" + whole[len(whole)-4:]
	for _, tt := range []struct{ name, body, want, err string }{
		{"plain", "text", "text", ""},
		{"packed", packed(t, "text"), "text", ""},
		{"packed and cut short", whole[:len(whole)/2], "", "it is packed with gzip and ends too early: it was cut short; fetch it again"},
		{"the head of packed", "\x1f\x8b", "", "it was cut short"},
		{"packed by nobody", "\x1f\x8b\x07 and more", "", "it is packed with gzip and damaged"},
		{"packed and damaged", damaged, "", "it is packed with gzip and damaged"},
		{"empty", "", "", ""},
		{"one byte", "\x1f", "\x1f", ""},
	} {
		name := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(name, []byte(tt.body), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := input.File(name)
		if tt.err == "" && (err != nil || string(got) != tt.want) || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		dir: "it is a folder, not a file", filepath.Join(dir, "none"): "there is no such file", filepath.Join(file, "below"): "a file stands where a folder must be: move it away",
	} {
		if _, err := input.File(name); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	if _, err := input.File(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v does not say that the file is missing", err)
	}
}

type shape struct {
	Name string   `json:"name" yaml:"name"`
	List []string `json:"list" yaml:"list"`
}

func TestShapes(t *testing.T) {
	for _, tt := range []struct{ json, want string }{
		{`{"name": "a", "list": ["b"]}`, ""},
		{"", "it is empty, and no JSON"},
		{" \n", "it is empty, and no JSON"},
		{`[1]`, "it is JSON of another shape: it has an array where another kind of value belongs"},
		{`{"list": [{}]}`, "its member list has an object, which does not belong there"},
		{`{"name": "a`, "it is no JSON: it ends within a value"},
		{"\xff\xfe", "it is no JSON: invalid character"},
	} {
		if err := input.JSON([]byte(tt.json), new(shape)); (err == nil) != (tt.want == "") || err != nil && (!strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "Go ")) {
			t.Errorf("%q: %v, want %s", tt.json, err, tt.want)
		}
	}
	for _, tt := range []struct{ yaml, want string }{
		{"name: a\nlist: [b]\n", ""},
		{"", ""},
		{"- a", "line 1: a list stands where another kind of value belongs"},
		{"text", "line 1: a text stands where another kind of value belongs"},
		{"list: {a: b}", "line 1: a mapping stands where another kind of value belongs"},
		{"\xff\xff\xff", "it is no YAML: "},
	} {
		if err := input.YAML([]byte(tt.yaml), new(shape)); (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %s", tt.yaml, err, tt.want)
		}
	}
}
