package process

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pq "github.com/parquet-go/parquet-go"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/contract"
	"tributary/shared/record"
	"tributary/shared/telemetry"
	"tributary/shared/zone"
)

var (
	_ Raw    = (*cloudtest.Bucket)(nil)
	_ Audit  = (*cloudtest.Bucket)(nil)
	_ Store  = (*cloudtest.Bucket)(nil)
	_ Table  = (*cloudtest.Table)(nil)
	_ Alerts = (*cloudtest.Topic)(nil)
)

var scheduled = time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC)

// edit changes the text of the test contract.
type edit struct{ from, to string }

// compiled keeps contracts and plans: tests that go through thousands of schedules use a handful of them.
var compiled struct {
	sync.Mutex
	contracts map[string]*contract.Contract
	plans     map[*contract.Contract]*record.Plan
}

func testContract(t testing.TB, edits ...edit) *contract.Contract {
	t.Helper()
	compiled.Lock()
	defer compiled.Unlock()
	key := fmt.Sprint(edits)
	if c, ok := compiled.contracts[key]; ok {
		return c
	}
	text, err := os.ReadFile("testdata/people.odcs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edits {
		if !bytes.Contains(text, []byte(e.from)) {
			t.Fatalf("the contract has no %q", e.from)
		}
		text = bytes.ReplaceAll(text, []byte(e.from), []byte(e.to))
	}
	c, err := contract.Parse("people.odcs.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := record.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	if compiled.contracts == nil {
		compiled.contracts, compiled.plans = map[string]*contract.Contract{}, map[*contract.Contract]*record.Plan{}
	}
	compiled.contracts[key], compiled.plans[c] = c, plan
	return c
}

// versionTwo lets scores down to -10 pass.
func versionTwo(t testing.TB) *contract.Contract {
	t.Helper()
	return testContract(t, edit{"version: 1.0.0", "version: 1.1.0"}, edit{"minimum: 0", "minimum: -10"})
}

// world is everything outside the function.
type world struct {
	t                  testing.TB
	faults             *cloudtest.Faults
	raw, lake, rejects *cloudtest.Bucket
	table              *cloudtest.Table
	topic              *cloudtest.Topic
	now                time.Time
	attempts           atomic.Int64
	logs               bytes.Buffer
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, faults: &cloudtest.Faults{}, now: scheduled.Add(time.Minute)}
	w.raw = cloudtest.NewBucket("raw", w.faults)
	w.lake = cloudtest.NewBucket("lake", w.faults)
	w.rejects = cloudtest.NewBucket("rejects", w.faults)
	w.table = cloudtest.NewTable(w.faults)
	w.topic = cloudtest.NewTopic(w.faults)
	return w
}

func (w *world) processor(c *contract.Contract) *Processor {
	w.t.Helper()
	compiled.Lock()
	plan := compiled.plans[c]
	compiled.Unlock()
	clock := func() time.Time { return w.now }
	tel, err := telemetry.New(&w.logs, "DEBUG", clock)
	if err != nil {
		w.t.Fatal(err)
	}
	return &Processor{
		Contract: c, Plan: plan, Environment: "dev", Stack: "dev-eu", Revision: "engine-1",
		Raw: w.raw, Lake: w.lake, Audit: w.lake, Rejects: w.rejects, Table: w.table, Alerts: w.topic,
		Telemetry: tel, Now: clock, NewID: func() string { return fmt.Sprintf("attempt-%d", w.attempts.Add(1)) },
		Options: Options{Puts: 1},
	}
}

// page is a raw page as a test gives it.
type page struct {
	body    []byte // uncompressed
	raw     []byte // compressed; nil: gzip of body
	records int64
}

func jsonPage(records ...string) page {
	return page{body: []byte("[" + strings.Join(records, ",\n") + "]"), records: int64(len(records))}
}

func zip(t testing.TB, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// ingest stores a run, changes its manifest, and returns the event of its manifest.
func (w *world) ingest(at time.Time, mend func(*zone.Manifest), pages ...page) json.RawMessage {
	w.t.Helper()
	hook := w.faults.Hook
	w.faults.Hook = nil
	defer func() { w.faults.Hook = hook }()
	run := zone.NewRun("people", at)
	m := zone.Manifest{
		Format: zone.ManifestFormat, Dataset: "people", Run: run.ID(), ScheduledAt: run.At,
		ContractVersion: "1.0.0", Source: "https://example.com/people", Ended: zone.EndedComplete, Pages: []zone.ManifestPage{},
	}
	for i, p := range pages {
		if p.raw == nil {
			p.raw = zip(w.t, p.body)
		}
		key := run.RawPageKey(i + 1)
		object, err := w.raw.Put(context.Background(), key, p.raw, zone.PutOptions{Condition: zone.Condition{IfAbsent: true}})
		if err != nil {
			w.t.Fatal(err)
		}
		sum := sha256.Sum256(p.raw)
		m.Pages = append(m.Pages, zone.ManifestPage{
			Page: i + 1, Key: key, Version: object.Version, Bytes: int64(len(p.raw)), SHA256: hex.EncodeToString(sum[:]),
			Records: p.records, FetchedAt: at.Add(5 * time.Second),
		})
		m.Records += p.records
	}
	if mend != nil {
		mend(&m)
	}
	data, err := json.Marshal(m)
	if err != nil {
		w.t.Fatal(err)
	}
	object, err := w.raw.Put(context.Background(), run.ManifestKey(), data, zone.PutOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return notify(run.ManifestKey(), object.Version)
}

func notify(key, version string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"Records":[{"eventVersion":"2.6","eventSource":"aws:s3","eventName":"ObjectCreated:Put",
		"s3":{"bucket":{"name":"raw"},"object":{"key":%q,"versionId":%q}}}]}`, strings.ReplaceAll(key, "=", "%3D"), version))
}

// replay asks for the scheduled run once more.
func replay(force bool) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"replay":{"dataset":"people","run":"20250304T144500Z","force":%v}}`, force))
}

