package process

import (
	"context"
	"errors"
	"fmt"

	"tributary/shared/record"
	"tributary/shared/zone"
)

// Try makes the pass that processing a run begins with, over pages that somebody else reads and vouches for: every
// record checked, clean ones encoded, rejects written, served columns projected and folded, and files sent as far as
// uploads are sent before they are completed. Nothing is completed, nobody is told. It is for measuring, and for trying
// a contract on a file.
func (p *Processor) Try(ctx context.Context, run zone.Run, pages func(*record.Reader) error) (summary *record.Summary, items int64, err error) {
	j := &job{Processor: p, options: p.Options, run: run, attempt: p.NewID(), started: p.Now()}
	j.options.setDefaults()
	made, err := j.readFrom(ctx, false, func(_ context.Context, _ *pass, reader *record.Reader) error { return pages(reader) })
	defer func() { err = errors.Join(err, made.close(context.WithoutCancel(ctx))) }()
	if err != nil {
		return nil, 0, err
	}
	if made.failure != nil {
		return nil, 0, fmt.Errorf("read run: it is %s: %s", made.failure.outcome, made.failure.reason)
	}
	if made.serving == nil {
		return made.summary, 0, nil
	}
	items, err = made.serving.count()
	return made.summary, items, err
}

// ReadPage passes a stored page to the reader of a Try as a run does: fetched from Raw, hashed, decompressed, and held
// against what the manifest says of it.
func (p *Processor) ReadPage(ctx context.Context, reader *record.Reader, page zone.ManifestPage) error {
	return (&job{Processor: p}).readPage(ctx, reader, page)
}
