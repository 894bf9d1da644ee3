package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/contract"
	"tributary/shared/zone"
)

// handleTimed is one invocation of an hour, whose clock goes to ten seconds before its end when it opens a page.
func (a *actor) handleTimed(late int) (Result, error) {
	start, opened, hook, clock := a.Now(), 0, a.faults.Hook, a.Now
	now := start
	a.Now = func() time.Time { return now }
	defer func() { a.Now, a.faults.Hook = clock, hook }()
	a.faults.Hook = func(c cloudtest.Call) error {
		if c.Method == "Bucket.Get" && strings.Contains(c.Key, "/page-") && !c.After {
			if opened++; opened == late {
				now = start.Add(time.Hour - 10*time.Second)
			}
		}
		if hook == nil {
			return nil
		}
		return hook(c)
	}
	results, err := a.Handle(until{a.invocation(), start.Add(time.Hour)}, a.event)
	if err != nil {
		return Result{}, err
	}
	return results[0], nil
}

// named holds the files that are there against those that the audit row names.
func (w *world) named() {
	w.t.Helper()
	row := w.auditRow(scheduled)
	var want, got []string
	for _, f := range slices.Concat(row.LakeFiles, row.RejectFiles) {
		want = append(want, f.Key)
	}
	for key := range maps.Keys(w.lake.Bodies()) {
		if !strings.HasPrefix(key, zone.AuditPrefix) {
			got = append(got, key)
		}
	}
	got = append(got, slices.Collect(maps.Keys(w.rejects.Bodies()))...)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("files (-named by the audit row, which is %s %s, +there):\n%s", row.State, row.Outcome, diff)
	}
}

// onceAt calls another actor at the first call of a method for a key.
func onceAt(method, key string, other func()) func(cloudtest.Call) error {
	done := false
	return func(c cloudtest.Call) error {
		if !done && !c.After && c.Method == method && strings.Contains(c.Key, key) {
			done = true
			other()
		}
		return nil
	}
}

// dieAfter kills an actor behind the first call of a method for a key, before which another actor comes.
func dieAfter(method, key string, other func()) func(cloudtest.Call) error {
	dead := false
	return func(c cloudtest.Call) error {
		switch {
		case dead:
			return errPlanted
		case c.Method == method && strings.Contains(c.Key, key) && c.After:
			dead = true
		case c.Method == method && strings.Contains(c.Key, key) && other != nil:
			other()
			other = nil
		}
		return nil
	}
}

func twoPages() []page {
	return []page{jsonPage(person("a"), person("b")), jsonPage(person("c"))}
}

// cramped is an actor without room for served columns: under the same identity as others it finds every run too large.
func (w *world) cramped(c *contract.Contract, event json.RawMessage) *actor {
	a := w.actor(c, event)
	a.Options.SpoolMemory, a.Options.SpoolLimit = 1, 1
	return a
}

// TestOutOfTimeBehindStandingClaim has an attempt run out of time while another one of the same identity is making the run
// visible: it takes nothing back, and the run is loaded.
func TestOutOfTimeBehindStandingClaim(t *testing.T) {
	for _, at := range []string{"Upload.Complete", "Table.Put", "Bucket.Put"} { // the last is the row that says stored
		t.Run(at, func(t *testing.T) {
			w := newWorld(t)
			event := w.ingest(scheduled, nil, twoPages()...)
			x, y := w.actor(versionOne(t), event), w.actor(versionOne(t), event)
			claimed := false
			meet := onceAt(at, "", func() {
				got, err := y.handleTimed(1)
				if err == nil || !strings.Contains(err.Error(), "has begun to store the run") {
					t.Errorf("%+v, %v", got, err)
				}
			})
			x.faults.Hook = func(c cloudtest.Call) error {
				if claimed {
					return meet(c)
				}
				claimed = c.Method == "Bucket.Put" && c.After // the claim itself
				return nil
			}
			if err := x.handle(); err != nil {
				t.Error(err)
			}
			w.named()
			if row := w.auditRow(scheduled); row.State != zone.StateDone || row.Outcome != zone.OutcomeLoaded || len(row.LakeFiles) != 1 {
				t.Errorf("audit %+v", row)
			}
			if got, err := y.handleTimed(1); err != nil || got.Status != StatusSkipped {
				t.Errorf("again: %+v, %v", got, err)
			}
		})
	}
}

