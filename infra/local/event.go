package local

import "time"

// Kind of an Event.
type Kind string

// Kinds of events, and what they carry beside time and kind.
const (
	ScheduleFired       Kind = "schedule fired"       // Schedule, ScheduledAt, Function, RequestID
	InvocationStarted   Kind = "invocation started"   // Function, RequestID, Attempt, Init
	InvocationEnded     Kind = "invocation ended"     // Function, RequestID, Attempt, Init, Duration
	InvocationFailed    Kind = "invocation failed"    // the same and Error
	InvocationRetried   Kind = "invocation retried"   // Function, RequestID, Attempt: the one that follows
	InvocationExhausted Kind = "invocation exhausted" // Function, RequestID, Attempt, Error: no attempt is left
	InvocationThrottled Kind = "invocation throttled" // Function, RequestID, Error
	RecordUndelivered   Kind = "record undelivered"   // Function, RequestID, Error: the failure destination refused
	ObjectWritten       Kind = "object written"       // Role, Bucket, Key, Version, Size
	EventRefused        Kind = "event refused"        // Bucket, Key, Function, Error: S3 may not invoke the function
	ItemWritten         Kind = "item written"         // Role, Table, Action
	MessagePublished    Kind = "message published"    // Topic, Subject, Message
	MessageQueued       Kind = "message queued"       // Queue, Message
	AccessDenied        Kind = "access denied"        // Role, Action, Resource, Error
	LogWritten          Kind = "log written"          // Function, RequestID, Message
)

// Event is something that happened in the environment.
type Event struct {
	Time time.Time
	Kind Kind

	Function  string // name
	RequestID string
	Attempt   int           // from 1
	Init      time.Duration // from the start of the process to its first call for work; 0 when it was there already
	Duration  time.Duration // of the attempt
	Error     string

	Schedule    string
	ScheduledAt time.Time

	Role     string // ARN of the caller; empty for the operator
	Action   string
	Resource string // ARN

	Bucket, Key, Version string
	Size                 int64

	Table   string
	Topic   string // ARN
	Queue   string // name
	Subject string
	Message string
}
