package describe

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"tributary/shared/contract"
)

// Dictionary writes a contract's data dictionary as Markdown.
func Dictionary(c *contract.Contract) string {
	d := &dictionary{}
	d.line("# %s", c.Dataset)
	d.line("")
	if c.Description != "" {
		d.line("%s", cell(c.Description))
		d.line("")
	}
	d.facts(c)
	d.line("## Columns")
	d.line("")
	d.line("Table `%s`; the partition `dt` is the UTC date of the run.", c.Table)
	d.line("")
	d.line("| column | type | null | key | from | rules | meaning |")
	d.line("|---|---|---|---|---|---|---|")
	for i := range c.Columns {
		d.column(c, &c.Columns[i], "", "")
	}
	d.line("")
	d.rules(c)
	return d.text.String()
}

type dictionary struct{ text strings.Builder }

func (d *dictionary) line(format string, args ...any) { fmt.Fprintf(&d.text, format+"\n", args...) }

// cell writes a text into a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "<", "&lt;").Replace(text)
}

func (d *dictionary) facts(c *contract.Contract) {
	d.line("| | |")
	d.line("|---|---|")
	d.line("| version | %d.%d.%d |", c.Version.Major, c.Version.Minor, c.Version.Patch)
	d.line("| digest of what changes results | `%s` |", c.Digest[:12])
	d.line("| asked | %s |", cell(c.Schedule.Expression))
	if c.Source.Keyed {
		d.line("| records | `%s`: the members of an object, each under its key |", cell(c.Source.RecordsPointer()))
	}
	if c.Latency > 0 {
		d.line("| fresh within | %s |", span(c.Latency))
	}
	if c.Retention > 0 {
		d.line("| kept for | %s |", span(c.Retention))
	}
	if c.RejectThresholdPercent < 100 {
		d.line("| a run is held above | %g %% of rejected records |", c.RejectThresholdPercent)
	}
	if s := c.Serving; s != nil {
		key := "`" + s.PartitionKey + "`"
		if s.SortKey != "" {
			key += ", `" + s.SortKey + "`"
		}
		d.line("| served from DynamoDB by | %s; newer is what `%s` says |", key, s.Version)
	}
	d.line("")
}

func span(t time.Duration) string {
	day := 24 * time.Hour
	switch {
	case t%day == 0:
		return fmt.Sprintf("%d d", t/day)
	case t%time.Hour == 0:
		return fmt.Sprintf("%d h", t/time.Hour)
	}
	return fmt.Sprintf("%d min", t/time.Minute)
}

// column writes a row for a column and for all below it. Above is the name of what it lies in, place the JSON Pointer of the
// list item that its path starts from.
func (d *dictionary) column(c *contract.Contract, col *contract.Column, above, place string) {
	name := above + col.Name
	null, key := "yes", ""
	if col.Required {
		null = "no"
	}
	if col.Key > 0 {
		key = fmt.Sprint(col.Key)
	}
	at := strings.Join(append([]string{place}, col.Path...), "/")
	from := "`" + cell(at) + "`"
	if col.Derived != nil {
		from = "`" + cell(col.Derived.Source) + "`"
	}
	meaning := col.Description
	if col.Classification != "" {
		meaning = strings.TrimSpace(meaning + " (" + col.Classification + ")")
	}
	kind := col.Type.Glue()
	if above != "" || len(kind) > 40 {
		kind = strings.SplitN(kind, "<", 2)[0]
	}
	d.line("| `%s` | %s | %s | %s | %s | %s | %s |", cell(name), cell(kind), null, key, from, cell(strings.Join(constraints(c, col), ", ")), cell(meaning))
	switch col.Type.Kind {
	case contract.Struct:
		for i := range col.Type.Fields {
			d.column(c, &col.Type.Fields[i], name+".", place)
		}
	case contract.List:
		if elem := col.Type.Elem; elem.Type.Kind == contract.Struct {
			for i := range elem.Type.Fields {
				d.column(c, &elem.Type.Fields[i], name+"[].", at+"/*")
			}
		}
	default: // a leaf has nothing below it
	}
}

