package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"tributary/shared/contract"
	"tributary/shared/source"
	"tributary/shared/zone"
)

// cursorFormat is the version of the state document.
const cursorFormat = 1

// cursorState is where the next run of a dataset with an incremental cursor starts.
type cursorState struct {
	Format  int    `json:"format"`
	Dataset string `json:"dataset"`
	Value   string `json:"value"`
	Run     string `json:"run"` // that moved it there

	etag string // "" when there is no state yet
}

// readCursor reads the state; a dataset that has none yet stands at "".
func (i *Ingester) readCursor(ctx context.Context) (cursorState, error) {
	key := zone.StateKey(i.contract.Dataset)
	body, object, err := i.read(ctx, key)
	if errors.Is(err, zone.ErrNotFound) {
		return cursorState{}, nil
	}
	if err != nil {
		return cursorState{}, fmt.Errorf("read cursor state: %w", err)
	}
	s := cursorState{etag: object.ETag}
	if err := json.Unmarshal(body, &s); err != nil {
		return cursorState{}, fmt.Errorf("read cursor state %s: %w", key, err)
	}
	if s.Format != cursorFormat || s.Dataset != i.contract.Dataset || s.Value == "" {
		return cursorState{}, fmt.Errorf("read cursor state %s: it is not one of format %d for %s", key, cursorFormat, i.contract.Dataset)
	}
	return s, nil
}

// CanBackfill says why a dataset's source cannot be asked for a part of its past.
func CanBackfill(c *contract.Contract) error {
	switch cursor := c.Source.Cursor; {
	case cursor == nil:
		return fmt.Errorf("backfill %s: its source has no past: the contract declares no incremental cursor, so each run brings what the API shows at its time, and what it showed before cannot be asked for any more", c.Dataset)
	case cursor.EndParam == "":
		return fmt.Errorf("backfill %s: the contract's incremental cursor names no parameter that says where to end (end_param), so the API cannot be asked for a part of its past", c.Dataset)
	}
	return nil
}

// start is the state and a walk that begins at it, or one through a part of the past. A contract that says where to end
// always fetches the same range and leaves the state alone.
func (i *Ingester) start(ctx context.Context, part *zone.Range) (cursorState, *source.Walk, error) {
	c := i.contract.Source.Cursor
	switch {
	case c == nil:
		return cursorState{}, i.source.Walk(), nil
	case part != nil:
		return cursorState{}, i.source.WalkRange(part.From, part.To), nil
	case c.EndValue != "":
		return cursorState{}, i.source.WalkRange(c.InitialValue, c.EndValue), nil
	}
	s, err := i.readCursor(ctx)
	if err != nil {
		return s, nil, err
	}
	if s.Value == "" {
		return s, i.source.WalkFrom(c.InitialValue), nil
	}
	from, err := source.Back(s.Value, c.Lag)
	if err != nil {
		return s, nil, err
	}
	return s, i.source.WalkFrom(from), nil
}

// moveCursor replaces the state by where the run of a stored manifest ended, unless it is there or further already.
// It reports taken when another run moved it since s was read: that run's range is whole, and nothing is lost by
// leaving it. A run whose pages cannot be read, or were too many, does not move it: its range has to be fetched again. Nor
// does one that was told where to end: it says nothing of what lies between.
func (i *Ingester) moveCursor(ctx context.Context, run zone.Run, m zone.Manifest, s cursorState) (moved, taken bool, err error) {
	c := i.contract.Source.Cursor
	if c == nil || m.Cursor == nil || m.Cursor.End != "" || m.Cursor.To == "" || m.Ended == zone.EndedUnreadable || m.Ended == zone.EndedTooLarge {
		return false, false, nil
	}
	if s.Value != "" && source.CompareCursors(m.Cursor.To, s.Value) <= 0 {
		return false, false, nil
	}
	body, err := encode(cursorState{Format: cursorFormat, Dataset: run.Dataset, Value: m.Cursor.To, Run: run.ID()})
	if err != nil {
		return false, false, fmt.Errorf("encode cursor state: %w", err)
	}
	condition := zone.Condition{IfMatch: s.etag, IfAbsent: s.etag == ""}
	_, err = i.bucket.Put(ctx, zone.StateKey(run.Dataset), body, zone.PutOptions{Condition: condition, ContentType: "application/json"})
	if !errors.Is(err, zone.ErrCondition) {
		if err != nil {
			return false, false, fmt.Errorf("store cursor state: %w", err)
		}
		return true, false, nil
	}
	// It may be one's own success whose answer was lost.
	now, err := i.readCursor(ctx)
	if err != nil {
		return false, false, err
	}
	own := now.Run == run.ID() && now.Value == m.Cursor.To
	return own, !own, nil
}

// settle moves the cursor for a manifest that stands by another one's hand, or by one's own before a crash.
func (i *Ingester) settle(ctx context.Context, run zone.Run, part *zone.Range, result *Result) error {
	body, _, err := i.read(ctx, run.ManifestKey())
	if err != nil {
		return fmt.Errorf("read manifest: %w", err)
	}
	m := &result.Manifest
	*m = zone.Manifest{}
	if err := json.Unmarshal(body, m); err != nil {
		return fmt.Errorf("read manifest %s: %w", run.ManifestKey(), err)
	}
	from, to := "", ""
	if m.Cursor != nil {
		from, to = m.Cursor.From, m.Cursor.End
	}
	if err := fits(part, from, to); err != nil || i.contract.Source.Cursor == nil {
		return err
	}
	s, err := i.readCursor(ctx)
	if err != nil {
		return err
	}
	result.CursorMoved, result.CursorTaken, err = i.moveCursor(ctx, run, *m, s)
	return err
}

// RangeError says that a run cannot be the backfill that was asked for: it stands, or was begun, and is of something else.
type RangeError struct{ From, To string }

// Error tells what the run is of, and what to do.
func (e *RangeError) Error() string {
	what := "of what was new at its time"
	if e.To != "" {
		what = fmt.Sprintf("a backfill from %s to %s", e.From, e.To)
	}
	return fmt.Sprintf("the run is there already, and is %s: take another time", what)
}

// fits holds the range of what stands against the one that was asked for, if any.
func fits(part *zone.Range, from, to string) error {
	if part == nil || part.From == from && part.To == to {
		return nil
	}
	return &RangeError{From: from, To: to}
}

func (i *Ingester) read(ctx context.Context, key string) ([]byte, zone.Object, error) {
	body, object, err := i.bucket.Get(ctx, key, "")
	if err != nil {
		return nil, zone.Object{}, err
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	return text, object, err
}
