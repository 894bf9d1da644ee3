package stack

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/contract"
)

// Only a source with a cursor has a state to keep, and only its own.
func TestCursorGrant(t *testing.T) {
	n := names{base: "tributary-dev", place: testPlace}
	for _, test := range []struct {
		name   string
		cursor *contract.Cursor
		want   []string
	}{
		{"without", nil, nil},
		{"with", &contract.Cursor{}, []string{"arn:aws:s3:::tributary-dev-raw-123456789012-eu-central-1/state/orders.json"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			grants := ingestGrants(n, &contract.Contract{Dataset: "orders", Source: contract.Source{Cursor: test.cursor}}, "key", "")
			var got []string
			for _, g := range grants {
				if g.Name == "KeepCursor" && slices.Equal(g.Actions, []string{"s3:GetObject", "s3:PutObject"}) {
					got = g.Resources
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("the state's grant (-want +got):\n%s", diff)
			}
		})
	}
}