// TestOutOfTimeWithoutClaim leaves no error: the run is too large.
func TestOutOfTimeWithoutClaim(t *testing.T) {
	w := newWorld(t)
	a := w.actor(versionOne(t), w.ingest(scheduled, nil, twoPages()...))
	got, err := a.handleTimed(2)
	if err != nil || got.Outcome != zone.OutcomeTooLarge || !strings.Contains(got.Reason, "read page 2") {
		t.Errorf("%+v, %v", got, err)
	}
	w.named()
}

// TestForcedReplayThatRunsOutOfTime dies behind its claim on a run that is loaded, and the retry runs out of time: the lake
// stays as it is, and the next retry ends.
func TestForcedReplayThatRunsOutOfTime(t *testing.T) {
	w := newWorld(t)
	w.actor(versionOne(t), w.ingest(scheduled, nil, twoPages()...)).deliver(t)
	before := w.state()
	forced := w.actor(versionOne(t), replay(true))
	forced.faults.Hook = stopAt("Upload.Complete")
	if err := forced.handle(); err == nil {
		t.Fatal("no error")
	}
	forced.faults.Hook = nil
	if got, err := forced.handleTimed(1); err == nil || !strings.Contains(err.Error(), "trying again") {
		t.Errorf("%+v, %v", got, err)
	}
	if diff := cmp.Diff(before.Lake, w.state().Lake); diff != "" {
		t.Error(diff)
	}
	forced.deliver(t)
	if diff := cmp.Diff(before, w.state()); diff != "" {
		t.Error(diff)
	}
}

// TestOutOfTimeReplayIsTold forces a loaded run, which is out of time, and dies before its alert: whoever finds that
// sends it, though the row is done by the same contract and engine.
func TestOutOfTimeReplayIsTold(t *testing.T) {
	w := newWorld(t)
	event := w.ingest(scheduled, nil, twoPages()...)
	w.actor(versionOne(t), event).deliver(t)
	forced := w.actor(versionOne(t), replay(true))
	forced.faults.Hook = stopAt("Topic.Publish")
	if _, err := forced.handleTimed(1); !errors.Is(err, errPlanted) {
		t.Fatal(err)
	}
	w.now = w.now.Add(2 * time.Hour) // its invocation is over for certain
	w.actor(versionOne(t), replay(false)).deliver(t)
	row := w.auditRow(scheduled)
	if row.State != zone.StateDone || row.Outcome != zone.OutcomeLoaded || row.Replay.State != zone.StateDone || row.Replay.Outcome != zone.OutcomeTooLarge {
		t.Errorf("audit %+v", row)
	}
	if messages := w.topic.Messages(); len(messages) != 1 || messages[0].Attributes["outcome"] != zone.OutcomeTooLarge {
		t.Errorf("alerts %+v", messages)
	}
	w.named()
}

// TestVerdictsOfOneIdentity has two attempts of one identity come to different verdicts. The claim says which one it is
// for, and the attempt that came to another replaces it.
func TestVerdictsOfOneIdentity(t *testing.T) {
	roomy := (*world).actor
	tests := []struct {
		name          string
		first, second func(*world, *contract.Contract, json.RawMessage) *actor
		at            string // a call of the first, before which the second comes
		want          string
	}{
		{"too large while a file is completed", roomy, (*world).cramped, "Upload.Complete", zone.OutcomeTooLarge},
		{"too large while items are put", roomy, (*world).cramped, "Table.Put", zone.OutcomeTooLarge},
		{"loaded while files are listed", (*world).cramped, roomy, "Bucket.List", zone.OutcomeLoaded},
	}
	for _, test := range tests {
		for _, dies := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, first dies %v", test.name, dies), func(t *testing.T) {
				w := newWorld(t)
				event := w.ingest(scheduled, nil, twoPages()...)
				x, y := test.first(w, versionOne(t), event), test.second(w, versionOne(t), event)
				overtake := func() { y.deliver(t) }
				x.faults.Hook = onceAt(test.at, "", overtake)
				if dies {
					x.faults.Hook = dieAfter(test.at, "", overtake)
				}
				results, err := x.Handle(context.Background(), event)
				if dies != (err != nil) || !dies && results[0].Status != StatusSkipped {
					t.Errorf("%+v, %v", results, err)
				}
				if dies { // and nobody invokes it again; the event comes a second time
					y.deliver(t)
				}
				w.named()
				if row := w.auditRow(scheduled); row.State != zone.StateDone || row.Outcome != test.want {
					t.Errorf("audit %+v", row)
				}
			})
		}
	}
}

