package cloud

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"tributary/shared/zone"
)

// Queue is an SQS queue that is emptied by hand.
type Queue struct {
	client *sqs.Client
	url    string
}

// NewQueue makes the adapter of the queue at a URL.
func NewQueue(client *sqs.Client, url string) *Queue {
	return &Queue{client: client, url: url}
}

// Receive takes a message, which nobody else sees for the given time; false when the queue shows none.
//
// IAM: sqs:ReceiveMessage.
func (q *Queue) Receive(ctx context.Context, hidden time.Duration) (zone.QueueMessage, bool, error) {
	out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q.url, MaxNumberOfMessages: 1, VisibilityTimeout: int32(hidden / time.Second),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp},
		WaitTimeSeconds:             1, // asks all of SQS's servers
	})
	if err != nil {
		return zone.QueueMessage{}, false, fmt.Errorf("receive from %s: %w", q.url, err)
	}
	if len(out.Messages) == 0 {
		return zone.QueueMessage{}, false, nil
	}
	m := out.Messages[0]
	message := zone.QueueMessage{ID: aws.ToString(m.MessageId), Receipt: aws.ToString(m.ReceiptHandle), Body: aws.ToString(m.Body)}
	if sent, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64); err == nil {
		message.Sent = time.UnixMilli(sent).UTC()
	}
	return message, true, nil
}

// Delete removes a message that was received.
//
// IAM: sqs:DeleteMessage.
func (q *Queue) Delete(ctx context.Context, message zone.QueueMessage) error {
	if _, err := q.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: &message.Receipt}); err != nil {
		return fmt.Errorf("delete message %s of %s: %w", message.ID, q.url, err)
	}
	return nil
}

// Return makes a message that was received visible again.
//
// IAM: sqs:ChangeMessageVisibility.
func (q *Queue) Return(ctx context.Context, message zone.QueueMessage) error {
	_, err := q.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &q.url, ReceiptHandle: &message.Receipt})
	if err != nil {
		return fmt.Errorf("return message %s to %s: %w", message.ID, q.url, err)
	}
	return nil
}

// Length is about how many messages the queue holds, those included that somebody has received.
//
// IAM: sqs:GetQueueAttributes.
func (q *Queue) Length(ctx context.Context) (int, error) {
	names := []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible}
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: names})
	if err != nil {
		return 0, fmt.Errorf("count messages of %s: %w", q.url, err)
	}
	total := 0
	for _, name := range names {
		n, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return 0, fmt.Errorf("count messages of %s: %s: %w", q.url, name, err)
		}
		total += n
	}
	return total, nil
}
