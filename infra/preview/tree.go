package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"tributary/infra/local/monitor"
)

// writeTree draws resources under their parents: inputs one a line, then what each waits for.
func writeTree(out io.Writer, p *preview) error {
	w := bufio.NewWriter(out)
	account := "account " + p.Account
	if p.Account == unknownAccount {
		account = "an account that the settings do not name"
	}
	fmt.Fprintf(w, "%s %s: %d resources in %s, %s\n", p.Project, p.Stack, len(p.Resources), p.Config.Region, account)
	t := tree{out: w, children: map[string][]monitor.Resource{}, byURN: map[string]monitor.Resource{}}
	for _, r := range p.Resources {
		t.byURN[r.URN] = r
	}
	for _, r := range p.Resources {
		parent := r.Parent
		if _, known := t.byURN[parent]; !known {
			parent = ""
		}
		t.children[parent] = append(t.children[parent], r)
	}
	t.draw("", "")
	fmt.Fprintf(w, "\nexports\n")
	for _, key := range slices.Sorted(maps.Keys(p.Exports)) {
		for _, line := range lines(key, p.Exports[key]) {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
	return w.Flush()
}

type tree struct {
	out      io.Writer
	children map[string][]monitor.Resource // by the parent's URN
	byURN    map[string]monitor.Resource
}

func (t tree) draw(parent, indent string) {
	for _, r := range t.children[parent] {
		fmt.Fprintf(t.out, "\n%s%s %s%s\n", indent, r.Type, r.Name, marks(r))
		for _, key := range slices.Sorted(maps.Keys(r.Inputs)) {
			for _, line := range lines(key, r.Inputs[key]) {
				fmt.Fprintf(t.out, "%s    %s\n", indent, line)
			}
		}
		if after := t.after(r); len(after) > 0 {
			fmt.Fprintf(t.out, "%s    ← %s\n", indent, strings.Join(after, ", "))
		}
		t.draw(r.URN, indent+"  ")
	}
}

func marks(r monitor.Resource) string {
	var text string
	if r.Protect {
		text += " [protect]"
	}
	if r.RetainOnDelete {
		text += " [retain]"
	}
	for _, alias := range r.Aliases {
		// The SDK knows former types of its own and says so of every resource.
		if !strings.HasPrefix(alias, "::::::") {
			text += " [was " + alias + "]"
		}
	}
	return text
}

// after names what a resource waits for; that it waits for its parent goes without saying.
func (t tree) after(r monitor.Resource) []string {
	var names []string
	for _, urn := range r.Dependencies {
		on, known := t.byURN[urn]
		if !known || urn == r.Parent {
			continue
		}
		names = append(names, short(on))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// short names a resource without the package of its type.
func short(r monitor.Resource) string {
	return typeName(r) + " " + r.Name
}

func typeName(r monitor.Resource) string { return r.Type[strings.LastIndexByte(r.Type, ':')+1:] }
