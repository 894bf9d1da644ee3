//go:build !cgo

package e2e_test

// There is no database to ask without a C compiler.
var hostileQueries []hostile
