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
	file   string
	faults Faults
}

func (d *decoder) faultAt(line, column int, field, format string, args ...any) {
	d.faults = append(d.faults, Fault{
		File: d.file, Line: max(line, 1), Column: max(column, 1), Field: field, Message: fmt.Sprintf(format, args...),
	})
}

var (
	yamlErrorLine = regexp.MustCompile(`^yaml: line (\d+): `)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// document parses the YAML text. What it returns is the top of the only document.
func (d *decoder) document(data []byte) (node, bool) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var top, next yaml.Node
	err := decoder.Decode(&top)
	if errors.Is(err, io.EOF) {
		d.faultAt(1, 1, "", "the file is empty: a contract starts with apiVersion: v3.1.0")
		return node{}, false
	}
	if err == nil {
		if err = decoder.Decode(&next); errors.Is(err, io.EOF) {
			return node{d: d, yaml: top.Content[0]}, true
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
	value := n.yaml.Value
	if runes := []rune(value); len(runes) > 40 {
		value = string(runes[:40]) + "…"
	}
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
	if n.plain() {
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
	before := len(n.d.faults)
	text := n.text()
	if text == "" && len(n.d.faults) == before {
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
	if n.yaml.Kind != yaml.ScalarNode || n.scalar("!!null") {
		n.want("a text, a number, true or false")
		return "", false
	}
	return n.yaml.Value, true
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
			o.keyFault(key, "unknown key; %s", suggestion(key, allowed))
			delete(o.members, key)
		}
	}
	return o
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
	best, distance := "", max(1, len(text)/4)+1
	for _, choice := range choices {
		if len(text) > len(choice)+distance {
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
