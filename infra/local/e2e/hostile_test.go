package e2e_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"tributary/infra/call"
)

// commandOf is the program behind a target, and the words that mage puts in front of the user's.
func commandOf(target string, words []string) (pkg string, before []string) {
	group, verb, _ := strings.Cut(target, ":")
	switch group {
	case "ops":
		if call.Deployed(words) {
			return "infra/ops", []string{verb}
		}
		return "infra/local/cmd", []string{"ops", verb}
	case "contract", "dataset":
		return "infra/" + group, []string{verb}
	case "query":
		return "infra/local/query/cmd", nil
	case "bench":
		return "infra/bench/cmd", []string{"all"}
	case "infra":
		switch verb {
		case "bootstrap":
			return "infra/bootstrap/cmd", nil
		case "preview":
			verb = "show"
		}
		return "infra/preview", []string{verb}
	}
	return "infra/local/cmd", []string{group}
}

// unfed are the targets that take nothing that could be hostile, or none of a user's.
var unfed = map[string]string{
	"build": "compiles the project", "sizes": "compiles the project", "release": "reads what build made; package artifact's tests break it",
	"test": "the go command", "vet": "the go command", "lint": "the go command", "unit": "the go command", "mutants": "the go command",
	"readme": "runs what the README says, of this project alone", "race": "the go command", "arm64": "the go command", "workflows": "the go command", "vulnerabilities": "the go command",
}

// noise is what a user is never to see.
var noise = regexp.MustCompile(`goroutine \d|panic|fault of the program|runtime error|exit status|nil pointer|Go value|Go struct|\.go:\d|%!`)

// hostile is a call that cannot succeed.
type hostile struct {
	call   string            // target and words
	sql    string            // the last word
	files  map[string]string // what lies where, below the project; a name that ends in / is a folder
	stdout string            // "": a pipe that is read; full: a disk without room; gone: a pipe that nobody reads
	want   string            // what the screen says; "": nothing need be said
}

// contract is where the contract of coin_markets lies, settings those of the stack.
const (
	contractPath = "shared/datasets/coin_markets.odcs.yaml"
	another      = "shared/datasets/another.odcs.yaml"
	settings     = "Pulumi.dev.yaml"
	project0     = "Pulumi.yaml"
	begin        = "; go tool mage run -fresh begins with empty stores"
)

