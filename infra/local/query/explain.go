package query

import (
	"errors"
	"regexp"
	"strings"
)

var (
	unknownTable  = regexp.MustCompile(`Table with name "?([^"!]+?)"? does not exist`)
	unknownColumn = regexp.MustCompile(`Referenced column "|does not have a column named|Referenced table "|not found in FROM clause`)
	suggestion    = regexp.MustCompile(`(?m)^Did you mean "(.*)"\?\n?`)
	badData       = regexp.MustCompile(`HIVE_BAD_DATA: `)
	identifier    = regexp.MustCompile(`\w+`)
)

// explain makes a message of DuckDB one for people: with the names there are, where one is unknown.
func (l *lake) explain(message, statement string) error {
	if at := badData.FindStringIndex(message); at != nil {
		return errors.New(message[at[0]:])
	}
	message = suggestion.ReplaceAllStringFunc(message, func(line string) string {
		if l.find(lastPart(suggestion.FindStringSubmatch(line)[1])) == nil {
			return "" // of DuckDB's own tables
		}
		return line
	})
	message = strings.TrimRight(message, "\n")
	switch name := unknownTable.FindStringSubmatch(message); {
	case name != nil:
		if t := l.find(lastPart(name[1])); t != nil && t.fault != nil {
			return errors.New(message + "\n\nGlue has " + t.Name + ", but it cannot be asked here: " + t.fault.Error())
		}
		return errors.New(message + "\n\nThere is " + strings.Join(l.names(), ", "))
	case unknownColumn.MatchString(message):
		seen := map[string]bool{}
		for _, word := range identifier.FindAllString(statement, -1) {
			if t := l.find(word); t != nil && !seen[t.Name] {
				seen[t.Name] = true
				var names []string
				for _, c := range t.Columns() {
					names = append(names, c.Name)
				}
				message += "\n\n" + t.Name + " has " + strings.Join(names, ", ")
			}
		}
	}
	return errors.New(message)
}

func lastPart(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }
