package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/contract"
	"tributary/shared/record"
	"tributary/shared/zone"
)

// mixed is two pages with four clean records, two rejects and a warning.
func mixed() []page {
	return []page{
		jsonPage(person("a"), person("b", "score", "-1"), person("c", "score", "2000")),
		jsonPage(person("d", "colour", `"red"`), person("a"), person("e", "home", `{"city":"Köln","floor":3}`, "tags", `["x",null]`)),
	}
}

func TestLoaded(t *testing.T) {
	w := newWorld(t)
	p := w.processor(testContract(t))
	event := w.ingest(scheduled, nil, mixed()...)
	got := w.run(p, event)
	want := Result{
		Dataset: "people", Run: "20250304T144500Z", Status: StatusProcessed, Outcome: zone.OutcomeLoaded,
		Records: 6, Clean: 4, Rejected: 2, Items: 4, AlertID: got.AlertID,
	}
	if diff := cmp.Diff(want, got); diff != "" || got.AlertID == "" {
		t.Errorf("alert %q\n%s", got.AlertID, diff)
	}
	if diff := cmp.Diff([]string{"a", "c", "d", "e"}, w.ids()); diff != "" {
		t.Error(diff)
	}
	var rejects []string
	for _, r := range w.rejectRows() {
		rejects = append(rejects, fmt.Sprintf("%d/%d %s %s %s", r.Page, r.Index, r.Violations[0].Pointer, r.Violations[0].Rule, r.RawKey))
	}
	run := zone.NewRun("people", scheduled)
	wantRejects := []string{
		"1/1 /score minimum " + run.RawPageKey(1),
		"2/1 /id unique " + run.RawPageKey(2),
	}
	if diff := cmp.Diff(wantRejects, rejects); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "c", "d", "e"}, slices.Sorted(maps.Keys(w.table.Items()))); diff != "" {
		t.Error(diff)
	}
	if n := len(w.topic.Messages()); n != 1 {
		t.Errorf("%d alerts", n)
	}
	if n := w.lake.Uploads() + w.rejects.Uploads(); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
	if row := w.auditRow(scheduled); row.State != zone.StateDone || row.Records != row.Clean+row.Rejected || len(row.LakeFiles) != 1 {
		t.Errorf("audit %+v", row)
	}

	versions := w.lake.Versions() + w.rejects.Versions()
	if again := w.run(p, event); again.Status != StatusSkipped {
		t.Errorf("second delivery: %+v", again)
	}
	if w.lake.Versions()+w.rejects.Versions() != versions || len(w.topic.Messages()) != 1 {
		t.Error("a second delivery changed something")
	}
}

func TestCleanRunIsSilent(t *testing.T) {
	w := newWorld(t)
	got := w.run(w.processor(testContract(t)), w.ingest(scheduled, nil, jsonPage(person("a"))))
	if got.Outcome != zone.OutcomeLoaded || got.AlertID != "" || len(w.topic.Messages()) != 0 || len(w.rejects.Bodies()) != 0 {
		t.Errorf("%+v, alerts %v, rejects %v", got, w.topic.Messages(), w.rejects.Bodies())
	}
	row := string(w.lake.Bodies()[zone.NewRun("people", scheduled).AuditKey()])
	if strings.Contains(row, "null") { // Athena counts no elements of one
		t.Errorf("a list is null: %s", row)
	}
}

func TestNoRecords(t *testing.T) {
	for name, pages := range map[string][]page{"empty page": {jsonPage()}, "no page": nil} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			got := w.run(w.processor(testContract(t)), w.ingest(scheduled, nil, pages...))
			if got.Outcome != zone.OutcomeLoaded || got.Records != 0 || len(w.ids()) != 0 || len(w.lake.Bodies()) != 1 {
				t.Errorf("%+v, lake %v", got, slices.Collect(maps.Keys(w.lake.Bodies())))
			}
		})
	}
}

