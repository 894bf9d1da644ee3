package ingest_test

import (
	"bytes"
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
	"tributary/shared/ingest"
	"tributary/shared/zone"
)

// processing is the process function as far as it is started.
func processing(faults *cloudtest.Faults) *cloudtest.Function {
	return cloudtest.NewFunction("process", faults, func(context.Context, []byte) ([]byte, error) { return nil, errors.New("nobody waits for it") })
}

// past is a raw zone and a lake with runs of the hours before run, each last touched a while before run.At.
type past struct {
	t         *testing.T
	raw, lake *cloudtest.Bucket
	at        time.Time // of what is written
}

func newPast(t *testing.T) *past {
	p := &past{t: t, raw: cloudtest.NewBucket("raw", nil), lake: cloudtest.NewBucket("lake", nil)}
	p.raw.Now = func() time.Time { return p.at }
	p.lake.Now = p.raw.Now
	return p
}

func (p *past) put(bucket *cloudtest.Bucket, key string, body []byte) {
	p.t.Helper()
	if _, err := bucket.Put(p.t.Context(), key, body, zone.PutOptions{}); err != nil {
		p.t.Fatal(err)
	}
}

// leave leaves a run as it may have been left: begun, waiting, or with an audit row in a state.
func (p *past) leave(r zone.Run, age time.Duration, how string) {
	p.t.Helper()
	p.at = run.At.Add(-age)
	if how == "begun" {
		broken := p.raw.With(&cloudtest.Faults{Hook: func(c cloudtest.Call) error {
			if strings.HasSuffix(c.Key, "page-00002.json.gz") {
				return errors.New("lost")
			}
			return nil
		}})
		if _, err := ingester(p.t, serve(p.t, three), broken, pageNumber()).Run(p.t.Context(), r); err == nil {
			p.t.Fatal("the run did not break")
		}
		return
	}
	p.put(p.raw, r.RawPageKey(1), []byte("page"))
	p.put(p.raw, r.ManifestKey(), []byte("{}"))
	if how == "waiting" {
		return
	}
	row := zone.AuditRow{Dataset: r.Dataset, RunID: r.ID(), State: how}
	if state, replay, ok := strings.Cut(how, " replay "); ok {
		row.State, row.Replay.State = state, replay
	}
	body, err := json.Marshal(row)
	if err != nil {
		p.t.Fatal(err)
	}
	p.put(p.lake, r.AuditKey(), body)
}

func before(hours int) zone.Run {
	return zone.NewRun("orders", run.At.Add(-time.Duration(hours)*time.Hour))
}

func replayOf(r zone.Run) string {
	return fmt.Sprintf(`{"replay":{"dataset":"orders","run":%q}}`, r.ID())
}

// idle is an ingester that only knows how often it is called.
func idle(frequency time.Duration) *ingest.Ingester {
	return ingest.New(&contract.Contract{Dataset: "orders", Schedule: contract.Schedule{Frequency: frequency}}, nil, nil)
}

func TestReconcile(t *testing.T) {
	tests := []struct {
		name    string
		how     string
		age     time.Duration
		hours   int // before the run
		lost    bool
		started bool
		resumed bool
	}{
		{name: "a done run is done", how: "done", age: 5 * time.Hour, hours: 5},
		{name: "a lost event", how: "waiting", age: 90 * time.Minute, hours: 1, lost: true, started: true},
		{name: "an event under way", how: "waiting", age: 59 * time.Minute, hours: 1},
		{name: "an outcome half made", how: "storing", age: 2 * time.Hour, hours: 1, lost: true, started: true},
		{name: "an alert not sent", how: "stored", age: 2 * time.Hour, hours: 1, lost: true, started: true},
		{name: "a replay's alert not sent", how: "done replay stored", age: 2 * time.Hour, hours: 1, lost: true, started: true},
		{name: "a replay that is done", how: "done replay done", age: 2 * time.Hour, hours: 1},
		{name: "pages without a manifest", how: "begun", age: 2 * time.Hour, hours: 1, lost: true, resumed: true},
		{name: "pages still coming", how: "begun", age: 5 * time.Minute, hours: 1},
		{name: "the oldest that is looked at", how: "waiting", age: 71 * time.Hour, hours: 72, lost: true, started: true},
		{name: "too long ago", how: "waiting", age: 73 * time.Hour, hours: 73},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, started := newPast(t), processing(nil)
			lost := before(test.hours)
			p.leave(lost, test.age, test.how)
			p.at = run.At
			c := &ingest.Reconciler{
				Ingester: ingester(t, serve(t, three), p.raw, pageNumber()), Raw: p.raw, Audit: p.lake, Process: started,
				Now: func() time.Time { return run.At },
			}
			done, err := c.Reconcile(t.Context(), run, true)
			if err != nil || done.Left != nil {
				t.Fatal(err, done.Left)
			}
			if (len(done.Lost) == 1) != test.lost || (len(done.Started) == 1) != test.started || (len(done.Resumed) == 1) != test.resumed {
				t.Errorf("got %+v", done)
			}
			var want []string
			if test.started {
				want = []string{replayOf(lost)}
			}
			if diff := cmp.Diff(want, started.Started()); diff != "" {
				t.Errorf("started (-want +got):\n%s", diff)
			}
			if _, stands := p.raw.Bodies()[lost.ManifestKey()]; stands != (test.how != "begun" || test.resumed) {
				t.Errorf("the manifest stands: %t", stands)
			}
		})
	}
}

