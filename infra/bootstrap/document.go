package bootstrap

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Document is a policy document. Its texts may hold pseudo parameters of CloudFormation, such as ${AWS::AccountId}.
type Document struct {
	Version   string      `json:"Version"`
	Statement []Statement `json:"Statement"`
}

// Statement is one statement of a document.
type Statement struct {
	Sid       string         `json:"Sid"`
	Effect    string         `json:"Effect"`
	Principal map[string]any `json:"Principal,omitempty"`
	Action    []string       `json:"Action"`
	Resource  []string       `json:"Resource,omitempty"`
	Condition Condition      `json:"Condition,omitempty"`
	Why       string         `json:"-"` // of a resource that is no narrower than *
}

// Condition is operator → key → value: a text, a list of texts, or an intrinsic function.
type Condition map[string]map[string]any

func document(statements ...Statement) Document {
	return Document{Version: "2012-10-17", Statement: statements}
}

func allow(sid string, actions, resources []string, conditions ...Condition) Statement {
	actions = slices.Clone(actions)
	slices.Sort(actions)
	return Statement{Sid: sid, Effect: "Allow", Action: slices.Compact(actions), Resource: resources, Condition: together(conditions...)}
}

// together are conditions that all must hold.
func together(conditions ...Condition) Condition {
	var all Condition
	for _, c := range conditions {
		for operator, keys := range c {
			if all == nil {
				all = Condition{}
			}
			if all[operator] == nil {
				all[operator] = map[string]any{}
			}
			for key, value := range keys {
				all[operator][key] = value
			}
		}
	}
	return all
}

// Text is the document in one account, as IAM would receive it from CloudFormation.
func (d Document) Text(partition, account string) string {
	text, err := json.Marshal(d)
	if err != nil {
		panic(fmt.Sprintf("bootstrap: encode document: %v", err)) // of texts alone, which the tests keep
	}
	return strings.NewReplacer("${AWS::Partition}", partition, "${AWS::AccountId}", account).Replace(string(text))
}
