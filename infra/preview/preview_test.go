package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"tributary/infra/local/monitor"
	"tributary/infra/stack"
)

var update = flag.Bool("update", false, "write golden files anew")

// clone makes a fresh clone: settings and contracts of this project, functions of one line, nothing built.
func clone(t *testing.T) {
	t.Helper()
	root := t.TempDir()
	write := func(path string, text []byte) {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml", "shared/datasets/coin_markets.odcs.yaml"} {
		text, err := os.ReadFile(filepath.Join("../..", path))
		if err != nil {
			t.Fatal(err)
		}
		write(path, text)
	}
	write("go.mod", []byte("module tributary\n\ngo 1.24\n"))
	write("go.sum", nil)
	write("functions/ingest/main.go", []byte("package main\n\nfunc main() {}\n"))
	write("functions/process/main.go", []byte("package main\n\nfunc main() {}\n"))
	write("infra/main.go", []byte("package main\n"))
	t.Chdir(filepath.Join(root, "infra"))
}

func answered(t *testing.T, args ...string) (out, progress string) {
	t.Helper()
	var o, p bytes.Buffer
	if err := run(t.Context(), args, &o, &p); err != nil {
		t.Fatalf("preview %s: %v", strings.Join(args, " "), err)
	}
	return o.String(), p.String()
}

func TestFreshClone(t *testing.T) {
	clone(t)
	first, progress := answered(t, "show", "prod")
	if !strings.Contains(progress, "deployment packages are missing") {
		t.Errorf("it did not say that it builds the packages, but %q", progress)
	}
	for _, want := range []string{
		"tributary prod: ", " resources in eu-central-1, account 123456789012\n",
		"\ntributary:component:Bucket raw\n",
		"\n  aws:s3/bucketV2:BucketV2 raw [protect] [retain]\n      bucket: tributary-prod-raw-123456789012-eu-central-1\n",
		"\n        WriteOnce: Deny s3:PutObject on arn:aws:s3:::tributary-prod-raw-123456789012-eu-central-1/raw/* by * if s3:ObjectCreationOperation Bool true if s3:if-none-match Null true\n",
		"\n      ← BucketPolicy raw, BucketV2 raw, Function coin_markets-process, FunctionRecursionConfig coin_markets-process, Permission coin_markets-process\n",
		" code: .build/arm64/process-coin_markets.zip\n",
		"\n  rawBucket: tributary-prod-raw-123456789012-eu-central-1\n",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("the tree lacks %q", want)
		}
	}
	if dir, _ := os.Getwd(); strings.Contains(first, filepath.Dir(dir)) {
		t.Error("the tree says where the clone lies")
	}
	second, progress := answered(t, "show", "prod")
	if progress != "" {
		t.Errorf("a second time it says %q", progress)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("two previews differ (-first +second):\n%s", diff)
	}

	text, _ := answered(t, "show", "-json", "dev")
	var got document
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	byURN := map[string]entry{}
	for _, r := range got.Resources {
		byURN[r.URN] = r
	}
	for _, r := range got.Resources {
		for _, urn := range append(r.Dependencies, r.Parent) {
			if _, ok := byURN[urn]; !ok && !strings.Contains(urn, "pulumi:pulumi:Stack") {
				t.Errorf("%s refers to %s, which is not there", r.URN, urn)
			}
		}
	}
	notification := byURN["urn:pulumi:dev::tributary::tributary:component:Bucket$aws:s3/bucketNotification:BucketNotification::raw"]
	if len(notification.Dependencies) == 0 || notification.Type != "aws:s3/bucketNotification:BucketNotification" || notification.Component {
		t.Errorf("the notification is %+v", notification)
	}

	differences, _ := answered(t, "diff", "dev", "prod")
	if rows := strings.Count(differences, "\n"); rows > 50 {
		t.Errorf("the differences take %d lines, which is more than a screen", rows)
	}
	inWidth(t, differences)
	golden(t, "dev-prod.diff.txt", differences)
	same, _ := answered(t, "diff", "dev", "dev")
	if !strings.Contains(same, "Settings: the same\n") || !strings.Contains(same, "Inputs: the same\n") {
		t.Errorf("a stack differs from itself:\n%s", same)
	}
}

func inWidth(t *testing.T, text string) {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		if n := utf8.RuneCountInString(line); n > screen {
			t.Errorf("a line has %d characters of %d: %s", n, screen, line)
		}
	}
}

// Whatever is compared fits on a screen, and nothing of it is lost.
func TestSectionWraps(t *testing.T) {
	word := func(letter string, n int) string { return strings.Repeat(letter, n) }
	for name, changes := range map[string][]change{
		"settings": {{what: word("ä", 100), a: word("a", 60), b: word("b", 60)}},
		"inputs": {
			{of: "Table", what: word("w", 100), a: word("a", 60), b: word("b", 60), where: strings.Repeat("one, ", 20) + word("c", 90)},
			{of: "Table", what: "x", a: "1", b: "2", where: "one"},
			{of: "Bucket", what: "x", a: "1", b: "2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			section(&out, "Title", "dev", "prod", changes)
			inWidth(t, out.String())
			for _, c := range changes {
				for _, cell := range []string{c.what, c.a, c.b, c.where} {
					for _, letter := range []string{"ä", "w", "a", "b", "c", "one"} {
						if want, got := strings.Count(cell, letter), strings.Count(out.String(), letter); got < want {
							t.Errorf("%d of %d %s are left:\n%s", got, want, letter, out.String())
						}
					}
				}
			}
		})
	}
	for _, test := range []struct {
		text string
		want []string
	}{
		{"", []string{""}},
		{"ab cd", []string{"ab cd"}},
		{"ab cde", []string{"ab", "cde"}},
		{"a, b c", []string{"a,", "b c"}},
		{"abcdefg", []string{"abcde", "fg"}},
		{"abcde fg", []string{"abcde", "fg"}},
	} {
		if diff := cmp.Diff(test.want, wrap(test.text, 5)); diff != "" {
			t.Errorf("wrap(%q) (-want +got):\n%s", test.text, diff)
		}
	}
}

