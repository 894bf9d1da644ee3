package process

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"tributary/shared/contract"
	"tributary/shared/mask"
	"tributary/shared/record"
	"tributary/shared/zone"
)

// Severities of alerts, an attribute of the message that subscriptions can filter by.
const (
	SeverityInfo     = "info"     // warnings only: nothing was kept back
	SeverityWarning  = "warning"  // records were rejected
	SeverityCritical = "critical" // the run is held, unreadable or too large: nobody sees its data
)

const (
	maxExamples    = 3
	maxExampleText = 1500
	maxViolations  = 10 // shown of one record
	maxCounts      = 30 // lines of one table of counts
	maxSubject     = 100
	masked         = "‹masked›"
)

// deserving tells whether people hear of the run: of one that did not load, that rejected records, or that broke a
// rule of severity warning. A clean run says nothing.
func (j *job) deserving(row *zone.AuditRow) bool {
	return row.Outcome != zone.OutcomeLoaded || row.Rejected > 0 || row.Warnings > 0 || len(row.WarningsByRule) > 0
}

// alertID is the same whenever the same run comes to the same outcome by the same contract and engine.
func (j *job) alertID(outcome string) string {
	parts := []string{j.Contract.Dataset, j.run.ID(), j.id.manifest, j.id.contract, j.id.digest, j.id.engine, outcome}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

func severity(row *zone.AuditRow) string {
	switch {
	case row.Outcome != zone.OutcomeLoaded:
		return SeverityCritical
	case row.Rejected > 0:
		return SeverityWarning
	}
	return SeverityInfo
}

// alert words the message of an outcome. Kept is the outcome that a failed replay left in place; nil otherwise.
func (j *job) alert(row, kept *zone.AuditRow, found *examples) zone.Message {
	level := severity(row)
	return zone.Message{
		Subject: subject(fmt.Sprintf("[tributary %s] %s %s: %s", j.Environment, row.Dataset, row.RunID, j.headline(row))),
		Body:    j.body(row, kept, level, found),
		Attributes: map[string]string{
			"alert_id": row.AlertID, "environment": j.Environment, "dataset": row.Dataset, "run": row.RunID,
			"severity": level, "outcome": row.Outcome,
		},
	}
}

func (j *job) headline(row *zone.AuditRow) string {
	switch {
	case row.Outcome != zone.OutcomeLoaded:
		return strings.ReplaceAll(row.Outcome, "_", " ")
	case row.Rejected > 0:
		return fmt.Sprintf("%d of %d records rejected", row.Rejected, row.Records)
	case row.Warnings > 0:
		return fmt.Sprintf("%d warnings in %d records", row.Warnings, row.Records)
	}
	return "a metric of severity warning failed"
}

// subject keeps to what SNS takes: one line of at most 100 ASCII characters.
func subject(text string) string {
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
	if len(ascii) > maxSubject {
		return ascii[:maxSubject-3] + "..."
	}
	return ascii
}

func (j *job) body(row, kept *zone.AuditRow, level string, found *examples) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s: run %s of %s (%s) is %s.", strings.ToUpper(level), row.RunID, row.Dataset, j.Environment, strings.ReplaceAll(row.Outcome, "_", " "))
	if row.Reason != "" {
		line("Reason: %s", row.Reason)
	}
	line("")
	switch {
	case kept != nil:
		line("This was a replay, and what the run came to before stays in place: contract %s, %d records, %d clean, %d rejected.",
			kept.ContractVersion, kept.Records, kept.Clean, kept.Rejected)
	case row.Outcome != zone.OutcomeLoaded:
		line("Nothing of it is in the lake or the serving table. Its raw pages are kept.")
	}
	if was := row.Former; was.ContractVersion != "" {
		line("It was in the lake before: contract %s, engine %s, %d records, %d clean, %d rejected. A replay had begun to replace that when this one took the run over, so that it could not be left in place. A replay under a contract that loads the run brings it back.",
			was.ContractVersion, was.EngineRevision, was.Records, was.Clean, was.Rejected)
	}
	if row.Records > 0 {
		line("Records %d = clean %d + rejected %d (%s).", row.Records, row.Clean, row.Rejected, percent(row.Rejected, row.Records))
	}
	counts(&b, "Rejected, by rule (a record counts under each that it breaks):", row.RejectsByRule)
	warnings := "Warnings, by rule (the rows are kept):"
	if row.Outcome != zone.OutcomeLoaded {
		warnings = "Warnings, by rule (no record is rejected for these):"
	}
	counts(&b, warnings, row.WarningsByRule)
	counts(&b, "Members that the contract does not name:", row.UnknownMembers)
	found.write(&b)
	line("")
	line("What to do: %s", j.next(row))
	line("")
	line("Contract %s (%.12s), engine %s, manifest %s", row.ContractVersion, row.ContractDigest, row.EngineRevision, row.ManifestKey)
	line("Alert %s: the same id twice is the same alert.", row.AlertID)
	return b.String()
}

