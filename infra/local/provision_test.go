package local

import (
	"testing"

	"tributary/infra/local/catalog"
	"tributary/infra/local/monitor"
)

func TestEveryProvisionedTypeIsMade(t *testing.T) {
	for _, token := range catalog.Tokens() {
		known, _ := catalog.Lookup(token)
		if _, made := makers[token]; made != (known.Kind == catalog.Provisioned) {
			t.Errorf("%s is %s in the catalog; made here: %v", token, known.Kind, made)
		}
	}
	for token := range makers {
		if _, known := catalog.Lookup(token); !known {
			t.Errorf("%s is made and not in the catalog", token)
		}
	}
}

func TestRefuse(t *testing.T) {
	for _, test := range []struct {
		name  string
		value any
		want  string
	}{
		{"absent", nil, ""},
		{"off", false, ""},
		{"on", true, "layers is not supported here"},
		{"list", []any{"arn"}, "layers is not supported here"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if err := (declared{Resource: monitor.Resource{Inputs: map[string]any{"layers": test.value}}}).refuse("vpcConfig", "layers"); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