func TestOutcomesThatStoreNothing(t *testing.T) {
	clean := []string{person("a"), person("b")}
	body := jsonPage(clean...).body
	gz := zip(t, bytes.Repeat(body, 1))
	tests := []struct {
		name       string
		pages      []page
		mend       func(*zone.Manifest)
		edits      []edit
		want       string
		wantReason string
	}{
		{"above the threshold", []page{jsonPage(person("a"), person("b", "score", "-1"), person("c", "score", "-1"))}, nil, nil, zone.OutcomeHeld, "66.6"},
		{"HTML", []page{{body: []byte("<!doctype html><html>"), records: -1}}, nil, nil, zone.OutcomeUnreadable, "HTML"},
		{"truncated JSON", []page{{body: body[:len(body)-3], records: -1}}, nil, nil, zone.OutcomeUnreadable, "truncated"},
		{"truncated gzip", []page{{raw: gz[:len(gz)-9], records: 2}}, nil, nil, zone.OutcomeUnreadable, "decompressed"},
		{"bytes behind the gzip", []page{{raw: append(slices.Clone(gz), "junk"...), records: 2}}, nil, nil, zone.OutcomeUnreadable, "decompressed"},
		{"zstd with a window of 2 GiB", []page{{raw: []byte("\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00"), records: -1}}, nil, nil, zone.OutcomeUnreadable, "decompressed: window size exceeded"},
		{"truncated zstd", []page{{raw: []byte("\x28\xb5\x2f\xfd\x00"), records: -1}}, nil, nil, zone.OutcomeUnreadable, "decompressed"},
		{"gzip and no more", []page{{raw: gz[:2], records: -1}}, nil, nil, zone.OutcomeUnreadable, "decompressed"},
		{"nothing at all", []page{{raw: []byte{}, records: -1}}, nil, nil, zone.OutcomeUnreadable, "empty"},
		{"a gzip member that is empty", []page{{body: []byte{}, records: -1}}, nil, nil, zone.OutcomeUnreadable, "empty"},
		{"another hash", []page{jsonPage(clean...)}, func(m *zone.Manifest) { m.Pages[0].SHA256 = strings.Repeat("0", 64) }, nil, zone.OutcomeUnreadable, "SHA-256"},
		{"another size", []page{jsonPage(clean...)}, func(m *zone.Manifest) { m.Pages[0].Bytes++ }, nil, zone.OutcomeUnreadable, "the manifest says"},
		{"another count", []page{jsonPage(clean...), jsonPage(person("c"))}, func(m *zone.Manifest) { m.Pages[1].Records++ }, nil, zone.OutcomeUnreadable, "page 2"},
		{"missing page", []page{jsonPage(clean...)}, func(m *zone.Manifest) { m.Pages[0].Version = "v99" }, nil, zone.OutcomeUnreadable, "missing"},
		{"too many records", []page{jsonPage(clean...)}, nil, []edit{{`records: ""`, `records: "", limits: {records: 1}`}}, zone.OutcomeTooLarge, "more than 1 records"},
		{"empty key", []page{jsonPage(person("a"), person(""))}, nil, nil, zone.OutcomeHeld, "empty key"},
		{"long key", []page{jsonPage(person("a"), person(strings.Repeat("k", 2049)))}, nil, nil, zone.OutcomeHeld, "at most 2048"},
		{"large item", []page{jsonPage(person("a", "email", `"`+strings.Repeat("k", 400<<10)+`"`))}, nil, nil, zone.OutcomeHeld, "400 KiB"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			p := w.processor(testContract(t, test.edits...))
			event := w.ingest(scheduled, test.mend, test.pages...)
			got := w.run(p, event)
			if got.Outcome != test.want || !strings.Contains(got.Reason, test.wantReason) {
				t.Errorf("outcome %s: %s\nwant    %s: …%s…", got.Outcome, got.Reason, test.want, test.wantReason)
			}
			if len(w.ids()) != 0 || len(w.table.Items()) != 0 {
				t.Errorf("lake %v, items %v", w.ids(), w.table.Items())
			}
			row := w.auditRow(scheduled)
			if row.State != zone.StateDone || row.Outcome != test.want || row.Records != row.Clean+row.Rejected || len(row.LakeFiles) != 0 {
				t.Errorf("audit %+v", row)
			}
			var rejected int64
			for _, f := range row.RejectFiles {
				rejected += f.Rows
			}
			if rejected != row.Rejected || int64(len(w.rejectRows())) != row.Rejected {
				t.Errorf("%d rejects in %v, %d in the store", row.Rejected, row.RejectFiles, len(w.rejectRows()))
			}
			messages := w.topic.Messages()
			if len(messages) != 1 || messages[0].Attributes["severity"] != SeverityCritical || messages[0].Attributes["outcome"] != test.want {
				t.Errorf("alerts %+v", messages)
			}
			if again := w.run(p, event); again.Status != StatusSkipped || len(w.topic.Messages()) != 1 {
				t.Errorf("second delivery: %+v", again)
			}
			if n := w.lake.Uploads() + w.rejects.Uploads(); n != 0 {
				t.Errorf("%d uploads are left", n)
			}
		})
	}
}

