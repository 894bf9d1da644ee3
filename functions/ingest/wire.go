package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"tributary/shared/cloud"
	"tributary/shared/contract"
	"tributary/shared/ingest"
	"tributary/shared/settings"
	"tributary/shared/source"
	"tributary/shared/telemetry"
)

// wire makes the handler from the settings and the contract beside the binary. It calls nobody.
func wire(ctx context.Context, getenv func(string) string, out io.Writer) (*ingest.Handler, error) {
	set, err := settings.LoadIngest(getenv)
	if err != nil {
		return nil, err
	}
	con, err := contract.Load(set.Contract)
	if err != nil {
		return nil, fmt.Errorf("load contract: %w", err)
	}
	tel, err := telemetry.New(out, set.LogLevel, time.Now, slog.String("function", "ingest"))
	if err != nil {
		return nil, err
	}
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("load AWS configuration: %w", err)
	}
	var secrets source.Secrets
	if con.Source.Auth != nil {
		secrets = cloud.NewSecrets(secretsmanager.NewFromConfig(aws))
	}
	client, err := source.New(con, set.Environment, secrets, source.Options{URL: set.SourceURL, Secret: set.SourceSecret})
	if err != nil {
		return nil, err
	}
	buckets := s3.NewFromConfig(aws)
	raw := cloud.NewBucket(buckets, set.RawBucket)
	ingester := ingest.New(con, raw, client)
	return &ingest.Handler{
		Environment: set.Environment,
		Ingester:    ingester,
		Reconciler: &ingest.Reconciler{
			Ingester: ingester,
			Raw:      raw,
			Audit:    cloud.NewBucket(buckets, set.LakeBucket),
			Process:  cloud.NewFunction(lambda.NewFromConfig(aws), set.ProcessFunction),
			Now:      time.Now,
		},
		Telemetry: tel,
		Now:       time.Now,
	}, nil
}
