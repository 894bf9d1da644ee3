package contract

import (
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"github.com/google/go-cmp/cmp"
)

// The environment that package record builds programs in evaluates what was checked, under the names of the package doc.
func TestExpressionsEvaluate(t *testing.T) {
	c := load(t, "testdata/sensor_readings.odcs.yaml")
	env, err := c.Environment()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC)
	row := map[string]any{
		"received_at": at.Add(90 * time.Second), "measured_at": at, "delay_s": 90.0,
		RunScheduledAt: at, RunFetchedAt: at, RecordPage: int64(2), RecordIndex: int64(7),
	}
	evaluate := func(e *Expr) any {
		t.Helper()
		program, err := env.Program(e.AST)
		if err != nil {
			t.Fatal(err)
		}
		value, _, err := program.Eval(row)
		if err != nil {
			t.Fatalf("%s: %v", e.Source, err)
		}
		return value.Value()
	}
	for _, tc := range []struct {
		column           string
		want             any
		columns, context []string
	}{
		{"run_at", at, nil, []string{RunScheduledAt}},
		{"place", "2:7", nil, []string{RecordIndex, RecordPage}},
		{"delay_s", 90.0, []string{"measured_at", "received_at"}, nil},
		{"late", true, []string{"delay_s"}, nil},
	} {
		e := find(c.Columns, tc.column).Derived
		if diff := cmp.Diff(tc.want, evaluate(e)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.column, diff)
		}
		if diff := cmp.Diff([][]string{tc.columns, tc.context}, [][]string{e.Columns, e.Context}); diff != "" {
			t.Errorf("%s reads (-want +got):\n%s", tc.column, diff)
		}
	}
	if got := evaluate(&c.Rules[0].Expr); got != true {
		t.Errorf("%s = %v, want true", c.Rules[0].ID, got)
	}
	if c.Rules[0].ID != "received-after-measured" {
		t.Errorf("the rule without id is called %q, want its name", c.Rules[0].ID)
	}
}

// Names of columns that mean something in CEL must not take its types or the run away from other expressions.
func TestColumnsNamedLikeCEL(t *testing.T) {
	var columns []Column
	for _, name := range append([]string{"run", "record", "size", "matches", "price"}, celTaken...) {
		columns = append(columns, Column{Name: name, Type: Type{Kind: Double}})
	}
	env, err := environment(columns)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		text string
		want *cel.Type
	}{
		{"run.scheduledAt", cel.TimestampType},
		{"run + record", cel.DoubleType},
		{"record.page", cel.IntType},
		{"timestamp('2020-01-01T00:00:00Z')", cel.TimestampType},
		{"size + 1.0", cel.DoubleType},
		{"size('a')", cel.IntType},
		{"double(int(price))", cel.DoubleType},
		{"price > 1", cel.BoolType},
	} {
		ast, issues := env.Compile(tc.text)
		if issues.Err() != nil {
			t.Errorf("%s: %v", tc.text, issues.Err())
			continue
		}
		if got := ast.OutputType(); !got.IsExactType(tc.want) {
			t.Errorf("%s gives %s, want %s", tc.text, got, tc.want)
		}
	}
}
