package cloud_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"tributary/shared/cloud"
	"tributary/shared/cloud/cloudtest"
	"tributary/shared/zone"
)

var (
	_ cloudtest.Store     = (*cloud.Bucket)(nil)
	_ cloudtest.Items     = (*cloud.Table)(nil)
	_ cloudtest.Keeper    = (*cloud.Secrets)(nil)
	_ cloudtest.Waiting   = (*cloud.Queue)(nil)
	_ cloudtest.Publisher = (*cloud.Topic)(nil)
	_ cloudtest.Invoker   = (*cloud.Function)(nil)
)

// external is the configuration of the endpoint that AWS_ENDPOINT_URL names, AWS itself included, and a name that nothing
// has there. The embedded services pass the same suite in the packages below infra/local, and they alone that of a
// function: how one is made there, with role and code, is a deployment's business.
func external(t *testing.T) (aws.Config, string) {
	t.Helper()
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		t.Skip("AWS_ENDPOINT_URL names no endpoint")
	}
	return awsConfig(t, endpoint), fmt.Sprintf("tributary-conformance-%d", time.Now().UnixNano())
}

// afterwards removes what a test made.
func afterwards(t *testing.T, remove func(ctx context.Context) error) {
	t.Helper()
	t.Cleanup(func() {
		if err := remove(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
}

func TestBucketConforms(t *testing.T) {
	cfg, name := external(t)
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	create := &s3.CreateBucketInput{Bucket: &name}
	if cfg.Region != "us-east-1" {
		create.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(cfg.Region)}
	}
	if _, err := client.CreateBucket(t.Context(), create); err != nil {
		t.Fatal(err)
	}
	afterwards(t, func(ctx context.Context) error { return removeBucket(ctx, client, name) })
	_, err := client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &name, VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	cloudtest.TestStore(t, cloud.NewBucket(client, name), "p/", cloud.PartSize)
}

// removeBucket removes a bucket with every version, delete marker and upload in it.
func removeBucket(ctx context.Context, client *s3.Client, name string) error {
	uploads, err := client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &name})
	if err != nil {
		return err
	}
	for _, u := range uploads.Uploads {
		if _, err := client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &name, Key: u.Key, UploadId: u.UploadId}); err != nil {
			return err
		}
	}
	pages := s3.NewListObjectVersionsPaginator(client, &s3.ListObjectVersionsInput{Bucket: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		var all []s3types.ObjectIdentifier
		for _, v := range page.Versions {
			all = append(all, s3types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			all = append(all, s3types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if len(all) == 0 {
			continue
		}
		if _, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &name, Delete: &s3types.Delete{Objects: all}}); err != nil {
			return err
		}
	}
	_, err = client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name})
	return err
}

func TestTableConforms(t *testing.T) {
	cfg, name := external(t)
	client := dynamodb.NewFromConfig(cfg)
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: dynamodbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []dynamodbtypes.AttributeDefinition{
			{AttributeName: aws.String("id"), AttributeType: dynamodbtypes.ScalarAttributeTypeS},
			{AttributeName: aws.String("at"), AttributeType: dynamodbtypes.ScalarAttributeTypeS},
		},
		KeySchema: []dynamodbtypes.KeySchemaElement{
			{AttributeName: aws.String("id"), KeyType: dynamodbtypes.KeyTypeHash},
			{AttributeName: aws.String("at"), KeyType: dynamodbtypes.KeyTypeRange},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	afterwards(t, func(ctx context.Context) error {
		_, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
		return err
	})
	wait := dynamodb.NewTableExistsWaiter(client)
	if err := wait.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: &name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	cloudtest.TestTable(t, cloud.NewTable(client, name))
}

func TestSecretsConform(t *testing.T) {
	cfg, name := external(t)
	client := secretsmanager.NewFromConfig(cfg)
	if _, err := client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name}); err != nil {
		t.Fatal(err)
	}
	afterwards(t, func(ctx context.Context) error {
		_, err := client.DeleteSecret(ctx, &secretsmanager.DeleteSecretInput{SecretId: &name, ForceDeleteWithoutRecovery: aws.Bool(true)})
		return err
	})
	cloudtest.TestSecrets(t, cloud.NewSecrets(client), name)
}

// newQueue makes a queue and gives its URL and ARN.
func newQueue(t *testing.T, client *sqs.Client, name string) (url, arn string) {
	t.Helper()
	created, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	afterwards(t, func(ctx context.Context) error {
		_, err := client.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: created.QueueUrl})
		return err
	})
	out, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: created.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *created.QueueUrl, out.Attributes["QueueArn"]
}

func TestQueueConforms(t *testing.T) {
	cfg, name := external(t)
	client := sqs.NewFromConfig(cfg)
	url, _ := newQueue(t, client, name)
	cloudtest.TestQueue(t, cloud.NewQueue(client, url), func(body string) {
		if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTopicConforms(t *testing.T) {
	cfg, name := external(t)
	queues, topics := sqs.NewFromConfig(cfg), sns.NewFromConfig(cfg)
	url, arn := newQueue(t, queues, name)
	topic, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	afterwards(t, func(ctx context.Context) error {
		_, err := topics.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: topic.TopicArn})
		return err
	})
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage",`+
		`"Resource":%q,"Condition":{"ArnEquals":{"aws:SourceArn":%q}}}]}`, arn, *topic.TopicArn)
	_, err = queues.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"Policy": policy}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: &arn}); err != nil {
		t.Fatal(err)
	}
	queue := cloud.NewQueue(queues, url)
	cloudtest.TestTopic(t, cloud.NewTopic(topics, *topic.TopicArn), func(expect int) []zone.Message {
		var messages []zone.Message
		for range 20 { // each waits a second for a message
			if len(messages) == expect {
				break
			}
			received, ok, err := queue.Receive(t.Context(), time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			if ok {
				messages = append(messages, notification(t, received.Body))
			}
		}
		return messages
	}, topicLacking)
}

// topicLacking is what an imitation of SNS may let through; AWS does not, nor does the embedded service. Seen at moto 5.2.
var topicLacking = cloudtest.Lacking{
	"refuses an empty message":             "moto looks at the length of a message alone",
	"refuses a subject on two lines":       "moto looks at the length of a subject alone",
	"refuses a subject of foreign letters": "moto looks at the length of a subject alone",
}

// notification reads the envelope in which SNS delivers.
func notification(t *testing.T, body string) zone.Message {
	t.Helper()
	var envelope struct {
		Subject, Message  string
		MessageAttributes map[string]struct{ Value string }
	}
	if err := json.Unmarshal([]byte(body), &envelope); err != nil {
		t.Fatal(err)
	}
	m := zone.Message{Subject: envelope.Subject, Body: envelope.Message, Attributes: map[string]string{}}
	for name, attribute := range envelope.MessageAttributes {
		m.Attributes[name] = attribute.Value
	}
	return m
}
