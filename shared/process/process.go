package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"tributary/shared/contract"
	"tributary/shared/record"
	"tributary/shared/telemetry"
	"tributary/shared/zone"
)

// Raw is where manifests and pages lie.
type Raw interface {
	Get(ctx context.Context, key, version string) (io.ReadCloser, zone.Object, error)
}

// Audit is where the runs' rows lie.
type Audit interface {
	Get(ctx context.Context, key, version string) (io.ReadCloser, zone.Object, error)
	Put(ctx context.Context, key string, body []byte, options zone.PutOptions) (zone.Object, error)
}

// Store is where files of a run are made, found and removed.
type Store interface {
	Upload(ctx context.Context, key string, options zone.PutOptions) zone.Upload
	List(ctx context.Context, prefix, startAfter string) iter.Seq2[zone.Object, error]
	Head(ctx context.Context, key string) (zone.Object, error)
	Delete(ctx context.Context, key string, condition zone.Condition) error
}

// Table keeps the newest item of every key, and reports whether the one given was it.
type Table interface {
	Put(ctx context.Context, item zone.Item) (bool, error)
}

// Alerts tells people.
type Alerts interface {
	Publish(ctx context.Context, message zone.Message) error
}

// Options bound what a run may use. The zero value is good.
type Options struct {
	FileRecords int64         // a file of the lake or the rejects holds the outcome of at most so many records of the input; 0: 10 million
	FileBytes   int64         // likewise of the records that start within so many bytes of uncompressed input; 0: 1 GiB
	Puts        int           // items put at the same time; 0: 32
	PutRate     int           // items that are put in a second for certain; a run that cannot be served in time is refused; 0: 1000
	SpoolMemory int           // bytes of served columns held in memory; 0: 8 MiB
	SpoolLimit  int64         // bytes of served columns in temporary files; 0: 384 MiB, of the 512 that a function has
	SpoolDir    string        // of the temporary files; "": the system's
	Margin      time.Duration // kept of the invocation's time for the effects; 0: 30 s, at most a quarter
}

func (o *Options) setDefaults() {
	setDefault(&o.FileRecords, 10_000_000)
	setDefault(&o.FileBytes, 1<<30)
	setDefault(&o.Puts, 32)
	setDefault(&o.PutRate, 1000)
	setDefault(&o.SpoolMemory, 8<<20)
	setDefault(&o.SpoolLimit, 384<<20)
	setDefault(&o.Margin, 30*time.Second)
}

func setDefault[T comparable](to *T, value T) {
	var zero T
	if *to == zero {
		*to = value
	}
}

// GCPercent is what debug.SetGCPercent is to be given where runs are processed. It trades processor time for memory: a
// run of 1 GiB is to stay below 128 MiB.
const GCPercent = 50

// maxInvocation is the longest that Lambda lets a function run.
const maxInvocation = 15 * time.Minute

// Processor processes the runs of one dataset.
type Processor struct {
	Contract    *contract.Contract
	Plan        *record.Plan // of the contract
	Environment string
	Stack       string // for the commands that alerts name
	Revision    string // of the engine: Revision()

	Raw     Raw
	Lake    Store
	Audit   Audit
	Rejects Store
	Table   Table // nil where the contract serves nothing
	Alerts  Alerts

	Telemetry *telemetry.Telemetry
	Now       func() time.Time
	NewID     func() string // of attempts: never twice the same
	Options   Options
}

// What an invocation did with a run.
const (
	StatusProcessed  = "processed"  // this invocation brought the run to done
	StatusSkipped    = "skipped"    // it was done already, by the same contract and engine
	StatusSuperseded = "superseded" // a newer contract has processed it
	StatusJoined     = "joined"     // another invocation is finishing the same work
)

// Result is what an invocation answers for one run.
type Result struct {
	Dataset  string `json:"dataset"`
	Run      string `json:"run"`
	Status   string `json:"status"`
	Outcome  string `json:"outcome"`
	Reason   string `json:"reason,omitempty"`
	Kept     bool   `json:"kept,omitempty"` // a replay that did not load left the former outcome in place
	Records  int64  `json:"records"`
	Clean    int64  `json:"clean"`
	Rejected int64  `json:"rejected"`
	Items    int64  `json:"items"`
	AlertID  string `json:"alert_id,omitempty"`
}

