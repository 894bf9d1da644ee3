package record

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"tributary/shared/contract"
)

// An expression in compiled form is a closure over the row at hand, one type for each of CEL's. What fails leaves its
// reason in decoder.fault and returns anything.
type (
	floatExpr func(*decoder) float64
	intExpr   func(*decoder) int64 // also timestamps, as epoch milliseconds
	boolExpr  func(*decoder) bool
	textExpr  func(*decoder) []byte
)

// compiler turns the common part of CEL into closures: literals, columns, comparison, arithmetic and logic. What it
// does not know it declines, and cel-go evaluates the whole expression; both give the same.
type compiler struct {
	d   *decoder
	ast *ast.AST
}

// test compiles a rule; nil when cel-go must evaluate it.
func (p *Plan) test(d *decoder, e *contract.Expr) boolExpr {
	if p.interpreted {
		return nil
	}
	c := compiler{d: d, ast: e.AST.NativeRep()}
	return c.bool(c.ast.Expr())
}

// value compiles the expression of a derived column; nil when cel-go must evaluate it.
func (p *Plan) value(d *decoder, e *contract.Expr, kind contract.Kind) func(*decoder, *field) {
	if p.interpreted {
		return nil
	}
	c := compiler{d: d, ast: e.AST.NativeRep()}
	return c.derived(kind)
}

func (c *compiler) kind(e ast.Expr) types.Kind { return c.ast.GetType(e.ID()).Kind() }

// name gives the variable that e is.
func (c *compiler) name(e ast.Expr) string {
	if r := c.ast.ReferenceMap()[e.ID()]; r != nil && r.Name != "" && r.Value == nil {
		return r.Name
	}
	return ""
}

// column gives the column that e is.
func (c *compiler) column(e ast.Expr) *field {
	if i := c.d.plan.index(c.name(e)); i >= 0 {
		return c.d.tops[i]
	}
	return nil
}

// call gives the function and arguments of e; "" when it is no call.
func call(e ast.Expr) (function string, args []ast.Expr) {
	if e.Kind() != ast.CallKind {
		return "", nil
	}
	k := e.AsCall()
	if k.IsMemberFunction() {
		return k.FunctionName(), append([]ast.Expr{k.Target()}, k.Args()...)
	}
	return k.FunctionName(), k.Args()
}

func (d *decoder) failing(reason string) { d.fault = reason }

func (c *compiler) float(e ast.Expr) floatExpr {
	if e.Kind() == ast.LiteralKind {
		switch v := e.AsLiteral().(type) {
		case types.Double:
			return func(*decoder) float64 { return float64(v) }
		case types.Int:
			// In a comparison with a double, which takes a whole number as it is.
			if n := int64(v); n <= exactUint && n >= -exactUint {
				return func(*decoder) float64 { return float64(n) }
			}
		}
		return nil
	}
	if c.kind(e) != types.DoubleKind {
		return nil
	}
	if f := c.column(e); f != nil {
		return func(*decoder) float64 { return f.vec.F64[len(f.vec.F64)-1] }
	}
	function, args := call(e)
	switch {
	case function == operators.Conditional:
		if test, a, b := c.bool(args[0]), c.float(args[1]), c.float(args[2]); test != nil && a != nil && b != nil {
			return func(d *decoder) float64 {
				if test(d) {
					return a(d)
				}
				return b(d)
			}
		}
	case function == "double" && c.kind(args[0]) == types.IntKind:
		if a := c.int(args[0]); a != nil {
			return func(d *decoder) float64 { return float64(a(d)) }
		}
	case function == operators.Negate:
		if a := c.float(args[0]); a != nil {
			return func(d *decoder) float64 { return -a(d) }
		}
	case len(args) == 2 && c.kind(args[0]) == types.DoubleKind && c.kind(args[1]) == types.DoubleKind:
		a, b := c.float(args[0]), c.float(args[1])
		if a == nil || b == nil {
			return nil
		}
		switch function {
		case operators.Add:
			return func(d *decoder) float64 { return a(d) + b(d) }
		case operators.Subtract:
			return func(d *decoder) float64 { return a(d) - b(d) }
		case operators.Multiply:
			return func(d *decoder) float64 { return a(d) * b(d) }
		case operators.Divide:
			return func(d *decoder) float64 { return a(d) / b(d) }
		}
	}
	return nil
}

