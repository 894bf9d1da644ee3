package readme

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// longest is how long one command may take, with empty caches of Go.
const longest = 15 * time.Minute

var trace = regexp.MustCompile(`(?m)^goroutine \d+ \[|^panic: |\bruntime error: `)

// shell runs a command as a shell does in a folder, says the lines to it, and returns what it printed. It fails upon any
// other status than 0, where a program of Go broke down, and where a line remains that it did not ask for.
func shell(ctx context.Context, dir, command string, lines []Line) (printed string, err error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	if len(lines) > 0 {
		command = "exec " + command // Ctrl-C ends a shell before its command, where nobody sits at it
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir, cmd.Env = dir, environment(os.Environ())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // as a terminal has it, so that Ctrl-C reaches all of it
	signal := func(s syscall.Signal) error { return syscall.Kill(-cmd.Process.Pid, s) }
	cmd.Cancel = func() error { return signal(syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	talk := &talking{left: lines, interrupt: func() error { return signal(syscall.SIGINT) }}
	if len(lines) > 0 {
		if talk.in, err = cmd.StdinPipe(); err != nil {
			return "", fmt.Errorf("start: %w", err)
		}
		cmd.Stdout = io.MultiWriter(&stdout, talk)
	}
	err = cmd.Run()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("it took more than %s", longest)
	}
	if err == nil && len(talk.left) > 0 {
		err = fmt.Errorf("it ended before it showed %q", talk.left[0].Shown)
	}
	if found := trace.FindString(stdout.String() + "\n" + stderr.String()); err == nil && found != "" {
		err = fmt.Errorf("it broke down: %s", found)
	}
	if err != nil {
		return "", fmt.Errorf("%w\n%s%s", err, last("it printed", stdout.String()), last("it complained", stderr.String()))
	}
	return stdout.String(), nil
}

// environment is that of a user without an account. What mage, or git for a hook, set for whoever called this is not theirs:
// GIT_DIR would have the copy's commands work on the repository that is copied.
func environment(of []string) []string {
	return slices.DeleteFunc(of, func(variable string) bool {
		return slices.ContainsFunc([]string{"AWS_", "PULUMI_", "MAGEFILE_", "GIT_"}, func(prefix string) bool { return strings.HasPrefix(variable, prefix) })
	})
}

// last is the end of what a command printed.
func last(what, text string) string {
	const most = 4 << 10
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	if len(text) > most {
		text = "…" + text[len(text)-most:]
	}
	return what + ":\n" + text + "\n"
}

// talking reads a screen and says lines.
type talking struct {
	mu        sync.Mutex
	left      []Line
	seen      []byte
	in        io.Writer
	interrupt func() error
}

// Write takes what the screen shows.
func (t *talking) Write(shown []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen = append(t.seen, shown...)
	for len(t.left) > 0 {
		_, after, found := bytes.Cut(t.seen, []byte(t.left[0].Shown))
		if !found {
			break
		}
		say := t.left[0].Say
		t.seen, t.left = after, t.left[1:]
		if say == CtrlC {
			if err := t.interrupt(); err != nil {
				return 0, err
			}
			continue
		}
		if _, err := io.WriteString(t.in, say+"\n"); err != nil {
			return 0, err
		}
	}
	return len(shown), nil
}
