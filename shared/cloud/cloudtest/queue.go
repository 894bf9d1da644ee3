package cloudtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tributary/shared/zone"
)

// Queue stands in for an SQS queue.
type Queue struct {
	Name   string
	Faults *Faults
	Now    func() time.Time // nil: the zero time, so that what is hidden stays so until it is returned

	*queueState
}

type queueState struct {
	mu       sync.Mutex
	sent     int
	receipts int
	messages []*queued
}

type queued struct {
	zone.QueueMessage
	hidden bool
	until  time.Time
}

// NewQueue makes an empty queue.
func NewQueue(name string, faults *Faults) *Queue {
	return &Queue{Name: name, Faults: faults, queueState: &queueState{}}
}

func (q *Queue) now() time.Time {
	if q.Now == nil {
		return time.Time{}
	}
	return q.Now()
}

// Send puts a message into the queue, as a service does. Its id counts the messages: m1, m2, ….
func (q *Queue) Send(body string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sent++
	q.messages = append(q.messages, &queued{QueueMessage: zone.QueueMessage{ID: fmt.Sprintf("m%d", q.sent), Body: body, Sent: q.now()}})
}

// Visible lists the messages that a receiver may get, past all faults.
func (q *Queue) Visible() []zone.QueueMessage {
	q.mu.Lock()
	defer q.mu.Unlock()
	var visible []zone.QueueMessage
	for _, m := range q.messages {
		if !q.hides(m) {
			visible = append(visible, m.QueueMessage)
		}
	}
	return visible
}

func (q *Queue) hides(m *queued) bool { return m.hidden && q.now().Before(m.until) }

// Receive is Queue.Receive of package cloud.
func (q *Queue) Receive(ctx context.Context, hidden time.Duration) (message zone.QueueMessage, ok bool, err error) {
	err = q.Faults.around("Queue.Receive", q.Name, func() error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("receive from %s: %w", q.Name, err)
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		for _, m := range q.messages {
			if q.hides(m) {
				continue
			}
			q.receipts++
			m.Receipt, m.hidden, m.until = fmt.Sprintf("r%d", q.receipts), true, q.now().Add(hidden)
			message, ok = m.QueueMessage, true
			return nil
		}
		return nil
	})
	if err != nil {
		return zone.QueueMessage{}, false, err
	}
	return message, ok, nil
}

// Delete is Queue.Delete of package cloud.
func (q *Queue) Delete(ctx context.Context, message zone.QueueMessage) error {
	return q.with(ctx, "Queue.Delete", message, func(i int) { q.messages = slices.Delete(q.messages, i, i+1) })
}

// Return is Queue.Return of package cloud.
func (q *Queue) Return(ctx context.Context, message zone.QueueMessage) error {
	return q.with(ctx, "Queue.Return", message, func(i int) { q.messages[i].hidden = false })
}

func (q *Queue) with(ctx context.Context, method string, message zone.QueueMessage, effect func(int)) error {
	return q.Faults.around(method, q.Name+"/"+message.ID, func() error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("change message %s of %s: %w", message.ID, q.Name, err)
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		i := slices.IndexFunc(q.messages, func(m *queued) bool { return message.Receipt != "" && m.Receipt == message.Receipt })
		if i < 0 {
			return fmt.Errorf("change message %s of %s: %w", message.ID, q.Name, errors.New("its receipt is not valid"))
		}
		effect(i)
		return nil
	})
}

// Length is Queue.Length of package cloud.
func (q *Queue) Length(ctx context.Context) (n int, err error) {
	err = q.Faults.around("Queue.Length", q.Name, func() error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("count messages of %s: %w", q.Name, err)
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		n = len(q.messages)
		return nil
	})
	return n, err
}