// Handle processes every run of an event. One that fails does not keep the others back; the error makes Lambda deliver
// the whole event again, and runs that are done are then skipped.
func (p *Processor) Handle(ctx context.Context, payload json.RawMessage) ([]Result, error) {
	requests, err := parseEvent(payload)
	if err != nil {
		return nil, err
	}
	results := []Result{}
	var errs []error
	for _, r := range requests {
		result, err := p.process(ctx, r)
		if err != nil {
			errs = append(errs, fmt.Errorf("process run %s of %s: %w", r.run.ID(), r.run.Dataset, err))
			continue
		}
		results = append(results, result)
	}
	return results, errors.Join(errs...)
}

// job is one attempt at one run.
type job struct {
	*Processor
	options  Options // with defaults
	run      zone.Run
	id       identity
	attempt  string
	outcome  string // that this attempt came to; "" before its verdict
	manifest zone.Manifest
	deadline time.Time // for reading; zero: none
	until    time.Time // when this invocation is over for certain
	started  time.Time
	log      *telemetry.Telemetry
	request  string
}

func (p *Processor) process(ctx context.Context, r request) (Result, error) {
	j, err := p.begin(ctx, r)
	if err != nil {
		return Result{}, err
	}
	result, err := j.process(ctx, r.force)
	var taken *takenOverError
	if errors.As(err, &taken) {
		result, err = j.giveWay(ctx, taken)
	}
	if err != nil {
		return Result{}, err
	}
	j.log.Info("run "+result.Status, "outcome", result.Outcome, "reason", result.Reason, "kept", result.Kept, "records", result.Records,
		"clean", result.Clean, "rejected", result.Rejected, "items", result.Items, "alert", result.AlertID)
	return result, nil
}

// begin reads the manifest that a request names.
func (p *Processor) begin(ctx context.Context, r request) (*job, error) {
	if r.run.Dataset != p.Contract.Dataset {
		return nil, fmt.Errorf("this function processes dataset %s", p.Contract.Dataset)
	}
	key := r.run.ManifestKey()
	body, object, err := p.Raw.Get(ctx, key, r.version)
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	data, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, fmt.Errorf("read manifest %s: %w", key, err)
	}
	j := &job{Processor: p, options: p.Options, run: r.run, attempt: p.NewID(), started: p.Now()}
	j.options.setDefaults()
	if err := json.Unmarshal(data, &j.manifest); err != nil {
		return nil, fmt.Errorf("read manifest %s: %w", key, err)
	}
	if err := j.checkManifest(); err != nil {
		return nil, fmt.Errorf("read manifest %s: %w", key, err)
	}
	version := r.version
	if version == "" {
		version = object.Version
	}
	j.id = identity{manifest: version, contract: p.Contract.Version.String(), digest: p.Contract.Digest, engine: p.Revision}
	j.until = j.started.Add(maxInvocation)
	if deadline, ok := ctx.Deadline(); ok {
		j.until = deadline
		j.deadline = deadline.Add(-min(j.options.Margin, deadline.Sub(j.started)/4))
	}
	if lambda, ok := lambdacontext.FromContext(ctx); ok {
		j.request = lambda.AwsRequestID
	}
	j.log = p.Telemetry.With(slog.String("requestId", j.request), slog.String("dataset", r.run.Dataset), slog.String("run", r.run.ID()))
	return j, nil
}

func (j *job) checkManifest() error {
	m := &j.manifest
	switch {
	case m.Format != zone.ManifestFormat:
		return fmt.Errorf("its format is %d, and this build reads %d", m.Format, zone.ManifestFormat)
	case m.Dataset != j.run.Dataset || m.Run != j.run.ID():
		return fmt.Errorf("it describes run %s of %s", m.Run, m.Dataset)
	}
	for i, page := range m.Pages {
		if page.Page != i+1 {
			return fmt.Errorf("page %d stands where page %d belongs", page.Page, i+1)
		}
	}
	return nil
}

// step is what an audit row leaves to do.
type step uint8

const (
	readAndStore step = iota
	alertOnly         // all is stored, the alert may be missing
	leave             // another invocation is at it
	nothing
	yield // to a newer contract
)

