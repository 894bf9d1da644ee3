package dynamo_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"tributary/infra/local/dynamo"
	"tributary/shared/cloud"
	"tributary/shared/cloud/cloudtest"
)

func TestConformance(t *testing.T) {
	s := dynamo.NewService(func(*http.Request, dynamo.Write) {})
	if err := s.Create(dynamo.Table{Name: table, HashKey: "id", RangeKey: "at", Attributes: map[string]string{"id": "S", "at": "S"}}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	client := dynamodb.NewFromConfig(aws.Config{
		Region: "eu-west-3", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
	cloudtest.TestTable(t, cloud.NewTable(client, table))
}
