// Command process is the Lambda function that turns a dataset's raw runs into lake, rejects, serving table and alerts.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/lambda"
)

// gcPercent trades processor time for memory: a run of 1 GiB is to stay below 128 MiB.
const gcPercent = 50

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
	debug.SetGCPercent(gcPercent)
	lambda.StartWithOptions(processor.Handle, lambda.WithContext(ctx))
	return nil
}
