package source

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tributary/shared/record"
)

const (
	attempts     = 5
	firstBackoff = time.Second
	maxBackoff   = 5 * time.Minute
	maxWait      = 15 * time.Minute // the longest life of a Lambda invocation
	maxRedirects = 10
	bodyHead     = 256 // bytes of an answer in an error
	// reserve is what a wait leaves of the caller's time, to end in an orderly way.
	reserve = 5 * time.Second
)

var (
	errTimeout   = errors.New("no whole answer in time")
	errPlainHTTP = errors.New("a redirect leads to plain http")
	errRedirects = fmt.Errorf("more than %d redirects", maxRedirects)
)

// ask sends a request until it brings an answer, a fault that stays, or there are no more attempts or no more time.
func (w *Walk) ask(ctx context.Context, r request) (*answer, error) {
	for attempt := 1; ; attempt++ {
		a, err := w.attempt(ctx, r, attempt)
		if err == nil {
			return a, nil
		}
		var fault *Error
		if ctx.Err() != nil || !errors.As(err, &fault) || !fault.retryable() {
			return nil, w.stopped(ctx, err)
		}
		delay := max(w.backoff(attempt), fault.Wait)
		short := w.short(ctx, delay)
		switch {
		case (attempt == attempts || short != "") && a != nil:
			return a, nil
		case attempt == attempts:
			return nil, fault
		case short != "":
			fault.Wait, fault.Hint = delay, short
			return nil, fault
		}
		if err := w.client.sleep(ctx, delay); err != nil {
			return nil, w.stopped(ctx, err)
		}
	}
}

// attempt sends a request, and once more when the source refuses a token that it may have let expire.
func (w *Walk) attempt(ctx context.Context, r request, attempt int) (*answer, error) {
	a, err := w.inTime(ctx, r, attempt)
	var fault *Error
	if errors.As(err, &fault) && fault.Status == http.StatusUnauthorized && w.keys.stale() {
		return w.inTime(ctx, r, attempt)
	}
	return a, err
}

// inTime sends a request once the declared rate allows it.
func (w *Walk) inTime(ctx context.Context, r request, attempt int) (*answer, error) {
	if delay := w.client.window.delay(w.client.now()); delay > 0 {
		if short := w.short(ctx, delay); short != "" {
			return nil, &Error{
				Kind: RateLimited, Dataset: w.client.dataset, Attempt: attempt, Wait: delay,
				Err: errors.New("the declared rate is used up"), Hint: short,
			}
		}
		if err := w.client.sleep(ctx, delay); err != nil {
			return nil, err
		}
	}
	return w.send(ctx, r, attempt)
}

// short says that, and by how much, the time left is too short for a wait; "" when it is not.
func (w *Walk) short(ctx context.Context, d time.Duration) string {
	left := maxWait
	if deadline, ok := ctx.Deadline(); ok {
		left = min(left, deadline.Sub(w.client.now())-reserve)
	}
	if d <= left {
		return ""
	}
	return fmt.Sprintf("the next attempt would have to wait %s, and %s are left", round(d), round(max(0, left)))
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }

// stopped gives faults that the end of the caller's context brought about their own kind.
func (w *Walk) stopped(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return &Error{Kind: Stopped, Dataset: w.client.dataset, Err: fmt.Errorf("%w: %w", context.Cause(ctx), err)}
}

// backoff doubles with the attempts; half of it is jitter.
func (w *Walk) backoff(attempt int) time.Duration {
	d := min(firstBackoff<<(attempt-1), maxBackoff)
	return d/2 + time.Duration(w.client.rand()*float64(d/2))
}

// send makes one attempt and enters it into the client's window. An answer whose body is unreadable comes with a fault,
// for the caller to choose.
func (w *Walk) send(ctx context.Context, r request, attempt int) (*answer, error) {
	c := w.client
	fault := &Error{Kind: Unavailable, Dataset: c.dataset, Method: r.method, URL: redact(r.url, c.keyParam()).String(), Attempt: attempt}
	if r.url.Scheme != "https" && !c.plainHTTP {
		fault.Kind, fault.Err = Insecure, errors.New("the link leads to plain http")
		return nil, fault
	}
	timeout := c.source.Limits.Timeout
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("%w: %s", errTimeout, timeout))
	defer cancel()
	req, err := w.build(ctx, r)
	if err != nil {
		var asked *Error // the token endpoint
		if errors.As(err, &asked) && asked.Method != "" {
			asked.Attempt = attempt
		}
		return nil, err
	}
	fault.URL = w.keys.hider.hide(fault.URL)

	a, err := w.exchange(ctx, req, fault)
	end := c.now()
	c.window.count(end)
	if err != nil {
		return nil, err
	}
	a.at = end
	if a.records, err = record.Count(bytes.NewReader(a.body), &c.source); err != nil {
		a.records = -1
		fault.Status, fault.Err = http.StatusOK, fmt.Errorf("read records: %w", err)
		return a, fault
	}
	return a, nil
}

func (w *Walk) exchange(ctx context.Context, req *http.Request, fault *Error) (*answer, error) {
	client := http.Client{Transport: w.client.transport, CheckRedirect: w.redirect}
	response, err := client.Do(req)
	if err != nil {
		return nil, w.networkFault(ctx, fault, err)
	}
	defer response.Body.Close()
	if !success(response.StatusCode) {
		return nil, w.statusFault(fault, response)
	}
	body, err := readBody(response, w.client.source.Limits.Body)
	if err != nil {
		fault.Status = response.StatusCode
		return nil, w.networkFault(ctx, fault, err)
	}
	return &answer{url: response.Request.URL, header: response.Header, body: body}, nil
}

