package zone

import (
	"encoding/json"
	"fmt"
	"time"
)

// ReplayEvent is the direct invocation of the process function: it processes a run whose manifest stands, again or for
// the first time.
type ReplayEvent struct {
	Replay Replay `json:"replay"`
}

// Replay names the run. Force does it again even when the same contract and engine have done it.
type Replay struct {
	Dataset string `json:"dataset"`
	Run     string `json:"run"`
	Force   bool   `json:"force,omitempty"`
}

// NewReplay is the event for a run.
func NewReplay(r Run, force bool) ReplayEvent {
	return ReplayEvent{Replay{Dataset: r.Dataset, Run: r.ID(), Force: force}}
}

// IngestEvent is what the schedule sends the ingest function. The scheduled time is the run: a retry sends it again.
type IngestEvent struct {
	Dataset     string    `json:"dataset"`
	ScheduledAt time.Time `json:"scheduledAt"`
	// Backfill has the run fetch a range of the past of a source with an incremental cursor, whose state it leaves alone.
	Backfill *Range `json:"backfill,omitempty"`
}

// Range is a part of an incremental source, in values of its cursor.
type Range struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// QueueMessage is a message that was received from a queue.
type QueueMessage struct {
	ID      string
	Receipt string // of this receipt, to delete or return it
	Body    string
	Sent    time.Time
}

// FunctionError is an error that a function answered with, apart from one on the way to it.
type FunctionError struct {
	Function string
	Kind     string // Unhandled, Handled
	Message  string
}

// NewFunctionError reads the payload of a failed invocation.
func NewFunctionError(function, kind string, payload []byte) *FunctionError {
	var fault struct {
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal(payload, &fault) != nil || fault.Message == "" {
		fault.Message = string(payload)
	}
	return &FunctionError{Function: function, Kind: kind, Message: fault.Message}
}

// Error is what the function said.
func (e *FunctionError) Error() string {
	return fmt.Sprintf("function %s failed: %s", e.Function, e.Message)
}
