package readme

import (
	"bytes"
	"context"
	_ "embed" // of what is served
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"tributary/infra/artifact"
	"tributary/infra/lock"
)

// Copy is the folder of the copy below the project: always the same, so that Go's build cache serves the next time too.
const Copy = ".build/readme"

// tool is where the README installs datacontract.
const tool = ".build/dc/bin/datacontract"

//go:embed testdata/rates.json
var rates []byte

// Run runs the commands of the README of a project and prints, as it goes, what came of each.
func Run(ctx context.Context, root string, rules Rules, out io.Writer) error {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		return fmt.Errorf("read README: %w", err)
	}
	steps, err := Plan(Read(string(text)), rules)
	if err != nil {
		return err
	}
	if why := unlisted(ctx, root); why != "" {
		fmt.Fprintf(out, "The commands of README.md are not run: %s, and so nothing says what belongs to a copy\n", why)
		return nil
	}
	dir := filepath.Join(root, Copy)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("make folder for the copy: %w", err)
	}
	held, err := lock.Try(dir + ".lock")
	if errors.Is(err, lock.ErrTaken) {
		err = fmt.Errorf("another run of the README is at work in %s", Copy)
	}
	if err != nil {
		return err
	}
	defer held.Close()
	if err := fresh(ctx, root, dir); err != nil {
		return err
	}
	if err := lend(root, dir); err != nil {
		return err
	}
	address, server, err := serve(rates)
	if err != nil {
		return err
	}
	defer server.Close()
	fmt.Fprintf(out, "The %d commands of README.md, in a fresh copy in %s\n", len(steps), Copy)
	var errs []error
	ran := 0
	for _, s := range steps {
		s.Run = strings.ReplaceAll(s.Run, servedRates, address+"/v1/rates")
		if why := s.skipped(ctx, dir); why != "" {
			fmt.Fprintf(out, "  –            %s  (%s)\n", clipped(s.Text), why)
			continue
		}
		ran++
		start := time.Now()
		err := s.do(ctx, dir, rules.Talks)
		mark := "✓"
		if err != nil {
			mark = "✗"
			errs = append(errs, fmt.Errorf("README.md:%d: %s: %w", s.Line, s.Run, err))
		}
		fmt.Fprintf(out, "  %s %7.1f s  %s\n", mark, time.Since(start).Seconds(), clipped(s.Text))
		if s.Run != s.Text {
			fmt.Fprintf(out, "               as %s  (%s)\n", s.Run, strings.Join(s.Why, "; "))
		}
		if s.Shown != "" && err == nil {
			fmt.Fprintln(out, "               its screen is what the README shows")
		}
		if ctx.Err() != nil {
			return errors.Join(append(errs, ctx.Err())...)
		}
	}
	if len(errs) > 0 {
		return errors.Join(append(errs, fmt.Errorf("%d of %d commands failed; %s is as they left it", len(errs), ran, Copy))...)
	}
	fmt.Fprintf(out, "%d commands ran, %d did not\n", ran, len(steps)-ran)
	return os.RemoveAll(dir)
}

// clipped is as much of a command as a line holds.
func clipped(command string) string {
	const most = 100
	if letters := []rune(command); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return command
}

// skipped is why a command is not run, or "".
func (s Step) skipped(ctx context.Context, dir string) string {
	if s.Run == "" {
		return strings.Join(s.Why, "; ")
	}
	return lacks(ctx, dir, s.Run)
}

func (s Step) do(ctx context.Context, dir string, talks []Talk) error {
	var lines []Line
	for _, talk := range talks {
		if talk.Command == s.Run {
			lines = talk.Lines
		}
	}
	printed, err := shell(ctx, dir, s.Run, lines)
	if err == nil && s.Shown != "" {
		err = Compare(s.Shown, printed)
	}
	return err
}

// lend has the copy use the datacontract of the project, or of the machine, where there is one: it is half a gigabyte.
func lend(root, dir string) error {
	path, err := filepath.Abs(filepath.Join(root, tool))
	if err != nil {
		return fmt.Errorf("lend datacontract: %w", err)
	}
	if _, missing := os.Stat(path); missing != nil {
		if elsewhere, err := exec.LookPath("datacontract"); err == nil {
			path = elsewhere
		} // else it may be installed while the first commands run, or what needs it is skipped, and says so
	}
	link := filepath.Join(dir, tool)
	if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o755), os.Symlink(path, link)); err != nil {
		return fmt.Errorf("lend datacontract: %w", err)
	}
	return nil
}

// lacks is why a command cannot run on this machine, or "".
func lacks(ctx context.Context, dir, command string) string {
	switch {
	case strings.HasPrefix(command, tool):
		if _, err := os.Stat(filepath.Join(dir, tool)); err != nil {
			return "datacontract is not installed; the README says how"
		}
	case strings.HasPrefix(command, "go tool mage query"):
		if !artifact.HaveCompiler(ctx) {
			return "there is no C compiler here"
		}
	case strings.HasPrefix(command, "AWS_ENDPOINT_URL="):
		address, _, _ := strings.Cut(strings.TrimPrefix(command, "AWS_ENDPOINT_URL="), " ")
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/moto-api/", nil)
		if err != nil {
			return err.Error()
		}
		answer, err := (&http.Client{Timeout: 10 * time.Second}).Do(request)
		if err != nil {
			return "no moto listens there"
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return "what listens there is no moto"
		}
	}
	return ""
}

// serve answers every request by HTTP with a document of JSON.
func serve(document []byte) (address string, server io.Closer, err error) {
	var listen net.ListenConfig
	listener, err := listen.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("serve an API: %w", err)
	}
	s := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "answer.json", time.Time{}, bytes.NewReader(document))
	})}
	go s.Serve(listener) //nolint:errcheck // it ends when it is closed
	return "http://" + listener.Addr().String(), s, nil
}
