package zone

// RejectRow is one line of a rejects file and one row of the Glue table <dataset>_rejects. The struct's tags are the
// table's definition: Columns reads them. Times are ISO 8601 text, declared string (the Hive JSON SerDe reads only its
// own form as timestamp).
type RejectRow struct {
	Dataset         string         `json:"dataset" glue:"string"`
	RunID           string         `json:"run_id" glue:"string"`
	RawKey          string         `json:"raw_key" glue:"string"`
	RawVersion      string         `json:"raw_version" glue:"string"`
	Page            int32          `json:"page" glue:"int"`
	Index           int64          `json:"record_index" glue:"bigint"`
	Key             string         `json:"record_key" glue:"string"` // the record's name, where records are the members of an object
	Violations      []ViolationRow `json:"violations" glue:"array<struct<pointer:string,rule:string,message:string,value:string>>"`
	Record          string         `json:"record" glue:"string"`          // exact text; base64 when Encoding says so; the head of an oversized record
	Encoding        string         `json:"record_encoding" glue:"string"` // utf-8 or base64
	Truncated       bool           `json:"record_truncated" glue:"boolean"`
	Offset          int64          `json:"record_offset" glue:"bigint"` // in the uncompressed page
	Bytes           int64          `json:"record_bytes" glue:"bigint"`
	SHA256          string         `json:"record_sha256" glue:"string"` // of the whole record, only when truncated
	ContractVersion string         `json:"contract_version" glue:"string"`
	ContractDigest  string         `json:"contract_digest" glue:"string"`
	EngineRevision  string         `json:"engine_revision" glue:"string"`
}

// ViolationRow is one reason for a reject.
type ViolationRow struct {
	Pointer string `json:"pointer"` // JSON Pointer below the record; "" is the record itself
	Rule    string `json:"rule"`
	Message string `json:"message"`
	Value   string `json:"value"` // the offending JSON text, shortened
}

// AuditRow is the outcome of processing one run: one object, one line, one row of the Glue table pipeline_audit.
// State done is the commit marker that <dataset>_latest reads.
type AuditRow struct {
	Dataset         string      `json:"dataset" glue:"string"`
	RunID           string      `json:"run_id" glue:"string"`
	ScheduledAt     string      `json:"scheduled_at" glue:"string"`
	State           string      `json:"state" glue:"string"`   // storing, stored, done
	Outcome         string      `json:"outcome" glue:"string"` // loaded, held, unreadable, too_large; empty while storing
	Reason          string      `json:"reason" glue:"string"`  // of every outcome but loaded
	ManifestKey     string      `json:"manifest_key" glue:"string"`
	ManifestVersion string      `json:"manifest_version" glue:"string"`
	ContractVersion string      `json:"contract_version" glue:"string"`
	ContractDigest  string      `json:"contract_digest" glue:"string"`
	EngineRevision  string      `json:"engine_revision" glue:"string"`
	Claim           int64       `json:"claim" glue:"bigint"` // how often the run was claimed by another manifest, contract or engine than before; part of ItemOrder
	Pages           int64       `json:"pages" glue:"bigint"`
	Records         int64       `json:"records" glue:"bigint"`
	Clean           int64       `json:"clean" glue:"bigint"`
	Rejected        int64       `json:"rejected" glue:"bigint"`
	Warnings        int64       `json:"warnings" glue:"bigint"`
	RejectsByRule   []RuleCount `json:"rejects_by_rule" glue:"array<struct<rule:string,pointer:string,records:bigint>>"`
	WarningsByRule  []RuleCount `json:"warnings_by_rule" glue:"array<struct<rule:string,pointer:string,records:bigint>>"`
	UnknownMembers  []RuleCount `json:"unknown_members" glue:"array<struct<rule:string,pointer:string,records:bigint>>"`
	LakeFiles       []FileRow   `json:"lake_files" glue:"array<struct<key:string,rows:bigint,bytes:bigint>>"`
	RejectFiles     []FileRow   `json:"reject_files" glue:"array<struct<key:string,rows:bigint,bytes:bigint>>"`
	Items           int64       `json:"items" glue:"bigint"` // keys offered to the serving table
	AlertID         string      `json:"alert_id" glue:"string"`
	StoredAt        string      `json:"stored_at" glue:"string"`
	Replay          ReplayRow   `json:"replay" glue:"struct<state:string,outcome:string,reason:string,contract_version:string,contract_digest:string,engine_revision:string,alert_id:string,stored_at:string>"`
	Former          FormerRow   `json:"former" glue:"struct<contract_version:string,contract_digest:string,engine_revision:string,records:bigint,clean:bigint,rejected:bigint,lake_files:bigint,stored_at:string>"`
}

// ReplayRow is the last replay of a loaded run that did not load and so left the run's outcome in place; empty where
// there was none.
type ReplayRow struct {
	State           string `json:"state"`   // stored, done; empty: no such replay
	Outcome         string `json:"outcome"` // held, unreadable, too_large
	Reason          string `json:"reason"`
	ContractVersion string `json:"contract_version"`
	ContractDigest  string `json:"contract_digest"`
	EngineRevision  string `json:"engine_revision"`
	AlertID         string `json:"alert_id"`
	StoredAt        string `json:"stored_at"`
}

// FormerRow is the loaded outcome that a claim is replacing. It stays in the row of an outcome that did not load, where it
// says what is no longer in the lake: the claim had begun to replace it when another one took the run over. Empty otherwise.
type FormerRow struct {
	ContractVersion string `json:"contract_version"`
	ContractDigest  string `json:"contract_digest"`
	EngineRevision  string `json:"engine_revision"`
	Records         int64  `json:"records"`
	Clean           int64  `json:"clean"`
	Rejected        int64  `json:"rejected"`
	LakeFiles       int64  `json:"lake_files"` // how many they were
	StoredAt        string `json:"stored_at"`
}

// RuleCount counts records by rule and place.
type RuleCount struct {
	Rule    string `json:"rule"`
	Pointer string `json:"pointer"`
	Records int64  `json:"records"`
}

// FileRow is a file that a run made.
type FileRow struct {
	Key   string `json:"key"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
}

// States and outcomes of an audit row.
const (
	StateStoring = "storing" // claimed: lake, rejects and table are being changed by this contract and engine
	StateStored  = "stored"  // lake, rejects and table hold the run; the alert may be missing
	StateDone    = "done"

	OutcomeLoaded     = "loaded"
	OutcomeHeld       = "held"
	OutcomeUnreadable = "unreadable"
	OutcomeTooLarge   = "too_large"
)
