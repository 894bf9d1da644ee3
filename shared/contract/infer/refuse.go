package infer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// columnar refuses answers of which most are arrays that hold one column each, or rows without names.
func columnar(root *value) error {
	var refuse func(v *value, pointer string, depth int) error
	refuse = func(v *value, pointer string, depth int) error {
		if geometry(v) {
			return nil
		}
		lengths := map[int][]string{}
		bytes := map[int]int{}
		for i := range v.members {
			m := &v.members[i]
			at := pointer + "/" + escape(m.name)
			if m.value.kind == isArray && len(m.value.items) > 1 {
				switch m.value.items[0].kind {
				case isArray:
					if 2*m.value.bytes >= root.bytes || among(m.name, usualNames) {
						return fmt.Errorf("%s is an array of arrays, rows without the names of their members: a contract names members, so ask the API for objects, or wrap it", at)
					}
				case isObject:
				default:
					n := len(m.value.items)
					lengths[n] = append(lengths[n], m.name)
					bytes[n] += m.value.bytes + len(m.name)
				}
			}
			if m.value.kind == isObject && depth < lowest {
				if err := refuse(&m.value, at, depth+1); err != nil {
					return err
				}
			}
		}
		for n, names := range lengths {
			if len(names) > 1 && 4*bytes[n] >= root.bytes && 2*bytes[n] >= v.bytes {
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
	return refuse(root, "", 1)
}

// columnarRecords refuses a few records that hold tables: what looks like records are answers in an array.
func columnarRecords(f found) error {
	const few = 10
	if len(f.records) > few {
		return nil
	}
	for i := range f.records {
		v := &f.records[i]
		if v.kind != isObject {
			continue
		}
		if rows := table(v); rows != "" {
			return fmt.Errorf("%s/%d/%s holds rows without the names of their members, which stand apart from them: a contract names members, so ask the API for objects, or wrap it", strings.TrimSuffix(f.pointer, "/*"), i, escape(rows))
		}
		if err := columnar(v); err != nil && 2*v.bytes > total(f.records) {
			return fmt.Errorf("in record %d of %s: %w", i, f.form, err)
		}
	}
	return nil
}

func total(values []value) int {
	n := 0
	for i := range values {
		n += values[i].bytes
	}
	return n
}

// table names the member of an object that holds rows whose names stand in another: as many texts as a row has values.
func table(v *value) string {
	for i := range v.members {
		rows := &v.members[i].value
		if rows.kind != isArray || len(rows.items) == 0 || rows.items[0].kind != isArray {
			continue
		}
		width := len(rows.items[0].items)
		for k := range v.members {
			names := &v.members[k].value
			if names.kind == isArray && width > 1 && len(names.items) == width && !slices.ContainsFunc(names.items, func(v value) bool { return v.kind != isText }) {
				return v.members[i].name
			}
		}
	}
	return ""
}

// nothing refuses objects that hold no record, but look as if others of their kind did, or say what went wrong.
func nothing(v *value) error {
	if len(v.members) == 0 {
		return errors.New("the sample is an empty object: ask for something that has records")
	}
	for _, m := range v.members {
		switch {
		case m.value.kind == isArray && len(m.value.items) == 0 && among(m.name, usualNames) && !entity(v):
			return fmt.Errorf("the sample is an answer without records, /%s is empty: ask for something that has some", escape(m.name))
		case among(m.name, []string{"error", "errors"}) && len(v.members) <= 4 && m.value.kind != isNull && m.value.text != "false" && (m.value.kind != isArray || len(m.value.items) > 0):
			return fmt.Errorf("the sample looks like what an API answers when it refuses, for it has the member %q: does it want a key, or another address?", m.name)
		}
	}
	return nil
}

// muchBeside is how many plain values make an object a record, whatever map lies in it.
const muchBeside = 20

// widestRecord is how many members one object has at most before its names are taken for data.
const widestRecord = 150

// names refuses an object of which most is names that are data: a map of values is neither one record nor many.
func names(root *value) error {
	var refuse func(v *value, pointer string, depth int) error
	refuse = func(v *value, pointer string, depth int) error {
		if len(v.members) > widestRecord && 2*v.bytes >= root.bytes && leaves(root)-leaves(v) <= muchBeside {
			where := "the document"
			if pointer != "" {
				where = pointer
			}
			return fmt.Errorf("%s is an object of %d members (%s, …) that are no records of one shape: its names are data, and a contract cannot make rows of names and values; ask the API for a list of objects, or wrap it", where, len(v.members), v.members[0].name)
		}
		for i := range v.members {
			if m := &v.members[i]; m.value.kind == isObject && depth < lowest {
				if err := refuse(&m.value, pointer+"/"+escape(m.name), depth+1); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return refuse(root, "", 1)
}
