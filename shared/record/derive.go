package record

import (
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"tributary/shared/contract"
)

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
	case contract.RecordKey:
		return types.String(r.d.key), true
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
	default:
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
	default:
		return nil, false // a contract lets no expression see the other kinds
	}
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
	default:
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
