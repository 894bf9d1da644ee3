package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// pair is a stack at two revisions; nil where it is not there.
type pair struct {
	stack         string
	before, after *preview
}

const (
	// marker begins the text, for whoever looks for an earlier comment to replace.
	marker = "<!-- infrastructure -->"
	// longestComment is what GitHub takes as a comment, less some room for the heading.
	longestComment = 65536 - 512
)

// writeAgainst writes what changes in each stack as Markdown for a comment.
func writeAgainst(out io.Writer, base string, pairs []pair) error {
	head := fmt.Sprintf("%s\n### Infrastructure: what changes since `%s`\n", marker, base)
	var b strings.Builder
	if len(pairs) == 0 {
		b.WriteString("\nThere is nothing before.\n")
	}
	for _, p := range pairs {
		if err := p.write(&b); err != nil {
			return err
		}
	}
	text := b.String()
	if utf8.RuneCountInString(text) > longestComment {
		head += "\nIt does not fit into a comment; below is its beginning.\n"
		text = string([]rune(text)[:longestComment]) + "…\n"
	}
	if _, err := io.WriteString(out, head+text); err != nil {
		return fmt.Errorf("write what changes: %w", err)
	}
	return nil
}

func (p pair) write(b *strings.Builder) error {
	switch {
	case p.before == nil:
		fmt.Fprintf(b, "\n#### %s is new: %d resources\n", p.stack, len(p.after.Resources))
		return nil
	case p.after == nil:
		fmt.Fprintf(b, "\n#### %s is gone: it had %d resources\n", p.stack, len(p.before.Resources))
		return nil
	}
	settings, err := diffSettings(p.before, p.after)
	if err != nil {
		return err
	}
	gone, added, inputs := diffResources(p.before, p.after)
	outputs := diffOutputs(p.before, p.after)
	if len(settings)+len(gone)+len(added)+len(inputs)+len(outputs) == 0 {
		fmt.Fprintf(b, "\n#### %s: nothing\n", p.stack)
		return nil
	}
	fmt.Fprintf(b, "\n#### %s: %d resources, before %d\n\n", p.stack, len(p.after.Resources), len(p.before.Resources))
	if len(added) > 0 {
		fmt.Fprintf(b, "- new: %s\n", quoted(added, nil))
	}
	if len(gone) > 0 {
		fmt.Fprintf(b, "- gone: %s\n", quoted(gone, kept(p.before)))
	}
	var lines []string
	for _, part := range []struct {
		of      string
		changes []change
	}{{"setting", settings}, {"", inputs}, {"output", outputs}} {
		for _, c := range part.changes {
			lines = append(lines, hunk(part.of, c)...)
		}
	}
	if len(lines) > 0 {
		text := strings.Join(lines, "\n")
		fence := fenceOf(text)
		fmt.Fprintf(b, "\n%sdiff\n%s\n%s\n", fence, text, fence)
	}
	return nil
}

// hunk shows one change: what it is of, and the lines that differ.
func hunk(of string, c change) []string {
	title := strings.Fields(of + " " + c.of)
	lines := []string{"@@ " + strings.Join(append(title, c.what), " ") + " @@"}
	if c.where != "" {
		lines[0] += " " + c.where
	}
	before, after := partsOf(c.a), partsOf(c.b)
	lines = appendMissing(lines, "- ", before, after)
	lines = appendMissing(lines, "+ ", after, before)
	if len(lines) == 1 { // the same parts in another order
		lines = append(lines, "- "+strings.Join(before, " ⏎ "), "+ "+strings.Join(after, " ⏎ "))
	}
	return lines
}

// appendMissing appends the parts that are not among others.
func appendMissing(lines []string, mark string, parts, others []string) []string {
	there := make(map[string]bool, len(others))
	for _, part := range others {
		there[part] = true
	}
	for _, part := range parts {
		if !there[part] {
			lines = append(lines, mark+part)
		}
	}
	return lines
}

// partsOf are the lines of a text, or the statements of a policy.
func partsOf(value string) []string {
	var parts []string
	for line := range strings.Lines(value) {
		for part := range strings.SplitSeq(strings.TrimRight(line, "\n"), "; ") {
			parts = append(parts, cut(part))
		}
	}
	return parts
}

// diffOutputs compares what a stack tells others.
func diffOutputs(a, b *preview) []change {
	left, right := map[string]string{}, map[string]string{}
	flatten(left, "", a.Exports)
	flatten(right, "", b.Exports)
	return compare(left, right)
}

// kept are the marks of resources that Pulumi is to protect or to leave behind, by their short name.
func kept(p *preview) map[string]string {
	marked := map[string]string{}
	for _, r := range p.Resources {
		if r.Protect || r.RetainOnDelete {
			marked[short(r)] = strings.TrimSpace(marks(r))
		}
	}
	return marked
}

func quoted(names []string, marked map[string]string) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = "`" + name + "`"
		if mark := marked[name]; mark != "" {
			texts[i] += " **" + mark + "**"
		}
	}
	return strings.Join(texts, ", ")
}

// fenceOf is a fence that nothing in the text can end.
func fenceOf(text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence
}
