package contract

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
)

// operatorNames are those of library metrics, in the standard's names. Between and its negation leave their bounds out.
var operatorNames = []string{
	"mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan", "mustBeLessOrEqualTo",
	"mustBeBetween", "mustNotBeBetween",
}

var metrics = []string{"nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount"}

const (
	maxRules   = 1000 // of the dataset and its columns: each is judged with every record
	maxUniques = 64   // sets of columns: package record keeps a bit for each
)

// rules is what reading them needs and the contract does not keep.
type rules struct {
	env     *cel.Env
	lines   map[string]int // of rules by id
	unnamed map[string]int // the number behind the last name that was given
	meters  []node         // where the metrics of the contract stand
}

// qualities reads the rules of the dataset and of its columns.
func (b *builder) qualities(dataset object, env *cel.Env) {
	r := &rules{env: env, lines: map[string]int{}, unnamed: map[string]int{}}
	count := 0
	read := func(at object, column *Column) {
		v, ok := at.get("quality")
		if !ok {
			return
		}
		items := v.list()
		if count += len(items); count > maxRules {
			v.fault("has rule %d of the contract; want at most %d", count, maxRules)
			return
		}
		for _, item := range items {
			b.quality(item, column, r)
		}
	}
	for i, at := range b.columns {
		read(at.object, &b.c.Columns[i])
	}
	read(dataset, nil)
	for i, at := range r.meters {
		b.effective(at, &b.c.Metrics[i])
	}
	for i := range b.c.Columns {
		b.consistent(i)
	}
}

// quality reads one rule, of a column or, where column is nil, of the dataset.
func (b *builder) quality(n node, column *Column, r *rules) {
	keys := append([]string{"id", "authoritativeDefinitions", "businessImpact", "customProperties", "description", "dimension", "method",
		"name", "schedule", "scheduler", "severity", "tags", "type", "unit", "metric", "rule", "arguments", "query", "engine",
		"implementation"}, operatorNames...)
	o := n.object(keys...)
	if o.yaml.Kind != mappingNode {
		return
	}
	o.prose("businessImpact", "description", "method", "name")
	o.annotations()
	o.noCustomProperties()
	for _, key := range []string{"schedule", "scheduler"} {
		o.refuse(key, "rules are judged with every run: remove it")
	}
	if v, ok := o.get("dimension"); ok {
		v.oneOf("accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness")
	}
	kind := "library"
	if v, ok := o.get("type"); ok {
		if kind, ok = v.oneOf("library", "custom", "text", "sql"); !ok {
			return
		}
	}
	severity := Error
	if v, ok := o.get("severity"); ok {
		if text, ok := v.oneOf("error", "warning"); ok && text == "warning" {
			severity = Warning
		}
	}
	for _, only := range []struct {
		kind string
		keys []string
	}{
		{"library", append([]string{"metric", "rule", "arguments", "unit"}, operatorNames...)},
		{"custom", []string{"engine", "implementation"}},
		{"sql", []string{"query"}},
	} {
		if kind == only.kind || kind == "sql" {
			continue
		}
		for _, key := range only.keys {
			o.refuse(key, "belongs to type %s, and this rule is of type %s: remove it or change the type", only.kind, kind)
		}
	}
	switch kind {
	case "text":
		o.need("description", "what the rule says, in words")
		o.refuse("severity", "a rule in words is not judged: remove it, or write the rule in CEL")
	case "sql":
		o.members["type"].fault("SQL rules are not supported, because records are judged before they are in any table: " +
			"write a rule of type custom, engine cel")
	case "custom":
		id := r.id(o, "rule")
		b.celRule(o, id, severity, column, r.env)
	case "library":
		b.libraryRule(o, severity, column, r)
	}
}

// id names the rule: its id, or its name in that form, or what it does.
func (r *rules) id(o object, fallback string) string {
	id, at := "", o.node
	if v, ok := o.get("id"); ok {
		id, at = v.yaml.Value, v
	} else if v, ok := o.get("name"); ok {
		id = strings.Trim(notInName.ReplaceAllString(strings.ToLower(v.yaml.Value), "-"), "-")
	}
	if id == "" {
		id = fallback
		for r.lines[id] > 0 {
			r.unnamed[fallback]++
			id = fmt.Sprintf("%s-%d", fallback, r.unnamed[fallback]+1)
		}
	}
	if line := r.lines[id]; line > 0 {
		at.fault("a second rule %s, the first is in line %d: give it an id of its own", id, line)
	}
	r.lines[id] = o.yaml.Line
	return id
}

