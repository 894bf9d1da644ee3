package main

import (
	"encoding/json"
	"io"

	"tributary/infra/local/monitor"
)

// document is the preview for machines; members are always there, lists may be empty.
type document struct {
	Project   string         `json:"project"`
	Stack     string         `json:"stack"`
	Account   string         `json:"account"`
	Region    string         `json:"region"`
	Resources []entry        `json:"resources"`
	Outputs   map[string]any `json:"outputs"`
}

type entry struct {
	Type                 string              `json:"type"`
	Name                 string              `json:"name"`
	URN                  string              `json:"urn"`
	Parent               string              `json:"parent"`
	Provider             string              `json:"provider"`
	Component            bool                `json:"component"` // groups others; AWS does not see it
	Inputs               map[string]any      `json:"inputs"`
	SecretInputs         []string            `json:"secretInputs"`
	Dependencies         []string            `json:"dependencies"` // URNs
	PropertyDependencies map[string][]string `json:"propertyDependencies"`
	Protect              bool                `json:"protect"`
	RetainOnDelete       bool                `json:"retainOnDelete"`
	Aliases              []string            `json:"aliases"`
}

func writeJSON(out io.Writer, p *preview) error {
	d := document{
		Project: p.Project, Stack: p.Stack, Account: p.Account, Region: p.Config.Region,
		Resources: make([]entry, len(p.Resources)), Outputs: present(p.Exports),
	}
	for i, r := range p.Resources {
		d.Resources[i] = newEntry(r)
	}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

func newEntry(r monitor.Resource) entry {
	return entry{
		Type: r.Type, Name: r.Name, URN: r.URN, Parent: r.Parent, Provider: r.Provider, Component: !r.Custom,
		Inputs: present(r.Inputs), SecretInputs: list(r.Secrets), Dependencies: list(r.Dependencies),
		PropertyDependencies: present(r.PropertyDependencies),
		Protect:              r.Protect, RetainOnDelete: r.RetainOnDelete, Aliases: list(r.Aliases),
	}
}

func present[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

func list(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}