// "= h/binary" is the text of that file; "nothing" takes away what is there.
var hostiles = []hostile{
	// Contracts.
	{call: "contract:check h/empty", want: "h/empty:1:1: the file is empty: a contract starts with apiVersion: v3.1.0"},
	{call: "contract:check h/binary", want: "h/binary:1:1: not YAML: the byte 0xbd is no UTF-8: save the file as UTF-8"},
	{call: "contract:check h/gzip", want: "h/gzip:1:1: not YAML: the file is packed with gzip: unpack it"},
	{call: "contract:check h/cut.json", want: "h/cut.json:2:1: not YAML"},
	{call: "contract:check h/deep", want: "h/deep:1:1: not YAML"},
	{call: "contract:check h/alias", want: "YAML aliases are not supported: write the value out"},
	{call: "contract:check h/folder", want: "h/folder is a folder, not a file"},
	{call: "contract:check h/nowhere", want: "there is no file h/nowhere"},
	{call: "contract:check -", want: "there is no file -"},
	{call: "contract:check", files: map[string]string{another: "= h/binary"}, want: another + ":1:1: not YAML: the byte 0xbd is no UTF-8"},
	{call: "contract:check", files: map[string]string{another + "/": ""}, want: "read contract " + another + ": it is a folder, not a file"},
	{call: "contract:check", files: map[string]string{"shared/datasets/": ""}, want: "no *.odcs.yaml in shared/datasets: go tool mage dataset:new makes one"},
	{call: "contract:check", files: map[string]string{"shared/datasets": ""}, want: "no *.odcs.yaml in shared/datasets"},
	{call: "contract:check", stdout: "full", want: "write the answer: write /dev/stdout: no space left on device"},
	{call: "contract:docs h/empty", want: "h/empty:1:1: the file is empty"},
	{call: "contract:docs", stdout: "full", want: "no space left on device"},
	{call: "contract:docs", stdout: "gone"},
	{call: "contract:jsonschema h/binary", want: "h/binary:1:1: not YAML"},
	{call: "contract:diff h/binary " + contractPath, want: "h/binary:1:1: not YAML"},
	{call: "contract:diff " + contractPath + " h/empty", want: "h/empty:1:1: the file is empty"},
	{call: "contract:against HEAD", want: "find revision HEAD: this is no clone of a git repository"},

	// Samples.
	{call: "dataset:new made h/empty", want: "infer a contract for made from h/empty: the sample is empty"},
	{call: "dataset:new made h/binary", want: "from h/binary: the sample is binary, or text in another encoding than UTF-8, and no JSON: ask the API for JSON"},
	{call: "dataset:new made h/cut.gz", want: "h/cut.gz: it is packed with gzip and ends too early: it was cut short; fetch it again"},
	{call: "dataset:new made h/cut.json", want: "from h/cut.json: the sample is no JSON at byte 14: it ends within a value: was it cut short?"},
	{call: "dataset:new made h/deep", want: "from h/deep: the sample is no JSON at byte 66: values nest deeper than 64 levels"},
	{call: "dataset:new made h/text", want: "from h/text: the sample is a single value: a record is an object with members"},
	{call: "dataset:new made h/page.html", want: "from h/page.html: the sample is HTML or XML and no JSON"},
	{call: "dataset:new made h/folder", want: "h/folder is a folder, not a file"},
	{call: "dataset:new made http://127.0.0.1:1/rates?key=made-up", want: "ask 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused"},
	{call: "dataset:new ../made h/gzip", want: "../made"},
	{call: "dataset:new made h/gzip", files: map[string]string{".local": ""}, want: "keep sample in .local/samples: a file stands where a folder must be: move it away"},
	{call: "dataset:new made h/gzip", files: map[string]string{"shared/datasets": ""}, want: "write contract shared/datasets/made.odcs.yaml: a file stands where a folder must be: move it away"},

	// A run, and what earlier ones left.
	{call: "run nosuch", want: "there is no dataset nosuch"},
	{call: "run coin_markets -from=h/empty", want: "serve coin_markets from h/empty: the file is empty"},
	{call: "run coin_markets -from=h/cut.gz", want: "serve coin_markets from h/cut.gz: it is packed with gzip and ends too early: it was cut short; fetch it again"},
	{call: "run coin_markets -from=h/folder", want: "h/folder is a folder, not a file"},
	{call: "run coin_markets -from=h/list", want: "✗ held: enough-rows: rowCount is 0 rows, and must be at least 10"},
	{call: "run", files: map[string]string{another: "= h/binary"}, want: another + ":1:1: not YAML"},
	{call: "run coin_markets -dir=/proc/nowhere", want: "open folder /proc/nowhere: "},
	{call: "run coin_markets", files: map[string]string{".local": ""}, want: ".local: a file stands where a folder must be: move it away"},
	{call: "run coin_markets", files: map[string]string{".build": ""}, want: "a file stands where a folder must be: move it away"},
	{call: "run coin_markets", files: map[string]string{".local/.index.json": "= h/binary"}, want: ".local/.index.json: it is no JSON"},
	{call: "run coin_markets", files: map[string]string{".local/.index.json": ""}, want: ".local/.index.json: it is empty, and no JSON" + begin},
	{call: "run coin_markets", files: map[string]string{".local/.index.json": `{"format":1,"objects":[{"bucket":"raw","key":"../../../x"}]}`}, want: `it names "../../../x", which is no file of the folder` + begin},
	{call: "run coin_markets", files: map[string]string{".local/alerts.json": "{}"}, want: ".local/alerts.json: it is JSON of another shape: it has an object where another kind of value belongs" + begin},
	{call: "run coin_markets", files: map[string]string{".local/tables/tributary-dev-coin_markets.json": "[{}]"}, want: "give back what lies in .local: restore item of table tributary-dev-coin_markets"},
	{call: "run coin_markets", files: map[string]string{".local/logs/metrics.json/": ""}, want: ".local/logs/metrics.json: it is a folder, not a file" + begin},
	{call: "run coin_markets", files: map[string]string{"AUDIT": "= h/binary"}, want: "look at the runs before: read audit row"},
	{call: "run coin_markets", files: map[string]string{settings: "= h/binary"}, want: "read Pulumi.dev.yaml: it is no YAML"},
	{call: "run coin_markets", files: map[string]string{settings: ""}, want: "region: is required, for example eu-central-1"},
	{call: "run coin_markets", files: map[string]string{settings: "- a"}, want: "read Pulumi.dev.yaml: line 1: a list stands where another kind of value belongs"},
	{call: "run coin_markets", files: map[string]string{project0: ""}, want: "it has no name"},
	{call: "run coin_markets", stdout: "full", want: "write summary: write /dev/stdout: no space left on device"},
	{call: "run coin_markets", stdout: "gone"},
	{call: "dev coin_markets", files: map[string]string{".local/catalog.json": "= h/binary"}, want: ".local/catalog.json: it is no JSON"},
	{call: "dev coin_markets", files: map[string]string{contractPath: "= h/empty"}, want: contractPath + ":1:1: the file is empty"},
	{call: "invoke process h/empty", want: "read event h/empty: it is empty, and no JSON"},
	{call: "invoke process h/binary", want: "read event h/binary: it is no JSON"},
	{call: "invoke process h/cut.gz", want: "read event h/cut.gz: it is packed with gzip and ends too early"},
	{call: "invoke process h/list", want: "read event: neither an S3 notification nor a replay"},
	{call: "invoke process -", want: "read event from standard input: "},
	{call: "invoke process h/folder", want: "h/folder is a folder, not a file"},

	// Operators' commands, here and on a stack.
	{call: "ops:status", files: map[string]string{"AUDIT": "= h/binary"}, want: "read audit row"},
	{call: "ops:status", files: map[string]string{".local": ""}, want: ".local: a file stands where a folder must be: move it away"},
	{call: "ops:status", stdout: "full", want: "write the answer: write /dev/stdout: no space left on device"},
	{call: "ops:status", stdout: "gone"},
	{call: "ops:status -outputs=h/binary", want: "they are not what `pulumi stack output --json` prints: it is no JSON"},
	{call: "ops:status -outputs=h/list", want: "they are not what `pulumi stack output --json` prints: it is JSON of another shape"},
	{call: "ops:status -outputs=h/folder", want: "h/folder is a folder, not a file"},
	{call: "ops:rejects coin_markets 2025", want: `"2025" is no run id such as 20250304T144500Z`},
	{call: "ops:rejects coin_markets", files: map[string]string{".local/rejects": ""}, want: "a file stands where a folder must be: move it away"},
	{call: "ops:replay nosuch", want: "there is no dataset nosuch"},
	{call: "ops:replay coin_markets yesterday", want: `from "yesterday" is neither a run id nor a time such as 2025-03-04 or 2025-03-04T14:45:00Z`},
	{call: "ops:release coin_markets 2025-03-04 2025-03-01", want: "the end 2025-03-01T23:59:59Z lies before the beginning 2025-03-04T00:00:00Z"},
	{call: "ops:redrive nosuch", want: "there is no dataset nosuch"},
	{call: "ops:backfill coin_markets a b", want: "backfill coin_markets: its source has no past"},
	{call: "ops:upload coin_markets h/empty", want: "(it is empty)"},
	{call: "ops:upload coin_markets h/page.html", want: "it is neither what the API answers (read page 1: the page is no JSON but looks like HTML or XML at byte 0) nor records, one a line"},
	{call: "ops:upload coin_markets h/cut.gz", want: "upload h/cut.gz: it is packed with gzip and ends too early: it was cut short; fetch it again"},
	{call: "ops:upload coin_markets -", want: "there is no file -"},
	{call: "ops:secret coin_markets", want: "fill secret tributary-dev/coingecko of coin_markets: "},
	{call: "ops:smoke nosuch", want: "there is no dataset nosuch"},

	// The infrastructure.
	{call: "infra:preview nosuch", want: "there is no stack nosuch: it would have its settings in Pulumi.nosuch.yaml"},
	{call: "infra:preview dev", files: map[string]string{settings: "= h/binary"}, want: "read Pulumi.dev.yaml: it is no YAML"},
	{call: "infra:preview dev", files: map[string]string{settings: ""}, want: "preview stack dev: settings (tributary:settings) are missing: write at least {region: eu-central-1} for them"},
	{call: "infra:preview dev", files: map[string]string{settings + "/": ""}, want: "read Pulumi.dev.yaml: it is a folder, not a file"},
	{call: "infra:preview dev", files: map[string]string{another: "= h/binary"}, want: another + ":1:1: not YAML"},
	{call: "infra:diff dev dev", files: map[string]string{settings: "- a"}, want: "read Pulumi.dev.yaml: line 1: a list stands"},
	{call: "infra:against HEAD", want: "find revision HEAD: this is no clone of a git repository"},
	{call: "infra:bootstrap dev", files: map[string]string{settings: "= h/binary"}, want: "read Pulumi.dev.yaml: it is no YAML"},
	{call: "infra:bootstrap", files: map[string]string{project0: ""}, want: "read Pulumi.yaml: it has no name"},
	{call: "infra:bootstrap", stdout: "full", want: "no space left on device"},
	{call: "infra:bootstrap", stdout: "gone"},
	{call: "bench -contract=h/binary -only=stages", want: "h/binary:1:1: not YAML"},
	{call: "bench -only=nonsense", want: `there is no part "nonsense"`},
}

