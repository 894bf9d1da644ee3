package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"tributary/infra/local"
	"tributary/infra/local/api"
	"tributary/infra/local/s3"
	"tributary/infra/local/screen"
	"tributary/infra/ops/console"
	"tributary/shared/contract"
	"tributary/shared/zone"
)

// lose puts raw objects of a run, as an earlier environment left them hours ago, without their event.
func (w *world) lose(objects []s3.Object, run zone.Run, name string) {
	w.t.Helper()
	for _, o := range objects {
		if !strings.Contains(o.Key, "run="+run.ID()+"/"+name) {
			continue
		}
		o.Modified = time.Now().Add(-2 * time.Hour)
		if err := w.RestoreObject(o, o.Bytes()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// A run whose event was lost, and one whose ingest died, are found by the next run and brought to their end, with the
// permissions that are deployed.
func TestLostRunsAreFound(t *testing.T) {
	first := start(t, builtIn(t), nil)
	unheard, begun := first.run(scheduled.Add(-2*time.Hour)), first.run(scheduled.Add(-3*time.Hour))
	objects := first.bucket(first.outputs.RawBucket)

	w := start(t, builtIn(t), nil)
	w.lose(objects, unheard, "")
	w.lose(objects, begun, "page-00001")
	next := w.run(scheduled)
	for _, run := range []zone.Run{unheard, begun, next} {
		if audit := w.audit(run); audit.State != zone.StateDone || audit.Outcome != zone.OutcomeLoaded {
			t.Errorf("run %s is %s, %s; %s", run.ID(), audit.State, audit.Outcome, w.log)
		}
	}
	if !bytes.Equal(w.object(w.outputs.LakeBucket, unheard.LakeKey("coin_markets", 1)), first.object(first.outputs.LakeBucket, unheard.LakeKey("coin_markets", 1))) {
		t.Error("the lost run's file differs from that of a run that was not lost")
	}
	if denied := w.log.of(local.AccessDenied, local.InvocationFailed); len(denied) > 0 {
		t.Errorf("not all went well: %s", strings.Join(denied, "\n"))
	}
	found := 0.0
	for _, m := range w.Metrics() {
		if m.Name == "RunsUnprocessed" {
			found += m.Value
		}
	}
	if found != 2 {
		t.Errorf("%g runs were counted as unprocessed, want 2", found)
	}
}

// operate gives an operator's command and waits until what it set off is done.
func (w *world) operate(args ...string) (string, error) {
	w.t.Helper()
	credentials, err := w.Credentials("")
	if err != nil {
		w.t.Fatal(err)
	}
	exports, err := json.Marshal(w.Exports())
	if err != nil {
		w.t.Fatal(err)
	}
	outputs, err := console.ReadOutputs(exports)
	if err != nil {
		w.t.Fatal(err)
	}
	target := console.Target{
		Name: "the test", Outputs: outputs, Contracts: []*contract.Contract{w.contract},
		AWS: aws.Config{
			Region: credentials.Region, BaseEndpoint: &w.Endpoint,
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: credentials.AccessKeyID, SecretAccessKey: credentials.SecretAccessKey, SessionToken: credentials.SessionToken}, nil
			}),
		},
	}
	var out bytes.Buffer
	o, err := console.Parse(args, time.Now(), &out)
	if err != nil {
		w.t.Fatal(err)
	}
	quiet := func(ctx context.Context, _ time.Duration) error { return w.Quiet(ctx) }
	c := console.Console{Out: &out, Style: screen.Style{Width: 140}, Now: time.Now, Sleep: quiet, AskSecret: func(string) (string, error) { return "a-key\n", nil }}
	failed := c.Run(w.t.Context(), o, target)
	if err := w.Quiet(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return out.String(), failed
}

// says gives a command and holds what it prints.
func (w *world) says(command string, want ...string) {
	w.t.Helper()
	out, err := w.operate(strings.Fields(command)...)
	if err != nil {
		w.t.Errorf("%s: %v\n%s", command, err, out)
	}
	shows(w.t, command, out, want...)
}

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

func TestOperate(t *testing.T) {
	w := start(t, builtIn(t), nil)
	run := w.run(scheduled)
	before := w.bucket(w.outputs.LakeBucket)

	w.says("status", "run "+run.ID()+" is loaded", "held none", "lost none", "0 failed runs", "high-above-low", "loaded 4 560 540 20 0 540")
	w.says("rejects coin_markets -limit=2", "page 1, record ", "✗ ", "20 of 560 records", "… and 18 more")
	w.says("rejects coin_markets -full -run="+run.ID(), "last_updated", run.ID()+" (", "20 of 560 records")
	w.says("replay coin_markets", "1/1 "+run.ID()+" loaded 560 540 20 20 skipped: this contract and engine have done it", "0 processed, 1 skipped, 0 failed")
	w.says("replay coin_markets -force", "1 processed, 0 skipped, 0 failed; 0 not in the lake")
	w.says("release coin_markets", "is held: there is nothing to release")
	w.says("redrive", "nothing in the failure queues: there is nothing to send again")
	w.says("secret coin_markets", "tributary-dev/coingecko is set")
	after := w.bucket(w.outputs.LakeBucket)
	for i, o := range before {
		if after[i].Key != o.Key || strings.HasSuffix(o.Key, ".parquet") && !bytes.Equal(after[i].Bytes(), o.Bytes()) {
			t.Errorf("%s: the commands changed the lake", o.Key)
		}
	}
	if _, err := w.operate("backfill", "coin_markets", "1", "2"); err == nil || !strings.Contains(err.Error(), "its source has no past") {
		t.Errorf("a backfill of the present: %v", err)
	}
	if _, err := w.operate("status", "-dataset=coins"); !errors.Is(err, console.ErrUsage) {
		t.Errorf("a dataset that is not there: %v", err)
	}
}

func TestUploadGoesTheSameWay(t *testing.T) {
	w := start(t, builtIn(t), nil)
	var coins bytes.Buffer
	if err := (api.Bulk{Count: 250, Seed: 1, At: scheduled}).Write(&coins); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "coins.ndjson")
	if err := os.WriteFile(file, coins.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	at := scheduled.Add(-time.Minute).Format(time.RFC3339)
	w.says("upload coin_markets "+file+" -at="+at, "250 records on 1 page", file)
	if audit := w.audit(zone.NewRun(dataset, scheduled.Add(-time.Minute))); audit.Outcome != zone.OutcomeLoaded || audit.Records != 250 {
		t.Errorf("audit %+v", audit)
	}
	if out, err := w.operate("upload", "coin_markets", file, "-at="+at); err == nil || !strings.Contains(err.Error(), "the run stands already") {
		t.Errorf("a run was replaced: %v\n%s", err, out)
	}
}

// What is tried after a deployment: a run of its own, in lake and table; what goes wrong fails the command.
func TestSmoke(t *testing.T) {
	w := start(t, builtIn(t), nil)
	w.api.Begin(time.Now())
	w.says("smoke", "560 records on 4 pages", "540 rows in 1 file, 20 rejected", "540 offered to the table, which holds items", "coin_markets works")

	held := start(t, recorded(t, `[{"id":1},{"id":2}]`), nil)
	out, err := held.operate("smoke", "coin_markets")
	if err == nil || !strings.Contains(err.Error(), "the run is not in the lake, it is held") || !strings.Contains(out, "ops:status coin_markets") {
		t.Errorf("a held run: %v\n%s", err, out)
	}
}

// A held run stays held under the contract that held it, and its event waits nowhere.
func TestReleaseUnderTheSameContract(t *testing.T) {
	w := start(t, recorded(t, `[{"id":1},{"id":2}]`), nil)
	run := w.run(scheduled)
	w.says("status", "held 1 run is not in the lake", "STALE: no run of this time is loaded")
	w.says("release coin_markets", run.ID()+" held ", "as before: this contract and engine have judged it already", "1 not in the lake", "ops:rejects coin_markets "+run.ID())
}

// What failed for good waits in its queue until it is sent again.
func TestRedrive(t *testing.T) {
	w := start(t, builtIn(t), nil)
	failures := w.outputs.Datasets[dataset].IngestFailures
	event := `{"dataset":"coin_markets","scheduledAt":"` + scheduled.Format(time.RFC3339) + `"}`
	for _, body := range []string{
		`{"requestContext":{"condition":"RetriesExhausted"},"requestPayload":` + event + `,"responsePayload":{"errorMessage":"the source was down"}}`,
		`{"requestPayload":{"dataset":"another","scheduledAt":"2025-03-04T14:45:00Z"}}`,
	} {
		if err := w.RestoreQueued(failures, body, scheduled); err != nil {
			t.Fatal(err)
		}
	}
	w.says("status", "2 failed ingests", "go tool mage ops:redrive coin_markets")
	w.api.Begin(scheduled)
	out, err := w.operate("redrive")
	if !errors.Is(err, console.ErrShown) {
		t.Errorf("%v\n%s", err, out)
	}
	for _, want := range []string{"the source was down", "sent again, and done", "LEFT: function tributary-dev-ingest-coin_markets failed: read event: it is for dataset another", "failed ingests, each for tributary-dev-ingest-coin_markets", "ingest of run " + zone.NewRun(dataset, scheduled).ID(), "1 event was sent again and done, 1 left in the queues"} {
		if !strings.Contains(out, want) {
			t.Errorf("redrive does not say %q:\n%s", want, out)
		}
	}
	if audit := w.audit(zone.NewRun(dataset, scheduled)); audit.Outcome != zone.OutcomeLoaded {
		t.Errorf("audit %+v", audit)
	}
	if left, err := w.Queued(failures); err != nil || len(left) != 1 {
		t.Errorf("%d messages are left, %v", len(left), err)
	}
}

// The command for deployed stacks takes the stack's outputs, AWS's own variables and nothing else.
func TestOpsCommand(t *testing.T) {
	w := start(t, builtIn(t), nil)
	run := w.run(scheduled)
	dir := t.TempDir()
	command := filepath.Join(dir, "ops")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", command, "tributary/infra/ops").CombinedOutput(); err != nil {
		t.Fatalf("build ops: %v\n%s", err, out)
	}
	exports, err := json.Marshal(w.Exports())
	if err != nil {
		t.Fatal(err)
	}
	outputs := filepath.Join(dir, "outputs.json")
	if err := os.WriteFile(outputs, exports, 0o600); err != nil {
		t.Fatal(err)
	}
	// A pulumi that knows one stack.
	pulumi := "#!/bin/sh\n[ \"$5\" = dev ] && [ \"$1 $2 $3 $4\" = 'stack output --json --stack' ] && exec cat " + outputs + "\necho 'error: no stack named that' >&2\nexit 255\n"
	if err := os.WriteFile(filepath.Join(dir, "pulumi"), []byte(pulumi), 0o700); err != nil {
		t.Fatal(err)
	}
	credentials, err := w.Credentials("")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, args, path string
		want             string
		status           int
	}{
		{"outputs in a file", "status -outputs=" + outputs, "", "run " + run.ID() + " is loaded", 0},
		{"outputs from pulumi", "replay coin_markets -stack=dev", dir + ":/usr/bin:/bin", "1 run: 0 processed, 1 skipped, 0 failed; 0 not in the lake", 0},
		{"a stack that is not there", "status -stack=prod", dir + ":/usr/bin:/bin", "read outputs of stack prod: pulumi: error: no stack named that", 1},
		{"no pulumi", "status -stack=dev", "/nowhere", "pulumi is not installed here", 1},
		{"no stack", "status", "", "wrong call: this works on what is deployed: give -stack=NAME, or -outputs=FILE", 2},
		{"refused", "backfill coin_markets 1 2 -outputs=" + outputs, "", "failed: backfill coin_markets: its source has no past", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), command, strings.Fields(test.args)...)
			cmd.Dir = root
			cmd.Env = []string{
				"PATH=" + test.path, "HOME=" + dir, "AWS_ENDPOINT_URL=" + w.Endpoint, "AWS_REGION=us-west-2",
				"AWS_ACCESS_KEY_ID=" + credentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + credentials.SecretAccessKey, "AWS_SESSION_TOKEN=" + credentials.SessionToken,
			}
			out, err := cmd.CombinedOutput()
			status := 0
			if exit := new(exec.ExitError); errors.As(err, &exit) {
				status = exit.ExitCode()
			} else if err != nil {
				t.Fatal(err)
			}
			if status != test.status || !strings.Contains(string(out), test.want) {
				t.Errorf("status %d, want %d with %q:\n%s", status, test.status, test.want, out)
			}
		})
	}
}
