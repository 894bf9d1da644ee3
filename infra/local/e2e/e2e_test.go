package e2e_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"tributary/infra/artifact"
	"tributary/infra/local"
	"tributary/infra/local/api"
	"tributary/infra/local/files"
	"tributary/infra/local/s3"
	"tributary/infra/stack"
	"tributary/shared/contract"
	"tributary/shared/zone"
)

const (
	packages  = ".build/test"
	dataset   = "coin_markets"
	threshold = 5 // percent of rejects that the contract lets pass
)

// root is the folder with Pulumi.yaml.
var root = must(filepath.Abs("../../.."))

func must(path string, err error) string {
	if err != nil {
		panic(err)
	}
	return path
}

// scheduled is now, to the second: items of an old run would have expired.
var scheduled = time.Now().UTC().Truncate(time.Second)

func TestMain(m *testing.M) {
	if dir := os.Getenv(devVariable); dir != "" {
		os.Exit(dev(dir))
	}
	// One build for all tests, and none where the one before is current.
	err := artifact.Check(root, packages, artifact.Host())
	if err != nil {
		_, err = artifact.Build(context.Background(), artifact.Options{Root: root, Dir: packages, Target: artifact.Host()})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build functions:", err)
		os.Exit(1)
	}
	code := m.Run()
	if err := removePrograms(); err != nil {
		fmt.Fprintln(os.Stderr, "remove programs:", err)
		code = 1
	}
	if code == 0 && wholeSuite() {
		told, listed := seen.tell(), tellLeft(os.Stderr)
		if !told || !listed {
			code = 1
		}
	}
	os.Exit(code)
}

func coinMarkets(t *testing.T) *contract.Contract {
	t.Helper()
	return loadContract(t, root, dataset)
}

// world is an environment with an API in front of each dataset.
type world struct {
	*local.Env
	t        *testing.T
	contract *contract.Contract // of coin_markets, as is the API
	api      *api.API
	apis     map[string]*api.API // by dataset
	outputs  outputs
	log      *log
}

type outputs struct {
	RawBucket, LakeBucket, RejectsBucket, AlertTopic string
	Datasets                                         map[string]struct {
		ServingTable, IngestFunction, ProcessFunction, IngestFailures, ProcessFailures string
	}
}

// setting is what an environment is made of.
type setting struct {
	root   string                        // of the project
	apis   map[string]*api.API           // by dataset
	change pulumi.ResourceTransformation // of what the program declares; may be nil
	also   pulumi.RunFunc                // declares more; may be nil
}

// start deploys the stack in front of an API; change, if any, is made to what the program declares.
func start(t *testing.T, a *api.API, change pulumi.ResourceTransformation) *world {
	t.Helper()
	return launch(t, setting{root: root, apis: map[string]*api.API{dataset: a}, change: change})
}

func launch(t *testing.T, s setting) *world {
	t.Helper()
	t.Chdir(s.root)
	w := &world{t: t, contract: loadContract(t, s.root, dataset), api: s.apis[dataset], apis: s.apis, log: &log{}}
	sources := map[string]any{}
	for name, a := range s.apis {
		server := httptest.NewServer(a)
		t.Cleanup(server.Close)
		sources[name] = map[string]any{"sourceUrl": server.URL + a.Path()}
	}
	env, err := local.Start(t.Context(), local.Options{
		Root: s.root, Stack: "dev", Program: s.program, Events: w.log.add,
		Settings:   map[string]any{stack.ConfigKey: map[string]any{"artifacts": packages, "datasets": sources}},
		RetryDelay: func(int) time.Duration { return 0 }, Elsewhere: elsewhere,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		seen.gather(env, s.change != nil)
		if err := env.Close(); err != nil {
			t.Error(err)
		}
	})
	w.Env = env
	raw, err := json.Marshal(env.Exports())
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &w.outputs); err != nil {
		t.Fatal(err)
	}
	return w
}

