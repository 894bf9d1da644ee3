package call

import "strings"

const (
	local    = "stack=STACK dir=FOLDER color=WHEN"
	deployed = "stack=STACK outputs=FILE dir=FOLDER"
)

// Groups are all targets, in the order of the list.
var Groups = []Group{
	{"On this machine", []Target{
		explained("run [DATASET]", "from=FILE-or-URL at=TIME faults=LIST seed=N fresh "+local, "sends what an API answers the whole way and shows what happened"),
		explained("query [SQL]", "format=FORMAT stack=STACK dir=FOLDER", "answers SQL on what local runs left; without SQL it is a shell"),
		explained("dev [DATASET]", "from=FILE-or-URL fresh "+local, "keeps the environment up until Ctrl-C, for the AWS command line and every SDK"),
		explained("invoke FUNCTION EVENT [DATASET]", local, "calls one function with one event"),
	}},
	{"Datasets and their contracts", []Target{
		command("dataset:new NAME FILE-or-URL", "", "writes the contract of a new dataset from sample records"),
		command("contract:check [FILE…]", "", "says what is wrong with contracts: all of shared/datasets, or these"),
		command("contract:docs [FILE…]", "", "prints a data dictionary in Markdown"),
		command("contract:jsonschema FILE", "", "prints a JSON Schema of the records that the source sends"),
		command("contract:diff OLD NEW", "", "says what changes between two contracts; fails where readers break"),
		command("contract:against REVISION", "", "says the same of all contracts since a revision of git"),
	}},
	{"Infrastructure, without credentials", []Target{
		command("infra:preview STACK", "json", "prints every resource of a stack with its inputs"),
		command("infra:diff STACK STACK", "", "prints what two stacks do not have in common"),
		command("infra:against REVISION", "", "prints in Markdown what changes in every stack since a revision of git"),
		command("infra:bootstrap [STACK…]", "", "prints the CloudFormation template of an account before its first deployment"),
		target("build", "", "makes the deployment packages for AWS (linux/arm64) in .build/arm64"),
		target("sizes", "", "prints in Markdown how large the packages are; fails where one is too large"),
		target("release", "is=DIGEST", "prints the digest of the deployment packages; with -is it fails where it is another"),
	}},
	{"Operate: the local environment, or with -stack=STACK what is deployed", []Target{
		explained("ops:status [DATASET] [from] [to]", "limit=N "+deployed, "tells where runs stand, what was rejected and why, how fresh the data are"),
		explained("ops:rejects DATASET [RUN]", "limit=N full "+deployed, "shows rejected records with every reason"),
		explained("ops:replay DATASET [from] [to]", "force parallel=N "+deployed, "has runs processed again"),
		explained("ops:release DATASET [from] [to]", "parallel=N "+deployed, "processes held runs again, after the contract was mended and deployed"),
		explained("ops:redrive [DATASET]", deployed, "sends the events in the failure queues to their functions again"),
		explained("ops:backfill DATASET FROM TO", "at=TIME "+deployed, "brings a part of an incremental source's past as one run"),
		explained("ops:upload DATASET FILE", "at=TIME "+deployed, "brings a file as a run"),
		explained("ops:secret DATASET", deployed, "sets the secret of a source, without echo or from standard input"),
		explained("ops:smoke [DATASET]", deployed, "tries what was deployed by one run, which it looks for in lake and table"),
	}},
	{"Check the project", []Target{
		target("test", "", "runs everything that must hold before a change lands"),
		target("vet", "", "runs go vet over the whole module"),
		target("lint", "", "runs golangci-lint, which also holds the import rules"),
		target("unit", "", "runs all tests: unit, fuzz seeds, Pulumi mocks, end-to-end"),
		target("mutants", "", "plants bugs into ingest and process, and fails where the tests do not catch one"),
		target("readme", "", "runs every command of README.md that needs neither AWS nor the internet, in a copy of the project"),
		target("race", "", "runs the tests under the race detector, but for the end-to-end tests"),
		target("arm64", "", "builds the deployment packages and starts one"),
		target("workflows", "", "checks the GitHub workflows with actionlint"),
		target("vulnerabilities", "required", "looks for known vulnerabilities that the code can reach"),
		explained("bench", "records=N rounds=N largest=N only=PARTS duckdb=false contract=FILE dir=FOLDER", "measures the engine against DuckDB, by stage, by size and in memory"),
	}},
}

// target makes a target from how it is called; flags are separated by spaces.
func target(usage, flags, does string) Target {
	words := strings.Fields(usage)
	t := Target{Name: words[0], Does: does}
	for _, word := range words[1:] {
		name := strings.Trim(word, "[]")
		t.Words = append(t.Words, Word{Name: strings.TrimSuffix(name, "…"), Optional: name != word, Many: strings.HasSuffix(name, "…")})
	}
	for _, text := range strings.Fields(flags) {
		name, value, _ := strings.Cut(text, "=")
		t.Flags = append(t.Flags, Flag{Name: name, Value: value})
	}
	return t
}

func command(usage, flags, does string) Target {
	t := target(usage, flags, does)
	t.Command = true
	return t
}

func explained(usage, flags, does string) Target {
	t := command(usage, flags, does)
	t.Explains = true
	return t
}
