// Package cloud adapts the AWS services that the functions use: S3 buckets, a DynamoDB table, an SNS topic and Secrets
// Manager. An adapter takes a client that its caller has configured, turns the service's answers into the errors of
// package zone, and says for every method which IAM actions it needs.
//
// Only two answers mean something to the callers: zone.ErrNotFound, and zone.ErrCondition for a conditional write that
// was refused. Every other error is passed on as a fault that a later attempt may not meet. A 403 is never taken for a
// missing object: without s3:ListBucket S3 answers 403 for both, so the functions are granted it.
//
// The SDK repeats a request whose answer was lost. A conditional write that succeeded unheard is then refused by its own
// result, so zone.ErrCondition always means: read, and compare with what was to be written.
//
// Package cloudtest holds in-memory stand-ins for the adapters and the suite that both pass.
package cloud

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"

	"tributary/shared/zone"
)

const (
	codeConflict = "ConditionalRequestConflict"
	codeNoUpload = "NoSuchUpload"
)

// classify wraps zone's errors round the service's answers that callers branch on.
func classify(err error) error {
	switch {
	case hasCode(err, "NoSuchKey", "NoSuchVersion", "NotFound"):
		return fmt.Errorf("%w: %w", zone.ErrNotFound, err)
	case hasCode(err, "PreconditionFailed"):
		return fmt.Errorf("%w: %w", zone.ErrCondition, err)
	}
	return err
}

func hasCode(err error, codes ...string) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	for _, code := range codes {
		if api.ErrorCode() == code {
			return true
		}
	}
	return false
}

func isNotFound(err error) bool { return errors.Is(err, zone.ErrNotFound) }
