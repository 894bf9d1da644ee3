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

// receiveBatch is the most that SQS hands out at once.
const receiveBatch = 10

// Queue is an SQS queue that is emptied by hand.
type Queue struct {
	client *sqs.Client
	url    string
}

// NewQueue makes the adapter of the queue at a URL.
func NewQueue(client *sqs.Client, url string) *Queue {
	return &Queue{client: client, url: url}
}

// Receive takes up to ten messages, which nobody else sees for the given time; none when the queue shows none.
//
// IAM: sqs:ReceiveMessage.
func (q *Queue) Receive(ctx context.Context, hidden time.Duration) ([]zone.QueueMessage, error) {
	out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q.url, MaxNumberOfMessages: receiveBatch, VisibilityTimeout: int32(hidden / time.Second),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp},
		WaitTimeSeconds:             1, // asks all of SQS's servers
	})
	if err != nil {
		return nil, fmt.Errorf("receive from %s: %w", q.url, err)
	}
	messages := make([]zone.QueueMessage, len(out.Messages))
	for i, m := range out.Messages {
		messages[i] = zone.QueueMessage{ID: aws.ToString(m.MessageId), Receipt: aws.ToString(m.ReceiptHandle), Body: aws.ToString(m.Body)}
		if sent, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64); err == nil {
			messages[i].Sent = time.UnixMilli(sent).UTC()
		}
	}
	return messages, nil
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
