package ingest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/ingest"
	"tributary/shared/telemetry"
)

// handler ticks 1.5 seconds at each look at the clock.
func handler(t *testing.T, in *ingest.Ingester, raw *cloudtest.Bucket, out *bytes.Buffer) *ingest.Handler {
	t.Helper()
	tel, err := telemetry.New(out, "INFO", func() time.Time { return run.At })
	if err != nil {
		t.Fatal(err)
	}
	now := run.At
	return &ingest.Handler{
		Environment: "dev", Ingester: in, Telemetry: tel,
		Reconciler: &ingest.Reconciler{
			Ingester: in, Raw: raw, Audit: cloudtest.NewBucket("lake", nil), Process: processing(nil), Now: func() time.Time { return run.At },
		},
		Now: func() time.Time {
			now = now.Add(1500 * time.Millisecond)
			return now
		},
	}
}

func TestHandle(t *testing.T) {
	var out bytes.Buffer
	raw := cloudtest.NewBucket("raw", nil)
	h := handler(t, ingester(t, serve(t, three), raw, pageNumber()), raw, &out)
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "8f1c"})
	event := json.RawMessage(`{"dataset":"orders","scheduledAt":"2025-03-04T15:45:00+01:00"}`)

	var responses []ingest.Response
	for range 2 {
		response, err := h.Handle(ctx, event)
		if err != nil {
			t.Fatal(err)
		}
		responses = append(responses, response)
	}
	want := []ingest.Response{
		{Dataset: "orders", Run: "20250304T144500Z", Manifest: rawKey("manifest.json"), Stored: true, Ended: "complete", Pages: 4, Records: 6},
		{Dataset: "orders", Run: "20250304T144500Z", Manifest: rawKey("manifest.json"), Ended: "complete", Pages: 4, Records: 6},
	}
	if diff := cmp.Diff(want, responses); diff != "" {
		t.Errorf("responses (-want +got):\n%s", diff)
	}

	var lines []map[string]any
	for line := range strings.Lines(out.String()) {
		var members map[string]any
		if err := json.Unmarshal([]byte(line), &members); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		delete(members, "timestamp")
		delete(members, "_aws")
		delete(members, "bytes")
		delete(members, "BytesIngested")
		lines = append(lines, members)
	}
	wantLines := []map[string]any{
		{
			"level": "INFO", "message": "run ingested", "requestId": "8f1c", "dataset": "orders", "run": "20250304T144500Z",
			"manifest": rawKey("manifest.json"), "ended": "complete", "pages": 4.0, "records": 6.0, "fetched": 4.0, "seconds": 1.5,
		},
		{
			"environment": "dev", "dataset": "orders", "run": "20250304T144500Z", "requestId": "8f1c",
			"RunsIngested": 1.0, "PagesIngested": 4.0, "RecordsIngested": 6.0, "IngestSeconds": 1.5,
		},
		{"environment": "dev", "dataset": "orders", "RunsUnprocessed": 0.0},
		{
			"level": "INFO", "message": "run stands already", "requestId": "8f1c", "dataset": "orders", "run": "20250304T144500Z",
			"manifest": rawKey("manifest.json"), "fetched": 0.0,
		},
		{"environment": "dev", "dataset": "orders", "RunsUnprocessed": 0.0},
	}
	if diff := cmp.Diff(wantLines, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestHandleRefuses(t *testing.T) {
	tests := []struct{ name, event, want string }{
		{"another dataset", `{"dataset":"coins","scheduledAt":"2025-03-04T14:45:00Z"}`, "read event: it is for dataset coins, and this function ingests orders"},
		{"an unknown member", `{"dataset":"orders","scheduledAt":"2025-03-04T14:45:00Z","force":true}`, `read event: json: unknown field "force"`},
		{"no time", `{"dataset":"orders"}`, `read event: want {"dataset": "…", "scheduledAt": "2025-03-04T14:45:00Z"}`},
		{"a placeholder", `{"dataset":"orders","scheduledAt":"<aws.scheduler.scheduled-time>"}`, `read event: parsing time "<aws.scheduler.scheduled-time>" as "2006-01-02T15:04:05Z07:00": cannot parse "<aws.scheduler.scheduled-time>" as "2006"`},
		{"two events", `{"dataset":"orders","scheduledAt":"2025-03-04T14:45:00Z"}{}`, "read event: more follows behind its end"},
		{"no object", `[]`, "read event: json: cannot unmarshal array into Go value of type zone.IngestEvent"},
		{"half a backfill", `{"dataset":"orders","scheduledAt":"2025-03-04T14:45:00Z","backfill":{"from":"1"}}`, `read event: want "backfill": {"from": "…", "to": "…"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			a := serve(t, three)
			raw := cloudtest.NewBucket("raw", nil)
			_, err := handler(t, ingester(t, a, raw, pageNumber()), raw, &out).Handle(t.Context(), json.RawMessage(test.event))
			if diff := cmp.Diff(test.want, fmt.Sprint(err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if len(a.take()) != 0 || out.Len() != 0 {
				t.Errorf("asked the source, or said %q", out.String())
			}
		})
	}
}
