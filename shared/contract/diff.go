package contract

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Change is one difference between two versions of a contract.
type Change struct {
	Breaking bool   // readers of the table, or of files written before, would fail or read something else
	Field    string // the column's path, as in customer.address.city; "" is the dataset
	Message  string // a sentence
}

// String gives the change with its place.
func (c Change) String() string {
	if c.Field == "" {
		return c.Message
	}
	return c.Field + ": " + c.Message
}

// Diff lists what changes between two versions of a contract, in the order of the old one's columns, added ones last.
//
// Breaking is what makes a reader of the lake or of the serving table fail, or see something else under an old name:
// a column gone or renamed, another type, null where there was none, another key. Files that are in the lake already
// keep their form, so such a change needs a new major version and a new location (schema[0].physicalName): Allowed
// says whether it has both.
func Diff(older, newer *Contract) []Change {
	d := &differ{}
	d.identity(older, newer)
	d.columns("", older.Columns, newer.Columns)
	d.sets(older.Uniques, newer.Uniques)
	d.rules(older.Rules, newer.Rules)
	d.metrics(older.Metrics, newer.Metrics)
	d.serving(older.Serving, newer.Serving)
	if older.RejectThresholdPercent != newer.RejectThresholdPercent {
		d.add(false, "", "a run is held above %g %% of rejects, before above %g %%", newer.RejectThresholdPercent, older.RejectThresholdPercent)
	}
	if o, n := older.Source.RecordsPointer(), newer.Source.RecordsPointer(); o != n {
		d.add(false, "", "records are read at %q, before at %q", n, o)
	}
	if o, n := older.Source.Limits, newer.Source.Limits; o.Record != n.Record || o.Records != n.Records {
		d.add(false, "", "a run has at most %d records of %d bytes, before %d of %d", n.Records, n.Record, o.Records, o.Record)
	}
	d.promises(older, newer)
	return d.changes
}

// promises compares how fresh the table is and how long it lasts. Files are read as before.
func (d *differ) promises(older, newer *Contract) {
	if older.Schedule.Expression != newer.Schedule.Expression {
		d.add(false, "", "runs come by %s, before by %s", newer.Schedule.Expression, older.Schedule.Expression)
	}
	for _, promise := range []struct {
		name         string
		older, newer time.Duration
	}{
		{"without a loaded run pass at most", older.Latency, newer.Latency},
		{"rows are kept", older.Retention, newer.Retention},
	} {
		if promise.older != promise.newer {
			d.add(false, "", "%s %s, before %s", promise.name, lifetime(promise.newer), lifetime(promise.older))
		}
	}
}

// Allowed reports whether changes may be published: breaking ones need a new major version and a new table. The error
// says what is missing.
func Allowed(older, newer *Contract, changes []Change) error {
	breaking := 0
	for _, c := range changes {
		if c.Breaking {
			breaking++
		}
	}
	changed := "1 breaking change needs"
	if breaking > 1 {
		changed = fmt.Sprintf("%d breaking changes need", breaking)
	}
	switch {
	case newer.Version.Compare(older.Version) < 0:
		return fmt.Errorf("check version of %s: %s is older than %s", newer.Dataset, newer.Version, older.Version)
	case breaking > 0 && newer.Version.Major == older.Version.Major && newer.Table == older.Table:
		return fmt.Errorf("check version of %s: %s a new major version and a new schema[0].physicalName, as in %s and %s_v%d",
			newer.Dataset, changed, Version{Major: older.Version.Major + 1}, older.Table, older.Version.Major+1)
	case breaking > 0 && newer.Version.Major == older.Version.Major:
		return fmt.Errorf("check version of %s: %s a new major version, as in %s",
			newer.Dataset, changed, Version{Major: older.Version.Major + 1})
	case breaking > 0 && newer.Table == older.Table:
		return fmt.Errorf("check version of %s: %s a new location: another schema[0].physicalName, as in %s_v%d",
			newer.Dataset, changed, older.Table, newer.Version.Major)
	case older.Digest != newer.Digest && newer.Version == older.Version:
		return fmt.Errorf("check version of %s: the contract gives other results, but is still version %s: raise it",
			newer.Dataset, newer.Version)
	}
	return nil
}

type differ struct{ changes []Change }

func (d *differ) add(breaking bool, field, format string, args ...any) {
	d.changes = append(d.changes, Change{Breaking: breaking, Field: field, Message: fmt.Sprintf(format, args...)})
}

func (d *differ) identity(older, newer *Contract) {
	if older.Dataset != newer.Dataset {
		d.add(true, "", "the dataset is called %s, before %s: raw data, rejects and view are found under the new name only", newer.Dataset, older.Dataset)
	}
	if older.Table != newer.Table {
		d.add(false, "", "the table is %s, before %s: readers move to it when they are ready", newer.Table, older.Table)
	}
	if older.Version != newer.Version {
		d.add(false, "", "the version is %s, before %s", newer.Version, older.Version)
	}
}

