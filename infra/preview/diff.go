package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"tributary/infra/bootstrap"
	"tributary/infra/local/monitor"
)

// writeDiff says what two stacks do not have in common: settings with their defaults, resources that only one has, and
// inputs. What differs only because a stack is called otherwise or lies elsewhere is left out, and so is what follows
// from a difference that is shown for many resources: they share one line.
func writeDiff(out io.Writer, a, b *preview) error {
	settings, err := diffSettings(a, b)
	if err != nil {
		return err
	}
	onlyA, onlyB, inputs := diffResources(a, b)
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%s and %s of %s: %d and %d resources\n", a.Stack, b.Stack, a.Project, len(a.Resources), len(b.Resources))
	section(w, "Settings", a.Stack, b.Stack, settings)
	section(w, "Inputs", a.Stack, b.Stack, inputs)
	for _, only := range []struct {
		stack string
		names []string
	}{{a.Stack, onlyA}, {b.Stack, onlyB}} {
		if len(only.names) > 0 {
			fmt.Fprintf(w, "\nOnly in %s:\n", only.stack)
			for _, line := range wrap(strings.Join(only.names, ", "), screen-2) {
				fmt.Fprintf(w, "  %s\n", line)
			}
		}
	}
	return w.Flush()
}

// change is one thing that has a value in each stack. Of says what kind of thing it is a part of, and where names the
// resources that share it.
type change struct{ of, what, a, b, where string }

// The room for a table, in characters, and the most that its columns take of it; the last has the rest.
const (
	screen     = 120
	widestWhat = 56
	widestSide = 30 // of a stack's values
	narrowSide = 20 // where there is another column behind
)

// section draws a table. What belongs to a thing that several rows are parts of is said once, above them.
func section(out io.Writer, title, a, b string, changes []change) {
	if len(changes) == 0 {
		fmt.Fprintf(out, "\n%s: the same\n", title)
		return
	}
	rows := [][]string{{title, a, b, ""}}
	side := widestSide
	for i, c := range changes {
		indent, what := "  ", c.what
		switch {
		case c.of == "":
		case i > 0 && changes[i-1].of == c.of:
			indent = "    "
		case i+1 < len(changes) && changes[i+1].of == c.of:
			rows = append(rows, []string{"  " + c.of, "", "", ""})
			indent = "    "
		default:
			what = c.of + " " + c.what
		}
		rows = append(rows, []string{indent + what, clip(c.a), clip(c.b), c.where})
		if c.where != "" {
			side = narrowSide
		}
	}
	widths := []int{widestWhat, side, side, 0}
	for column := range 3 {
		most := 0
		for _, row := range rows {
			most = max(most, utf8.RuneCountInString(row[column]))
		}
		widths[column] = min(widths[column], most)
	}
	widths[3] = max(1, screen-widths[0]-widths[1]-widths[2]-3*len(gap)) // where there is no fourth, the others may take its room
	fmt.Fprintln(out)
	for _, row := range rows {
		drawRow(out, row, widths)
	}
}

// gap stands between two columns.
const gap = "  "

// drawRow writes cells beside each other, and what does not fit into a cell below it.
func drawRow(out io.Writer, cells []string, widths []int) {
	wrapped := make([][]string, len(cells))
	height := 0
	for i, cell := range cells {
		text := strings.TrimLeft(cell, " ")
		indent := cell[:len(cell)-len(text)]
		for _, line := range wrap(text, widths[i]-len(indent)) {
			wrapped[i] = append(wrapped[i], indent+line)
		}
		height = max(height, len(wrapped[i]))
	}
	for n := range height {
		var line strings.Builder
		for i, lines := range wrapped {
			text := ""
			if n < len(lines) {
				text = lines[n]
			}
			fmt.Fprintf(&line, "%-*s%s", widths[i], text, gap)
		}
		fmt.Fprintln(out, strings.TrimRight(line.String(), " "))
	}
}

// wrap breaks text into lines of at most so many characters: behind a comma, else at a space, else anywhere.
func wrap(text string, width int) []string {
	var lines []string
	rest := []rune(text)
	for len(rest) > width {
		comma, space := 0, 0
		for i := 1; i <= width; i++ {
			if rest[i] == ' ' {
				space = i
				if rest[i-1] == ',' {
					comma = i
				}
			}
		}
		cut := cmp.Or(comma, space, width)
		lines = append(lines, strings.TrimRight(string(rest[:cut]), " "))
		rest = []rune(strings.TrimLeft(string(rest[cut:]), " "))
	}
	return append(lines, string(rest))
}

func diffSettings(a, b *preview) ([]change, error) {
	left, err := flatSettings(a)
	if err != nil {
		return nil, err
	}
	right, err := flatSettings(b)
	if err != nil {
		return nil, err
	}
	return compare(left, right), nil
}

func flatSettings(p *preview) (map[string]string, error) {
	settings, err := settingsOf(p.Config)
	if err != nil {
		return nil, fmt.Errorf("encode settings of %s: %w", p.Stack, err)
	}
	flat := map[string]string{}
	flatten(flat, "", settings)
	return flat, nil
}

