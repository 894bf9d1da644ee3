package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tributary/shared/contract"
	"tributary/shared/ingest"
	"tributary/shared/ledger"
	"tributary/shared/zone"
)

// Items is a serving table. Get reads the item that has the keys of another, as it stands now; a missing one is
// zone.ErrNotFound.
type Items interface {
	Get(ctx context.Context, item zone.Item) (zone.Item, error)
}

// LakeFiles reads files of the lake, whose sizes are known.
type LakeFiles interface {
	Read(ctx context.Context, key string, size int64) (LakeFile, error)
}

// LakeFile is what a file of the lake says of itself, and its first row.
type LakeFile struct {
	Rows int64
	Made map[string]string // what it was made of: the metadata that package zone names
	// First are the columns of the first row that are neither lists nor structs, as an item has them; nil: no row.
	First map[string]zone.Attribute
}

// Smoker tries a dataset after a deployment: it has the ingest function bring one run, as the schedule would, waits until
// the run is done, and looks for what this run must have left: its files, a row of it, and the item of that row. What is
// left is an ordinary run.
type Smoker struct {
	Contract *contract.Contract
	Ingest   Function
	Raw      Reader
	Lake     Reader // also that of the audit rows
	Files    LakeFiles
	Items    Items // nil: the dataset is not served
	Sleep    func(context.Context, time.Duration) error
}

// Smoked is what was seen.
type Smoked struct {
	Run    zone.Run
	Ingest ingest.Response
	Audit  *zone.AuditRow // nil: the run did not come so far
	Row    string         // where the row stands that was read back; "": the run brought none
	Item   string         // the run that wrote the item of that row: this one, or one with a newer item; "": none was looked for
}

const (
	// A process function may take its quarter of an hour, and a try before it that was throttled a few minutes more.
	smokeTries = 600
	smokePause = 2 * time.Second
)

// Smoke tries the dataset by the run of a time. The error says what is not as it must be; until then what was seen is
// returned as well.
func (s *Smoker) Smoke(ctx context.Context, at time.Time) (Smoked, error) {
	seen := Smoked{Run: zone.NewRun(s.Contract.Dataset, at)}
	if err := s.smoke(ctx, &seen); err != nil {
		return seen, fmt.Errorf("try %s by run %s: %w", s.Contract.Dataset, seen.Run.ID(), err)
	}
	return seen, nil
}

func (s *Smoker) smoke(ctx context.Context, seen *Smoked) error {
	payload, err := json.Marshal(zone.IngestEvent{Dataset: seen.Run.Dataset, ScheduledAt: seen.Run.At})
	if err != nil {
		return err
	}
	answer, err := s.Ingest.Invoke(ctx, payload)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, &seen.Ingest); err != nil {
		return fmt.Errorf("read the ingest function's answer: %w", err)
	}
	if err := s.wait(ctx, seen); err != nil {
		return err
	}
	audit := seen.Audit
	switch {
	case audit.Outcome != zone.OutcomeLoaded:
		return fmt.Errorf("the run is not in the lake, it is %s: %s", audit.Outcome, audit.Reason)
	case audit.Records == 0 && s.Contract.Source.Cursor == nil:
		return errors.New("the source sent no record, so that nothing can be seen of the rest")
	}
	if audit.ContractDigest != s.Contract.Digest {
		return fmt.Errorf("the run was processed by contract %s, and the one here is %s with other rules or columns: deploy it, or look with what is deployed",
			audit.ContractVersion, s.Contract.Version)
	}
	if audit.Records == 0 {
		return nil // of an incremental source that has nothing new
	}
	if audit.Clean == 0 {
		return fmt.Errorf("every record of %d is rejected, so that nothing can be seen of the rest", audit.Records)
	}
	first, err := s.readBack(ctx, seen)
	if err != nil || s.Items == nil {
		return err
	}
	return s.findItem(ctx, seen, first)
}

// wait until the run's audit row says done.
func (s *Smoker) wait(ctx context.Context, seen *Smoked) error {
	state := ledger.Begun
	for try := range smokeTries {
		if try > 0 {
			if err := s.Sleep(ctx, smokePause); err != nil {
				return err
			}
		}
		runs, err := ledger.Read(ctx, s.Raw, s.Lake, seen.Run.Dataset, seen.Run.At, seen.Run.At)
		if err != nil {
			return err
		}
		if len(runs) == 0 {
			continue
		}
		seen.Audit, state = runs[0].Audit, runs[0].State()
		if state == ledger.Done {
			return nil
		}
	}
	return fmt.Errorf("it is %s, and not done after %s", state, smokeTries*smokePause)
}

