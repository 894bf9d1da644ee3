package readme

import (
	"fmt"
	"regexp"
	"strings"
)

// left is what stands in the README for anything that is left out, a word, words or lines.
const left = "…"

// shapes are what differs from one run to the next: its values, by what they look like. All else is compared.
var shapes = []struct {
	shape *regexp.Regexp
	with  string
}{
	{regexp.MustCompile(`(?m)^\s*… .*$`), ""}, // a stage that takes long says so on its way
	{regexp.MustCompile(`("\w+"): ("[^"]*"|-?[\d.]+(e[-+]?\d+)?|null|true|false)`), "$1: VALUE"},
	{regexp.MustCompile(`\bpage \d+, record \d+`), "page N, record N"},
	{regexp.MustCompile(`\b\d{8}T\d{6}Z\b`), "RUN"},
	{regexp.MustCompile(`(-?[\d.]+(e[-+]?\d+)?\s+){2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?`), "NUMBER NUMBER TIME"}, // row of the sample
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?`), "TIME"},
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\d\b`), "DAY"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "HOST"},
	{regexp.MustCompile(`\b(\d+ min )?\d+(\.\d+)? (ms|s)\b`), "DURATION"},
	{regexp.MustCompile(`\b\d+(\.\d+)? (B|KiB|MiB|GiB)(\s|$)`), "SIZE$3"},
	{regexp.MustCompile(`\b[0-9a-f]{12,64}\b`), "HASH"},
	{regexp.MustCompile(`\b(linux|darwin)/(amd64|arm64)\b`), "MACHINE"},
	{regexp.MustCompile(`─+`), "─"},
}

// Compare says from which line on a screen that the README shows is not what the command printed. Words must be the same in
// the same order, from the first to the last, but for what … leaves out and what differs by its shape. Where lines break
// does not count: long ones wrap.
func Compare(shown, printed string) error {
	lines := strings.Split(masked(shown, false), "\n")
	screen := strings.Join(strings.Fields(masked(printed, true)), " ") + " "
	if matches(lines, screen, "$") {
		return nil
	}
	for i := range lines {
		if !matches(lines[:i+1], screen, "") {
			return fmt.Errorf("compare with the screen that the README shows: not printed, or not there: %q", strings.TrimSpace(strings.Split(shown, "\n")[i]))
		}
	}
	return fmt.Errorf("compare with the screen that the README shows: there is more behind its last line, %q", strings.TrimSpace(lines[len(lines)-1]))
}

// masked puts the names of shapes in the place of values. Only what a command printed has lines of progress.
func masked(text string, progress bool) string {
	for i, s := range shapes {
		if i > 0 || progress {
			text = s.shape.ReplaceAllString(text, s.with)
		}
	}
	return text
}

// matches reports whether the words of lines are those at the beginning of a screen, up to an end.
func matches(lines []string, screen, end string) bool {
	var pattern strings.Builder
	for _, word := range strings.Fields(strings.Join(lines, "\n")) {
		if word == left {
			pattern.WriteString(`(?:\S+ )*?`)
			continue
		}
		pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(word), left, `\S*`) + " ")
	}
	return regexp.MustCompile("^" + pattern.String() + end).MatchString(screen)
}
