// Package catalog knows every resource type that the Pulumi program may use: what AWS would return for it (ARN, id, name,
// URL), and what the local environment does with it. It is a monitor.Provider by itself, one that makes nothing: the
// offline preview runs the program against it; package local adds the effects.
//
// A type that is not in the table is an error that names it.
package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tributary/infra/local/monitor"
)

// Kind says what the local environment does with a type.
type Kind string

const (
	// Provisioned resources work locally.
	Provisioned Kind = "provisioned"
	// Recorded resources are kept and can be read back, and change nothing else.
	Recorded Kind = "recorded"
	// Skipped resources are deliberately without any effect.
	Skipped Kind = "skipped"
)

// Type is what is known of a resource type.
type Type struct {
	Kind Kind
	Does string // what it does locally, or why nothing

	named    string // property that holds the physical name; one is made up when the program gives none
	describe func(s Scope, r monitor.Resource, name string) (id string, outputs map[string]any)
}

// Scope is where a resource lies.
type Scope struct {
	Account string
	Region  string
	SQS     string // base of queue URLs; "" for AWS's own
}

// ARN builds the ARN of a resource of a regional service.
func (s Scope) ARN(service, resource string) string {
	return "arn:aws:" + service + ":" + s.Region + ":" + s.Account + ":" + resource
}

// Lookup returns what is known of a type.
func Lookup(token string) (Type, bool) {
	t, ok := types[token]
	return t, ok
}

// Tokens lists the known types, sorted.
func Tokens() []string { return slices.Sorted(maps.Keys(types)) }

// Provider answers the program as AWS would, without making anything.
type Provider struct {
	Account string
	Region  string // where a resource has no provider with a region of its own
	SQS     string // base of queue URLs; "" for AWS's own

	regions map[string]string // by URN::ID of a provider
}

var _ monitor.Provider = (*Provider)(nil)

// Create returns id and outputs of a resource of a known type.
func (p *Provider) Create(_ context.Context, r monitor.Resource) (string, map[string]any, error) {
	t, ok := types[r.Type]
	if !ok {
		return "", nil, fmt.Errorf("resource type %s is not known here: say in package infra/local/catalog what it is and what it does locally", r.Type)
	}
	name := ""
	if t.named != "" {
		name, _ = r.Inputs[t.named].(string)
		if name == "" {
			name = r.Name + "-" + Suffix(r.URN, 7)
		}
	}
	id, outputs := t.describe(p.Scope(r), r, name)
	if t.named != "" {
		outputs[t.named] = name
	}
	if r.Type == providerType {
		if region, _ := r.Inputs["region"].(string); region != "" {
			if p.regions == nil {
				p.regions = map[string]string{}
			}
			p.regions[r.URN+"::"+id] = region
		}
	}
	return id, outputs, nil
}

// Scope says where a resource lies: in the region of its provider.
func (p *Provider) Scope(r monitor.Resource) Scope {
	return Scope{Account: p.Account, Region: p.region(r.Provider), SQS: p.SQS}
}

func (p *Provider) region(provider string) string {
	if region := p.regions[provider]; region != "" {
		return region
	}
	return p.Region
}

// Invoke answers the data sources that need no look at an account.
func (p *Provider) Invoke(_ context.Context, token, provider string, _ map[string]any) (map[string]any, error) {
	region := p.region(provider)
	switch token {
	case "aws:index/getCallerIdentity:getCallerIdentity":
		return map[string]any{"accountId": p.Account, "arn": "arn:aws:iam::" + p.Account + ":root", "id": p.Account, "userId": p.Account}, nil
	case "aws:index/getRegion:getRegion":
		return map[string]any{"name": region, "id": region, "region": region, "endpoint": "ec2." + region + ".amazonaws.com", "description": region}, nil
	case "aws:index/getPartition:getPartition":
		return map[string]any{"partition": "aws", "id": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}, nil
	}
	return nil, fmt.Errorf("function %s is not known here: answer it in package infra/local/catalog", token)
}

// Suffix is a random-looking name part, the same in every run.
func Suffix(urn string, length int) string {
	sum := sha256.Sum256([]byte(urn))
	return hex.EncodeToString(sum[:])[:length]
}

// uuid is a made-up identifier, the same in every run.
func uuid(urn string) string {
	h := Suffix(urn, 32)
	return strings.Join([]string{h[:8], h[8:12], "4" + h[13:16], "8" + h[17:20], h[20:]}, "-")
}
