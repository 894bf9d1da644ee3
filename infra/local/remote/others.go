package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secretstypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"tributary/infra/local/dynamo"
	embeddedsns "tributary/infra/local/sns"
	embeddedsqs "tributary/infra/local/sqs"
)

// CreateTable makes a table and waits until it can be used.
func (e *Endpoint) CreateTable(ctx context.Context, t dynamo.Table) error {
	in := &dynamodb.CreateTableInput{
		TableName: &t.Name, BillingMode: dynamodbtypes.BillingModePayPerRequest,
		KeySchema: []dynamodbtypes.KeySchemaElement{{AttributeName: &t.HashKey, KeyType: dynamodbtypes.KeyTypeHash}},
	}
	if t.RangeKey != "" {
		in.KeySchema = append(in.KeySchema, dynamodbtypes.KeySchemaElement{AttributeName: &t.RangeKey, KeyType: dynamodbtypes.KeyTypeRange})
	}
	for name, kind := range t.Attributes {
		in.AttributeDefinitions = append(in.AttributeDefinitions, dynamodbtypes.AttributeDefinition{
			AttributeName: aws.String(name), AttributeType: dynamodbtypes.ScalarAttributeType(kind),
		})
	}
	out, err := e.items.CreateTable(ctx, in)
	if err != nil {
		return fmt.Errorf("create table %s: %w", t.Name, err)
	}
	e.made(func(ctx context.Context) error {
		_, err := e.items.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &t.Name})
		return err
	})
	if err := same(out.TableDescription.TableArn, t.ARN); err != nil {
		return fmt.Errorf("create table %s: %w", t.Name, err)
	}
	if err := dynamodb.NewTableExistsWaiter(e.items).Wait(ctx, &dynamodb.DescribeTableInput{TableName: &t.Name}, time.Minute); err != nil {
		return fmt.Errorf("wait for table %s: %w", t.Name, err)
	}
	return nil
}

// CreateQueue makes a queue that nobody has.
func (e *Endpoint) CreateQueue(ctx context.Context, name, arn string) error {
	if _, err := e.queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name}); err == nil {
		return fmt.Errorf("create queue %s: the endpoint has it already", name)
	}
	_, err := e.queue(ctx, name, arn)
	return err
}

func (e *Endpoint) queue(ctx context.Context, name, arn string) (string, error) {
	out, err := e.queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		return "", fmt.Errorf("create queue %s: %w", name, err)
	}
	e.made(func(ctx context.Context) error {
		_, err := e.queues.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: out.QueueUrl})
		return err
	})
	attributes, err := e.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: out.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn},
	})
	if err == nil {
		err = same(aws.String(attributes.Attributes["QueueArn"]), arn)
	}
	if err != nil {
		return "", fmt.Errorf("create queue %s: %w", name, err)
	}
	return *out.QueueUrl, nil
}

func (e *Endpoint) queueURL(ctx context.Context, name string) (*string, error) {
	out, err := e.queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return nil, fmt.Errorf("find queue %s: %w", name, err)
	}
	return out.QueueUrl, nil
}

// Send puts a message into a queue.
func (e *Endpoint) Send(ctx context.Context, queue, body string, attributes map[string]embeddedsqs.Attribute) error {
	url, err := e.queueURL(ctx, queue)
	if err != nil {
		return err
	}
	in := &sqs.SendMessageInput{QueueUrl: url, MessageBody: &body, MessageAttributes: map[string]sqstypes.MessageAttributeValue{}}
	for name, a := range attributes {
		in.MessageAttributes[name] = sqstypes.MessageAttributeValue{DataType: aws.String(a.DataType), StringValue: aws.String(a.StringValue)}
	}
	if _, err := e.queues.SendMessage(ctx, in); err != nil {
		return fmt.Errorf("send message to %s: %w", queue, err)
	}
	return nil
}

// Queued lists the messages of a queue that can be received, and leaves them there.
func (e *Endpoint) Queued(ctx context.Context, queue string) ([]embeddedsqs.Message, error) {
	url, err := e.queueURL(ctx, queue)
	if err != nil {
		return nil, err
	}
	received, err := e.receive(ctx, url)
	if err != nil {
		return nil, err
	}
	all := make([]embeddedsqs.Message, 0, len(received))
	for _, m := range received {
		all = append(all, embeddedsqs.Message{ID: *m.MessageId, Body: *m.Body})
		if _, err := e.queues.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: m.ReceiptHandle}); err != nil {
			return nil, fmt.Errorf("give message back to %s: %w", queue, err)
		}
	}
	return all, nil
}