// left tells what is left to do for the run.
func (j *job) left(before *seen, force bool) (step, error) {
	if !before.exists {
		return readAndStore, nil
	}
	row := &before.row
	state := ""
	switch {
	case identityOfReplay(row) == j.id && row.Replay.State == zone.StateStored: // its alert comes behind the row's own
		state = row.Replay.State
	case identityOf(row) == j.id:
		state = row.State
	case identityOfReplay(row) == j.id:
		state = row.Replay.State
	}
	switch {
	case state == zone.StateStored && j.alerting(before):
		return leave, nil
	case state == zone.StateStored:
		return alertOnly, nil
	case state == zone.StateDone && !force:
		return nothing, nil
	}
	newer, err := j.newerContract(row)
	if err != nil || newer {
		return yield, err
	}
	return readAndStore, nil
}

func (j *job) process(ctx context.Context, force bool) (Result, error) {
	before, err := j.audit(ctx)
	if err != nil {
		return Result{}, err
	}
	todo, err := j.left(&before, force)
	if err != nil {
		return Result{}, err
	}
	if todo == nothing || todo == alertOnly {
		if err := j.tidy(ctx, before); err != nil {
			return Result{}, err
		}
	}
	switch todo {
	case nothing:
		return j.result(StatusSkipped, &before.row), nil
	case leave:
		return j.result(StatusJoined, &before.row), nil
	case yield:
		return j.giveWay(ctx, &takenOverError{now: before})
	case readAndStore, alertOnly:
	}
	if todo == alertOnly {
		j.outcome = before.outcomeOf(j.id)
		if !before.alertShowsRecords() {
			return j.finish(ctx, &pass{job: j}, before)
		}
	}
	p, err := j.read(ctx, todo == alertOnly)
	switch {
	case err != nil:
	case todo == readAndStore:
		before, err = j.store(ctx, p, before)
	case p.failure != nil && p.failure.hasty:
		err = fmt.Errorf("read run again for its alert: %s: trying again", p.failure.reason)
	}
	// Whatever was not completed is given back even when the invocation is being cancelled.
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if closed := p.close(cleanup); closed != nil {
		j.log.Warn("uploads not aborted: the bucket's lifecycle removes them", "error", closed.Error())
	}
	if err != nil {
		return Result{}, err
	}
	return j.finish(ctx, p, before)
}

// store makes the effects of a pass, up to the audit row that says stored.
func (j *job) store(ctx context.Context, p *pass, before seen) (seen, error) {
	v := p.verdict()
	if v.outcome == zone.OutcomeLoaded {
		late, err := j.tooManyItems(p.serving)
		if err != nil {
			return seen{}, err
		}
		p.failure = late
		v = p.verdict()
	}
	if own := before.outcomeOf(j.id); v.hasty && before.row.State == zone.StateStoring && own != "" && own != v.outcome {
		// That attempt had the time. What it has made visible is not given up for want of it.
		return seen{}, fmt.Errorf("%s, but an attempt before this one had the time and has begun to store the run: trying again", v.reason)
	}
	j.outcome = v.outcome
	row := p.row(v)
	if v.outcome != zone.OutcomeLoaded {
		if before.exists && before.row.Outcome == zone.OutcomeLoaded {
			return j.keep(ctx, row, before)
		}
		if err := p.withhold(ctx, v); err != nil {
			return seen{}, err
		}
	}
	claim := before
	if !before.claimedBy(j.id, v.outcome) {
		var err error
		if claim, err = j.writeAudit(ctx, j.claim(&before), before); err != nil {
			return seen{}, err
		}
	}
	row.Claim = claim.row.Claim
	if v.outcome != zone.OutcomeLoaded {
		row.Former = claim.row.Former
	}
	lake, err := j.list(ctx, j.Lake, j.run.LakeRunPrefix(j.Contract.Table))
	if err != nil {
		return seen{}, err
	}
	rejects, err := j.list(ctx, j.Rejects, j.run.RejectsRunPrefix())
	if err != nil {
		return seen{}, err
	}
	// From here on every completion is conditional on what was listed. It was listed under this claim, so what a later
	// claim writes is not overwritten.
	if err := j.holds(ctx, claim); err != nil {
		return seen{}, err
	}
	if err := j.publish(ctx, &p.lake.fileSet, lake, claim); err != nil {
		return seen{}, err
	}
	if err := j.publish(ctx, &p.rejects.fileSet, rejects, claim); err != nil {
		return seen{}, err
	}
	if v.outcome == zone.OutcomeLoaded && p.serving != nil {
		if row.Items, err = j.serve(ctx, p.serving, claim.row.Claim); err != nil {
			return seen{}, err
		}
	}
	row.StoredAt = j.Now().UTC().Format(time.RFC3339Nano)
	return j.writeAudit(ctx, row, claim)
}

