package contract

import (
	"regexp"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// maxCost bounds what one expression may cost for one record, in the units of cel-go. A comparison is one, of some
// tens of nanoseconds; of regular expressions the estimate is high: some dozen of them fit.
const maxCost = 30_000

// assumedText is how long a text is taken to be whose column has no maxLength.
const assumedText = 1000

// sound refuses what CEL's own checks let through and what yet fails, or hangs, with every record.
func (b *builder) sound(n node, checked *cel.Ast, env *cel.Env) bool {
	before := len(n.d.faults)
	tree := checked.NativeRep()
	fault := func(e ast.Expr, format string, args ...any) {
		at := tree.SourceInfo().GetStartLocation(e.ID())
		line, column := n.within(at.Line(), at.Column())
		n.d.faultAt(line, column, n.path, format, args...)
	}
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.ComprehensionKind:
			for _, name := range []string{e.AsComprehension().IterVar(), e.AsComprehension().IterVar2()} {
				if b.column(name) != nil {
					fault(e, "the variable %s hides the column %s: give it another name", name, name)
				}
			}
		case ast.CallKind:
			b.soundCall(e, fault)
		default:
		}
		if t := tree.GetType(e.ID()); t != nil && t.Kind() == types.DynKind && len(n.d.faults) == before {
			fault(e, "has no type before it meets a record: leave dyn out, and write lists and maps of one type")
		}
	}))
	if len(n.d.faults) > before {
		return false
	}
	if estimate, err := env.EstimateCost(checked, sizes{b}); err != nil {
		n.fault("%v: correct the expression", err)
	} else if estimate.Max > maxCost {
		n.fault("may take %d steps for a record, of %d that are allowed: loop over fewer values, or give the columns a maxLength", estimate.Max, maxCost)
	}
	return len(n.d.faults) == before
}

// soundCall looks at the constants among a call's arguments.
func (b *builder) soundCall(e ast.Expr, fault func(ast.Expr, string, ...any)) {
	call := e.AsCall()
	args := call.Args()
	switch name := call.FunctionName(); {
	case (name == operators.Divide || name == operators.Modulo) && len(args) == 2:
		if v := literal(args[1]); v != nil && (v == types.Int(0) || v == types.Double(0) || v == types.Uint(0)) {
			fault(e, "divides by 0: correct the expression")
		}
	case call.IsMemberFunction() && strings.HasPrefix(name, "get") && len(args) == 1:
		if zone, ok := literal(args[0]).(types.String); ok && !timeZone(string(zone)) {
			fault(args[0], "%q is no time zone: write a name of the IANA database or an offset, as in 'Europe/Berlin' or '+01:00'", string(zone))
		}
	}
}

func literal(e ast.Expr) ref.Val {
	if e.Kind() == ast.LiteralKind {
		return e.AsLiteral()
	}
	return nil
}

var zoneOffset = regexp.MustCompile(`^[-+]?[0-9]{1,2}:[0-5][0-9]$`)

// timeZone reports whether CEL knows the zone.
func timeZone(name string) bool {
	_, err := time.LoadLocation(name)
	return err == nil && name != "Local" || zoneOffset.MatchString(name)
}

// sizes says how long the texts are that an expression reads.
type sizes struct{ b *builder }

func (s sizes) EstimateSize(element cost.AstNode) *cost.SizeEstimate {
	if element.Type().Kind() != types.StringKind || element.ComputedSize() != nil {
		return nil
	}
	longest := uint64(assumedText)
	if path := element.Path(); len(path) == 1 {
		if c := s.b.column(path[0]); c != nil && c.Constraints.MaxLength != nil {
			longest = uint64(*c.Constraints.MaxLength)
		}
	}
	return &cost.SizeEstimate{Max: longest}
}

func (s sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}
