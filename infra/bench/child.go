package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"tributary/infra/bench/measure"
)

// child is a command that prints what it found as one JSON value.
type child struct {
	cores int // it may use
	args  []string
	stdin *os.File // nil: nothing
}

// measured runs a peer and reads its figures.
func (c child) measured(ctx context.Context) (f measure.Figures, err error) {
	err = c.run(ctx, &f)
	return f, err
}

func (c child) run(ctx context.Context, found any) error {
	cmd := bound(ctx, 0, c.cores-1, c.args)
	cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", c.cores))
	cmd.Stderr = os.Stderr
	if c.stdin != nil {
		cmd.Stdin = c.stdin
	}
	out, err := cmd.Output()
	if err != nil {
		if errors.As(err, new(*exec.ExitError)) {
			err = errors.New("it failed, for the reason that it gave above")
		}
		return fmt.Errorf("run %s: %w", strings.Join(c.args, " "), err)
	}
	if err := json.Unmarshal(out, found); err != nil {
		return fmt.Errorf("run %s: read figures %q: %w", strings.Join(c.args, " "), out, err)
	}
	return nil
}

// bound is a command that is kept on cores of the machine, where there is taskset to do it.
func bound(ctx context.Context, first, last int, args []string) *exec.Cmd {
	if taskset, err := exec.LookPath("taskset"); err == nil {
		args = append([]string{taskset, "-c", fmt.Sprintf("%d-%d", first, last)}, args...)
	}
	return exec.CommandContext(ctx, args[0], args[1:]...)
}
