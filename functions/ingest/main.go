// Command ingest is the Lambda function that brings a dataset's runs into the raw zone on schedule.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	if err := run(context.Background(), os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "ingest:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, getenv func(string) string) error {
	handler, err := wire(ctx, getenv, os.Stdout)
	if err != nil {
		return err
	}
	lambda.StartWithOptions(handler.Handle, lambda.WithContext(ctx))
	return nil
}