// What fails for good is counted at every run and started at the ages of 1, 2, 4 … hours.
func TestReconcileTriesAtDoubledAges(t *testing.T) {
	p, started := newPast(t), processing(nil)
	p.leave(before(1), 0, "waiting") // touched at run.At
	var tried []string
	lost := 0
	for quarter := 1; quarter <= 4*40; quarter++ {
		now := zone.NewRun("orders", run.At.Add(time.Duration(quarter)*15*time.Minute))
		p.at = now.At
		if quarter > 1 { // the run before, which brings the interval
			p.leave(zone.NewRun("orders", now.At.Add(-15*time.Minute)), 0, "done")
		}
		c := &ingest.Reconciler{Ingester: idle(time.Hour), Raw: p.raw, Audit: p.lake, Process: started, Now: func() time.Time { return now.At.Add(time.Second) }}
		done, err := c.Reconcile(t.Context(), now, true)
		if err != nil {
			t.Fatal(err)
		}
		lost += len(done.Lost)
		for range done.Started {
			tried = append(tried, now.At.Sub(run.At).String())
		}
	}
	if diff := cmp.Diff([]string{"1h0m0s", "2h0m0s", "4h0m0s", "8h0m0s", "16h0m0s", "32h0m0s"}, tried); diff != "" {
		t.Errorf("tried at (-want +got):\n%s", diff)
	}
	if lost != 4*40-3 {
		t.Errorf("counted %d times, want %d", lost, 4*40-3)
	}
}

// Each run looks back over three runs of its schedule, and three days at least: what was lost of the run before is found
// however seldom there is one.
func TestReconcileLooksBackByTheSchedule(t *testing.T) {
	const day = 24 * time.Hour
	for _, test := range []struct {
		name      string
		frequency time.Duration
		ago       time.Duration
		lost      bool
		started   bool
	}{
		{"a minute, three days", time.Minute, 3 * day, true, false},
		{"a minute, longer ago", time.Minute, 3*day + time.Minute, false, false},
		{"a day, three days", day, 3 * day, true, true},
		{"a week, the run before", 7 * day, 7 * day, true, true},
		{"a week, three runs before", 7 * day, 21 * day, true, false},
		{"a week, longer ago", 7 * day, 28 * day, false, false},
		{"a month, the run before", 31 * day, 31 * day, true, true},
		{"a year, the run before", 366 * day, 366 * day, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, started := newPast(t), processing(nil)
			lost := zone.NewRun("orders", run.At.Add(-test.ago))
			p.leave(lost, test.ago, "waiting")
			if test.ago > test.frequency { // the run before, which brings the interval
				p.leave(zone.NewRun("orders", run.At.Add(-test.frequency)), test.frequency, "done")
			}
			p.at = run.At
			c := &ingest.Reconciler{
				Ingester: idle(test.frequency), Raw: p.raw, Audit: p.lake, Process: started, Now: func() time.Time { return run.At.Add(time.Second) },
			}
			done, err := c.Reconcile(t.Context(), run, true)
			if err != nil || (len(done.Lost) == 1) != test.lost || (len(started.Started()) == 1) != test.started {
				t.Errorf("got %+v, %v; started %q", done, err, started.Started())
			}
		})
	}
}

// A reconciler that lives on reads an audit row once, and again when it has changed.
func TestReconcileReadsWhatHasChanged(t *testing.T) {
	p := newPast(t)
	for n := 1; n <= 20; n++ {
		p.leave(before(n), time.Duration(n)*time.Hour, "done")
	}
	p.leave(before(21), 21*time.Hour, "stored")
	p.at = run.At
	faults := &cloudtest.Faults{}
	c := &ingest.Reconciler{Ingester: idle(time.Hour), Raw: p.raw, Audit: p.lake.With(faults), Process: processing(nil), Now: func() time.Time { return run.At }}
	look := func(at zone.Run, wantLost, wantRead int) {
		t.Helper()
		before := len(faults.Calls())
		done, err := c.Reconcile(t.Context(), at, true)
		if err != nil {
			t.Fatal(err)
		}
		read := 0
		for _, call := range faults.Calls()[before:] {
			if call.Method == "Bucket.Get" {
				read++
			}
		}
		if len(done.Lost) != wantLost || read != wantRead {
			t.Errorf("run %s: %d lost and %d rows read, want %d and %d", at.ID(), len(done.Lost), read, wantLost, wantRead)
		}
	}
	look(run, 1, 21)
	look(run, 1, 0)
	p.put(p.lake, before(21).AuditKey(), []byte(`{"state":"done"}`))
	look(run, 0, 1)
	look(zone.NewRun("orders", run.At.Add(70*time.Hour)), 0, 0) // most rows are too old to be looked at
	look(run, 0, 19)
}

