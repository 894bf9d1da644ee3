package console

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// AskSecret reads a secret from a terminal without showing it, or from what stands in its place as it is.
func AskSecret(in *os.File, out io.Writer) func(prompt string) (string, error) {
	return func(prompt string) (string, error) {
		if !term.IsTerminal(int(in.Fd())) {
			text, err := io.ReadAll(in)
			return string(text), err
		}
		fmt.Fprint(out, prompt)
		value, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(out)
		return string(value), err
	}
}
