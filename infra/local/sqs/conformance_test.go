package sqs_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"tributary/infra/local/sqs"
	"tributary/shared/cloud"
	"tributary/shared/cloud/cloudtest"
)

func TestConformance(t *testing.T) {
	s := sqs.NewService(time.Now, func(sqs.Queue, sqs.Message) {})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	queue := sqs.Queue{Name: "failures", URL: server.URL + "/000000000000/failures", Visibility: 30 * time.Second, MaxBytes: 256 << 10}
	if err := s.Create(queue); err != nil {
		t.Fatal(err)
	}
	client := sdk.NewFromConfig(aws.Config{
		Region: "eu-west-3", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
	cloudtest.TestQueue(t, cloud.NewQueue(client, queue.URL), func(body string) {
		if _, err := client.SendMessage(t.Context(), &sdk.SendMessageInput{QueueUrl: &queue.URL, MessageBody: &body}); err != nil {
			t.Fatal(err)
		}
	})
}
