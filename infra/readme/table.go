package readme

// Rules are what a reader does beyond typing a command.
type Rules struct {
	Substitutions []Substitution // one after the other
	Elsewhere     []Place
	Talks         []Talk
}

// Substitution is what stands in the place of whole words of a command when it is run.
type Substitution struct{ Words, With, Why string }

// Place is where a command is run that is not run here.
type Place struct{ Command, Why string }

// Talk is what is said to a command that goes on until Ctrl-C, line by line.
type Talk struct {
	Command string
	Lines   []Line
}

// Line is said once the screen shows a text behind what it had shown before.
type Line struct{ Shown, Say string }

// CtrlC is said by a signal.
const CtrlC = "Ctrl-C"

// servedRates is put in the place of an address at which the rates are served.
const servedRates = "{rates}"

// Ours are the rules of this README.
var Ours = Rules{
	Substitutions: []Substitution{
		{
			"go tool mage contract:diff OLD NEW", "sed 's/^version: .*/version: 1.1.0/' shared/contract/testdata/base.odcs.yaml >.build/new.yaml &&" +
				" go tool mage contract:diff shared/contract/testdata/base.odcs.yaml .build/new.yaml",
			"a contract and the same under a higher version",
		},
		{"REVISION", "HEAD", "what the copy is of"},
		{"git checkout COMMIT", "git checkout HEAD && go mod edit -toolchain=$(go env GOVERSION)", "what the copy is of, and the toolchain that is here"},
		{"-is=sha256:DIGEST", "-is=$(go tool mage release) && git checkout go.mod", "the digest that another machine printed"},
		{"DATASET", "coin_markets", "the dataset that is here"},
		{"FILE", "infra/readme/testdata/response.json", "records of coin_markets"},
		{"-from=response.json", "-from=infra/readme/testdata/response.json", "a recorded response"},
		{"https://api.example.com/v1/rates", servedRates, "served here from infra/readme/testdata/rates.json"},
		{">/tmp/bootstrap.json", ">.build/bootstrap.json", "nothing is written outside of the copy"},
		{
			"go tool mage ops:backfill orders", "cp infra/local/e2e/testdata/orders.odcs.yaml shared/datasets && go tool mage ops:backfill orders",
			"the README makes up orders; the end-to-end tests have them",
		},
		{"go tool mage ops:secret", "echo made-up | go tool mage ops:secret", "the key, which it asks for"},
		{"datacontract lint", ".build/dc/bin/datacontract lint shared/datasets/coin_markets.odcs.yaml", "where it is installed, and on which contract, stands elsewhere"},
		{"datacontract test --server local", ".build/dc/bin/datacontract test --server local shared/datasets/coin_markets.odcs.yaml", "the same"},
		{"datacontract test", ".build/dc/bin/datacontract test --server local shared/datasets/coin_markets.odcs.yaml", "the same"},
		{"go tool mage bench", "go tool mage bench -records=1000 -rounds=1 -largest=10000 -only=clean,dirty,sizes,start", "the whole takes many minutes; here are four of its parts, small"},
		{"-fuzz=FuzzPage", "-run=FuzzPage -fuzz=FuzzPage -fuzztime=1s", "it has no end; the package's tests, which it begins with, were run"},
		{"-mutations 10000000", "-mutations 10000", "ten million take minutes"},
	},
	Elsewhere: []Place{
		{"go tool mage test", "it runs this"},
		{"go tool mage mutants", "it is a part of go tool mage test by itself"},
	},
	Talks: []Talk{
		{"go tool mage dev", []Line{{"export AWS_ENDPOINT_URL=", "fire"}, {"✓ process", "status"}, {"the contract promises", CtrlC}}},
	},
}
