//go:build !cgo

package e2e_test

import (
	"testing"

	"tributary/shared/contract"
)

func readDuckDB(t *testing.T, _ *contract.Contract, _ []byte) []row {
	t.Helper()
	t.Skip("DuckDB needs a C compiler (CGO_ENABLED=1)")
	return nil
}
