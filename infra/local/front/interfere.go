package front

import (
	"net/http"
	"time"

	"tributary/infra/local/fault"
)

// Interference makes requests go wrong that are allowed.
type Interference struct {
	// Decide says what goes wrong with a caller's request; "" for nothing.
	Decide func(Caller) (kind fault.Kind, delay time.Duration)
	// Kill ends the processes of the caller.
	Kill func(Caller)
}

// throttled is how each service refuses a request for its rate.
var throttled = map[string]struct {
	status int
	code   string
}{
	"s3":             {http.StatusServiceUnavailable, "SlowDown"},
	"dynamodb":       {http.StatusBadRequest, "ThrottlingException"},
	"sns":            {http.StatusBadRequest, "Throttling"},
	"sqs":            {http.StatusBadRequest, "RequestThrottled"},
	"lambda":         {http.StatusTooManyRequests, "TooManyRequestsException"},
	"secretsmanager": {http.StatusBadRequest, "ThrottlingException"},
	"sts":            {http.StatusBadRequest, "Throttling"},
}

// serve passes a request on, or lets it go wrong.
func (f *Front) serve(service Service, name string, w http.ResponseWriter, r *http.Request, caller Caller) {
	kind, delay := fault.Kind(""), time.Duration(0)
	if f.Interfere != nil && caller.Principal.Role != "" { // the operator's own requests are not meddled with
		kind, delay = f.Interfere.Decide(caller)
	}
	switch kind {
	case fault.Throttle:
		answers[name].refuse(w, r, throttled[name].status, throttled[name].code, "Rate exceeded: a fault on demand")
	case fault.Server:
		answers[name].refuse(w, r, http.StatusInternalServerError, "InternalError", "We encountered an internal error: a fault on demand")
	case fault.Lost:
		service.ServeHTTP(nowhere{header: http.Header{}}, r)
		hangUp(w)
	case fault.Kill:
		f.Interfere.Kill(caller)
		hangUp(w)
	case fault.Slow:
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		}
		service.ServeHTTP(w, r)
	default:
		service.ServeHTTP(w, r)
	}
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = conn.Close() // the client notices
}

// nowhere takes an answer that is lost.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n nowhere) WriteHeader(int)             {}