// readBack holds the lake against the audit row: the files that it names, as large as it says and no others, made of this
// run, with all clean records as rows. It returns the first row.
func (s *Smoker) readBack(ctx context.Context, seen *Smoked) (first map[string]zone.Attribute, err error) {
	audit := seen.Audit
	sizes := map[string]int64{}
	for object, err := range s.Lake.List(ctx, seen.Run.LakeRunPrefix(s.Contract.Table), "") {
		if err != nil {
			return nil, err
		}
		sizes[object.Key] = object.Size
	}
	var rows int64
	for _, file := range audit.LakeFiles {
		size, ok := sizes[file.Key]
		switch {
		case !ok:
			return nil, fmt.Errorf("the audit row names %s, and the lake does not have it", file.Key)
		case size == 0 || size != file.Bytes:
			return nil, fmt.Errorf("%s has %d bytes in the lake, %d by the audit row", file.Key, size, file.Bytes)
		}
		read, err := s.Files.Read(ctx, file.Key, size)
		if err != nil {
			return nil, err
		}
		if read.Rows != file.Rows {
			return nil, fmt.Errorf("%s has %d rows by its footer, %d by the audit row", file.Key, read.Rows, file.Rows)
		}
		for _, made := range []struct{ name, want string }{
			{zone.MadeOfRaw, audit.ManifestKey}, {zone.MadeOfVersion, audit.ManifestVersion},
			{zone.MadeByContract, audit.ContractDigest}, {zone.MadeByEngine, audit.EngineRevision},
		} {
			if got := read.Made[made.name]; got != made.want {
				return nil, fmt.Errorf("%s is not of this run: its %s is %q, and %q by the audit row", file.Key, made.name, got, made.want)
			}
		}
		if rows += read.Rows; first == nil && read.First != nil {
			first, seen.Row = read.First, "the first of "+file.Key
		}
	}
	switch {
	case len(sizes) > len(audit.LakeFiles):
		return nil, fmt.Errorf("the lake has %d files of the run, the audit row names %d", len(sizes), len(audit.LakeFiles))
	case rows != audit.Clean:
		return nil, fmt.Errorf("the lake has %d rows of the run, the audit row counts %d clean records", rows, audit.Clean)
	case first == nil:
		return nil, fmt.Errorf("no row can be read from %d files of %d rows", len(audit.LakeFiles), rows)
	}
	for i := range s.Contract.Columns {
		c := &s.Contract.Columns[i]
		if c.Derived == nil || c.Derived.Source != "run.scheduledAt" || c.Type.Kind != contract.Timestamp {
			continue
		}
		if got, want := first[c.Name].Text, zone.TimestampAttribute(seen.Run.At.UnixMilli()).Text; got != want {
			return nil, fmt.Errorf("the row %s is not of this run: %s is %q, want %q", seen.Row, c.Name, got, want)
		}
	}
	return first, nil
}

// findItem looks for what became of a row in the serving table: its own item, that of another record of the run with the
// same key, or one that a newer record of another run has put in its place.
func (s *Smoker) findItem(ctx context.Context, seen *Smoked, row map[string]zone.Attribute) error {
	serving, audit := s.Contract.Serving, seen.Audit
	if audit.Items == 0 {
		// Every clean record makes an item, and one that a newer item keeps out is counted: only time can take them all.
		stored, err := time.Parse(time.RFC3339Nano, audit.StoredAt)
		if expired := seen.Run.At.Add(serving.TTL); err == nil && serving.TTL > 0 && !stored.Before(expired) {
			return fmt.Errorf("the run's items had expired at %s, before it was stored at %s, so that none was offered to the serving table: the contract's ttl of %s is shorter than a run takes",
				expired.Format(time.RFC3339), stored.Format(time.RFC3339), serving.TTL)
		}
		return fmt.Errorf("the run has %d clean records and offered none to the serving table, though the contract serves each: the process function that is deployed does not know of the table", audit.Clean)
	}
	want := zone.Item{PartitionKey: serving.PartitionKey, SortKey: serving.SortKey, Version: serving.Version, Attributes: map[string]zone.Attribute{
		zone.ItemOrder: zone.StringAttribute(seen.Run.ID()), // the least of this run
	}}
	for _, name := range []string{serving.PartitionKey, serving.SortKey, serving.Version} {
		if a, ok := row[name]; ok && name != "" {
			want.Attributes[name] = a
		}
	}
	found, err := s.Items.Get(ctx, want)
	switch {
	case errors.Is(err, zone.ErrNotFound):
		return fmt.Errorf("the run offered %d items to the serving table, and it has none for the row %s: %w", audit.Items, seen.Row, err)
	case err != nil:
		return err
	case !found.Replaces(want.Attributes):
		return fmt.Errorf("for the row %s the serving table has an older item, of run %s: this run's did not get in", seen.Row, found.Attributes[zone.ItemRun].Text)
	}
	seen.Item = found.Attributes[zone.ItemRun].Text
	return nil
}