// Whatever a command is given, it fails with a sentence that names the thing and says what to do, and with no trace of the
// program's insides.
func TestHostileInput(t *testing.T) {
	embedded(t)
	dir := project(t)
	if err := os.CopyFS(filepath.Join(dir, ".build/local"), os.DirFS(filepath.Join(dir, packages))); err != nil {
		t.Fatal(err)
	}
	if status, out := commandIn(t, dir, "run", dataset); status != 0 {
		t.Fatalf("status %d:\n%s", status, out)
	}
	audit, err := filepath.Glob(filepath.Join(dir, ".local/lake/pipeline_audit/*/*.json"))
	if err != nil || len(audit) != 1 {
		t.Fatalf("audit rows %q, %v", audit, err)
	}
	lake, err := filepath.Glob(filepath.Join(dir, ".local/lake", dataset, "*/*.parquet"))
	if err != nil || len(lake) != 1 {
		t.Fatalf("lake files %q, %v", lake, err)
	}
	places := strings.NewReplacer("AUDIT", strings.TrimPrefix(audit[0], dir+"/"), "PARQUET", strings.TrimPrefix(lake[0], dir+"/"))

	random := rand.New(rand.NewPCG(1, 2))
	binary := make([]byte, 5000)
	for i := range binary {
		binary[i] = byte(random.Uint32())
	}
	binary[0] = 0xbd
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(`[{"id":1}]`)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(contractFile(dir, dataset))
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]string{
		"h/empty": "", "h/binary": string(binary), "h/cut.json": `[{"a":1},{"a":`, "h/cut.gz": packed.String()[:packed.Len()/2], "h/gzip": packed.String(), "h/text": `"text"`, "h/list": "[]",
		"h/deep": strings.Repeat("[", 200_000), "h/page.html": "<html><body>no</body></html>", "h/folder/": "", "h/alias": strings.Replace(string(good), "properties:", "properties: &p\n      - {name: x, logicalType: object, properties: *p}", 1),
	}
	for name, text := range written {
		write(t, dir+"/"+name, text)
	}
	fed := map[string]bool{}
	for _, h := range slices.Concat(hostiles, hostileQueries) {
		target, _, _ := strings.Cut(h.call, " ")
		fed[target] = true
		name := strings.Join([]string{h.call, h.sql, h.stdout}, " ")
		for _, file := range slices.Sorted(maps.Keys(h.files)) {
			name += file + " " + h.files[file][:min(len(h.files[file]), 20)]
		}
		t.Run(name, func(t *testing.T) {
			for file, text := range h.files {
				if other, same := strings.CutPrefix(text, "= "); same {
					text = written[other]
				}
				replace(t, dir+"/"+places.Replace(file), text)
			}
			words := strings.Fields(h.call)
			if h.sql != "" {
				words = append(words, h.sql)
			}
			status, out := h.feed(t, dir, words[0], words[1:])
			if status == 0 {
				t.Error("it succeeds")
			}
			if want := places.Replace(h.want); !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
				t.Errorf("it does not say %q", want)
			}
			if found := noise.FindString(out); found != "" {
				t.Errorf("it says %q", found)
			}
			if t.Failed() {
				t.Logf("status %d:\n%s", status, out)
			}
		})
	}
	for _, g := range call.Groups {
		for _, target := range g.Targets {
			if unfed[target.Name] == "" && !fed[target.Name] && (target.Name != "query" || len(hostileQueries) > 0) {
				t.Errorf("%s is fed nothing", target.Name)
			}
		}
	}
}

