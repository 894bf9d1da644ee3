package contract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	mappingNode  = yaml.MappingNode
	sequenceNode = yaml.SequenceNode

	singleQuoted = yaml.SingleQuotedStyle
	doubleQuoted = yaml.DoubleQuotedStyle
	literalBlock = yaml.LiteralStyle
)

// decoder reads one file and collects what is wrong with it.
type decoder struct {
	file       string
	faults     Faults
	classified map[string]node // classifications that are written, by the path of their column
}

func (d *decoder) faultAt(line, column int, field, format string, args ...any) {
	d.faults = append(d.faults, Fault{
		File: d.file, Line: max(line, 1), Column: max(column, 1),
		Field: shorten(field, longestField), Message: shorten(fmt.Sprintf(format, args...), longestMessage),
	})
}

// A text of a megabyte may stand where a name belongs; the fault must still be readable.
const (
	longestField   = 300
	longestMessage = 1500
)

func shorten(text string, longest int) string {
	if runes := []rune(text); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return text
}

var (
	yamlErrorLine = regexp.MustCompile(`^yaml: line (\d+): `)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// maxFile bounds what a contract may cost to read; 500 columns with a page of text each fit.
const maxFile = 1 << 20

// document parses the YAML text. What it returns is the top of the only document.
func (d *decoder) document(data []byte) (node, bool) {
	if len(data) > maxFile {
		d.faultAt(1, 1, "", "the file has %d bytes; want at most %d", len(data), maxFile)
		return node{}, false
	}
	if line, column, what := unreadable(data); what != "" {
		d.faultAt(line, column, "", "not YAML: %s", what)
		return node{}, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var top, next yaml.Node
	err := decoder.Decode(&top)
	if errors.Is(err, io.EOF) {
		d.faultAt(1, 1, "", "the file is empty: a contract starts with apiVersion: v3.1.0")
		return node{}, false
	}
	if err == nil {
		if err = decoder.Decode(&next); errors.Is(err, io.EOF) {
			document := node{d: d, yaml: top.Content[0]}
			document.portable()
			return document, true
		}
		if err == nil {
			d.faultAt(next.Line, next.Column, "", "a second YAML document: write one contract a file")
			return node{}, false
		}
	}
	line, message := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlErrorLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1]) // digits
		message = strings.TrimPrefix(err.Error(), m[0])
		if strings.HasPrefix(message, "did not find expected") {
			line++ // the parser, unlike the scanner before it, counts lines from 0
		}
	} else if m := unknownAnchor.FindStringSubmatch(message); m != nil {
		before, _, _ := strings.Cut(string(data), "*"+m[1])
		line = strings.Count(before, "\n") + 1
	}
	d.faultAt(line, 1, "", "not YAML: %s", message)
	return node{}, false
}

// unreadable finds the first byte that is no text, of which the parser does not say where it stands.
func unreadable(data []byte) (line, column int, what string) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return 1, 1, "the file is UTF-16: save it as UTF-8"
	}
	if bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		return 1, 1, "the file is packed with gzip: unpack it"
	}
	line, column = 1, 1
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		switch {
		case r == utf8.RuneError && size == 1:
			return line, column, fmt.Sprintf("the byte %#x is no UTF-8: save the file as UTF-8", data[at])
		case r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f:
			return line, column, fmt.Sprintf("control character %U: remove it", r)
		case r == '\n' || r == '\r' && !bytes.HasPrefix(data[at+1:], []byte("\n")):
			line, column = line+1, 0
		}
		column++
		at += size
	}
	return 0, 0, ""
}

