package proof

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/contract"
	"tributary/shared/ingest"
	"tributary/shared/process"
	"tributary/shared/record"
	"tributary/shared/source"
	"tributary/shared/telemetry"
	"tributary/shared/zone"
)

// edition is a version of the contract.
type edition struct {
	name     string
	version  string
	minimum  string // of the scores
	percent  string // of rejects that holds a run
	factor   string // of the grades
	engine   string // that processes by it
	contract *contract.Contract
	plan     *record.Plan
}

// editions are compiled once, in the order in which they were deployed. But for one, each is of a higher version than the
// one before.
var editions = []*edition{
	{name: "first", version: "1.0.0", minimum: "0", percent: "70", factor: "1.0", engine: "one"},
	{name: "mended", version: "1.1.0", minimum: "-10", percent: "70", factor: "1.0", engine: "one"},  // lets records pass that were rejected
	{name: "edited", version: "1.1.0", minimum: "-3", percent: "70", factor: "2.0", engine: "two"},   // without a higher version: other records, other items
	{name: "narrow", version: "1.2.0", minimum: "2", percent: "70", factor: "1.0", engine: "two"},    // rejects records that had passed
	{name: "strict", version: "1.3.0", minimum: "1900", percent: "70", factor: "1.0", engine: "two"}, // holds every run
	{name: "empty", version: "1.4.0", minimum: "1900", percent: "100", factor: "1.0", engine: "two"}, // loads every run, without a single row
}

// editionOf is the edition that an audit row is of; -1: none.
func editionOf(row *zone.AuditRow) int {
	return slices.IndexFunc(editions, func(e *edition) bool { return e.contract.Digest == row.ContractDigest })
}

func compileEditions() error {
	text, err := os.ReadFile("testdata/people.odcs.yaml")
	if err != nil {
		return err
	}
	for _, e := range editions {
		edited := bytes.Replace(text, []byte("version: 1.0.0"), []byte("version: "+e.version), 1)
		edited = bytes.Replace(edited, []byte("minimum: 0"), []byte("minimum: "+e.minimum), 1)
		edited = bytes.Replace(edited, []byte("value: 70"), []byte("value: "+e.percent), 1)
		edited = bytes.Replace(edited, []byte("score * 1.0"), []byte("score * "+e.factor), 1)
		if e.contract, err = contract.Parse("people.odcs.yaml", edited); err != nil {
			return err
		}
		if e.plan, err = record.Compile(e.contract); err != nil {
			return err
		}
	}
	return nil
}

// scheduled is a run, and what the source has to give at its time.
type scheduled struct {
	zone.Run
	pages []string
}

// runs are what the source has to give at two scheduled times. Of a key that is in both, now the earlier run's record
// is the newer one, now the later's, and once they are of the same time.
var runs = []scheduled{
	{zone.NewRun("people", time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC)), []string{
		page(person("a", 1.5, 10), person("b", -1, 10), person("c", 3, 30)),
		page(person("d", 2.5, 10), person("a", 4, 10), person("e", -5, 10)),
	}},
	{zone.NewRun("people", time.Date(2025, 3, 4, 15, 45, 0, 0, time.UTC)), []string{
		page(person("a", 7, 20), person("c", 8, 20)),
		page(person("f", -1, 20), person("b", 9, 20), person("d", 5, 10)),
	}},
}

func person(id string, score float64, minute int) string {
	return fmt.Sprintf(`{"id":%q,"score":%g,"updated_at":%q}`, id, score, updated(minute))
}

func updated(minute int) string {
	return time.Date(2025, 3, 4, 14, minute, 0, 0, time.UTC).Format(time.RFC3339)
}

func page(records ...string) string { return "[" + strings.Join(records, ",\n") + "]" }

// world is everything outside the functions.
type world struct {
	raw, lake, rejects *cloudtest.Bucket
	table              *cloudtest.Table
	topic              *cloudtest.Topic
	now                time.Time
	attempts           atomic.Int64
	prints             map[int]string // of the runs' raw objects, once the manifest stands
}

// partSize makes several parts of most files.
const partSize = 400

func newWorld(raw *cloudtest.Bucket) *world {
	w := &world{
		raw: raw.With(nil), lake: cloudtest.NewBucket("lake", nil), rejects: cloudtest.NewBucket("rejects", nil),
		table: cloudtest.NewTable(nil), topic: cloudtest.NewTopic(nil),
		now: runs[1].At.Add(time.Minute), prints: map[int]string{},
	}
	w.lake.PartSize, w.rejects.PartSize = partSize, partSize
	clock := func() time.Time { return w.now }
	w.raw.Now, w.lake.Now, w.rejects.Now = clock, clock, clock
	return w
}

