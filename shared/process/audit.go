package process

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"tributary/shared/contract"
	"tributary/shared/zone"
)

// Metadata of everything that this package writes: who wrote it. An object of the same identity has the same content,
// whichever attempt wrote it.
const (
	metaAttempt  = "attempt"
	metaManifest = "manifest-version"
	metaContract = "contract-version"
	metaDigest   = "contract-digest"
	metaEngine   = "engine-revision"
	metaTable    = "table"   // of an audit row: where in the lake its contract writes
	metaState    = "state"   // of an audit row
	metaVerdict  = "verdict" // of an audit row that says storing: what its attempt is making visible
	metaRequest  = "request" // of an audit row: Lambda's request id, the same in all retries of one event
	metaUntil    = "until"   // of an audit row: when the invocation that wrote it is over for certain
)

// identity is what determines the outcome of a run. Two attempts of one identity write the same.
type identity struct {
	manifest string // version of the manifest
	contract string
	digest   string
	engine   string
}

func identityOf(row *zone.AuditRow) identity {
	return identity{row.ManifestVersion, row.ContractVersion, row.ContractDigest, row.EngineRevision}
}

func identityOfReplay(row *zone.AuditRow) identity {
	return identity{row.ManifestVersion, row.Replay.ContractVersion, row.Replay.ContractDigest, row.Replay.EngineRevision}
}

func (id identity) metadata(attempt string) map[string]string {
	return map[string]string{
		metaAttempt: attempt, metaManifest: id.manifest, metaContract: id.contract, metaDigest: id.digest, metaEngine: id.engine,
	}
}

func identityIn(metadata map[string]string) identity {
	return identity{metadata[metaManifest], metadata[metaContract], metadata[metaDigest], metadata[metaEngine]}
}

// seen is the audit row as it was read or written last; the condition of the next write.
type seen struct {
	exists bool
	row    zone.AuditRow
	object zone.Object
}

// outcomeOf is what attempts of an identity made of the run, or are making of it as long as the row says storing; ""
// where the row knows of none.
func (s *seen) outcomeOf(id identity) string {
	switch {
	case !s.exists:
		return ""
	case identityOf(&s.row) != id && identityOfReplay(&s.row) == id:
		return s.row.Replay.Outcome
	case identityOf(&s.row) != id:
		return ""
	case s.row.State == zone.StateStoring:
		return s.object.Metadata[metaVerdict]
	}
	return s.row.Outcome
}

// alertShowsRecords tells whether the alert of a stored outcome, if it has one, says what only the run's pages say.
func (s *seen) alertShowsRecords() bool {
	if replay := &s.row.Replay; replay.State == zone.StateStored {
		return replay.Outcome != zone.OutcomeTooLarge
	}
	return s.row.AlertID != "" && s.row.Outcome != zone.OutcomeTooLarge
}

// claimedBy tells whether attempts of an identity are making an outcome visible.
func (s *seen) claimedBy(id identity, outcome string) bool {
	return s.exists && s.row.State == zone.StateStoring && identityOf(&s.row) == id && s.outcomeOf(id) == outcome
}

// former is the loaded outcome that stands in the lake or stood there last, for the next claim to tell of.
func (s *seen) former() zone.FormerRow {
	row := &s.row
	if row.Outcome != zone.OutcomeLoaded {
		return row.Former
	}
	return zone.FormerRow{
		ContractVersion: row.ContractVersion, ContractDigest: row.ContractDigest, EngineRevision: row.EngineRevision,
		Records: row.Records, Clean: row.Clean, Rejected: row.Rejected, LakeFiles: int64(len(row.LakeFiles)), StoredAt: row.StoredAt,
	}
}

func (s *seen) condition() zone.Condition {
	if !s.exists {
		return zone.Condition{IfAbsent: true}
	}
	return zone.Condition{IfMatch: s.object.ETag}
}

// takenOverError says that somebody else has changed the audit row since it was seen.
type takenOverError struct{ now seen }

func (e *takenOverError) Error() string {
	r := &e.now.row
	return fmt.Sprintf("audit row changed meanwhile: it is %s by contract %s, engine %s", r.State, r.ContractVersion, r.EngineRevision)
}

// audit reads the run's row.
func (j *job) audit(ctx context.Context) (seen, error) {
	key := j.run.AuditKey()
	body, object, err := j.Audit.Get(ctx, key, "")
	if errors.Is(err, zone.ErrNotFound) {
		return seen{}, nil
	}
	if err != nil {
		return seen{}, fmt.Errorf("read audit row: %w", err)
	}
	data, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		return seen{}, fmt.Errorf("read audit row %s: %w", key, err)
	}
	s := seen{exists: true, object: object}
	if err := json.Unmarshal(data, &s.row); err != nil {
		return seen{}, fmt.Errorf("read audit row %s: %w", key, err)
	}
	return s, nil
}

// writeAudit writes the row if the one seen before still stands, else it returns *takenOverError. A write of this
// attempt whose answer was lost is recognised.
func (j *job) writeAudit(ctx context.Context, row zone.AuditRow, before seen) (seen, error) {
	body, err := encodeLine(row)
	if err != nil {
		return seen{}, fmt.Errorf("encode audit row: %w", err)
	}
	metadata := j.id.metadata(j.attempt)
	metadata[metaTable] = j.Contract.Table
	metadata[metaState] = row.State + row.Replay.State
	if row.State == zone.StateStoring {
		metadata[metaVerdict] = j.outcome
	}
	metadata[metaRequest] = j.request
	metadata[metaUntil] = j.until.UTC().Format(time.RFC3339)
	object, err := j.Audit.Put(ctx, j.run.AuditKey(), body, zone.PutOptions{
		Condition: before.condition(), ContentType: "application/json", Metadata: metadata,
	})
	if err == nil {
		return seen{exists: true, row: row, object: object}, nil
	}
	if !errors.Is(err, zone.ErrCondition) {
		return seen{}, fmt.Errorf("write audit row %s: %w", row.State, err)
	}
	now, err := j.audit(ctx)
	if err != nil {
		return seen{}, err
	}
	if now.exists && now.object.Metadata[metaAttempt] == j.attempt && now.object.Metadata[metaState] == metadata[metaState] {
		return now, nil
	}
	return seen{}, &takenOverError{now: now}
}

// alerting tells whether another invocation, which has stored the run, may be about to send its alert. It is not when
// this one is a retry of the same event: Lambda retries what has ended.
func (j *job) alerting(stored *seen) bool {
	if by := stored.object.Metadata[metaRequest]; by != "" && by == j.request {
		return false
	}
	until, err := time.Parse(time.RFC3339, stored.object.Metadata[metaUntil])
	return err == nil && j.Now().Before(until)
}

// newerContract tells whether a newer version of the contract than this one has had the run: its outcome stands in the
// row, or it was a replay that left an older one's in place.
func (j *job) newerContract(row *zone.AuditRow) (bool, error) {
	for _, text := range []string{row.ContractVersion, row.Replay.ContractVersion} {
		if text == "" { // there was no such replay
			continue
		}
		version, err := contract.ParseVersion(text)
		if err != nil {
			return false, fmt.Errorf("read audit row: %w", err)
		}
		if version.Compare(j.Contract.Version) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// encodeLine gives a JSON document of one line, as the SerDe reads it.
func encodeLine(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