func (c *compiler) int(e ast.Expr) intExpr {
	if e.Kind() == ast.LiteralKind {
		if v, ok := e.AsLiteral().(types.Int); ok {
			return func(*decoder) int64 { return int64(v) }
		}
		return nil
	}
	kind := c.kind(e)
	if kind != types.IntKind && kind != types.TimestampKind {
		return nil
	}
	if name := c.name(e); name != "" {
		return c.intVariable(name)
	}
	function, args := call(e)
	if function == operators.Conditional {
		if test, a, b := c.bool(args[0]), c.int(args[1]), c.int(args[2]); test != nil && a != nil && b != nil {
			return func(d *decoder) int64 {
				if test(d) {
					return a(d)
				}
				return b(d)
			}
		}
		return nil
	}
	if kind == types.TimestampKind {
		return c.timestamp(function, args)
	}
	if function == "size" && len(args) == 1 {
		if a := c.text(args[0]); a != nil {
			return func(d *decoder) int64 { return int64(utf8.RuneCount(a(d))) }
		}
		return nil
	}
	for _, arg := range args {
		if c.kind(arg) != types.IntKind {
			return nil
		}
	}
	switch len(args) {
	case 1:
		if a := c.int(args[0]); a != nil && function == operators.Negate {
			return func(d *decoder) int64 {
				v := a(d)
				if v == math.MinInt64 {
					d.failing("integer overflow")
				}
				return -v
			}
		}
	case 2:
		a, b := c.int(args[0]), c.int(args[1])
		if operation := intOperations[function]; operation != nil && a != nil && b != nil {
			return func(d *decoder) int64 {
				v, fault := operation(a(d), b(d))
				if fault != "" {
					d.failing(fault)
				}
				return v
			}
		}
	}
	return nil
}

// intVariable reads a column of whole numbers, or what an expression knows of its run and record.
func (c *compiler) intVariable(name string) intExpr {
	source := noLineage
	switch name {
	case contract.RunScheduledAt:
		source = runScheduledAt
	case contract.RunFetchedAt:
		source = runFetchedAt
	case contract.RecordPage:
		source = recordPage
	case contract.RecordIndex:
		source = recordIndex
	}
	var f *field
	if i := c.d.plan.index(name); i >= 0 && source == noLineage {
		f = c.d.tops[i]
		source = f.lineage
	}
	switch {
	case source == runScheduledAt:
		return func(d *decoder) int64 { return d.scheduledAt }
	case source == runFetchedAt:
		return func(d *decoder) int64 { return d.fetchedAt }
	case source == recordPage:
		return func(d *decoder) int64 { return int64(d.page) }
	case source == recordIndex:
		return func(d *decoder) int64 { return d.index }
	case f == nil:
		return nil
	case f.kind == contract.Date:
		return func(*decoder) int64 { return int64(f.vec.I32[len(f.vec.I32)-1]) * millisPerDay }
	}
	return func(*decoder) int64 { return f.vec.I64[len(f.vec.I64)-1] }
}

// timestamp takes a constant time of whole milliseconds.
func (c *compiler) timestamp(function string, args []ast.Expr) intExpr {
	if function != "timestamp" || len(args) != 1 || args[0].Kind() != ast.LiteralKind {
		return nil
	}
	text, ok := args[0].AsLiteral().(types.String)
	if !ok {
		return nil
	}
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil || t.Nanosecond()%1e6 != 0 {
		return nil
	}
	ms := t.UnixMilli()
	return func(*decoder) int64 { return ms }
}