// TestClaimOfAnotherVerdictIsNotJoined has the second stop behind its claim: the first says that it has to come again.
func TestClaimOfAnotherVerdictIsNotJoined(t *testing.T) {
	w := newWorld(t)
	event := w.ingest(scheduled, nil, twoPages()...)
	x, y := w.actor(versionOne(t), event), w.cramped(versionOne(t), event)
	x.faults.Hook = onceAt("Table.Put", "", func() {
		y.faults.Hook = dieAfter("Bucket.Delete", ".parquet", nil)
		if err := y.handle(); !errors.Is(err, errPlanted) {
			t.Error(err)
		}
	})
	if err := x.handle(); err == nil || !strings.Contains(err.Error(), "trying again when it has ended") {
		t.Errorf("error %v", err)
	}
	x.faults.Hook = nil
	x.deliver(t)
	w.named()
	if row := w.auditRow(scheduled); row.State != zone.StateDone || row.Outcome != zone.OutcomeLoaded || len(row.LakeFiles) != 1 {
		t.Errorf("audit %+v", row)
	}
}

// TestStrayFileIsRemovedByRedelivery kills an overtaken attempt behind the completion of a file, for good: the next
// delivery of the event that the newer one has done removes it.
func TestStrayFileIsRemovedByRedelivery(t *testing.T) {
	empty := func(t testing.TB) *contract.Contract {
		return testContract(t, edit{"version: 1.0.0", "version: 2.0.0"}, edit{"minimum: 0", "minimum: 1900"}, edit{"value: 50", "value: 100"})
	}
	for _, key := range []string{".parquet", ".ndjson"} {
		t.Run(key, func(t *testing.T) {
			w := newWorld(t)
			pages := twoPages()
			if key == ".ndjson" {
				pages = []page{jsonPage(person("a"), person("b", "score", "-1"), person("c"))}
			}
			event := w.ingest(scheduled, nil, pages...)
			old := w.actor(versionOne(t), event)
			young := w.actor(empty(t), event)
			if key == ".ndjson" { // nothing is rejected
				young = w.actor(versionTwo(t), event)
			}
			old.faults.Hook = dieAfter("Upload.Complete", key, func() { young.deliver(t) })
			if err := old.handle(); !errors.Is(err, errPlanted) {
				t.Fatal(err)
			}
			young.deliver(t)
			w.named()
			if row := w.auditRow(scheduled); row.State != zone.StateDone || row.ContractVersion != young.Contract.Version.String() {
				t.Errorf("audit %+v", row)
			}
		})
	}
}

// TestOlderTableIsLeftAlone has a version of the contract write to another table: an older one that comes late removes
// nothing of what it wrote to its own.
func TestOlderTableIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	event := w.ingest(scheduled, nil, twoPages()...)
	old := w.actor(versionOne(t), event)
	old.deliver(t)
	moved := testContract(t, edit{"version: 1.0.0", "version: 2.0.0"}, edit{"physicalName: people", "physicalName: people_v2"})
	w.actor(moved, event).deliver(t)
	before := w.state()
	if got := w.run(old.Processor, event); got.Status != StatusSuperseded {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(before, w.state()); diff != "" || len(before.Lake) != 2 {
		t.Errorf("lake %v\n%s", slices.Collect(maps.Keys(before.Lake)), diff)
	}
}

// TestItemsOfTwoBuilds lets a build take over a run whose items another one is putting, under one version of the contract.
func TestItemsOfTwoBuilds(t *testing.T) {
	w := newWorld(t)
	record := func(id string) string { return person(id, "active", "true", "flag", "false") }
	event := w.ingest(scheduled, nil, jsonPage(record("a"), record("b"), record("c")))
	old, young := w.actor(versionOne(t), event), w.actor(otherBuild(t), event)
	young.Revision = "engine-2"
	puts := 0
	old.faults.Hook = func(c cloudtest.Call) error {
		if c.Method == "Table.Put" && !c.After {
			if puts++; puts == 2 {
				young.deliver(t)
			}
		}
		return nil
	}
	if err := old.handle(); err == nil || !strings.Contains(err.Error(), "engine-2") {
		t.Errorf("error %v", err)
	}
	row := w.auditRow(scheduled)
	if row.EngineRevision != "engine-2" || row.Claim != 2 || puts != 3 {
		t.Errorf("audit %+v, %d puts of the older build", row, puts)
	}
	for id, item := range w.table.Items() {
		if item["active"].Bool || !strings.HasSuffix(item[zone.ItemOrder].Text, "/000000001.000000000.000000000/000000002") {
			t.Errorf("item %s is of the older build: %v", id, item)
		}
	}
	w.named()
}

