package main

import (
	"encoding/json"
	"fmt"
	"io"

	"tributary/infra/local/monitor"
	"tributary/infra/stack"
)

// document is the preview for machines; members are always there, lists may be empty.
type document struct {
	Project   string         `json:"project"`
	Stack     string         `json:"stack"`
	Account   string         `json:"account"`
	Region    string         `json:"region"`
	Settings  map[string]any `json:"settings"` // with their defaults
	Resources []entry        `json:"resources"`
	Outputs   map[string]any `json:"outputs"`
}

type entry struct {
	Type                 string              `json:"type"`
	Name                 string              `json:"name"`
	URN                  string              `json:"urn"`
	ID                   string              `json:"id"` // made up where AWS would choose it
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
	settings, err := settingsOf(p.Config)
	if err != nil {
		return fmt.Errorf("encode settings of %s: %w", p.Stack, err)
	}
	d := document{
		Settings: settings,
		Project:  p.Project, Stack: p.Stack, Account: p.Account, Region: p.Config.Region,
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
		Type: r.Type, Name: r.Name, URN: r.URN, ID: r.ID, Parent: r.Parent, Provider: r.Provider, Component: !r.Custom,
		Inputs: present(r.Inputs), SecretInputs: list(r.Secrets), Dependencies: list(r.Dependencies),
		PropertyDependencies: present(r.PropertyDependencies),
		Protect:              r.Protect, RetainOnDelete: r.RetainOnDelete, Aliases: list(r.Aliases),
	}
}

// readJSON reads what writeJSON wrote, also what it wrote at another revision: members that are unknown are left out.
func readJSON(text []byte) (*preview, error) {
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("read preview: %w", err)
	}
	settings, err := json.Marshal(d.Settings)
	if err != nil {
		return nil, fmt.Errorf("read settings of %s: %w", d.Stack, err)
	}
	p := &preview{Project: d.Project, Stack: d.Stack, Account: d.Account, Exports: d.Outputs}
	if err := json.Unmarshal(settings, &p.Config); err != nil {
		return nil, fmt.Errorf("read settings of %s: %w", d.Stack, err)
	}
	p.Config.Region = d.Region
	for _, e := range d.Resources {
		p.Resources = append(p.Resources, monitor.Resource{
			Type: e.Type, Name: e.Name, URN: e.URN, ID: e.ID, Parent: e.Parent, Provider: e.Provider, Custom: !e.Component,
			Inputs: e.Inputs, Secrets: e.SecretInputs, Dependencies: e.Dependencies, PropertyDependencies: e.PropertyDependencies,
			Protect: e.Protect, RetainOnDelete: e.RetainOnDelete, Aliases: e.Aliases,
		})
	}
	return p, nil
}

// settingsOf are settings by the names that they have in Pulumi.STACK.yaml.
func settingsOf(c stack.Config) (map[string]any, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	var settings map[string]any
	return settings, json.Unmarshal(text, &settings)
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