// withhold gives back the files that the verdict does not let through.
func (p *pass) withhold(ctx context.Context, v verdict) error {
	err := p.lake.abort(ctx)
	if v.outcome != zone.OutcomeHeld {
		err = errors.Join(err, p.rejects.abort(ctx))
	}
	if err != nil {
		return fmt.Errorf("withhold files: %w", err)
	}
	return nil
}

// keep leaves the outcome of a loaded run as it is and notes the replay that did not load.
func (j *job) keep(ctx context.Context, row zone.AuditRow, before seen) (seen, error) {
	kept := before.row
	kept.State = zone.StateDone // the replay's alert tells of the former outcome as well
	kept.Replay = zone.ReplayRow{
		State: zone.StateStored, Outcome: row.Outcome, Reason: row.Reason,
		ContractVersion: j.id.contract, ContractDigest: j.id.digest, EngineRevision: j.id.engine,
		AlertID: row.AlertID, StoredAt: j.Now().UTC().Format(time.RFC3339Nano),
	}
	return j.writeAudit(ctx, kept, before)
}

// list gives what the run has in a store, by key.
func (j *job) list(ctx context.Context, store Store, prefix string) (map[string]zone.Object, error) {
	found := map[string]zone.Object{}
	for object, err := range store.List(ctx, prefix, "") {
		if err != nil {
			return nil, fmt.Errorf("list files of the run: %w", err)
		}
		found[object.Key] = object
	}
	return found, nil
}

// holds makes sure that the audit row is still the one seen.
func (j *job) holds(ctx context.Context, before seen) error {
	now, err := j.audit(ctx)
	if err != nil {
		return err
	}
	if !now.exists || now.object.ETag != before.object.ETag {
		return &takenOverError{now: now}
	}
	return nil
}