// otherBuild stands for a build that reads a column elsewhere, under the same version of the contract.
func otherBuild(t testing.TB) *contract.Contract {
	const active = "- {name: active, logicalType: boolean, physicalType: boolean"
	return testContract(t, edit{active + "}", active + ", transformSourceObjects: [/flag]}"})
}

// TestClaimsAreCounted counts a claim where the one before it was of another identity.
func TestClaimsAreCounted(t *testing.T) {
	w := newWorld(t)
	event := w.ingest(scheduled, nil, mixed()...)
	one, two := w.processor(versionOne(t)), w.processor(versionOne(t))
	two.Revision = "engine-2"
	for i, step := range []struct {
		p     *Processor
		event []byte
		want  int64
	}{
		{one, event, 1}, {one, event, 1}, {one, replay(true), 1}, {two, event, 2}, {two, replay(true), 2}, {one, event, 3}, {w.processor(strict(t)), event, 3}, {w.processor(versionTwo(t)), event, 3},
		{w.processor(testContract(t, edit{"version: 1.0.0", "version: 3.0.0"})), event, 4},
	} {
		w.run(step.p, step.event)
		if row := w.auditRow(scheduled); row.Claim != step.want {
			t.Errorf("step %d: claim %d, want %d", i, row.Claim, step.want)
		}
	}
}

// TestHeldBehindUnfinishedReplay holds a run whose loaded outcome an older contract had begun to replace: it cannot stay,
// and people are told what was lost.
func TestHeldBehindUnfinishedReplay(t *testing.T) {
	w := newWorld(t)
	event := w.ingest(scheduled, nil, mixed()...)
	w.actor(versionOne(t), event).deliver(t)
	unfinished := w.actor(versionTwo(t), event)
	unfinished.faults.Hook = stopAt("Table.Put")
	if err := unfinished.handle(); err == nil {
		t.Fatal("no error")
	}
	want := zone.FormerRow{ContractVersion: "1.0.0", ContractDigest: versionOne(t).Digest, EngineRevision: "engine-1", Records: 6, Clean: 4, Rejected: 2, LakeFiles: 2, StoredAt: w.now.Format(time.RFC3339Nano)}
	if row := w.auditRow(scheduled); row.State != zone.StateStoring || row.Former != want {
		t.Errorf("claim %+v", row)
	}
	w.actor(strict(t), event).deliver(t)
	w.named()
	if row := w.auditRow(scheduled); row.Outcome != zone.OutcomeHeld || row.Former != want {
		t.Errorf("audit %+v", row)
	}
	messages := w.topic.Messages()
	if body := messages[len(messages)-1].Body; !strings.Contains(body, "It was in the lake before: contract 1.0.0, engine engine-1, 6 records, 4 clean, 2 rejected.") {
		t.Errorf("alert:\n%s", body)
	}
	w.actor(testContract(t, edit{"version: 1.0.0", "version: 3.0.0"}), event).deliver(t)
	if row := w.auditRow(scheduled); row.Outcome != zone.OutcomeLoaded || row.Former != (zone.FormerRow{}) {
		t.Errorf("audit of a loaded run %+v", row)
	}
}

