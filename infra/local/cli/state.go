package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tributary/infra/local"
	"tributary/infra/local/dynamo"
	"tributary/infra/local/files"
	"tributary/infra/local/glue"
	"tributary/infra/local/s3"
)

// restore gives the environment what earlier runs left. A bucket or table that the stack no longer has is left out, and
// with it, at the next save, its files.
func (s *session) restore(context.Context, options) error {
	if err := s.giveBack(s.env, s.former); err != nil {
		return fmt.Errorf("give back what lies in %s: %w; go tool mage run -fresh begins with empty stores", relative(s.folder.Path()), err)
	}
	return nil
}

func (s *session) giveBack(env *local.Env, state files.State) error {
	names := s.outputs.buckets()
	for _, o := range state.Objects {
		if names[o.Bucket] == "" {
			continue
		}
		err := env.RestoreObject(s3.Object{
			Bucket: names[o.Bucket], Key: o.Key, Version: o.Version, ETag: o.ETag, Modified: o.Modified, Metadata: o.Headers,
		}, o.Body)
		if err != nil {
			return fmt.Errorf("restore %s of bucket %s: %w", o.Key, o.Bucket, err)
		}
	}
	for _, d := range s.outputs.Datasets {
		var items []dynamo.Item
		for _, item := range state.Tables[d.ServingTable] {
			attributes, err := item.Dynamo()
			if err != nil {
				return fmt.Errorf("restore table %s: %w", d.ServingTable, err)
			}
			items = append(items, attributes)
		}
		if err := env.RestoreItems(d.ServingTable, items); err != nil {
			return err
		}
	}
	env.RestoreMetrics(state.Metrics)
	queues := s.outputs.queues()
	for _, m := range state.Queued {
		if queues[m.Queue] == "" {
			continue
		}
		if err := env.RestoreQueued(m.Queue, m.Body, m.Sent); err != nil {
			return fmt.Errorf("restore queue %s: %w", m.Queue, err)
		}
	}
	return nil
}

// snapshot reads what the environment holds now.
func (s *session) snapshot() (files.State, error) {
	state, err := s.holds(s.env)
	state.Alerts, state.Secrets = append(slices.Clone(s.alerts), state.Alerts...), s.former.Secrets
	return state, err
}

// holds reads what an environment of the session's stack holds.
func (s *session) holds(env *local.Env) (files.State, error) {
	state := files.State{Tables: map[string][]files.Item{}}
	for role, name := range s.outputs.buckets() {
		objects, err := env.Objects(name)
		if err != nil {
			return state, fmt.Errorf("read bucket %s: %w", name, err)
		}
		for _, o := range objects {
			state.Objects = append(state.Objects, savedObject(role, o))
		}
	}
	for _, d := range s.outputs.Datasets {
		if d.ServingTable == "" {
			continue
		}
		items, err := env.Items(d.ServingTable)
		if err != nil {
			return state, fmt.Errorf("read table %s: %w", d.ServingTable, err)
		}
		plain := make([]files.Item, 0, len(items))
		for _, item := range items {
			p, err := files.FromDynamo(item)
			if err != nil {
				return state, fmt.Errorf("read table %s: %w", d.ServingTable, err)
			}
			plain = append(plain, p)
		}
		state.Tables[d.ServingTable] = plain
	}
	messages, err := env.Messages(s.outputs.AlertTopic)
	if err != nil {
		return state, fmt.Errorf("read alerts: %w", err)
	}
	for _, m := range messages {
		state.Alerts = append(state.Alerts, files.Alert{At: m.Published, Topic: m.Topic, Subject: m.Subject, Message: m.Body})
	}
	queues := s.outputs.queues()
	for _, name := range slices.Sorted(maps.Keys(queues)) {
		queued, err := env.Queued(name)
		if err != nil {
			return state, fmt.Errorf("read queue %s: %w", name, err)
		}
		for _, m := range queued {
			state.Queued = append(state.Queued, files.Queued{Queue: name, Sent: m.Sent, Body: m.Body})
		}
	}
	if state.Catalog, err = s.catalog(env); err != nil {
		return state, err
	}
	for _, d := range env.Metrics() {
		if time.Since(d.Time) < keptMetrics {
			state.Metrics = append(state.Metrics, d)
		}
	}
	return state, nil
}

// catalog is what the program declared in Glue.
func (s *session) catalog(env *local.Env) (glue.Catalog, error) {
	c := glue.Catalog{Buckets: map[string]string{}}
	for role, name := range s.outputs.buckets() {
		c.Buckets[name] = role
	}
	for _, r := range env.Resources() {
		if r.Type != glue.TableType {
			continue
		}
		t, err := glue.ReadTable(r.Inputs)
		if err != nil {
			return c, err
		}
		c.Tables = append(c.Tables, t)
	}
	slices.SortFunc(c.Tables, func(a, b glue.Table) int { return strings.Compare(a.Name, b.Name) })
	return c, nil
}

// keptMetrics is as long as any alarm of periods below an hour may look back.
const keptMetrics = 24 * time.Hour

func savedObject(role string, o s3.Object) files.Object {
	return files.Object{
		Bucket: role, Key: o.Key, Version: o.Version, ETag: o.ETag, Modified: o.Modified, Headers: o.Metadata, Body: o.Bytes(),
	}
}

// keepState saves what the environment holds now, with the log of each function; what comes later starts from it.
func (s *session) keepState() error {
	state, err := s.snapshot()
	if err != nil {
		return err
	}
	logs := map[string][]byte{}
	for _, name := range s.outputs.functions() {
		if lines := s.env.Logs(name); len(lines) > 0 {
			logs[name] = []byte(strings.Join(lines, "\n") + "\n")
		}
	}
	if err := s.folder.Save(state, logs); err != nil {
		return err
	}
	s.former = state
	return nil
}

// reader reads objects of a bucket, by its role, from a state.
func reader(state files.State, role string) func(key string) ([]byte, bool) {
	byKey := map[string][]byte{}
	for _, o := range state.Objects {
		if o.Bucket == role {
			byKey[o.Key] = o.Body
		}
	}
	return func(key string) ([]byte, bool) { body, ok := byKey[key]; return body, ok }
}