// next says what to do, by the operators' commands and by what every deployment has: Athena and the process function.
func (j *job) next(row *zone.AuditRow) string {
	rejects := fmt.Sprintf("  go tool mage ops:rejects %s %s -stack=%s\nor in Athena:\n  SELECT record_index, violations, record FROM %s WHERE dt = '%s' AND run_id = '%[2]s'",
		row.Dataset, row.RunID, j.Stack, zone.RejectsTable(row.Dataset), j.run.Day())
	again := func(verb, flag, member string) string {
		return fmt.Sprintf("deploy, and process the run again:\n  go tool mage ops:%s %s %s %[3]s%s -stack=%s\nor invoke the process function with\n  "+
			`{"replay": {"dataset": %[2]q, "run": %[3]q%[6]s}}`, verb, row.Dataset, row.RunID, flag, j.Stack, member)
	}
	const strict = "\nWhere the contract is too strict, mend it under a higher version, "
	const stack = "\nWithout -stack the commands work on the local environment."
	switch {
	case row.Outcome == zone.OutcomeHeld && row.Rejected == 0:
		return "no record was rejected: the reason says what is wrong with the run as a whole. Where the source is at fault, so may the next run be." +
			strict + again("release", "", "") + stack
	case row.Outcome == zone.OutcomeHeld:
		return "see what was rejected:\n" + rejects + strict + again("release", "", "") + stack
	case row.Outcome == zone.OutcomeUnreadable:
		return "look at the raw page that the reason names. If the source answered with something else than data, the next run brings it."
	case row.Outcome == zone.OutcomeTooLarge && j.manifest.Ended == zone.EndedTooLarge:
		return "the source had more than the contract lets one run bring, so that the run is not whole. " +
			"Raise the limit that the reason names, or ask the source for less at once, and deploy: the next run brings it."
	case row.Outcome == zone.OutcomeTooLarge:
		return "raise the limit in the contract, or the function's memory and time, " + again("replay", " -force", `, "force": true`) + "\nOr ask the source for less at once." + stack
	case row.Rejected > 0:
		return "the clean rows are loaded. See the rejected ones:\n" + rejects + strict + again("replay", "", "") + stack
	}
	return "all rows are loaded. If the warnings are expected, change the bounds of the rule."
}

func counts(b *strings.Builder, title string, rows []zone.RuleCount) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for i, r := range rows {
		if i == maxCounts {
			fmt.Fprintf(b, "  and %d more\n", len(rows)-i)
			break
		}
		fmt.Fprintf(b, "  %8d  %s %s\n", r.Records, r.Rule, r.Pointer)
	}
}

// examples keeps the first rejects of as many rules as it can.
type examples struct {
	contract *contract.Contract
	rows     []zone.RejectRow
	rules    map[string]bool
}

// offer takes a reject whose first rule has no example yet.
func (e *examples) offer(r *record.Reject, row func() zone.RejectRow) {
	if len(e.rows) == maxExamples || len(r.Violations) == 0 {
		return
	}
	rule := r.Violations[0].Rule + " " + r.Violations[0].Pointer
	if e.rules[rule] {
		return
	}
	if e.rules == nil {
		e.rules = map[string]bool{}
	}
	e.rules[rule] = true
	e.rows = append(e.rows, row())
}

func (e *examples) write(b *strings.Builder) {
	if len(e.rows) == 0 {
		return
	}
	fmt.Fprint(b, "\nFor example:\n")
	for _, row := range e.rows {
		fmt.Fprintf(b, "  record %s of page %d\n", mask.Of(e.contract).Place(row.Index, row.Key), row.Page)
		for i, v := range row.Violations {
			if i == maxViolations {
				fmt.Fprintf(b, "    and %d more reasons\n", len(row.Violations)-i)
				break
			}
			fmt.Fprintf(b, "    %s\n", e.violation(v))
		}
		if text := e.text(row); text != "" {
			fmt.Fprintf(b, "    %s\n", text)
		}
	}
}