func TestRefusedEvents(t *testing.T) {
	run := zone.NewRun("people", scheduled)
	tests := []struct {
		name  string
		event json.RawMessage
		mend  func(*zone.Manifest)
		want  string
	}{
		{"no JSON", json.RawMessage(`x`), nil, "read event"},
		{"something else", json.RawMessage(`{"a":1}`), nil, "neither"},
		{"another source", json.RawMessage(`{"Records":[{"eventSource":"aws:sqs"}]}`), nil, "aws:sqs"},
		{"a deletion", json.RawMessage(`{"Records":[{"eventSource":"aws:s3","eventName":"ObjectRemoved:Delete"}]}`), nil, "ObjectRemoved"},
		{"another key", notify("raw/people/page-00001.json.gz", ""), nil, "parse key"},
		{"bad escape", notify("raw/%zz", ""), nil, "decode key"},
		{"another dataset", notify(zone.NewRun("pets", scheduled).ManifestKey(), ""), nil, "processes dataset people"},
		{"no such manifest", notify(zone.NewRun("people", scheduled.Add(time.Hour)).ManifestKey(), ""), nil, "not found"},
		{"bad run", json.RawMessage(`{"replay":{"dataset":"people","run":"yesterday"}}`), nil, "yesterday"},
		{"newer format", notify(run.ManifestKey(), ""), func(m *zone.Manifest) { m.Format = 2 }, "format is 2"},
		{"manifest of another", notify(run.ManifestKey(), ""), func(m *zone.Manifest) { m.Dataset = "pets" }, "of pets"},
		{"pages out of order", notify(run.ManifestKey(), ""), func(m *zone.Manifest) { m.Pages[0].Page = 2 }, "page 2 stands"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.ingest(scheduled, test.mend, jsonPage(person("a")))
			_, err := w.processor(testContract(t)).Handle(context.Background(), test.event)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want …%s…", err, test.want)
			}
			if len(w.lake.Bodies()) != 0 {
				t.Errorf("lake %v", w.lake.Bodies())
			}
		})
	}
}

func TestSeveralRecordsInOneEvent(t *testing.T) {
	w := newWorld(t)
	p := w.processor(testContract(t))
	w.ingest(scheduled, nil, jsonPage(person("a")))
	w.ingest(scheduled.Add(time.Hour), nil, jsonPage(person("b")))
	event := json.RawMessage(`{"Records":[`)
	for i, at := range []time.Duration{0, 2 * time.Hour, time.Hour} { // the second has no manifest
		var n struct{ Records []json.RawMessage }
		if err := json.Unmarshal(notify(zone.NewRun("people", scheduled.Add(at)).ManifestKey(), ""), &n); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			event = append(event, ',')
		}
		event = append(event, n.Records[0]...)
	}
	results, err := p.Handle(context.Background(), append(event, "]}"...))
	if err == nil || !strings.Contains(err.Error(), "20250304T164500Z") || len(results) != 2 {
		t.Errorf("results %v, error %v", results, err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, w.ids()); diff != "" {
		t.Error(diff)
	}
	if results, err := p.Handle(context.Background(), json.RawMessage(`{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"raw"}`)); err != nil || len(results) != 0 {
		t.Errorf("test event: %v, %v", results, err)
	}
}

