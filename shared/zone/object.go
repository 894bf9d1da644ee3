package zone

import (
	"errors"
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

var (
	// ErrNotFound is wrapped by errors for an object, item or secret that does not exist.
	ErrNotFound = errors.New("not found")
	// ErrCondition is wrapped by errors for a write whose condition does not hold. It may be one's own success whose
	// answer was lost: read and compare.
	ErrCondition = errors.New("condition not met")
)
