package sns_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"

	"tributary/infra/local/sns"
	"tributary/shared/cloud"
	"tributary/shared/cloud/cloudtest"
	"tributary/shared/zone"
)

func TestConformance(t *testing.T) {
	const arn = "arn:aws:sns:eu-west-3:000000000000:alerts"
	s := sns.NewService(time.Now, func(sns.Message) {}, func(sns.Subscription, string) error { return nil })
	s.Create(sns.Topic{Name: "alerts", ARN: arn})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	client := sdk.NewFromConfig(aws.Config{
		Region: "eu-west-3", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
	cloudtest.TestTopic(t, cloud.NewTopic(client, arn), func(int) []zone.Message {
		stored, err := s.Messages(arn)
		if err != nil {
			t.Fatal(err)
		}
		messages := make([]zone.Message, len(stored))
		for i, m := range stored {
			messages[i] = zone.Message{Subject: m.Subject, Body: m.Body, Attributes: m.Attributes}
		}
		return messages
	}, nil)
}
