package console

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal opens a terminal: what the user types is read from the line, and what the user sees is read from the user's
// side.
func terminal(t *testing.T) (user, line *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { user.Close() })
	if err := unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if line, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { line.Close() })
	return user, line
}

// answer types a text once the terminal shows no more what is typed, or in vain waited for that.
func answer(user, line *os.File, text string) error {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		state, err := unix.IoctlGetTermios(int(line.Fd()), unix.TCGETS)
		if err != nil {
			return err
		}
		if state.Lflag&unix.ECHO == 0 {
			break
		}
	}
	_, err := io.WriteString(user, text)
	return err
}

func TestAskSecretFromTheTerminalWithoutEcho(t *testing.T) {
	user, line := terminal(t)
	typed := make(chan error, 1)
	go func() { typed <- answer(user, line, "s3cret key\n") }()
	var out bytes.Buffer
	got, err := AskSecret(line, &out)("key: ")
	if err != nil || got != "s3cret key" || out.String() != "key: \n" {
		t.Errorf("%q, %v; printed %q", got, err, out.String())
	}
	if err := <-typed; err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(line, "end"); err != nil {
		t.Fatal(err)
	}
	var seen []byte
	for buffer := make([]byte, 64); !strings.Contains(string(seen), "end"); {
		n, err := user.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, buffer[:n]...)
	}
	if strings.Contains(string(seen), "s3cret") {
		t.Errorf("the terminal shows %q", seen)
	}
}
