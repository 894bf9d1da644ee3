package bench

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"tributary/shared/contract"
	"tributary/shared/process"
	"tributary/shared/record"
	"tributary/shared/telemetry"
	"tributary/shared/zone"
)

// gcPercent is what the process function runs with.
const gcPercent = 50

// Peer processes one file of records as a run of the contract's dataset, with the processor that is deployed: every
// rule, Parquet to out, rejects to out.rejects.ndjson, the served columns projected and folded. A file that ends in .gz
// is decompressed on the way. Its records are counted first, as ingest has done for a page of a manifest. The figures leave
// that out, as well as start-up, the network, and what a run does once its verdict stands: completing uploads, making items
// of the served columns and putting them.
func Peer(ctx context.Context, contractPath, in, out string) (Figures, error) {
	c, err := contract.Load(contractPath)
	if err != nil {
		return Figures{}, fmt.Errorf("load contract: %w", err)
	}
	plan, err := record.Compile(c)
	if err != nil {
		return Figures{}, err
	}
	quiet, err := telemetry.New(io.Discard, "ERROR", time.Now)
	if err != nil {
		return Figures{}, err
	}
	rejects := fileStore{path: out + ".rejects"}
	p := &process.Processor{
		Contract: c, Plan: plan, Environment: "bench", Revision: process.Revision(),
		Lake: fileStore{path: out}, Rejects: rejects, Telemetry: quiet, Now: time.Now, NewID: rand.Text,
		Options: process.Options{FileRecords: 1 << 40, FileBytes: 1 << 50, SpoolLimit: 1 << 40},
	}
	if err := os.RemoveAll(rejects.path); err != nil {
		return Figures{}, fmt.Errorf("remove former rejects: %w", err)
	}
	var records int64
	if err := readFile(in, func(body io.Reader) (err error) {
		records, err = record.Count(body, c.Source.Records)
		return err
	}); err != nil {
		return Figures{}, fmt.Errorf("count records: %w", err)
	}
	debug.SetGCPercent(gcPercent)
	at := time.Now().UTC().Truncate(time.Minute)
	figures, err := Measure("tributary", out, func() (int64, int64, error) {
		summary, _, err := p.Try(ctx, zone.NewRun(c.Dataset, at), func(reader *record.Reader) error {
			return readFile(in, func(body io.Reader) error {
				return reader.Page(record.Page{Number: 1, FetchedAt: at, Records: records}, body)
			})
		})
		if err != nil {
			return 0, 0, err
		}
		return summary.Clean, summary.Rejected, nil
	})
	if err != nil {
		return Figures{}, err
	}
	return figures, plainRejects(rejects.path, out+".rejects.ndjson")
}

func readFile(path string, read func(io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open input: %w", err)
	}
	defer f.Close()
	var body io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if body, err = gzip.NewReader(bufio.NewReaderSize(f, 64<<10)); err != nil {
			return fmt.Errorf("decompress input: %w", err)
		}
		var stop func()
		body, stop = process.ReadAhead(body)
		defer stop()
	}
	return read(body)
}

// plainRejects turns rejects into the form that peers are compared by: index, violations, record.
func plainRejects(from, to string) error {
	in, err := os.Open(from)
	if os.IsNotExist(err) {
		return os.WriteFile(to, nil, 0o644)
	}
	if err != nil {
		return fmt.Errorf("open rejects: %w", err)
	}
	defer in.Close()
	f, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("create rejects: %w", err)
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	encoder, decoder := json.NewEncoder(out), json.NewDecoder(bufio.NewReader(in))
	for {
		var row zone.RejectRow
		if err := decoder.Decode(&row); err == io.EOF {
			break
		} else if err != nil {
			return fmt.Errorf("read rejects: %w", err)
		}
		violations := make([]string, len(row.Violations))
		for i, v := range row.Violations {
			violations[i] = v.Pointer + ": " + v.Rule
		}
		if err := encoder.Encode(map[string]any{"index": row.Index, "violations": violations, "record": row.Record}); err != nil {
			return fmt.Errorf("write rejects: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write rejects: %w", err)
	}
	return nil
}