// TestTooManyItems holds the items against what is left of the invocation, before anything is visible.
func TestTooManyItems(t *testing.T) {
	people := func(n int, same bool) page {
		var records []string
		for i := range n {
			email := `"all@example.com"`
			if !same {
				email = fmt.Sprintf(`"p%d@example.com"`, i)
			}
			records = append(records, person(fmt.Sprintf("p%d", i), "email", email))
		}
		return jsonPage(records...)
	}
	folded := testContract(t, edit{"classification: confidential,", "required: true,"}, edit{"partitionKey: id", "partitionKey: email"}, edit{"attributes: [email, ", "attributes: ["})
	tests := []struct {
		name     string
		contract *contract.Contract
		page     page
		left     time.Duration // of the invocation, when the verdict is due
		limit    bool
		expired  bool
		want     string
	}{
		{"as many as can be put", versionOne(t), people(300, false), time.Minute, true, false, zone.OutcomeLoaded},
		{"one more", versionOne(t), people(301, false), time.Minute, true, false, zone.OutcomeTooLarge},
		{"nearly over, nothing to put", versionOne(t), people(0, false), 31 * time.Second, true, false, zone.OutcomeLoaded},
		{"no time limit", versionOne(t), people(301, false), time.Minute, false, false, zone.OutcomeLoaded},
		{"none is put of an expired run", versionOne(t), people(301, false), time.Minute, true, true, zone.OutcomeLoaded},
		{"folded to few", folded, people(400, true), time.Minute, true, false, zone.OutcomeLoaded},
		{"not folded", folded, people(301, false), time.Minute, true, false, zone.OutcomeTooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			a := w.actor(test.contract, w.ingest(scheduled, nil, test.page))
			a.Options = Options{PutRate: 10, Margin: 30 * time.Second, Puts: 1}
			start := scheduled.Add(time.Minute)
			if test.expired {
				start = scheduled.Add(31 * 24 * time.Hour)
			}
			now := start
			a.Now = func() time.Time { return now }
			a.faults.Hook = onceAt("Bucket.Get", "/page-", func() { now = start.Add(10*time.Minute - test.left) })
			ctx := context.Background()
			if test.limit {
				ctx = until{ctx, start.Add(10 * time.Minute)}
			}
			results, err := a.Handle(ctx, a.event)
			if err != nil || results[0].Outcome != test.want {
				t.Fatalf("%+v, %v", results, err)
			}
			if test.want == zone.OutcomeTooLarge {
				if !strings.Contains(results[0].Reason, "serve 301 items: at 10 a second") || len(w.table.Items()) != 0 || len(w.topic.Messages()) != 1 {
					t.Errorf("%+v, %d items, alerts %v", results[0], len(w.table.Items()), w.topic.Messages())
				}
			}
			w.named()
		})
	}
}

// until is a context with a deadline that passes only by the test's clock.
type until struct {
	context.Context
	deadline time.Time
}

func (u until) Deadline() (time.Time, bool) { return u.deadline, true }

// TestAlertIsTheSameWhoeverSendsIt has an invocation die before its alert. One that has no time to read the run again sends
// nothing; the next one sends what the first would have sent.
func TestAlertIsTheSameWhoeverSendsIt(t *testing.T) {
	strict := testContract(t, edit{"version: 1.0.0", "version: 1.1.0"}, edit{"minimum: 0", "minimum: 1000"}, edit{"value: 50", "value: 1"})
	tests := []struct {
		name     string
		former   bool // the run is loaded before, by an older contract
		contract *contract.Contract
		late     int // the first invocation is out of time at this page; 0: it is not
		want     string
		reread   bool
	}{
		{"loaded with rejects", false, versionOne(t), 0, zone.OutcomeLoaded, true},
		{"held", false, strict, 0, zone.OutcomeHeld, true},
		{"held, and loaded before", true, strict, 0, zone.OutcomeHeld, true},
		{"too large", false, versionOne(t), 2, zone.OutcomeTooLarge, false},
		{"too large, and loaded before", true, strict, 2, zone.OutcomeTooLarge, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			play := func(die bool) []zone.Message {
				w := newWorld(t)
				event := w.ingest(scheduled, nil, mixed()...)
				if test.former {
					w.actor(versionOne(t), event).deliver(t)
				}
				told := len(w.topic.Messages())
				x := w.actor(test.contract, event)
				handle := func() error { _, err := x.handleTimed(test.late); return err }
				if die {
					x.faults.Hook = stopAt("Topic.Publish")
					if err := handle(); !errors.Is(err, errPlanted) {
						t.Fatal(err)
					}
					x.faults.Hook = nil
					_, err := x.handleTimed(1)
					if again := err != nil && strings.Contains(err.Error(), "read run again for its alert"); again != test.reread {
						t.Errorf("a retry without time: %v", err)
					}
					if test.reread && len(w.topic.Messages()) != told {
						t.Errorf("it sends %+v", w.topic.Messages()[told:])
					}
					x.deliver(t)
				} else if err := handle(); err != nil {
					t.Fatal(err)
				}
				w.named()
				return w.topic.Messages()[told:]
			}
			want := play(false)
			if len(want) != 1 || want[0].Attributes["outcome"] != test.want {
				t.Fatalf("undisturbed: %+v", want)
			}
			if diff := cmp.Diff(want, play(true)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
