package api

import (
	"strconv"
	"strings"
)

// node is a place in a record that is being put together from JSON Pointers.
type node struct {
	text     string // JSON, for a value
	names    []string
	children map[string]*node
}

// put sets the value at a pointer. A value that already stands around the place is kept: it brings the place itself.
func (n *node) put(path []string, text string) {
	if n.text != "" {
		return
	}
	if len(path) == 0 {
		n.text = text
		return
	}
	if n.children == nil {
		n.children = map[string]*node{}
	}
	child := n.children[path[0]]
	if child == nil {
		child = &node{}
		n.children[path[0]] = child
		n.names = append(n.names, path[0])
	}
	child.put(path[1:], text)
}

func (n *node) object() object {
	var o object
	for _, name := range n.names {
		o = append(o, member{name, n.children[name].json()})
	}
	return o
}

func (n *node) json() string {
	if n.text != "" {
		return n.text
	}
	if length := n.arrayLength(); length > 0 {
		items := make([]string, length)
		for i := range items {
			items[i] = "null"
			if child := n.children[strconv.Itoa(i)]; child != nil {
				items[i] = child.json()
			}
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	return n.object().String()
}

// arrayLength is the length of the array that the children's names, all of them numbers, point into; 0 for an object.
func (n *node) arrayLength() int {
	length := 0
	for _, name := range n.names {
		i, err := strconv.Atoi(name)
		if err != nil || i < 0 || i > 1000 {
			return 0
		}
		length = max(length, i+1)
	}
	return length
}
