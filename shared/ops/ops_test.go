package ops_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/contract"
	"tributary/shared/ops"
	"tributary/shared/process"
	"tributary/shared/zone"
)

var start = time.Date(2025, 3, 4, 0, 0, 0, 0, time.UTC)

func hour(n int) zone.Run { return zone.NewRun("orders", start.Add(time.Duration(n)*time.Hour)) }

// stores are a raw bucket, a lake and a rejects bucket.
type stores struct {
	t                  *testing.T
	raw, lake, rejects *cloudtest.Bucket
}

func newStores(t *testing.T) *stores {
	s := &stores{t: t, raw: cloudtest.NewBucket("raw", nil), lake: cloudtest.NewBucket("lake", nil), rejects: cloudtest.NewBucket("rejects", nil)}
	s.raw.Now = func() time.Time { return start }
	s.lake.Now = s.raw.Now
	return s
}

func (s *stores) put(bucket *cloudtest.Bucket, key string, body []byte) {
	s.t.Helper()
	if _, err := bucket.Put(s.t.Context(), key, body, zone.PutOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

// run stores a run with its audit row, if any.
func (s *stores) run(r zone.Run, row *zone.AuditRow) {
	s.t.Helper()
	s.put(s.raw, r.RawPageKey(1), []byte("page"))
	s.put(s.raw, r.ManifestKey(), []byte("{}"))
	if row == nil {
		return
	}
	body, err := json.Marshal(row)
	if err != nil {
		s.t.Fatal(err)
	}
	s.put(s.lake, r.AuditKey(), body)
}

func done(outcome string, rejected int64, rules ...zone.RuleCount) *zone.AuditRow {
	return &zone.AuditRow{State: zone.StateDone, Outcome: outcome, Rejected: rejected, RejectsByRule: rules}
}

// answering is a function that answers by its payload.
func answering(name string, answer func(payload string) (string, error)) *cloudtest.Function {
	return cloudtest.NewFunction(name, nil, func(_ context.Context, payload []byte) ([]byte, error) {
		text, err := answer(string(payload))
		return []byte(text), err
	})
}

// processes answers as the process function does: by run.
func processes(results map[string]process.Result, fails string) *cloudtest.Function {
	return answering("process", func(payload string) (string, error) {
		var event zone.ReplayEvent
		if err := json.Unmarshal([]byte(payload), &event); err != nil {
			return "", err
		}
		if event.Replay.Run == fails {
			return "", errors.New("throttled")
		}
		result := results[event.Replay.Run]
		result.Run = event.Replay.Run
		body, err := json.Marshal([]process.Result{result})
		return string(body), err
	})
}

var loaded = process.Result{Status: process.StatusProcessed, Outcome: zone.OutcomeLoaded}

func TestReplay(t *testing.T) {
	s := newStores(t)
	s.run(hour(0), done(zone.OutcomeLoaded, 0)) // before the time asked for
	for n := 1; n <= 5; n++ {
		s.run(hour(n), done(zone.OutcomeLoaded, 0))
	}
	s.put(s.raw, hour(6).RawPageKey(1), []byte("page")) // without a manifest
	results := map[string]process.Result{
		hour(1).ID(): loaded,
		hour(2).ID(): {Status: process.StatusSkipped, Outcome: zone.OutcomeLoaded},
		hour(3).ID(): {Status: process.StatusProcessed, Outcome: zone.OutcomeHeld},
		hour(5).ID(): {Status: process.StatusSuperseded, Outcome: zone.OutcomeLoaded, Kept: true},
	}
	f := processes(results, hour(4).ID())
	var steps []string
	r := ops.Replayer{Raw: s.raw, Audit: s.lake, Process: f, Parallel: 1, Report: func(step ops.ReplayStep) {
		steps = append(steps, fmt.Sprintf("%d/%d %s %s %v", step.Number, step.Total, step.Run.ID(), step.Result.Outcome, step.Err))
	}}
	got, err := r.Replay(t.Context(), "orders", hour(1).At, hour(6).At, true)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ops.Replayed{Total: 5, Processed: 2, Skipped: 2, Held: 2, Failed: 1, Unstored: 1}, got); diff != "" {
		t.Errorf("replayed (-want +got):\n%s", diff)
	}
	want := []string{
		"1/5 20250304T010000Z loaded <nil>", "2/5 20250304T020000Z loaded <nil>", "3/5 20250304T030000Z held <nil>",
		"4/5 20250304T040000Z  function process failed: throttled", "5/5 20250304T050000Z loaded <nil>",
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if want := `{"replay":{"dataset":"orders","run":"20250304T010000Z","force":true}}`; f.Invoked()[0] != want {
		t.Errorf("asked %s, want %s", f.Invoked()[0], want)
	}
}

func TestReplayStopsWhenInterrupted(t *testing.T) {
	s := newStores(t)
	for n := range 20 {
		s.run(hour(n), done(zone.OutcomeLoaded, 0))
	}
	ctx, cancel := context.WithCancel(t.Context())
	f := processes(map[string]process.Result{}, "")
	r := ops.Replayer{Raw: s.raw, Audit: s.lake, Process: f, Parallel: 1, Report: func(ops.ReplayStep) { cancel() }}
	_, err := r.Replay(ctx, "orders", time.Time{}, hour(24).At, false)
	if !errors.Is(err, context.Canceled) || len(f.Invoked()) > 2 {
		t.Errorf("%v after %d runs", err, len(f.Invoked()))
	}
}

func TestReleaseTakesWhatDidNotLoad(t *testing.T) {
	s := newStores(t)
	s.run(hour(1), done(zone.OutcomeLoaded, 0))
	s.run(hour(2), done(zone.OutcomeHeld, 0))
	s.run(hour(3), done(zone.OutcomeUnreadable, 0))
	s.run(hour(4), done(zone.OutcomeTooLarge, 0))
	kept := done(zone.OutcomeLoaded, 0)
	kept.Replay = zone.ReplayRow{State: zone.StateDone, Outcome: zone.OutcomeHeld}
	s.run(hour(5), kept)
	s.run(hour(6), nil)
	s.run(hour(7), &zone.AuditRow{State: zone.StateStoring})
	f := processes(map[string]process.Result{}, "")
	got, err := (&ops.Replayer{Raw: s.raw, Audit: s.lake, Process: f, Parallel: 1}).Release(t.Context(), "orders", start, hour(9).At)
	if err != nil || got.Total != 4 {
		t.Errorf("released %+v, %v", got, err)
	}
	for i, n := range []int{2, 3, 4, 5} {
		if want := fmt.Sprintf(`{"replay":{"dataset":"orders","run":%q}}`, hour(n).ID()); f.Invoked()[i] != want {
			t.Errorf("asked %s, want %s", f.Invoked()[i], want)
		}
	}
}

func TestReplayRefusesStrangeAnswers(t *testing.T) {
	for name, answer := range map[string]string{"no JSON": "<html>", "nothing": "[]", "two": "[{},{}]"} {
		s := newStores(t)
		s.run(hour(1), nil)
		f := answering("process", func(string) (string, error) { return answer, nil })
		var step ops.ReplayStep
		r := ops.Replayer{Raw: s.raw, Audit: s.lake, Process: f, Report: func(s ops.ReplayStep) { step = s }}
		got, err := r.Replay(t.Context(), "orders", start, hour(2).At, false)
		if err != nil || got.Failed != 1 || !strings.HasPrefix(fmt.Sprint(step.Err), "read the function's answer: ") {
			t.Errorf("%s: %+v, %v, %v", name, got, step.Err, err)
		}
	}
}

type length int

func (l length) Length(context.Context) (int, error) {
	if l < 0 {
		return 0, errors.New("AccessDenied")
	}
	return int(l), nil
}

func TestStatus(t *testing.T) {
	s := newStores(t)
	price, symbol := zone.RuleCount{Rule: "minimum", Pointer: "/price", Records: 3}, zone.RuleCount{Rule: "required", Pointer: "/symbol", Records: 4}
	more := price
	more.Records = 2
	s.run(hour(1), done(zone.OutcomeLoaded, 3, price))
	s.run(hour(2), done(zone.OutcomeLoaded, 6, more, symbol))
	s.run(hour(3), done(zone.OutcomeHeld, 0))
	s.run(hour(4), nil)
	w := ops.Watcher{
		Contract: &contract.Contract{Dataset: "orders", Latency: 3 * time.Hour}, Raw: s.raw, Audit: s.lake,
		Queues: map[string]ops.Counter{"failed runs": length(2)}, Now: func() time.Time { return hour(4).At },
	}
	got, err := w.Read(t.Context(), start, hour(5).At, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	newest := hour(2)
	want := ops.Status{
		Dataset: "orders", Held: 1, Lost: 1, Waiting: map[string]int{"failed runs": 2},
		Fresh: ops.Freshness{Newest: &newest, Age: 2 * time.Hour, Limit: 3 * time.Hour},
		Rules: []ops.RuleTotal{
			{RuleCount: zone.RuleCount{Rule: "minimum", Pointer: "/price", Records: 5}, Runs: 2},
			{RuleCount: zone.RuleCount{Rule: "required", Pointer: "/symbol", Records: 4}, Runs: 1},
		},
	}
	if len(got.Runs) != 4 {
		t.Errorf("%d runs", len(got.Runs))
	}
	got.Runs = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	w.Queues["failed runs"] = length(-1)
	if _, err := w.Read(t.Context(), start, hour(5).At, time.Hour); err == nil || !strings.Contains(err.Error(), "read status of orders: AccessDenied") {
		t.Errorf("error %v", err)
	}
}

func TestFreshness(t *testing.T) {
	run := hour(1)
	for _, test := range []struct {
		name string
		f    ops.Freshness
		want bool
	}{
		{"no promise", ops.Freshness{}, false},
		{"nothing loaded", ops.Freshness{Limit: time.Hour}, true},
		{"young", ops.Freshness{Newest: &run, Age: time.Hour, Limit: time.Hour}, false},
		{"old", ops.Freshness{Newest: &run, Age: time.Hour + 1, Limit: time.Hour}, true},
	} {
		if got := test.f.Stale(); got != test.want {
			t.Errorf("%s: stale %t", test.name, got)
		}
	}
}

func TestRedrive(t *testing.T) {
	q := cloudtest.NewQueue("failures", nil)
	for _, body := range []string{
		`{"requestContext":{"condition":"RetriesExhausted"},"requestPayload":{"Records":[1]},"responsePayload":{"errorMessage":"boom"}}`,
		`{"requestContext":{"condition":"EventAgeExceeded"},"requestPayload":{"Records":[2]}}`,
		`{"dataset":"orders","scheduledAt":"2025-03-04T14:45:00Z"}`,
		`{"requestPayload":{"fail":true}}`,
		`{"hello":"world"}`,
		`hello`,
	} {
		q.Send(body)
	}
	f := answering("process", func(payload string) (string, error) {
		if strings.Contains(payload, "fail") {
			return "", errors.New("still broken")
		}
		return "{}", nil
	})
	var steps []string
	got, err := ops.Redrive(t.Context(), q, f, func(s ops.RedriveStep) {
		steps = append(steps, fmt.Sprintf("%s: %s (%s) %v", s.Message.ID, s.Event, s.Reason, s.Err))
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`m1: {"Records":[1]} (boom) <nil>`,
		`m2: {"Records":[2]} (EventAgeExceeded) <nil>`,
		`m3: {"dataset":"orders","scheduledAt":"2025-03-04T14:45:00Z"} (the schedule could not hand it over) <nil>`,
		`m4: {"fail":true} () function process failed: still broken`,
		`m5:  () read message: it holds neither requestPayload nor a schedule's event`,
		`m6:  () read message: it is no record of a failed event: invalid character 'h' looking for beginning of value`,
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	var left []string
	for _, m := range q.Visible() {
		left = append(left, m.ID)
	}
	if diff := cmp.Diff([]string{"m4", "m5", "m6"}, left); diff != "" || got != (ops.Redriven{Sent: 3, Left: 3}) {
		t.Errorf("got %+v, visible again (-want +got):\n%s", got, diff)
	}
}

func TestAboutOf(t *testing.T) {
	run, next := zone.NewRun("orders", start), zone.NewRun("orders", start.Add(time.Hour))
	record := func(run zone.Run) string {
		return `{"s3":{"object":{"key":"` + strings.ReplaceAll(run.ManifestKey(), "=", "%3D") + `"}}}`
	}
	for _, test := range []struct {
		name, event string
		want        ops.About
	}{
		{"schedule", `{"dataset":"orders","scheduledAt":"2025-03-04T00:00:00Z"}`, ops.About{What: "ingest", Runs: []zone.Run{run}}},
		{"backfill", `{"dataset":"orders","scheduledAt":"2025-03-04T00:00:00Z","backfill":{"from":"1","to":"2"}}`, ops.About{
			What: "backfill", Runs: []zone.Run{run}, Backfill: &zone.Range{From: "1", To: "2"},
		}},
		{"manifests", `{"Records":[` + record(run) + `,` + record(next) + `]}`, ops.About{What: "processing", Runs: []zone.Run{run, next}}},
		{"replay", `{"replay":{"dataset":"orders","run":"20250304T000000Z"}}`, ops.About{What: "replay", Runs: []zone.Run{run}}},
		{"replay of no run", `{"replay":{"dataset":"orders","run":"noon"}}`, ops.About{}},
		{"records of something else", `{"Records":[{"s3":{"object":{"key":"%zz"}}},{"s3":{"object":{"key":"other"}}}]}`, ops.About{}},
		{"another shape", `{"Records":"none"}`, ops.About{}},
		{"nothing", ``, ops.About{}},
	} {
		if diff := cmp.Diff(test.want, ops.AboutOf([]byte(test.event))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestFindRejects(t *testing.T) {
	s := newStores(t)
	s.run(hour(1), done(zone.OutcomeLoaded, 3))
	r := ops.RejectsReader{Raw: s.raw, Audit: s.lake, Rejects: s.rejects}
	found, ok, err := r.Find(t.Context(), hour(1))
	if err != nil || !ok || found.Run != hour(1) || found.Audit == nil || found.Audit.Rejected != 3 {
		t.Errorf("found %+v, %t, %v", found, ok, err)
	}
	if _, ok, err := r.Find(t.Context(), hour(2)); ok || err != nil {
		t.Errorf("a run that is not there: %t, %v", ok, err)
	}
}

func TestRedriveReturnsWhatItHeldWhenInterrupted(t *testing.T) {
	q := cloudtest.NewQueue("failures", nil)
	q.Send(`{"requestPayload":{}}`)
	q.Send(`{"requestPayload":{}}`)
	ctx, cancel := context.WithCancel(t.Context())
	f := answering("process", func(string) (string, error) { cancel(); return "", ctx.Err() })
	got, err := ops.Redrive(ctx, q, f, func(ops.RedriveStep) {})
	if !errors.Is(err, context.Canceled) || got.Left != 1 || len(q.Visible()) != 2 || len(f.Invoked()) != 1 {
		t.Errorf("got %+v, %v, visible %v, asked %q", got, err, q.Visible(), f.Invoked())
	}
}

func TestBackfill(t *testing.T) {
	incremental := &contract.Contract{Dataset: "orders", Source: contract.Source{Cursor: &contract.Cursor{Param: "since", EndParam: "until"}}}
	answer := func(string) (string, error) { return `{"dataset":"orders","records":7,"pages":2}`, nil }
	for _, test := range []struct {
		name     string
		contract *contract.Contract
		part     zone.Range
		answer   func(string) (string, error)
		want     string // payload, or what the error says
		fails    bool
	}{
		{"a part", incremental, zone.Range{From: "9", To: "10"}, answer, `{"dataset":"orders","scheduledAt":"2025-03-04T01:00:00Z","backfill":{"from":"9","to":"10"}}`, false},
		{"no past", &contract.Contract{Dataset: "coins"}, zone.Range{From: "1", To: "2"}, answer, "backfill coins: its source has no past", true},
		{"backwards", incremental, zone.Range{From: "10", To: "9"}, answer, "as run 20250304T010000Z: the end must lie behind the beginning", true},
		{"fails", incremental, zone.Range{From: "1", To: "2"}, func(string) (string, error) { return "", errors.New("timed out") }, "backfill orders from 1 to 2 as run 20250304T010000Z: function ingest failed: timed out", true},
		{"refused", incremental, zone.Range{From: "1", To: "2"}, func(string) (string, error) {
			return `{"refused":"the run is there already"}`, nil
		}, "backfill orders from 1 to 2 as run 20250304T010000Z: the run is there already", true},
		{"strange answer", incremental, zone.Range{From: "1", To: "2"}, func(string) (string, error) { return "7", nil }, "read the function's answer", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := answering("ingest", test.answer)
			response, err := ops.Backfill(t.Context(), f, test.contract, hour(1).At, test.part)
			if test.fails {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error %v, want %s", err, test.want)
				}
				return
			}
			if err != nil || response.Records != 7 || f.Invoked()[0] != test.want {
				t.Errorf("got %+v, %v, asked %q", response, err, f.Invoked())
			}
		})
	}
}

func TestRejects(t *testing.T) {
	s := newStores(t)
	row := done(zone.OutcomeLoaded, 3)
	row.RejectFiles = []zone.FileRow{{Key: hour(1).RejectsKey(1)}, {Key: hour(1).RejectsKey(2)}}
	s.run(hour(1), row)
	s.run(hour(2), done(zone.OutcomeLoaded, 0))
	s.put(s.rejects, hour(1).RejectsKey(1), []byte(`{"record_index":1}`+"\n"+`{"record_index":4}`+"\n"))
	s.put(s.rejects, hour(1).RejectsKey(2), []byte(`{"record_index":9}`+"\n"))
	r := ops.RejectsReader{Raw: s.raw, Audit: s.lake, Rejects: s.rejects}
	newest, ok, err := r.Newest(t.Context(), "orders", start, hour(5).At)
	if err != nil || !ok || newest.Run != hour(1) {
		t.Fatalf("newest %v, %t, %v", newest, ok, err)
	}
	for _, test := range []struct {
		limit int
		want  []int64
	}{{9, []int64{1, 4, 9}}, {1, []int64{1}}} {
		var got []int64
		err := r.Each(t.Context(), newest.Run, func(row zone.RejectRow) bool { got = append(got, row.Index); return len(got) < test.limit })
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%v, rejects (-want +got):\n%s", err, diff)
		}
	}
	if _, ok, err := r.Newest(t.Context(), "orders", hour(2).At, hour(5).At); ok || err != nil {
		t.Errorf("a run without rejects is found: %v", err)
	}
	s.put(s.rejects, hour(1).RejectsKey(2), []byte(`{`))
	if err := r.Each(t.Context(), hour(1), func(zone.RejectRow) bool { return true }); err == nil || !strings.HasPrefix(err.Error(), "read rejects "+hour(1).RejectsKey(2)) {
		t.Errorf("error %v", err)
	}
}

// vault keeps what it is given.
type vault map[string]string

func (v vault) Put(_ context.Context, name, value string) error { v[name] = value; return nil }

func TestFillSecret(t *testing.T) {
	keyed := &contract.Contract{Dataset: "orders", Source: contract.Source{Auth: &contract.Auth{Kind: "http_basic"}}}
	v := vault{}
	if err := ops.FillSecret(t.Context(), v, keyed, "dev/orders", "ann:s3cret"); err != nil || v["dev/orders"] != "ann:s3cret" {
		t.Errorf("vault %v, %v", v, err)
	}
	for _, test := range []struct {
		contract    *contract.Contract
		value, want string
	}{
		{&contract.Contract{Dataset: "coins"}, "x", "fill secret of coins: its source asks for none"},
		{keyed, "s3cret", "fill secret dev/orders of orders: the value is neither username:password"},
	} {
		err := ops.FillSecret(t.Context(), v, test.contract, "dev/orders", test.value)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("error %v, want %s", err, test.want)
		}
	}
}