func TestReplayUnderMendedContract(t *testing.T) {
	w := newWorld(t)
	event := w.ingest(scheduled, nil, mixed()...)
	first := w.run(w.processor(testContract(t)), event)
	second := w.run(w.processor(versionTwo(t)), replay(false))
	if second.Status != StatusProcessed || second.Clean != 5 || second.Rejected != 1 || first.AlertID == second.AlertID {
		t.Errorf("%+v", second)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d", "e"}, w.ids()); diff != "" {
		t.Error(diff)
	}
	if n := len(w.rejectRows()); n != 1 {
		t.Errorf("%d rejects", n)
	}
	if row := w.auditRow(scheduled); row.ContractVersion != "1.1.0" || row.State != zone.StateDone || row.Replay != (zone.ReplayRow{}) {
		t.Errorf("audit %+v", row)
	}
	if got := w.table.Items()["a"][zone.ItemContract].Text; got != "1.1.0" {
		t.Errorf("the same record under a newer contract did not replace itself: %s", got)
	}
	before := w.state()
	if old := w.run(w.processor(testContract(t)), event); old.Status != StatusSuperseded {
		t.Errorf("old contract: %+v", old)
	}
	if old := w.run(w.processor(testContract(t)), replay(true)); old.Status != StatusSuperseded {
		t.Errorf("old contract, forced: %+v", old)
	}
	if diff := cmp.Diff(before, w.state()); diff != "" {
		t.Error(diff)
	}
}