// celRule reads a rule over the columns of a record.
func (b *builder) celRule(o object, id string, severity Severity, column *Column, env *cel.Env) {
	if v, ok := o.need("engine", "write cel"); ok {
		if engine, ok := v.nonEmpty(); ok && engine != "cel" {
			v.fault("the engine %q is not supported: write the rule in CEL, engine: cel", engine)
			return
		}
	}
	v, ok := o.need("implementation", "the expression, as in high >= low")
	if !ok {
		return
	}
	if column != nil {
		o.keyFault("implementation", "rules in CEL belong to the dataset: move it from the column to schema[0].quality")
		return
	}
	e := b.expression(v, env)
	if e == nil {
		return
	}
	if got := e.AST.OutputType(); !got.IsExactType(cel.BoolType) {
		v.fault("gives %s; a rule says true or false, as in high >= low", got)
		return
	}
	if len(e.Columns) == 0 && !slices.ContainsFunc([]string{RecordPage, RecordIndex, RecordKey}, func(name string) bool { return slices.Contains(e.Context, name) }) {
		v.fault("names no column: a rule is about the values of a record, as in high >= low")
		return
	}
	b.c.Rules = append(b.c.Rules, Rule{ID: id, Expr: *e, Severity: severity, Line: o.yaml.Line})
}

// libraryRule reads a metric. What a single record can decide becomes a rule of the column, so that a bad record is
// rejected and does not hold its run; the rest is judged over the run.
func (b *builder) libraryRule(o object, severity Severity, column *Column, r *rules) {
	o.refuse("rule", "is the old name of metric: rename the key")
	v, ok := o.need("metric", alternatives(metrics))
	if !ok {
		return
	}
	metric, ok := v.oneOf(metrics...)
	if !ok {
		return
	}
	m := Metric{Name: metric, Severity: severity, Line: o.yaml.Line}
	fallback := metric
	if column != nil {
		m.Columns = []string{column.Name}
		fallback = column.Name + "-" + metric
	}
	m.ID = r.id(o, fallback)
	switch {
	case column == nil && metric != "rowCount" && metric != "duplicateValues":
		v.fault("%s is about one column: move the rule to the column's own quality", metric)
		return
	case column != nil && metric == "rowCount":
		v.fault("rowCount is about the dataset: move the rule to schema[0].quality")
		return
	case column != nil && column.Type.Kind == 0:
		return
	}
	if v, ok := o.get("unit"); ok {
		unit, _ := v.oneOf("rows", "percent")
		m.Percent = unit == "percent"
		if m.Percent && metric == "rowCount" {
			v.fault("contradicts rowCount, which is no share of anything: write rows")
		}
	}
	decided := o.operator(&m)
	at, ok := b.arguments(o, &m, column)
	if !ok || m.Operator == "" {
		return
	}
	if decided && severity == Error && metric != "rowCount" {
		b.perRecord(at, &m, column)
		return
	}
	b.c.Metrics = append(b.c.Metrics, m)
	r.meters = append(r.meters, at)
}

// effective refuses a metric that a rule of every record has decided already.
func (b *builder) effective(at node, m *Metric) {
	switch m.Name {
	case "nullValues":
		if b.column(m.Columns[0]).Required {
			at.fault("says nothing: %s is required, and metrics count the rows that are kept; remove one of the two", m.Columns[0])
		}
	case "duplicateValues":
		for _, set := range b.c.Uniques {
			if !slices.ContainsFunc(set, func(name string) bool { return !slices.Contains(m.Columns, name) }) {
				at.fault("says nothing: %s is unique, and metrics count the rows that are kept; remove one of the two", strings.Join(set, ", "))
				return
			}
		}
	}
}

// consistent refuses values that are listed as valid and break another rule of their column.
func (b *builder) consistent(i int) {
	c := &b.c.Columns[i]
	for _, item := range b.columns[i].valid {
		if rule := c.refusal(item.yaml.Value); rule != "" {
			item.fault("breaks the column's own %s: correct one of the two", rule)
		}
	}
}

// refusal names the constraint that a valid value of a string or integer column breaks; "" where there is none.
func (c *Column) refusal(text string) string {
	k := &c.Constraints
	number, isNumber := new(big.Rat).SetString(text)
	isNumber = isNumber && c.Type.Kind == Integer
	length := utf8.RuneCountInString(text)
	for _, test := range []struct {
		name   string
		broken bool
	}{
		{"minLength", k.MinLength != nil && length < *k.MinLength},
		{"maxLength", k.MaxLength != nil && length > *k.MaxLength},
		{"pattern", k.Pattern != nil && !k.Pattern.MatchString(text)},
		{"missingValues", slices.Contains(k.Missing, text)},
		{"minimum", isNumber && k.Minimum != nil && number.Cmp(k.Minimum) < 0},
		{"maximum", isNumber && k.Maximum != nil && number.Cmp(k.Maximum) > 0},
		{"exclusiveMinimum", isNumber && k.ExclusiveMinimum != nil && number.Cmp(k.ExclusiveMinimum) <= 0},
		{"exclusiveMaximum", isNumber && k.ExclusiveMaximum != nil && number.Cmp(k.ExclusiveMaximum) >= 0},
		{"multipleOf", isNumber && k.MultipleOf != nil && !new(big.Rat).Quo(number, k.MultipleOf).IsInt()},
	} {
		if test.broken {
			return test.name
		}
	}
	return ""
}

