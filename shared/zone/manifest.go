package zone

import "time"

// ManifestFormat is the version of the manifest document.
const ManifestFormat = 1

// Manifest lists what a run brought. It is written last, and its creation starts processing.
type Manifest struct {
	Format          int            `json:"format"`
	Dataset         string         `json:"dataset"`
	Run             string         `json:"run"`
	ScheduledAt     time.Time      `json:"scheduled_at"`
	ContractVersion string         `json:"contract_version"`
	ContractDigest  string         `json:"contract_digest"`
	Source          string         `json:"source"`           // URL without secrets, or file:NAME for an upload
	Ended           string         `json:"ended"`            // complete, or why it ended early
	Reason          string         `json:"reason,omitempty"` // of too_large: which limit, and what to do
	Records         int64          `json:"records"`
	Cursor          *CursorRange   `json:"cursor,omitempty"` // of a source with an incremental cursor
	Pages           []ManifestPage `json:"pages"`
}

// CursorRange is the part of an incremental source that a run brought.
type CursorRange struct {
	From string `json:"from"`          // where the run started
	End  string `json:"end,omitempty"` // where the run was told to end, such as a backfill; it leaves the cursor's state alone
	To   string `json:"to"`            // the greatest value in its records, as far as none can be missing before it: where the next run starts; "" when there is none
}

// ManifestPage is one raw object of the run.
type ManifestPage struct {
	Page      int       `json:"page"`
	Key       string    `json:"key"`
	Version   string    `json:"version,omitempty"`
	Bytes     int64     `json:"bytes"`   // of the object as stored (compressed)
	SHA256    string    `json:"sha256"`  // of the object as stored, lower-case hex
	Records   int64     `json:"records"` // -1: the page could not be read as JSON
	FetchedAt time.Time `json:"fetched_at"`
}

// How a run ended.
const (
	EndedComplete   = "complete"   // the source had no more pages
	EndedRateLimit  = "rate_limit" // the source asked to wait for longer than the run had; the next run carries on
	EndedUnreadable = "unreadable" // the last page is no JSON, or lacks the array of records: no way leads further
	EndedTooLarge   = "too_large"  // a limit of the contract was passed: the pages are not all, and are not processed
)
