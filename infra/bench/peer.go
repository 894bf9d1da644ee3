package bench

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"tributary/shared/contract"
	"tributary/shared/process"
	"tributary/shared/record"
	"tributary/shared/telemetry"
	"tributary/shared/zone"
)

// Peer processes one file of records as a run of the contract's dataset, with the processor that is deployed: every
// rule, Parquet to out, rejects to out.rejects.ndjson, the served columns projected and folded. The stores are files
// and the table takes every item, so no network is in the figures, and neither is start-up. The threshold of rejects is set
// aside: a file that is dirty on purpose is measured, not held.
func Peer(ctx context.Context, contractPath, in, out string) (Figures, error) {
	c, err := contract.Load(contractPath)
	if err != nil {
		return Figures{}, fmt.Errorf("load contract: %w", err)
	}
	c.RejectThresholdPercent = 100
	plan, err := record.Compile(c)
	if err != nil {
		return Figures{}, err
	}
	raw, err := newFileRun(in, c)
	if err != nil {
		return Figures{}, err
	}
	quiet, err := telemetry.New(io.Discard, "ERROR", time.Now)
	if err != nil {
		return Figures{}, err
	}
	lake, rejects := &fileStore{path: out}, &fileStore{path: out + ".rejects"}
	p := &process.Processor{
		Contract: c, Plan: plan, Environment: "bench", Revision: process.Revision(),
		Raw: raw, Lake: lake, Audit: &auditRows{}, Rejects: rejects, Table: &items{}, Alerts: nobody{},
		Telemetry: quiet, Now: time.Now, NewID: rand.Text,
		Options: process.Options{FileRecords: 1 << 40, FileBytes: 1 << 50, SpoolLimit: 1 << 40},
	}
	event, err := json.Marshal(map[string]any{"replay": map[string]any{"dataset": c.Dataset, "run": raw.run.ID()}})
	if err != nil {
		return Figures{}, fmt.Errorf("encode event: %w", err)
	}

	figures, err := Measure("tributary", out, func() (int64, int64, error) {
		results, err := p.Handle(ctx, event)
		if err != nil {
			return 0, 0, err
		}
		r := results[0]
		if r.Outcome != zone.OutcomeLoaded {
			return 0, 0, fmt.Errorf("process %s: the run is %s: %s", in, r.Outcome, r.Reason)
		}
		return r.Clean, r.Rejected, nil
	})
	if err != nil {
		return Figures{}, err
	}
	return figures, plainRejects(rejects.path, out+".rejects.ndjson")
}

// newFileRun makes a run of one page out of a file.
func newFileRun(path string, c *contract.Contract) (*fileRun, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open input: %w", err)
	}
	defer f.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, f)
	if err != nil {
		return nil, fmt.Errorf("read input: %w", err)
	}
	at := time.Now().UTC().Truncate(time.Minute)
	r := &fileRun{path: path, run: zone.NewRun(c.Dataset, at)}
	r.manifest, err = json.Marshal(zone.Manifest{
		Format: zone.ManifestFormat, Dataset: c.Dataset, Run: r.run.ID(), ScheduledAt: at,
		ContractVersion: c.Version.String(), ContractDigest: c.Digest, Source: "file:" + path, Ended: zone.EndedComplete, Records: -1,
		Pages: []zone.ManifestPage{{
			Page: 1, Key: r.run.RawPageKey(1), Version: "1", Bytes: size, SHA256: hex.EncodeToString(hash.Sum(nil)), Records: -1, FetchedAt: at,
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	return r, nil
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
