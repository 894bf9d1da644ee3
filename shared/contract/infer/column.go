package infer

import (
	"fmt"
	"slices"
	"strings"
)

// Sure is how sure a guess is.
type Sure string

// How sure a guess is: Certain holds for every sample and could hardly be otherwise; Likely holds for every sample; a Guess
// wants a look.
const (
	Certain Sure = "certain"
	Likely  Sure = "likely"
	Guess   Sure = "guess"
)

// shape is what a column's values have in common.
type shape struct {
	logical  string // logicalType
	physical string // physicalType
	options  []string
	custom   string // customProperties of the column, as YAML
	private  bool   // to be masked in alerts, logs and reports
	fields   []field
	items    *shape
	why      string
	sure     Sure
	hints    []string // constraints that the samples suggest, with their evidence
	bounds   string   // the least and the greatest of numbers, as a constraint with its evidence
	known    []string // the texts of which all values are one, where they are few
	of       int      // values that were seen
}

// field is a member of an object with its shape.
type field struct {
	member  string
	column  string
	derived string // the expression of a column that is no member
	pointer string // JSON Pointer where it is not the member itself
	shape   shape
	seen    []value // one for each record that has the member
	records int
	nulls   int // records without a value
}

func (f *field) required() bool { return f.nulls == 0 }

// fields gathers the members of objects that lie the given number of objects and arrays below a column, in the order in
// which they first come.
func fields(objects []value, depth int) []field {
	var all []field
	at := map[string]int{}
	for i := range objects {
		for _, m := range objects[i].members {
			k, known := at[m.name]
			if !known {
				k = len(all)
				at[m.name] = k
				all = append(all, field{member: m.name})
			}
			all[k].seen = append(all[k].seen, m.value)
		}
	}
	for i := range all {
		f := &all[i]
		f.records = len(objects)
		f.nulls = len(objects)
		for _, v := range f.seen {
			if v.kind != isNull {
				f.nulls--
			}
		}
		f.shape = infer(f.member, f.seen, depth)
		f.shape.conceal(f.member, f.seen)
		if few := len(objects) < enoughRecords && f.shape.logical == "integer" || len(f.seen) < fewSeen; few && f.shape.sure == Certain {
			f.shape.sure = Likely
		}
	}
	name(all)
	return all
}

// infer finds the shape of a member's values, which lie the given number of objects and arrays below a column.
func infer(member string, values []value, depth int) shape {
	kinds := map[kind]int{}
	var known []value
	for _, v := range values {
		if v.kind != isNull {
			kinds[v.kind]++
			known = append(known, v)
		}
	}
	switch {
	case len(known) == 0:
		return shape{logical: "object", physical: "string", why: "only null was seen; kept as JSON text, which takes whatever comes", sure: Guess}
	case len(kinds) == 1:
		switch known[0].kind {
		case isBool:
			return shape{logical: "boolean", physical: "boolean", why: all(known, "true or false"), sure: Certain}
		case isNumber:
			return numbers(member, known)
		case isText:
			return texts(member, known)
		case isArray:
			return lists(member, known, depth)
		default:
			return structs(known, depth)
		}
	case len(kinds) == 2 && kinds[isNumber] > 0 && kinds[isText] > 0 && allNumeric(known):
		s := numbers(member, known)
		s.why = fmt.Sprintf("%s and %s that are numbers", plural(kinds[isNumber], "number"), plural(kinds[isText], "text"))
		return s
	}
	var names []string
	for k, name := range map[kind]string{isBool: "boolean", isNumber: "number", isText: "text", isArray: "array", isObject: "object"} {
		if kinds[k] > 0 {
			names = append(names, plural(kinds[k], name))
		}
	}
	slices.Sort(names)
	return shape{logical: "object", physical: "string", why: "of several kinds: " + strings.Join(names, ", ") + "; kept as JSON text, in which texts have their quotes", sure: Likely}
}

func all(values []value, what string) string {
	if len(values) == 1 {
		return "one value, " + what
	}
	return fmt.Sprintf("all %d %s", len(values), what)
}

