package record

import (
	"fmt"

	"tributary/shared/contract"
)

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
	UnknownMore    int64       // occurrences of further unknown members, beyond MaxUnknown names or of a long one

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

// tally counts the records that have an unknown member; in a list it may be there many times.
type tally struct {
	records int64
	stamp   uint64 // of the record that was counted last
}

// judge says whether the run may go on to the lake.
func (r *Reader) judge() {
	s := &r.summary
	s.ByRule, s.WarningsByRule = sortedCounts(r.rejects), sortedCounts(r.warned)
	for _, w := range s.WarningsByRule {
		s.Warnings += w.Records
	}
	r.countUnknown()
	s.RejectThreshold = r.plan.contract.RejectThresholdPercent
	if s.Records > 0 {
		s.RejectPercent = 100 * float64(s.Rejected) / float64(s.Records)
	}
	if s.RejectPercent > s.RejectThreshold {
		s.Held = true
		s.Reasons = append(s.Reasons, fmt.Sprintf("%d of %d records are rejected: %.4g %%, above the threshold of %g %%", s.Rejected, s.Records, s.RejectPercent, s.RejectThreshold))
	}
	for _, t := range r.meters {
		result := t.result(s.Clean)
		if !result.Passed && result.Severity == contract.Error {
			s.Held = true
			s.Reasons = append(s.Reasons, result.Message)
		}
		s.Metrics = append(s.Metrics, result)
	}
}

// countUnknown gathers what records had and the contract does not name.
func (r *Reader) countUnknown() {
	s := &r.summary
	counts := map[reason]int64{}
	var visit func(o *object)
	var follow func(k *reading)
	visit = func(o *object) {
		for _, m := range o.members {
			switch {
			case m.count == nil:
				follow(&m.read)
			case m.count.records > 0:
				counts[reason{RuleUnknown, o.pointer + "/" + escapeToken(m.name)}] += m.count.records
			}
		}
		if o.other != nil {
			s.UnknownMore += o.other.count.records
		}
	}
	follow = func(k *reading) {
		for f := k.field; f != nil; f = f.elem {
			if f.object != nil {
				visit(f.object)
			}
		}
		if k.object != nil {
			visit(k.object)
		}
		for _, e := range k.elements {
			follow(&e)
		}
		for i := range k.also {
			follow(&k.also[i])
		}
	}
	visit(r.root)
	s.Unknown = sortedCounts(counts)
}
