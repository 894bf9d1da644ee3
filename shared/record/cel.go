package record

import (
	"bytes"
	"math"
	"time"
	"unicode/utf8"

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
			// The conversion rounds: no processor may fuse the product with an addition, and give other bits than its peers.
			return func(d *decoder) float64 { return float64(a(d) * b(d)) }
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
	if c.name(e) == contract.RecordKey {
		return func(d *decoder) []byte { return []byte(d.key) }
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
