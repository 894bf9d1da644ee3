package main

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tributary/shared/contract"
)

const coins = `[{"id":"a","price":1.5,"updated_at":"2025-03-04T14:45:00Z"},{"id":"b","price":2,"updated_at":"2025-03-04T14:46:00Z"}]`

// project is an empty project as the working directory.
func project(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.MkdirAll(datasets, 0o755); err != nil {
		t.Fatal(err)
	}
}

func made(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), append([]string{"new"}, args...), &out)
	return out.String(), err
}

func TestNewFromAnAddress(t *testing.T) {
	project(t)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", `</coins?page=2>; rel="next"`)
		if r.URL.Query().Get("api_key") != "s3cr3t" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = w.Write([]byte(coins)) // the test reads it
	}))
	defer server.Close()
	http.DefaultClient = server.Client()
	t.Cleanup(func() { http.DefaultClient = &http.Client{} })

	text, err := made(t, "coins", server.URL+"/coins?api_key=s3cr3t&order=asc")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"header_link", "api_key in the query", "go tool mage run coins", "version", "updated_at"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	c, err := contract.Load(filepath.Join(datasets, "coins.odcs.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	url, _ := c.Source.URL("dev")
	if url != server.URL+"/coins" || c.Source.Pagination.Kind != "header_link" || c.Source.Auth.Name != "api_key" || len(c.Source.Query) != 1 {
		t.Errorf("source %+v", c.Source)
	}
	yaml, err := os.ReadFile(filepath.Join(datasets, "coins.odcs.yaml"))
	if err != nil || bytes.Contains(yaml, []byte("s3cr3t")) || strings.Contains(text, "s3cr3t") {
		t.Errorf("the secret is written down, %v", err)
	}
	if kept, err := os.ReadFile(filepath.Join(samples, "coins.json")); err != nil || string(kept) != coins {
		t.Errorf("kept sample %q, %v", kept, err)
	}

	if _, err := made(t, "refused", server.URL+"/coins?api_key=wrong"); err == nil || !strings.Contains(err.Error(), "answered 401") || strings.Contains(err.Error(), "wrong") {
		t.Errorf("got %v", err)
	}
}

func TestNewFromAFile(t *testing.T) {
	project(t)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(coins)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("coins.json.gz", packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := made(t, "coins", "coins.json.gz"); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(datasets, "coins.odcs.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := made(t, "coins", "coins.json.gz"); err == nil || !strings.Contains(err.Error(), "is there already and is not overwritten") {
		t.Errorf("a second time: %v", err)
	}
	if after, _ := os.ReadFile(filepath.Join(datasets, "coins.odcs.yaml")); !bytes.Equal(before, after) {
		t.Error("the contract was overwritten")
	}
}

func TestNewRefuses(t *testing.T) {
	project(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := "42"
		if r.URL.Path == "/refused" {
			w.WriteHeader(http.StatusUnauthorized)
			answer = "hunter3/ and hunter3%2F, hunter2 and hunter, limit=5"
		}
		_, _ = w.Write([]byte(answer)) // the test reads it
	}))
	defer server.Close()
	if err := os.WriteFile("columns.json", []byte(`{"time":[1,2],"value":[3,4]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"no arguments", nil, "usage: go tool mage dataset:new NAME URL-or-FILE"},
		{"a bad name", []string{"Coins", "x.json"}, `"Coins" is no name for a dataset`},
		{"no file", []string{"coins", "nowhere.json"}, "read sample records: nowhere.json: there is no such file"},
		{"columns", []string{"weather", "columns.json"}, "infer a contract for weather from columns.json: the document is columnar: its members time, value"},
		{"an address that has no records", []string{"a2", strings.Replace(server.URL, "//", "//bob:hunter2@", 1) + "/plain?key=hunter3"}, "infer a contract for a2 from " + server.URL + "/plain: the sample is a single value"},
		{"a refusal that repeats them", []string{"a2", strings.Replace(server.URL, "//", "//bob:hunter2@", 1) + "/refused?key=hunter3%2F&limit=5&a=hunter"}, "answered 401 Unauthorized: … and …, … and …, limit=5"},
		{"another scheme", []string{"a2", "ftp://user:hunter2@h/x?key=hunter3"}, "read sample records: only http and https addresses are asked"},
		{"no address", []string{"a2", "https://user:p%zzhunter2@h/x?key=hunter3"}, "read sample records: only http and https addresses are asked"},
		{"no scheme", []string{"a2", "user:hunter2@h/x?key=hunter3"}, "read sample records: h/x: there is no such file"},
		{"the address first", []string{"https://bob:hunter2@h/x?key=hunter3", "a2"}, "the name of the dataset comes first, and then the address\nusage: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := made(t, tc.args...)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hunter") {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if left, _ := filepath.Glob(datasets + "/*"); len(left) > 0 {
				t.Errorf("it left %v", left)
			}
		})
	}
}

// A cut keeps the values that are whole, and what is left is JSON.
func TestCut(t *testing.T) {
	for _, tc := range []struct{ name, part, want string }{
		{"an array", `[{"a":1},{"a":[2,3]},{"a":"},{`, `[{"a":1},{"a":[2,3]}]`},
		{"an envelope", `{"n":9,"d":{"items":[{"a":"\\\""},{"b":2},{"c`, `{"n":9,"d":{"items":[{"a":"\\\""},{"b":2}]}}`},
		{"lines", "{\"a\":1}\n{\"a\":2}\n{\"a\"", "{\"a\":1}\n{\"a\":2}"},
		{"members", `{"x":{"a":1},"y":{"a":2},"z":{"a"`, `{"x":{"a":1},"y":{"a":2}}`},
		{"one large value", `{"a":1,"b":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`, ""},
		{"no JSON", `]]]]`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := cut([]byte(tc.part))
			if string(got) != tc.want || ok != (tc.want != "") {
				t.Errorf("got %q, %v, want %q", got, ok, tc.want)
			}
		})
	}
}

func TestNewFromALargeFile(t *testing.T) {
	project(t)
	line := `{"id":"` + strings.Repeat("x", 1000) + `"}` + "\n"
	if err := os.WriteFile("large.ndjson", []byte(strings.Repeat(line, largest/len(line)+2)), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := made(t, "large", "large.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "its first 16 MiB were read") {
		t.Errorf("it does not say what was read:\n%s", text)
	}
	kept, err := os.ReadFile(filepath.Join(samples, "large.json"))
	if err != nil || len(kept) > largest || !bytes.HasSuffix(kept, []byte(`x"}`)) {
		t.Errorf("kept %d bytes, %v", len(kept), err)
	}
}