var intOperations = map[string]func(a, b int64) (int64, string){
	operators.Add: func(a, b int64) (int64, string) {
		v := a + b
		return v, overflowWhen((v > a) != (b > 0))
	},
	operators.Subtract: func(a, b int64) (int64, string) {
		v := a - b
		return v, overflowWhen((v < a) != (b > 0))
	},
	operators.Multiply: func(a, b int64) (int64, string) {
		if a == 0 || b == 0 {
			return 0, ""
		}
		v := a * b
		return v, overflowWhen(v/b != a || a == -1 && b == math.MinInt64 || b == -1 && a == math.MinInt64)
	},
	operators.Divide: func(a, b int64) (int64, string) {
		if b == 0 {
			return 0, "division by zero"
		}
		return a / b, overflowWhen(a == math.MinInt64 && b == -1)
	},
	operators.Modulo: func(a, b int64) (int64, string) {
		if b == 0 {
			return 0, "modulus by zero"
		}
		return a % b, overflowWhen(a == math.MinInt64 && b == -1)
	},
}

func overflowWhen(overflow bool) string {
	if overflow {
		return "integer overflow"
	}
	return ""
}

func (c *compiler) text(e ast.Expr) textExpr {
	if e.Kind() == ast.LiteralKind {
		if v, ok := e.AsLiteral().(types.String); ok {
			text := []byte(v)
			return func(*decoder) []byte { return text }
		}
		return nil
	}
	if f := c.column(e); f != nil && f.kind == contract.String {
		return func(*decoder) []byte { return f.vec.Bytes[f.mark+4:] }
	}
	return nil
}

func (c *compiler) bool(e ast.Expr) boolExpr {
	if e.Kind() == ast.LiteralKind {
		if v, ok := e.AsLiteral().(types.Bool); ok {
			return func(*decoder) bool { return bool(v) }
		}
		return nil
	}
	if f := c.column(e); f != nil && f.kind == contract.Boolean {
		return func(*decoder) bool { return f.vec.Bool[len(f.vec.Bool)-1] != 0 }
	}
	function, args := call(e)
	switch function {
	case operators.LogicalNot:
		if a := c.bool(args[0]); a != nil {
			return func(d *decoder) bool { return !a(d) }
		}
	case operators.LogicalAnd, operators.LogicalOr:
		if a, b := c.bool(args[0]), c.bool(args[1]); a != nil && b != nil {
			return logic(a, b, function == operators.LogicalOr)
		}
	case operators.Conditional:
		if test, a, b := c.bool(args[0]), c.bool(args[1]), c.bool(args[2]); test != nil && a != nil && b != nil {
			return func(d *decoder) bool {
				if test(d) {
					return a(d)
				}
				return b(d)
			}
		}
	case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		return c.comparison(function, args[0], args[1])
	case "startsWith", "endsWith", "contains":
		if a, b := c.text(args[0]), c.text(args[1]); a != nil && b != nil {
			test := map[string]func(a, b []byte) bool{"startsWith": bytes.HasPrefix, "endsWith": bytes.HasSuffix, "contains": bytes.Contains}[function]
			return func(d *decoder) bool { return test(a(d), b(d)) }
		}
	}
	return nil
}

// logic is && and ||: a side that decides makes up for a failure of the other.
func logic(a, b boolExpr, decisive bool) boolExpr {
	return func(d *decoder) bool {
		v := a(d)
		if d.fault == "" && v == decisive {
			return decisive
		}
		fault := d.fault
		d.fault = ""
		if v = b(d); d.fault == "" && v == decisive {
			return decisive
		}
		if fault != "" {
			d.fault = fault
		}
		return !decisive
	}
}

