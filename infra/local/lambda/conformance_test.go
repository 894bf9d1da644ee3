package lambda_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"tributary/infra/local/lambda"
	"tributary/shared/cloud"
	"tributary/shared/cloud/cloudtest"
)

func TestConformance(t *testing.T) {
	heard := filepath.Join(t.TempDir(), "heard")
	if err := syscall.Mkfifo(heard, 0o600); err != nil {
		t.Fatal(err)
	}
	r := newTrial(t)
	r.deploy(t, func(f *lambda.Function) { f.Environment = map[string]string{"HEARD": heard} })
	server := httptest.NewServer(lambda.API{Host: r.Host})
	t.Cleanup(server.Close)
	client := sdk.NewFromConfig(aws.Config{
		Region: "eu-west-3", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
	cloudtest.TestFunction(t, cloud.NewFunction(client, "f"), cloud.NewFunction(client, "none"), func() string {
		event, err := os.ReadFile(heard)
		if err != nil {
			t.Fatal(err)
		}
		return string(event)
	})
}
