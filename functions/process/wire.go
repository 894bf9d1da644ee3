package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"tributary/shared/cloud"
	"tributary/shared/contract"
	"tributary/shared/process"
	"tributary/shared/record"
	"tributary/shared/settings"
	"tributary/shared/telemetry"
)

// wire makes the processor from the settings and the contract beside the binary. It calls nobody.
func wire(ctx context.Context, getenv func(string) string, out io.Writer) (*process.Processor, error) {
	set, err := settings.LoadProcess(getenv)
	if err != nil {
		return nil, err
	}
	con, err := contract.Load(set.Contract)
	if err != nil {
		return nil, fmt.Errorf("load contract: %w", err)
	}
	plan, err := record.Compile(con)
	if err != nil {
		return nil, err
	}
	tel, err := telemetry.New(out, set.LogLevel, time.Now, slog.String("function", "process"))
	if err != nil {
		return nil, err
	}
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("load AWS configuration: %w", err)
	}
	buckets := s3.NewFromConfig(aws)
	lake := cloud.NewBucket(buckets, set.LakeBucket)
	p := &process.Processor{
		Contract:    con,
		Plan:        plan,
		Environment: set.Environment,
		Stack:       set.Stack,
		Revision:    process.Revision(),
		Raw:         cloud.NewBucket(buckets, set.RawBucket),
		Lake:        lake,
		Audit:       lake,
		Rejects:     cloud.NewBucket(buckets, set.RejectsBucket),
		Alerts:      cloud.NewTopic(sns.NewFromConfig(aws), set.AlertTopic),
		Telemetry:   tel,
		Now:         time.Now,
		NewID:       rand.Text,
	}
	if con.Serving != nil {
		if set.ServingTable == "" {
			return nil, errors.New("load settings of process: the contract serves items, but " + settings.ServingTable + " is not set")
		}
		client := dynamodb.NewFromConfig(aws, func(o *dynamodb.Options) { o.Retryer = cloud.Throttled() })
		p.Table = cloud.NewTable(client, set.ServingTable)
	}
	return p, nil
}