// receive takes all messages that can be received, for half a minute.
func (e *Endpoint) receive(ctx context.Context, url *string) ([]sqstypes.Message, error) {
	var all []sqstypes.Message
	for {
		out, err := e.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, VisibilityTimeout: 30})
		if err != nil {
			return nil, fmt.Errorf("receive from %s: %w", *url, err)
		}
		if len(out.Messages) == 0 {
			return all, nil
		}
		all = append(all, out.Messages...)
	}
}

// CreateTopic makes a topic that nobody has, and a queue beside it that hears what it publishes.
func (e *Endpoint) CreateTopic(ctx context.Context, t embeddedsns.Topic, queueARN func(name string) string) error {
	if _, err := e.topics.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &t.ARN}); err == nil {
		return fmt.Errorf("create topic %s: the endpoint has it already", t.Name)
	}
	out, err := e.topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: &t.Name})
	if err != nil {
		return fmt.Errorf("create topic %s: %w", t.Name, err)
	}
	e.made(func(ctx context.Context) error {
		_, err := e.topics.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: out.TopicArn})
		return err
	})
	if err := same(out.TopicArn, t.ARN); err != nil {
		return fmt.Errorf("create topic %s: %w", t.Name, err)
	}
	name := t.Name + "-heard"
	url, err := e.queue(ctx, name, queueARN(name))
	if err != nil {
		return err
	}
	e.mu.Lock()
	e.heard[t.ARN] = &subscriber{url: url}
	e.mu.Unlock()
	return e.Subscribe(ctx, embeddedsns.Subscription{Topic: t.ARN, Protocol: "sqs", Endpoint: queueARN(name)})
}

// Subscribe has a queue receive what a topic publishes; other protocols reach people, and are left alone.
func (e *Endpoint) Subscribe(ctx context.Context, s embeddedsns.Subscription) error {
	if s.Protocol != "sqs" {
		return nil
	}
	in := &sns.SubscribeInput{TopicArn: &s.Topic, Protocol: &s.Protocol, Endpoint: &s.Endpoint}
	if s.Raw {
		in.Attributes = map[string]string{"RawMessageDelivery": "true"}
	}
	if _, err := e.topics.Subscribe(ctx, in); err != nil {
		return fmt.Errorf("subscribe %s to %s: %w", s.Endpoint, s.Topic, err)
	}
	return nil
}

// Messages lists what a topic has published, in the order in which it was heard.
func (e *Endpoint) Messages(ctx context.Context, topicARN string) ([]embeddedsns.Message, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.heard[topicARN]
	if !ok {
		return nil, fmt.Errorf("read topic %s: it does not exist", topicARN)
	}
	received, err := e.receive(ctx, &s.url)
	if err != nil {
		return nil, err
	}
	for _, m := range received {
		var envelope struct {
			MessageID         string `json:"MessageId"`
			Subject, Message  string
			Timestamp         time.Time
			MessageAttributes map[string]struct{ Value string }
		}
		if err := json.Unmarshal([]byte(*m.Body), &envelope); err != nil {
			return nil, fmt.Errorf("read message of %s: %w", topicARN, err)
		}
		heard := embeddedsns.Message{
			ID: envelope.MessageID, Topic: topicARN, Subject: envelope.Subject, Body: envelope.Message, Published: envelope.Timestamp,
			Attributes: map[string]string{},
		}
		for name, a := range envelope.MessageAttributes {
			heard.Attributes[name] = a.Value
		}
		s.messages = append(s.messages, heard)
		if _, err := e.queues.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &s.url, ReceiptHandle: m.ReceiptHandle}); err != nil {
			return nil, fmt.Errorf("delete message of %s: %w", topicARN, err)
		}
	}
	return append([]embeddedsns.Message(nil), s.messages...), nil
}

// CreateSecret makes an empty secret and returns its ARN.
func (e *Endpoint) CreateSecret(ctx context.Context, name string) (string, error) {
	out, err := e.secrets.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &name})
	if err != nil {
		return "", fmt.Errorf("create secret %s: %w", name, err)
	}
	e.made(func(ctx context.Context) error {
		_, err := e.secrets.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: &name, ForceDeleteWithoutRecovery: aws.Bool(true)})
		return err
	})
	return aws.ToString(out.ARN), nil
}

// Secret returns the value of a secret; "" while it has none.
func (e *Endpoint) Secret(ctx context.Context, name string) (string, error) {
	out, err := e.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	if missing := new(secretstypes.ResourceNotFoundException); errors.As(err, &missing) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read secret %s: %w", name, err)
	}
	return aws.ToString(out.SecretString), nil
}

// PutSecret sets the value of a secret.
func (e *Endpoint) PutSecret(ctx context.Context, name, value string) error {
	if _, err := e.secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: &value}); err != nil {
		return fmt.Errorf("put secret %s: %w", name, err)
	}
	return nil
}
