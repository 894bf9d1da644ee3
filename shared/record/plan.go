package record

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"

	"tributary/shared/contract"
)

// DefaultRecordLimit is the largest record in bytes where the contract declares no limit.
const DefaultRecordLimit = 16 << 20

// MaxUnknown is how many unknown members of one object are counted by name; the rest is counted together, and so are
// names of more than maxUnknownName bytes.
const (
	MaxUnknown     = 100
	maxUnknownName = 256
)

// Plan is a contract compiled for reading: immutable, to be shared by any number of readers.
type Plan struct {
	contract *contract.Contract
	columns  []column // one for each of the contract, in its order
	leaves   []contract.Leaf
	derived  []int // indexes of the columns to derive for each record, in the order they need each other
	rules    []contract.Rule
	uniques  [][]int // sets of columns, without those that are the same throughout a run
	limit    int     // of a record, in bytes
	window   int     // what is in memory of a page of small records

	env         *cel.Env
	programs    map[*contract.Expr]cel.Program // of the expressions that are not closures
	interpreted bool                           // leave all expressions to cel-go, to compare with
}

// column is a column of the contract with what reading it needs at hand; what every value needs stands together, in the
// first cache line.
type column struct {
	kind       contract.Kind
	def        byte // definition level of a value
	rep        byte // List: repetition level of its further elements
	flat       bool // a leaf whose nulls are in Vector.Valid
	repeated   bool // a leaf below a list
	required   bool
	checked    bool // there is more to test than the inline test does
	impossible bool // a bound that no integer of 64 bits keeps

	minFloat, maxFloat   float64 // what the inline tests let through
	tiny                 float64 // what is nearer to zero is no number for DynamoDB
	minInt, maxInt       int64
	minLength, maxLength int

	*contract.Column
	pointer          string // JSON Pointer below the record; * stands for the place in a list
	want             string // what a value must be, for messages
	around           int    // levels that are open around a value
	leaf             int    // the first leaf
	lineage          lineage
	minWide, maxWide wide
	bounds           []bound
	enum             map[string]bool
	missing          map[string]bool // texts that stand for no value

	inner []column // Struct: its fields; List: the element
}

// lineage is a derived column that is the same for many rows: it is filled in batches, not by record.
type lineage uint8

const (
	noLineage lineage = iota
	runScheduledAt
	runFetchedAt
	recordPage
	recordIndex
)

// bound is one limit of a number, exact and in the unit of the column.
type bound struct {
	rule  string
	limit *big.Rat
	float float64
	text  string
}

// Compile prepares a contract for reading.
func Compile(c *contract.Contract) (*Plan, error) { return compile(c, false) }

func compile(c *contract.Contract, interpreted bool) (*Plan, error) {
	p := &Plan{contract: c, leaves: contract.Leaves(c.Columns), rules: c.Rules, limit: recordLimit(&c.Source), window: windowSize, interpreted: interpreted}
	leaf := 0
	for i := range c.Columns {
		compiled, err := compileColumn(&c.Columns[i], place{around: len(c.Columns[i].Path), leaf: &leaf})
		if err != nil {
			return nil, fmt.Errorf("compile column %s of %s: %w", c.Columns[i].Name, c.Dataset, err)
		}
		if isServed(c.Serving, compiled.Name) {
			compiled.serve()
		}
		p.columns = append(p.columns, compiled)
	}
	if leaf != len(p.leaves) {
		return nil, fmt.Errorf("compile contract %s: its columns have %d leaves, its Parquet schema %d", c.Dataset, leaf, len(p.leaves))
	}
	if err := p.orderDerived(); err != nil {
		return nil, fmt.Errorf("compile contract %s: %w", c.Dataset, err)
	}
	if len(c.Uniques) > 64 {
		return nil, fmt.Errorf("compile contract %s: %d unique keys, at most 64 are looked after", c.Dataset, len(c.Uniques))
	}
	for _, names := range c.Uniques {
		var set []int
		for _, name := range names {
			i := p.index(name)
			if i < 0 {
				return nil, fmt.Errorf("compile contract %s: no column %s to be unique", c.Dataset, name)
			}
			switch {
			case p.columns[i].inner != nil || p.columns[i].kind == contract.JSON:
				return nil, fmt.Errorf("compile contract %s: column %s is an object or array and cannot be unique", c.Dataset, name)
			case p.columns[i].lineage != runScheduledAt:
				set = append(set, i)
			}
		}
		p.uniques = append(p.uniques, set)
	}
	if err := p.planPrograms(); err != nil {
		return nil, err
	}
	return p, nil
}

func recordLimit(s *contract.Source) int {
	if s.Limits.Record > 0 {
		return s.Limits.Record
	}
	return DefaultRecordLimit
}

func (p *Plan) index(name string) int {
	return slices.IndexFunc(p.columns, func(c column) bool { return c.Name == name })
}

