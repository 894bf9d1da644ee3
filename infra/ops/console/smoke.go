package console

import (
	"context"
	"time"

	"tributary/infra/local/screen"
	"tributary/infra/ops/readback"
	"tributary/shared/ops"
)

func (c Console) smoke(ctx context.Context, o Options, p pipeline) error {
	smoker := ops.Smoker{Contract: p.contract, Ingest: p.ingest, Raw: p.raw, Lake: p.lake, Sleep: c.Sleep,
		Files: readback.Reader{Bucket: p.lake, Contract: p.contract},
	}
	if smoker.Sleep == nil {
		smoker.Sleep = sleep
	}
	if p.items != nil {
		smoker.Items = p.items
	}
	seen, err := smoker.Smoke(ctx, o.At)
	if seen.Ingest.Run != "" {
		c.field("run", "%s: %s on %s", reads(seen.Run), screen.Plural(seen.Ingest.Records, "record", "records"), screen.Plural(int64(seen.Ingest.Pages), "page", "pages"))
	}
	if a := seen.Audit; a != nil {
		c.field("lake", "%s in %s, %s rejected", screen.Plural(a.Clean, "row", "rows"), screen.Plural(int64(len(a.LakeFiles)), "file", "files"), screen.Count(a.Rejected))
	}
	if err != nil {
		c.next(o.hint("shows where the runs stand", "status %s", p.contract.Dataset))
		return err
	}
	if seen.Row == "" {
		c.field("row", "none to be read back: the source has nothing new")
	} else {
		c.field("row", "%s was read back", seen.Row)
	}
	switch {
	case p.items == nil:
		c.field("item", "the dataset is not served")
	case seen.Item == "":
		c.field("item", "none was offered to the table")
	case seen.Item != seen.Run.ID():
		c.field("item", "run %s has a newer one of that row's key in the table, which stays", seen.Item)
	default:
		c.field("item", "that row's key is in the table, written by this run, which offered %s", screen.Plural(seen.Audit.Items, "item", "items"))
	}
	c.field("verdict", "%s works", p.contract.Dataset)
	return nil
}

// sleep waits by the real clock.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