// TestOlderContractBehindHeldReplay lets a newer contract hold a run that stays as an older one has loaded it: what the
// newer one found is not erased by an older one.
func TestOlderContractBehindHeldReplay(t *testing.T) {
	w := newWorld(t)
	event := w.ingest(scheduled, nil, mixed()...)
	w.run(w.processor(testContract(t)), event)
	if got := w.run(w.processor(strict(t)), replay(false)); !got.Kept {
		t.Fatalf("%+v", got)
	}
	before := w.state()
	tests := []struct {
		name  string
		older *contract.Contract
		event json.RawMessage
		want  string
	}{
		{"the one that loaded it", testContract(t), event, StatusSkipped},
		{"the same, forced", testContract(t), replay(true), StatusSuperseded},
		{"one between", versionTwo(t), replay(false), StatusSuperseded},
	}
	for _, test := range tests {
		if got := w.run(w.processor(test.older), test.event); got.Status != test.want {
			t.Errorf("%s: %+v, want %s", test.name, got, test.want)
		}
		if diff := cmp.Diff(before, w.state()); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestForcedReplayChangesNoByte(t *testing.T) {
	w := newWorld(t)
	p := w.processor(testContract(t))
	w.run(p, w.ingest(scheduled, nil, mixed()...))
	before := w.state()
	if got := w.run(p, replay(true)); got.Status != StatusProcessed {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(before, w.state()); diff != "" {
		t.Error(diff)
	}
}

func TestNewerEngineProcessesAgain(t *testing.T) {
	w := newWorld(t)
	p := w.processor(testContract(t))
	event := w.ingest(scheduled, nil, mixed()...)
	w.run(p, event)
	p.Revision = "engine-2"
	if got := w.run(p, event); got.Status != StatusProcessed {
		t.Errorf("%+v", got)
	}
	if row := w.auditRow(scheduled); row.EngineRevision != "engine-2" || !bytes.Contains(w.lake.Bodies()[row.LakeFiles[0].Key], []byte("engine-2")) {
		t.Errorf("audit %+v", row)
	}
}

func TestHeldThenReleased(t *testing.T) {
	w := newWorld(t)
	event := w.ingest(scheduled, nil, jsonPage(person("a"), person("b", "score", "-1"), person("c", "score", "-2")))
	if got := w.run(w.processor(testContract(t)), event); got.Outcome != zone.OutcomeHeld || len(w.rejectRows()) != 2 {
		t.Errorf("%+v, %d rejects", got, len(w.rejectRows()))
	}
	if got := w.run(w.processor(versionTwo(t)), event); got.Outcome != zone.OutcomeLoaded || got.Clean != 3 {
		t.Errorf("%+v", got)
	}
	if len(w.rejects.Bodies()) != 0 || len(w.ids()) != 3 {
		t.Errorf("rejects %v, lake %v", w.rejects.Bodies(), w.ids())
	}
}

func TestHeldReplayKeepsFormerOutcome(t *testing.T) {
	w := newWorld(t)
	event := w.ingest(scheduled, nil, jsonPage(person("a"), person("b", "score", "-1"), person("c", "score", "2")))
	w.run(w.processor(testContract(t)), event)
	before := w.state()
	strict := testContract(t, edit{"version: 1.0.0", "version: 2.0.0"}, edit{"minimum: 0", "minimum: 5"})
	got := w.run(w.processor(strict), event)
	if got.Outcome != zone.OutcomeHeld || !got.Kept || got.Status != StatusProcessed {
		t.Errorf("%+v", got)
	}
	after := w.state()
	key := zone.NewRun("people", scheduled).AuditKey()
	row := after.Audit[key]
	if row.Replay.State != zone.StateDone || row.Replay.ContractVersion != "2.0.0" || row.Replay.Outcome != zone.OutcomeHeld || row.Replay.Reason == "" {
		t.Errorf("replay %+v", row.Replay)
	}
	row.Replay = zone.ReplayRow{}
	after.Audit[key], after.Alerts = row, before.Alerts
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
	messages := w.topic.Messages()
	if last := messages[len(messages)-1]; len(messages) != 2 || !strings.Contains(last.Body, "stays in place") {
		t.Errorf("%d alerts: %+v", len(messages), last)
	}
	if again := w.run(w.processor(strict), event); again.Status != StatusSkipped || len(w.topic.Messages()) != 2 {
		t.Errorf("again: %+v", again)
	}
}

func TestReplayWithFewerFilesRemovesTheRest(t *testing.T) {
	var pages []page
	for n := range 3 {
		var records []string
		for i := range 10 {
			score := "1"
			if i < 4 {
				score = "-1"
			}
			records = append(records, person(fmt.Sprintf("p%d-%d", n, i), "score", score))
		}
		pages = append(pages, jsonPage(records...))
	}
	w := newWorld(t)
	event := w.ingest(scheduled, nil, pages...)
	p := w.processor(testContract(t))
	p.Options.FileRecords = 10
	w.run(p, event)
	first := w.auditRow(scheduled)
	if len(first.RejectFiles) != 3 {
		t.Fatalf("reject files %v", first.RejectFiles)
	}
	ids := w.ids()
	p = w.processor(versionTwo(t))
	w.run(p, event)
	row := w.auditRow(scheduled)
	if len(row.LakeFiles) != 1 || len(row.RejectFiles) != 0 || len(w.rejects.Bodies()) != 0 || len(w.ids()) != 30 || len(ids) != 18 {
		t.Errorf("files %v %v, %d ids, before %d", row.LakeFiles, row.RejectFiles, len(w.ids()), len(ids))
	}
}

func TestLakeRollsOver(t *testing.T) {
	var pages []page
	n := 0
	for range 3 {
		var records []string
		for range record.BatchRows {
			records = append(records, person(fmt.Sprintf("p%d", n)))
			n++
		}
		pages = append(pages, jsonPage(records...))
	}
	w := newWorld(t)
	p := w.processor(testContract(t, edit{"attributes: [email, score, balance, active, home, tags, born], ", "attributes: [score], "}))
	p.Options = Options{FileRecords: record.BatchRows, Puts: 8, SpoolMemory: 64 << 10, SpoolDir: t.TempDir()}
	got := w.run(p, w.ingest(scheduled, nil, pages...))
	row := w.auditRow(scheduled)
	if len(row.LakeFiles) != 3 || got.Items != int64(n) || len(w.table.Items()) != n {
		t.Errorf("files %v, %d items, want %d", row.LakeFiles, got.Items, n)
	}
	ids := w.ids()
	for i, id := range ids {
		if id != fmt.Sprintf("p%d", i) {
			t.Fatalf("row %d is %s", i, id)
		}
	}
	if len(ids) != n {
		t.Errorf("%d rows, want %d", len(ids), n)
	}
	want := w.lake.Bodies()
	p = w.processor(testContract(t, edit{"attributes: [email, score, balance, active, home, tags, born], ", "attributes: [score], "}))
	p.Options = Options{Puts: 8}
	w.run(p, replay(true))
	if row := w.auditRow(scheduled); len(row.LakeFiles) != 1 || len(w.ids()) != n || len(w.lake.Bodies()) != len(want)-2 {
		t.Errorf("fewer files: %v, %d rows", row.LakeFiles, len(w.ids()))
	}
}

func TestZstdAndPlainPages(t *testing.T) {
	body := jsonPage(person("a"))
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	got := w.run(w.processor(testContract(t)), w.ingest(scheduled, nil,
		page{raw: encoder.EncodeAll(body.body, nil), records: 1},
		page{raw: jsonPage(person("b")).body, records: 1},
		page{raw: slices.Concat(zip(t, body.body[:10]), zip(t, jsonPage(person("c")).body[10:])), records: 1}, // gzip members
	))
	if got.Outcome != zone.OutcomeLoaded {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, w.ids()); diff != "" {
		t.Error(diff)
	}
}

func TestOlderRunDoesNotBeatNewerItem(t *testing.T) {
	w := newWorld(t)
	p := w.processor(testContract(t))
	newer := w.ingest(scheduled.Add(time.Hour), nil, jsonPage(person("a", "score", "2", "updated_at", `"2025-03-04T15:00:00Z"`)))
	older := w.ingest(scheduled, nil, jsonPage(person("a", "score", "1")))
	w.run(p, newer)
	w.run(p, older)
	w.run(w.processor(versionTwo(t)), older)
	if got := w.table.Items()["a"]["score"].Text; got != "2" {
		t.Errorf("score %s", got)
	}
}

func TestExpiredItemsAreNotBroughtBack(t *testing.T) {
	w := newWorld(t)
	event := w.ingest(scheduled, nil, jsonPage(person("a")))
	w.now = scheduled.Add(30 * 24 * time.Hour)
	if got := w.run(w.processor(testContract(t)), event); got.Items != 0 || got.Outcome != zone.OutcomeLoaded || len(w.table.Items()) != 0 {
		t.Errorf("%+v, items %v", got, w.table.Items())
	}
}

func TestOutOfTime(t *testing.T) {
	w := newWorld(t)
	event := w.ingest(scheduled, nil, jsonPage(person("a")), jsonPage(person("b")))
	ctx, cancel := context.WithDeadline(context.Background(), time.Now().Add(time.Hour))
	defer cancel()
	p := w.processor(testContract(t))
	start, calls := time.Now(), 0
	p.Now = func() time.Time {
		if calls++; calls < 3 {
			return start
		}
		return start.Add(time.Hour - 10*time.Second)
	}
	results, err := p.Handle(ctx, event)
	if err != nil || results[0].Outcome != zone.OutcomeTooLarge || !strings.Contains(results[0].Reason, "longer than the function may run") {
		t.Errorf("%+v, %v", results, err)
	}
}

// A page that is small when compressed, and not otherwise, costs no more memory than any record may, and no more time than
// the function has.
func TestBombs(t *testing.T) {
	const size = 64 << 20
	body := slices.Concat([]byte(`[`+person("a")+`,{"id":"`), bytes.Repeat([]byte("0"), size), []byte(`"},`+person("b")+`]`))
	encoder, err := zstd.NewWriter(nil, zstd.WithWindowSize(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{"gzip": zip(t, body), "zstd": encoder.EncodeAll(body, nil)} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p := w.processor(testContract(t))
			event := w.ingest(scheduled, nil, page{raw: raw, records: 3})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			w.run(p, event)
			runtime.ReadMemStats(&after)
			if made := (after.TotalAlloc - before.TotalAlloc) >> 20; made > 48 {
				t.Errorf("%d MiB were allocated for a page of %d KiB", made, len(raw)>>10)
			}
			rejects := w.rejectRows()
			if len(rejects) != 1 || rejects[0].Violations[0].Rule != record.RuleTooLarge || rejects[0].Bytes != size+int64(len(`{"id":""}`)) || !rejects[0].Truncated {
				t.Errorf("rejects %.500v", rejects)
			}
			if diff := cmp.Diff([]string{"a", "b"}, w.ids()); diff != "" {
				t.Error(diff)
			}

			w = newWorld(t)
			p, event = w.processor(testContract(t)), w.ingest(scheduled, nil, page{raw: raw, records: 3})
			ctx, cancel := context.WithDeadline(context.Background(), time.Now().Add(time.Hour))
			defer cancel()
			start, calls := time.Now(), atomic.Int64{}
			p.Now = func() time.Time {
				if calls.Add(1) < 50 { // far more than the raw page is read, and far less than what comes out of it
					return start
				}
				return start.Add(2 * time.Hour)
			}
			results, err := p.Handle(ctx, event)
			if err != nil || results[0].Outcome != zone.OutcomeTooLarge || !strings.Contains(results[0].Reason, "longer than the function may run") {
				t.Errorf("%+v, %v", results, err)
			}
		})
	}
}

func TestNothingClassifiedIsSaid(t *testing.T) {
	w := newWorld(t)
	secret := "x9" // shorter than minLength
	w.run(w.processor(testContract(t)), w.ingest(scheduled, nil, jsonPage(
		person("a"), person("b", "email", `"`+secret+`"`), person("c", "score", "-1", "email", `"hidden@example.com"`, "nickname", `"hidden"`), person("d"), person("e"),
	)))
	said := w.logs.String()
	for _, m := range w.topic.Messages() {
		said += m.Subject + m.Body
	}
	for _, word := range []string{secret, "hidden"} {
		if strings.Contains(said, word) {
			t.Errorf("%q was said:\n%s", word, said)
		}
	}
	if !strings.Contains(said, masked) || !strings.Contains(said, `minimum: /score`) {
		t.Errorf("said:\n%s", said)
	}
}

// A run that ingest could not bring whole for a limit of the contract is judged by its manifest: its pages are not read.
func TestRunThatIngestFoundTooLarge(t *testing.T) {
	w := newWorld(t)
	event := w.ingest(scheduled, func(m *zone.Manifest) {
		m.Ended, m.Reason = zone.EndedTooLarge, "the body has more than 9 bytes (raise limits.body in the contract)"
	}, jsonPage(person("a"), person("b", "score", "-1")))
	p := w.processor(testContract(t))
	result := w.run(p, event)
	if result.Status != StatusProcessed || result.Outcome != zone.OutcomeTooLarge || !strings.Contains(result.Reason, "limits.body") {
		t.Errorf("result %+v", result)
	}
	for _, call := range w.faults.Calls() {
		if call.Method == "Bucket.Get" && strings.Contains(call.Key, "page-") {
			t.Errorf("a page was read: %s", call)
		}
	}
	row := w.auditRow(scheduled)
	if row.State != zone.StateDone || row.Outcome != zone.OutcomeTooLarge || row.Pages != 1 || row.Records != 0 || len(row.LakeFiles)+len(row.RejectFiles) != 0 {
		t.Errorf("audit %+v", row)
	}
	messages := w.topic.Messages()
	if len(messages) != 1 || messages[0].Attributes["severity"] != SeverityCritical || !strings.Contains(messages[0].Body, "limits.body") ||
		!strings.Contains(messages[0].Body, "the next run brings it") || strings.Contains(messages[0].Body, "ops:replay") {
		t.Errorf("alerts %+v", messages)
	}
	if again := w.run(p, event); again.Status != StatusSkipped || len(w.topic.Messages()) != 1 {
		t.Errorf("delivered again: %+v, %d alerts", again, len(w.topic.Messages()))
	}
	if len(w.lake.Bodies()) != 1 || len(w.rejects.Bodies()) != 0 || len(w.table.Items()) != 0 {
		t.Errorf("lake %v, rejects %v, items %v", slices.Sorted(maps.Keys(w.lake.Bodies())), w.rejects.Bodies(), w.table.Items())
	}
}

// Errors go into logs and the failure queue: those of every call that can fail name no key that is classified.
func TestNothingClassifiedIsInErrors(t *testing.T) {
	const secret = "hidden"
	restricted := func(t testing.TB) *contract.Contract {
		return testContract(t, edit{"{name: id, logicalType: string", "{name: id, classification: restricted, logicalType: string"})
	}
	pages := []page{jsonPage(person(secret), person("b", "email", `"`+secret+`@example.com"`), person("c", "score", "-1", "email", `"x"`))}
	clean := newWorld(t)
	clean.run(clean.processor(restricted(t)), clean.ingest(scheduled, nil, pages...))
	calls := clean.faults.Calls()
	table := 0
	for _, call := range calls {
		w := newWorld(t)
		event := w.ingest(scheduled, nil, pages...)
		number := call.Number
		w.faults.Hook = func(c cloudtest.Call) error {
			if c.Number == number {
				return errPlanted
			}
			return nil
		}
		_, err := w.processor(restricted(t)).Handle(context.Background(), event)
		if call.Method == "Table.Put" {
			table++
			if !errors.Is(err, errPlanted) || !strings.Contains(err.Error(), "item of record ") {
				t.Errorf("%s: error %v does not say which record", call, err)
			}
		}
		for _, said := range []string{fmt.Sprint(err), w.logs.String(), call.Key} {
			if strings.Contains(said, secret) {
				t.Errorf("%s: said %s", call, said)
			}
		}
	}
	if table != 2 {
		t.Errorf("%d puts were tried, want 2", table)
	}
}

// crowd is a table that holds puts back until as many have come as may, and counts those that are there.
type crowd struct {
	Table

	size   int
	closed <-chan struct{}

	mu          sync.Mutex
	came        int
	there, most int
	leave       chan struct{} // of those who wait
}

func (c *crowd) Put(ctx context.Context, item zone.Item) (bool, error) {
	leave := c.enter()
	defer c.exit()
	select {
	case <-leave:
		return c.Table.Put(ctx, item)
	case <-c.closed:
		return false, errors.New("the others did not come")
	}
}

func (c *crowd) enter() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.came++
	c.there++
	c.most = max(c.most, c.there)
	leave := c.leave
	if c.came%c.size == 0 {
		close(leave)
		c.leave = make(chan struct{})
	}
	return leave
}

func (c *crowd) exit() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.there--
}

