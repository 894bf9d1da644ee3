package secret_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"tributary/infra/local/secret"
	"tributary/shared/cloud"
	"tributary/shared/cloud/cloudtest"
)

func TestConformance(t *testing.T) {
	const arn = "arn:aws:secretsmanager:eu-west-3:000000000000:secret:tributary-dev/coingecko-AbCdEf"
	for name, id := range map[string]string{"by name": "tributary-dev/coingecko", "by ARN": arn} {
		t.Run(name, func(t *testing.T) {
			s := secret.NewService(time.Now)
			if err := s.Create(secret.Secret{Name: "tributary-dev/coingecko", ARN: arn}); err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(s)
			t.Cleanup(server.Close)
			client := secretsmanager.NewFromConfig(aws.Config{
				Region: "eu-west-3", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
			})
			cloudtest.TestSecrets(t, cloud.NewSecrets(client), id)
		})
	}
}