func TestRefusals(t *testing.T) {
	clone(t)
	for _, test := range []struct {
		name, want string
		args       []string
		settings   string
	}{
		{name: "nothing asked", want: usage},
		{name: "unknown verb", args: []string{"list", "dev"}, want: usage},
		{name: "two stacks shown", args: []string{"show", "dev", "prod"}, want: usage},
		{name: "unknown flag", args: []string{"show", "-yaml", "dev"}, want: "-yaml"},
		{name: "unknown stack", args: []string{"show", "staging"}, want: "Pulumi.staging.yaml"},
		{name: "wrong settings", args: []string{"show", "wrong"}, settings: "{region: here, shedule: enabled}", want: "shedule: is unknown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.settings != "" {
				text := "config: {tributary:settings: " + test.settings + "}\n"
				if err := os.WriteFile("../Pulumi.wrong.yaml", []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out bytes.Buffer
			err := run(t.Context(), test.args, &out, &out)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

// nothing makes no resource.
type nothing struct{ monitor.Provider }

func TestSecretsAreMasked(t *testing.T) {
	recording, err := monitor.Run(t.Context(), monitor.Program{Project: "p", Stack: "s", Run: func(ctx *pulumi.Context) error {
		var r pulumi.ResourceState
		secret := pulumi.ToSecret(pulumi.String("hunter2")).(pulumi.StringOutput)
		if err := ctx.RegisterComponentResource("test:index:Thing", "thing", &r); err != nil {
			return err
		}
		ctx.Export("password", secret)
		ctx.Export("user", pulumi.String("gopher"))
		return nil
	}}, nothing{})
	if err != nil {
		t.Fatal(err)
	}
	recording.Resources = append(recording.Resources, monitor.Resource{
		Type: "aws:test:Secret", Name: "secret", URN: "urn", Custom: true,
		Inputs: map[string]any{"name": "key", "value": map[string]any{"secret": "hunter2"}}, Secrets: []string{"value"},
	})
	p := &preview{Project: "p", Stack: "s", Config: stack.Config{Region: "eu-central-1"}}
	p.Resources, p.Exports = tidy("/root", recording)
	var tree, machine bytes.Buffer
	if err := writeTree(&tree, p); err != nil {
		t.Fatal(err)
	}
	if err := writeJSON(&machine, p); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"tree": tree.String(), "JSON": machine.String()} {
		if strings.Contains(text, "hunter2") || strings.Count(text, masked) != 2 || !strings.Contains(text, "gopher") {
			t.Errorf("%s does not mask two secrets and nothing else:\n%s", name, text)
		}
	}
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", 5*widest)
	for _, test := range []struct {
		name  string
		value any
		want  []string
	}{
		{"text", "a", []string{"v: a"}},
		{"text of several lines", map[string]any{"m": "a\nb", "n": long[:110]}, []string{"v:", "  m:", "    a", "    b", "  n: " + long[:110]}},
		{"number", 7.0, []string{"v: 7"}},
		{"short object", map[string]any{"b": 1.0, "a": true}, []string{`v: {"a":true,"b":1}`}},
		{"short document", `{"a":[1]}`, []string{`v: {"a":[1]}`}},
		{"archive", monitor.Archive{Path: "a.zip"}, []string{"v: a.zip"}},
		{"long text", long, []string{"v: " + long[:4*widest] + "… (550 characters)"}},
		{"long list", []any{long[:60], long[:60], "c", "d", "e", "f", "g", "h"}, []string{
			"v:", "  [0]: " + long[:60], "  [1]: " + long[:60], "  [2]: c", "  [3]: d", "  [4]: e", "  [5]: f", "  … 2 more",
		}},
		{"policy", `{"Version":"2012-10-17","Statement":[{"Sid":"S","Effect":"Allow","Principal":{"Service":"a.com"},"Action":["x:Y","x:Z"],"Resource":["*"],"Condition":{"StringEquals":{"k":["1"]}}}]}`,
			[]string{"v:", "  S: Allow x:Y, x:Z on * by a.com if k StringEquals 1"}},
		{"view", "/* Presto View: eyJvcmlnaW5hbFNxbCI6IlNFTEVDVCAxXG5GUk9NIHQifQ== */", []string{"v:", "  SELECT 1", "  FROM t"}},
		{"no view", "/* Presto View: ? */", []string{"v: /* Presto View: ? */"}},
		{"no JSON", "{oh", []string{"v: {oh"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, lines("v", test.value)); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

// golden compares text with a file in testdata; the test may have changed its working directory.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(testdata, name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); if it should be so, run the test with -update:\n%s", path, diff)
	}
}

// testdata is found before a test leaves the folder.
var testdata = func() string {
	path, err := filepath.Abs("testdata")
	if err != nil {
		panic(err)
	}
	return path
}()
