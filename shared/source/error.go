package source

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Kind says what sort of fault an Error is.
type Kind uint8

// Kinds of fault.
const (
	Unavailable Kind = iota + 1 // network fault, time-out, truncated body or 5xx, in every attempt
	RateLimited                 // 429 in every attempt, or a wait longer than the run's time
	Refused                     // 401 or 403
	Rejected                    // any other status that is no success
	TooLarge                    // a limit of the contract is passed
	Malformed                   // the answer lacks what the pagination needs
	Looping                     // the pagination leads back to where it was
	Insecure                    // the way leads over plain http
	Secretless                  // the secret is missing, empty or not of the form that the authentication needs
	Stopped                     // the caller's context ended
)

var kindNames = map[Kind]string{
	Unavailable: "unavailable", RateLimited: "rate limited", Refused: "refused", Rejected: "rejected",
	TooLarge: "too large", Malformed: "malformed", Looping: "looping", Insecure: "insecure", Secretless: "secretless",
	Stopped: "stopped",
}

func (k Kind) String() string { return kindNames[k] }

// Error is a fault of the source. It holds no credentials: its URL has them masked, and its texts are searched for them.
type Error struct {
	Kind    Kind
	Dataset string
	Method  string
	URL     string        // "" before there was a request
	Status  int           // 0: no answer came
	Attempt int           // 0: before there was a request
	Body    string        // the first bytes of an answer that is no success
	Wait    time.Duration // RateLimited: what the source, or the declared rate, asks to wait
	Hint    string        // what the operator can do
	Err     error
}

// Error tells the request, the attempt, the answer and the hint in one line.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "fetch %s: ", e.Dataset)
	if e.URL != "" {
		fmt.Fprintf(&b, "%s %s: ", e.Method, e.URL)
	}
	if e.Attempt > 0 {
		fmt.Fprintf(&b, "attempt %d: ", e.Attempt)
	}
	b.WriteString(e.Kind.String())
	if e.Status != 0 {
		fmt.Fprintf(&b, ": status %d %s", e.Status, http.StatusText(e.Status))
	}
	if e.Body != "" {
		fmt.Fprintf(&b, ": %q", e.Body)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, " (%s)", e.Hint)
	}
	return b.String()
}

// Unwrap gives the fault below.
func (e *Error) Unwrap() error { return e.Err }

// retryable reports whether another attempt may bring something else.
func (e *Error) retryable() bool { return e.Kind == Unavailable || e.Kind == RateLimited }
