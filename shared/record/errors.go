package record

import "fmt"

// UnreadableError says that a page is not what it should be: no JSON, truncated, without the array of records. It is
// no transient fault; trying again reads the same bytes.
type UnreadableError struct {
	Page   int
	Offset int64 // in the uncompressed page
	Reason string
}

func (e *UnreadableError) Error() string {
	return fmt.Sprintf("read page %d: %s at byte %d", e.Page, e.Reason, e.Offset)
}

// TooLargeError says that a run exceeds a limit of its contract.
type TooLargeError struct {
	What  string // records, pages
	Limit int64
	Page  int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("read page %d: the run has more than %d %s, the limit of its contract", e.Page, e.Limit, e.What)
}
