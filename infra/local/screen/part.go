package screen

import "strings"

// Heading begins the screen of a subject: its name, what is done with it, a rule to the end of the line.
func (s Style) Heading(title, aside string) string {
	text, used := s.faint("──")+" "+s.bold(title)+" ", width(title)+4
	if aside != "" {
		text, used = text+s.faint("── "+aside)+" ", used+width(aside)+4
	}
	return text + s.faint(strings.Repeat("─", max(0, s.Width-used)))
}

// Field is a label and its text, wrapped beside it and painted; nil paints nothing.
func (s Style) Field(label, text string, paint func(string) string) string {
	var b strings.Builder
	for i, line := range wrap(text, s.Width-4-labelColumns) {
		if i > 0 {
			label = ""
			b.WriteByte('\n')
		}
		if paint != nil {
			line = paint(line)
		}
		b.WriteString("  " + s.faint(padRight(label, labelColumns)) + "  " + line)
	}
	return b.String()
}

// Hints are commands and what each does, under a title; "" when there are none.
func (s Style) Hints(title string, hints []Hint) string {
	if len(hints) == 0 {
		return ""
	}
	columns := 0
	for _, h := range hints {
		columns = max(columns, width(h.Command))
	}
	lines := []string{s.bold(title)}
	for _, h := range hints {
		if columns+4+30 > s.Width {
			lines = append(lines, "  "+h.Command)
			for _, line := range wrap(h.Does, s.Width-6) {
				lines = append(lines, "      "+s.faint(line))
			}
			continue
		}
		for i, line := range wrap(h.Does, s.Width-columns-4) {
			command := h.Command
			if i > 0 {
				command = ""
			}
			lines = append(lines, "  "+padRight(command, columns)+"  "+s.faint(line))
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// Wrap breaks text between words into lines of so many columns, and replaces what would move the cursor.
func Wrap(text string, columns int) []string { return wrap(text, columns) }

// Plain replaces what would move the cursor.
func Plain(text string) string { return plain(text) }

// Good is for what is as it should be.
func (s Style) Good(text string) string { return s.green(text) }

// Odd is for what somebody should look at.
func (s Style) Odd(text string) string { return s.yellow(text) }

// Bad is for what went wrong.
func (s Style) Bad(text string) string { return s.red(text) }

// Faint is for what is there to look up.
func (s Style) Faint(text string) string { return s.faint(text) }
