package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"tributary/infra/artifact"
)

// built is what has been compiled to be measured.
type built struct {
	duckdb   string
	function string
	packages []artifact.Size
	refused  bool // DuckDB cannot be had, and that was said
}

const (
	hostDir    = ".build/host"
	duckdbPeer = ".build/bin/bench-duckdb"
)

// duckdb compiles the DuckDB peer; "" where it cannot be compiled or is not wanted.
func (s *session) duckdb(ctx context.Context) (string, error) {
	if s.built.duckdb != "" || s.built.refused {
		return s.built.duckdb, nil
	}
	if !s.DuckDB || !artifact.HaveCompiler(ctx) {
		s.built.refused = true
		reason := "which needs a C compiler"
		if !s.DuckDB {
			reason = "as asked"
		}
		s.title("without DuckDB, %s: rates only, no ratios", reason)
		return "", nil
	}
	peer := filepath.Join(s.Root, duckdbPeer)
	err := artifact.Compile(ctx, artifact.CompileOptions{
		Root: s.Root, Package: "./infra/bench/duckdb", Output: duckdbPeer,
		Progress: func(done, total int) { s.progress("compiling the DuckDB peer: package %d of at most %d", done, total) },
	})
	if err != nil {
		return "", err
	}
	s.built.duckdb = peer
	return peer, nil
}

// function compiles the process function for this machine.
func (s *session) function(ctx context.Context) (string, error) {
	if s.built.function != "" {
		return s.built.function, nil
	}
	if _, err := s.artifacts(ctx, hostDir, artifact.Host()); err != nil {
		return "", err
	}
	s.built.function = filepath.Join(s.Root, hostDir, "process")
	return s.built.function, nil
}

// packages builds the deployment packages.
func (s *session) packages(ctx context.Context) ([]artifact.Size, error) {
	if s.built.packages == nil {
		sizes, err := s.artifacts(ctx, artifact.Dir, artifact.AWS)
		if err != nil {
			return nil, err
		}
		if len(sizes) == 0 {
			return nil, errors.New("build deployment packages: there are none")
		}
		s.built.packages = sizes
	}
	return s.built.packages, nil
}

func (s *session) artifacts(ctx context.Context, dir string, target artifact.Target) ([]artifact.Size, error) {
	sizes, err := artifact.Build(ctx, artifact.Options{
		Root: s.Root, Dir: dir, Target: target, Progress: func(line string) { s.progress("%s", line) },
	})
	if err != nil {
		return nil, fmt.Errorf("build functions for %s: %w", target, err)
	}
	return sizes, nil
}
