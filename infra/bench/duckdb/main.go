//go:build cgo

// Command duckdb is the peer that the engine is held against: COPY (SELECT … FROM read_json(…)) TO … (FORMAT parquet),
// which validates nothing; or, with -rules, the same under the contract's rules as SQL, rejects with their reasons
// included. It prints the same line of figures as the engine.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "duckdb:", err)
		os.Exit(1)
	}
}