// portable refuses, wherever it stands, what other readers of YAML take for something else or cannot read at all.
func (n node) portable() {
	y := n.yaml
	switch {
	case y.Kind == yaml.AliasNode:
		n.plain()
		return
	case y.Style&yaml.TaggedStyle != 0:
		n.fault("has the tag %s; YAML tags are not supported: write the plain value", shorten(y.Tag, 40))
		return
	}
	switch y.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(y.Content); i += 2 {
			key := node{d: n.d, yaml: y.Content[i], path: n.path}
			if key.yaml.Kind != yaml.ScalarNode || key.scalar("!!merge") {
				continue // mapping reports it
			}
			key.path = join(n.path, key.yaml.Value)
			switch {
			case key.yaml.Style&yaml.TaggedStyle != 0:
				key.portable()
			case !key.scalar("!!str"):
				key.fault("the key is %s; want a text: put it in quotes", key.describe())
			case key.yaml.Style == 0 && otherText.MatchString(key.yaml.Value):
				key.fault("the key is %q without quotes, which older YAML readers take for something else than text: put it in quotes", key.yaml.Value)
			}
			node{d: n.d, yaml: y.Content[i+1], path: key.path}.portable()
		}
	case yaml.SequenceNode:
		ids := map[string]int{}
		for i, item := range y.Content {
			at := node{d: n.d, yaml: item, path: fmt.Sprintf("%s[%d]", n.path, i)}
			at.portable()
			if !strings.HasSuffix(n.path, "quality") { // the ids of rules are unique in the whole contract: ruleID
				at.identified(ids)
			}
		}
	default:
	}
}

// identified refuses two entries of a list with one id: the standard has ids unique in their list.
func (n node) identified(ids map[string]int) {
	if n.yaml.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.yaml.Content); i += 2 {
		key, value := n.yaml.Content[i], n.yaml.Content[i+1]
		if key.Value != "id" || value.Kind != yaml.ScalarNode || value.Value == "" {
			continue
		}
		if line := ids[value.Value]; line > 0 {
			node{d: n.d, yaml: value, path: join(n.path, "id")}.fault("the id %s stands twice in this list, first in line %d: give it an id of its own", shorten(value.Value, 40), line)
		} else {
			ids[value.Value] = value.Line
		}
	}
}

// node is a value of the document and its path.
type node struct {
	d    *decoder
	yaml *yaml.Node
	path string
}

func (n node) fault(format string, args ...any) {
	n.d.faultAt(n.yaml.Line, n.yaml.Column, n.path, format, args...)
}

// describe names the value for messages.
func (n node) describe() string {
	switch n.yaml.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	default:
	}
	value := shorten(n.yaml.Value, 40)
	switch n.yaml.ShortTag() {
	case "!!null":
		return "empty"
	case "!!str":
		return fmt.Sprintf("the text %q", value)
	case "!!int", "!!float":
		return "the number " + value
	case "!!bool":
		return "the truth value " + value
	case "!!timestamp":
		return "the unquoted date " + value
	default:
		return fmt.Sprintf("%s %q", n.yaml.ShortTag(), value)
	}
}

// plain refuses aliases: every value stands where it counts, so that tools without YAML anchors read the same.
func (n node) plain() bool {
	if n.yaml.Kind == yaml.AliasNode {
		n.fault("YAML aliases are not supported: write the value out")
		return false
	}
	return true
}

func (n node) want(what string) {
	if n.plain() && n.yaml.Style&yaml.TaggedStyle == 0 { // portable reports tags
		n.fault("is %s; want %s", n.describe(), what)
	}
}

func (n node) scalar(tag string) bool {
	return n.yaml.Kind == yaml.ScalarNode && n.yaml.ShortTag() == tag
}

// text reads a string; "" after a fault.
func (n node) text() string {
	if !n.scalar("!!str") {
		if n.yaml.Kind == yaml.ScalarNode && !n.scalar("!!null") {
			n.want("a text: put it in quotes")
		} else {
			n.want("a text")
		}
		return ""
	}
	if n.yaml.Style == 0 && otherText.MatchString(n.yaml.Value) {
		n.fault("is %q without quotes, which older YAML readers take for something else than text: put it in quotes", n.yaml.Value)
	}
	return n.yaml.Value
}

// otherText is what YAML 1.1, which most tools for contracts speak, reads as a truth value or as a number to base 60.
var otherText = regexp.MustCompile(`^(yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$|^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`)

// nonEmpty reads a string that has to say something.
func (n node) nonEmpty() (string, bool) {
	text := n.text()
	if text == "" && n.scalar("!!str") {
		n.fault("is empty: give a value or leave the key out")
	}
	return text, text != ""
}

