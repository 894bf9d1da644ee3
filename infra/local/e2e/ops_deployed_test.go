package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"tributary/infra/local"
	"tributary/infra/local/api"
	"tributary/infra/local/screen"
	"tributary/infra/ops/console"
	"tributary/shared/contract"
	"tributary/shared/zone"
)

// shows holds a screen, whatever its columns and its width.
func shows(t *testing.T, what, screen string, want ...string) {
	t.Helper()
	words := strings.Join(strings.Fields(screen), " ")
	for _, text := range want {
		if !strings.Contains(words, text) {
			t.Errorf("%s does not say %q:\n%s", what, text, screen)
		}
	}
}

// coins writes a file of records as the API gives them, and held one that no contract with a threshold lets pass.
func coins(t *testing.T) (file, held string) {
	t.Helper()
	dir := t.TempDir()
	file, held = filepath.Join(dir, "coins.ndjson"), filepath.Join(dir, "held.ndjson")
	var body bytes.Buffer
	if err := (api.Bulk{Count: 250, Seed: 1, At: scheduled}).Write(&body); err != nil {
		t.Fatal(err)
	}
	var dirty []string
	for i := range 30 {
		changes := []string{}
		if i%3 == 0 {
			changes = []string{"current_price", `"n/a"`}
		}
		dirty = append(dirty, whole("coin-"+string(rune('a'+i)), changes...))
	}
	for name, text := range map[string]string{file: body.String(), held: strings.Join(dirty, "\n")} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return file, held
}

// What nobody is to see: secrets, and the values of a classified column.
var hidden = []string{"made-up", "wr0ng-key", "ada-7c41d2", "grace-93ab50", "alan-e77f08", "4242171799"}

