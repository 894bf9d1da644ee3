//go:build cgo

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"

	_ "github.com/duckdb/duckdb-go/v2"

	"tributary/infra/bench/measure"
	"tributary/shared/contract"
)

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("duckdb", flag.ContinueOnError)
	rules := flags.Bool("rules", false, "hold the records to the contract's rules, and keep rejects")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 4 {
		return errors.New("usage: duckdb [-rules] CONTRACT THREADS IN OUT")
	}
	c, err := contract.Load(flags.Arg(0))
	if err != nil {
		return err
	}
	threads, err := strconv.Atoi(flags.Arg(1))
	if err != nil {
		return fmt.Errorf("read threads: %w", err)
	}
	s, err := translate(c)
	if err != nil {
		return err
	}
	db, err := connect(ctx, threads)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // it is in memory
	var version string
	if err := db.QueryRowContext(ctx, "SELECT version()").Scan(&version); err != nil {
		return fmt.Errorf("ask DuckDB's version: %w", err)
	}
	way := plain
	if *rules {
		way = validated
	}
	in, to := flags.Arg(2), flags.Arg(3)
	figures, err := measure.Work("duckdb "+version, to, func() (measure.Counts, error) { return way(ctx, db, s, in, to) })
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(figures)
}

// connect opens a database in memory, of one connection: the number of threads is the session's.
func connect(ctx context.Context, threads int) (*sql.DB, error) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, fmt.Sprintf("SET threads = %d", threads)); err != nil {
		return nil, errors.Join(fmt.Errorf("set threads: %w", err), db.Close())
	}
	return db, nil
}
