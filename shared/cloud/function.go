package cloud

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"tributary/shared/zone"
)

// Function is a Lambda function.
type Function struct {
	client *lambda.Client
	name   string
}

// NewFunction makes the adapter of the named function. A function may run for a quarter of an hour: for Invoke the
// client must be one that waits as long for an answer.
func NewFunction(client *lambda.Client, name string) *Function {
	return &Function{client: client, name: name}
}

// Start hands an event to the function and does not wait for it: Lambda retries it, and sends what fails for good to
// the function's failure queue.
//
// IAM: lambda:InvokeFunction.
func (f *Function) Start(ctx context.Context, payload []byte) error {
	_, err := f.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &f.name, InvocationType: types.InvocationTypeEvent, Payload: payload})
	if err != nil {
		return fmt.Errorf("start function %s: %w", f.name, err)
	}
	return nil
}

// Invoke calls the function with an event, waits and returns its answer. An error of the function itself is
// *zone.FunctionError.
//
// IAM: lambda:InvokeFunction.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	out, err := f.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &f.name, Payload: payload})
	if err != nil {
		return nil, fmt.Errorf("invoke function %s: %w", f.name, err)
	}
	if out.FunctionError != nil {
		return nil, zone.NewFunctionError(f.name, aws.ToString(out.FunctionError), out.Payload)
	}
	return out.Payload, nil
}
