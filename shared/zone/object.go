package zone

import (
	"context"
	"errors"
	"io"
	"time"
)

// Object is what a store knows of a stored object.
type Object struct {
	Key      string
	Version  string // version id; "" where the bucket has no versions
	ETag     string // opaque, quotes included: with KMS it is no MD5
	Size     int64
	Modified time.Time
	Metadata map[string]string // lower-case keys; absent from listings
}

// Condition guards a write. The zero value writes in any case.
type Condition struct {
	IfAbsent bool   // If-None-Match: *
	IfMatch  string // If-Match: an ETag
}

// PutOptions are the optional parts of a write.
type PutOptions struct {
	Condition   Condition
	ContentType string
	Metadata    map[string]string // lower-case keys, printable ASCII values
}

// Upload is an object in the making. What is written is not visible before Complete, and then as a whole. Exactly one
// of Complete and Abort ends it, unless Complete fails: then Abort gives back what was sent.
type Upload interface {
	io.Writer
	// Flush sends what is still buffered, so that an upload that waits for Complete holds no memory. Nothing may be
	// written after it.
	Flush() error
	// Complete makes the object visible if the condition holds.
	Complete(ctx context.Context, condition Condition) (Object, error)
	// Abort discards what was sent. It may be called more than once, and after Complete, when it does nothing.
	Abort(ctx context.Context) error
}

var (
	// ErrNotFound is wrapped by errors for an object, item or secret that does not exist.
	ErrNotFound = errors.New("not found")
	// ErrCondition is wrapped by errors for a write whose condition does not hold. It may be one's own success whose
	// answer was lost: read and compare.
	ErrCondition = errors.New("condition not met")
)

// Metadata in the footer of every lake file: what it was made of, and by what.
const (
	MadeOfDataset  = "tributary.dataset"
	MadeByVersion  = "tributary.contract_version"
	MadeByContract = "tributary.contract_digest"
	MadeByEngine   = "tributary.engine_revision"
	MadeOfRaw      = "tributary.raw_key"     // the manifest's
	MadeOfVersion  = "tributary.raw_version" // of the manifest
)
