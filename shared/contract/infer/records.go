package infer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// found is where the records of a sample are.
type found struct {
	records []value
	pointer string // as the contract writes it; "" is the root
	form    string // in words
	why     string
	sure    Sure
	around  value   // the envelope; null where there is none
	keys    []value // of the records, where they are the members of an object
}

// find finds the records of a sample.
func find(values []value) (found, error) {
	first := values[0]
	switch {
	case len(values) > 1:
		if objects(values) == 0 {
			return found{}, errors.New("the sample is a stream of JSON values of which none is an object: a record is an object with members")
		}
		return found{records: values, form: "lines of JSON", why: fmt.Sprintf("the sample is %d JSON values, one behind the other", len(values)), sure: Certain}, nil
	case first.kind == isArray:
		return array(first)
	case first.kind != isObject:
		return found{}, errors.New("the sample is a single value: a record is an object with members")
	}
	under, isKeyed := keyed(first)
	if f, ok := envelope(first); ok && (!isKeyed || !strings.HasPrefix(f.pointer, strings.TrimSuffix(under.pointer, "*"))) {
		return f, nil
	}
	if isKeyed {
		return under, nil
	}
	if err := columnar(first); err != nil {
		return found{}, err
	}
	if err := nothing(first); err != nil {
		return found{}, err
	}
	return found{records: []value{first}, form: "one object", why: "the sample is one object without an array of objects in it", sure: Likely}, nil
}

func array(v value) (found, error) {
	switch {
	case len(v.items) == 0:
		return found{}, errors.New("the sample is an empty array: ask for something that has records")
	case objects(v.items) == 0 && v.items[0].kind == isArray:
		return found{}, errors.New("the sample is an array of arrays, rows without the names of their members: a contract names members, so ask the API for objects (often format=json or named=true), or wrap it")
	case objects(v.items) == 0:
		return found{}, errors.New("the sample is an array of values that are no objects: a record is an object with members")
	}
	return found{records: v.items, form: "an array", why: fmt.Sprintf("the document is an array of %d values", len(v.items)), sure: Certain}, nil
}

func objects(values []value) int {
	n := 0
	for i := range values {
		if values[i].kind == isObject {
			n++
		}
	}
	return n
}

// place is an array of objects inside an envelope.
type place struct {
	pointer string
	items   []value
	depth   int
}

// envelope looks for the array of objects that is the reason for the answer: the longest, and of two of one length the one
// nearer to the top.
func envelope(v value) (found, bool) {
	var all []place
	var walk func(v *value, pointer string, depth int)
	walk = func(v *value, pointer string, depth int) {
		for i := range v.members {
			m := &v.members[i]
			at := pointer + "/" + escape(m.name)
			switch {
			case m.value.kind == isArray && objects(m.value.items) > 0:
				all = append(all, place{pointer: at, items: m.value.items, depth: depth})
			case m.value.kind == isObject && depth < 4:
				walk(&m.value, at, depth+1)
			}
		}
	}
	walk(&v, "", 1)
	if len(all) == 0 {
		return found{}, false
	}
	best := all[0]
	for _, p := range all[1:] {
		if len(p.items) > len(best.items) || len(p.items) == len(best.items) && p.depth < best.depth {
			best = p
		}
	}
	f := found{
		records: best.items, pointer: best.pointer, form: "an array in an envelope", sure: Certain, around: v,
		why: fmt.Sprintf("%s holds %s", best.pointer, plural(len(best.items), "object")),
	}
	if len(all) > 1 {
		var others []string
		for _, p := range all {
			if p.pointer != best.pointer {
				others = append(others, p.pointer)
			}
		}
		f.sure = Likely
		f.why += ", more than or above " + strings.Join(others, ", ")
	}
	return f, true
}

// columnar refuses answers whose arrays hold one column each.
func columnar(v value) error {
	var refuse func(v *value, pointer string, depth int) error
	refuse = func(v *value, pointer string, depth int) error {
		lengths := map[int][]string{}
		for i := range v.members {
			m := &v.members[i]
			if m.value.kind == isArray && len(m.value.items) > 1 {
				lengths[len(m.value.items)] = append(lengths[len(m.value.items)], m.name)
				if m.value.items[0].kind == isArray {
					return fmt.Errorf("%s is an array of arrays, rows without the names of their members: a contract names members, so ask the API for objects, or wrap it", pointer+"/"+escape(m.name))
				}
			}
			if m.value.kind == isObject && depth < 4 {
				if err := refuse(&m.value, pointer+"/"+escape(m.name), depth+1); err != nil {
					return err
				}
			}
		}
		for n, names := range lengths {
			if len(names) > 1 {
				slices.Sort(names)
				where := "the document"
				if pointer != "" {
					where = pointer
				}
				return fmt.Errorf("%s is columnar: its members %s are arrays of %d values each, one column in each; a record is an object, so ask the API for rows, or wrap it", where, strings.Join(names, ", "), n)
			}
		}
		return nil
	}
	return refuse(&v, "", 1)
}

// usualNames are how the member with the records is often called.
var usualNames = []string{"data", "items", "results", "result", "records", "rows", "values", "value", "entries", "list", "features", "content", "hits"}

// nothing refuses objects that hold no record, but look as if others of their kind did, or say what went wrong.
func nothing(v value) error {
	if len(v.members) == 0 {
		return errors.New("the sample is an empty object: ask for something that has records")
	}
	for _, m := range v.members {
		switch {
		case m.value.kind == isArray && len(m.value.items) == 0 && among(m.name, usualNames):
			return fmt.Errorf("the sample is an answer without records, /%s is empty: ask for something that has some", escape(m.name))
		case among(m.name, []string{"error", "errors"}) && len(v.members) <= 4 && m.value.kind != isNull && m.value.text != "false" && (m.value.kind != isArray || len(m.value.items) > 0):
			return fmt.Errorf("the sample looks like what an API answers when it refuses, for it has the member %q: does it want a key, or another address?", m.name)
		}
	}
	return nil
}

// keyed looks for the largest object whose members are records, each under its key.
func keyed(v value) (found, bool) {
	var best *value
	at := ""
	var walk func(v *value, pointer string, depth int)
	walk = func(v *value, pointer string, depth int) {
		if alike(v.members) {
			if best == nil || len(v.members) > len(best.members) {
				best, at = v, pointer
			}
			return // what lies within is part of its records
		}
		for i := range v.members {
			if m := &v.members[i]; m.value.kind == isObject && depth < 4 {
				walk(&m.value, pointer+"/"+escape(m.name), depth+1)
			}
		}
	}
	walk(&v, "", 1)
	if best == nil {
		return found{}, false
	}
	f := found{
		pointer: at + "/*", form: "an object keyed by id", sure: Likely, around: v,
		why: fmt.Sprintf("its %d members (%s, …) are objects of one shape; the name of each is kept in a column", len(best.members), best.members[0].name),
	}
	for _, m := range best.members {
		f.records, f.keys = append(f.records, m.value), append(f.keys, value{kind: isText, text: m.name})
	}
	return f, true
}

// alike reports whether members are records under keys: at least three objects that share most of their members' names.
func alike(members []member) bool {
	if len(members) < 3 {
		return false
	}
	names := map[string]int{}
	total := 0
	for i := range members {
		v := &members[i].value
		if v.kind != isObject || len(v.members) < 2 {
			return false
		}
		for _, m := range v.members {
			names[m.name]++
			total++
		}
	}
	shared := 0
	for _, n := range names {
		if 2*n >= len(members) {
			shared += n
		}
	}
	return 5*shared >= 4*total
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
