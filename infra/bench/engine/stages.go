package engine

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"tributary/infra/bench/measure"
	"tributary/shared/contract"
	"tributary/shared/parquet"
	"tributary/shared/record"
)

// The stages. Each does what the one before does and one thing more, but for those of compressed files, which stand
// alone.
const (
	StageRead        = "read"        // the file's bytes into memory
	StageScan        = "scan"        // and JSON told apart into records, which are counted
	StageTypes       = "types"       // and values into typed columns
	StageConstraints = "constraints" // and the rules of single columns
	StageExpressions = "expressions" // and derived columns and CEL rules
	StageKeys        = "keys"        // and keys and metrics: every rule; batches and rejects are thrown away
	StageEncode      = "encode"      // and Parquet without compression, thrown away
	StageCompress    = "compress"    // and with snappy
	StageFiles       = "files"       // and files and rejects, as the processor writes them, nothing being served
	StageRun         = "run"         // and served columns projected and folded: the whole, as Peer has it
	StageHash        = "hash"        // SHA-256 of the file
	StageGunzip      = "gunzip"      // the file decompressed, without more
)

// stages prepare what is timed.
var stages = map[string]func(*work) (timed, error){
	StageRead:        func(w *work) (timed, error) { return w.drain(open, io.Discard) },
	StageScan:        (*work).scan,
	StageTypes:       func(w *work) (timed, error) { return w.decode(types) },
	StageConstraints: func(w *work) (timed, error) { return w.decode(constraints) },
	StageExpressions: func(w *work) (timed, error) { return w.decode(expressions) },
	StageKeys:        func(w *work) (timed, error) { return w.decode(everything) },
	StageEncode:      func(w *work) (timed, error) { return w.encode(parquet.Uncompressed) },
	StageCompress:    func(w *work) (timed, error) { return w.encode(parquet.Snappy) },
	StageFiles: func(w *work) (timed, error) {
		unserved := *w.contract
		unserved.Serving = nil
		return w.run(&unserved)
	},
	StageRun:  func(w *work) (timed, error) { return w.run(w.contract) },
	StageHash: func(w *work) (timed, error) { return w.drain(open, sha256.New()) },
	StageGunzip: func(w *work) (timed, error) {
		if !compressed(w.In) {
			return nil, fmt.Errorf("decompress %s: its name does not end in .gz", w.In)
		}
		return w.drain(openText, io.Discard)
	},
}

// Stage measures a stage over the file. Records must be given: not every stage sees them.
func Stage(ctx context.Context, name string, o Options) (measure.Figures, error) {
	prepareStage := stages[name]
	if prepareStage == nil {
		return measure.Figures{}, fmt.Errorf("find stage %q: want one of %s", name, strings.Join(slices.Sorted(maps.Keys(stages)), ", "))
	}
	if o.Records < 0 {
		return measure.Figures{}, errors.New("measure stage: the number of records must be given")
	}
	w, err := prepare(o)
	if err != nil {
		return measure.Figures{}, err
	}
	stage, err := prepareStage(w)
	if err != nil {
		return measure.Figures{}, err
	}
	return measure.Work(name, "", func() (measure.Counts, error) { return stage(ctx) })
}

// drain reads the file to its end.
func (w *work) drain(open func(path string) (io.ReadCloser, error), to io.Writer) (timed, error) {
	const window = 256 << 10 // as package record reads
	buffer := make([]byte, window)
	return func(context.Context) (measure.Counts, error) {
		body, err := open(w.In)
		if err != nil {
			return measure.Counts{}, err
		}
		defer body.Close()
		// Without ReadFrom and WriteTo, by which io.CopyBuffer would choose a buffer of its own.
		n, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{body}, buffer)
		if err != nil {
			return measure.Counts{}, fmt.Errorf("read input: %w", err)
		}
		return measure.Counts{Clean: w.Records, InputBytes: n}, nil
	}, nil
}

// scan counts the records of the file.
func (w *work) scan() (timed, error) {
	return func(context.Context) (measure.Counts, error) {
		n, err := count(w.In, w.contract)
		return measure.Counts{Clean: n}, err
	}, nil
}

// decode reads the file into columns, which are thrown away.
func (w *work) decode(e extent) (timed, error) {
	return w.pass(only(w.contract, e), nil)
}

// encode reads the file into columns and writes them as Parquet, which is thrown away.
func (w *work) encode(codec parquet.Codec) (timed, error) {
	writer, err := parquet.NewWriter(io.Discard, w.contract.Columns, parquet.Options{Codec: codec})
	if err != nil {
		return nil, err
	}
	return w.pass(w.contract, writer)
}

// pass reads the file into columns and gives them to a writer, if there is one.
func (w *work) pass(c *contract.Contract, writer *parquet.Writer) (timed, error) {
	plan, err := record.Compile(c)
	if err != nil {
		return nil, err
	}
	return func(context.Context) (measure.Counts, error) {
		reader := plan.Start(record.Run{ScheduledAt: w.at}, sink{writer})
		if err := w.read(reader); err != nil {
			return measure.Counts{}, err
		}
		summary, err := reader.Close()
		if err != nil {
			return measure.Counts{}, err
		}
		if writer != nil {
			if _, err := writer.Close(); err != nil {
				return measure.Counts{}, err
			}
		}
		return counts(summary), nil
	}, nil
}

// sink writes batches to a Parquet file, if it has one, and forgets them and rejects.
type sink struct{ writer *parquet.Writer }

// Batch takes a batch.
func (s sink) Batch(b *record.Batch) error {
	defer b.Release()
	if s.writer == nil {
		return nil
	}
	return s.writer.Write(b)
}

// Reject takes a reject.
func (sink) Reject(*record.Reject) error { return nil }
