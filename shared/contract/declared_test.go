package contract

import (
	"strings"
	"testing"
)

func TestDeclared(t *testing.T) {
	for _, tc := range []struct {
		file, rule, pointer string
		want                string // how the line begins
	}{
		{"testdata/orders.odcs.yaml", "type", "order_id", "- name: order_id"},
		{"testdata/orders.odcs.yaml", "type", "lines/3/quantity", "- {name: quantity"},
		{"testdata/orders.odcs.yaml", "type", "lines/3/unknown", "logicalType: object"},
		{"testdata/orders.odcs.yaml", "type", "customer/address/city", "- {name: city"},
		{"testdata/orders.odcs.yaml", "type", "nowhere", ""},
		{"testdata/orders.odcs.yaml", "json", "", ""},
		{"../datasets/coin_markets.odcs.yaml", "required", "symbol", "- {name: symbol"},
		{"../datasets/coin_markets.odcs.yaml", "type", "roi/percentage", "- {name: roi_percentage"},
		{"../datasets/coin_markets.odcs.yaml", "type", "roi/times", "- {name: times"},
		{"../datasets/coin_markets.odcs.yaml", "derived", "spread_24h", "- {name: spread_24h"},
		{"../datasets/coin_markets.odcs.yaml", "high-above-low", "", "- {id: high-above-low"},
		{"../datasets/coin_markets.odcs.yaml", "enough-rows", "", "- {id: enough-rows"},
	} {
		t.Run(tc.rule+" "+tc.pointer, func(t *testing.T) {
			var tokens []string
			if tc.pointer != "" {
				tokens = strings.Split(tc.pointer, "/")
			}
			got := load(t, tc.file).Declared(tc.rule, tokens)
			if !strings.HasPrefix(got.Text, tc.want) || (tc.want == "") != (got == Line{}) {
				t.Errorf("declared by %+v, want %q", got, tc.want)
			}
		})
	}
}
