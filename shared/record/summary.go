package record

import "tributary/shared/contract"

// RuleCount counts records by rule and place.
type RuleCount struct {
	Rule    string
	Pointer string
	Records int64
}

// Summary is the outcome of a run.
type Summary struct {
	Pages    int
	Bytes    int64 // uncompressed
	Records  int64 // Clean + Rejected
	Clean    int64
	Rejected int64

	ByRule         []RuleCount // records rejected, by rule and pointer, sorted; a record with several reasons counts under each
	Warnings       int64       // all of WarningsByRule
	WarningsByRule []RuleCount // records kept although a rule of severity warning was broken or a time was cut
	Unknown        []RuleCount // members that the contract does not name, by pointer (Rule is RuleUnknown)
	UnknownMore    int64       // occurrences of further unknown members, beyond MaxUnknown names

	Metrics []MetricResult

	RejectPercent   float64
	RejectThreshold float64
	Held            bool     // above the threshold, or a metric of severity error failed
	Reasons         []string // why it is held, one sentence each
}

// MetricResult is a library metric evaluated over the run.
type MetricResult struct {
	ID       string
	Name     string
	Columns  []string
	Value    float64 // rows, or percent where the contract says so
	Percent  bool
	Passed   bool
	Severity contract.Severity
	Message  string
}