// violation words a reason; of a classified column neither value nor message, which may quote it.
func (e *examples) violation(v zone.ViolationRow) string {
	if e.classified(v.Pointer) {
		return fmt.Sprintf("%s %s: %s", v.Rule, v.Pointer, masked)
	}
	text := v.Rule + ": " + v.Message // which names the place
	if v.Value != "" {
		text += " (" + shorten(v.Value, 200) + ")"
	}
	return text
}

// classified tells whether what a pointer leads to may hold a classified value. The record itself does when any column
// is classified; so do members that the contract does not name.
func (e *examples) classified(pointer string) bool {
	isMasked := func(c contract.Column) bool { return holdsMasked(&c) }
	if !slices.ContainsFunc(e.contract.Columns, isMasked) {
		return false
	}
	if pointer == "" {
		return true
	}
	named := false
	for i := range e.contract.Columns {
		c := &e.contract.Columns[i]
		path := pointerTo(c)
		if pointer == path || strings.HasPrefix(pointer, path+"/") || strings.HasPrefix(path, pointer+"/") {
			if holdsMasked(c) {
				return true
			}
			named = true
		}
	}
	return !named
}

func holdsMasked(c *contract.Column) bool {
	if c.Masked() {
		return true
	}
	if c.Type.Elem != nil && holdsMasked(c.Type.Elem) {
		return true
	}
	return slices.ContainsFunc(c.Type.Fields, func(f contract.Column) bool { return holdsMasked(&f) })
}

func pointerTo(c *contract.Column) string {
	if c.Derived != nil {
		return "/" + escape(c.Name)
	}
	var b strings.Builder
	for _, token := range c.Path {
		b.WriteString("/" + escape(token))
	}
	return b.String()
}

var escaper = strings.NewReplacer("~", "~0", "/", "~1")

func escape(token string) string { return escaper.Replace(token) }

// text shows of a record its keys and the members that its violations are about, classified ones masked. Nothing is
// shown of a record that is no whole object: what it holds cannot be told.
func (e *examples) text(row zone.RejectRow) string {
	var members map[string]json.RawMessage
	if row.Truncated || row.Encoding != "utf-8" || json.Unmarshal([]byte(row.Record), &members) != nil {
		return ""
	}
	var b bytes.Buffer
	for _, name := range e.about(row) {
		value, ok := members[name]
		if !ok {
			continue
		}
		if e.classified("/" + escape(name)) {
			value = json.RawMessage(`"` + masked + `"`)
		}
		label, err := encodeLine(name)
		if err != nil {
			return ""
		}
		if b.Len() == 0 {
			b.WriteByte('{')
		} else {
			b.WriteString(", ")
		}
		b.Write(bytes.TrimSpace(label))
		b.WriteString(": ")
		if err := json.Compact(&b, value); err != nil {
			return ""
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return shorten(b.String(), maxExampleText) + ", …}"
}

// about names the top-level members that tell which record it is and what is wrong with it, in the contract's order.
func (e *examples) about(row zone.RejectRow) []string {
	var names []string
	for i := range e.contract.Columns {
		c := &e.contract.Columns[i]
		if len(c.Path) == 0 || slices.Contains(names, c.Path[0]) {
			continue
		}
		if c.Key > 0 || slices.ContainsFunc(row.Violations, func(v zone.ViolationRow) bool { return e.concerns(v, c) }) {
			names = append(names, c.Path[0])
		}
	}
	return names
}

// concerns tells whether a violation is about a column: by its pointer, or because the broken rule reads it.
func (e *examples) concerns(v zone.ViolationRow, c *contract.Column) bool {
	member := "/" + escape(c.Path[0])
	if v.Pointer == member || strings.HasPrefix(v.Pointer, member+"/") {
		return true
	}
	return slices.ContainsFunc(e.contract.Rules, func(r contract.Rule) bool {
		return r.ID == v.Rule && slices.Contains(r.Expr.Columns, c.Name)
	})
}

func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
