package artifact

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// CompileOptions say what to compile into which file.
type CompileOptions struct {
	Root, Package, Output string
	GOOS, GOARCH          string // "" is this machine
	Tags, LDFlags         string
	Reproducible          bool                  // no cgo and no paths of this machine in the result
	Progress              func(done, total int) // optional: packages compiled, of at most so many
}

// Compile runs go build. What is not Reproducible is built as `go test` builds it, so that both share Go's build cache.
func Compile(ctx context.Context, o CompileOptions) error {
	env := os.Environ()
	if o.Reproducible {
		env = append(env, "CGO_ENABLED=0")
	}
	if o.GOOS != "" {
		env = append(env, "GOOS="+o.GOOS, "GOARCH="+o.GOARCH)
	}
	total := 0
	if o.Progress != nil {
		n, err := countPackages(ctx, o, env)
		if err != nil {
			return err
		}
		total = n
	}
	args := []string{"build", "-v", "-buildvcs=false", "-o", o.Output}
	if o.Reproducible {
		args = append(args, "-trimpath")
	}
	if o.Tags != "" {
		args = append(args, "-tags", o.Tags)
	}
	if o.LDFlags != "" {
		args = append(args, "-ldflags", o.LDFlags)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, o.Package)...)
	cmd.Dir, cmd.Env = o.Root, env
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return fmt.Errorf("start go build: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start go build: %w", err)
	}
	complaints := follow(stderr, func(done int) {
		if o.Progress != nil {
			o.Progress(done, max(done, total))
		}
	})
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("go build %s: %w", o.Package, said(err, complaints))
	}
	return nil
}

// follow reads what `go build -v` says: the path of each package as it is compiled, and complaints.
func follow(r io.Reader, compiled func(done int)) string {
	var complaints strings.Builder
	done := 0
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "go: downloading ") {
			continue
		}
		if strings.ContainsAny(line, " :#\t") {
			complaints.WriteString(line + "\n")
			continue
		}
		done++
		compiled(done)
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintf(&complaints, "(the rest could not be read: %v)\n", err)
	}
	return complaints.String()
}

// said is the error of a command that told what was wrong, in its words; its status says no more.
func said(err error, complaints string) error {
	if text := strings.TrimSpace(complaints); errors.As(err, new(*exec.ExitError)) && text != "" {
		return errors.New(text)
	}
	return err
}

func countPackages(ctx context.Context, o CompileOptions, env []string) (int, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-tags", o.Tags, o.Package)
	cmd.Dir, cmd.Env = o.Root, env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("go list %s: %w", o.Package, said(err, stderr.String()))
	}
	return bytes.Count(out, []byte("\n")), nil
}
