package readme

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	aws, internet := Needs{AWS: true}, Needs{Internet: true}
	for _, test := range []struct {
		name, text string
		want       []Command
	}{
		{"lines with comments", "```sh\ngo tool mage run     # all\n\ngo tool mage query \"SELECT '#' # 1\"   # by SQL\n```\n", []Command{
			{Text: "go tool mage run", Line: 2}, {Text: `go tool mage query "SELECT '#' # 1"`, Line: 4},
		}},
		{"a line goes on", "1. Do\n   ```sh\n   aws x \\\n     --flag y   # needs AWS\n   ```\n", []Command{{Text: "aws x --flag y", Line: 3, Said: aws, Claimed: aws}}},
		{"one of two needs it", "```sh\ngo tool mage build\npulumi up   # needs AWS\n```\n", []Command{
			{Text: "go tool mage build", Line: 2}, {Text: "pulumi up", Line: 3, Said: aws, Claimed: aws},
		}},
		{"a whole block needs it", "```sh\n# needs AWS\naws a\n# and then\naws b   # also needs the internet\n```\n", []Command{
			{Text: "aws a", Line: 3, Said: aws, Claimed: aws}, {Text: "aws b", Line: 5, Said: aws.or(internet), Claimed: aws.or(internet)},
		}},
		{"inline code", "Say `go doc ./x`, or `pulumi\nup` (needs AWS), not `pulumi` or `aws:s3/x` or `mage run`.\n", []Command{
			{Text: "go doc ./x", Line: 1, Said: aws}, {Text: "pulumi up", Line: 1, Said: aws, Claimed: aws},
		}},
		{"a paragraph says it of all in it", "With `aws x` it\nneeds AWS.\n\nNot `aws y`.\n", []Command{{Text: "aws x", Line: 1, Said: aws}, {Text: "aws y", Line: 4}}},
		{"rows and items are paragraphs", "| `aws x` needs AWS |\n| `aws y` |\n- `aws z`\n  needs AWS\n1. `gh x`\n", []Command{
			{Text: "aws x", Line: 1, Said: aws}, {Text: "aws y", Line: 2}, {Text: "aws z", Line: 3, Said: aws}, {Text: "gh x", Line: 5},
		}},
		{"a section says it", "## A\n\nEvery command here needs AWS.\n\n- `aws x`\n\n```sh\naws y\n```\n\n## B\n\n`aws z`\n", []Command{
			{Text: "aws x", Line: 5, Said: aws}, {Text: "aws y", Line: 8, Said: aws}, {Text: "aws z", Line: 13},
		}},
		{"variables and installed tools", "`AWS_ENDPOINT_URL=http://h go test ./x` and `.build/dc/bin/datacontract lint`, not `A=b`", []Command{
			{Text: "AWS_ENDPOINT_URL=http://h go test ./x", Line: 1}, {Text: ".build/dc/bin/datacontract lint", Line: 1},
		}},
		{"other blocks", "```yaml\ngo tool mage run\n```\n```mermaid\naws x\n```\n", nil},
		{"a screen", "`go tool mage x` and `go tool mage run` show\n\n```\n✓ all\n  is well\n```\n\n```\nelse\n```\n", []Command{
			{Text: "go tool mage x", Line: 1}, {Text: "go tool mage run", Line: 1, Shown: "✓ all\n  is well"},
		}},
		{"no screen", "`go tool mage run`\n\n## House\n\n```\ninfra/\n```\n", []Command{{Text: "go tool mage run", Line: 1}}},
	} {
		if diff := cmp.Diff(test.want, Read(test.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestNeeds(t *testing.T) {
	for _, test := range []struct {
		command string
		want    Needs
	}{
		{"go tool mage run", Needs{}},
		{"go tool mage run -stack=prod", Needs{}}, // the local environment of its settings
		{"go tool mage ops:status", Needs{}},
		{"go tool mage ops:status -stack=dev", Needs{AWS: true}},
		{"go tool mage ops:status x -outputs=o.json", Needs{AWS: true}},
		{"aws s3 ls", Needs{AWS: true}},
		{"go tool mage build && pulumi up", Needs{AWS: true}},
		{"gh run list", Needs{AWS: true}},
		{"go doc ./aws pulumi ", Needs{}},
		{"go tool mage run -from=https://api.coingecko.com/x", Needs{Internet: true}},
		{"go tool mage dataset:new x https://api.example.com/v1", Needs{}},
		{"go tool mage dataset:new x https://notexample.com/v1", Needs{Internet: true}},
		{"AWS_ENDPOINT_URL=http://127.0.0.1:5000 go test ./x", Needs{}},
		{"python3 -m venv x && x/bin/pip install y", Needs{Internet: true}},
		{"go tool mage vulnerabilities -required", Needs{Internet: true}},
		{"go tool mage vulnerabilities", Needs{}},
	} {
		if got := (Command{Text: test.command}).Needs(); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.command, got, test.want)
		}
	}
}

// A mark cannot keep a command from being run, and none that needs something is without one.
func TestFaults(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"`aws x`", "README.md:1 does not say that this needs AWS: aws x"},
		{"```sh\npulumi up\n```", "README.md:2 does not say that this needs AWS: pulumi up"},
		{"`pulumi up` (needs AWS)\n\n`pulumi up`", "README.md:3 does not say that this needs AWS: pulumi up"},
		{"`go tool mage ops:smoke -stack=dev`", "README.md:1 does not say that this needs AWS: go tool mage ops:smoke -stack=dev"},
		{"```sh\npip install x && x/bin/pip install y\n```", "README.md:2 does not say that this needs the internet: pip install x && x/bin/pip install y"},
		{"```sh\ngo tool mage run   # needs AWS\n```", "README.md:2 says that this needs AWS, which nothing in it shows: go tool mage run"},
		{"```sh\n# needs AWS\ngo tool mage run\n```", "README.md:3 says that this needs AWS, which nothing in it shows: go tool mage run"},
		{"`go tool mage run` (needs the internet)", "README.md:1 says that this needs the internet, which nothing in it shows: go tool mage run"},
		{"`aws x` (needs AWS) and `go tool mage run` in a sentence that needs AWS", ""},
		{"```sh\n# needs AWS\naws x\n```", ""},
	} {
		if got := strings.Join(Faults(Read(test.text)), "\n"); got != test.want {
			t.Errorf("%q: %q, want %q", test.text, got, test.want)
		}
	}
}

func TestThisREADME(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	steps, err := Plan(Read(string(text)), Ours)
	if err != nil {
		t.Error(err)
	}
	run, screens := 0, 0
	for _, s := range steps {
		if s.Run != "" {
			run++
		}
		if s.Shown != "" && s.Run != "" {
			screens++
		}
	}
	if run < 30 || len(steps)-run < 20 || screens == 0 {
		t.Errorf("of %d commands %d are run, and %d screens compared", len(steps), run, screens)
	}
}
