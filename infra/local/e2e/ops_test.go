package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"tributary/infra/local"
	"tributary/infra/local/s3"
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
	c := console.Console{Out: &out, Now: time.Now, AskSecret: func(string) (string, error) { return "a-key\n", nil }}
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
	for _, text := range want {
		if !strings.Contains(out, text) {
			w.t.Errorf("%s does not say %q:\n%s", command, text, out)
		}
	}
}

func TestOperate(t *testing.T) {
	w := start(t, builtIn(t), nil)
	run := w.run(scheduled)
	before := w.bucket(w.outputs.LakeBucket)

	w.says("status", "run "+run.ID()+" is loaded", "held     none", "lost     none", "0 failed runs", "high-above-low", "loaded      4      560    540        20")
	w.says("rejects coin_markets -limit=2", "page 1, record ", "  ✗ ", `id: "`, "2 of the 20 rejects")
	w.says("rejects coin_markets "+run.ID()+" -full", "last_updated", "20 rejects of run "+run.ID())
	w.says("replay coin_markets", "1/1  "+run.ID()+"  loaded, 540 clean and 20 rejected of 560 records; skipped: this contract and engine have done it", "0 processed, 1 skipped, 0 failed")
	w.says("replay coin_markets -force", "1 processed, 0 skipped, 0 failed; 0 not in the lake.")
	w.says("release coin_markets", "No run of this time is held.")
	w.says("redrive", "Nothing waits in the failure queues of coin_markets.")
	w.says("secret coin_markets", "secret tributary-dev/coingecko of the test is set")
	after := w.bucket(w.outputs.LakeBucket)
	for i, o := range before {
		if after[i].Key != o.Key || strings.HasSuffix(o.Key, ".parquet") && !bytes.Equal(after[i].Bytes(), o.Bytes()) {
			t.Errorf("%s: the commands changed the lake", o.Key)
		}
	}
	if _, err := w.operate("backfill", "coin_markets", "1", "2"); err == nil || !strings.Contains(err.Error(), "its source has no past") {
		t.Errorf("a backfill of the present: %v", err)
	}
	if _, err := w.operate("status", "coins"); !errors.Is(err, console.ErrUsage) {
		t.Errorf("a dataset that is not there: %v", err)
	}
}

func TestUploadGoesTheSameWay(t *testing.T) {
	w := start(t, builtIn(t), nil)
	run := w.run(scheduled)
	file := filepath.Join(t.TempDir(), "page.json.gz")
	if err := os.WriteFile(file, w.object(w.outputs.RawBucket, run.RawPageKey(1)), 0o600); err != nil {
		t.Fatal(err)
	}
	at := scheduled.Add(-time.Minute).Format(time.RFC3339)
	w.says("upload coin_markets "+file+" -at="+at, "has 250 records of page.json.gz on 1 page")
	if audit := w.audit(zone.NewRun(dataset, scheduled.Add(-time.Minute))); audit.Outcome != zone.OutcomeLoaded || audit.Records != 250 {
		t.Errorf("audit %+v", audit)
	}
	if out, err := w.operate("upload", "coin_markets", file, "-at="+at); err == nil || !strings.Contains(err.Error(), "the run stands already") {
		t.Errorf("a run was replaced: %v\n%s", err, out)
	}
}

// A held run stays held under the contract that held it, and its event waits nowhere.
func TestReleaseUnderTheSameContract(t *testing.T) {
	w := start(t, recorded(t, `[{"id":1},{"id":2}]`), nil)
	run := w.run(scheduled)
	w.says("status", "held     1 run is not in the lake", "STALE: no run of this time is loaded")
	w.says("release coin_markets", run.ID()+"  held: ", "as before: this contract and engine have judged it already", "1 not in the lake.")
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
	for _, want := range []string{"the source was down", "sent again, and done", "LEFT: function tributary-dev-ingest-coin_markets failed: read event: it is for dataset another", "failed ingests: 1 sent again, 1 left"} {
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
