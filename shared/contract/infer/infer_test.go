package infer

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/contract"
	"tributary/shared/record"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got)\n%s", name, diff)
	}
}

// counter counts what a contract makes of records.
type counter struct{ rejects []string }

func (c *counter) Batch(b *record.Batch) error { b.Release(); return nil }

func (c *counter) Reject(r *record.Reject) error {
	for _, v := range r.Violations {
		c.rejects = append(c.rejects, fmt.Sprintf("record %d: %s", r.Index, v.Message))
	}
	return nil
}

// process reads a sample as a run does.
func process(t *testing.T, c *contract.Contract, sample []byte) (s *record.Summary, rejects []string) {
	t.Helper()
	plan, err := record.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	sink := &counter{}
	r := plan.Start(record.Run{ScheduledAt: time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC)}, sink)
	if err := r.Page(record.Page{Number: 1, Records: -1}, bytes.NewReader(sample)); err != nil {
		t.Fatal(err)
	}
	if s, err = r.Close(); err != nil {
		t.Fatal(err)
	}
	return s, sink.rejects
}

// Every sample is clean under the contract that was made of it.
func TestContract(t *testing.T) {
	for _, tc := range []struct {
		sample  string
		options Options
	}{
		{"coins.json", Options{URL: "https://api.example.com/v3/coins?vs_currency=usd&page=1&x_cg_demo_api_key=&apikey=s3cr3t"}},
		{"orders.json", Options{}},
		{"quakes.json", Options{URL: "https://user:pass@quakes.example.org/feed.geojson"}},
		{"events.ndjson", Options{URL: "https://api.example.com/events", Link: `<https://api.example.com/events?p=2>; rel="next"`}},
		{"names.json", Options{}},
		{"mixed.json", Options{}},
		{"weather.json", Options{}},
		{"decimals.json", Options{}},
		{"keyed.json", Options{URL: "https://api.example.com/assets"}},
	} {
		name := strings.TrimSuffix(tc.sample, filepath.Ext(tc.sample))
		t.Run(name, func(t *testing.T) {
			sample, err := os.ReadFile(filepath.Join("testdata", tc.sample))
			if err != nil {
				t.Fatal(err)
			}
			p, err := Contract(name, sample, tc.options)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".odcs.yaml", p.YAML)
			var notes bytes.Buffer
			for _, n := range p.Notes {
				fmt.Fprintf(&notes, "%-8s %s: %s (%s)\n", n.Sure, n.What, n.Guess, n.Why)
			}
			golden(t, name+".notes", notes.Bytes())
			if bytes.Contains(p.YAML, []byte("s3cr3t")) || bytes.Contains(p.YAML, []byte("pass@")) {
				t.Error("the contract holds a credential")
			}
			c, err := contract.Parse(name+".odcs.yaml", p.YAML)
			if err != nil {
				t.Fatal(err)
			}
			if s, rejects := process(t, c, sample); len(rejects) > 0 || s.Clean != int64(p.Records) || len(s.Unknown) > 0 {
				t.Errorf("%d of %d records are clean, unknown %v: %q", s.Clean, p.Records, s.Unknown, rejects)
			}
		})
	}
}

var suggestion = regexp.MustCompile(`^( +)# (.*) \([^()]*\)$`)

// taken is a contract with all that its comments suggest for columns in one line, and how much that is.
func taken(yaml []byte) (text string, n int) {
	var lines []string
	for line := range strings.Lines(string(yaml)) {
		line = strings.TrimSuffix(line, "\n")
		m := suggestion.FindStringSubmatch(line)
		before := max(len(lines)-1, 0)
		if m == nil || strings.HasPrefix(m[2], "logicalType") || !strings.HasPrefix(lines[before], m[1][2:]+"- {") {
			lines = append(lines, line)
			continue
		}
		n++
		property, options := strings.TrimSuffix(lines[before], "}"), "logicalTypeOptions: {"
		switch key, _, _ := strings.Cut(m[2], ":"); {
		case key == "required" || key == "quality":
			lines[before] = property + ", " + m[2] + "}"
		case strings.Contains(property, options):
			lines[before] = strings.Replace(property, options, options+m[2]+", ", 1) + "}"
		default:
			lines[before] = property + ", " + options + m[2] + "}}"
		}
	}
	return strings.Join(lines, "\n"), n
}

// What a contract suggests loads, and holds for the sample.
func TestSuggestions(t *testing.T) {
	all := 0
	for _, name := range []string{"coins.json", "orders.json", "quakes.json", "events.ndjson", "names.json", "mixed.json", "weather.json", "decimals.json", "keyed.json"} {
		t.Run(name, func(t *testing.T) {
			sample, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			p, err := Contract("trial", sample, Options{})
			if err != nil {
				t.Fatal(err)
			}
			text, n := taken(p.YAML)
			all += n
			c, err := contract.Parse("trial.odcs.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if s, rejects := process(t, c, sample); len(rejects) > 0 || s.Clean != int64(p.Records) {
				t.Errorf("%d of %d records are clean: %q", s.Clean, p.Records, rejects)
			}
		})
	}
	if all < 50 {
		t.Errorf("only %d suggestions were taken", all)
	}
}