var silent = func() *telemetry.Telemetry {
	t, err := telemetry.New(io.Discard, "ERROR", time.Now)
	if err != nil {
		panic(err)
	}
	return t
}()

// invocation is the time of an invocation as the function sees it.
type invocation struct {
	context.Context
	world *world
	until time.Time
	slow  atomic.Bool  // it has ten seconds left, and when it looks again, one
	looks atomic.Int64 // since then
}

// timeLimit is what Lambda gives a function at most.
const timeLimit = 15 * time.Minute

func (w *world) invocation(ctx context.Context) *invocation {
	return &invocation{Context: ctx, world: w, until: w.now.Add(timeLimit)}
}

func (i *invocation) Deadline() (time.Time, bool) { return i.until, true }

func (i *invocation) now() time.Time {
	switch {
	case !i.slow.Load():
		return i.world.now
	case i.looks.Add(1) == 1:
		return i.until.Add(-10 * time.Second)
	}
	return i.until.Add(-time.Second)
}

// processor is one instance of the process function, for one invocation.
func (w *world) processor(i *invocation, e *edition, faults *cloudtest.Faults) *process.Processor {
	lake := w.lake.With(faults)
	return &process.Processor{
		Contract: e.contract, Plan: e.plan, Environment: "model", Stack: "model", Revision: e.engine,
		Raw: w.raw.With(faults), Lake: lake, Audit: lake, Rejects: w.rejects.With(faults),
		Table: w.table.With(faults), Alerts: w.topic.With(faults),
		Telemetry: silent, Now: i.now,
		NewID:   func() string { return fmt.Sprintf("attempt-%d", w.attempts.Add(1)) },
		Options: process.Options{Puts: 2, FileRecords: 3},
	}
}

// ingester is one instance of the ingest function. What it is answered differs from what another one is answered, in
// bytes and in time.
func (w *world) ingester(c *contract.Contract, answers http.RoundTripper, instance int, faults *cloudtest.Faults) (*ingest.Ingester, error) {
	client, err := source.New(c, "model", nil, source.Options{
		URL: "https://example.com/people", Transport: answers,
		Now:   func() time.Time { return w.now.Add(time.Duration(instance) * time.Second) },
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Rand:  func() float64 { return 0 },
	})
	if err != nil {
		return nil, err
	}
	return ingest.New(c, w.raw.With(faults), client), nil
}

// api answers with the pages of the run that is asked for.
type api struct {
	run      func() int
	instance int
}

func (a api) RoundTrip(r *http.Request) (*http.Response, error) {
	pages := runs[a.run()].pages
	number, err := pageNumber(r)
	if err != nil || number > len(pages) {
		return nil, fmt.Errorf("asked for page %d: %w", number, err)
	}
	return answer(r, http.StatusOK, nil, pages[number-1]+strings.Repeat(" ", a.instance)), nil
}

func pageNumber(r *http.Request) (int, error) {
	number, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err == nil && number < 1 {
		err = errors.New("pages are counted from 1")
	}
	return number, err
}

func answer(r *http.Request, status int, header http.Header, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: fmt.Sprint(status, http.StatusText(status)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// ingested makes a raw zone that holds both runs.
func ingested() (*cloudtest.Bucket, error) {
	w := newWorld(cloudtest.NewBucket("raw", nil))
	for i := range runs {
		ingester, err := w.ingester(editions[0].contract, api{run: func() int { return i }}, 0, nil)
		if err != nil {
			return nil, err
		}
		if _, err := ingester.Run(context.Background(), runs[i].Run); err != nil {
			return nil, err
		}
	}
	return w.raw, nil
}

// event is the notification of a run's manifest, and whether there is one yet.
func (w *world) event(run int) (json.RawMessage, bool) {
	key := runs[run].ManifestKey()
	object, err := w.raw.With(nil).Head(context.Background(), key)
	if errors.Is(err, zone.ErrNotFound) {
		return nil, false
	}
	return json.RawMessage(fmt.Sprintf(`{"Records":[{"eventVersion":"2.6","eventSource":"aws:s3","eventName":"ObjectCreated:Put",
		"s3":{"bucket":{"name":"raw"},"object":{"key":%q,"versionId":%q}}}]}`, strings.ReplaceAll(key, "=", "%3D"), object.Version)), true
}

// replay asks for a run once more.
func replay(run int, force bool) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"replay":{"dataset":"people","run":%q,"force":%v}}`, runs[run].ID(), force))
}
