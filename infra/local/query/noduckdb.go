//go:build !cgo

package query

import (
	"context"
	"errors"
)

// database stands for DuckDB where it cannot be had.
type database struct{}

func connect(context.Context, *lake) (*database, error) {
	return nil, errors.New("query is answered by DuckDB, a C++ library: it needs a C compiler (Debian: apt-get install gcc; macOS: xcode-select --install) " +
		"and CGO_ENABLED=1. The files below .local/lake are plain Parquet: other readers take them as they are")
}

func (*database) close() error { return nil }

func (*database) ask(context.Context, string, string, output) (int64, string, error) {
	return 0, "", errors.New("there is no DuckDB")
}