func (c *compiler) comparison(function string, x, y ast.Expr) boolExpr {
	ka, kb := c.kind(x), c.kind(y)
	literal := func(e ast.Expr) bool { return e.Kind() == ast.LiteralKind }
	switch {
	case ka == types.DoubleKind && (kb == types.DoubleKind || kb == types.IntKind && literal(y)),
		ka == types.IntKind && literal(x) && kb == types.DoubleKind:
		if a, b := c.float(x), c.float(y); a != nil && b != nil {
			return compareFloats(function, a, b)
		}
	case ka == kb && (ka == types.IntKind || ka == types.TimestampKind):
		if a, b := c.int(x), c.int(y); a != nil && b != nil {
			return func(d *decoder) bool {
				v, w := a(d), b(d)
				return holds(function, v < w, v == w)
			}
		}
	case ka == kb && ka == types.StringKind:
		if a, b := c.text(x), c.text(y); a != nil && b != nil {
			return func(d *decoder) bool {
				order := bytes.Compare(a(d), b(d))
				return holds(function, order < 0, order == 0)
			}
		}
	case ka == kb && ka == types.BoolKind:
		if a, b := c.bool(x), c.bool(y); a != nil && b != nil {
			return func(d *decoder) bool {
				v, w := a(d), b(d)
				return holds(function, !v && w, v == w)
			}
		}
	}
	return nil
}

func compareFloats(function string, a, b floatExpr) boolExpr {
	ordered := func(d *decoder, v, w float64) {
		if v != v || w != w {
			d.failing("NaN values cannot be ordered")
		}
	}
	switch function {
	case operators.Equals:
		return func(d *decoder) bool { return a(d) == b(d) }
	case operators.NotEquals:
		return func(d *decoder) bool { return a(d) != b(d) }
	case operators.Less:
		return func(d *decoder) bool { v, w := a(d), b(d); ordered(d, v, w); return v < w }
	case operators.LessEquals:
		return func(d *decoder) bool { v, w := a(d), b(d); ordered(d, v, w); return v <= w }
	case operators.Greater:
		return func(d *decoder) bool { v, w := a(d), b(d); ordered(d, v, w); return v > w }
	}
	return func(d *decoder) bool { v, w := a(d), b(d); ordered(d, v, w); return v >= w }
}

func holds(function string, less, equal bool) bool {
	switch function {
	case operators.Equals:
		return equal
	case operators.NotEquals:
		return !equal
	case operators.Less:
		return less
	case operators.LessEquals:
		return less || equal
	case operators.Greater:
		return !less && !equal
	}
	return !less
}

// row lets cel-go read the row at hand.
type row struct {
	d       *decoder
	columns map[string]*field
}

func (row) Parent() cel.Activation { return nil }

func (r row) ResolveName(name string) (any, bool) {
	switch name {
	case contract.RunScheduledAt:
		return types.Timestamp{Time: time.UnixMilli(r.d.scheduledAt).UTC()}, true
	case contract.RunFetchedAt:
		return types.Timestamp{Time: time.UnixMilli(r.d.fetchedAt).UTC()}, true
	case contract.RecordPage:
		return types.Int(r.d.page), true
	case contract.RecordIndex:
		return types.Int(r.d.index), true
	}
	f := r.columns[name]
	if f == nil {
		return nil, false
	}
	switch f.lineage {
	case runScheduledAt:
		return r.ResolveName(contract.RunScheduledAt)
	case runFetchedAt:
		return r.ResolveName(contract.RunFetchedAt)
	case recordPage:
		return r.ResolveName(contract.RecordPage)
	case recordIndex:
		return r.ResolveName(contract.RecordIndex)
	}
	v := f.vec
	switch f.kind {
	case contract.String:
		return types.String(v.Bytes[f.mark+4:]), true
	case contract.Integer:
		return types.Int(v.I64[len(v.I64)-1]), true
	case contract.Double:
		return types.Double(v.F64[len(v.F64)-1]), true
	case contract.Boolean:
		return types.Bool(v.Bool[len(v.Bool)-1] != 0), true
	case contract.Timestamp:
		return types.Timestamp{Time: time.UnixMilli(v.I64[len(v.I64)-1]).UTC()}, true
	case contract.Date:
		return types.Timestamp{Time: time.UnixMilli(int64(v.I32[len(v.I32)-1]) * millisPerDay).UTC()}, true
	}
	return nil, false
}

// evaluate runs a program on the row at hand.
func (d *decoder) evaluate(program cel.Program, r row) any {
	v, _, err := program.Eval(r)
	if err != nil {
		d.failing(err.Error())
		return nil
	}
	return v
}