func TestReconcileFails(t *testing.T) {
	denied := errors.New("AccessDenied")
	t.Run("by the process function", func(t *testing.T) {
		p := newPast(t)
		p.leave(before(2), 2*time.Hour, "waiting")
		c := &ingest.Reconciler{Ingester: idle(time.Hour), Raw: p.raw, Audit: p.lake, Process: processing(&cloudtest.Faults{Hook: func(cloudtest.Call) error { return denied }}), Now: func() time.Time { return run.At }}
		_, err := c.Reconcile(t.Context(), run, true)
		if !errors.Is(err, denied) || !strings.HasPrefix(fmt.Sprint(err), "reconcile runs of orders before 20250304T144500Z: start run 20250304T124500Z: ") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("by the source", func(t *testing.T) {
		p := newPast(t)
		p.leave(before(3), 2*time.Hour, "begun")
		p.leave(before(2), 2*time.Hour, "begun")
		a := serve(t, func(string, int) (int, string) { return 404, "gone" })
		c := &ingest.Reconciler{
			Ingester: ingester(t, a, p.raw, pageNumber()), Raw: p.raw, Audit: p.lake, Process: processing(nil), Now: func() time.Time { return run.At },
		}
		done, err := c.Reconcile(t.Context(), run, true)
		if err != nil || done.Left == nil || len(done.Lost) != 2 || len(done.Resumed) != 0 || len(a.take()) != 1 {
			t.Errorf("got %+v, %v", done, err)
		}
		if done, err = c.Reconcile(t.Context(), run, false); err != nil || done.Left != nil || len(a.take()) != 0 {
			t.Errorf("a source that does not answer is asked: %+v, %v", done, err)
		}
	})
	t.Run("for want of time", func(t *testing.T) {
		p, now := newPast(t), time.Now()
		p.leave(before(2), run.At.Sub(now)+2*time.Hour, "begun")
		ctx, cancel := context.WithDeadline(t.Context(), now.Add(time.Minute))
		defer cancel()
		p.at = now
		c := &ingest.Reconciler{Ingester: idle(time.Hour), Raw: p.raw, Audit: p.lake, Process: processing(nil), Now: func() time.Time { return now }}
		done, err := c.Reconcile(ctx, run, true)
		if err != nil || done.Left == nil || done.Left.Error() != "no time is left for run 20250304T124500Z" {
			t.Errorf("got %+v, %v", done, err)
		}
	})
}

func TestHandleLooksBack(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		want   []string // messages
	}{
		"after a run":             {200, []string{"run ingested", "", "earlier run was lost", "earlier run was lost", "lost run started again", "lost run finished", ""}},
		"when the source is down": {404, []string{"earlier run was lost", "earlier run was lost", "lost run started again", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			p, started := newPast(t), processing(nil)
			p.leave(before(3), 3*time.Hour, "begun")
			p.leave(before(2), 2*time.Hour, "waiting")
			p.at = run.At
			a := serve(t, func(page string, call int) (int, string) {
				if test.status != 200 {
					return test.status, "down"
				}
				return three(page, call)
			})
			var out bytes.Buffer
			h := handler(t, ingester(t, a, p.raw, pageNumber()), p.raw, &out)
			h.Reconciler.Audit, h.Reconciler.Process = p.lake, started
			_, err := h.Handle(t.Context(), json.RawMessage(`{"dataset":"orders","scheduledAt":"2025-03-04T14:45:00Z"}`))
			if (err != nil) != (test.status != 200) {
				t.Fatal(err)
			}
			var got []string
			unprocessed := 0.0
			for line := range strings.Lines(out.String()) {
				var said struct {
					Message         string
					RunsUnprocessed float64
				}
				if err := json.Unmarshal([]byte(line), &said); err != nil {
					t.Fatal(err)
				}
				got, unprocessed = append(got, said.Message), unprocessed+said.RunsUnprocessed
			}
			if diff := cmp.Diff(test.want, got); diff != "" || unprocessed != 2 {
				t.Errorf("%g unprocessed, said (-want +got):\n%s", unprocessed, diff)
			}
			if diff := cmp.Diff([]string{replayOf(before(2))}, started.Started()); diff != "" {
				t.Errorf("started (-want +got):\n%s", diff)
			}
		})
	}
}
