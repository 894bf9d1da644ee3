package cloud

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"tributary/shared/zone"
)

// Topic is an SNS topic.
type Topic struct {
	client *sns.Client
	arn    string
}

// NewTopic makes the adapter of a topic.
func NewTopic(client *sns.Client, arn string) *Topic {
	return &Topic{client: client, arn: arn}
}

// Publish sends a message to the topic's subscribers. SNS knows no idempotency: a repetition arrives twice.
//
// IAM: sns:Publish; on an encrypted topic kms:GenerateDataKey and kms:Decrypt.
func (t *Topic) Publish(ctx context.Context, message zone.Message) error {
	attributes := make(map[string]types.MessageAttributeValue, len(message.Attributes))
	for name, value := range message.Attributes {
		attributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
	}
	_, err := t.client.Publish(ctx, &sns.PublishInput{
		TopicArn: &t.arn, Subject: &message.Subject, Message: &message.Body, MessageAttributes: attributes,
	})
	if err != nil {
		return fmt.Errorf("publish to %s: %w", t.arn, err)
	}
	return nil
}