// As many items as Options.Puts are put at the same time, and no more.
func TestPutsAtTheSameTime(t *testing.T) {
	const puts = 4
	w := newWorld(t)
	var people []string
	for n := range 5 * puts {
		people = append(people, person(fmt.Sprint("p", n)))
	}
	gone, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	table := &crowd{Table: w.table, size: puts, leave: make(chan struct{}), closed: gone.Done()}
	p := w.processor(testContract(t))
	p.Table, p.Options.Puts = table, puts
	if r := w.run(p, w.ingest(scheduled, nil, jsonPage(people...))); r.Items != 5*puts || len(w.table.Items()) != 5*puts {
		t.Errorf("result %+v, %d items", r, len(w.table.Items()))
	}
	if table.most != puts {
		t.Errorf("%d items were put at the same time, want %d", table.most, puts)
	}
}

// stopAt fails every call from the first of a method on.
func stopAt(method string) func(cloudtest.Call) error {
	dead := false
	return func(c cloudtest.Call) error {
		if dead = dead || c.Method == method; dead {
			return errPlanted
		}
		return nil
	}
}

func TestStoredRunIsLeftToItsInvocation(t *testing.T) {
	w := newWorld(t)
	event := w.ingest(scheduled, nil, mixed()...)
	x, y := w.actor(versionOne(t), event), w.actor(versionOne(t), event)
	x.faults.Hook = stopAt("Topic.Publish")
	if err := x.handle(); err == nil {
		t.Fatal("no error")
	}
	y.deliver(t)
	if n, state := len(w.topic.Messages()), w.auditRow(scheduled).State; n != 0 || state != zone.StateStored {
		t.Errorf("another delivery while the first may be sending: %d alerts, %s", n, state)
	}
	w.now = w.now.Add(maxInvocation)
	y.deliver(t)
	if n, state := len(w.topic.Messages()), w.auditRow(scheduled).State; n != 1 || state != zone.StateDone {
		t.Errorf("another delivery after it: %d alerts, %s", n, state)
	}
}

