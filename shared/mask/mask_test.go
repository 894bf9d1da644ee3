package mask_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/contract"
	"tributary/shared/mask"
	"tributary/shared/zone"
)

// people has a restricted column, a struct with a confidential field, a list of restricted texts and a derived column.
func people() *contract.Contract {
	restricted := func(name string, path ...string) contract.Column {
		return contract.Column{Name: name, Path: path, Classification: "restricted"}
	}
	element := restricted("element")
	return &contract.Contract{Columns: []contract.Column{
		{Name: "initial", Derived: &contract.Expr{Columns: []string{"upper"}}},
		{Name: "upper", Derived: &contract.Expr{Columns: []string{"name"}}},
		{Name: "id", Path: []string{"id"}},
		restricted("name", "name"),
		restricted("slashed", "a/b"),
		{Name: "address", Path: []string{"address"}, Type: contract.Type{Kind: contract.Struct, Fields: []contract.Column{
			{Name: "city", Member: "city"}, {Name: "street", Member: "street", Classification: "confidential"},
		}}},
		{Name: "aliases", Path: []string{"aliases"}, Type: contract.Type{Kind: contract.List, Elem: &element}},
	}}
}

func TestColumns(t *testing.T) {
	m := mask.Of(people())
	for name, want := range map[string]bool{"id": false, "name": true, "upper": true, "initial": true} {
		if got := m.Column(name); got != want {
			t.Errorf("%s is classified: %t", name, got)
		}
	}
	if !m.Hides() || mask.Of(&contract.Contract{}).Hides() {
		t.Error("what a contract hides is not told")
	}
}

func TestPlace(t *testing.T) {
	secret := contract.Column{Name: "mail", Classification: "restricted", Derived: &contract.Expr{Context: []string{contract.RecordKey}}}
	for _, test := range []struct {
		columns []contract.Column
		key     string
		want    string
	}{
		{nil, "", "7"},
		{nil, "a\tb", `7 ("a\tb")`},
		{[]contract.Column{secret}, "ann@example.com", "7 (•••)"},
		{[]contract.Column{secret}, "", "7"},
	} {
		if got := mask.Of(&contract.Contract{Columns: test.columns}).Place(7, test.key); got != test.want {
			t.Errorf("%q: %s, want %s", test.key, got, test.want)
		}
	}
}

func TestRecord(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []mask.Member
		ok         bool
	}{
		{"members in order", `{"name":"Ann","id": 7,"aliases":["A"]}`, []mask.Member{{"name", "•••"}, {"id", "7"}, {"aliases", "•••"}}, true},
		{"inside a struct", `{"address":{"city":"Ulm","street":"x"}}`, []mask.Member{{"address", `{"city":"Ulm","street":•••}`}}, true},
		{"no struct where one belongs", `{"address":"Ulm, x"}`, []mask.Member{{"address", "•••"}}, true},
		{"no object", `["Ann"]`, nil, false},
		{"cut off", `{"id":7,`, nil, false},
		{"not closed", `{"id":7`, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := mask.Of(people()).Record(test.text)
			if diff := cmp.Diff(test.want, got); diff != "" || ok != test.ok {
				t.Errorf("ok %t, members (-want +got):\n%s", ok, diff)
			}
		})
	}
}

func TestViolation(t *testing.T) {
	const message = "•••" + " (the column is classified)"
	for _, test := range []struct{ pointer, wantMessage, wantValue string }{
		{"/id", "says why", "7"},
		{"/name", message, "•••"},
		{"/a~1b", message, "•••"},
		{"/address", message, "•••"},
		{"/address/city", "says why", "7"},
		{"/aliases/0", message, "•••"},
		{"", "says why", "•••"},
	} {
		got := mask.Of(people()).Violation(zone.ViolationRow{Pointer: test.pointer, Message: "says why", Value: "7"})
		if got.Message != test.wantMessage || got.Value != test.wantValue {
			t.Errorf("%s: %+v", test.pointer, got)
		}
	}
}
