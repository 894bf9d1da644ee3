//go:build cgo

package main

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"

	"tributary/shared/contract"
)

// schema is the contract in DuckDB's SQL: the members that are read, and the rules that a record is held to. It leaves out
// derived columns, and the rules of fields within structs and lists.
type schema struct {
	columns  []column
	rules    []rule // besides types
	uniques  [][]string
	warnings []string // conditions of rules that keep the row
}

// column is a member that is read.
type column struct {
	name, typ string
	kind      contract.Kind
}

// rule is a violation's name and the condition of having it.
type rule struct{ name, broken string }

// translate fails where the contract has a rule that this does not know in SQL: a comparison is of the same work.
func translate(c *contract.Contract) (*schema, error) {
	s := &schema{}
	derived := map[string]bool{}
	for i := range c.Columns {
		column := &c.Columns[i]
		if column.Derived != nil || len(column.Path) != 1 {
			derived[column.Name] = true
			continue
		}
		if err := s.add(column); err != nil {
			return nil, fmt.Errorf("translate column %s into SQL: %w", column.Name, err)
		}
	}
	for _, r := range c.Rules {
		condition, err := condition(r.Expr.Source)
		if err != nil {
			return nil, fmt.Errorf("translate rule %s into SQL: %w", r.ID, err)
		}
		if r.Severity == contract.Warning {
			s.warnings = append(s.warnings, condition)
			continue
		}
		s.rules = append(s.rules, rule{": " + r.ID, "NOT (" + condition + ")"})
	}
	for _, set := range c.Uniques {
		var columns []string
		for _, name := range set {
			if !derived[name] {
				columns = append(columns, name)
			}
		}
		if len(columns) != 1 {
			return nil, fmt.Errorf("translate key %v into SQL: it has %d columns that are read, and this knows keys of one", set, len(columns))
		}
		s.uniques = append(s.uniques, columns)
	}
	if len(s.uniques) != 1 {
		return nil, fmt.Errorf("translate keys into SQL: there are %d, and this knows one", len(s.uniques))
	}
	return s, nil
}

func (s *schema) add(c *contract.Column) error {
	if c.Name != c.Member {
		return fmt.Errorf("it is read from member %s, and this knows members of the column's name", c.Member)
	}
	s.columns = append(s.columns, column{name: c.Name, typ: typeOf(c.Type), kind: c.Type.Kind})
	broken := func(name, condition string, args ...any) {
		s.rules = append(s.rules, rule{"/" + c.Name + ": " + name, fmt.Sprintf(condition, args...)})
	}
	column := identifier(c.Name)
	if c.Required {
		broken("required", "%s IS NULL", column)
	}
	if c.Type.Kind == contract.Double {
		broken("overflow", "isinf(%s)", column)
	}
	o := &c.Constraints
	for _, bound := range []struct {
		rule, operator string
		limit          *big.Rat
	}{{"minimum", "<", o.Minimum}, {"maximum", ">", o.Maximum}, {"exclusiveMinimum", "<=", o.ExclusiveMinimum}, {"exclusiveMaximum", ">=", o.ExclusiveMaximum}} {
		if bound.limit == nil {
			continue
		}
		digits, exact := bound.limit.FloatPrec()
		if !exact || c.Type.Kind != contract.Double && c.Type.Kind != contract.Integer {
			return fmt.Errorf("this knows no %s of %s", bound.rule, bound.limit)
		}
		broken(bound.rule, "%s %s %s", column, bound.operator, bound.limit.FloatString(digits))
	}
	if o.MinLength != nil {
		broken("minLength", "length(%s) < %d", column, *o.MinLength)
	}
	if o.MaxLength != nil {
		broken("maxLength", "length(%s) > %d", column, *o.MaxLength)
	}
	if o.Pattern != nil || o.Format != "" && c.Type.Kind == contract.String || o.MultipleOf != nil || o.MinItems != nil || o.MaxItems != nil || o.UniqueItems ||
		len(o.Enum) > 0 || len(o.Missing) > 0 {
		return fmt.Errorf("this knows required, bounds and lengths, and it has other rules")
	}
	return nil
}

// alike is what CEL and SQL write the same: comparisons and arithmetic of columns and numbers.
var alike = regexp.MustCompile(`^[A-Za-z0-9_.+*() -]+(<=|>=|==|!=|<|>)[A-Za-z0-9_.+*() -]+$`)

