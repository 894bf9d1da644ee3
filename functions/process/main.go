// Command process is the Lambda function that turns a dataset's raw runs into lake, rejects, serving table and alerts.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/lambda"

	"tributary/shared/process"
)

func main() {
	if err := run(context.Background(), os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "process:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, getenv func(string) string) error {
	processor, err := wire(ctx, getenv, os.Stdout)
	if err != nil {
		return err
	}
	debug.SetGCPercent(process.GCPercent)
	lambda.StartWithOptions(processor.Handle, lambda.WithContext(ctx))
	return nil
}