// columns compares columns, or the members of an object, by name.
func (d *differ) columns(path string, older, newer []Column) {
	var gone, added []*Column
	for i := range newer {
		if find(older, newer[i].Name) == nil {
			added = append(added, &newer[i])
		}
	}
	for i := range older {
		c := &older[i]
		if n := find(newer, c.Name); n != nil {
			d.column(join(path, c.Name), c, n)
		} else {
			gone = append(gone, c)
		}
	}
	for _, c := range gone {
		if renamed := slices.IndexFunc(added, func(n *Column) bool { return sameSource(c, n) }); renamed >= 0 {
			d.add(true, join(path, c.Name), "the column is renamed to %s: Athena finds columns by name, and old files have the old one", added[renamed].Name)
			added = slices.Delete(added, renamed, renamed+1)
			continue
		}
		d.add(true, join(path, c.Name), "the column is removed")
	}
	for _, c := range added {
		message := "the column is added; rows written before have null"
		if c.Required {
			message += ", although it is required from now on"
		}
		d.add(false, join(path, c.Name), "%s", message)
	}
	if names := func(c Column) string { return c.Name }; len(gone) == 0 && !inOrder(older, newer, names) {
		d.add(false, path, "the columns stand in another order")
	}
}

func find(columns []Column, name string) *Column {
	for i := range columns {
		if columns[i].Name == name {
			return &columns[i]
		}
	}
	return nil
}

// inOrder reports whether what both lists have follows each other in the same order.
func inOrder[T any](older, newer []T, name func(T) string) bool {
	i := 0
	for _, c := range newer {
		if i < len(older) && name(older[i]) == name(c) {
			i++
		}
	}
	return i == len(older)
}

// sameSource reports whether two columns of different names carry the same values.
func sameSource(a, b *Column) bool {
	if a.Type.Glue() != b.Type.Glue() {
		return false
	}
	if a.Derived != nil || b.Derived != nil {
		return a.Derived != nil && b.Derived != nil && a.Derived.normal() == b.Derived.normal()
	}
	return slices.Equal(a.Path, b.Path)
}

// column compares two columns of one name.
func (d *differ) column(path string, older, newer *Column) {
	switch {
	case older.Type.Kind == Struct && newer.Type.Kind == Struct:
		d.columns(path, older.Type.Fields, newer.Type.Fields)
	case older.Type.Kind == List && newer.Type.Kind == List:
		d.column(path+"[]", older.Type.Elem, newer.Type.Elem)
	case older.Type.Glue() != newer.Type.Glue():
		d.add(true, path, "the type is %s, before %s: files written before cannot be read with it", newer.Type.Glue(), older.Type.Glue())
		return
	case older.Type.Kind != newer.Type.Kind:
		d.add(true, path, "the text is %s, before %s", textKind(newer.Type.Kind), textKind(older.Type.Kind))
	}
	switch {
	case older.Required && !newer.Required:
		d.add(true, path, "the column may be null, before it was required: readers that count on a value meet nulls")
	case !older.Required && newer.Required:
		d.add(false, path, "the column is required: records without a value are rejected from now on")
	}
	if older.Key != newer.Key {
		d.add(true, path, "the place in the primary key is %s, before %s: rows mean something else", ordinal(newer.Key), ordinal(older.Key))
	}
	if from, to := origin(older), origin(newer); from != to {
		d.add(true, path, "the value comes from %s, before from %s: old rows and new ones differ in meaning", to, from)
	}
	if o, n := older.Type.Time, newer.Type.Time; o.Epoch != n.Epoch || o.Pattern != n.Pattern || o.Zone.String() != n.Zone.String() {
		d.add(false, path, "times are read in another form")
	}
	if older.Strict != newer.Strict {
		d.add(false, path, "numbers in quotes are %s", map[bool]string{true: "rejected", false: "accepted"}[newer.Strict])
	}
	if older.Classification != newer.Classification {
		d.add(false, path, "the classification is %s, before %s", orNone(newer.Classification), orNone(older.Classification))
	}
	d.constraints(path, older.Constraints, newer.Constraints)
}

func textKind(k Kind) string {
	if k == JSON {
		return "JSON"
	}
	return "a plain string"
}

