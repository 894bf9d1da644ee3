package cloudwatch

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"strconv"
)

// compute evaluates an expression of CloudWatch's metric math for one period ("Using metric math": arithmetic, comparisons
// and IF; its form is that of Go's expressions). A metric without a value in the period, NaN, leaves none. What is not
// known here is an error: an alarm must not look well because its expression was not understood.
func compute(expression string, values map[string]float64) (float64, error) {
	tree, err := parser.ParseExpr(expression)
	if err != nil {
		return 0, fmt.Errorf("read expression %q: %w", expression, err)
	}
	value, err := evaluate(tree, values)
	if err != nil {
		return 0, fmt.Errorf("compute %q: %w", expression, err)
	}
	return value, nil
}

func evaluate(e ast.Expr, values map[string]float64) (float64, error) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return evaluate(e.X, values)
	case *ast.BasicLit:
		return strconv.ParseFloat(e.Value, 64)
	case *ast.Ident:
		v, ok := values[e.Name]
		if !ok {
			return 0, fmt.Errorf("there is no metric %s", e.Name)
		}
		return v, nil
	case *ast.UnaryExpr:
		v, err := evaluate(e.X, values)
		if err == nil && e.Op != token.SUB {
			err = fmt.Errorf("operator %s is not known here", e.Op)
		}
		return -v, err
	case *ast.BinaryExpr:
		x, err := evaluate(e.X, values)
		if err != nil {
			return 0, err
		}
		y, err := evaluate(e.Y, values)
		if err != nil {
			return 0, err
		}
		return operate(e.Op, x, y)
	case *ast.CallExpr:
		return call(e, values)
	}
	return 0, fmt.Errorf("%T is not known here", e)
}

func operate(op token.Token, x, y float64) (float64, error) {
	if math.IsNaN(x) || math.IsNaN(y) {
		return math.NaN(), nil
	}
	truth := func(b bool) (float64, error) {
		if b {
			return 1, nil
		}
		return 0, nil
	}
	switch op {
	case token.ADD:
		return x + y, nil
	case token.SUB:
		return x - y, nil
	case token.MUL:
		return x * y, nil
	case token.QUO:
		if y == 0 {
			return math.NaN(), nil // CloudWatch leaves such a point out
		}
		return x / y, nil
	case token.LSS:
		return truth(x < y)
	case token.LEQ:
		return truth(x <= y)
	case token.GTR:
		return truth(x > y)
	case token.GEQ:
		return truth(x >= y)
	case token.EQL:
		return truth(x == y)
	case token.NEQ:
		return truth(x != y)
	default:
		return 0, fmt.Errorf("operator %s is not known here", op)
	}
}

func call(e *ast.CallExpr, values map[string]float64) (float64, error) {
	name, _ := e.Fun.(*ast.Ident)
	if name == nil || name.Name != "IF" || len(e.Args) != 3 {
		return 0, fmt.Errorf("only IF with three arguments is known here")
	}
	condition, err := evaluate(e.Args[0], values)
	if err != nil || math.IsNaN(condition) {
		return condition, err
	}
	if condition != 0 {
		return evaluate(e.Args[1], values)
	}
	return evaluate(e.Args[2], values)
}
