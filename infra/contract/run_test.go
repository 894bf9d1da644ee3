package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const coins = "../../shared/datasets/coin_markets.odcs.yaml"

// edited writes the coin_markets contract with replacements to a file of its own.
func edited(t *testing.T, replacements ...string) string {
	t.Helper()
	text, err := os.ReadFile(coins)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer(replacements...).Replace(string(text))
	if len(replacements) > 0 && changed == string(text) {
		t.Fatalf("nothing to replace: %q", replacements)
	}
	path := filepath.Join(t.TempDir(), "coin_markets.odcs.yaml")
	if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRun(t *testing.T) {
	stricter := edited(t, "version: 1.0.0", "version: 1.1.0", "minLength: 1, maxLength: 128", "minLength: 1, maxLength: 64")
	unversioned := edited(t, "minLength: 1, maxLength: 128", "minLength: 1, maxLength: 64")
	renamed := edited(t, "{name: ath_date,", "{name: ath_date, physicalName: ath_at,")
	broken := edited(t, "name: image, logicalType: string", "name: image, logicalType: text", "status: active", "status: active\nowner: me")

	tests := []struct {
		name    string
		args    []string
		want    []string // in what is printed
		wantErr []string // in the error; nil: no error
	}{
		{"check", []string{"check", coins}, []string{"coin_markets 1.0.0 is good: 32 columns"}, nil},
		{"check reports every fault", []string{"check", broken}, nil, []string{":7:", "owner", "logicalType", "text"}},
		{"check goes on behind a bad file", []string{"check", broken, coins}, []string{"is good"}, []string{"owner"}},
		{"no such file", []string{"check", "nowhere.odcs.yaml"}, nil, []string{"nowhere.odcs.yaml"}},
		{"same", []string{"diff", coins, coins}, []string{"mean the same"}, nil},
		{"stricter rule", []string{"diff", coins, stricter}, []string{"keeps readers", "id"}, nil},
		{"stricter rule, same version", []string{"diff", coins, unversioned}, nil, []string{"still version 1.0.0"}},
		{"renamed column", []string{"diff", coins, renamed}, []string{"BREAKS readers", "ath_date"}, []string{"new major version", "coin_markets_v2"}},
		{"docs", []string{"docs", coins}, []string{"# coin_markets", "| `current_price` | double | no |", "high_24h >= low_24h"}, nil},
		{"docs of a bad file", []string{"docs", broken}, nil, []string{"owner"}},
		{"JSON Schema", []string{"jsonschema", coins}, []string{`"$schema": "https://json-schema.org/draft/2020-12/schema"`, `"market_cap_rank"`}, nil},
		{"JSON Schema of nothing", []string{"jsonschema"}, nil, []string{"usage"}},
		{"no verb", nil, nil, []string{"usage"}},
		{"diff of one", []string{"diff", coins}, nil, []string{"usage"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			err := run(t.Context(), tt.args, &out)
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("printed %q, want %q in it", out.String(), want)
				}
			}
			if (err != nil) != (tt.wantErr != nil) {
				t.Fatalf("error %v, want one: %t", err, tt.wantErr != nil)
			}
			for _, want := range tt.wantErr {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want %q in it", err, want)
				}
			}
		})
	}
}
