// Package zone says where everything lies: the keys of raw pages, manifests, lake files, rejects and audit rows, and
// the documents that pass between the functions through them. Infrastructure builds filters, prefixes and Glue tables
// from the same definitions, so that no key and no column is written twice.
//
// Names derive from the dataset, the scheduled time and a number alone: whoever repeats a run writes the same keys.
// The package does no input or output.
package zone

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

const (
	runLayout = "20060102T150405Z"
	dayLayout = "2006-01-02"

	// RawRoot is the write-once prefix of the raw bucket.
	RawRoot = "raw/"
	// StateRoot is the prefix of the raw bucket where cursor state is replaced.
	StateRoot = "state/"
	// ManifestName ends the key whose creation starts processing.
	ManifestName = "manifest.json"
	// AuditTable names the Glue table and the lake prefix of the audit rows of all datasets.
	AuditTable = "pipeline_audit"
)

// Run is one scheduled fetch of one dataset.
type Run struct {
	Dataset string
	At      time.Time // the scheduled time, UTC, whole seconds
}

// NewRun makes the run of a scheduled time; a retry of the schedule gives the same run.
func NewRun(dataset string, scheduled time.Time) Run {
	return Run{Dataset: dataset, At: scheduled.UTC().Truncate(time.Second)}
}

// ID is the scheduled time as it stands in keys: 20250304T144500Z.
func (r Run) ID() string { return r.At.UTC().Format(runLayout) }

// Day is the value of the only partition, dt: the UTC date of the run.
func (r Run) Day() string { return r.At.UTC().Format(dayLayout) }

// RawPrefix is the prefix of a dataset's raw objects, with the slash: S3 refuses overlapping notification filters,
// and raw/a would overlap raw/ab.
func RawPrefix(dataset string) string { return RawRoot + dataset + "/" }

// RawDayPrefix lists the runs of one day.
func RawDayPrefix(dataset string, day time.Time) string {
	return RawPrefix(dataset) + "dt=" + day.UTC().Format(dayLayout) + "/"
}

// RawRunPrefix lists all raw objects of the run.
func (r Run) RawRunPrefix() string { return RawDayPrefix(r.Dataset, r.At) + "run=" + r.ID() + "/" }

// RawPagePrefix lists the pages of the run.
func (r Run) RawPagePrefix() string { return r.RawRunPrefix() + "page-" }

// RawPageKey is the key of the run's n-th page, from 1.
func (r Run) RawPageKey(n int) string { return fmt.Sprintf("%s%05d.json.gz", r.RawPagePrefix(), n) }

// ManifestKey is the key of the run's manifest.
func (r Run) ManifestKey() string { return r.RawRunPrefix() + ManifestName }

// StateKey is the key of a dataset's cursor state.
func StateKey(dataset string) string { return StateRoot + dataset + ".json" }

// LakePrefix is the location of a table in the lake, with the slash.
func LakePrefix(table string) string { return table + "/" }

// LakeRunPrefix lists the files of the run in a table.
func (r Run) LakeRunPrefix(table string) string {
	return LakePrefix(table) + "dt=" + r.Day() + "/" + r.ID() + "-"
}

// LakeKey is the key of the Parquet file that holds the n-th part of the run's input, from 1.
func (r Run) LakeKey(table string, n int) string {
	return fmt.Sprintf("%s%05d.parquet", r.LakeRunPrefix(table), n)
}

// RejectsTable is the Glue table of a dataset's rejects.
func RejectsTable(dataset string) string { return dataset + "_rejects" }

// RejectsPrefix is the location of a dataset's rejects, with the slash.
func RejectsPrefix(dataset string) string { return RejectsTable(dataset) + "/" }

// RejectsRunPrefix lists the rejects files of the run.
func (r Run) RejectsRunPrefix() string {
	return RejectsPrefix(r.Dataset) + "dt=" + r.Day() + "/" + r.ID() + "-"
}

// RejectsKey is the key of the file of rejects from the n-th part of the run's input, from 1.
func (r Run) RejectsKey(n int) string { return fmt.Sprintf("%s%05d.ndjson", r.RejectsRunPrefix(), n) }

// AuditPrefix is the location of the audit table in the lake bucket, with the slash.
const AuditPrefix = AuditTable + "/"

// AuditDayPrefix lists a dataset's audit rows of one day. A dataset's name has no hyphen.
func AuditDayPrefix(dataset string, day time.Time) string {
	return AuditPrefix + "dt=" + day.UTC().Format(dayLayout) + "/" + dataset + "-"
}

// AuditKey is the key of the run's audit row.
func (r Run) AuditKey() string { return AuditDayPrefix(r.Dataset, r.At) + r.ID() + ".json" }

var manifestKey = regexp.MustCompile(`^raw/([a-z][a-z0-9_]*)/dt=(\d{4}-\d{2}-\d{2})/run=(\d{8}T\d{6}Z)/manifest\.json$`)

// ParseManifestKey reads a manifest's key, decoded, back into its run.
func ParseManifestKey(key string) (Run, error) {
	m := manifestKey.FindStringSubmatch(key)
	if m == nil {
		return Run{}, fmt.Errorf("parse key %q: not %s<dataset>/dt=<yyyy-MM-dd>/run=<yyyyMMddTHHmmssZ>/%s", key, RawRoot, ManifestName)
	}
	at, err := time.Parse(runLayout, m[3])
	if err != nil {
		return Run{}, fmt.Errorf("parse key %q: run %q is no time: %w", key, m[3], err)
	}
	run := NewRun(m[1], at)
	if run.Day() != m[2] {
		return Run{}, fmt.Errorf("parse key %q: run %s does not lie on day %s", key, run.ID(), m[2])
	}
	return run, nil
}

// ParseRunID reads a run id back into its scheduled time.
func ParseRunID(dataset, id string) (Run, error) {
	at, err := time.Parse(runLayout, strings.TrimSpace(id))
	if err != nil {
		return Run{}, fmt.Errorf("parse run %q of %s: not yyyyMMddTHHmmssZ: %w", id, dataset, err)
	}
	return NewRun(dataset, at), nil
}