// constraints are a column's own rules in words.
func constraints(c *contract.Contract, col *contract.Column) []string {
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	k := &col.Constraints
	for _, b := range []struct {
		sign  string
		limit *big.Rat
	}{{"≥", k.Minimum}, {">", k.ExclusiveMinimum}, {"≤", k.Maximum}, {"<", k.ExclusiveMaximum}} {
		if b.limit != nil {
			add("%s %s", b.sign, bound(col, b.limit))
		}
	}
	if k.MultipleOf != nil {
		add("multiple of %s", plain(k.MultipleOf))
	}
	if k.MinLength != nil {
		add("at least %d characters", *k.MinLength)
	}
	if k.MaxLength != nil {
		add("at most %d characters", *k.MaxLength)
	}
	if k.Pattern != nil {
		add("matches `%s`", k.Pattern)
	}
	if k.Format != "" {
		add("%s", k.Format)
	}
	if len(k.Enum) > 0 {
		add("one of %s", strings.Join(k.Enum, ", "))
	}
	if len(k.Missing) > 0 {
		add("none of %q", k.Missing)
	}
	if k.MinItems != nil {
		add("at least %d items", *k.MinItems)
	}
	if k.MaxItems != nil {
		add("at most %d items", *k.MaxItems)
	}
	if k.UniqueItems {
		add("no item twice")
	}
	if slices.ContainsFunc(c.Uniques, func(set []string) bool { return len(set) == 1 && set[0] == col.Name }) {
		add("unique in a run")
	}
	if p := col.Type.Time.Pattern; p != "" {
		add("written %s", p)
	}
	if e := col.Type.Time.Epoch; e != 0 {
		add("sent as %s since 1970", map[time.Duration]string{time.Second: "seconds", time.Millisecond: "milliseconds"}[e])
	}
	return all
}

// bound writes a limit in the unit of its column.
func bound(col *contract.Column, limit *big.Rat) string {
	if limit.IsInt() && limit.Num().IsInt64() {
		switch n := limit.Num().Int64(); col.Type.Kind {
		case contract.Timestamp:
			return time.UnixMilli(n).UTC().Format(time.RFC3339)
		case contract.Date:
			return time.Unix(n*86400, 0).UTC().Format(time.DateOnly)
		default: // in its own unit
		}
	}
	return plain(limit)
}

func plain(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	if n, exact := r.FloatPrec(); exact {
		return r.FloatString(n)
	}
	return r.RatString()
}

func (d *dictionary) rules(c *contract.Contract) {
	together := slices.ContainsFunc(c.Uniques, func(set []string) bool { return len(set) > 1 }) // one alone stands at its column
	if len(c.Rules)+len(c.Metrics) == 0 && !together {
		return
	}
	d.line("## Rules across columns and over the run")
	d.line("")
	d.line("| rule | says | else |")
	d.line("|---|---|---|")
	for _, set := range c.Uniques {
		if len(set) > 1 {
			d.line("| unique | %s occur together once in a run | the later record is rejected |", cell(strings.Join(set, ", ")))
		}
	}
	for _, r := range c.Rules {
		d.line("| %s | `%s`; a null passes | %s |", r.ID, cell(r.Expr.Source), effect(r.Severity, "the record is rejected"))
	}
	for _, m := range c.Metrics {
		bounds := make([]string, len(m.Bounds))
		for i, b := range m.Bounds {
			bounds[i] = fmt.Sprintf("%g", b)
		}
		unit := ""
		if m.Percent {
			unit = " %"
		}
		d.line("| %s | %s %s %s %s%s | %s |", m.ID, m.Name, cell(strings.Join(m.Columns, ", ")), m.Operator, strings.Join(bounds, " and "), unit, effect(m.Severity, "the run is held"))
	}
	d.line("")
}

func effect(s contract.Severity, otherwise string) string {
	if s == contract.Warning {
		return "counted as a warning"
	}
	return otherwise
}