// operator reads the only operator of a metric. It reports whether the operator means none at all, which is what a
// single record can break.
func (o object) operator(m *Metric) (none bool) {
	var found []string
	for _, key := range operatorNames {
		if o.has(key) {
			found = append(found, key)
		}
	}
	switch len(found) {
	case 0:
		o.fault("an operator is missing: %s", alternatives(operatorNames))
		return false
	case 1:
	default:
		o.keyFault(found[1], "a second operator beside %s: write two rules", found[0])
		return false
	}
	v := o.members[found[0]]
	values := []node{v}
	if between := strings.HasSuffix(found[0], "Between"); between {
		values = v.list()
		if len(values) != 2 {
			if v.yaml.Kind == sequenceNode {
				v.fault("has %d bounds; want two, the smaller first", len(values))
			}
			return false
		}
	}
	for _, value := range values {
		bound, ok := value.number()
		if !ok {
			return false
		}
		f, _ := bound.Float64()
		switch {
		case f < 0 || m.Percent && f > 100:
			value.fault("is %s; no count is below 0, no share above 100", value.yaml.Value)
			return false
		case !m.Percent && (!bound.IsInt() || f > maxRows):
			value.fault("is %s; rows are counted in whole numbers up to %d", value.yaml.Value, int64(maxRows))
			return false
		}
		m.Bounds = append(m.Bounds, f)
	}
	if len(m.Bounds) == 2 && m.Bounds[0] >= m.Bounds[1] {
		v.fault("has its bounds in the wrong order: the smaller first")
		return false
	}
	m.Operator = found[0]
	first := m.Bounds[0]
	switch always, never := m.trivial(); {
	case m.Operator == "mustBeLessThan" && first == 0:
		v.fault("no count is below 0: write mustBe: 0")
	case always:
		v.fault("says nothing: it holds of every run; correct the bound or remove the rule")
	case never:
		v.fault("cannot be kept: no run has such a number; correct the bound")
	default:
		return (m.Operator == "mustBe" || m.Operator == "mustBeLessOrEqualTo") && first == 0 ||
			m.Operator == "mustBeLessThan" && first <= 1 && !m.Percent
	}
	m.Operator = ""
	return false
}

// maxRows is more than a run may have.
const maxRows = 1e15

// trivial reports whether every count of rows, or every share, keeps the metric's bounds, and whether none does.
func (m *Metric) trivial() (always, never bool) {
	first := m.Bounds[0]
	nothingBetween := !m.Percent && len(m.Bounds) == 2 && m.Bounds[1] == first+1
	switch m.Operator {
	case "mustBeGreaterOrEqualTo":
		return first == 0, false
	case "mustBeGreaterThan":
		return false, m.Percent && first == 100
	case "mustBeLessThan":
		return false, first == 0
	case "mustBeLessOrEqualTo":
		return m.Percent && first == 100, false
	case "mustBeBetween":
		return false, nothingBetween
	case "mustNotBeBetween":
		return nothingBetween, false
	default:
		return false, false
	}
}