func isServed(s *contract.Serving, name string) bool {
	return s != nil && (name == s.PartitionKey || name == s.SortKey || name == s.Version || slices.Contains(s.Attributes, name))
}

// The numbers that DynamoDB holds, beside zero.
const (
	smallestServed = 1e-130
	largestServed  = 9.99e125
)

// serve bounds a column to what the serving table can hold.
func (k *column) serve() {
	k.tiny = smallestServed
	k.minFloat = max(k.minFloat, -largestServed)
	k.maxFloat = min(k.maxFloat, largestServed)
}

// orderDerived sorts the derived columns so that each comes after those it reads.
func (p *Plan) orderDerived() error {
	state := make([]int, len(p.columns)) // 1: being looked at, 2: done
	var visit func(i int) error
	visit = func(i int) error {
		c := &p.columns[i]
		if c.Derived == nil || state[i] == 2 {
			return nil
		}
		if state[i] == 1 {
			return fmt.Errorf("derived column %s needs itself", c.Name)
		}
		state[i] = 1
		for _, name := range c.Derived.Columns {
			if j := p.index(name); j >= 0 {
				if err := visit(j); err != nil {
					return err
				}
			}
		}
		state[i] = 2
		if c.lineage == noLineage {
			p.derived = append(p.derived, i)
		}
		return nil
	}
	for i := range p.columns {
		if err := visit(i); err != nil {
			return err
		}
	}
	return nil
}

// place is where a column stands.
type place struct {
	def, rep byte
	around   int
	pointer  string
	leaf     *int
}

func compileColumn(c *contract.Column, at place) (column, error) {
	t := c.Type
	at.def++
	k := column{
		Column: c, kind: t.Kind, required: c.Required, leaf: *at.leaf, def: at.def, around: at.around, pointer: at.pointer, want: describe(t),
		minFloat: math.Inf(-1), maxFloat: math.Inf(1), minInt: math.MinInt64, maxInt: math.MaxInt64, maxLength: math.MaxInt,
		minWide: wide{math.MinInt64, 0}, maxWide: wide{math.MaxInt64, math.MaxUint64},
	}
	if at.pointer == "" {
		for _, token := range c.Path {
			k.pointer += "/" + escapeToken(token)
		}
		if c.Derived != nil {
			k.pointer = "/" + escapeToken(c.Name)
		}
	}
	switch t.Kind {
	case contract.Struct:
		for i := range t.Fields {
			f := &t.Fields[i]
			inner, err := compileColumn(f, place{def: at.def, rep: at.rep, around: at.around + 1, pointer: k.pointer + "/" + escapeToken(f.Member), leaf: at.leaf})
			if err != nil {
				return k, fmt.Errorf("field %s: %w", f.Name, err)
			}
			k.inner = append(k.inner, inner)
		}
	case contract.List:
		k.rep = at.rep + 1
		inner, err := compileColumn(t.Elem, place{def: at.def + 1, rep: k.rep, around: at.around + 1, pointer: k.pointer + anyItem, leaf: at.leaf})
		if err != nil {
			return k, fmt.Errorf("items: %w", err)
		}
		k.inner = []column{inner}
	case contract.String, contract.Integer, contract.Double, contract.Decimal, contract.Boolean, contract.Timestamp, contract.Date, contract.JSON:
		k.flat = at.def == 1 && at.rep == 0
		k.repeated = at.rep > 0
		*at.leaf++
	default:
		return k, fmt.Errorf("kind %d is unknown", t.Kind)
	}
	k.lineage = lineageOf(c)
	return k, k.constrain()
}

// lineageOf recognises the derived columns that need no evaluation.
func lineageOf(c *contract.Column) lineage {
	if c.Derived == nil || c.Constraints.Minimum != nil || c.Constraints.Maximum != nil || c.Constraints.ExclusiveMinimum != nil ||
		c.Constraints.ExclusiveMaximum != nil || c.Constraints.MultipleOf != nil {
		return noLineage
	}
	switch source := strings.TrimSpace(c.Derived.Source); {
	case c.Type.Kind == contract.Timestamp && source == "run.scheduledAt":
		return runScheduledAt
	case c.Type.Kind == contract.Timestamp && source == "run.fetchedAt":
		return runFetchedAt
	case c.Type.Kind == contract.Integer && source == "record.page":
		return recordPage
	case c.Type.Kind == contract.Integer && source == "record.index":
		return recordIndex
	}
	return noLineage
}

