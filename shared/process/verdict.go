package process

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"tributary/shared/contract"
	"tributary/shared/record"
	"tributary/shared/zone"
)

// verdict is what becomes of a run.
type verdict struct {
	outcome string
	reason  string // of every outcome but loaded
	hasty   bool   // for want of time: another attempt of the same identity may have enough of it
}

// unfinishedError says that ingest passed a limit of the contract, so that the pages are not all of the run.
type unfinishedError struct{ reason string }

func (e *unfinishedError) Error() string { return e.reason }

// failureOf tells what is wrong with the run from a fault that another attempt may not meet; nil for the latter.
func failureOf(err error) *verdict {
	var unreadable *record.UnreadableError
	var tooLarge *record.TooLargeError
	var unfinished *unfinishedError
	var outOfTime *outOfTimeError
	var spoolFull *spoolFullError
	switch {
	case errors.As(err, &unreadable):
		return &verdict{outcome: zone.OutcomeUnreadable, reason: unreadable.Error()}
	case errors.As(err, &tooLarge):
		return &verdict{outcome: zone.OutcomeTooLarge, reason: tooLarge.Error()}
	case errors.As(err, &unfinished):
		return &verdict{outcome: zone.OutcomeTooLarge, reason: unfinished.Error()}
	case errors.As(err, &outOfTime):
		return &verdict{outcome: zone.OutcomeTooLarge, reason: outOfTime.Error(), hasty: true}
	case errors.As(err, &spoolFull):
		return &verdict{outcome: zone.OutcomeTooLarge, reason: spoolFull.Error()}
	}
	return nil
}

// verdict judges the run after the pass.
func (p *pass) verdict() verdict {
	switch {
	case p.failure != nil:
		return *p.failure
	case p.summary.Held:
		return verdict{outcome: zone.OutcomeHeld, reason: strings.Join(p.summary.Reasons, "; ")}
	case p.serving != nil && p.serving.unservable != "":
		return verdict{outcome: zone.OutcomeHeld, reason: p.serving.unservable}
	}
	return verdict{outcome: zone.OutcomeLoaded}
}

// row is the audit row of the pass. Files are those that the verdict lets through.
func (p *pass) row(v verdict) zone.AuditRow {
	j := p.job
	row := j.row()
	row.State, row.Outcome, row.Reason = zone.StateStored, v.outcome, valid(v.reason)
	row.Pages = int64(len(j.manifest.Pages))
	if s := p.summary; s != nil && p.failure == nil {
		row.Records, row.Clean, row.Rejected, row.Warnings = s.Records, s.Clean, s.Rejected, s.Warnings
		row.RejectsByRule = ruleCounts(s.ByRule)
		row.WarningsByRule = append(ruleCounts(s.WarningsByRule), failedMetrics(s.Metrics)...) // a list, also where it is empty
		row.UnknownMembers = ruleCounts(s.Unknown)
		if s.UnknownMore > 0 {
			row.UnknownMembers = append(row.UnknownMembers, zone.RuleCount{Rule: "unknown", Pointer: "/*", Records: s.UnknownMore})
		}
		if p.lake != nil {
			row.RejectFiles = p.rejects.rows()
			if v.outcome == zone.OutcomeLoaded {
				row.LakeFiles = p.lake.rows()
			}
		}
	}
	if j.deserving(&row) {
		row.AlertID = j.alertID(v.outcome)
	}
	return row
}

// claim is the audit row that says who is changing the run's outcome. Its number tells the items of one identity from those
// of the next, also where both are of one contract version.
func (j *job) claim(before *seen) zone.AuditRow {
	row := j.row()
	row.State, row.Claim, row.Former = zone.StateStoring, before.row.Claim, before.former()
	if !before.exists || identityOf(&before.row) != j.id {
		row.Claim++
	}
	return row
}

// row is an audit row that says no more than whose it is.
func (j *job) row() zone.AuditRow {
	return zone.AuditRow{
		Dataset:         j.Contract.Dataset,
		RunID:           j.run.ID(),
		ScheduledAt:     j.run.At.Format(time.RFC3339),
		ManifestKey:     j.run.ManifestKey(),
		ManifestVersion: j.id.manifest,
		ContractVersion: j.id.contract,
		ContractDigest:  j.id.digest,
		EngineRevision:  j.id.engine,
		RejectsByRule:   []zone.RuleCount{},
		WarningsByRule:  []zone.RuleCount{},
		UnknownMembers:  []zone.RuleCount{},
		LakeFiles:       []zone.FileRow{},
		RejectFiles:     []zone.FileRow{},
	}
}

func ruleCounts(counts []record.RuleCount) []zone.RuleCount {
	rows := make([]zone.RuleCount, len(counts))
	for i, c := range counts {
		rows[i] = zone.RuleCount{Rule: c.Rule, Pointer: valid(c.Pointer), Records: c.Records}
	}
	return rows
}

// failedMetrics lists the metrics of severity warning that failed; those of severity error hold the
// run and are its reason.
func failedMetrics(results []record.MetricResult) []zone.RuleCount {
	var rows []zone.RuleCount
	for _, m := range results {
		if !m.Passed && m.Severity == contract.Warning {
			pointer := ""
			if len(m.Columns) > 0 {
				pointer = "/" + strings.Join(m.Columns, ",/")
			}
			rows = append(rows, zone.RuleCount{Rule: m.ID, Pointer: pointer, Records: int64(m.Value)})
		}
	}
	return rows
}

func percent(part, whole int64) string {
	if whole == 0 {
		return "0%"
	}
	return fmt.Sprintf("%.4g%%", 100*float64(part)/float64(whole))
}
