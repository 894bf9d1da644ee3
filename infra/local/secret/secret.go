// Package secret is AWS Secrets Manager in memory: a secret has one value, and none until one is put.
package secret

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"tributary/infra/local/iam"
	"tributary/infra/local/wire"
)

// Secret is the definition of a secret.
type Secret struct {
	Name string
	ARN  string
	Key  string // ARN of a KMS key; "" for AWS's own
}

// Service holds secrets. It is safe for concurrent use.
type Service struct {
	now func() time.Time

	mu      sync.Mutex
	secrets map[string]*secret // by name
}

type secret struct {
	Secret
	value   string
	version string
	changed time.Time
}

// NewService makes a service without secrets.
func NewService(now func() time.Time) *Service {
	return &Service{now: now, secrets: map[string]*secret{}}
}

// Create makes an empty secret.
func (s *Service) Create(definition Secret) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.secrets[definition.Name]; taken {
		return wire.Errorf("ResourceExistsException", "The operation failed because the secret %s already exists.", definition.Name)
	}
	s.secrets[definition.Name] = &secret{Secret: definition}
	return nil
}

// Put sets the value of a secret.
func (s *Service) Put(id, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(id)
	if err != nil {
		return err
	}
	found.value, found.version, found.changed = value, rand.Text(), s.now()
	return nil
}

// Value returns the value of a secret, by name or ARN; "" while it has none.
func (s *Service) Value(id string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(id)
	if err != nil {
		return "", err
	}
	return found.value, nil
}

// Find returns the definition of a secret, by name or ARN.
func (s *Service) Find(id string) (Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(id)
	if err != nil {
		return Secret{}, err
	}
	return found.Secret, nil
}

// find takes a name, an ARN, or an ARN without its last six characters.
func (s *Service) find(id string) (*secret, error) {
	for _, candidate := range s.secrets {
		if id == candidate.Name || id == candidate.ARN || id == candidate.ARN[:strings.LastIndexByte(candidate.ARN, '-')] {
			return candidate, nil
		}
	}
	return nil, &wire.APIError{Code: "ResourceNotFoundException", Message: "Secrets Manager can't find the specified secret."}
}

// Needs lists the permissions that a request needs.
func (s *Service) Needs(r *http.Request) ([]iam.Need, error) {
	operation := wire.Operation(r)
	var in struct{ SecretID string }
	if err := wire.Decode(r, &in); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	arn, key := "*", ""
	if found, err := s.find(in.SecretID); err == nil {
		arn, key = found.ARN, found.Key
	}
	needs := []iam.Need{{Action: "secretsmanager:" + operation, Resource: arn, Context: map[string][]string{"secretsmanager:secretid": {arn}}}}
	use := iam.KeyUse{Key: key, Service: "secretsmanager", Context: map[string]string{"SecretARN": arn}}
	switch operation {
	case "GetSecretValue":
		return append(needs, use.Needs("Decrypt")...), nil
	case "PutSecretValue":
		return append(needs, use.Needs("GenerateDataKey", "Decrypt")...), nil
	case "DescribeSecret":
		return needs, nil
	}
	return nil, wire.Errorf("UnsupportedOperation", "Secrets Manager operation %q is not supported here", operation)
}

// ServeHTTP answers a request that was authorized.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := wire.Peek(r)
	if err != nil {
		wire.WriteError(w, err)
		return
	}
	answer, err := s.serve(wire.Operation(r), body)
	wire.Answer(w, answer, err)
}

func (s *Service) serve(operation string, body []byte) (any, error) {
	var in struct{ SecretID, SecretString string }
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, wire.Errorf("InvalidRequestException", "%v", err)
	}
	if operation == "PutSecretValue" {
		if err := s.Put(in.SecretID, in.SecretString); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(in.SecretID)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{"ARN": found.ARN, "Name": found.Name}
	switch operation {
	case "DescribeSecret":
		return answer, nil
	case "GetSecretValue":
		if found.version == "" {
			return nil, &wire.APIError{Code: "ResourceNotFoundException", Message: "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"}
		}
		answer["SecretString"] = found.value
		answer["CreatedDate"] = float64(found.changed.UnixMilli()) / 1000
	}
	answer["VersionId"], answer["VersionStages"] = found.version, []string{"AWSCURRENT"}
	return answer, nil
}
