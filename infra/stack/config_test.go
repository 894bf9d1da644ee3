package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"go.yaml.in/yaml/v3"

	"tributary/infra/artifact"
)

func TestParseConfig(t *testing.T) {
	three := 3
	for _, test := range []struct {
		name, text string
		want       func(*Config)
	}{
		{
			name: "only the region has no default",
			text: `{"region":"eu-central-1"}`,
			want: func(*Config) {},
		},
		{
			name: "what is said replaces defaults, member by member",
			text: `{"region":"us-gov-west-1","accountIds":["123456789012"],"protect":true,"retention":{"rawDays":400,"logsDays":365.0},
				"ingest":{"memoryMB":256},"process":{"reservedConcurrency":3},"tags":{"Team":"data"},
				"alerts":[{"protocol":"email","endpoint":"a@example.com"},{"protocol":"https","endpoint":"https://example.com/hook"}],
				"datasets":{"coin_markets":{"sourceUrl":"http://127.0.0.1:8080/x","schedule":"disabled","process":{"memoryMB":3008}}}}`,
			want: func(c *Config) {
				c.Region, c.AccountIDs, c.Protect = "us-gov-west-1", []string{"123456789012"}, true
				c.Retention.Raw, c.Retention.Logs = 400, 365
				c.Ingest.MemoryMB, c.Process.ReservedConcurrency = 256, &three
				c.Tags = map[string]string{"Team": "data"}
				c.Alerts = []AlertConfig{{"email", "a@example.com"}, {"https", "https://example.com/hook"}}
				c.Datasets = map[string]DatasetConfig{"coin_markets": {
					SourceURL: "http://127.0.0.1:8080/x", Schedule: Disabled, Process: FunctionConfig{MemoryMB: 3008},
				}}
			},
		},
		{
			name: "QuickSight wants a principal alone",
			text: `{"region":"eu-central-1","quickSight":{"principal":"arn:aws:quicksight:eu-central-1:123456789012:group/default/analysts"}}`,
			want: func(c *Config) {
				c.QuickSight = &QuickSightConfig{
					Principal:   "arn:aws:quicksight:eu-central-1:123456789012:group/default/analysts",
					ServiceRole: "aws-quicksight-service-role-v0", RefreshAt: "06:00",
				}
			},
		},
		{
			name: "null is no QuickSight",
			text: `{"region":"eu-central-1","quickSight":null}`,
			want: func(*Config) {},
		},
		{
			name: "null shares the account's pool",
			text: `{"region":"eu-central-1","ingest":{"reservedConcurrency":null}}`,
			want: func(*Config) {},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := defaults()
			if want.Region == "" {
				want.Region = "eu-central-1"
			}
			test.want(&want)
			got, err := ParseConfig(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestParseConfigReportsEveryProblem(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"no JSON", `region: eu`, []string{"are no JSON object: invalid character 'r' looking for beginning of value"}},
		{"two documents", `{"region":"eu-central-1"} {}`, []string{"are followed by more text"}},
		{"not an object", `[]`, []string{"must be an object, not a list"}},
		{"nothing", `{}`, []string{"region: is required, for example eu-central-1"}},
		{
			"unknown keys and wrong types, everywhere at once",
			`{"regoin":"x","accountIds":[123456789012],"protect":"yes","retention":{"rawdays":1,"lakeDays":"14","logsDays":1.5},
			  "alerts":{"protocol":"email"},"datasets":{"coin_markets":{"memory":1,"schedule":true}},"tags":{"a":1},"ingest":null}`,
			[]string{
				"accountIds[0]: must be text (in quotes), not 123456789012",
				"alerts: must be a list, not an object",
				"datasets.coin_markets.memory: is unknown; known here: ingest, process, schedule, sourceUrl",
				"datasets.coin_markets.schedule: must be text (in quotes), not true",
				"ingest: must be an object, not null",
				`protect: must be true or false, not "yes"`,
				"regoin: is unknown; known here: accountIds, alerts, artifacts, datasets, environment, firstDay, ingest, permissionsBoundary, process, protect, quickSight, region, retention, scanLimitMB, schedule, tags",
				`retention.lakeDays: must be a whole number, not "14"`,
				"retention.logsDays: must be a whole number, not 1.5",
				"retention.rawdays: is unknown; known here: lakeDays, logsDays, noncurrentDays, rawArchiveDays, rawDays, rejectsDays, restoreDays, resultsDays",
				"tags.a: must be text (in quotes), not 1",
				"region: is required, for example eu-central-1",
			},
		},
		{
			"what is mistyped does not hide what is impossible, nor is it said twice",
			`{"region":"Frankfurt","regoin":"x","protect":true,"scanLimitMB":"much","retention":{"rawDays":"few","logsDays":8}}`,
			[]string{
				"regoin: is unknown; known here: accountIds, alerts, artifacts, datasets, environment, firstDay, ingest, permissionsBoundary, process, protect, quickSight, region, retention, scanLimitMB, schedule, tags",
				`retention.rawDays: must be a whole number, not "few"`,
				`scanLimitMB: must be a whole number, not "much"`,
				`region: "Frankfurt" is no region, which looks like eu-central-1`,
				"accountIds: is empty: a protected stack names the account it belongs to",
				"retention.logsDays: 8 is none of those CloudWatch Logs knows: [1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653]",
			},
		},
		{
			"China",
			`{"region":"cn-north-1"}`,
			[]string{`region: "cn-north-1" lies in AWS's Chinese partition, where services have other names: policies that name them would let nobody in`},
		},
		{
			"what is made from raw bytes outlives them",
			`{"region":"eu-central-1","retention":{"rawDays":7,"rejectsDays":0,"resultsDays":14}}`,
			[]string{
				"retention.rejectsDays: kept for ever, they would outlive the raw bytes they are made from, which go after 7 days (retention.rawDays)",
				"retention.resultsDays: kept 14 days, they would outlive the raw bytes they are made from, which go after 7 days (retention.rawDays)",
			},
		},
		{
			"alerts that SNS refuses, or Pulumi because they are there already",
			`{"region":"eu-central-1","alerts":[{"protocol":"email","endpoint":"a@example.com"},{"protocol":"email","endpoint":"Ann <a@example.com>"},
			  {"protocol":"email-json","endpoint":"a@example.com"},{"protocol":"email","endpoint":"a@example.com"}]}`,
			[]string{
				`alerts[1].endpoint: "Ann <a@example.com>" is no mail address`,
				"alerts[3]: is alerts[0] once more",
			},
		},
		{
			"a boundary by ARN, which would hold for one account only",
			`{"region":"eu-central-1","permissionsBoundary":"arn:aws:iam::123456789012:policy/limit"}`,
			[]string{`permissionsBoundary: "arn:aws:iam::123456789012:policy/limit" is no name of a policy (without arn:…:policy/)`},
		},
		{
			"tags that AWS refuses, or that would replace the program's own",
			`{"region":"eu-central-1","tags":{"Größe":"3 m","Cost centre":"a;b","Own?er":"x","stack":"mine","Dataset":"all","long":"` + strings.Repeat("ä", 257) + `"}}`,
			[]string{
				`tags.Cost centre: "a;b" is no value of a tag: AWS takes up to 256 letters, digits, spaces and _.:/=+-@`,
				"tags.Dataset: is set by the program, as are all of Project, Stack, ManagedBy, Dataset",
				"tags.Own?er: is no key of a tag: AWS takes 1 to 128 letters, digits, spaces and _.:/=+-@, not beginning with aws:",
				`tags.long: "` + strings.Repeat("ä", 257) + `" is no value of a tag: AWS takes up to 256 letters, digits, spaces and _.:/=+-@`,
				"tags.stack: is set by the program, as are all of Project, Stack, ManagedBy, Dataset",
			},
		},
		{
			"more tags than a resource may have",
			`{"region":"eu-central-1","tags":{` + manyTags(47) + `}}`,
			[]string{"tags: are 47: AWS takes 50 for a resource, of which the program sets 4"},
		},
		{
			"impossible values, everywhere at once",
			`{"region":"Frankfurt","accountIds":["12345"],"environment":"Dev","schedule":"on","firstDay":"2024-02-30","scanLimitMB":1,"artifacts":"../x",
			  "ingest":{"memoryMB":64,"timeoutSeconds":901,"reservedConcurrency":0},
			  "retention":{"rawDays":10,"rawArchiveDays":10,"lakeDays":-1,"resultsDays":0,"noncurrentDays":0,"logsDays":8,"restoreDays":36},
			  "alerts":[{"protocol":"sms","endpoint":"1"},{"protocol":"email","endpoint":"x"},{"protocol":"https","endpoint":"http://x"}],
			  "datasets":{"coin_markets":{"sourceUrl":"ftp://x","schedule":"off","process":{"memoryMB":20000}}},"tags":{"aws:x":"y"},
			  "quickSight":{"principal":"arn:aws:quicksight:eu-central-1:123456789012:namespace/default","serviceRole":"service-role/x","refreshAt":"6:00"}}`,
			[]string{
				`region: "Frankfurt" is no region, which looks like eu-central-1`,
				`accountIds[0]: "12345" is not an account number of 12 digits`,
				`environment: "Dev" does not match ^[a-z][a-z0-9-]*$`,
				`schedule: "on" is neither enabled nor disabled`,
				"ingest.memoryMB: 64 is not between 128 and 10240",
				"ingest.timeoutSeconds: 901 is not between 1 and 900",
				"ingest.reservedConcurrency: 0 would send every event to the failure queue; null shares the account's pool",
				`datasets.coin_markets.sourceUrl: "ftp://x" is no http or https URL`,
				`datasets.coin_markets.schedule: "off" is neither enabled nor disabled`,
				"datasets.coin_markets.process.memoryMB: 20000 is not between 128 and 10240",
				"retention.lakeDays: -1 is not between 0 and 36500",
				"retention.resultsDays: 0 is not between 1 and 365",
				"retention.noncurrentDays: 0 is not between 1 and 3650",
				"retention.restoreDays: 36 is not between 0 and 35",
				"retention.logsDays: 8 is none of those CloudWatch Logs knows: [1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653]",
				"retention.rejectsDays: kept 90 days, they would outlive the raw bytes they are made from, which go after 10 days (retention.rawDays)",
				"retention.rawArchiveDays: 10 is not before the end after 10 days",
				`alerts[0].protocol: "sms" is none of email, email-json, https`,
				`alerts[1].endpoint: "x" is no mail address`,
				`alerts[2].endpoint: "http://x" is no https URL`,
				`quickSight.principal: "arn:aws:quicksight:eu-central-1:123456789012:namespace/default" is no ARN of a QuickSight user or group, which looks like arn:aws:quicksight:REGION:ACCOUNT:group/default/NAME`,
				`quickSight.serviceRole: "service-role/x" is no name of a role (without path)`,
				`quickSight.refreshAt: "6:00" is no time like 06:30`,
				`firstDay: "2024-02-30" is no day like 2024-01-31`,
				"scanLimitMB: 1 is not between 10 and 104857600",
				"tags.aws:x: is no key of a tag: AWS takes 1 to 128 letters, digits, spaces and _.:/=+-@, not beginning with aws:",
				`artifacts: "../x" is no folder below the root of the project`,
			},
		},
		{
			"a protected stack names its account",
			`{"region":"eu-central-1","protect":true}`,
			[]string{"accountIds: is empty: a protected stack names the account it belongs to"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseConfig(test.text)
			if err == nil {
				t.Fatal("no error")
			}
			_, list, _ := strings.Cut(err.Error(), "\n  - ")
			if diff := cmp.Diff(test.want, strings.Split(list, "\n  - ")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func manyTags(n int) string {
	tags := make([]string, n)
	for i := range tags {
		tags[i] = fmt.Sprintf(`"t%d":"x"`, i)
	}
	return strings.Join(tags, ",")
}

func TestDatasetSettings(t *testing.T) {
	c := defaults()
	c.Datasets = map[string]DatasetConfig{"a": {Schedule: Disabled, Ingest: FunctionConfig{MemoryMB: 1024}}}
	if got, want := c.ingest("a"), (FunctionConfig{MemoryMB: 1024, TimeoutSeconds: 900}); got != want {
		t.Errorf("ingest of a = %+v, want %+v", got, want)
	}
	if got := c.ingest("b"); got != c.Ingest {
		t.Errorf("ingest of b = %+v, want %+v", got, c.Ingest)
	}
	if c.enabled("a") || !c.enabled("b") {
		t.Error("the schedule of a is to be off, that of b on")
	}
	for _, test := range []struct{ limit, contract, want int }{{0, 0, 0}, {0, 730, 730}, {14, 730, 14}, {14, 0, 14}, {14, 7, 7}} {
		c.Retention.Lake = test.limit
		if got := c.lakeDays(test.contract); got != test.want {
			t.Errorf("lake keeps %d days for limit %d and contract %d, want %d", got, test.limit, test.contract, test.want)
		}
	}
}

// What the program refuses, and the sentence it says.
func TestDeployRefuses(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(*testing.T, *project)
		stack   string
		want    []string
	}{
		{
			name:    "a stack without settings file",
			prepare: func(*testing.T, *project) {},
			stack:   "test",
			want:    []string{"Pulumi.test.yaml has no tributary:settings"},
		},
		{
			name:    "wrong settings",
			prepare: func(_ *testing.T, p *project) { p.settings["dev"] = `{"regions":"x"}` },
			want:    []string{"regions: is unknown"},
		},
		{
			name: "settings that contradict the contracts, all at once",
			prepare: func(_ *testing.T, p *project) {
				p.settings["dev"] = `{"region":"eu-central-1","datasets":{"coins":{}},"retention":{"rawDays":30,"rejectsDays":30}}`
			},
			want: []string{
				"dataset coin_markets: raw bytes must outlive the lake: retention.rawDays is 30, the lake keeps 730 days",
				"settings override dataset coins, which has no contract in shared/datasets",
			},
		},
		{
			name: "a contract under another name",
			prepare: func(t *testing.T, p *project) {
				dir := filepath.Join(p.root, datasetsDir)
				if err := os.Rename(filepath.Join(dir, "coin_markets.odcs.yaml"), filepath.Join(dir, "coins.odcs.yaml")); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"its contract must be called coin_markets.odcs.yaml, not coins.odcs.yaml"},
		},
		{
			name: "an environment without a source",
			prepare: func(t *testing.T, p *project) {
				p.settings["test"] = `{"region":"eu-central-1"}`
				path := filepath.Join(p.root, datasetsDir, "orders.odcs.yaml")
				if err := os.WriteFile(path, read(t, "testdata/orders.odcs.yaml"), 0o600); err != nil {
					t.Fatal(err)
				}
			},
			stack: "test",
			want:  []string{"dataset orders: the contract has no server of type api for environment test, and settings no sourceUrl"},
		},
		{
			name: "a deployment package that is not there",
			prepare: func(t *testing.T, p *project) {
				if err := os.Remove(artifact.Zip(p.root, artifact.Dir, processFunction, "coin_markets")); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"coin_markets", "run `go tool mage build`"},
		},
		{
			name:    "a stack name S3 cannot take",
			prepare: func(_ *testing.T, p *project) { p.settings["My_Stack"] = `{"region":"eu-central-1"}` },
			stack:   "My_Stack",
			want:    []string{"name resources after tributary-My_Stack", "lower-case"},
		},
		{
			name: "a stack name that makes names too long",
			prepare: func(_ *testing.T, p *project) {
				p.settings["feature-with-a-long-name"] = `{"region":"ap-southeast-1"}`
			},
			stack: "feature-with-a-long-name",
			want:  []string{"bucket tributary-feature-with-a-long-name-results-000000000000-ap-southeast-1 would have", "AWS allows 63: choose a shorter name"},
		},
		{
			name: "a dataset name that makes names too long",
			prepare: func(t *testing.T, p *project) {
				p.settings["staging"] = `{"region":"eu-central-1"}`
				long := strings.Repeat("o", 40)
				text := strings.ReplaceAll(string(read(t, "testdata/orders.odcs.yaml")), "orders", long)
				if err := os.WriteFile(filepath.Join(p.root, datasetsDir, long+".odcs.yaml"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			},
			stack: "staging",
			want: []string{
				"function and role tributary-staging-process-" + strings.Repeat("o", 40) + " would have 66 characters, AWS allows 64: choose a shorter name",
				"schedule and role tributary-staging-schedule-" + strings.Repeat("o", 40) + " would have 67 characters, AWS allows 64: choose a shorter name",
			},
		},
		{
			name:    "a stack name that policies of stack dev would match",
			prepare: func(_ *testing.T, p *project) { p.settings["dev-ingest-2"] = `{"region":"eu-central-1"}` },
			stack:   "dev-ingest-2",
			want:    []string{"name resources after tributary-dev-ingest-2: ingest stands for a part of each stack"},
		},
		{
			name: "settings and contracts that are wrong, all at once",
			prepare: func(t *testing.T, p *project) {
				p.settings["dev"] = `{"region":"eu-central-1","regions":"x"}`
				if err := os.WriteFile(filepath.Join(p.root, datasetsDir, "broken.odcs.yaml"), []byte("kind: DataContract\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"regions: is unknown", "load contracts: ", "broken.odcs.yaml"},
		},
		{
			name: "names, contradictions and packages, all at once",
			prepare: func(_ *testing.T, p *project) {
				p.settings["Alarm"] = `{"region":"eu-central-1","datasets":{"coins":{}}}`
				p.outdated = "the packages are stale"
			},
			stack: "Alarm",
			want: []string{
				"name resources after tributary-Alarm: project and stack must be lower-case", "settings override dataset coins", "the packages are stale",
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProject(t)
			test.prepare(t, &p)
			stack := test.stack
			if stack == "" {
				stack = "dev"
			}
			_, err := p.deploy(stack)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error does not say %q:\n%v", want, err)
				}
			}
		})
	}
}

// Deploy is what Pulumi runs: it starts in infra and looks at the packages' stamp.
func TestDeploy(t *testing.T) {
	p := newProject(t)
	if err := os.Mkdir(filepath.Join(p.root, "infra"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(p.root, "infra"))
	err := pulumi.RunErr(Deploy, pulumi.WithMocks("tributary", "dev", &recorder{stack: "dev"}), p.config("dev"))
	if err == nil || !strings.Contains(err.Error(), "deployment packages are missing in .build/arm64: run `go tool mage build`") {
		t.Errorf("Deploy without stamp: %v", err)
	}
}

// The command line is at least as new as the SDK that the program is compiled with.
func TestRequiredPulumiVersion(t *testing.T) {
	sdk := regexp.MustCompile(`(?m)^\s*github\.com/pulumi/pulumi/sdk/v3 v(\S+)`).FindSubmatch(read(t, projectRoot, "go.mod"))
	if sdk == nil {
		t.Fatal("go.mod does not say which SDK it takes")
	}
	var project struct {
		Required string `yaml:"requiredPulumiVersion"`
	}
	if err := yaml.Unmarshal(read(t, projectRoot, "Pulumi.yaml"), &project); err != nil {
		t.Fatal(err)
	}
	if want := ">=" + string(sdk[1]); project.Required != want {
		t.Errorf("Pulumi.yaml requires %q, the SDK is that of %q", project.Required, want)
	}
}

func TestFindRoot(t *testing.T) {
	p := newProject(t)
	inside := filepath.Join(p.root, datasetsDir)
	got, err := FindRoot(inside)
	if err != nil || got != p.root {
		t.Errorf("FindRoot(%s) = %s, %v, want %s", inside, got, err, p.root)
	}
	if _, err := FindRoot(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no Pulumi.yaml") {
		t.Errorf("findRoot outside a project: %v", err)
	}
}
