package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"tributary/infra/local/glue"
	"tributary/infra/local/monitor"
)

const (
	widest  = 110 // characters of a value on one line
	longest = 6   // items of a list that does not fit on a line
)

// lines writes a value for people: on the one line of its label where it fits, else with one line for each of its
// members. Documents inside a text are taken apart: policies statement by statement, views down to their SQL. What is
// still too long is cut, and says how much is missing.
func lines(label string, v any) []string {
	if text, ok := v.(string); ok {
		v = open(text)
	}
	if short := compact(v); fits(v, short) {
		return []string{label + ": " + short}
	}
	var below []string
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			below = append(below, lines(key, v[key])...)
		}
	case []any:
		for i, item := range v {
			if i == longest {
				below = append(below, fmt.Sprintf("… %d more", len(v)-i))
				break
			}
			below = append(below, lines(fmt.Sprintf("[%d]", i), item)...)
		}
	case statements:
		below = v
	case sql:
		below = strings.Split(string(v), "\n")
	case string:
		if !strings.Contains(v, "\n") {
			return []string{label + ": " + cut(v)}
		}
		below = strings.Split(v, "\n")
	default:
		return []string{label + ": " + cut(compact(v))}
	}
	for i := range below {
		below[i] = "  " + cut(below[i])
	}
	return append([]string{label + ":"}, below...)
}

// statements are those of an IAM document, one a line; sql is a query.
type (
	statements []string
	sql        string
)

// fits says whether a value may stand on one line as it is.
func fits(v any, short string) bool {
	switch v.(type) {
	case statements, sql:
		return false
	case map[string]any, []any:
		return utf8.RuneCountInString(short) <= widest
	default:
		return utf8.RuneCountInString(short) <= widest && !strings.Contains(short, "\n")
	}
}

// open is what a text holds, where it is a document.
func open(text string) any {
	if view, err := glue.ParseView(text); err == nil {
		return sql(view.SQL)
	}
	if strings.HasPrefix(text, "SELECT ") {
		return sql(text)
	}
	if !strings.HasPrefix(text, "{") {
		return text
	}
	var value map[string]any
	if json.Unmarshal([]byte(text), &value) != nil {
		return text
	}
	list, ok := value["Statement"].([]any)
	if !ok {
		return value
	}
	var s statements
	for _, statement := range list {
		s = append(s, sentence(statement))
	}
	return s
}

// sentence reads a statement of an IAM document: Sid: Effect actions on resources, by whom, on which condition.
func sentence(statement any) string {
	s, ok := statement.(map[string]any)
	if !ok {
		return compact(statement)
	}
	text := fmt.Sprintf("%v: %v %s", s["Sid"], s["Effect"], words(s["Action"]))
	if on := words(s["Resource"]); on != "" {
		text += " on " + on
	}
	switch by := s["Principal"].(type) {
	case nil:
	case map[string]any:
		for _, kind := range slices.Sorted(maps.Keys(by)) {
			text += " by " + words(by[kind])
		}
	default:
		text += " by " + words(by)
	}
	conditions, _ := s["Condition"].(map[string]any)
	for _, operator := range slices.Sorted(maps.Keys(conditions)) {
		keys, _ := conditions[operator].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			text += fmt.Sprintf(" if %s %s %s", key, operator, words(keys[key]))
		}
	}
	return text
}

func words(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []any:
		texts := make([]string, len(v))
		for i := range v {
			texts[i] = fmt.Sprint(v[i])
		}
		return strings.Join(texts, ", ")
	default:
		return fmt.Sprint(v)
	}
}

// compact is a value on one line: texts as they are, everything else as JSON.
func compact(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case monitor.Archive:
		return v.Path
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// cut ends a line that nobody would read to its end.
func cut(line string) string {
	const tooLong = 4 * widest
	n := utf8.RuneCountInString(line)
	if n <= tooLong {
		return line
	}
	return string([]rune(line)[:tooLong]) + fmt.Sprintf("… (%d characters)", n)
}