// build makes the HTTP request. The contract's headers and the credentials are for the contract's origin alone.
func (w *Walk) build(ctx context.Context, r request) (*http.Request, error) {
	c := w.client
	u := *r.url
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), body)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: make request: %w", c.dataset, w.keys.hideError(err))
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Encoding", "gzip")
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if !sameOrigin(req.URL, c.base) {
		return req, nil
	}
	for _, h := range c.source.Headers {
		req.Header.Set(h.Name, h.Value)
	}
	// The transfer encoding is ours to choose: readBody takes gzip and nothing else.
	req.Header.Set("Accept-Encoding", "gzip")
	return req, w.keys.put(ctx, req)
}

// redirect follows within the origin as net/http does, and elsewhere with nothing that tells who asks.
func (w *Walk) redirect(req *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return errRedirects
	}
	if req.URL.Scheme != "https" && !w.client.plainHTTP {
		return errPlainHTTP
	}
	// net/http would send the URL before, with a key in its query, as the referrer.
	req.Header.Del("Referer")
	left := func(r *http.Request) bool { return !sameOrigin(r.URL, w.client.base) }
	if left(req) || slices.ContainsFunc(via, left) {
		req.Header = http.Header{ //nolint:gosec // G119 takes a header that holds no credentials for one that copies them
			"User-Agent":      {w.client.agent},
			"Accept":          {"application/json"},
			"Accept-Encoding": {"gzip"},
		}
	}
	return nil
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// success leaves out 202, which has nothing yet, and 206, which has a part.
func success(status int) bool {
	return status >= 200 && status < 300 && status != http.StatusAccepted && status != http.StatusPartialContent
}

// networkFault completes the fault of a request that brought no whole answer.
func (w *Walk) networkFault(ctx context.Context, fault *Error, err error) *Error {
	var tooLarge *tooLargeError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &tooLarge):
		fault.Kind = TooLarge
		fault.Hint = "raise limits.body in the contract, or ask for smaller pages"
	case errors.Is(err, errPlainHTTP), errors.As(err, &certificate):
		fault.Kind = Insecure
	case errors.Is(err, errRedirects):
		fault.Kind = Looping
	case errors.Is(err, errEncoding):
		fault.Kind = Malformed
	}
	if cause := context.Cause(ctx); errors.Is(cause, errTimeout) {
		err = cause
	}
	fault.Err = w.keys.hideError(err)
	return fault
}

// statusFault completes the fault of an answer that is no success.
func (w *Walk) statusFault(fault *Error, response *http.Response) *Error {
	fault.Kind, fault.Status = kindOf(response.StatusCode), response.StatusCode
	// Enough is read that a credential echoed near the cut is still whole when it is hidden.
	body, err := readBody(response, 16*bodyHead)
	var tooLarge *tooLargeError
	if err == nil || errors.As(err, &tooLarge) {
		fault.Body = head(w.keys.hider.hide(string(body)))
	}
	fault.Wait = retryAfter(response.Header, w.client.now())
	if fault.Kind == Refused {
		switch {
		case !sameOrigin(response.Request.URL, w.client.base):
			fault.Hint = "credentials are not sent to another host than the contract's, and this answer came from " + response.Request.URL.Host
		case w.client.source.Auth == nil:
			fault.Hint = "the contract declares no auth"
		case w.keys.secret == "":
			fault.Hint = "the optional secret " + w.client.secret + " is empty; " + w.client.fillHint()
		default:
			fault.Hint = "the secret " + w.client.secret + " was not accepted; " + w.client.fillHint()
		}
	}
	return fault
}

func kindOf(status int) Kind {
	switch {
	case status == http.StatusTooManyRequests:
		return RateLimited
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		return Unavailable
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Refused
	}
	return Rejected
}

// head is the beginning of a text, not cut within a character.
func head(s string) string {
	if len(s) <= bodyHead {
		return s
	}
	return strings.ToValidUTF8(s[:bodyHead], "") + "…"
}

// retryAfter reads Retry-After in both forms: seconds, or a date, which is measured on the source's own clock where
// its Date header gives it.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	return max(0, at.Sub(now))
}

var errEncoding = errors.New("the answer's Content-Encoding is not gzip")

// tooLargeError says that a body passes its limit.
type tooLargeError struct{ limit int64 }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("the body has more than %d bytes", e.limit)
}

// readBody reads a body without its transfer encoding, and no more of it than the limit. Above that it returns what
// fits together with a tooLargeError.
func readBody(response *http.Response, limit int64) ([]byte, error) {
	var body io.Reader = response.Body
	size := response.ContentLength
	switch encoding := strings.ToLower(strings.TrimSpace(response.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		size = -1
		if response.ContentLength == 0 || response.StatusCode == http.StatusNoContent {
			break
		}
		unzip, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("gunzip body: %w", err)
		}
		body = unzip
	default:
		return nil, fmt.Errorf("%w but %q", errEncoding, encoding)
	}
	var b bytes.Buffer
	if size > 0 {
		b.Grow(int(min(size, limit)) + bytes.MinRead)
	}
	n, err := b.ReadFrom(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	if n > limit {
		return b.Bytes()[:limit], &tooLargeError{limit}
	}
	return b.Bytes(), nil
}
