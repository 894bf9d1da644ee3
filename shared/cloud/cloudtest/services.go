package cloudtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"tributary/shared/zone"
)

// Table stands in for a DynamoDB table.
type Table struct {
	Faults *Faults

	*tableState
}

type tableState struct {
	mu    sync.Mutex
	items map[string]map[string]zone.Attribute
}

// NewTable makes an empty table.
func NewTable(faults *Faults) *Table {
	return &Table{Faults: faults, tableState: &tableState{items: map[string]map[string]zone.Attribute{}}}
}

// With is the same table as another caller sees it.
func (t *Table) With(faults *Faults) *Table { return &Table{Faults: faults, tableState: t.tableState} }

// Items gives every item, by its keys, past all faults.
func (t *Table) Items() map[string]map[string]zone.Attribute {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.items)
}

// Put is Table.Put of package cloud.
func (t *Table) Put(ctx context.Context, item zone.Item) (applied bool, err error) {
	key := keyOf(item)
	err = t.Faults.around("Table.Put", item.Place(), func() error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("put %s: %w", item.Place(), err)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		if old, ok := t.items[key]; ok && !item.Replaces(old) {
			return nil
		}
		t.items[key] = maps.Clone(item.Attributes)
		applied = true
		return nil
	})
	return applied && err == nil, err
}

// Get is Table.Get of package cloud.
func (t *Table) Get(ctx context.Context, item zone.Item) (found zone.Item, err error) {
	err = t.Faults.around("Table.Get", "", func() error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("get item: %w", err)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		stored, ok := t.items[keyOf(item)]
		if !ok {
			return fmt.Errorf("get item: %w", zone.ErrNotFound)
		}
		found = item
		found.Attributes = maps.Clone(stored)
		return nil
	})
	return found, err
}

func keyOf(item zone.Item) string {
	key := item.Attributes[item.PartitionKey].Text
	if item.SortKey != "" {
		key += " " + item.Attributes[item.SortKey].Text
	}
	return key
}

// Topic stands in for an SNS topic.
type Topic struct {
	Faults *Faults

	*topicState
}

type topicState struct {
	mu       sync.Mutex
	messages []zone.Message
}

// NewTopic makes a topic without messages.
func NewTopic(faults *Faults) *Topic { return &Topic{Faults: faults, topicState: &topicState{}} }

// With is the same topic as another caller sees it.
func (t *Topic) With(faults *Faults) *Topic { return &Topic{Faults: faults, topicState: t.topicState} }

// Messages lists what was published, past all faults.
func (t *Topic) Messages() []zone.Message {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.messages)
}

// Publish is Topic.Publish of package cloud.
func (t *Topic) Publish(ctx context.Context, message zone.Message) error {
	return t.Faults.around("Topic.Publish", message.Subject, func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := checkMessage(message); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.messages = append(t.messages, message)
		return nil
	})
}

// checkMessage refuses what SNS refuses.
func checkMessage(m zone.Message) error {
	switch {
	case m.Body == "":
		return errors.New("the message is empty")
	case len(m.Body) > 256<<10:
		return errors.New("the message is longer than 256 KiB")
	case len(m.Subject) > 100 || strings.ContainsFunc(m.Subject, func(r rune) bool { return r < ' ' || r > '~' }):
		return errors.New("the subject is no line of at most 100 ASCII characters")
	}
	return nil
}

// Secrets stands in for Secrets Manager: values by name, "" for a secret that was never filled.
type Secrets map[string]string

// Get is Secrets.Get of package cloud.
func (s Secrets) Get(_ context.Context, name string) (string, error) {
	value := s[name]
	if value == "" {
		return "", fmt.Errorf("get secret %s: %w", name, zone.ErrNotFound)
	}
	return value, nil
}

// Put is Secrets.Put of package cloud.
func (s Secrets) Put(_ context.Context, name, value string) error {
	if _, ok := s[name]; !ok {
		return fmt.Errorf("put secret %s: %w", name, zone.ErrNotFound)
	}
	s[name] = value
	return nil
}