// publish makes the files visible and removes those of a former outcome.
func (j *job) publish(ctx context.Context, files *fileSet, before map[string]zone.Object, claim seen) error {
	for _, f := range files.files {
		condition := zone.Condition{IfAbsent: true}
		if old, ok := before[f.key]; ok {
			condition = zone.Condition{IfMatch: old.ETag}
		}
		delete(before, f.key)
		_, err := f.upload.Complete(ctx, condition)
		if errors.Is(err, zone.ErrCondition) {
			err = j.compare(ctx, files.store, f.key, claim)
		}
		if err != nil {
			return fmt.Errorf("complete file %s: %w", f.key, err)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(before)) {
		err := files.store.Delete(ctx, key, zone.Condition{IfMatch: before[key].ETag})
		if errors.Is(err, zone.ErrCondition) {
			err = j.changed(ctx, key, claim)
		}
		if err != nil {
			return fmt.Errorf("remove file %s of a former outcome: %w", key, err)
		}
	}
	return nil
}

// compare decides on a completion that was refused: the object may be this attempt's own, or another's with the same
// content.
func (j *job) compare(ctx context.Context, store Store, key string, claim seen) error {
	object, err := store.Head(ctx, key)
	if err != nil && !errors.Is(err, zone.ErrNotFound) {
		return err
	}
	if err == nil && identityIn(object.Metadata) == j.id {
		return nil
	}
	return j.changed(ctx, key, claim)
}

// changed says who has changed a file meanwhile: the holder of a newer claim, or one whose claim is over.
func (j *job) changed(ctx context.Context, key string, claim seen) error {
	if err := j.holds(ctx, claim); err != nil {
		return err
	}
	return fmt.Errorf("%s was changed by an attempt that is over: %w", key, zone.ErrCondition)
}

// finish sends the alert of a stored run, if it has one, and marks the run done.
func (j *job) finish(ctx context.Context, p *pass, stored seen) (Result, error) {
	row := stored.row
	outcome, kept := row, (*zone.AuditRow)(nil)
	if row.Replay.State == zone.StateStored {
		former := stored.row
		kept = &former
		outcome = p.row(verdict{outcome: row.Replay.Outcome, reason: row.Replay.Reason})
		outcome.AlertID, row.Replay.State = row.Replay.AlertID, zone.StateDone
	}
	row.State = zone.StateDone
	if outcome.AlertID != "" {
		found := &p.examples
		if outcome.Outcome == zone.OutcomeTooLarge { // how far it was read is a matter of time, and an id has one text
			found = &examples{}
		}
		if err := j.Alerts.Publish(ctx, j.alert(&outcome, kept, found)); err != nil {
			return Result{}, fmt.Errorf("send alert %s: %w", outcome.AlertID, err)
		}
	}
	if _, err := j.writeAudit(ctx, row, stored); err != nil {
		return Result{}, err
	}
	j.measure(&outcome, p)
	result := j.result(StatusProcessed, &outcome)
	result.Kept = kept != nil
	return result, nil
}

func (j *job) measure(row *zone.AuditRow, p *pass) {
	m := telemetry.Processed{
		Environment: j.Environment, Dataset: row.Dataset, Run: row.RunID, RequestID: j.request, Outcome: row.Outcome,
		Records: row.Records, Clean: row.Clean, Rejected: row.Rejected, Warned: row.Warnings,
		Elapsed: j.Now().Sub(j.started), ByRule: map[string]int64{},
	}
	if p.summary != nil {
		m.Bytes = p.summary.Bytes
	}
	for _, r := range row.RejectsByRule {
		m.ByRule[r.Rule] += r.Records
	}
	j.log.Processed(m)
}

// giveWay ends an attempt whose run somebody else has taken over.
func (j *job) giveWay(ctx context.Context, taken *takenOverError) (Result, error) {
	now := taken.now
	if !now.exists {
		return Result{}, errors.New("the audit row is gone: trying again")
	}
	newer, err := j.newerContract(&now.row)
	if err != nil {
		return Result{}, err
	}
	own := now.outcomeOf(j.id)
	storing := now.row.State == zone.StateStoring
	switch {
	case !newer && own == "":
		return Result{}, taken
	case !newer && own == j.outcome && storing:
		return j.result(StatusJoined, &now.row), nil
	case storing, !newer && own != j.outcome && now.row.State != zone.StateDone:
		// The files of this attempt can be told from the other's only when that has ended.
		return Result{}, fmt.Errorf("%w: trying again when it has ended", taken)
	}
	if err := j.tidy(ctx, now); err != nil {
		return Result{}, err
	}
	switch {
	case newer:
		return j.result(StatusSuperseded, &now.row), nil
	case own != j.outcome:
		return j.result(StatusSkipped, &now.row), nil
	}
	return j.result(StatusJoined, &now.row), nil
}

// tidy removes files that an overtaken attempt completed after the one that overtook it had looked for such. Who finds a
// run stored or done does so, and not only the overtaken one: that may have died, and nobody need invoke it again.
func (j *job) tidy(ctx context.Context, now seen) error {
	type place struct {
		store  Store
		prefix string
		keep   []zone.FileRow
	}
	stores := []place{{j.Rejects, j.run.RejectsRunPrefix(), now.row.RejectFiles}}
	if now.object.Metadata[metaTable] == j.Contract.Table {
		// Else the row says nothing of the files in this contract's table.
		stores = append(stores, place{j.Lake, j.run.LakeRunPrefix(j.Contract.Table), now.row.LakeFiles})
	}
	stale, found := make([]map[string]zone.Object, len(stores)), 0
	for i, s := range stores {
		there, err := j.list(ctx, s.store, s.prefix)
		if err != nil {
			return err
		}
		for _, f := range s.keep {
			delete(there, f.Key)
		}
		stale[i], found = there, found+len(there)
	}
	if found == 0 {
		return nil
	}
	if err := j.holds(ctx, now); err != nil { // what was listed may belong to a still newer attempt
		return err
	}
	for i, s := range stores {
		for _, key := range slices.Sorted(maps.Keys(stale[i])) {
			err := s.store.Delete(ctx, key, zone.Condition{IfMatch: stale[i][key].ETag})
			if err != nil && !errors.Is(err, zone.ErrCondition) {
				return fmt.Errorf("remove file %s of an overtaken attempt: %w", key, err)
			}
		}
	}
	return nil
}

func (j *job) result(status string, row *zone.AuditRow) Result {
	return Result{
		Dataset: row.Dataset, Run: row.RunID, Status: status, Outcome: row.Outcome, Reason: row.Reason,
		Records: row.Records, Clean: row.Clean, Rejected: row.Rejected, Items: row.Items, AlertID: row.AlertID,
	}
}