// condition is a CEL comparison as SQL. With a null operand it is null, and so not broken, as the contract has it.
func condition(cel string) (string, error) {
	if !alike.MatchString(cel) {
		return "", fmt.Errorf("%q is more than a comparison of sums and products", cel)
	}
	return strings.Replace(cel, "==", "=", 1), nil
}

// readJSON is the file as a table. As text, what may fail to be cast is left as it is.
func (s *schema) readJSON(in string, asText bool) string {
	list := make([]string, len(s.columns))
	for i, c := range s.columns {
		typ := c.typ
		if asText && c.castable() {
			typ = "VARCHAR"
		}
		list[i] = quote(c.name) + ": " + quote(typ)
	}
	return "read_json(" + quote(in) + ", columns = {" + strings.Join(list, ", ") + "})"
}

func (c column) castable() bool {
	switch c.kind {
	case contract.String, contract.JSON, contract.List, contract.Struct:
		return false
	default:
		return true
	}
}

func (s *schema) names() string {
	names := make([]string, len(s.columns))
	for i, c := range s.columns {
		names[i] = identifier(c.name)
	}
	return strings.Join(names, ", ")
}

// check leaves typed records with their violations in the table checked, in the order of the file.
func (s *schema) check(in string, asText bool) string {
	values, found := make([]string, len(s.columns)), []string{}
	for i, c := range s.columns {
		name := identifier(c.name)
		values[i] = name
		if !asText || !c.castable() {
			continue
		}
		typed := "TRY_CAST(" + name + " AS " + c.typ + ")"
		values[i] = typed + " AS " + name
		wrong := name + " IS NOT NULL AND " + typed + " IS NULL"
		if c.kind == contract.Integer { // DuckDB rounds fractions
			wrong += " OR " + typed + " <> TRY_CAST(" + name + " AS DOUBLE)"
		}
		found = append(found, "CASE WHEN "+wrong+" THEN "+quote("/"+c.name+": type")+" END")
	}
	// The rules see values; required is of what was there, which may have been no value.
	inner := "SELECT " + strings.Join(values, ", ") + ", list_filter([" + strings.Join(found, ", ") + "]::VARCHAR[], lambda name: name IS NOT NULL) AS untyped"
	rules := make([]string, len(s.rules))
	for i, r := range s.rules {
		rules[i] = "CASE WHEN " + r.broken + " THEN " + quote(r.name) + " END"
		if column, required := strings.CutSuffix(r.name, ": required"); required && asText {
			rules[i] = "CASE WHEN " + r.broken + " AND NOT list_contains(untyped, " + quote(column+": type") + ") THEN " + quote(r.name) + " END"
		}
	}
	return "CREATE TEMP TABLE checked AS SELECT " + s.names() +
		", untyped || list_filter([" + strings.Join(rules, ", ") + "], lambda name: name IS NOT NULL) AS violations FROM (" +
		inner + " FROM " + s.readJSON(in, asText) + ")"
}

// reject leaves the records with violations in the table rejected. Of two records with one key the later is one of them;
// a record that is rejected for another reason claims no key. rowid counts the records from 0.
func (s *schema) reject() string {
	key := s.uniques[0][0]
	return fmt.Sprintf(`
		CREATE TEMP TABLE rejected AS
		SELECT checked.rowid AS index, violations || CASE WHEN checked.rowid > first THEN [%[2]s] ELSE [] END AS violations
		FROM checked
		LEFT JOIN (SELECT %[1]s, min(rowid) FILTER (WHERE len(violations) = 0) AS first FROM checked GROUP BY %[1]s HAVING count(*) > 1) USING (%[1]s)
		WHERE len(violations) > 0 OR checked.rowid > first`, identifier(key), quote("/"+key+": unique"))
}

func typeOf(t contract.Type) string {
	switch t.Kind {
	case contract.Integer:
		return "BIGINT"
	case contract.Double:
		return "DOUBLE"
	case contract.Boolean:
		return "BOOLEAN"
	case contract.Timestamp:
		return "TIMESTAMPTZ" // TIMESTAMP would drop the offset of the text
	case contract.Date:
		return "DATE"
	case contract.Decimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale)
	case contract.JSON:
		return "JSON"
	case contract.List:
		return typeOf(t.Elem.Type) + "[]"
	case contract.Struct:
		fields := make([]string, len(t.Fields))
		for i := range t.Fields {
			fields[i] = identifier(t.Fields[i].Member) + " " + typeOf(t.Fields[i].Type)
		}
		return "STRUCT(" + strings.Join(fields, ", ") + ")"
	default:
		return "VARCHAR"
	}
}

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
