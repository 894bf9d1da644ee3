package cloud

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"tributary/shared/zone"
)

// Secrets reads and fills AWS Secrets Manager.
type Secrets struct {
	client *secretsmanager.Client
}

// NewSecrets makes the adapter.
func NewSecrets(client *secretsmanager.Client) *Secrets {
	return &Secrets{client: client}
}

// Get returns the text of a secret's current version by name or ARN. A secret that does not exist, or that has never
// been given a value, is zone.ErrNotFound. Errors never hold the value.
//
// IAM: secretsmanager:GetSecretValue; with a customer key kms:Decrypt.
func (s *Secrets) Get(ctx context.Context, name string) (string, error) {
	out, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	switch {
	case hasCode(err, "ResourceNotFoundException"):
		return "", fmt.Errorf("get secret %s: %w: %w", name, zone.ErrNotFound, err)
	case err != nil:
		return "", fmt.Errorf("get secret %s: %w", name, err)
	case out.SecretString == nil:
		return "", fmt.Errorf("get secret %s: it holds bytes, not text", name)
	}
	return *out.SecretString, nil
}

// Put gives a secret, by name or ARN, a new current value. A secret that does not exist is zone.ErrNotFound. Errors never
// hold the value.
//
// IAM: secretsmanager:PutSecretValue; with a customer key kms:GenerateDataKey and kms:Decrypt.
func (s *Secrets) Put(ctx context.Context, name, value string) error {
	_, err := s.client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: &value})
	switch {
	case hasCode(err, "ResourceNotFoundException"):
		return fmt.Errorf("put secret %s: %w: %w", name, zone.ErrNotFound, err)
	case err != nil:
		return fmt.Errorf("put secret %s: %w", name, err)
	}
	return nil
}
