package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tributary/shared/contract"
	"tributary/shared/ingest"
	"tributary/shared/ledger"
	"tributary/shared/zone"
)

// Items is a serving table.
type Items interface {
	Any(ctx context.Context) (bool, error)
}

// Smoker tries a dataset after a deployment: it has the ingest function bring one run, as the schedule would, waits until
// the run is done, and looks for what it must have left. What is left is an ordinary run.
type Smoker struct {
	Contract *contract.Contract
	Ingest   Function
	Raw      Reader
	Lake     Reader // also that of the audit rows
	Items    Items  // nil: the dataset is not served
	Sleep    func(context.Context, time.Duration) error
}

// Smoked is what was seen.
type Smoked struct {
	Run    zone.Run
	Ingest ingest.Response
	Audit  *zone.AuditRow // nil: the run did not come so far
	Served bool           // the table holds an item
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
	if err := s.findFiles(ctx, seen.Run, audit.LakeFiles); err != nil {
		return err
	}
	if s.Items == nil || audit.Items == 0 {
		return nil
	}
	if seen.Served, err = s.Items.Any(ctx); err == nil && !seen.Served {
		err = fmt.Errorf("the run offered %d items to the serving table, and it holds none", audit.Items)
	}
	return err
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

// findFiles holds the lake against the files that the audit row names.
func (s *Smoker) findFiles(ctx context.Context, run zone.Run, want []zone.FileRow) error {
	var found []string
	for object, err := range s.Lake.List(ctx, run.LakeRunPrefix(s.Contract.Table), "") {
		if err != nil {
			return err
		}
		found = append(found, object.Key)
	}
	for _, file := range want {
		if !slices.Contains(found, file.Key) {
			return fmt.Errorf("the audit row names %s, and the lake does not have it", file.Key)
		}
	}
	return nil
}
