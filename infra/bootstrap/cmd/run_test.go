package main

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	for _, test := range []struct {
		name   string
		stacks []string
		want   string // resources that begin with Dev, Prod and neither, or part of the error
	}{
		{"all", nil, "both"},
		{"one", []string{"prod"}, "prod"},
		{"unknown", []string{"staging"}, "there is no Pulumi.staging.yaml"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			err := run(test.stacks, "../../..", &out)
			if err != nil {
				if !strings.Contains(err.Error(), test.want) {
					t.Errorf("error %v, want %s", err, test.want)
				}
				return
			}
			var template struct{ Resources map[string]any }
			if err := json.Unmarshal([]byte(out.String()), &template); err != nil {
				t.Fatal(err)
			}
			_, dev := template.Resources["DevDeployRole"]
			_, prod := template.Resources["ProdDeployRole"]
			got := map[[2]bool]string{{true, true}: "both", {false, true}: "prod"}[[2]bool{dev, prod}]
			if got != test.want {
				t.Errorf("roles of %q, want %q", got, test.want)
			}
		})
	}
	if err := run(nil, t.TempDir(), io.Discard); err == nil || !strings.Contains(err.Error(), "Pulumi.yaml") {
		t.Errorf("without a project: %v", err)
	}
}
