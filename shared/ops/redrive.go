package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"tributary/shared/zone"
)

// Queue is a failure queue.
type Queue interface {
	// Receive takes a message, which nobody else sees for a time; false when the queue shows none.
	Receive(ctx context.Context, hidden time.Duration) (zone.QueueMessage, bool, error)
	Delete(ctx context.Context, message zone.QueueMessage) error
	Return(ctx context.Context, message zone.QueueMessage) error
}

// hidden is longer than any invocation takes.
const hidden = 16 * time.Minute

// RedriveStep is a message that was dealt with.
type RedriveStep struct {
	Message zone.QueueMessage
	Event   string // that was sent again; "" when none could be read
	Reason  string // why the event had failed, as far as the message says it
	Err     error  // why it stays in the queue
}

// Redriven counts messages.
type Redriven struct {
	Sent int // again, with success, and deleted
	Left int // still in the queue
}

// Redrive sends the events of a failure queue to their function again. What succeeds is deleted, the rest stays for
// another time. It waits for each answer instead of queueing the events: one that fails again would come back as another
// message.
func Redrive(ctx context.Context, queue Queue, function Function, report func(RedriveStep)) (done Redriven, err error) {
	left := map[string]zone.QueueMessage{}
	defer func() {
		back, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		for _, message := range left {
			err = errors.Join(err, queue.Return(back, message))
		}
		done.Left = len(left)
	}()
	for {
		message, ok, err := queue.Receive(ctx, hidden)
		if err != nil || !ok {
			return done, err
		}
		if _, again := left[message.ID]; again {
			left[message.ID] = message
			return done, nil // what is left comes round
		}
		left[message.ID] = message
		step := RedriveStep{Message: message}
		var event json.RawMessage
		if event, step.Reason, step.Err = unwrap(message.Body); step.Err == nil {
			step.Event = string(event)
			_, step.Err = function.Invoke(ctx, event)
		}
		if step.Err == nil {
			if step.Err = queue.Delete(ctx, message); step.Err == nil {
				delete(left, message.ID)
				done.Sent++
			}
		}
		report(step)
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
	}
}

// unwrap reads the event out of a message: of Lambda's record of a failed invocation, or as EventBridge Scheduler left it.
func unwrap(body string) (event json.RawMessage, reason string, err error) {
	var record struct {
		RequestContext struct {
			Condition string `json:"condition"`
		} `json:"requestContext"`
		RequestPayload  json.RawMessage `json:"requestPayload"`
		ResponsePayload struct {
			ErrorMessage string `json:"errorMessage"`
		} `json:"responsePayload"`
		Dataset string `json:"dataset"`
	}
	if err := json.Unmarshal([]byte(body), &record); err != nil {
		return nil, "", fmt.Errorf("read message: it is no record of a failed event: %w", err)
	}
	switch {
	case len(record.RequestPayload) > 0:
		reason = record.ResponsePayload.ErrorMessage
		if reason == "" {
			reason = record.RequestContext.Condition
		}
		return record.RequestPayload, reason, nil
	case record.Dataset != "":
		return json.RawMessage(body), "the schedule could not hand it over", nil
	}
	return nil, "", errors.New("read message: it holds neither requestPayload nor a schedule's event")
}

// About is what an event asks for.
type About struct {
	What     string // ingest, backfill, processing, replay
	Runs     []zone.Run
	Backfill *zone.Range
}

// AboutOf reads what an event of a schedule, of S3 or of an operator asks for; of one that is of no kind that it knows,
// nothing.
func AboutOf(event []byte) About {
	var e struct {
		zone.IngestEvent
		zone.ReplayEvent
		Records []struct {
			S3 struct {
				Object struct {
					Key string `json:"key"`
				} `json:"object"`
			} `json:"s3"`
		} `json:"Records"`
	}
	if json.Unmarshal(event, &e) != nil {
		return About{}
	}
	switch {
	case e.Replay.Run != "":
		if run, err := zone.ParseRunID(e.Replay.Dataset, e.Replay.Run); err == nil {
			return About{What: "replay", Runs: []zone.Run{run}}
		}
	case e.Dataset != "" && !e.ScheduledAt.IsZero():
		about := About{What: "ingest", Runs: []zone.Run{zone.NewRun(e.Dataset, e.ScheduledAt)}, Backfill: e.Backfill}
		if e.Backfill != nil {
			about.What = "backfill"
		}
		return about
	}
	about := About{What: "processing"}
	for _, r := range e.Records {
		key, err := url.QueryUnescape(r.S3.Object.Key) // S3 writes a space as +
		if err != nil {
			continue
		}
		if run, err := zone.ParseManifestKey(key); err == nil {
			about.Runs = append(about.Runs, run)
		}
	}
	if len(about.Runs) == 0 {
		return About{}
	}
	return about
}