// flatten gives each value below v a path; a list is one value unless it holds objects or lists.
func flatten(into map[string]string, path string, v any) {
	switch v := v.(type) {
	case nil:
		return
	case map[string]any:
		for key, value := range v {
			if path != "" {
				key = path + "." + key
			}
			flatten(into, key, value)
		}
		return
	case []any:
		if slices.ContainsFunc(v, isNested) {
			for i, value := range v {
				flatten(into, fmt.Sprintf("%s[%d]", path, i), value)
			}
			return
		}
	}
	into[path] = compact(v)
}

func isNested(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// compare lists the paths whose values differ; – stands for none.
func compare(a, b map[string]string) []change {
	paths := map[string]bool{}
	for _, flat := range []map[string]string{a, b} {
		for path := range flat {
			paths[path] = true
		}
	}
	var changes []change
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		left, inA := a[path]
		right, inB := b[path]
		if left == right && inA == inB {
			continue
		}
		changes = append(changes, change{what: path, a: shown(left, inA), b: shown(right, inB)})
	}
	return changes
}

func shown(value string, there bool) string {
	switch {
	case !there:
		return "–"
	case value == "":
		return `""`
	}
	return value
}

// clip ends a value that would fill the table.
func clip(value string) string {
	const room = 3 * narrowSide // three lines
	if utf8.RuneCountInString(value) <= room {
		return value
	}
	return string([]rune(value)[:room-1]) + "…"
}

func diffResources(a, b *preview) (onlyA, onlyB []string, changes []change) {
	left, right := neutral(a), neutral(b)
	where := map[change][]string{}
	for _, urn := range slices.Sorted(maps.Keys(left)) {
		l := left[urn]
		r, ok := right[urn]
		if !ok && l.Custom {
			onlyA = append(onlyA, short(l.Resource))
		}
		if !ok {
			continue
		}
		for _, c := range compare(l.flat, r.flat) {
			name := l.Name
			if c.what == options {
				name = short(l.Resource) // which share a line across types
			} else {
				c.of = typeName(l.Resource)
			}
			where[c] = append(where[c], name)
		}
	}
	for _, urn := range slices.Sorted(maps.Keys(right)) {
		if _, ok := left[urn]; !ok && right[urn].Custom {
			onlyB = append(onlyB, short(right[urn].Resource))
		}
	}
	for c, names := range where {
		c.where = strings.Join(names, ", ")
		changes = append(changes, c)
	}
	slices.SortFunc(changes, func(x, y change) int {
		return cmp.Or(cmp.Compare(x.of, y.of), cmp.Compare(x.what, y.what), cmp.Compare(x.where, y.where), cmp.Compare(x.a, y.a))
	})
	return onlyA, onlyB, changes
}

// options is the path of what Pulumi, not AWS, is told of a resource.
const options = "options"

// compared is a resource with its inputs by path, and with its options as if they were an input.
type compared struct {
	monitor.Resource
	flat map[string]string
}

// neutral are the resources of a stack without what they owe to its name and place, by neutral URN.
func neutral(p *preview) map[string]compared {
	base := p.Project + "-" + p.Stack
	pairs := append(madeUp(p),
		bootstrap.BoundaryName(p.Project, p.Stack), bootstrap.BoundaryName(p.Project, "STACK"),
		base, p.Project+"-STACK", strings.ReplaceAll(base, "-", "_"), p.Project+"_STACK",
		"urn:pulumi:"+p.Stack+"::", "urn:pulumi:STACK::", p.Account, "ACCOUNT", p.Config.Region, "REGION",
	)
	names := strings.NewReplacer(pairs...)
	named := map[string]bool{p.Stack: true, p.Config.Environment: true}
	resources := map[string]compared{}
	for _, r := range p.Resources {
		c := compared{Resource: r, flat: map[string]string{}}
		flatten(c.flat, "", rename(r.Inputs, names, named))
		if set := strings.TrimSpace(marks(r)); set != "" {
			c.flat[options] = set
		}
		resources[names.Replace(r.URN)] = c
	}
	return resources
}

// madeUp pairs the ids that AWS would choose (of keys, of secrets) with the resource they are of.
func madeUp(p *preview) []string {
	var pairs []string
	for _, r := range p.Resources {
		if r.ID != "" && !slices.ContainsFunc(slices.Collect(maps.Values(r.Inputs)), func(v any) bool { return v == any(r.ID) }) {
			pairs = append(pairs, r.ID, "ID of "+short(r))
		}
	}
	return pairs
}

// rename copies a value with the names of stack, environment, account and region taken out, also where they stand
// inside a document.
func rename(v any, names *strings.Replacer, named map[string]bool) any {
	switch v := v.(type) {
	case map[string]any:
		copied := make(map[string]any, len(v))
		for key, value := range v {
			copied[key] = rename(value, names, named)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, value := range v {
			copied[i] = rename(value, names, named)
		}
		return copied
	case string:
		if named[v] {
			return "STACK"
		}
		switch opened := open(v).(type) {
		case map[string]any:
			return compact(rename(opened, names, named))
		case statements:
			return names.Replace(strings.Join(opened, "; "))
		case sql:
			return names.Replace(string(opened))
		}
		return names.Replace(v)
	default:
		return v
	}
}
