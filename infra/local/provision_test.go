package local

import (
	"testing"

	"tributary/infra/local/catalog"
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
