package telemetry

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func clock() time.Time { return time.Date(2025, 3, 4, 14, 45, 50, 123_000_000, time.UTC) }

func start(t *testing.T, w *bytes.Buffer, level string, attrs ...slog.Attr) *Telemetry {
	t.Helper()
	tel, err := New(w, level, clock, attrs...)
	if err != nil {
		t.Fatal(err)
	}
	return tel
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	path := "testdata/" + file
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestMetricLines(t *testing.T) {
	many := map[string]int64{}
	for i := range MaxRules + 3 {
		many[fmt.Sprintf("rule-%02d", i)] = int64(i)
	}
	tests := []struct {
		name string
		emit func(*Telemetry)
	}{
		{"ingested", func(tel *Telemetry) {
			tel.Ingested(Ingested{
				Environment: "dev", Dataset: "coin_markets", Run: "20250304T144500Z", RequestID: "8f1c",
				Pages: 4, Records: 1000, Bytes: 143210, Elapsed: 4321 * time.Millisecond,
			})
		}},
		{"unprocessed", func(tel *Telemetry) { tel.Unprocessed("dev", "coin_markets", 2) }},
		{"processed", func(tel *Telemetry) {
			tel.Processed(Processed{
				Environment: "prod", Dataset: "coin_markets", Run: "20250304T144500Z", RequestID: "8f1c",
				Outcome: "loaded", Records: 1000, Clean: 988, Rejected: 12, Warned: 3, Bytes: 812345, Elapsed: time.Second,
				ByRule: map[string]int64{"required": 5, "type": 6, "high-above-low": 5},
			})
		}},
		{"processed_many_rules", func(tel *Telemetry) {
			tel.Processed(Processed{Environment: "dev", Dataset: "d", Outcome: "held", ByRule: many})
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			test.emit(start(t, &out, "INFO"))
			golden(t, test.name+".golden", out.Bytes())
			for line := range strings.Lines(out.String()) {
				checkEMF(t, line)
			}
		})
	}
}

// checkEMF holds a line against the rules of the Embedded Metric Format specification.
func checkEMF(t *testing.T, line string) {
	t.Helper()
	var head struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	var members map[string]any
	for _, into := range []any{&head, &members} {
		if err := json.Unmarshal([]byte(line), into); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
	}
	if head.AWS.Timestamp != clock().UnixMilli() || len(head.AWS.CloudWatchMetrics) != 1 {
		t.Fatalf("line %q: wrong metadata", line)
	}
	directive := head.AWS.CloudWatchMetrics[0]
	if len(directive.Metrics) == 0 || len(directive.Metrics) > 100 {
		t.Errorf("line has %d metrics, CloudWatch takes 1 to 100", len(directive.Metrics))
	}
	for _, m := range directive.Metrics {
		if _, ok := members[m.Name].(float64); !ok {
			t.Errorf("metric %s has no number: %v", m.Name, members[m.Name])
		}
	}
	for _, name := range directive.Dimensions[0] {
		if value, ok := members[name].(string); !ok || value == "" || len(value) > 1024 {
			t.Errorf("dimension %s has no text of 1 to 1024 bytes: %v", name, members[name])
		}
	}
}

func TestLogLines(t *testing.T) {
	var out bytes.Buffer
	tel := start(t, &out, "WARN", slog.String("function", "ingest")).
		With(slog.String("requestId", "8f1c"), slog.String("dataset", "coin_markets"), slog.String("run", "20250304T144500Z"))
	tel.Info("not said at WARN")
	tel.Warn("page stands already", "page", 2)

	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("output %q: %v", out.String(), err)
	}
	if _, err := time.Parse(time.RFC3339Nano, fmt.Sprint(got["timestamp"])); err != nil {
		t.Errorf("timestamp: %v", err)
	}
	delete(got, "timestamp")
	want := map[string]any{
		"level": "WARN", "message": "page stands already", "page": 2.0,
		"function": "ingest", "requestId": "8f1c", "dataset": "coin_markets", "run": "20250304T144500Z",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}

func TestUnknownLevelIsRefused(t *testing.T) {
	if _, err := New(&bytes.Buffer{}, "LOUD", clock); err == nil {
		t.Error("level LOUD was accepted")
	}
}

func TestLinesDoNotMingle(t *testing.T) {
	var out bytes.Buffer
	tel := start(t, &out, "INFO")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				tel.Info("a line", "text", strings.Repeat("x", 200))
				tel.Unprocessed("dev", "d", 1)
			}
		})
	}
	wg.Wait()
	lines := 0
	for line := range strings.Lines(out.String()) {
		lines++
		if !json.Valid([]byte(line)) {
			t.Fatalf("line %q is no JSON", line)
		}
	}
	if lines != 800 {
		t.Errorf("%d lines, want 800", lines)
	}
}
