// Package iam decides whether a request is allowed, as AWS Identity and Access Management decides it for principals and
// resources of one account: identity policies of the caller, the policy of the resource, explicit deny first, and
// conditions. It is pure; package local feeds it the policies that the Pulumi program deployed.
//
// It refuses what it does not understand: a document with an unknown element or condition operator is an error when
// it is stored, never a statement that is skipped.
package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Document is a policy document.
type Document struct {
	Version   string
	ID        string
	Statement []Statement
}

// Statement is one statement of a document. An empty list of a pair such as Action and NotAction is absent.
type Statement struct {
	Sid         string
	Allow       bool
	Principal   *PrincipalSet // nil in identity policies
	Action      []string
	NotAction   []string
	Resource    []string
	NotResource []string
	Condition   []Condition
}

// PrincipalSet is a Principal element: any of its members matches.
type PrincipalSet struct {
	Any     bool // "*", or {"AWS": "*"}
	AWS     []string
	Service []string
}

// Condition is one operator and key with its values. All conditions of a statement must hold; any value is enough.
type Condition struct {
	Operator string
	Key      string
	Values   []string
}

// Parse reads a policy document strictly.
func Parse(text string) (*Document, error) {
	var raw struct {
		Version   string
		ID        string `json:"Id"`
		Statement oneOrMore[rawStatement]
	}
	if err := strict([]byte(text), &raw); err != nil {
		return nil, fmt.Errorf("parse policy: %w", err)
	}
	if len(raw.Statement) == 0 {
		return nil, errors.New("parse policy: no statement")
	}
	d := &Document{Version: raw.Version, ID: raw.ID}
	if d.Version != "2012-10-17" {
		return nil, fmt.Errorf("parse policy: version %q: want 2012-10-17, older ones have no policy variables", d.Version)
	}
	for i, s := range raw.Statement {
		statement, err := s.statement()
		if err != nil {
			return nil, fmt.Errorf("parse policy: statement %d %s: %w", i+1, s.Sid, err)
		}
		d.Statement = append(d.Statement, statement)
	}
	return d, nil
}

type rawStatement struct {
	Sid          string
	Effect       string
	Principal    json.RawMessage
	Action       oneOrMore[string]
	NotAction    oneOrMore[string]
	Resource     oneOrMore[string]
	NotResource  oneOrMore[string]
	Condition    map[string]map[string]oneOrMore[scalar]
	NotPrincipal json.RawMessage
}

func (r rawStatement) statement() (Statement, error) {
	s := Statement{Sid: r.Sid, Allow: r.Effect == "Allow", Action: r.Action, NotAction: r.NotAction, Resource: r.Resource, NotResource: r.NotResource}
	switch {
	case r.Effect != "Allow" && r.Effect != "Deny":
		return s, fmt.Errorf("effect %q: want Allow or Deny", r.Effect)
	case (len(s.Action) == 0) == (len(s.NotAction) == 0):
		return s, errors.New("want exactly one of Action and NotAction")
	case len(s.Resource) > 0 && len(s.NotResource) > 0:
		return s, errors.New("want at most one of Resource and NotResource")
	case r.NotPrincipal != nil:
		return s, errors.New("NotPrincipal is not supported")
	}
	if r.Principal != nil {
		p, err := parsePrincipal(r.Principal)
		if err != nil {
			return s, err
		}
		s.Principal = p
	}
	for operator, keys := range r.Condition {
		base, _ := strings.CutSuffix(operator, "IfExists")
		_, base = cutQualifier(base)
		if _, ok := operators[base]; !ok && base != "Null" {
			return s, fmt.Errorf("condition operator %q is not supported", operator)
		}
		for key, values := range keys {
			c := Condition{Operator: operator, Key: key}
			for _, v := range values {
				c.Values = append(c.Values, string(v))
			}
			s.Condition = append(s.Condition, c)
		}
	}
	slices.SortFunc(s.Condition, func(a, b Condition) int {
		return strings.Compare(a.Operator+a.Key, b.Operator+b.Key)
	})
	return s, nil
}

func parsePrincipal(raw json.RawMessage) (*PrincipalSet, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if text != "*" {
			return nil, fmt.Errorf("principal %q: want * or an object", text)
		}
		return &PrincipalSet{Any: true}, nil
	}
	var kinds struct {
		AWS       oneOrMore[string]
		Service   oneOrMore[string]
		Federated oneOrMore[string]
	}
	if err := strict(raw, &kinds); err != nil {
		return nil, fmt.Errorf("principal: %w", err)
	}
	return &PrincipalSet{Any: slices.Contains(kinds.AWS, "*"), AWS: kinds.AWS, Service: kinds.Service}, nil
}

// oneOrMore reads a value or a list of values.
type oneOrMore[T any] []T

func (o *oneOrMore[T]) UnmarshalJSON(data []byte) error {
	if data = bytes.TrimSpace(data); len(data) > 0 && data[0] == '[' {
		return strict(data, (*[]T)(o))
	}
	*o = make([]T, 1)
	return strict(data, &(*o)[0])
}

// scalar reads a string, number or boolean of a condition as text.
type scalar string

func (s *scalar) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*s = scalar(text)
		return nil
	}
	*s = scalar(data)
	if data[0] == '{' || data[0] == '[' || string(data) == "null" {
		return fmt.Errorf("condition value %s is no string, number or boolean", data)
	}
	return nil
}

func strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
