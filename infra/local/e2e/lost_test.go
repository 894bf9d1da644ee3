package e2e_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"tributary/infra/local"
	"tributary/infra/local/s3"
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
	embedded(t)
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