// arguments reads what a metric counts.
func (b *builder) arguments(o object, m *Metric, column *Column) (at node, ok bool) {
	allowed := map[string][]string{
		"missingValues": {"missingValues"}, "invalidValues": {"validValues", "pattern"}, "duplicateValues": {"properties"},
	}[m.Name]
	arguments := object{node: o.node, members: map[string]node{}}
	if v, ok := o.get("arguments"); ok {
		if len(allowed) == 0 {
			o.keyFault("arguments", "%s takes none: remove them", m.Name)
			return o.node, false
		}
		arguments = v.object(allowed...)
	}
	switch m.Name {
	case "duplicateValues":
		v, given := arguments.get("properties")
		switch {
		case given && column != nil:
			v.fault("a rule of one column is about that column: move it to schema[0].quality, or remove the list")
			return v, false
		case !given && column == nil:
			o.fault("arguments.properties is missing: list the columns whose values together must be unique")
			return o.node, false
		case !given && !column.Type.compared():
			o.fault("%s is an object or array, which are not compared: use a column of one of its members", column.Name)
			return o.node, false
		case !given:
			return o.node, true
		}
		m.Columns = nil
		for _, item := range v.list() {
			name, ok := item.nonEmpty()
			switch {
			case !ok:
			case b.column(name) == nil:
				item.fault("no column is called %s; %s", name, suggestion(name, b.names()))
			case !b.column(name).Type.compared():
				item.fault("%s is an object or array, which are not compared: use a column of one of its members", name)
			case slices.Contains(m.Columns, name):
				item.fault("%s stands twice: remove one", name)
			default:
				m.Columns = append(m.Columns, name)
				continue
			}
			return v, false
		}
		if len(m.Columns) == 0 && v.yaml.Kind == sequenceNode {
			v.fault("is empty: list the columns whose values together must be unique")
		}
		return v, len(m.Columns) > 0
	case "missingValues":
		v, given := arguments.get("missingValues")
		if !given {
			o.fault("arguments.missingValues is missing: list the texts that count as missing, as in [\"\", N/A]; null may be among them")
			return o.node, false
		}
		for _, item := range v.list() {
			text, ok := "", item.scalar("!!null")
			switch {
			case ok && m.MissingNull:
				item.fault("stands twice: remove one")
			case ok:
				m.MissingNull = true
				continue
			default:
				text, ok = item.scalarText()
			}
			if ok && slices.Contains(m.Missing, text) {
				item.fault("stands twice: remove one")
			} else if ok {
				m.Missing = append(m.Missing, text)
			}
		}
		if column.Type.Kind != String && len(m.Missing) > 0 {
			v.fault("%s is %s: texts count as missing in string columns only; for null use nullValues", column.Name, column.Type.Glue())
			return v, false
		}
		if len(m.Missing) == 0 && !m.MissingNull {
			if v.yaml.Kind == sequenceNode {
				v.fault("is empty: list the texts that count as missing")
			}
			return v, false
		}
		return v, true
	case "invalidValues":
		return b.validity(o, arguments, m, column)
	}
	return o.node, true
}

// validity reads what counts as valid: a list, a pattern, or both.
func (b *builder) validity(o, arguments object, m *Metric, column *Column) (node, bool) {
	values, listed := arguments.get("validValues")
	pattern, patterned := arguments.get("pattern")
	if !listed && !patterned {
		o.fault("arguments is missing: say what is valid with validValues or pattern")
		return o.node, false
	}
	at := pattern
	if listed {
		at = values
		if column.Type.Kind != String && column.Type.Kind != Integer {
			values.fault("%s is %s: values are listed for string and integer columns only", column.Name, column.Type.Glue())
			return at, false
		}
		for _, item := range values.list() {
			text, ok := item.scalarText()
			switch {
			case !ok:
				return at, false
			case column.Type.Kind == Integer && !integerText.MatchString(text):
				item.fault("is %s; want a whole number, as the column is", item.describe())
				return at, false
			case column.Type.Kind == String && !item.scalar("!!str"):
				item.fault("is %s; the column is a text: put the value in quotes", item.describe())
				return at, false
			case slices.Contains(m.Valid, text):
				item.fault("stands twice: remove one")
				return at, false
			}
			m.Valid = append(m.Valid, text)
		}
		if len(m.Valid) == 0 {
			if values.yaml.Kind == sequenceNode {
				values.fault("is empty: list what is valid")
			}
			return at, false
		}
	}
	if patterned {
		if column.Type.Kind != String {
			pattern.fault("%s is %s: a pattern is for string columns only", column.Name, column.Type.Glue())
			return at, false
		}
		if m.Pattern = pattern.pattern(); m.Pattern == nil {
			return at, false
		}
	}
	return at, true
}

// perRecord turns a metric that must count nothing into rules of its column.
func (b *builder) perRecord(at node, m *Metric, column *Column) {
	switch m.Name {
	case "duplicateValues":
		b.unique(at, m.Columns)
	case "nullValues":
		column.Required = true
	case "missingValues":
		column.Required = column.Required || m.MissingNull
		for _, text := range m.Missing {
			if !slices.Contains(column.Constraints.Missing, text) {
				column.Constraints.Missing = append(column.Constraints.Missing, text)
			}
		}
	case "invalidValues":
		k := &column.Constraints
		if len(m.Valid) > 0 {
			if k.Enum != nil {
				at.fault("the column has a list of valid values already: make one of the two")
			}
			k.Enum = m.Valid
			b.columns[b.index[column.Name]].valid = at.list()
		}
		if m.Pattern != nil {
			if k.Pattern != nil {
				at.fault("the column has a pattern already: make one of the two")
			}
			k.Pattern = m.Pattern
		}
	}
}

// names lists the columns.
func (b *builder) names() []string {
	names := make([]string, len(b.c.Columns))
	for i, c := range b.c.Columns {
		names[i] = c.Name
	}
	return names
}
