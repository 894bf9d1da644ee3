// Package telemetry writes what a function says: JSON log lines through log/slog, and metrics as CloudWatch embedded
// metric lines between them, on one writer. CloudWatch Logs turns the latter into metrics; no call is made.
//
// Metrics carry the dimensions environment and dataset, rejects also the rule, and nothing else, so that their number
// stays small: at most MaxRules rules of a run are named, the rest are counted as OtherRules. Run and request id are
// members of the lines for Logs Insights, never dimensions.
//
// The package takes counts, names and times only. It has no way to be given a record, so no classified value can reach
// a line through it; what callers log as text is theirs to keep clean.
//
// Function log groups need level INFO or lower: Lambda takes metric lines for INFO and drops them above.
package telemetry

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Telemetry is the voice of one function. It is safe for concurrent use.
type Telemetry struct {
	*slog.Logger
	out *lines
	now func() time.Time
}

// New makes a telemetry that writes to w lines of the given level ("DEBUG", "INFO", "WARN", "ERROR") or above, each
// with the attributes. The clock stamps metrics.
func New(w io.Writer, level string, now func() time.Time, attrs ...slog.Attr) (*Telemetry, error) {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("make telemetry: %w", err)
	}
	out := &lines{w: w}
	handler := slog.NewJSONHandler(out, &slog.HandlerOptions{Level: least, ReplaceAttr: lambdaNames})
	return &Telemetry{Logger: slog.New(handler.WithAttrs(attrs)), out: out, now: now}, nil
}

// With is the same telemetry whose log lines also carry the attributes.
func (t *Telemetry) With(attrs ...slog.Attr) *Telemetry {
	return &Telemetry{Logger: slog.New(t.Handler().WithAttrs(attrs)), out: t.out, now: t.now}
}

// lambdaNames gives slog's members the names that Lambda's JSON logging reads.
func lambdaNames(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		a.Key = "timestamp"
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	case slog.MessageKey:
		a.Key = "message"
	}
	return a
}

// lines keeps log lines and metric lines from mingling.
type lines struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// emit writes one metric line. A line that cannot be written is lost like a log line: it must not fail a run.
func (t *Telemetry) emit(m metricLine) {
	text, err := json.Marshal(m.document(t.now()))
	if err != nil {
		t.Error("encode metrics", "error", err.Error())
		return
	}
	if _, err := t.out.Write(append(text, '\n')); err != nil {
		t.Error("write metrics", "error", err.Error())
	}
}
