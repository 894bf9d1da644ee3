package artifact

import (
	"context"
	"os/exec"
	"strings"
)

// HaveCompiler reports whether this machine compiles what is not all Go: DuckDB and the race detector.
func HaveCompiler(ctx context.Context) bool {
	env, err := exec.CommandContext(ctx, "go", "env", "CGO_ENABLED", "CC").Output()
	if err != nil {
		return false
	}
	enabled, compiler, _ := strings.Cut(strings.TrimSpace(string(env)), "\n")
	words := strings.Fields(compiler)
	if enabled != "1" || len(words) == 0 {
		return false
	}
	_, err = exec.LookPath(words[0])
	return err == nil
}
