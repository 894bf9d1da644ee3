package telemetry

import (
	"sort"
	"time"
)

// Namespace of all metrics.
const Namespace = "Tributary"

// Dimensions. Every metric has Environment and Dataset; RecordsRejectedByRule has Rule as well.
const (
	Environment = "environment"
	Dataset     = "dataset"
	Rule        = "rule"
)

// Names of the metrics, for dashboards and alarms.
const (
	RunsIngested    = "RunsIngested"    // 1 for each manifest that was stored
	PagesIngested   = "PagesIngested"   // raw pages of the run
	RecordsIngested = "RecordsIngested" // records in them
	BytesIngested   = "BytesIngested"   // compressed
	IngestSeconds   = "IngestSeconds"   // time spent by the invocation that finished the run
	RunsUnprocessed = "RunsUnprocessed" // earlier runs without a done audit row, counted by ingest

	RunsDone        = "RunsDone"        // 1 for each run whose audit row says done, whatever its outcome
	RunsLoaded      = "RunsLoaded"      // 1 or 0: lake and table hold the run
	RunsHeld        = "RunsHeld"        // 1 or 0: too many rejects, or too few rows
	RunsUnreadable  = "RunsUnreadable"  // 1 or 0: a page is no JSON or not what the manifest says
	RunsTooLarge    = "RunsTooLarge"    // 1 or 0: a limit of the contract was passed
	RecordsRead     = "RecordsRead"     // clean + rejected
	RecordsClean    = "RecordsClean"    //
	RecordsRejected = "RecordsRejected" //
	RecordsWarned   = "RecordsWarned"   // clean records that broke a rule of severity warning
	BytesRead       = "BytesRead"       // uncompressed
	ProcessSeconds  = "ProcessSeconds"  // time of the invocation

	RecordsRejectedByRule = "RecordsRejectedByRule" // a record counts under each rule that it broke
)

const (
	// MaxRules is the number of rules of a run that have a metric of their own: those with the most records.
	MaxRules = 20
	// OtherRules is the rule dimension of all further rules together.
	OtherRules = "other"
)

// Ingested is what one ingest run brought.
type Ingested struct {
	Environment, Dataset, Run, RequestID string

	Pages   int
	Records int64
	Bytes   int64
	Elapsed time.Duration
}

// Processed is the outcome of processing one run.
type Processed struct {
	Environment, Dataset, Run, RequestID string

	Outcome  string // loaded, held, unreadable, too_large
	Records  int64
	Clean    int64
	Rejected int64
	Warned   int64
	Bytes    int64
	Elapsed  time.Duration
	ByRule   map[string]int64 // rejected records by rule
}

// Ingested emits the metrics of a run whose manifest was stored. It is called once for each run: by the invocation
// that stored it.
func (t *Telemetry) Ingested(i Ingested) {
	t.emit(metricLine{
		dimensions: []member{{Environment, i.Environment}, {Dataset, i.Dataset}},
		properties: []member{{"run", i.Run}, {"requestId", i.RequestID}},
		metrics: []metric{
			{RunsIngested, "Count", 1},
			{PagesIngested, "Count", i.Pages},
			{RecordsIngested, "Count", i.Records},
			{BytesIngested, "Bytes", i.Bytes},
			{IngestSeconds, "Seconds", seconds(i.Elapsed)},
		},
	})
}

// Unprocessed emits how many earlier runs still wait for a done audit row.
func (t *Telemetry) Unprocessed(environment, dataset string, runs int) {
	t.emit(metricLine{
		dimensions: []member{{Environment, environment}, {Dataset, dataset}},
		metrics:    []metric{{RunsUnprocessed, "Count", runs}},
	})
}

// Processed emits the metrics of a processed run, and one line for each rule that rejected records.
func (t *Telemetry) Processed(p Processed) {
	dimensions := []member{{Environment, p.Environment}, {Dataset, p.Dataset}}
	properties := []member{{"run", p.Run}, {"requestId", p.RequestID}, {"outcome", p.Outcome}}
	t.emit(metricLine{
		dimensions: dimensions,
		properties: properties,
		metrics: []metric{
			{RunsDone, "Count", 1},
			{RunsLoaded, "Count", is(p.Outcome, "loaded")},
			{RunsHeld, "Count", is(p.Outcome, "held")},
			{RunsUnreadable, "Count", is(p.Outcome, "unreadable")},
			{RunsTooLarge, "Count", is(p.Outcome, "too_large")},
			{RecordsRead, "Count", p.Records},
			{RecordsClean, "Count", p.Clean},
			{RecordsRejected, "Count", p.Rejected},
			{RecordsWarned, "Count", p.Warned},
			{BytesRead, "Bytes", p.Bytes},
			{ProcessSeconds, "Seconds", seconds(p.Elapsed)},
		},
	})
	for _, r := range topRules(p.ByRule) {
		t.emit(metricLine{
			dimensions: []member{{Environment, p.Environment}, {Dataset, p.Dataset}, {Rule, r.rule}},
			properties: properties,
			metrics:    []metric{{RecordsRejectedByRule, "Count", r.records}},
		})
	}
}

type ruleCount struct {
	rule    string
	records int64
}

// topRules orders rules by records, then name, and folds what is beyond MaxRules.
func topRules(byRule map[string]int64) []ruleCount {
	rules := make([]ruleCount, 0, len(byRule))
	for rule, records := range byRule {
		rules = append(rules, ruleCount{rule, records})
	}
	sort.Slice(rules, func(i, j int) bool {
		if rules[i].records != rules[j].records {
			return rules[i].records > rules[j].records
		}
		return rules[i].rule < rules[j].rule
	})
	if len(rules) <= MaxRules {
		return rules
	}
	other := ruleCount{rule: OtherRules}
	for _, r := range rules[MaxRules:] {
		other.records += r.records
	}
	return append(rules[:MaxRules], other)
}

func is(got, want string) int {
	if got == want {
		return 1
	}
	return 0
}

func seconds(d time.Duration) float64 {
	return float64(d.Milliseconds()) / 1000
}
