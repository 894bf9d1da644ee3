package ops

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"tributary/shared/ledger"
	"tributary/shared/zone"
)

// RejectsReader shows the rejected records of a run.
type RejectsReader struct {
	Raw     Reader
	Audit   Reader
	Rejects Reader
}

// Newest is the newest run of a time that has rejects; false when none has.
func (r *RejectsReader) Newest(ctx context.Context, dataset string, from, to time.Time) (ledger.Run, bool, error) {
	runs, err := ledger.Read(ctx, r.Raw, r.Audit, dataset, from, to)
	if err != nil {
		return ledger.Run{}, false, fmt.Errorf("find rejects of %s: %w", dataset, err)
	}
	for i := len(runs) - 1; i >= 0; i-- {
		if row := runs[i].Audit; row != nil && len(row.RejectFiles) > 0 {
			return runs[i], true, nil
		}
	}
	return ledger.Run{}, false, nil
}

// Find is a run; false where there is none of its time.
func (r *RejectsReader) Find(ctx context.Context, run zone.Run) (ledger.Run, bool, error) {
	runs, err := ledger.Read(ctx, r.Raw, r.Audit, run.Dataset, run.At, run.At)
	if err != nil || len(runs) == 0 {
		return ledger.Run{}, false, err
	}
	return runs[0], true, nil
}

// Each passes the rejects of a run in their order until the callback says false. They hold what the contract classifies.
func (r *RejectsReader) Each(ctx context.Context, run zone.Run, pass func(zone.RejectRow) bool) error {
	for object, err := range r.Rejects.List(ctx, run.RejectsRunPrefix(), "") {
		if err != nil {
			return fmt.Errorf("list rejects of run %s: %w", run.ID(), err)
		}
		more, err := r.file(ctx, object.Key, pass)
		if err != nil {
			return fmt.Errorf("read rejects %s: %w", object.Key, err)
		}
		if !more {
			return nil
		}
	}
	return nil
}

func (r *RejectsReader) file(ctx context.Context, key string, pass func(zone.RejectRow) bool) (more bool, err error) {
	body, _, err := r.Rejects.Get(ctx, key, "")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	decoder := json.NewDecoder(bufio.NewReader(body))
	for {
		var row zone.RejectRow
		if err := decoder.Decode(&row); errors.Is(err, io.EOF) {
			return true, nil
		} else if err != nil {
			return false, err
		}
		if !pass(row) {
			return false, nil
		}
	}
}
