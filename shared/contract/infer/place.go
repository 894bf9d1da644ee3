package infer

import (
	"regexp"
	"slices"
	"strings"
)

// place is where records may be: an array of objects, an object of alike objects, or an object of lists of alike objects.
type place struct {
	pointer string
	name    string // of the member
	value   *value
	items   []value
	keyed   bool // the members of an object
	lists   bool // below each member a list
	bytes   int
	around  []level
}

func (p *place) where() string {
	switch {
	case p.keyed:
		return p.pointer + "/*"
	case p.pointer == "":
		return "the document"
	}
	return p.pointer
}

// above is the object of which the place is a member; nil where it is the document.
func (p *place) above() *value {
	n := len(p.around) - 1
	if p.keyed || p.lists { // which stand around their members themselves
		n--
	}
	if n < 0 {
		return nil
	}
	return p.around[n].value
}

// talk are members of answers that speak of the answer and not of its subject, beside those that speak of pages.
var talk = []string{
	"status", "ok", "success", "message", "msg", "code", "error", "errors", "version", "time", "timestamp", "took", "object", "kind", "type", "self", "url",
	"href", "first", "last", "previous", "prev", "incomplete_results", "truncated", "copyright", "batchcomplete", "query", "response",
}

// wrapped reports whether all that is around a place speaks of the answer.
func (p *place) wrapped() bool {
	within := p.pointer + "/"
	for _, l := range p.around {
		for i := range l.value.members {
			m := &l.value.members[i]
			onTheWay := strings.HasPrefix(within, l.pointer+"/"+escape(m.name)+"/") || within == l.pointer+"/"
			if !onTheWay && !slices.ContainsFunc([][]string{talk, pageParams, offsetParams, limitParams, nextLinks, mores, totals, counts, asides, current}, func(names []string) bool { return among(m.name, names) }) && cursors[strings.ToLower(m.name)] == "" {
				return false
			}
		}
	}
	return true
}

// lowest is how many objects deep records are looked for.
const lowest = 6

// places finds where records may be, outermost only: what lies within them is part of records.
func places(root *value) []place {
	var all []place
	var walk func(v *value, pointer, name string, around []level)
	walk = func(v *value, pointer, name string, around []level) {
		around = append(slices.Clone(around), level{pointer, v})
		p := place{pointer: pointer, name: name, value: v, bytes: v.bytes, around: around}
		switch {
		case alike(v.members):
			p.keyed = true
			for i := range v.members {
				p.items = append(p.items, v.members[i].value)
			}
			all = append(all, p)
			return
		case underNames(v.members):
			p.lists = true
			all = append(all, p)
			return
		}
		for i := range v.members {
			m := &v.members[i]
			at := pointer + "/" + escape(m.name)
			switch {
			case m.value.kind == isArray && objects(m.value.items) > 0:
				all = append(all, place{pointer: at, name: m.name, value: &m.value, items: m.value.items, bytes: m.value.bytes, around: around})
			case m.value.kind == isObject && len(around) < lowest && !geometry(&m.value):
				walk(&m.value, at, m.name, around)
			}
		}
	}
	walk(root, "", "", nil)
	return all
}

// usualNames are how the member with the records is often called.
var usualNames = []string{
	"data", "items", "results", "result", "records", "rows", "values", "value", "entries", "list", "features", "content", "hits",
	"children", "docs", "documents", "objects", "edges", "nodes", "elements",
}

// idNames are how the member that identifies an entity is often called.
var idNames = []string{"id", "_id", "uuid", "guid", "sha", "key", "node_id", "name", "title", "full_name", "doi", "slug"}

// entity reports whether an object looks like a record itself: it says which it is, or has much to say beside lists.
func entity(v *value) bool {
	plain, named := 0, false
	for i := range v.members {
		m := &v.members[i]
		switch {
		case m.value.kind == isArray && objects(m.value.items) > 0:
		default:
			plain++
			named = named || among(m.name, idNames) && (m.value.kind == isText || m.value.kind == isNumber)
		}
	}
	return named && plain > 3 || plain > 9
}

// leaves counts the plain values in an object, an array being one.
func leaves(v *value) int {
	n := 0
	for i := range v.members {
		if m := &v.members[i].value; m.kind == isObject {
			n += leaves(m)
		} else {
			n++
		}
	}
	return n
}

// data are names that nobody gives a member of a record: numbers, days, numbered ids.
var data = regexp.MustCompile(`^([A-Z]{1,3})?-?\d+$|^\d{4}-\d\d(-\d\d)?([T ].*)?$`)

const (
	several = 6
	many    = 20 // among which some may have little to say
)

// alike reports whether members are records under keys: objects that share most of their members' names, at least three
// of them where the names do not say it.
func alike(members []member) bool {
	if len(members) < 3 && (len(members) == 0 || slices.ContainsFunc(members, func(m member) bool { return !data.MatchString(m.name) })) {
		return false
	}
	all := make([]value, 0, len(members))
	for i := range members {
		if v := &members[i].value; v.kind != isObject || len(v.members) < 2 && len(members) < many {
			return false
		}
		all = append(all, members[i].value)
	}
	return oneShape(all)
}

// oneShape reports whether objects share most of their members' names, or many objects have few names among them.
func oneShape(all []value) bool {
	names := map[string]int{}
	total, largest := 0, 0
	for i := range all {
		largest = max(largest, len(all[i].members))
		for _, m := range all[i].members {
			names[m.name]++
			total++
		}
	}
	shared := 0
	for _, n := range names {
		if 2*n >= len(all) {
			shared += n
		}
	}
	switch {
	case len(all) >= many:
		return total > 0 && (5*shared >= 3*total || len(names) <= 2*largest)
	case len(all) >= several:
		return total > 0 && 5*shared >= 3*total
	}
	return 5*shared >= 4*total
}

// underNames reports whether members are lists of records of one shape, under names that look like data.
func underNames(members []member) bool {
	var all []value
	named := 0
	for i := range members {
		v := &members[i].value
		if v.kind != isArray || objects(v.items) < len(v.items) {
			return false
		}
		if len(v.items) > 0 {
			named++
		}
		all = append(all, v.items...)
	}
	if named == 0 || named < 4 && slices.ContainsFunc(members, func(m member) bool { return !data.MatchString(m.name) }) {
		return false
	}
	return oneShape(all)
}

// geometry reports whether an object is a geometry of GeoJSON (RFC 7946), whose arrays are coordinates.
func geometry(v *value) bool {
	return v.get("type") != nil && (v.get("coordinates") != nil || v.get("geometries") != nil)
}