// operands gives the fields that an expression reads.
func (d *decoder) operands(e *contract.Expr) []*field {
	var fields []*field
	for _, name := range e.Columns {
		if i := d.plan.index(name); i >= 0 {
			fields = append(fields, d.tops[i])
		}
	}
	return fields
}

func (d *decoder) anyNull(fields []*field) bool {
	for _, f := range fields {
		if d.isNull(f) {
			return true
		}
	}
	return false
}

// rowOf makes the view of the row for cel-go.
func (d *decoder) rowOf(fields []*field) row {
	r := row{d: d, columns: map[string]*field{}}
	for _, f := range fields {
		r.columns[f.Name] = f
	}
	return r
}

// program builds what cel-go needs for an expression that the compiler declines.
func (p *Plan) program(e *contract.Expr) (cel.Program, error) {
	if p.env == nil {
		env, err := p.contract.Environment()
		if err != nil {
			return nil, err
		}
		p.env = env
	}
	program, err := p.env.Program(e.AST, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, fmt.Errorf("build program of %q: %w", e.Source, err)
	}
	return program, nil
}

// planPrograms builds the programs that the plan's expressions need beside closures.
func (p *Plan) planPrograms() error {
	d := newDecoder(p)
	need := func(e *contract.Expr, compiled bool) error {
		if compiled {
			return nil
		}
		program, err := p.program(e)
		if err != nil {
			return err
		}
		if p.programs == nil {
			p.programs = map[*contract.Expr]cel.Program{}
		}
		p.programs[e] = program
		return nil
	}
	for _, i := range p.derived {
		e := p.columns[i].Derived
		if err := need(e, p.value(d, e, p.columns[i].kind) != nil); err != nil {
			return fmt.Errorf("compile column %s of %s: %w", p.columns[i].Name, p.contract.Dataset, err)
		}
	}
	for i := range p.rules {
		e := &p.rules[i].Expr
		if err := need(e, p.test(d, e) != nil); err != nil {
			return fmt.Errorf("compile rule %s of %s: %w", p.rules[i].ID, p.contract.Dataset, err)
		}
	}
	return nil
}

// check makes the test of a cross-field rule.
func (p *Plan) check(d *decoder, i int) func(*decoder) {
	rule := &p.rules[i]
	fields := d.operands(&rule.Expr)
	test := p.test(d, &rule.Expr)
	if test == nil {
		program := p.programs[&rule.Expr]
		view := d.rowOf(fields)
		test = func(d *decoder) bool {
			view.d = d
			v, _ := d.evaluate(program, view).(types.Bool)
			return bool(v)
		}
	}
	return func(d *decoder) {
		if d.anyNull(fields) {
			return
		}
		d.fault = ""
		if test(d) && d.fault == "" {
			return
		}
		if rule.Severity == contract.Warning {
			d.warn("", rule.ID)
			return
		}
		message := "breaks " + rule.Expr.Source
		if d.fault != "" {
			message = "cannot be tested for " + rule.Expr.Source + ": " + d.fault
		}
		d.add("", rule.ID, message, d.operandsText(fields))
	}
}

// operandsText shows the values that a rule looked at.
func (d *decoder) operandsText(fields []*field) string {
	var text []byte
	for i, f := range fields {
		if i > 0 {
			text = append(text, ", "...)
		}
		text = append(append(text, f.Name...), " = "...)
		if f.Masked() {
			text = append(text, "***"...)
			continue
		}
		text = d.appendValue(text, f)
	}
	return string(text)
}

// derived compiles the expression of a derived column into one that appends its value.
func (c *compiler) derived(kind contract.Kind) func(*decoder, *field) {
	e := c.ast.Expr()
	switch kind {
	case contract.Double:
		if x := c.float(e); x != nil {
			return func(d *decoder, f *field) { d.deriveFloat(f, x(d)) }
		}
	case contract.Integer, contract.Timestamp, contract.Date:
		if x := c.int(e); x != nil {
			return func(d *decoder, f *field) { d.deriveInt(f, x(d)) }
		}
	case contract.Boolean:
		if x := c.bool(e); x != nil {
			return func(d *decoder, f *field) { d.deriveBool(f, x(d)) }
		}
	case contract.String:
		if x := c.text(e); x != nil {
			return func(d *decoder, f *field) { d.deriveText(f, x(d)) }
		}
	}
	return nil
}