// matching reads a string of the given form.
func (n node) matching(form *regexp.Regexp, what string) (string, bool) {
	text, ok := n.nonEmpty()
	if ok && !form.MatchString(text) {
		n.fault("is %s; want %s", n.describe(), what)
		return "", false
	}
	return text, ok
}

// oneOf reads a string out of a list.
func (n node) oneOf(choices ...string) (string, bool) {
	text, ok := n.nonEmpty()
	if ok && !slices.Contains(choices, text) {
		n.fault("is %s; want %s", n.describe(), alternatives(choices))
		return "", false
	}
	return text, ok
}

func (n node) boolean() bool {
	if !n.scalar("!!bool") {
		n.want("true or false")
		return false
	}
	return n.yaml.Value == "true" || n.yaml.Value == "True" || n.yaml.Value == "TRUE"
}

var integerText = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,17})$`)

// integer reads a whole number within the bounds.
func (n node) integer(low, high int64) (int64, bool) {
	what := fmt.Sprintf("a whole number from %d to %d", low, high)
	if !n.scalar("!!int") || !integerText.MatchString(n.yaml.Value) {
		n.want(what)
		return 0, false
	}
	value, _ := strconv.ParseInt(n.yaml.Value, 10, 64) // 18 digits fit
	if value < low || value > high {
		n.fault("is %d; want %s", value, what)
		return 0, false
	}
	return value, true
}

// The exponent is bounded because an exact number of 1e999999999 would fill the memory.
var numberText = regexp.MustCompile(`^[-+]?((0|[1-9][0-9]{0,399})(\.[0-9]{0,400})?|\.[0-9]{1,400})([eE][-+]?[0-9]{1,3})?$`)

// bareExponent is a number that YAML 1.1 does not know as one: it wants a point and a signed exponent.
var bareExponent = regexp.MustCompile(`^[^.]*[eE]|[eE][0-9]`)

// number reads a number exactly as it is written.
func (n node) number() (*big.Rat, bool) {
	if !n.scalar("!!int") && !n.scalar("!!float") || !numberText.MatchString(n.yaml.Value) {
		n.want("a number in decimal notation")
		return nil, false
	}
	if bareExponent.MatchString(n.yaml.Value) {
		n.fault("is %s, which older YAML readers take for a text: write the exponent as in 1.0e+30", n.yaml.Value)
		return nil, false
	}
	value, ok := new(big.Rat).SetString(n.yaml.Value)
	if !ok {
		n.want("a number in decimal notation")
	}
	return value, ok
}

// scalarText reads any text, number or truth value as the text that is written.
func (n node) scalarText() (string, bool) {
	switch {
	case n.scalar("!!str"):
		return n.text(), true
	case n.scalar("!!bool"), n.scalar("!!int"):
		return n.yaml.Value, true
	case n.scalar("!!float") && numberText.MatchString(n.yaml.Value):
		return n.yaml.Value, true
	case n.scalar("!!timestamp"):
		n.want("a text: put it in quotes")
	default:
		n.want("a text, a number, true or false")
	}
	return "", false
}

// list reads a sequence; nil after a fault.
func (n node) list() []node {
	if n.yaml.Kind != yaml.SequenceNode {
		n.want("a list")
		return nil
	}
	items := make([]node, len(n.yaml.Content))
	for i, item := range n.yaml.Content {
		items[i] = node{d: n.d, yaml: item, path: fmt.Sprintf("%s[%d]", n.path, i)}
	}
	return items
}

// texts reads a list of strings that are not empty.
func (n node) texts() []string {
	var texts []string
	for _, item := range n.list() {
		if text, ok := item.nonEmpty(); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// object is a mapping whose keys are known.
type object struct {
	node
	members map[string]node
	keys    map[string]*yaml.Node
}

// object reads a mapping that may have the given keys and no others. A fault leaves it empty, not nil.
func (n node) object(allowed ...string) object {
	o := n.mapping()
	for _, key := range sortedKeys(o.members) {
		if !slices.Contains(allowed, key) {
			hint, known := elsewhere[key]
			if !known {
				hint = suggestion(key, allowed)
			}
			o.keyFault(key, "unknown key; %s", hint)
			delete(o.members, key)
		}
	}
	return o
}

// elsewhere says how to write what people know from other standards and from later versions of this one.
var elsewhere = map[string]string{
	"enum": "list the values that are allowed in the column's quality: " +
		"[{metric: invalidValues, mustBe: 0, arguments: {validValues: [a, b]}}]",
	"nullable":     "a column may be null unless it has required: true",
	"default":      "there are no default values, because they hide what is missing: a missing value is null",
	"deprecated":   "it came with version 3.2.0 of the standard, and this is 3.1.0: say it in the description",
	"map":          "it came with version 3.2.0 of the standard, and this is 3.1.0: use logicalType object with physicalType string",
	"semanticType": "it came with version 3.2.0 of the standard, and this is 3.1.0: remove it",
	"synonyms":     "it came with version 3.2.0 of the standard, and this is 3.1.0: remove it",
}

// mapping reads a mapping with any keys.
func (n node) mapping() object {
	o := object{node: n, members: map[string]node{}, keys: map[string]*yaml.Node{}}
	if n.yaml.Kind != yaml.MappingNode {
		n.want("a mapping")
		return o
	}
	for i := 0; i+1 < len(n.yaml.Content); i += 2 {
		key, value := n.yaml.Content[i], n.yaml.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			node{d: n.d, yaml: key, path: n.path}.fault("the key is no text")
			continue
		}
		member := node{d: n.d, yaml: value, path: join(n.path, key.Value)}
		if key.ShortTag() == "!!merge" {
			node{d: n.d, yaml: key, path: member.path}.fault("YAML merge keys are not supported: write the members out")
			continue
		}
		if first, twice := o.keys[key.Value]; twice {
			node{d: n.d, yaml: key, path: member.path}.fault("the key stands twice, first in line %d", first.Line)
			continue
		}
		o.members[key.Value], o.keys[key.Value] = member, key
	}
	return o
}

// keyFault is a fault at the key, not at its value.
func (o object) keyFault(key, format string, args ...any) {
	node{d: o.d, yaml: o.keys[key], path: join(o.path, key)}.fault(format, args...)
}

func (o object) get(key string) (node, bool) {
	n, ok := o.members[key]
	return n, ok
}

func (o object) has(key string) bool {
	_, ok := o.members[key]
	return ok
}

// need is get for a member that must be there; hint says what to write.
func (o object) need(key, hint string) (node, bool) {
	n, ok := o.members[key]
	if !ok && o.yaml.Kind == yaml.MappingNode {
		o.fault("%s is missing: %s", key, hint)
	}
	return n, ok
}

// refuse reports a member that the standard knows and this contract must not have.
func (o object) refuse(key, format string, args ...any) {
	if o.has(key) {
		o.keyFault(key, format, args...)
		delete(o.members, key)
	}
}

// prose checks members that are text for people.
func (o object) prose(keys ...string) {
	for _, key := range keys {
		if n, ok := o.get(key); ok {
			n.text()
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// alternatives lists choices for a sentence: a, b or c.
func alternatives(choices []string) string {
	if len(choices) == 1 {
		return choices[0]
	}
	last := len(choices) - 1
	return strings.Join(choices[:last], ", ") + " or " + choices[last]
}

// suggestion names the choice that looks most like the text, or all of them.
func suggestion(text string, choices []string) string {
	const longestName = 128 // nobody mistypes more
	best, distance := "", max(1, len(text)/4)+1
	for _, choice := range choices {
		if len(text) > len(choice)+distance || len(text) > longestName || len(choice) > longestName+distance {
			continue
		}
		if d := editDistance(strings.ToLower(text), strings.ToLower(choice)); d < min(distance, len(text)) {
			best, distance = choice, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	if len(choices) == 0 {
		return "none is known here"
	}
	return "known here: " + strings.Join(choices, ", ")
}

// editDistance counts the letters to insert, delete or replace.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := corner
			if a[i] != b[j] {
				cost = min(corner, row[j], row[j+1]) + 1
			}
			corner, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