// program is the stack's own, with what the setting changes.
func (s setting) program(ctx *pulumi.Context) error {
	if s.change != nil {
		if err := ctx.RegisterStackTransformation(s.change); err != nil {
			return err
		}
	}
	if err := stack.For(artifact.Host())(ctx); err != nil || s.also == nil {
		return err
	}
	return s.also(ctx)
}

func builtIn(t *testing.T) *api.API {
	t.Helper()
	a, err := api.New(coinMarkets(t), "dev", 1)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func recorded(t *testing.T, body string) *api.API {
	t.Helper()
	file := filepath.Join(t.TempDir(), "recorded.json")
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := api.Replay(coinMarkets(t), "dev", file)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// run fires the schedule of coin_markets and waits until nothing is on its way.
func (w *world) run(at time.Time) zone.Run {
	w.t.Helper()
	return w.fire(dataset, at)
}

func (w *world) fire(dataset string, at time.Time) zone.Run {
	w.t.Helper()
	w.apis[dataset].Begin(at)
	for _, s := range w.Schedules() {
		if !strings.HasSuffix(s.Target, ":"+w.outputs.Datasets[dataset].IngestFunction) {
			continue
		}
		if err := w.Fire(s.ARN, at); err != nil {
			w.t.Fatal(err)
		}
		if err := w.Quiet(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		return zone.NewRun(dataset, at)
	}
	w.t.Fatalf("no schedule invokes the ingest function of %s", dataset)
	return zone.Run{}
}

// object is the content of an object; nil when there is none.
func (w *world) object(bucket, key string) []byte {
	w.t.Helper()
	for _, o := range w.bucket(bucket) {
		if o.Key == key {
			return o.Bytes()
		}
	}
	return nil
}

func (w *world) bucket(name string) []s3.Object {
	w.t.Helper()
	objects, err := w.Objects(name)
	if err != nil {
		w.t.Fatal(err)
	}
	return objects
}

func (w *world) audit(run zone.Run) zone.AuditRow {
	w.t.Helper()
	var row zone.AuditRow
	body := w.object(w.outputs.LakeBucket, run.AuditKey())
	if body == nil {
		w.t.Fatalf("there is no audit row %s; %s", run.AuditKey(), w.log)
	}
	if err := json.Unmarshal(body, &row); err != nil {
		w.t.Fatal(err)
	}
	return row
}

func (w *world) rejects(run zone.Run) []zone.RejectRow {
	w.t.Helper()
	var rows []zone.RejectRow
	for line := range bytes.Lines(w.object(w.outputs.RejectsBucket, run.RejectsKey(1))) {
		var row zone.RejectRow
		if err := json.Unmarshal(line, &row); err != nil {
			w.t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

func (w *world) items() []files.Item {
	w.t.Helper()
	stored, err := w.Items(w.outputs.Datasets[dataset].ServingTable)
	if err != nil {
		w.t.Fatal(err)
	}
	var items []files.Item
	for _, item := range stored {
		plain, err := files.FromDynamo(item)
		if err != nil {
			w.t.Fatal(err)
		}
		items = append(items, plain)
	}
	return items
}

func (w *world) manifest(run zone.Run) zone.Manifest {
	w.t.Helper()
	var m zone.Manifest
	if err := json.Unmarshal(w.object(w.outputs.RawBucket, run.ManifestKey()), &m); err != nil {
		w.t.Fatalf("read manifest: %v; %s", err, w.log)
	}
	return m
}

// rawBody is what the source answered, as it lies in the raw zone.
func (w *world) rawBody(key string) []byte {
	w.t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(w.object(w.outputs.RawBucket, key)))
	if err != nil {
		w.t.Fatal(err)
	}
	body, err := io.ReadAll(z)
	if err != nil {
		w.t.Fatal(err)
	}
	return body
}

// rawPages are the records of each page as they lie in the raw zone.
func (w *world) rawPages(m zone.Manifest) [][]json.RawMessage {
	w.t.Helper()
	var pages [][]json.RawMessage
	for _, p := range m.Pages {
		body := w.rawBody(p.Key)
		var records []json.RawMessage
		if err := json.Unmarshal(body, &records); err != nil {
			w.t.Fatal(err)
		}
		pages = append(pages, records)
	}
	return pages
}

// cleanRecords are the records of the raw zone that are not among the places.
func (w *world) cleanRecords(run zone.Run, rejected map[string][]api.Violation) []clean {
	m := w.manifest(run)
	var all []clean
	for i, page := range w.rawPages(m) {
		for j, text := range page {
			if _, ok := rejected[place(m.Pages[i].Page, int64(j))]; !ok {
				all = append(all, clean{string(text), m.Pages[i].Page, int64(j), run.At, m.Pages[i].FetchedAt})
			}
		}
	}
	return all
}

func place(page int, index int64) string { return fmt.Sprintf("page %d, record %d", page, index) }

func TestTheWholeWay(t *testing.T) {
	a := builtIn(t)
	w := start(t, a, nil)
	run := w.run(scheduled)

	planted, texts := map[string][]api.Violation{}, map[string]string{}
	for _, p := range a.Plan(scheduled) {
		if p.Rejected() {
			planted[place(p.Page, p.Index)], texts[place(p.Page, p.Index)] = p.Violations, p.Text
		}
	}
	total := int64(len(a.Records(scheduled)))
	rejected := int64(len(planted))

	t.Run("nothing fails and nothing is denied", func(t *testing.T) {
		if faults := w.log.of(local.InvocationFailed, local.InvocationExhausted, local.AccessDenied, local.EventRefused, local.InvocationThrottled); len(faults) > 0 {
			t.Errorf("%s", strings.Join(faults, "\n"))
		}
	})
	t.Run("audit", func(t *testing.T) {
		got := w.audit(run)
		want := zone.AuditRow{
			Dataset: dataset, RunID: run.ID(), State: zone.StateDone, Outcome: zone.OutcomeLoaded, ManifestKey: run.ManifestKey(),
			ContractVersion: w.contract.Version.String(), ContractDigest: w.contract.Digest,
			Claim: 1, Records: total, Clean: total - rejected, Rejected: rejected, Items: total - rejected,
		}
		ignore := cmpopts.IgnoreFields(zone.AuditRow{}, "ScheduledAt", "ManifestVersion", "EngineRevision", "Pages", "Warnings", "RejectsByRule",
			"WarningsByRule", "UnknownMembers", "LakeFiles", "RejectFiles", "AlertID", "StoredAt", "Replay")
		if diff := cmp.Diff(want, got, ignore); diff != "" {
			t.Errorf("audit row (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]zone.RuleCount{{Rule: got.UnknownMembers[0].Rule, Pointer: "/preview_listing", Records: 2}}, got.UnknownMembers); diff != "" {
			t.Errorf("unknown members (-want +got):\n%s", diff)
		}
	})
	t.Run("raw pages are what the API said", func(t *testing.T) {
		var got []string
		for _, page := range w.rawPages(w.manifest(run)) {
			for _, r := range page {
				got = append(got, string(r))
			}
		}
		if diff := cmp.Diff(a.Records(scheduled), got); diff != "" {
			t.Errorf("records (-served +stored):\n%s", diff)
		}
	})
	t.Run("rejects are exactly the planted ones", func(t *testing.T) {
		got := map[string][]api.Violation{}
		for _, r := range w.rejects(run) {
			at := place(int(r.Page), r.Index)
			for _, v := range r.Violations {
				got[at] = append(got[at], api.Violation{Pointer: v.Pointer, Rule: v.Rule})
			}
			if r.Record != texts[at] {
				t.Errorf("%s: record %s, want its exact text %s", at, r.Record, texts[at])
			}
		}
		byPlace := cmpopts.SortSlices(func(a, b api.Violation) bool { return a.Pointer+a.Rule < b.Pointer+b.Rule })
		if diff := cmp.Diff(planted, got, byPlace); diff != "" {
			t.Errorf("rejects (-planted +found):\n%s", diff)
		}
	})
	t.Run("every clean value in Parquet equals the JSON", func(t *testing.T) {
		var want []row
		for _, r := range w.cleanRecords(run, planted) {
			want = append(want, expect(t, w.contract, r))
		}
		body := w.object(w.outputs.LakeBucket, run.LakeKey(w.contract.Table, 1))
		t.Run("parquet-go", func(t *testing.T) {
			if diff := cmp.Diff(want, readParquet(t, w.contract, body)); diff != "" {
				t.Errorf("rows (-JSON +Parquet):\n%s", diff)
			}
		})
		t.Run("DuckDB", func(t *testing.T) {
			if diff := cmp.Diff(want, readDuckDB(t, w.contract, body)); diff != "" {
				t.Errorf("rows (-JSON +Parquet):\n%s", diff)
			}
		})
	})
	t.Run("items", func(t *testing.T) { w.checkItems(t, run, planted) })
	t.Run("one alert", func(t *testing.T) {
		messages, err := w.Messages(w.outputs.AlertTopic)
		if err != nil {
			t.Fatal(err)
		}
		if len(messages) != 1 || !strings.Contains(messages[0].Body, dataset) || !strings.Contains(messages[0].Body, fmt.Sprint(rejected)) {
			t.Errorf("alerts %+v, want one about %d rejects of %s", messages, rejected, dataset)
		}
	})
	t.Run("the API was asked again after 429 and 503", func(t *testing.T) {
		var statuses []int
		for _, r := range a.Requests() {
			statuses = append(statuses, r.Status)
		}
		if diff := cmp.Diff([]int{200, 429, 200, 503, 200, 200}, statuses); diff != "" {
			t.Errorf("statuses (-want +got):\n%s", diff)
		}
	})
}

// checkItems holds the table against the clean records: the served attributes of each, and nothing else.
func (w *world) checkItems(t *testing.T, run zone.Run, rejected map[string][]api.Violation) {
	t.Helper()
	serving := w.contract.Serving
	served := map[string]files.Item{}
	for _, item := range w.items() {
		id, _ := item[serving.PartitionKey].(string)
		served[id] = item
	}
	records := w.cleanRecords(run, rejected)
	if len(served) != len(records) {
		t.Errorf("the table holds %d items, want %d", len(served), len(records))
	}
	for _, r := range records {
		d := json.NewDecoder(strings.NewReader(r.text))
		d.UseNumber()
		var doc map[string]any
		if err := d.Decode(&doc); err != nil {
			t.Fatal(err)
		}
		id, _ := doc["id"].(string)
		item, ok := served[id]
		if !ok {
			t.Errorf("the table lacks %s", id)
			continue
		}
		for _, name := range serving.Attributes {
			want, got := doc[name], item[name]
			if n, ok := got.(json.Number); ok {
				if number(t, want) != number(t, n) {
					t.Errorf("%s of %s is %v, want %v", name, id, got, want)
				}
				continue
			}
			if want != got {
				t.Errorf("%s of %s is %v, want %v", name, id, got, want)
			}
		}
		if got := item[serving.Version]; got != doc["last_updated"] {
			t.Errorf("%s of %s is %v, want %v", serving.Version, id, got, doc["last_updated"])
		}
	}
}

// contents is all that buckets and tables hold, versions, ETags and times included.
func (w *world) contents() map[string]string {
	w.t.Helper()
	all := map[string]string{}
	for _, bucket := range []string{w.outputs.RawBucket, w.outputs.LakeBucket, w.outputs.RejectsBucket} {
		for _, o := range w.bucket(bucket) {
			all[bucket+"/"+o.Key] = fmt.Sprintf("%s %s %s %x", o.Version, o.ETag, o.Modified, o.Bytes())
		}
	}
	for _, item := range w.items() {
		text, err := json.Marshal(item)
		if err != nil {
			w.t.Fatal(err)
		}
		all[fmt.Sprint("item ", item["id"])] = string(text)
	}
	return all
}

func TestSameScheduleChangesNoByte(t *testing.T) {
	w := start(t, builtIn(t), nil)
	w.run(scheduled)
	before := w.contents()
	w.run(scheduled)
	if diff := cmp.Diff(before, w.contents()); diff != "" {
		t.Errorf("the second run of the same schedule changed something:\n%.2000s", diff)
	}
	messages, err := w.Messages(w.outputs.AlertTopic)
	if err != nil || len(messages) != 1 {
		t.Errorf("%d alerts, %v; want one", len(messages), err)
	}

	other := w.run(scheduled.Add(time.Second))
	if got := w.audit(other); got.State != zone.StateDone || len(w.contents()) <= len(before) {
		t.Errorf("another schedule makes no run of its own: %+v", got)
	}
}

// whole is one record that keeps every rule, with changes laid over it.
func whole(id string, changes ...string) string {
	members := map[string]string{
		"id": fmt.Sprintf("%q", id), "symbol": `"tst"`, "name": `"Test Coin"`, "current_price": "1.5", "high_24h": "2", "low_24h": "1",
		"last_updated": `"2025-03-04T14:45:50.155Z"`,
	}
	for i := 0; i < len(changes); i += 2 {
		members[changes[i]] = changes[i+1]
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		parts = append(parts, fmt.Sprintf("%q:%s", name, members[name]))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestRecordBrokenByHand(t *testing.T) {
	var records []string
	for i := range 29 {
		records = append(records, whole(fmt.Sprintf("coin-%d", i)))
	}
	broken := whole("broken", "symbol", "null", "current_price", `-79847.25`, "last_updated", `"31 February"`, "high_24h", "0.5")
	records = append(records, broken)
	w := start(t, recorded(t, "[\n  "+strings.Join(records, ",\n  ")+"\n]\n"), nil)
	run := w.run(scheduled)

	audit := w.audit(run)
	if audit.Records != 30 || audit.Clean != 29 || audit.Rejected != 1 || audit.Outcome != zone.OutcomeLoaded {
		t.Errorf("audit: %d in, %d clean, %d rejected, %s %s", audit.Records, audit.Clean, audit.Rejected, audit.Outcome, audit.Reason)
	}
	rows := w.rejects(run)
	if len(rows) != 1 || rows[0].Record != broken || rows[0].Page != 1 || rows[0].Index != 29 {
		t.Fatalf("rejects %+v, want the broken record of page 1, index 29, as it was", rows)
	}
	var got []api.Violation
	for _, v := range rows[0].Violations {
		got = append(got, api.Violation{Pointer: v.Pointer, Rule: v.Rule})
	}
	want := []api.Violation{{Pointer: "", Rule: "high-above-low"}, {Pointer: "/current_price", Rule: "minimum"}, {Pointer: "/last_updated", Rule: "type"}, {Pointer: "/symbol", Rule: "required"}}
	if diff := cmp.Diff(want, got, cmpopts.SortSlices(func(a, b api.Violation) bool { return a.Pointer < b.Pointer })); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	if messages, err := w.Messages(w.outputs.AlertTopic); err != nil || len(messages) != 1 {
		t.Errorf("%d alerts, %v; want one", len(messages), err)
	}
	if items := w.items(); len(items) != 29 {
		t.Errorf("%d items, want 29", len(items))
	}
}

func TestTooManyRejectsHoldTheRun(t *testing.T) {
	var records []string
	for i := range 30 {
		changes := []string{}
		if i%3 == 0 {
			changes = []string{"current_price", `"n/a"`}
		}
		records = append(records, whole(fmt.Sprintf("coin-%d", i), changes...))
	}
	w := start(t, recorded(t, strings.Join(records, "\n")), nil) // NDJSON
	run := w.run(scheduled)
	audit := w.audit(run)
	if audit.Outcome != zone.OutcomeHeld || audit.State != zone.StateDone || audit.Rejected != 10 || audit.Reason == "" {
		t.Errorf("audit %+v, want the run held with 10 rejects (threshold %d %%)", audit, threshold)
	}
	if len(w.items()) != 0 || w.object(w.outputs.LakeBucket, run.LakeKey(w.contract.Table, 1)) != nil {
		t.Error("a held run reached lake or table")
	}
	if messages, err := w.Messages(w.outputs.AlertTopic); err != nil || len(messages) != 1 || !strings.Contains(strings.ToLower(messages[0].Subject+messages[0].Body), "held") {
		t.Errorf("alerts %+v, %v; want one that says held", messages, err)
	}
}

// A page above the contract's limit would be above it at every try: the run ends with one alert and one audit row, and its
// events wait nowhere.
func TestOversizedPageMakesTheRunTooLarge(t *testing.T) {
	w := start(t, recorded(t, whole("large", "description", `"`+strings.Repeat("x", 17<<20)+`"`)), nil)
	run := w.run(scheduled)
	audit := w.audit(run)
	if audit.Outcome != zone.OutcomeTooLarge || audit.State != zone.StateDone || !strings.Contains(audit.Reason, "raise limits.body in the contract") || audit.Records != 0 {
		t.Errorf("audit %+v, want the run too large by its body", audit)
	}
	if m := w.manifest(run); m.Ended != zone.EndedTooLarge || len(m.Pages) != 0 {
		t.Errorf("manifest %+v", m)
	}
	if messages, err := w.Messages(w.outputs.AlertTopic); err != nil || len(messages) != 1 || !strings.Contains(messages[0].Body, "the next run brings it") {
		t.Errorf("alerts %+v, %v; want one that says what to do", messages, err)
	}
	d := w.outputs.Datasets[dataset]
	for _, queue := range []string{d.IngestFailures, d.ProcessFailures} {
		if queued, err := w.Queued(queue); err != nil || len(queued) != 0 {
			t.Errorf("%d messages wait in %s, %v", len(queued), queue, err)
		}
	}
	if faults := w.log.of(local.InvocationFailed, local.AccessDenied); len(faults) > 0 {
		t.Errorf("not all went well: %s", strings.Join(faults, "\n"))
	}
}

func TestMissingGrantIsDenied(t *testing.T) {
	for _, tc := range []struct {
		function, action, bucket string
	}{
		{"ingest", "s3:PutObject", "raw"},
		{"process", "dynamodb:PutItem", ""},
	} {
		t.Run(tc.function+" without "+tc.action, func(t *testing.T) {
			removed := &removal{function: tc.function, action: tc.action}
			w := start(t, builtIn(t), removed.transform)
			if removed.done == 0 {
				t.Fatalf("no policy of %s grants %s", tc.function, tc.action)
			}
			w.run(scheduled)
			denied := w.log.of(local.AccessDenied)
			if !slices.ContainsFunc(denied, func(e string) bool { return strings.Contains(e, tc.action) }) {
				t.Errorf("%s was not denied; denied: %q; %s", tc.action, denied, w.log)
			}
			failures := w.outputs.Datasets[dataset].IngestFailures
			if tc.function == "process" {
				failures = w.outputs.Datasets[dataset].ProcessFailures
			}
			if queued, err := w.Queued(failures); err != nil || len(queued) != 1 {
				t.Errorf("%d messages in the failure queue, %v; want the event", len(queued), err)
			}
		})
	}
}