// person is a record; extra members override.
func person(id string, extra ...string) string {
	members := map[string]json.RawMessage{
		"id": json.RawMessage(`"` + id + `"`), "email": json.RawMessage(`"` + id + `@example.com"`), "score": json.RawMessage(`1.5`),
		"updated_at": json.RawMessage(`"2025-03-04T14:00:00Z"`),
	}
	for i := 0; i < len(extra); i += 2 {
		members[extra[i]] = json.RawMessage(extra[i+1])
	}
	var b strings.Builder
	for i, name := range slices.Sorted(maps.Keys(members)) {
		fmt.Fprintf(&b, "%c%q:%s", "{,"[min(i, 1)], name, members[name])
	}
	return b.String() + "}"
}

// run hands an event to the function and expects one result.
func (w *world) run(p *Processor, event json.RawMessage) Result {
	w.t.Helper()
	results, err := p.Handle(context.Background(), event)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(results) != 1 {
		w.t.Fatalf("%d results", len(results))
	}
	return results[0]
}

// auditRow reads the row of a run past all faults.
func (w *world) auditRow(at time.Time) zone.AuditRow {
	w.t.Helper()
	body, ok := w.lake.Bodies()[zone.NewRun("people", at).AuditKey()]
	if !ok {
		w.t.Fatal("there is no audit row")
	}
	var row zone.AuditRow
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&row); err != nil {
		w.t.Fatal(err)
	}
	return row
}

// ids reads the id column of all lake files, in order, by a reader that is not ours.
func (w *world) ids() []string {
	w.t.Helper()
	bodies := w.lake.Bodies()
	ids := []string{}
	for _, key := range slices.Sorted(maps.Keys(bodies)) {
		if !strings.HasSuffix(key, ".parquet") {
			continue
		}
		file, err := pq.OpenFile(bytes.NewReader(bodies[key]), int64(len(bodies[key])))
		if err != nil {
			w.t.Fatal(err)
		}
		type row struct {
			ID *string `parquet:"id"`
		}
		reader := pq.NewGenericReader[row](file)
		rows := make([]row, file.NumRows())
		if n, err := reader.Read(rows); n != len(rows) {
			w.t.Fatal(n, err)
		}
		for _, r := range rows {
			ids = append(ids, *r.ID)
		}
	}
	return ids
}

// rejectRows reads all rejects, in order.
func (w *world) rejectRows() []zone.RejectRow {
	w.t.Helper()
	bodies := w.rejects.Bodies()
	rows := []zone.RejectRow{}
	for _, key := range slices.Sorted(maps.Keys(bodies)) {
		rows = append(rows, decodeRejects(w.t, bodies[key])...)
	}
	return rows
}

func decodeRejects(t testing.TB, body []byte) []zone.RejectRow {
	t.Helper()
	var rows []zone.RejectRow
	for line := range bytes.Lines(body) {
		var row zone.RejectRow
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

// state is all that a run leaves, for comparison; what may differ between attempts is taken out.
type state struct {
	Lake, Rejects map[string]string
	Audit         map[string]zone.AuditRow
	Items         map[string]map[string]zone.Attribute
	Alerts        map[string]string // subject by id
	Uploads       int
}

func (w *world) state() state {
	w.t.Helper()
	s := state{
		Lake: map[string]string{}, Rejects: map[string]string{}, Audit: map[string]zone.AuditRow{}, Items: w.table.Items(),
		Alerts: map[string]string{}, Uploads: w.lake.Uploads() + w.rejects.Uploads(),
	}
	for key, body := range w.lake.Bodies() {
		if !strings.HasPrefix(key, zone.AuditPrefix) {
			s.Lake[key] = string(body)
			continue
		}
		var row zone.AuditRow
		if err := json.Unmarshal(body, &row); err != nil {
			w.t.Fatal(err)
		}
		row.StoredAt, row.Replay.StoredAt = "", ""
		s.Audit[key] = row
	}
	for key, body := range w.rejects.Bodies() {
		s.Rejects[key] = string(body)
	}
	for _, m := range w.topic.Messages() {
		s.Alerts[m.Attributes["alert_id"]] = m.Subject + "\n" + m.Body
	}
	return s
}