// hinting says whether a member's name speaks of one of the words.
func hinting(member string, words ...string) bool {
	parts := strings.Split(snake(member), "_")
	for _, w := range words {
		if slices.Contains(parts, w) {
			return true
		}
	}
	return false
}

func lists(member string, values []value, depth int) shape {
	var items []value
	longest := 0
	for _, v := range values {
		items = append(items, v.items...)
		longest = max(longest, len(v.items))
	}
	text := shape{logical: "array", physical: "string", sure: Likely}
	switch {
	case len(items) == 0:
		text.why = "only empty arrays were seen; kept as JSON text"
		return text
	case depth >= deepestType:
		text.why = tooDeep
		return text
	}
	item := infer(member, items, depth+1)
	if item.logical == "object" && item.physical == "string" || item.logical == "array" && item.physical == "string" {
		text.why = "arrays of values that have no common type; kept as JSON text"
		return text
	}
	item.hints, item.bounds, item.known = nil, "", nil
	return shape{
		logical: "array", physical: "array<" + item.glue() + ">", items: &item, sure: Likely, why: "arrays of " + item.glue(),
		hints: []string{fmt.Sprintf("maxItems: %d (the longest of %s)", longest, plural(len(values), "record"))},
	}
}

const (
	widest  = 60 // members of a struct that was seen a few times, or never whole
	mapLike = 3  // times as many names as a usual object has: the names are data
	fewSeen = 4

	widestEver = 200 // members of a struct

	fewNames  = 5  // that begin with a digit: they are data
	oneSample = 20 // values of one kind in the only object that there is: their names are data

	deepestType = 7 // objects and arrays below a column, beyond which the contract has JSON text
	tooDeep     = "objects and arrays nest deeper than a contract's types; kept as JSON text"
)

// namesAreData reports whether an object's members rather are a map of values than a record's.
func namesAreData(values []value, inner []field) bool {
	digits, kinds := 0, map[kind]bool{}
	for i := range inner {
		if first := inner[i].member[0]; first >= '0' && first <= '9' || data.MatchString(inner[i].member) {
			digits++
		}
		kinds[inner[i].seen[0].kind] = true
	}
	if digits >= fewNames && 5*digits >= 4*len(inner) {
		return true
	}
	few := len(values) < fewSeen && len(inner) >= oneSample && len(kinds) == 1
	return few && !kinds[isArray] && (!kinds[isObject] || alike(values[0].members))
}

func structs(values []value, depth int) shape {
	if depth >= deepestType {
		return shape{logical: "object", physical: "string", why: tooDeep, sure: Likely}
	}
	inner := fields(values, depth+1)
	usual := 0
	for _, v := range values {
		usual = max(usual, len(v.members))
	}
	switch {
	case len(inner) == 0:
		return shape{logical: "object", physical: "string", why: "only empty objects were seen; kept as JSON text", sure: Likely}
	case slices.ContainsFunc(inner, func(f field) bool { return f.member == "" }):
		return shape{logical: "object", physical: "string", why: "objects with a member that has no name; kept as JSON text", sure: Likely}
	case len(inner) > widest && (depth > 0 && len(values) < fewSeen || len(inner) > 2*usual), len(inner) > widestEver,
		len(values) >= fewSeen && len(inner) > mapLike*max(1, usual), namesAreData(values, inner):
		return shape{logical: "object", physical: "string", why: fmt.Sprintf("objects with %d names in all, which look like data; kept as JSON text", len(inner)), sure: Likely, private: slices.ContainsFunc(inner, holdsPrivate)}
	}
	s := shape{logical: "object", fields: inner, why: fmt.Sprintf("objects with %s", plural(len(inner), "member")), sure: Certain}
	s.physical = s.glue()
	return s
}

// glue is the type as Glue spells it.
func (s *shape) glue() string {
	switch {
	case len(s.fields) > 0:
		parts := make([]string, len(s.fields))
		for i := range s.fields {
			parts[i] = s.fields[i].column + ":" + s.fields[i].shape.glue()
		}
		return "struct<" + strings.Join(parts, ",") + ">"
	case s.items != nil:
		return "array<" + s.items.glue() + ">"
	}
	return s.physical
}
