package engine

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"tributary/infra/bench/measure"
	"tributary/shared/contract"
	"tributary/shared/process"
	"tributary/shared/record"
	"tributary/shared/telemetry"
	"tributary/shared/zone"
)

// Options say what to measure.
type Options struct {
	Contract string // path
	In       string // file of records, .gz or not, or StandardInput
	Out      string // Parquet file; its rejects go to Out.rejects.ndjson
	Records  int64  // of In; negative: to be counted first
}

// Peer processes one file of records as a run of the contract's dataset, with the processor that is deployed: every
// rule, Parquet, rejects, the served columns projected and folded. A file that ends in .gz is read as the page of a run:
// hashed, decompressed, held against its manifest. Records are counted first where they are not given, as ingest has
// done for a page of a manifest. The figures leave that out, as well as start-up, the network, and what a run does once
// its verdict stands: completing uploads, making items of the served columns and putting them.
func Peer(ctx context.Context, o Options) (measure.Figures, error) {
	w, err := prepare(o)
	if err != nil {
		return measure.Figures{}, err
	}
	run, err := w.run(w.contract)
	if err != nil {
		return measure.Figures{}, err
	}
	figures, err := measure.Work("tributary", o.Out, func() (measure.Counts, error) { return run(ctx) })
	if err != nil {
		return measure.Figures{}, err
	}
	return figures, plainRejects(w.rejects(), o.Out+".rejects.ndjson")
}

// work is a file that is to be processed, and everything that is known beforehand.
type work struct {
	Options
	contract *contract.Contract
	at       time.Time         // of the run
	page     zone.ManifestPage // of a file that is read as a page
}

func prepare(o Options) (*work, error) {
	c, err := contract.Load(o.Contract)
	if err != nil {
		return nil, fmt.Errorf("load contract: %w", err)
	}
	w := &work{Options: o, contract: c, at: time.Now().UTC().Truncate(time.Minute)}
	if o.Records < 0 {
		if o.In == StandardInput {
			return nil, fmt.Errorf("count records: standard input is read once, so their number must be given")
		}
		if w.Records, err = count(o.In, c); err != nil {
			return nil, err
		}
	}
	if compressed(o.In) {
		if w.page, err = rawFile(o.In).describe(w.Records, w.at); err != nil {
			return nil, err
		}
	}
	if err := os.RemoveAll(w.rejects()); err != nil {
		return nil, fmt.Errorf("remove former rejects: %w", err)
	}
	debug.SetGCPercent(process.GCPercent)
	return w, nil
}

func (w *work) rejects() string { return w.Out + ".rejects" }

// timed is what is measured, when everything is prepared.
type timed func(context.Context) (measure.Counts, error)

// run is the pass of a run under the contract.
func (w *work) run(c *contract.Contract) (timed, error) {
	plan, err := record.Compile(c)
	if err != nil {
		return nil, err
	}
	quiet, err := telemetry.New(io.Discard, "ERROR", time.Now)
	if err != nil {
		return nil, err
	}
	p := &process.Processor{
		Contract: c, Plan: plan, Environment: "bench", Revision: process.Revision(),
		Raw: rawFile(w.In), Lake: fileStore{path: w.Out}, Rejects: fileStore{path: w.rejects()},
		Telemetry: quiet, Now: time.Now, NewID: rand.Text,
		Options: process.Options{FileRecords: 1 << 40, FileBytes: 1 << 50, SpoolLimit: 1 << 40},
	}
	return func(ctx context.Context) (measure.Counts, error) {
		summary, _, err := p.Try(ctx, zone.NewRun(c.Dataset, w.at), func(reader *record.Reader) error {
			if compressed(w.In) {
				return p.ReadPage(ctx, reader, w.page)
			}
			return w.read(reader)
		})
		if err != nil {
			return measure.Counts{}, err
		}
		return counts(summary), nil
	}, nil
}

// read passes the uncompressed file to a reader.
func (w *work) read(reader *record.Reader) error {
	text, err := open(w.In)
	if err != nil {
		return err
	}
	defer text.Close()
	return reader.Page(record.Page{Number: 1, FetchedAt: w.at, Records: w.Records}, text)
}

func counts(s *record.Summary) measure.Counts {
	return measure.Counts{Clean: s.Clean, Rejected: s.Rejected, InputBytes: s.Bytes}
}
