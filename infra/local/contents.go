package local

import (
	"context"
	"time"

	"tributary/infra/local/dynamo"
	"tributary/infra/local/s3"
	"tributary/infra/local/sns"
	"tributary/infra/local/sqs"
)

// What the stores hold is read and put back here: in the embedded services, or at the endpoint that stands in for them.

// Objects lists the current objects of a bucket by key.
func (e *Env) Objects(bucket string) ([]s3.Object, error) {
	if e.elsewhere != nil {
		return e.elsewhere.Objects(context.Background(), bucket)
	}
	return e.objects.Objects(bucket)
}

// RestoreObject puts back an object that an earlier environment held; it starts nothing. Another endpoint gives it a version,
// an ETag and a time of its own.
func (e *Env) RestoreObject(o s3.Object, body []byte) error {
	if e.elsewhere != nil {
		return e.elsewhere.RestoreObject(context.Background(), o, body)
	}
	return e.objects.Restore(o, body)
}

// Items lists what a table holds, by key, in DynamoDB's JSON.
func (e *Env) Items(table string) ([]dynamo.Item, error) { return e.items.Items(table) }

// RestoreItems puts back items that an earlier environment held.
func (e *Env) RestoreItems(table string, items []dynamo.Item) error {
	return e.items.Restore(table, items)
}

// Messages lists what was published to a topic, by ARN or name.
func (e *Env) Messages(topic string) ([]sns.Message, error) {
	if e.elsewhere == nil {
		return e.topics.Messages(topic)
	}
	t, err := e.topics.Find(topic)
	if err != nil {
		return nil, err
	}
	return e.elsewhere.Messages(context.Background(), t.ARN)
}

// Queued lists what a queue holds, by name, URL or ARN; at another endpoint, what can be received from it now.
func (e *Env) Queued(queue string) ([]sqs.Message, error) {
	if e.elsewhere == nil {
		return e.queues.Messages(queue)
	}
	q, err := e.queues.Find(queue)
	if err != nil {
		return nil, err
	}
	return e.elsewhere.Queued(context.Background(), q.Name)
}

// RestoreQueued puts back a message that an earlier environment held in a queue.
func (e *Env) RestoreQueued(queue, body string, sent time.Time) error {
	if e.elsewhere != nil {
		return e.send(queue, body, nil)
	}
	return e.queues.Restore(queue, body, sent)
}

// send puts a message into a queue, by name, URL or ARN.
func (e *Env) send(queue, body string, attributes map[string]sqs.Attribute) error {
	if e.elsewhere == nil {
		_, err := e.queues.Send(queue, body, attributes)
		return err
	}
	q, err := e.queues.Find(queue)
	if err != nil {
		return err
	}
	return e.elsewhere.Send(context.Background(), q.Name, body, attributes)
}

// Secret returns the value of a secret, by name or ARN; "" while it has none.
func (e *Env) Secret(id string) (string, error) {
	if e.elsewhere == nil {
		return e.secrets.Value(id)
	}
	s, err := e.secrets.Find(id)
	if err != nil {
		return "", err
	}
	return e.elsewhere.Secret(context.Background(), s.Name)
}

// PutSecret sets the value of a secret, by name or ARN.
func (e *Env) PutSecret(id, value string) error {
	if e.elsewhere == nil {
		return e.secrets.Put(id, value)
	}
	s, err := e.secrets.Find(id)
	if err != nil {
		return err
	}
	return e.elsewhere.PutSecret(context.Background(), s.Name, value)
}
