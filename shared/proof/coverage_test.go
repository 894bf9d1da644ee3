package proof

import (
	"cmp"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/ingest"
	"tributary/shared/ledger"
	"tributary/shared/process"
	"tributary/shared/zone"
)

// point is a place at which a function depends on a service: a method of an adapter, and what it is called for.
type point struct{ Role, Method, Target string }

// cell is a point and what befalls it.
type cell struct {
	point
	kind
}

// pointOf names what a call is for by the key without what differs between runs and files.
func pointOf(role string, c cloudtest.Call) point {
	p := point{Role: role, Method: c.Method}
	if strings.HasPrefix(c.Method, "Bucket.") || strings.HasPrefix(c.Method, "Upload.") {
		bucket, key, _ := strings.Cut(c.Key, "/")
		prefix, rest, _ := strings.Cut(key, "/")
		name := path.Base(rest)
		if number := strings.LastIndexAny(name, "-0123456789"); number >= 0 {
			name = "*" + name[number+1:]
		}
		p.Target = bucket + "/" + prefix + "/" + name
	}
	return p
}

// method is a method of an adapter as a function uses it.
type method struct{ Role, Name string }

// methods enumerates what the functions call, from the interfaces that they declare. Writing to an upload begins it and
// sends parts; making one calls nobody.
var methods = func() []method {
	var all []method
	add := func(role, adapter string, of reflect.Type) {
		for i := range of.NumMethod() {
			names := []string{adapter + "." + of.Method(i).Name}
			switch names[0] {
			case "Bucket.Upload":
				names = nil
			case "Upload.Write", "Upload.Flush":
				names = []string{"Upload.Begin", "Upload.Part"}
			}
			for _, name := range names {
				if m := (method{role, name}); !slices.Contains(all, m) {
					all = append(all, m)
				}
			}
		}
	}
	add("ingest", "Bucket", reflect.TypeFor[ingest.Bucket]())
	add("ingest", "Bucket", reflect.TypeFor[ledger.Raw]())
	add("ingest", "Bucket", reflect.TypeFor[ledger.Audit]())
	add("ingest", "Function", reflect.TypeFor[ingest.Process]())
	add("process", "Bucket", reflect.TypeFor[process.Raw]())
	add("process", "Bucket", reflect.TypeFor[process.Audit]())
	add("process", "Bucket", reflect.TypeFor[process.Store]())
	add("process", "Upload", reflect.TypeFor[zone.Upload]())
	add("process", "Table", reflect.TypeFor[process.Table]())
	add("process", "Topic", reflect.TypeFor[process.Alerts]())
	return all
}()

// rare tells of a method that few schedules come by.
func (m method) rare() bool {
	return m.Name == "Function.Start" || m.Role == "process" && (m.Name == "Bucket.Delete" || m.Name == "Bucket.Head")
}

// misfortune is what can befall a call of a method.
type misfortune struct {
	method
	kind
}

// misfortunes is what schedules draw from: every kind for every method, more often where few schedules come by, and more
// often what leads there.
var misfortunes = func() []misfortune {
	var all []misfortune
	for _, m := range methods {
		for _, k := range kinds {
			times := 1
			switch {
			case !k.befalls(m.Role):
				times = 0
			case m.Name == "Function.Start":
				times = 40
			case m.Name == "Bucket.Head" && m.rare():
				times = 40
			case m.rare():
				times = 22
			case m.Role == "ingest" && m.Name == "Bucket.List":
				times = 4
			case m.Role != "process":
			case m.Name == "Bucket.Get":
				times = 3
			case m.Name == "Bucket.List":
				times = 9
			case m.Name == "Upload.Complete" && k == repeated: // is refused, and the object is looked at
				times = 40
			case strings.HasPrefix(m.Name, "Upload.") || m.Name == "Table.Put":
				times = 5
			case m.Name == "Topic.Publish":
				times = 6
			}
			for range times {
				all = append(all, misfortune{m, k})
			}
		}
	}
	return all
}()

// coverage sums up over all schedules.
type coverage struct {
	mu        sync.Mutex
	schedules int
	calls     int
	faults    int
	points    map[point]int
	hits      map[cell]int
}

var covered = coverage{points: map[point]int{}, hits: map[cell]int{}}

func (c *coverage) add(s *stage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.schedules++
	for p, n := range s.points {
		c.points[p] += n
		c.calls += n
	}
	for h, n := range s.hits {
		c.hits[h] += n
		c.faults += n
	}
}

func (c *coverage) sorted() []point {
	var points []point
	for p := range c.points {
		points = append(points, p)
	}
	slices.SortFunc(points, func(a, b point) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Target, b.Target))
	})
	return points
}

// table shows how often each fault befell each point.
func (c *coverage) table() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "function\tcall\ttarget\tcalls\t")
	for _, k := range kinds {
		fmt.Fprintf(w, "%s\t", k)
	}
	fmt.Fprintln(w)
	for _, p := range c.sorted() {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t", p.Role, p.Method, p.Target, c.points[p])
		for _, k := range kinds {
			fmt.Fprintf(w, "%d\t", c.hits[cell{p, k}])
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		panic(err) // a strings.Builder takes everything
	}
	return b.String()
}

// gaps lists methods that no schedule called, and faults that befell a point less often than asked.
func (c *coverage) gaps(least int) []string {
	var gaps []string
	for _, m := range methods {
		if !slices.ContainsFunc(c.sorted(), func(p point) bool { return p.Role == m.Role && p.Method == m.Name }) {
			gaps = append(gaps, fmt.Sprintf("%s never calls %s", m.Role, m.Name))
		}
	}
	for _, p := range c.sorted() {
		for _, k := range kinds {
			if n := c.hits[cell{p, k}]; n < least && k.befalls(p.Role) {
				gaps = append(gaps, fmt.Sprintf("%s %s %s: %s only %d times", p.Role, p.Method, p.Target, k, n))
			}
		}
	}
	return gaps
}