// feed makes the call as mage does.
func (h hostile) feed(t *testing.T, dir, target string, words []string) (status int, screen string) {
	t.Helper()
	var complaint bytes.Buffer
	if status, done := call.Answer(append([]string{target}, words...), dir, &complaint, &complaint); done {
		return status, complaint.String()
	}
	pkg, before := commandOf(target, words)
	args := slices.Concat([]string{"-c", `exec "$0" "$@" <&-`, program(t, pkg)}, before, words) // without a standard input
	cmd := exec.CommandContext(t.Context(), "sh", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=made-up", "AWS_SECRET_ACCESS_KEY=made-up", "AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_MAX_ATTEMPTS=1")
	switch h.stdout {
	case "full":
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if errors.Is(err, os.ErrNotExist) {
			t.Skip("this machine has no /dev/full")
		}
		if err != nil {
			t.Fatal(err)
		}
		defer full.Close()
		cmd.Stdout = full
	case "gone":
		read, written, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := read.Close(); err != nil {
			t.Fatal(err)
		}
		defer written.Close()
		cmd.Stdout = written
	}
	status, out, complaints := called(t, cmd)
	if status == -1 && h.stdout == "gone" && cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGPIPE {
		return 128 + int(syscall.SIGPIPE), complaints // as a shell sees it
	}
	return status, out + complaints
}

func write(t *testing.T, path, text string) {
	t.Helper()
	folder, name := filepath.Split(path)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if name == "" {
		return
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// replace puts a file, or a folder where the name ends in /, in the place of what is there until the test ends.
func replace(t *testing.T, path, text string) {
	t.Helper()
	plain := strings.TrimSuffix(path, "/")
	aside := filepath.Join(t.TempDir(), "aside")
	moved := os.Rename(plain, aside)
	if moved != nil && !errors.Is(moved, os.ErrNotExist) {
		t.Fatal(moved)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(plain); err != nil {
			t.Error(err)
		}
		if moved == nil {
			if err := os.Rename(aside, plain); err != nil {
				t.Error(err)
			}
		}
	})
	if text != "nothing" {
		write(t, path, text)
	}
}
