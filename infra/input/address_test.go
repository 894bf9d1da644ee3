package input_test

import (
	"testing"

	"tributary/infra/input"
)

func TestAddress(t *testing.T) {
	const other, malformed = "only http and https addresses are asked, and a file is given by its path", "only http and https addresses are asked, and this one is not well formed"
	for _, tt := range []struct {
		text string
		web  bool
		err  string
	}{
		{"https://user:pw@api.example.com/x?key=1", true, ""},
		{"HTTP://api.example.com", true, ""},
		{"rates.json", false, ""},
		{"/tmp/a b?.json", false, ""},
		{`C:\rates.json`, false, ""},
		{"", false, ""},
		{"ftp://user:pw@h/x?key=1", false, other},
		{"file:///tmp/rates.json", false, other},
		{"https://user:p%zzw@h/x?key=SEC", false, malformed},
		{"https:/user:pw@h/x?key=SEC", false, malformed},
		{"http://h\x7f/x?key=SEC", false, malformed},
	} {
		u, err := input.Address(tt.text)
		if (u != nil) != tt.web || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%q: %v, %v", tt.text, u, err)
		}
	}
}

func TestShown(t *testing.T) {
	for text, want := range map[string]string{
		"http://bob:hunter2@h:8000/plain?key=hunter3#hunter4": "http://h:8000/plain",
		"https://h/x?":                   "https://h/x",
		"https://user:p%zzw@h/x?key=SEC": "an address",
		"ftp://user:pw@h/x?key=1":        "an address",
		"bob:hunter2@h/x?key=hunter3":    "h/x",
		"api.example.com/x?key=hunter3":  "api.example.com/x",
		"samples/a@b.json":               "samples/a@b.json",
	} {
		if got := input.Shown(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
