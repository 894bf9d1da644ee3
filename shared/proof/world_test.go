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
	contract *contract.Contract
	plan     *record.Plan
}

// editions are compiled once. Each is newer than the one before.
var editions = []*edition{
	{name: "first", version: "1.0.0", minimum: "0", percent: "70"},
	{name: "mended", version: "1.1.0", minimum: "-10", percent: "70"},  // lets records pass that were rejected
	{name: "narrow", version: "1.2.0", minimum: "2", percent: "70"},    // rejects records that had passed
	{name: "strict", version: "1.3.0", minimum: "1900", percent: "70"}, // holds every run
	{name: "empty", version: "1.4.0", minimum: "1900", percent: "100"}, // loads every run, without a single row
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
		if e.contract, err = contract.Parse("people.odcs.yaml", edited); err != nil {
			return err
		}
		if e.plan, err = record.Compile(e.contract); err != nil {
			return err
		}
	}
	return nil
}

// runs are what the source has to give at two scheduled times. Of a key that is in both, now the earlier run's record
// is the newer one, now the later's, and once they are of the same time.
var runs = []struct {
	zone.Run
	pages []string
}{
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
	return fmt.Sprintf(`{"id":%q,"score":%g,"updated_at":"2025-03-04T14:%02d:00Z"}`, id, score, minute)
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
		raw: raw, lake: cloudtest.NewBucket("lake", nil), rejects: cloudtest.NewBucket("rejects", nil),
		table: cloudtest.NewTable(nil), topic: cloudtest.NewTopic(nil),
		now: runs[1].At.Add(time.Minute), prints: map[int]string{},
	}
	w.lake.PartSize, w.rejects.PartSize = partSize, partSize
	return w
}

var silent = func() *telemetry.Telemetry {
	t, err := telemetry.New(io.Discard, "ERROR", time.Now)
	if err != nil {
		panic(err)
	}
	return t
}()

// processor is one instance of the process function.
func (w *world) processor(e *edition, faults *cloudtest.Faults) *process.Processor {
	lake := w.lake.With(faults)
	return &process.Processor{
		Contract: e.contract, Plan: e.plan, Environment: "model", Revision: "engine",
		Raw: w.raw.With(faults), Lake: lake, Audit: lake, Rejects: w.rejects.With(faults),
		Table: w.table.With(faults), Alerts: w.topic.With(faults),
		Telemetry: silent, Now: func() time.Time { return w.now },
		NewID:   func() string { return fmt.Sprintf("attempt-%d", w.attempts.Add(1)) },
		Options: process.Options{Puts: 2, FileRecords: 3},
	}
}

// ingester is one instance of the ingest function. What it is answered differs from what another one is answered, in
// bytes and in time.
func (w *world) ingester(run, instance int, faults *cloudtest.Faults) (*ingest.Ingester, error) {
	c := editions[0].contract
	client, err := source.New(c, "model", nil, source.Options{
		URL: "https://example.com/people", Transport: api{run, instance},
		Now:   func() time.Time { return w.now.Add(time.Duration(instance) * time.Second) },
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Rand:  func() float64 { return 0 },
	})
	if err != nil {
		return nil, err
	}
	return ingest.New(c, w.raw.With(faults), client), nil
}

// api answers with a run's pages.
type api struct{ run, instance int }

func (a api) RoundTrip(r *http.Request) (*http.Response, error) {
	var number int
	if _, err := fmt.Sscan(r.URL.Query().Get("page"), &number); err != nil || number < 1 || number > len(runs[a.run].pages) {
		return nil, fmt.Errorf("asked for page %q", r.URL.Query().Get("page"))
	}
	body := runs[a.run].pages[number-1] + strings.Repeat(" ", a.instance)
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

// ingested makes a raw zone that holds both runs.
func ingested() (*cloudtest.Bucket, error) {
	w := newWorld(cloudtest.NewBucket("raw", nil))
	for i := range runs {
		ingester, err := w.ingester(i, 0, nil)
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
