package contract

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
)

// Names of the values that an expression has besides the columns. They are the variables of the checked AST, dots
// included; a column called run or record does not hide them.
const (
	RunScheduledAt = "run.scheduledAt" // timestamp: the run's scheduled time, the same for all its rows
	RunFetchedAt   = "run.fetchedAt"   // timestamp: when the row's page was fetched
	RecordPage     = "record.page"     // int: the row's page, from 1
	RecordIndex    = "record.index"    // int: the row's place in the page, from 0
	RecordKey      = "record.key"      // string: the name of the member that is the record, where records are the members of an object
)

var contextTypes = map[string]*cel.Type{
	RunScheduledAt: cel.TimestampType, RunFetchedAt: cel.TimestampType, RecordPage: cel.IntType, RecordIndex: cel.IntType, RecordKey: cel.StringType,
}

// celTypes are the types that expressions see columns as. A date is its midnight in UTC.
var celTypes = map[Kind]*cel.Type{
	String: cel.StringType, Integer: cel.IntType, Double: cel.DoubleType, Boolean: cel.BoolType,
	Timestamp: cel.TimestampType, Date: cel.TimestampType,
}

// celTaken are names that the language itself gives to types: a column of that name is out of reach.
var celTaken = []string{
	"bool", "bytes", "double", "duration", "dyn", "google", "int", "list", "map", "null_type", "string", "timestamp", "type", "uint",
}

// Environment is the CEL environment that the contract's expressions were checked in: columns as variables by their
// names, and the names of run and record. Programs are built from Expr.AST in it.
func (c *Contract) Environment() (*cel.Env, error) {
	if c.env != nil {
		return c.env, nil
	}
	return environment(c.Columns)
}

func environment(columns []Column) (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.CrossTypeNumericComparisons(true), // price > 0 is what people write
		cel.DefaultUTCTimeZone(true),
		cel.ExtendedValidations(), // literals of regular expressions, durations and timestamps
	}
	for _, name := range slices.Sorted(maps.Keys(contextTypes)) {
		options = append(options, cel.Variable(name, contextTypes[name]))
	}
	for _, c := range columns {
		if t := celTypes[c.Type.Kind]; t != nil && c.Name != "" && !slices.Contains(celTaken, c.Name) {
			options = append(options, cel.Variable(c.Name, t))
		}
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("build CEL environment: %w", err)
	}
	return env, nil
}

// environment makes the environment of the columns read so far.
func (b *builder) environment() *cel.Env {
	seen := map[string]bool{}
	var columns []Column
	for _, c := range b.c.Columns {
		if !seen[c.Name] {
			columns = append(columns, c)
		}
		seen[c.Name] = true
	}
	env, err := environment(columns)
	if err != nil {
		b.root.fault("%v", err)
	}
	b.c.env = env
	return env
}

// expression parses and checks a CEL expression. It is nil after a fault, and where a column is used whose own type
// could not be read.
func (b *builder) expression(n node, env *cel.Env) *Expr {
	text, ok := n.nonEmpty()
	if !ok || env == nil {
		return nil
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		for _, e := range issues.Errors() {
			if message := b.explain(e.Message); message != "" {
				line, column := n.within(e.Location.Line(), e.Location.Column())
				n.d.faultAt(line, column, n.path, "%s", message)
			}
		}
		return nil
	}
	if !b.sound(n, ast, env) {
		return nil
	}
	e := &Expr{Source: text, AST: ast, Line: n.yaml.Line}
	for _, reference := range ast.NativeRep().ReferenceMap() {
		switch name := reference.Name; {
		case contextTypes[name] != nil:
			e.Context = append(e.Context, name)
		case b.column(name) != nil:
			e.Columns = append(e.Columns, name)
		}
	}
	slices.Sort(e.Columns)
	slices.Sort(e.Context)
	e.Columns, e.Context = slices.Compact(e.Columns), slices.Compact(e.Context)
	return e
}

// within finds a place of the expression in the file, exactly where the text stands on one line without escapes.
func (n node) within(line, column int) (int, int) {
	switch n.yaml.Style {
	case 0:
		if line == 1 {
			return n.yaml.Line, n.yaml.Column + column
		}
	case singleQuoted, doubleQuoted:
		if line == 1 && !strings.ContainsAny(n.yaml.Value, "'\"\\") {
			return n.yaml.Line, n.yaml.Column + 1 + column
		}
	case literalBlock:
		return n.yaml.Line + line, n.yaml.Column
	default:
	}
	return n.yaml.Line, n.yaml.Column
}

