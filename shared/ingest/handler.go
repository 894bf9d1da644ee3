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

// Event is what the schedule sends. The scheduled time is the run: a retry of the schedule sends it again.
type Event struct {
	Dataset     string    `json:"dataset"`
	ScheduledAt time.Time `json:"scheduledAt"`
}

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
	return e, nil
}

// Response is what an invocation answers.
type Response struct {
	Dataset  string `json:"dataset"`
	Run      string `json:"run"`
	Manifest string `json:"manifest"` // key
	Stored   bool   `json:"stored"`   // false: the manifest stood already
	Pages    int    `json:"pages"`
	Records  int64  `json:"records"`
}

// Handler answers the schedule of one dataset.
type Handler struct {
	Environment string
	Ingester    *Ingester
	Telemetry   *telemetry.Telemetry
	Now         func() time.Time
}

// Handle brings the run of an event. It logs what was done; faults are returned, for Lambda to log and to retry.
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

	start := h.Now()
	result, err := h.Ingester.Run(ctx, run)
	if err != nil {
		return Response{}, err
	}
	elapsed := h.Now().Sub(start)
	if result.CursorTaken {
		log.Warn("cursor state left as another run moved it", "state", zone.StateKey(dataset))
	}
	m := result.Manifest
	response := Response{
		Dataset: dataset, Run: run.ID(), Manifest: run.ManifestKey(),
		Stored: result.Stored, Pages: len(m.Pages), Records: m.Records,
	}
	if !result.Stored {
		log.Info("run stands already", "manifest", response.Manifest, "fetched", result.Fetched)
		return response, nil
	}
	log.Info("run ingested", "manifest", response.Manifest, "ended", m.Ended, "pages", response.Pages, "records", m.Records,
		"bytes", result.Bytes, "fetched", result.Fetched, "seconds", elapsed.Seconds())
	log.Ingested(telemetry.Ingested{
		Environment: h.Environment, Dataset: dataset, Run: run.ID(), RequestID: requestID,
		Pages: response.Pages, Records: m.Records, Bytes: result.Bytes, Elapsed: elapsed,
	})
	return response, nil
}