// constrain prepares the tests of a column's values.
func (k *column) constrain() error {
	o := &k.Constraints
	if o.MinLength != nil {
		k.minLength = *o.MinLength
	}
	if o.MaxLength != nil {
		k.maxLength = *o.MaxLength
	}
	for _, b := range []struct {
		rule  string
		limit *big.Rat
	}{
		{RuleMinimum, o.Minimum},
		{RuleAboveMinimum, o.ExclusiveMinimum},
		{RuleMaximum, o.Maximum},
		{RuleBelowMaximum, o.ExclusiveMaximum},
	} {
		if b.limit != nil {
			f, _ := b.limit.Float64()
			k.bounds = append(k.bounds, bound{rule: b.rule, limit: b.limit, float: f, text: k.boundText(b.limit)})
			k.narrow(b.rule, b.limit, f)
		}
	}
	k.enum, k.missing = textSet(o.Enum), textSet(o.Missing)
	if o.Format != "" && formats[o.Format] == nil {
		return fmt.Errorf("format %q is unknown", o.Format)
	}
	k.checked = k.impossible || o.MultipleOf != nil || o.Pattern != nil || o.Format != "" || k.enum != nil || k.missing != nil ||
		o.MinItems != nil || o.MaxItems != nil || o.UniqueItems
	return nil
}

func textSet(texts []string) map[string]bool {
	if len(texts) == 0 {
		return nil
	}
	set := make(map[string]bool, len(texts))
	for _, text := range texts {
		set[text] = true
	}
	return set
}

// narrow sets the limits of the inline tests, so that no value which breaks the bound passes them.
func (k *column) narrow(rule string, limit *big.Rat, f float64) {
	if k.kind == contract.Decimal {
		limit = new(big.Rat).Mul(limit, new(big.Rat).SetInt(powerOfTen(k.Type.Scale)))
	}
	whole := new(big.Int).Div(limit.Num(), limit.Denom()) // towards minus infinity: the denominator is positive
	one := big.NewInt(1)
	switch rule {
	case RuleMinimum, RuleAboveMinimum:
		if rule == RuleAboveMinimum || !limit.IsInt() {
			whole.Add(whole, one)
		}
		if rule == RuleAboveMinimum {
			f = math.Nextafter(f, math.Inf(1))
		}
		k.minFloat = max(k.minFloat, f)
		if w := wideOf(whole); k.minWide.less(w) {
			k.minWide = w
		}
		n, none := clamp(whole, 1)
		k.minInt = max(k.minInt, n)
		k.impossible = k.impossible || none && k.kind != contract.Decimal && k.kind != contract.Double
	default:
		if rule == RuleBelowMaximum && limit.IsInt() {
			whole.Sub(whole, one)
		}
		if rule == RuleBelowMaximum {
			f = math.Nextafter(f, math.Inf(-1))
		}
		k.maxFloat = min(k.maxFloat, f)
		if w := wideOf(whole); w.less(k.maxWide) {
			k.maxWide = w
		}
		n, none := clamp(whole, -1)
		k.maxInt = min(k.maxInt, n)
		k.impossible = k.impossible || none && k.kind != contract.Decimal && k.kind != contract.Double
	}
}

// clamp brings a bound into 64 bits; none says that no value of 64 bits keeps it, side being 1 for a lower bound and
// -1 for an upper one.
func clamp(n *big.Int, side int) (v int64, none bool) {
	switch {
	case n.IsInt64():
		return n.Int64(), false
	case n.Sign() > 0:
		return math.MaxInt64, side > 0
	}
	return math.MinInt64, side < 0
}

// boundText prints a limit as a reader of the message knows it.
func (k *column) boundText(limit *big.Rat) string {
	if limit.IsInt() && limit.Num().IsInt64() {
		switch n := limit.Num().Int64(); k.kind {
		case contract.Timestamp:
			return string(appendTimestamp(nil, n))
		case contract.Date:
			return string(appendDate(nil, n))
		default:
		}
	}
	if limit.IsInt() {
		return limit.Num().String()
	}
	if digits, exact := limit.FloatPrec(); exact {
		return limit.FloatString(digits)
	}
	return limit.RatString()
}

func describe(t contract.Type) string {
	switch t.Kind {
	case contract.Double:
		return "number"
	case contract.Integer:
		return "integer"
	case contract.Decimal:
		return "decimal(" + strconv.Itoa(t.Precision) + "," + strconv.Itoa(t.Scale) + ")"
	case contract.Boolean:
		return "boolean"
	case contract.Timestamp, contract.Date:
		kind := "timestamp"
		if t.Kind == contract.Date {
			kind = "date"
		}
		switch {
		case t.Time.Epoch != 0:
			return kind + " as an epoch number"
		case t.Time.Pattern != "":
			return kind + " of the form " + t.Time.Pattern
		case t.Kind == contract.Date:
			return "date (yyyy-MM-dd)"
		}
		return "timestamp (RFC 3339)"
	case contract.Struct:
		return "object"
	case contract.List:
		return "array"
	default:
		return "string"
	}
}

// escapeToken writes a member's name as a token of a JSON Pointer.
func escapeToken(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

var arrayIndex = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})$`)