// derivation makes what computes a derived column of the row at hand.
func (p *Plan) derivation(d *decoder, i int) func(*decoder) {
	f := d.tops[i]
	fields := d.operands(f.Derived)
	value := p.value(d, f.Derived, f.kind)
	if value == nil {
		program := p.programs[f.Derived]
		view := d.rowOf(fields)
		value = func(d *decoder, f *field) {
			view.d = d
			switch v := d.evaluate(program, view).(type) {
			case types.Double:
				d.deriveFloat(f, float64(v))
			case types.Int:
				d.deriveInt(f, int64(v))
			case types.Timestamp:
				d.deriveInt(f, v.UnixMilli())
				if v.Nanosecond()%1e6 != 0 {
					d.warn(f.pointer, RuleCut)
				}
			case types.Bool:
				d.deriveBool(f, bool(v))
			case types.String:
				d.deriveText(f, []byte(v))
			default:
				d.deriveNothing(f)
			}
		}
	}
	return func(d *decoder) {
		if d.anyNull(fields) {
			d.null(f, -1, 0)
			return
		}
		d.fault = ""
		value(d, f)
	}
}

// deriveNothing records an expression that failed.
func (d *decoder) deriveNothing(f *field) {
	if d.fault == "" {
		d.fault = "no value of the column's type"
	}
	d.add(f.pointer, RuleDerived, "cannot be derived: "+d.fault, d.operandsText(d.operands(f.Derived)))
	d.fill(f, 0, 0)
}

func (d *decoder) deriveFloat(f *field, x float64) {
	if d.fault == "" && (math.IsInf(x, 0) || math.IsNaN(x)) {
		d.fault = fmt.Sprintf("the result is %v", x)
	}
	if d.fault != "" {
		d.deriveNothing(f)
		return
	}
	f.vec.F64 = append(f.vec.F64, x)
	if x < f.minFloat || x > f.maxFloat || math.Abs(x) < f.tiny || f.checked {
		d.checkDerived(f, x)
	}
}

// checkDerived tests a computed double. Its digits, for multipleOf, are the shortest that stand for it.
func (d *decoder) checkDerived(f *field, x float64) {
	text := strconv.FormatFloat(x, 'g', -1, 64)
	num, _ := scanNumber(append([]byte(text), make([]byte, pad)...), 0)
	d.checkFloat(f, x, num, text, -1, -1)
}

func (d *decoder) deriveInt(f *field, x int64) {
	if d.fault == "" && f.kind != contract.Integer && (x < firstMilli || x > lastMilli) {
		d.fault = "the result is outside the years 1 to 9999"
	}
	if d.fault != "" {
		d.deriveNothing(f)
		return
	}
	if f.kind == contract.Date {
		x, _ = floorDay(x)
		f.vec.I32 = append(f.vec.I32, int32(x))
	} else {
		f.vec.I64 = append(f.vec.I64, x)
	}
	if x < f.minInt || x > f.maxInt || f.checked {
		d.checkInt(f, x, -1, -1)
	}
}

func (d *decoder) deriveBool(f *field, x bool) {
	if d.fault != "" {
		d.deriveNothing(f)
		return
	}
	var bit byte
	if x {
		bit = 1
	}
	f.vec.Bool = append(f.vec.Bool, bit)
}

func (d *decoder) deriveText(f *field, text []byte) {
	if d.fault != "" {
		d.deriveNothing(f)
		return
	}
	v := f.vec
	f.mark = len(v.Bytes)
	v.Bytes = appendKeyPart(v.Bytes, text)
	if f.checked || f.minLength > 0 || len(text) > f.maxLength {
		if n := utf8.RuneCount(text); n < f.minLength || n > f.maxLength || f.checked {
			d.checkText(f, v.Bytes[f.mark+4:], n, -1, -1)
		}
	}
}