func ordinal(key int) string {
	if key == 0 {
		return "none"
	}
	return fmt.Sprint(key)
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

func origin(c *Column) string {
	if c.Derived != nil {
		return c.Derived.normal()
	}
	return pointerText(c.Path)
}

// RecordsPointer is where the records are, as the contract says it.
func (s *Source) RecordsPointer() string {
	if s.Keyed {
		return pointerText(s.Records) + "/" + everyMember
	}
	return pointerText(s.Records)
}

func pointerText(tokens []string) string {
	var text strings.Builder
	for _, token := range tokens {
		text.WriteString("/" + strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1"))
	}
	return text.String()
}

// constraints names what is checked otherwise. It changes which rows are clean, never how they are read.
func (d *differ) constraints(path string, older, newer Constraints) {
	o, n := older.texts(), newer.texts()
	list := func(texts []string) string { return strings.Join(slices.Sorted(slices.Values(texts)), ", ") }
	o["valid values"], n["valid values"] = list(older.Enum), list(newer.Enum)
	o["missing values"], n["missing values"] = list(older.Missing), list(newer.Missing)
	names := sortedKeys(o)
	for _, name := range sortedKeys(n) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if o[name] != n[name] {
			d.add(false, path, "%s is %s, before %s", name, orNone(n[name]), orNone(o[name]))
		}
	}
}

func (d *differ) sets(older, newer [][]string) {
	has := func(sets [][]string, set []string) bool {
		return slices.ContainsFunc(sets, func(other []string) bool { return slices.Equal(set, other) })
	}
	for _, set := range older {
		if !has(newer, set) {
			d.add(true, "", "%s may repeat within a run, before unique: readers that join on it meet duplicates", strings.Join(set, ", "))
		}
	}
	for _, set := range newer {
		if !has(older, set) {
			d.add(false, "", "%s is unique within a run: later records are rejected from now on", strings.Join(set, ", "))
		}
	}
}

func (d *differ) rules(older, newer []Rule) {
	find := func(rules []Rule, id string) *Rule {
		if i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id }); i >= 0 {
			return &rules[i]
		}
		return nil
	}
	var kept []Rule
	for _, o := range older {
		n := find(newer, o.ID)
		if n != nil {
			kept = append(kept, o)
		}
		switch {
		case n == nil:
			d.add(false, "", "the rule %s is removed", o.ID)
		case n.Expr.normal() != o.Expr.normal():
			d.add(false, "", "the rule %s is %s, before %s", o.ID, n.Expr.normal(), o.Expr.normal())
		case n.Severity != o.Severity:
			d.add(false, "", "the rule %s is %s, before %s", o.ID, n.Severity, o.Severity)
		}
	}
	for _, n := range newer {
		if find(older, n.ID) == nil {
			d.add(false, "", "the rule %s is added: %s", n.ID, n.Expr.normal())
		}
	}
	if !inOrder(kept, newer, func(r Rule) string { return r.ID }) {
		d.add(false, "", "the rules stand in another order, in which a reject lists them")
	}
}

func (d *differ) metrics(older, newer []Metric) {
	text := func(m Metric) string { return fmt.Sprintf("%+v", m.canonical()) }
	find := func(metrics []Metric, id string) *Metric {
		if i := slices.IndexFunc(metrics, func(m Metric) bool { return m.ID == id }); i >= 0 {
			return &metrics[i]
		}
		return nil
	}
	var kept []Metric
	for _, o := range older {
		n := find(newer, o.ID)
		if n != nil {
			kept = append(kept, o)
		}
		if n == nil {
			d.add(false, "", "the rule %s is removed", o.ID)
		} else if text(*n) != text(o) {
			d.add(false, "", "the rule %s counts or bounds otherwise", o.ID)
		}
	}
	for _, n := range newer {
		if find(older, n.ID) == nil {
			d.add(false, "", "the rule %s is added: %s %s", n.ID, n.Name, n.Operator)
		}
	}
	if !inOrder(kept, newer, func(m Metric) string { return m.ID }) {
		d.add(false, "", "the rules over the run stand in another order")
	}
}

func (d *differ) serving(older, newer *Serving) {
	switch {
	case older == nil && newer == nil:
	case older == nil:
		d.add(false, "", "the dataset is served from DynamoDB")
	case newer == nil:
		d.add(true, "", "the dataset is no longer served from DynamoDB")
	default:
		if older.PartitionKey != newer.PartitionKey || older.SortKey != newer.SortKey {
			d.add(true, "", "items are found by %s, before by %s: a table's key cannot change", keyText(newer), keyText(older))
		}
		if older.Version != newer.Version {
			d.add(true, "", "items are ordered by %s, before by %s: what is stored cannot be compared", newer.Version, older.Version)
		}
		for _, name := range older.Columns() {
			if !slices.Contains(newer.Columns(), name) {
				d.add(true, name, "the attribute is no longer served")
			}
		}
		for _, name := range newer.Columns() {
			if !slices.Contains(older.Columns(), name) {
				d.add(false, name, "the attribute is served; items written before lack it")
			}
		}
		if older.TTL != newer.TTL {
			d.add(false, "", "items live %s, before %s", lifetime(newer.TTL), lifetime(older.TTL))
		}
	}
}

func lifetime(ttl time.Duration) string {
	if ttl == 0 {
		return "for ever"
	}
	return ttl.String()
}

func keyText(s *Serving) string {
	if s.SortKey == "" {
		return s.PartitionKey
	}
	return s.PartitionKey + " and " + s.SortKey
}
