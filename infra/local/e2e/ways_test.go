package e2e_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"tributary/infra/local/s3"
	"tributary/shared/zone"
)

// A held run whose Parquet had begun to go out gives back what was sent: its upload is aborted, and nothing is left.
func TestHeldRunGivesBackItsUploads(t *testing.T) {
	var records []string
	for i := range 7000 {
		image := make([]byte, 0, 2000) // text that no codec shrinks, so that the file has several parts
		for n := 0; len(image) < 1900; n++ {
			sum := sha256.Sum256(fmt.Appendf(nil, "%d/%d", i, n))
			image = base64.StdEncoding.AppendEncode(image, sum[:])
		}
		price := `1.5`
		if i%12 == 0 {
			price = `"n/a"`
		}
		records = append(records, whole(fmt.Sprintf("coin-%d", i), "image", fmt.Sprintf("%q", image), "current_price", price))
	}
	w := start(t, recorded(t, strings.Join(records, "\n")), nil)
	run := w.run(scheduled)
	if audit := w.audit(run); audit.Outcome != zone.OutcomeHeld || audit.Records != 7000 {
		t.Fatalf("audit %+v; %s", audit, w.log)
	}
	for _, o := range w.bucket(w.outputs.LakeBucket) {
		if !strings.HasPrefix(o.Key, zone.AuditPrefix) {
			t.Errorf("the lake holds %s", o.Key)
		}
	}
}

// A schedule that may not start its function leaves the event in its own queue.
func TestScheduleThatMayNotStart(t *testing.T) {
	removed := &removal{function: "schedule", action: "lambda:InvokeFunction"}
	w := start(t, builtIn(t), removed.transform)
	if removed.done == 0 {
		t.Fatal("no policy of the schedule grants lambda:InvokeFunction")
	}
	if err := w.Fire(w.Schedules()[0].ARN, scheduled); err == nil || !strings.Contains(err.Error(), "lambda:InvokeFunction") {
		t.Errorf("got %v", err)
	}
	if queued, err := w.Queued("tributary-dev-schedule-" + dataset + "-undelivered"); err != nil || len(queued) != 1 || !strings.Contains(queued[0].Body, dataset) {
		t.Errorf("undelivered: %+v, %v", queued, err)
	}
	if err := w.Quiet(t.Context()); err != nil {
		t.Error(err)
	}
}

// What a run's files were once called and no attempt makes any more is taken away.
func TestStrayFileOfARunIsRemoved(t *testing.T) {
	w := start(t, builtIn(t), nil)
	run := zone.NewRun(dataset, scheduled)
	stray := run.LakeKey(w.contract.Table, 7)
	if err := w.RestoreObject(s3.Object{Bucket: w.outputs.LakeBucket, Key: stray, ETag: `"00000000000000000000000000000001"`, Modified: scheduled}, []byte("PAR1")); err != nil {
		t.Fatal(err)
	}
	w.run(scheduled)
	if audit := w.audit(run); audit.Outcome != zone.OutcomeLoaded {
		t.Errorf("audit %+v; %s", audit, w.log)
	}
	if w.object(w.outputs.LakeBucket, stray) != nil {
		t.Errorf("%s is still there", stray)
	}
}
