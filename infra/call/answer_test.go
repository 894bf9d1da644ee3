package call_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tributary/infra/call"
)

// project is a folder that looks like the project.
func project(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"magefile.go": "", "Pulumi.dev.yaml": "", "event.json": "{}", "rates.json": "[]",
		"shared/datasets/coins.odcs.yaml": "schema:\n  - name: coins\n", "shared/datasets/orders_v2.odcs.yaml": "schema: [{name: 'orders', x: 1}]\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestWrongCallsAreAnswered(t *testing.T) {
	dir := project(t)
	for _, test := range []struct{ line, want string }{
		{"runn", "there is no target runn; did you mean run?\ngo tool mage lists what there is\n"},
		{"check", "there is no target check; did you mean contract:check?"},
		{"ops:staus", "there is no target ops:staus; did you mean ops:status?"},
		{"deploy-everything", "there is no target deploy-everything\n"},
		{"help wat", "there is no target wat"},
		{"vet lynt", "there is no target lynt; did you mean lint?"},
		{"ops:replay coins -from=2025-03-01", "there is no flag -from: the from is a word, as in go tool mage ops:replay DATASET [from] [to]"},
		{"ops:rejects coins -run=20250304T144500Z", "there is no flag -run: the run is a word, as in go tool mage ops:rejects DATASET [RUN]"},
		{"run nope", "wrong call: there is no dataset nope in shared/datasets, which has coins, orders_v2\nthe call is: go tool mage run [DATASET] [-from=FILE-or-URL]"},
		{"run rates.json", "there is no dataset rates.json in shared/datasets, which has coins, orders_v2; the file is given as -from=rates.json"},
		{"run -dataset=coins", "there is no flag -dataset: the dataset is a word, as in go tool mage run [DATASET]"},
		{"run -from=nowhere.json", "-from: there is no file nowhere.json"},
		{"run -from=event.json -stack prod", "-stack: there is no stack prod: it would have its settings in Pulumi.prod.yaml"},
		{"run --nope=1", "there is no flag -nope\n"},
		{"run coins -at", "-at is without a value: -at=TIME"},
		{"run coins orders", `"orders" is too much`},
		{"contract:check nope.yaml", "there is no file nope.yaml\nthe call is: go tool mage contract:check [FILE…]"},
		{"contract:check coins", "there is no file coins; did you mean shared/datasets/coins.odcs.yaml?"},
		{"contract:docs coins.odcs.yaml", "there is no file coins.odcs.yaml; did you mean shared/datasets/coins.odcs.yaml?"},
		{"contract:docs -flie=x", "contract:docs has no flags, and so no -flie"},
		{"contract:check shared", "shared is a folder, not a file"},
		{"contract:jsonschema", "FILE is missing\nthe call is: go tool mage contract:jsonschema FILE\n"},
		{"contract:diff", "OLD and NEW are missing"},
		{"contract:diff event.json", "NEW is missing"},
		{"dataset:new rates", "FILE-or-URL is missing"},
		{"dataset:new rates nowhere.csv", "there is no file nowhere.csv"},
		{"dataset:new rates ftp://user:hunter2@h/x?key=hunter3", "wrong call: only http and https addresses are asked, and a file is given by its path\nthe call is"},
		{"dataset:new rates https://user:p%zzhunter2@h/x?key=hunter3", "wrong call: only http and https addresses are asked, and this one is not well formed\nthe call is"},
		{"run -from=https:/h/x?key=hunter3", "-from: only http and https addresses are asked, and this one is not well formed\nthe call is"},
		{"dataset:new rates api.example.com/x?key=hunter3", "there is no file api.example.com/x; an address begins with https://"},
		{"dataset:new https://bob:hunter2@h/x?key=hunter3 rates.json", "NAME is no address"},
		{"dataset:new rates rates.json https://bob:hunter2@h/x?key=hunter3", `"https://h/x" is too much`},
		{"run https://bob:hunter2@h/x?key=hunter3", "DATASET is no address"},
		{"contract:check https://bob:hunter2@h/x?key=hunter3", "FILE is no address"},
		{"infra:preview", "STACK is missing\nthe call is: go tool mage infra:preview STACK [-json]"},
		{"infra:preview --json stage", "there is no stack stage"},
		{"infra:preview dev extra", `"extra" is too much`},
		{"invoke process", "EVENT is missing"},
		{"query SELECT 1", "2 words, want one: put the SQL in quotes"},
		{"ops:replay nope 2025-03-01", "there is no dataset nope"},
		{"ops:upload coins nowhere", "there is no file nowhere"},
		{"release -si=x", "there is no flag -si\nthe call is: go tool mage release [-is=DIGEST]"},
		{"vet -fast", "vet has no flags, and so no -fast"},
	} {
		var out, stderr bytes.Buffer
		status, done := call.Answer(strings.Fields(test.line), dir, &out, &stderr)
		if status != 2 || !done || !strings.Contains(stderr.String(), test.want) || strings.Contains(stderr.String(), "hunter") || out.Len() > 0 {
			t.Errorf("%s: status %d, done %t, says %q, want %q", test.line, status, done, stderr.String()+out.String(), test.want)
		}
	}
	var stderr bytes.Buffer
	if status, done := call.Answer([]string{"run"}, filepath.Join(dir, "shared", "datasets"), &stderr, &stderr); status != 2 || !done ||
		stderr.String() != "go tool mage works in the root of the project: cd ../.. first\n" {
		t.Errorf("from a subfolder: status %d, done %t, says %q", status, done, stderr.String())
	}
}

func TestRightCallsGoOn(t *testing.T) {
	dir := project(t)
	for _, line := range []string{
		"run", "run coins", "Run orders -at 2025-03-04T14:45:00Z -fresh", "run -fresh=false --from=rates.json coins", "run coins -from=https://example.com/x",
		"run -from=built-in", "run -help", "run coins -h", "dev coins -stack=dev", "invoke process event.json", "invoke process - coins", "query", `query -format=csv SELECT`,
		"contract:check event.json rates.json", "contract:diff event.json rates.json", "infra:preview -json dev", "infra:diff dev dev", "infra:bootstrap dev dev",
		"ops:status 2025-03-01 2025-03-02", "ops:status coins 2025-03-01 -stack=org/tributary/stage", "ops:replay -help", "vet lint test", "release -is=x",
		"vulnerabilities -required", "bench -duckdb=false -records=5", "-v vet", "-version",
	} {
		var out bytes.Buffer
		if status, done := call.Answer(strings.Fields(line), dir, &out, &out); status != 0 || done || out.Len() > 0 {
			t.Errorf("%s: status %d, done %t, says %q", line, status, done, out.String())
		}
	}
}

func TestHelp(t *testing.T) {
	dir := project(t)
	for _, test := range []struct{ line, want string }{
		{"", "\nOn this machine\n  run [DATASET]  "},
		{"-l", "contract:check [FILE…]"},
		{"--help", "\nOperate: the local environment"},
		{"help run", "usage: go tool mage run [DATASET] [-from=FILE-or-URL] "},
		{"-h Contract:Check", "usage: go tool mage contract:check [FILE…]\n\nSays what is wrong with contracts"},
		{"infra:diff -help", "usage: go tool mage infra:diff STACK STACK\n"},
	} {
		var out, stderr bytes.Buffer
		status, done := call.Answer(strings.Fields(test.line), dir, &out, &stderr)
		if status != 0 || !done || stderr.Len() > 0 || !strings.Contains(out.String(), test.want) {
			t.Errorf("%s: status %d, done %t, prints %q, want %q", test.line, status, done, out.String()+stderr.String(), test.want)
		}
	}
}
