package console

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"tributary/infra/input"
	"tributary/infra/local/screen"
	"tributary/shared/ingest"
	"tributary/shared/ops"
	"tributary/shared/zone"
)

func (c Console) backfill(ctx context.Context, o Options, p pipeline) error {
	run := zone.NewRun(p.contract.Dataset, o.At)
	response, err := ops.Backfill(ctx, p.ingest, p.contract, o.At, o.Part)
	if fault := new(zone.FunctionError); errors.As(err, &fault) {
		c.next(o.hint("goes on behind the last page that came, when the cause is gone", "backfill %s %s %s -at=%s", p.contract.Dataset, o.Part.From, o.Part.To, o.At.Format(time.RFC3339)))
	}
	if err != nil {
		return err
	}
	c.field("run", "%s", reads(run))
	c.field("range", "from %s to %s", o.Part.From, o.Part.To)
	if response.Ended == zone.EndedTooLarge {
		c.flagged("brought", backfillText(response), c.Style.Bad)
		c.next(o.hint("once the limit is raised and deployed, or for less at once: a run of another time", "backfill %s %s %s", p.contract.Dataset, o.Part.From, o.Part.To))
		return ErrShown
	}
	c.field("brought", "%s", backfillText(response))
	c.became(o, run)
	return nil
}

// backfillText says what became of a backfill.
func backfillText(r ingest.Response) string {
	brought := fmt.Sprintf("%s on %s", screen.Plural(r.Records, "record", "records"), screen.Plural(int64(r.Pages), "page", "pages"))
	switch {
	case r.Ended == zone.EndedTooLarge:
		return "too much, so that nothing of it is loaded: " + r.Reason
	case !r.Stored:
		return brought + " before; the run stands already, and nothing was fetched"
	}
	return brought + "; the process function has its event"
}

// became says where to look what the process function makes of a run.
func (c Console) became(o Options, run zone.Run) {
	c.next(
		o.hint("shows what became of it", "status %s %s %[2]s", run.Dataset, run.ID()),
		o.hint("shows its rejected records with their reasons", "rejects %s %s", run.Dataset, run.ID()))
}

func (c Console) upload(ctx context.Context, o Options, p pipeline) error {
	body, err := input.File(o.File)
	if err != nil {
		return fmt.Errorf("upload %s: %w", o.File, err)
	}
	u := ingest.Uploader{Contract: p.contract, Bucket: p.raw, Now: c.Now}
	run := zone.NewRun(p.contract.Dataset, o.At)
	result, err := u.Upload(ctx, run, filepath.Base(o.File), body)
	if err != nil {
		return err
	}
	c.field("run", "%s", reads(run))
	c.field("file", "%s", o.File)
	c.field("brought", "%s on %s; the process function has its event", screen.Plural(result.Manifest.Records, "record", "records"), screen.Plural(int64(len(result.Manifest.Pages)), "page", "pages"))
	c.became(o, run)
	return nil
}