// What was sampled over plain http is fetched so, and the contract and a guess say it.
func TestPlainHTTP(t *testing.T) {
	for _, tc := range []struct {
		url  string
		want bool
	}{
		{"http://127.0.0.1:8000/air.json", true},
		{"http://user:pass@sensors.example.org/air.json?key=s3cr3t", true},
		{"https://sensors.example.org/air.json", false},
	} {
		t.Run(tc.url, func(t *testing.T) {
			p, err := Contract("air", []byte(`[{"id":1},{"id":2}]`), Options{URL: tc.url})
			if err != nil {
				t.Fatal(err)
			}
			c, err := contract.Parse("air.odcs.yaml", p.YAML)
			if err != nil {
				t.Fatal(err)
			}
			if c.Source.Insecure != tc.want {
				t.Errorf("insecure is %v, want %v", c.Source.Insecure, tc.want)
			}
			told := slices.ContainsFunc(p.Notes, func(n Note) bool {
				return n.What == "address" && n.Sure == Guess && strings.Contains(n.Guess, "plain http")
			})
			if told != tc.want {
				t.Errorf("told is %v, want %v: %v", told, tc.want, p.Notes)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for _, tc := range []struct{ name, dataset, sample, want string }{
		{"empty", "a", "  \n", "the sample is empty"},
		{"binary", "a", "\xbd\x17,;\x80", "the sample is binary, or text in another encoding than UTF-8, and no JSON"},
		{"UTF-16", "a", "[\x00{\x00", "the sample is binary, or text in another encoding than UTF-8, and no JSON"},
		{"HTML", "a", "<!doctype html>", "HTML or XML and no JSON"},
		{"truncated", "a", `[{"a":1},`, "is no JSON at byte 9"},
		{"scalar", "a", `42`, "a single value"},
		{"empty array", "a", `[]`, "an empty array"},
		{"array of scalars", "a", `[1,2]`, "no objects"},
		{"array of arrays", "a", `[[1,2],[3,4]]`, "rows without the names of their members"},
		{"columnar", "a", `{"latitude":1,"hourly":{"time":["a","b"],"temperature":[1,2]}}`, "/hourly is columnar: its members temperature, time are arrays of 2 values each"},
		{"columns and rows", "a", `{"columns":["a","b"],"data":[[1,2],[3,4]]}`, "/data is an array of arrays"},
		{"no members", "a", `{}`, "the sample is an empty object"},
		{"envelope without records", "a", `{"data":[],"total":0}`, "an answer without records, /data is empty"},
		{"refusal", "a", `{"error":{"code":401,"message":"invalid api key"}}`, `for it has the member "error": does it want a key`},
		{"JSONP", "a", `/**/cb([{"id":1},{"id":2}]);`, "calls a function with the answer (JSONP)"},
		{"UTF-16", "a", "\xff\xfe[\x00]\x00", "the sample is UTF-16"},
		{"CSV", "a", "id,name\n1,a\n", "looks like CSV, and only JSON is read"},
		{"name", "Coins", `[]`, `"Coins" is no name for a dataset`},
		{"name with a hyphen", "a-b", `[]`, "lower-case letters, digits and _"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Contract(tc.dataset, []byte(tc.sample), Options{})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestSnake(t *testing.T) {
	for member, want := range map[string]string{
		"id": "id", "orderId": "order_id", "HTTPStatusCode": "http_status_code", "Price (USD)": "price_usd", "Größe": "grosse", "Straße": "strasse",
		"価格": "", "2024": "n2024", "already_snake": "already_snake", "a.b/c": "a_b_c", "SKU": "sku", "ipV4": "ip_v4", "Ærø": "aero", "50%": "n50_percent", "": "",
	} {
		if got := snake(member); got != want {
			t.Errorf("%q: got %q, want %q", member, got, want)
		}
	}
}

// What loads is what any sample gives: whatever its names and values are, the contract is well formed.
func FuzzContract(f *testing.F) {
	for _, name := range []string{"coins.json", "orders.json", "quakes.json", "events.ndjson", "names.json", "mixed.json", "weather.json", "decimals.json", "keyed.json"} {
		sample, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sample, "")
	}
	f.Add([]byte(`[{"a: b":"#","-":{"no":1},"[":[]," ":"\u2028","\"":1e999}]`), `<x>; rel="next"`)
	f.Fuzz(func(t *testing.T, sample []byte, link string) {
		p, err := Contract("trial", sample, Options{Link: link})
		if err != nil {
			if strings.Contains(err.Error(), "please report") {
				t.Fatalf("%q: %v", sample, err)
			}
			return
		}
		if len(p.Notes) == 0 || p.Records == 0 {
			t.Errorf("%q: %d notes on %d records", sample, len(p.Notes), p.Records)
		}
	})
}
