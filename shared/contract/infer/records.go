package infer

import (
	"cmp"
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
	around  []level // from the document down to what holds the records; none where they are not in an envelope
	keys    []value // of the records, where they are the members of an object
}

// level is an object on the way to the records.
type level struct {
	pointer string
	value   *value
}

// find finds the records of a sample.
func find(values []value) (found, error) {
	first := &values[0]
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
	all := places(first)
	if f, ok, err := choose(first, all); err != nil || ok {
		return f, err
	}
	for _, refuse := range []func(*value) error{columnar, nothing, names} {
		if err := refuse(first); err != nil {
			return found{}, err
		}
	}
	f := found{records: []value{*first}, form: "one object", why: "the sample is one object without an array of objects in it", sure: Likely}
	if len(all) > 0 {
		f.sure = Guess
		f.why = "the sample looks like one record, of which " + listed(all, "") + " is a part; if the parts are the records, write that place in records"
	}
	return f, nil
}

func array(v *value) (found, error) {
	n := objects(v.items)
	for i := range v.items { // what is around the records may stand beside them: [{"page": 1}, [{…}, {…}]]
		if inner := &v.items[i]; inner.kind == isArray && len(v.items) <= 4 && objects(inner.items) > 0 && n < len(v.items) {
			f := found{records: inner.items, pointer: fmt.Sprintf("/%d", i), form: "an array in an array", sure: Likely, around: []level{{"", v}}}
			f.why = fmt.Sprintf("value %d of the document, counted from 0, is an array of %s", i, plural(len(inner.items), "object"))
			return f, nil
		}
	}
	switch {
	case len(v.items) == 0:
		return found{}, errors.New("the sample is an empty array: ask for something that has records")
	case n == 0 && v.items[0].kind == isArray:
		return found{}, errors.New("the sample is an array of arrays, rows without the names of their members: a contract names members, so ask the API for objects (often format=json or named=true), or wrap it")
	case n == 0:
		return found{}, errors.New("the sample is an array of values that are no objects: a record is an object with members")
	}
	f := found{records: v.items, form: "an array", why: fmt.Sprintf("the document is an array of %s", plural(len(v.items), "value")), sure: Certain}
	if at, n := inside(v); n > 0 {
		f.sure = Guess
		f.why += fmt.Sprintf("; most of it is at %s, %s: if those are the records, write that place in records", at, plural(n, "object"))
	}
	return f, columnarRecords(f)
}

// inside finds the array that makes up most of an array of few values, which may be answers themselves.
func inside(v *value) (pointer string, n int) {
	const few = 3
	if len(v.items) > few {
		return "", 0
	}
	for i := range v.items {
		if v.items[i].kind != isObject {
			continue
		}
		for _, p := range places(&v.items[i]) {
			if 2*p.bytes > v.bytes && !p.lists && len(p.items) > len(v.items) {
				pointer, n = fmt.Sprintf("/%d%s", i, p.where()), len(p.items)
			}
		}
	}
	return pointer, n
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

// choose takes the place that is the reason for the answer, if one is: it is called as records usually are, or makes up most
// of the answer and does not hang on an entity of its own.
func choose(root *value, all []place) (found, bool, error) {
	if len(all) == 0 {
		return found{}, false, nil
	}
	best := largestOf(all)
	called := slices.DeleteFunc(slices.Clone(all), func(p place) bool { return !among(p.name, usualNames) || 5*p.bytes < root.bytes })
	if len(called) > 0 { // what is beside them, as included in JSON:API, may be larger
		best = largestOf(called)
	}
	share := func(bytes int) float64 { return float64(bytes) / float64(max(root.bytes, 1)) }
	together := 0
	for _, p := range all {
		together += p.bytes
	}
	usual := among(best.name, usualNames) || best.wrapped()
	part := false // of a record, by the looks of what holds it
	if above := best.above(); above != nil {
		part = entity(above)
	}
	switch {
	case share(best.bytes) < 0.2 && entity(root), share(best.bytes) < 0.5 && share(together) < 0.8 && !usual, share(best.bytes) < 0.8 && !usual && part:
		return found{}, false, nil
	case best.lists:
		if rest := leaves(root) - leaves(best.value); rest > muchBeside {
			return found{}, false, nil
		}
		return found{}, false, fmt.Errorf("%s holds lists of records below names that are data (%s), and a contract names one place for the records: ask the API for one of the names at a time or for a flat list, or write a contract that names one of the lists", best.where(), namesOf(best.value))
	}
	f := found{records: best.items, pointer: best.pointer, form: "an array in an envelope", sure: Certain, around: best.around}
	f.why = fmt.Sprintf("%s holds %s", best.pointer, plural(len(best.items), "object"))
	if best.keyed {
		f.pointer, f.form, f.sure = best.pointer+"/*", "an object keyed by id", Likely
		f.why = fmt.Sprintf("its %s (%s, …) are objects of one shape; the name of each is kept in a column", plural(len(best.value.members), "member"), best.value.members[0].name)
		for i := range best.value.members {
			f.keys = append(f.keys, value{kind: isText, text: best.value.members[i].name})
		}
	}
	if len(all) > 1 {
		f.sure = Likely
	}
	if len(all) > 1 && share(best.bytes) < 0.6 || part && !usual {
		f.sure = Guess
	}
	if len(all) > 1 {
		f.why += ", rather than " + listed(all, best.pointer)
	}
	return f, true, columnarRecords(f)
}

// largestOf is the largest of places, and of two of one size the one nearer to the top.
func largestOf(all []place) place {
	return slices.MaxFunc(all, func(a, b place) int { return cmp.Or(a.bytes-b.bytes, len(b.around)-len(a.around)) })
}

// namesOf are the first names of an object's members.
func namesOf(v *value) string {
	if len(v.members) == 1 {
		return v.members[0].name
	}
	return fmt.Sprintf("%s and %d more", v.members[0].name, len(v.members)-1)
}

// listed names places, but for one.
func listed(all []place, but string) string {
	const few = 4
	var names []string
	for _, p := range all {
		if p.pointer != but || but == "" {
			names = append(names, p.where())
		}
	}
	if more := len(names) - few; more > 0 {
		names = append(names[:few], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