// explain says in the contract's words what cel-go says in its own; "" where the cause is reported elsewhere.
func (b *builder) explain(message string) string {
	if name, ok := between(message, "undeclared reference to '", "'"); ok {
		name, _, _ = strings.Cut(name, ".")
		if name == "run" || name == "record" {
			return fmt.Sprintf("%s has no such member; known are %s", name, strings.Join(slices.Sorted(maps.Keys(contextTypes)), ", "))
		}
		c := b.column(name)
		if c == nil {
			return fmt.Sprintf("no column or function is called %s; %s", name, suggestion(name, b.usable()))
		}
		switch c.Type.Kind {
		case 0:
			return ""
		case Decimal:
			return fmt.Sprintf("%s is a decimal, and CEL has no exact decimals: bound it with minimum and maximum, or make it a double", name)
		case List, Struct, JSON:
			return fmt.Sprintf("%s is an object or array: make a column of the member you mean with transformSourceObjects", name)
		default:
			return fmt.Sprintf("%s means a type in CEL: give the column another physicalName", name)
		}
	}
	if overloads, ok := strings.CutPrefix(message, "found no matching overload for "); ok {
		hint := "the types do not fit"
		if name, ok := between(overloads, "type(", ")"); ok {
			hint = fmt.Sprintf("%s means a type in CEL: give a column of that name another physicalName", name)
		} else if strings.Contains(overloads, "int") && strings.Contains(overloads, "double") {
			hint = "CEL does not mix whole and floating numbers in arithmetic: write 2.0 for 2, or double(x)"
		} else if strings.Contains(overloads, "null") {
			hint = "a null operand makes the rule pass: say required: true where null is wrong"
		}
		return overloads + ": " + hint
	}
	if function, ok := between(message, "invalid ", " argument"); ok {
		hint := "correct it"
		if function == "matches" {
			hint = "correct it; RE2 has no lookaround and no backreferences"
		}
		return fmt.Sprintf("the text given to %s cannot be read: %s", function, hint)
	}
	if problem, ok := strings.CutPrefix(message, "Syntax error: "); ok {
		problem, _, _ = strings.Cut(problem, " expecting ") // what follows is the grammar
		if word, ok := between(problem, "'", "'"); ok && b.column(word) != nil {
			return fmt.Sprintf("%s is a word of CEL's own: give the column another physicalName", word)
		}
		return "no CEL expression: " + strings.ReplaceAll(problem, "'<EOF>'", "end")
	}
	if word, ok := strings.CutPrefix(message, "reserved identifier: "); ok {
		return fmt.Sprintf("%s is a word of CEL's own: give the column another physicalName", word)
	}
	if strings.Contains(message, "recursion") || strings.Contains(message, "exceeds limit") {
		return message + ": split the expression into derived columns"
	}
	return message + ": correct the expression"
}

// between cuts the text that stands between two others.
func between(text, before, after string) (string, bool) {
	_, text, ok := strings.Cut(text, before)
	if !ok {
		return "", false
	}
	text, _, ok = strings.Cut(text, after)
	return text, ok
}

// column finds a column by its name.
func (b *builder) column(name string) *Column {
	if i, ok := b.index[name]; ok {
		return &b.c.Columns[i]
	}
	return nil
}

// usable names the columns that expressions may use.
func (b *builder) usable() []string {
	var names []string
	for _, c := range b.c.Columns {
		if celTypes[c.Type.Kind] != nil {
			names = append(names, c.Name)
		}
	}
	return names
}

// derive checks the expressions of derived columns: their types, and that they do not go in a circle.
func (b *builder) derive(env *cel.Env) {
	for i, at := range b.columns {
		v, ok := at.get("transformLogic")
		if !ok {
			continue
		}
		c := &b.c.Columns[i]
		want := celTypes[c.Type.Kind]
		switch {
		case c.Type.Kind == 0: // its fault is reported
			v.nonEmpty()
			continue
		case c.Type.Kind == Decimal:
			v.fault("a decimal cannot be derived, because CEL has no exact decimals: make the column a double")
			continue
		case want == nil:
			v.fault("an object or array cannot be derived: derive one column for each member")
			continue
		}
		e := b.expression(v, env)
		if e == nil {
			continue
		}
		if got := e.AST.OutputType(); !want.IsExactType(got) {
			v.fault("gives %s, but the column is %s, which is %s in CEL: convert it, as in %s(…), or change the column",
				got, c.Type.Glue(), want, want)
			continue
		}
		if c.Type.Time.Epoch != 0 || c.Type.Time.Pattern != "" {
			v.fault("a derived column is not read from text or numbers: remove format and epoch")
			continue
		}
		c.Derived = e
	}
	b.circles()
	b.hideDerived()
}

// circles reports derived columns that need themselves, each circle once, at its first column.
func (b *builder) circles() {
	const (
		open = 1
		done = 2
	)
	state := map[string]int{}
	var way []string
	var visit func(name string)
	visit = func(name string) {
		c := b.column(name)
		if c == nil || c.Derived == nil || state[name] == done {
			return
		}
		if state[name] == open {
			circle := append(slices.Clone(way[slices.Index(way, name):]), name)
			b.columns[b.index[name]].members["transformLogic"].fault("the column needs itself (%s): break the circle", strings.Join(circle, " ← "))
			return
		}
		state[name] = open
		way = append(way, name)
		for _, column := range c.Derived.Columns {
			visit(column)
		}
		way = way[:len(way)-1]
		state[name] = done
	}
	for _, c := range b.c.Columns {
		visit(c.Name)
	}
}
