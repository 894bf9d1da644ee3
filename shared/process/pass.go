package process

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"tributary/shared/record"
	"tributary/shared/zone"
)

// pass is one reading of the run's pages: the files and items it leads to, none of them visible yet.
type pass struct {
	job     *job
	lake    *lakeFiles   // nil when the pass only looks for examples
	rejects *rejectFiles // nil likewise
	serving *projection  // nil likewise, and where nothing is served

	summary  *record.Summary
	failure  *verdict // set when the run cannot be read
	examples examples

	batches chan *record.Batch
	encoded chan struct{} // closed when the encoder has ended
	failed  chan struct{} // closed when it has ended with err
	err     error
}

// read makes a pass over the manifest's pages. An error is a fault that may not come again; what is wrong with the run
// itself is in failure. The pass must be closed, with an error too.
func (j *job) read(ctx context.Context, inspect bool) (*pass, error) {
	return j.readFrom(ctx, inspect, j.manifestPages)
}

// readFrom makes a pass over pages. Encoding runs beside decoding; where there is one processor they take turns, batch by
// batch, so that a batch is encoded while it is in the cache.
func (j *job) readFrom(ctx context.Context, inspect bool, pages func(context.Context, *pass, *record.Reader) error) (*pass, error) {
	waiting := 0
	if runtime.GOMAXPROCS(0) > 1 {
		waiting = 2
	}
	p := &pass{
		job: j, batches: make(chan *record.Batch, waiting), encoded: make(chan struct{}), failed: make(chan struct{}),
		examples: examples{contract: j.Contract},
	}
	if !inspect {
		metadata := j.id.metadata(j.attempt)
		p.lake = &lakeFiles{job: j, fileSet: fileSet{
			ctx: ctx, store: j.Lake, key: func(n int) string { return j.run.LakeKey(j.Contract.Table, n) },
			options: zone.PutOptions{ContentType: "application/vnd.apache.parquet", Metadata: metadata},
		}}
		p.rejects = &rejectFiles{job: j, fileSet: fileSet{
			ctx: ctx, store: j.Rejects, key: j.run.RejectsKey,
			options: zone.PutOptions{ContentType: "application/x-ndjson", Metadata: metadata},
		}}
		if j.Contract.Serving != nil {
			serving, err := newProjection(j.Contract, j.Plan, &j.options)
			if err != nil {
				return p, err
			}
			p.serving = serving
		}
	}
	go p.encode()
	reader := j.Plan.Start(record.Run{
		ScheduledAt: j.run.At, Blocks: record.Blocks{Records: j.options.FileRecords, Bytes: j.options.FileBytes},
	}, p)
	err := pages(ctx, p, reader)
	if err == nil {
		p.summary, err = reader.Close()
	}
	close(p.batches)
	<-p.encoded
	if p.err != nil { // what the encoder met comes first: it may have stopped the reading
		err = p.err
	}
	if err == nil && p.summary != nil {
		err = p.conserved()
	}
	p.failure = failureOf(err)
	if p.failure != nil {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("read run: %w", err)
	}
	return p, nil
}

// manifestPages passes the manifest's pages to the reader, each held against what the manifest says of it.
func (j *job) manifestPages(ctx context.Context, p *pass, reader *record.Reader) error {
	if j.manifest.Ended == zone.EndedTooLarge {
		return &unfinishedError{reason: j.manifest.Reason}
	}
	for _, page := range j.manifest.Pages {
		if p.rejects != nil {
			p.rejects.page = page
		}
		if err := j.readPage(ctx, reader, page); err != nil {
			return err
		}
	}
	return nil
}

var errEncoder = errors.New("encode batches: stopped")

// Batch hands a batch to the encoder.
func (p *pass) Batch(b *record.Batch) error {
	select {
	case <-p.failed: // comes before there being room for another
		b.Release()
		return errEncoder
	default:
	}
	select {
	case p.batches <- b:
		return nil
	case <-p.failed:
		b.Release()
		return errEncoder
	}
}

// Reject writes a reject and keeps it as an example.
func (p *pass) Reject(r *record.Reject) error {
	row := p.job.rejectRow
	p.examples.offer(r, func() zone.RejectRow { return row(r, zone.ManifestPage{}) })
	if p.rejects == nil {
		return nil
	}
	return p.rejects.reject(r)
}

// encode turns batches into Parquet and items until there are no more.
func (p *pass) encode() {
	defer close(p.encoded)
	for b := range p.batches {
		if p.err == nil {
			if p.err = p.encodeBatch(b); p.err != nil {
				close(p.failed)
			}
		}
		b.Release()
	}
	if p.err == nil && p.lake != nil {
		p.err = p.lake.close()
	}
	if p.err == nil && p.serving != nil {
		p.err = p.serving.seal()
	}
}

func (p *pass) encodeBatch(b *record.Batch) error {
	if p.lake == nil {
		return nil
	}
	if err := p.lake.batch(b); err != nil {
		return err
	}
	if p.serving == nil {
		return nil
	}
	if err := p.serving.batch(b); err != nil {
		return fmt.Errorf("project served columns: %w", err)
	}
	return nil
}

// conserved holds what came out against what went in.
func (p *pass) conserved() error {
	s := p.summary
	if s.Records != s.Clean+s.Rejected {
		return fmt.Errorf("count records: %d read are not %d clean and %d rejected", s.Records, s.Clean, s.Rejected)
	}
	if p.lake == nil {
		return nil
	}
	var clean, rejected int64
	for _, f := range p.lake.files {
		clean += f.rows
	}
	for _, f := range p.rejects.files {
		rejected += f.rows
	}
	if clean != s.Clean || rejected != s.Rejected {
		return fmt.Errorf("count records: %d rows and %d rejects were written for %d clean and %d rejected records", clean, rejected, s.Clean, s.Rejected)
	}
	return nil
}

// close aborts what was not completed and removes temporary files.
func (p *pass) close(ctx context.Context) error {
	var errs []error
	if p.lake != nil {
		errs = append(errs, p.lake.abort(ctx), p.rejects.abort(ctx))
	}
	if p.serving != nil {
		errs = append(errs, p.serving.close())
	}
	return errors.Join(errs...)
}