// TestLateFileOfOlderContractIsRemoved lets an attempt of an older contract complete a file after the newer attempt has
// looked for such: the older one finds out and removes it.
func TestLateFileOfOlderContractIsRemoved(t *testing.T) {
	w := newWorld(t)
	event := w.ingest(scheduled, nil, mixed()...)
	old, young := w.actor(versionOne(t), event), w.actor(versionTwo(t), event)
	young.Options.FileRecords = 100 // one file, where the older has two of rejects
	done := false
	old.faults.Hook = func(c cloudtest.Call) error {
		if !done && !c.After && c.Method == "Upload.Complete" && strings.HasSuffix(c.Key, "00001.parquet") {
			done = true
			young.deliver(t)
			// As if this attempt had listed before the other had claimed, and the file were its own.
			if _, err := w.lake.Put(context.Background(), zone.NewRun("people", scheduled).LakeKey("people", 2), []byte("late"), zone.PutOptions{}); err != nil {
				t.Error(err)
			}
		}
		return nil
	}
	old.deliver(t)
	if row := w.auditRow(scheduled); row.ContractVersion != "1.1.0" || len(w.lake.Bodies()) != 1+len(row.LakeFiles) {
		t.Errorf("audit %+v, lake %v", row, slices.Sorted(maps.Keys(w.lake.Bodies())))
	}
}
