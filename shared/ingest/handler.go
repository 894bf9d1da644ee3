package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"tributary/shared/telemetry"
	"tributary/shared/zone"
)

// Event is what the schedule sends.
type Event = zone.IngestEvent

// ParseEvent decodes an event strictly.
func ParseEvent(payload []byte) (Event, error) {
	var e Event
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&e); err != nil {
		return Event{}, fmt.Errorf("read event: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Event{}, errors.New("read event: more follows behind its end")
	}
	if e.Dataset == "" || e.ScheduledAt.IsZero() {
		return Event{}, errors.New(`read event: want {"dataset": "…", "scheduledAt": "2025-03-04T14:45:00Z"}`)
	}
	if b := e.Backfill; b != nil && (b.From == "" || b.To == "") {
		return Event{}, errors.New(`read event: want "backfill": {"from": "…", "to": "…"}`)
	}
	return e, nil
}

// Response is what an invocation answers.
type Response struct {
	Dataset  string `json:"dataset"`
	Run      string `json:"run"`
	Manifest string `json:"manifest"` // key
	Stored   bool   `json:"stored"`   // false: the manifest stood already
	Ended    string `json:"ended"`
	Reason   string `json:"reason,omitempty"` // of too_large
	Pages    int    `json:"pages"`
	Records  int64  `json:"records"`
	Refused  string `json:"refused,omitempty"` // why nothing was done: a backfill onto a run of something else
}

// Handler answers the schedule of one dataset.
type Handler struct {
	Environment string
	Ingester    *Ingester
	Reconciler  *Reconciler
	Telemetry   *telemetry.Telemetry
	Now         func() time.Time
}

// Handle brings the run of an event, and then looks back for runs that were lost. It logs what was done; faults are returned, for Lambda to log and to retry.
func (h *Handler) Handle(ctx context.Context, payload json.RawMessage) (Response, error) {
	event, err := ParseEvent(payload)
	if err != nil {
		return Response{}, err
	}
	dataset := h.Ingester.contract.Dataset
	if event.Dataset != dataset {
		return Response{}, fmt.Errorf("read event: it is for dataset %s, and this function ingests %s", event.Dataset, dataset)
	}
	run := zone.NewRun(dataset, event.ScheduledAt)
	requestID := ""
	if lambda, ok := lambdacontext.FromContext(ctx); ok {
		requestID = lambda.AwsRequestID
	}
	log := h.Telemetry.With(slog.String("requestId", requestID), slog.String("dataset", dataset), slog.String("run", run.ID()))

	response, err := h.ingest(ctx, run, event.Backfill, requestID, log)
	if ctx.Err() != nil {
		return response, err
	}
	return response, errors.Join(err, h.reconcile(ctx, run, err == nil, log))
}

func (h *Handler) ingest(ctx context.Context, run zone.Run, backfill *zone.Range, requestID string, log *telemetry.Telemetry) (Response, error) {
	start := h.Now()
	bring := h.Ingester.Run
	if backfill != nil {
		bring = func(ctx context.Context, run zone.Run) (Result, error) {
			return h.Ingester.Backfill(ctx, run, *backfill)
		}
	}
	result, err := bring(ctx, run)
	if refused := new(RangeError); errors.As(err, &refused) {
		// It is the operator's mistake, and theirs to hear of: no fault of this function, and no alarm.
		log.Warn("backfill refused", "reason", refused.Error())
		return Response{Dataset: run.Dataset, Run: run.ID(), Manifest: run.ManifestKey(), Refused: refused.Error()}, nil
	}
	if err != nil {
		return Response{}, err
	}
	elapsed := h.Now().Sub(start)
	if result.CursorTaken {
		log.Warn("cursor state left as another run moved it", "state", zone.StateKey(run.Dataset))
	}
	m := result.Manifest
	response := Response{
		Dataset: run.Dataset, Run: run.ID(), Manifest: run.ManifestKey(),
		Stored: result.Stored, Ended: m.Ended, Reason: m.Reason, Pages: len(m.Pages), Records: m.Records,
	}
	if !result.Stored {
		log.Info("run stands already", "manifest", response.Manifest, "fetched", result.Fetched)
		return response, nil
	}
	if m.Ended == zone.EndedTooLarge {
		log.Warn("run is too large", "manifest", response.Manifest, "reason", m.Reason)
	}
	log.Info("run ingested", "manifest", response.Manifest, "ended", m.Ended, "pages", response.Pages, "records", m.Records,
		"bytes", result.Bytes, "fetched", result.Fetched, "seconds", elapsed.Seconds())
	log.Ingested(telemetry.Ingested{
		Environment: h.Environment, Dataset: run.Dataset, Run: run.ID(), RequestID: requestID,
		Pages: response.Pages, Records: m.Records, Bytes: result.Bytes, Elapsed: elapsed,
	})
	return response, nil
}

// reconcile looks back. That a lost run could not be resumed is no fault of this one: it is said, counted and tried again.
func (h *Handler) reconcile(ctx context.Context, run zone.Run, answers bool, log *telemetry.Telemetry) error {
	done, err := h.Reconciler.Reconcile(ctx, run, answers)
	for _, r := range done.Lost {
		log.Warn("earlier run was lost", "lost", r.ID(), "state", r.State().String(), "touched", r.Touched.UTC())
	}
	for _, r := range done.Started {
		log.Info("lost run started again", "lost", r.ID())
	}
	for _, r := range done.Resumed {
		log.Info("lost run finished", "lost", r.ID())
	}
	if done.Left != nil {
		log.Warn("lost run not finished", "error", done.Left.Error())
	}
	if err == nil {
		log.Unprocessed(h.Environment, run.Dataset, len(done.Lost))
	}
	return err
}