func orders(t *testing.T, dir string) *api.API {
	t.Helper()
	a, err := api.Replay(loadContract(t, dir, "orders"), "dev", filepath.Join(root, "infra/local/e2e/testdata/orders.json"))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// shell calls the command for deployed stacks as its user does: with AWS's own variables, and nothing else.
type shell struct {
	*world
	command string
	role    string          // of the user
	screens strings.Builder // all that it printed
}

func (s *shell) run(path, stdin string, args ...string) (status int, out string) {
	s.t.Helper()
	credentials, err := s.Credentials(s.role)
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.CommandContext(s.t.Context(), s.command, args...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = []string{
		"PATH=" + path, "HOME=" + filepath.Dir(s.command), "AWS_ENDPOINT_URL=" + s.Endpoint, "AWS_REGION=us-west-2",
		"AWS_ACCESS_KEY_ID=" + credentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + credentials.SecretAccessKey, "AWS_SESSION_TOKEN=" + credentials.SessionToken,
	}
	body, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		s.t.Fatal(err)
	}
	if err := s.Quiet(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.screens.Write(body)
	s.t.Logf("$ ops %s\n%s[status %d]", strings.Join(args, " "), body, status)
	return status, string(body)
}

// needed are the actions of the operator's policy, each with a command that cannot do without it.
var needed = []struct{ action, command string }{
	{"s3:ListBucket", "status"},
	{"s3:GetObject", "status"},
	{"kms:Decrypt", "status"},
	{"sqs:GetQueueAttributes", "status"},
	{"lambda:InvokeFunction", "replay coin_markets -force"},
	{"sqs:ReceiveMessage", "redrive coin_markets"},
	{"sqs:DeleteMessage", "redrive coin_markets"},
	{"sqs:ChangeMessageVisibility", "redrive coin_markets"},
	{"s3:PutObject", "upload coin_markets FILE -at=2025-03-01T00:00:00Z"},
	{"kms:GenerateDataKey", "upload coin_markets FILE -at=2025-03-01T00:00:00Z"},
	{"secretsmanager:PutSecretValue", "secret orders"},
}

// tried are the actions of the deployer's policy, with which ops:smoke needs it.
var tried = []string{"dynamodb:GetItem", "kms:Decrypt", "lambda:InvokeFunction", "s3:GetObject", "s3:ListBucket"}

// byHand is granted for people who look into logs by themselves.
const byHand = "logs:FilterLogEvents"

// All commands on a deployed stack, by somebody who has the operator's policy: two datasets, one of them incremental,
// behind a key, and with a column that nobody is to see.
func TestOperateDeployed(t *testing.T) {
	dir := project(t)
	roles := &operators{trying: tried}
	for _, n := range needed {
		roles.lacking = append(roles.lacking, n.action)
	}
	w := launch(t, setting{
		root: dir, apis: map[string]*api.API{dataset: builtIn(t), "orders": orders(t, dir)}, change: roles.find, also: roles.declare,
	})
	if diff := cmp.Diff(slices.Sorted(slices.Values(append(roles.lacking, byHand))), actions(t, roles.text)); diff != "" {
		t.Errorf("grants of the operator (-what commands need +policy):\n%s", diff)
	}
	if diff := cmp.Diff(tried, actions(t, smokePolicy)); diff != "" {
		t.Errorf("grants of the deployer (-what ops:smoke needs +policy):\n%s", diff)
	}
	file, held := coins(t)
	bin := t.TempDir()
	s := &shell{world: w, command: program(t, "infra/ops"), role: operator}
	exports, err := json.Marshal(w.Exports())
	if err != nil {
		t.Fatal(err)
	}
	outputs := filepath.Join(bin, "outputs.json")
	if err := os.WriteFile(outputs, exports, 0o600); err != nil {
		t.Fatal(err)
	}
	// A pulumi that knows one stack.
	pulumi := "#!/bin/sh\n[ \"$5\" = dev ] && [ \"$1 $2 $3 $4\" = 'stack output --json --stack' ] && exec cat " + outputs + "\necho 'error: no stack named that' >&2\nexit 255\n"
	if err := os.WriteFile(filepath.Join(bin, "pulumi"), []byte(pulumi), 0o700); err != nil {
		t.Fatal(err)
	}

	run := w.run(scheduled)
	before := w.object(w.outputs.LakeBucket, run.LakeKey(dataset, 1))
	heldRun, past := zone.NewRun(dataset, scheduled.Add(-2*time.Minute)), zone.NewRun("orders", scheduled.Add(-3*time.Minute))
	event := `{"dataset":"another","scheduledAt":"2025-03-04T14:45:00Z"}`
	for _, step := range []struct {
		name, call, stdin string
		role              string // "": operator
		before            func()
		status            int
		want              []string
	}{
		{name: "status", call: "status coin_markets", want: []string{
			"── coin_markets ── ops:status, stack dev ──", "run " + run.ID() + " is loaded", "held none", "lost none", "nothing in the failure queues",
			"loaded 4 560 540 20 0 540 1.0.0", "high-above-low", "Next go tool mage ops:rejects coin_markets -stack=dev shows",
		}},
		{name: "replay of what is done", call: "replay coin_markets", want: []string{
			"1/1 " + run.ID() + " loaded 560 540 20 20 skipped: this contract and engine have done it", "1 run: 0 processed, 1 skipped, 0 failed; 0 not in the lake",
			"go tool mage ops:replay coin_markets -force -stack=dev",
		}},
		{name: "replay by force, of a time", call: "replay coin_markets " + run.ID() + " -force", want: []string{"1 run: 1 processed, 0 skipped, 0 failed; 0 not in the lake"}},
		{name: "replay of nothing", call: "replay coin_markets 2025-01-01 2025-01-02", want: []string{
			"none that was scheduled from 2025-01-01 00:00 to 2025-01-02 23:59 UTC has a manifest: there is nothing to process",
		}},
		{name: "upload of a file", call: "upload coin_markets " + file + " -at=" + scheduled.Add(-time.Minute).Format(time.RFC3339), want: []string{
			file, "250 records on 1 page; the process function has its event", "go tool mage ops:status coin_markets",
		}},
		{name: "upload onto a run", call: "upload coin_markets " + held + " -at=" + scheduled.Add(-time.Minute).Format(time.RFC3339), status: 1, want: []string{"the run stands already"}},
		{name: "release of nothing", call: "release coin_markets", want: []string{"is held: there is nothing to release"}},
		{name: "upload of what is held", call: "upload coin_markets " + held + " -at=" + scheduled.Add(-2*time.Minute).Format(time.RFC3339), want: []string{"30 records"}},
		{name: "status of what is held", call: "status coin_markets", want: []string{"held 1 run is not in the lake", "ops:release coin_markets"}},
		{name: "release under the same contract", call: "release coin_markets", want: []string{
			heldRun.ID() + " held 30 20 10 10", "as before: this contract and engine have judged it already", "1 not in the lake",
			"ops:rejects coin_markets " + heldRun.ID() + " -stack=dev",
		}},
		{name: "rejects", call: "rejects coin_markets " + heldRun.ID() + " -limit=2", want: []string{
			heldRun.ID() + " (", "held by contract 1.0.0", "10 of 30 records", "page 1, record 0", `✗ type /current_price is no number: "n/a"`, `id "coin-a"`, "… and 8 more", "-limit=10",
		}},
		{name: "rejects of no run", call: "rejects coin_markets 20250304T144500Z", status: 1, want: []string{"there is no run 20250304T144500Z; those of that day: go tool mage ops:status coin_markets 2025-03-04 2025-03-04 -stack=dev"}},

		{name: "secret that is wrong", call: "secret orders", stdin: "wr0ng-key\n", want: []string{"tributary-dev/orders is set; the next run uses it"}},
		{
			name: "status of what failed", call: "status orders", before: func() { w.fire("orders", scheduled) },
			want: []string{"1 failed ingest,", "go tool mage ops:redrive orders -stack=dev", "no run of this time is loaded"},
		},
		{name: "redrive while the cause is there", call: "redrive orders", status: 1, want: []string{
			"failed ingests, for tributary-dev-ingest-orders", "✗ ingest of run " + zone.NewRun("orders", scheduled).ID(), "401", "LEFT: it fails as before", "0 events were sent again and done, 1 left",
		}},
		{name: "secret", call: "secret orders", stdin: "made-up\n", want: []string{"tributary-dev/orders is set"}},
		{
			name: "redrive", call: "redrive orders", status: 1,
			before: func() {
				if err := w.RestoreQueued(w.outputs.Datasets["orders"].IngestFailures, `{"requestPayload":`+event+`}`, scheduled); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"✓ ingest of run", "had failed", "sent again, and done", "LEFT: function tributary-dev-ingest-orders failed: read event: it is for dataset another", "1 event was sent again and done, 1 left"},
		},
		{name: "backfill", call: "backfill orders 2024-01-01T00:00:00Z 2024-02-01T00:00:00Z -at=" + past.At.Format(time.RFC3339), want: []string{
			"run " + past.ID(), "from 2024-01-01T00:00:00Z to 2024-02-01T00:00:00Z", "4 records on 1 page; the process function has its event",
		}},
		{name: "the same backfill again", call: "backfill orders 2024-01-01T00:00:00Z 2024-02-01T00:00:00Z -at=" + past.At.Format(time.RFC3339), want: []string{"the run stands already"}},
		{name: "another backfill onto it", call: "backfill orders 2023-01-01T00:00:00Z 2023-02-01T00:00:00Z -at=" + past.At.Format(time.RFC3339), status: 1, want: []string{"failed: backfill orders from 2023-01-01"}},
		{name: "backfill of the present", call: "backfill coin_markets 1 2", status: 1, want: []string{"failed: backfill coin_markets: its source has no past"}},
		{name: "rejects with a classified column", call: "rejects orders " + past.ID() + " -full", want: []string{
			"3 of 4 records", "✗ format ••• (the column is classified)", "✗ type ••• (the column is classified)", `✗ minimum /amount`, "customer •••", `id "o-4"`,
		}},
		{name: "smoke of what is not served", role: deployer, call: "smoke orders", want: []string{
			"4 records on 1 page", "1 row in 1 file, 3 rejected", "row the first of orders/dt=", "parquet was read back", "the dataset is not served", "orders works",
		}},
		{name: "smoke", role: deployer, call: "smoke coin_markets", want: []string{
			"540 rows in 1 file, 20 rejected", "row the first of coin_markets/dt=", "that row's key is in the table, written by this run, which offered 540 items", "coin_markets works",
		}},
		{name: "smoke by an operator", call: "smoke coin_markets", status: 1, want: []string{
			"540 rows in 1 file", "AccessDenied", "ops:smoke reads the lake and the serving table, which operators do not: it is for whoever deploys", "go tool mage ops:status coin_markets",
		}},
		{name: "status of all", call: "status", want: []string{"── coin_markets ──", "── orders ──", past.ID() + " loaded 1 4 1 3"}},

		{name: "no such dataset", call: "replay order", status: 2, want: []string{"there is no dataset order; there is coin_markets, orders"}},
		{name: "a wrong call", call: "backfill orders 2024-01-01", status: 2, want: []string{"backfill takes DATASET FROM TO", "the call is: go tool mage ops:backfill DATASET FROM TO [flags]"}},
		{name: "a stack that is not there", call: "status -stack=prod", status: 1, want: []string{"read outputs of stack prod: pulumi: error: no stack named that `pulumi stack ls` shows"}},
		{name: "outputs of nothing", call: "status -outputs=go.mod", status: 1, want: []string{"they are not what `pulumi stack output --json` prints"}},
		{name: "outputs in a file", call: "status coin_markets -outputs=" + outputs, want: []string{"ops:status, " + outputs, "is loaded"}},
	} {
		t.Run(step.name, func(t *testing.T) {
			if step.before != nil {
				step.before()
			}
			args := strings.Fields(step.call)
			if !strings.Contains(step.call, "-stack=") && !strings.Contains(step.call, "-outputs=") {
				args = append(args, "-stack=dev")
			}
			if s.role = step.role; s.role == "" {
				s.role = operator
			}
			status, out := s.run(bin+":/usr/bin:/bin", step.stdin, args...)
			if status != step.status {
				t.Errorf("status %d, want %d:\n%s", status, step.status, out)
			}
			shows(t, step.call, out, step.want...)
		})
	}
	t.Run("no pulumi", func(t *testing.T) {
		if status, out := s.run("/nowhere", "", "status", "-stack=dev"); status != 1 || !strings.Contains(out, "pulumi is not installed here") {
			t.Errorf("status %d:\n%s", status, out)
		}
	})
	t.Run("no stack", func(t *testing.T) {
		if status, out := s.run("", "", "status"); status != 2 || !strings.Contains(out, "this works on what is deployed: give -stack=NAME, or -outputs=FILE") {
			t.Errorf("status %d:\n%s", status, out)
		}
	})
	t.Run("what the commands did", func(t *testing.T) {
		if !bytes.Equal(w.object(w.outputs.LakeBucket, run.LakeKey(dataset, 1)), before) {
			t.Error("replays changed the lake's file of a run")
		}
		if audit := w.audit(zone.NewRun(dataset, scheduled.Add(-time.Minute))); audit.Outcome != zone.OutcomeLoaded || audit.Records != 250 {
			t.Errorf("the upload's audit: %+v", audit)
		}
		for _, run := range []zone.Run{past, zone.NewRun("orders", scheduled)} {
			if audit := w.audit(run); audit.Outcome != zone.OutcomeLoaded || audit.Clean != 1 || audit.Rejected != 3 {
				t.Errorf("audit of run %s of orders: %+v", run.ID(), audit)
			}
		}
		if cursor := w.manifest(past).Cursor; cursor == nil || cursor.From != "2024-01-01T00:00:00Z" {
			t.Errorf("the backfill's cursor %+v", cursor)
		}
		if left, err := w.Queued(w.outputs.Datasets["orders"].IngestFailures); err != nil || len(left) != 1 {
			t.Errorf("%d messages are left, %v", len(left), err)
		}
		denied := slices.DeleteFunc(w.log.of(local.AccessDenied), func(e string) bool { // which a smoke test by an operator was
			return strings.Contains(e, " s3:GetObject ") && strings.Contains(e, "-lake-") && strings.Contains(e, ".parquet")
		})
		if len(denied) > 0 {
			t.Errorf("the policies do not do: %s", strings.Join(denied, "\n"))
		}
	})
	t.Run("nothing hidden is said", func(t *testing.T) { w.keepsQuiet(t, s.screens.String()) })
	t.Run("each grant is needed", func(t *testing.T) { w.needsAll(t, file) })
	for _, action := range tried {
		t.Run("smoke without "+action, func(t *testing.T) {
			out, err := w.operate(t, without(deployer, action), "smoke coin_markets")
			if err == nil || !strings.Contains(err.Error(), action) || !strings.Contains(err.Error(), "it is for whoever deploys") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// keepsQuiet looks for what nobody is to see in all that the functions log, measure, publish and leave in queues, and on
// screens; and for the same in the raw zone, where it must be.
func (w *world) keepsQuiet(t *testing.T, screens string) {
	said := map[string]string{"screens": screens, "what the environment tells": w.log.String()}
	for _, d := range w.outputs.Datasets {
		for _, function := range []string{d.IngestFunction, d.ProcessFunction} {
			lines := w.Logs(function)
			if len(lines) == 0 {
				t.Errorf("%s logged nothing", function)
			}
			said["log of "+function] = strings.Join(lines, "\n")
		}
		for _, queue := range []string{d.IngestFailures, d.ProcessFailures} {
			messages, err := w.Queued(queue)
			if err != nil {
				t.Fatal(err)
			}
			said["queue "+queue] = encoded(t, messages)
		}
	}
	alerts, err := w.Messages(w.outputs.AlertTopic)
	if err != nil {
		t.Fatal(err)
	}
	if len(alerts) < 3 {
		t.Errorf("%d alerts, want one for each run with rejects", len(alerts))
	}
	said["alerts"], said["metrics"] = encoded(t, alerts), encoded(t, w.Metrics())
	for where, text := range said {
		for _, value := range hidden {
			if i := strings.Index(text, value); i >= 0 {
				t.Errorf("%s hold %q: …%s…", where, value, text[max(0, i-200):min(len(text), i+200)])
			}
		}
	}
	raw := string(w.rawBody(zone.NewRun("orders", scheduled).RawPageKey(1)))
	for _, value := range hidden[2:] {
		if !strings.Contains(raw, value) {
			t.Errorf("the raw zone lacks %q: what is looked for is not there", value)
		}
	}
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// needsAll takes the operator's grants away, one at a time, and gives a command that needs it.
func (w *world) needsAll(t *testing.T, file string) {
	failures := w.outputs.Datasets[dataset].IngestFailures
	for _, n := range needed {
		t.Run(n.action, func(t *testing.T) {
			for _, payload := range []string{
				`{"dataset":"coin_markets","scheduledAt":"` + scheduled.Format(time.RFC3339) + `"}`, // is done: succeeds
				`{"dataset":"another","scheduledAt":"2025-03-04T14:45:00Z"}`,                        // is left
			} {
				if err := w.RestoreQueued(failures, `{"requestPayload":`+payload+`}`, scheduled); err != nil {
					t.Fatal(err)
				}
			}
			out, err := w.operate(t, without(operator, n.action), strings.ReplaceAll(n.command, "FILE", file))
			denied := w.log.of(local.AccessDenied)
			if err == nil || !slices.ContainsFunc(denied, func(e string) bool { return strings.Contains(e, "role/"+without(operator, n.action)+" "+n.action+" ") }) {
				t.Fatalf("%s: %v, denied %q\n%s", n.command, err, denied, out)
			}
			if text := out + err.Error(); !strings.Contains(text, n.action) {
				t.Errorf("%s does not say what is denied: %s", n.command, text)
			}
			if !errors.Is(err, console.ErrShown) && !strings.Contains(err.Error(), "needs its policy arn:aws:iam::"+local.Account+":policy/tributary-dev-operator") {
				t.Errorf("%s does not say which policy is needed: %v", n.command, err)
			}
		})
	}
}

// operate gives an operator's command in a role, and waits until what it set off is done.
func (w *world) operate(t *testing.T, role, command string) (string, error) {
	t.Helper()
	return w.operateAt(t, role, command, time.Now())
}

func (w *world) operateAt(t *testing.T, role, command string, now time.Time) (string, error) {
	t.Helper()
	credentials, err := w.Credentials(role)
	if err != nil {
		t.Fatal(err)
	}
	outputs, err := console.ReadOutputs([]byte(encoded(t, w.Exports())))
	if err != nil {
		t.Fatal(err)
	}
	target := console.Target{
		Name: "the test", Outputs: outputs, Contracts: []*contract.Contract{w.contract},
		AWS: aws.Config{
			Region: outputs.Region, BaseEndpoint: &w.Endpoint,
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: credentials.AccessKeyID, SecretAccessKey: credentials.SecretAccessKey, SessionToken: credentials.SessionToken}, nil
			}),
		},
	}
	for name := range w.apis {
		if name != dataset {
			target.Contracts = append(target.Contracts, loadContract(t, ".", name))
		}
	}
	var out bytes.Buffer
	o, err := console.Parse(strings.Fields(command), now, &out)
	if err != nil {
		t.Fatal(err)
	}
	quiet := func(ctx context.Context, _ time.Duration) error { return w.Quiet(ctx) }
	c := console.Console{Out: &out, Style: screen.Style{Width: 140}, Now: time.Now, Sleep: quiet, AskSecret: func(string) (string, error) { return "made-up", nil }}
	failed := c.Run(t.Context(), o, target)
	if err := w.Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out.String(), failed
}
