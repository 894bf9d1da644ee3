package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/klauspost/compress/gzip"

	"tributary/infra/bench/measure"
	"tributary/shared/process"
	"tributary/shared/zone"
)

const (
	memoryInput = 1 << 30 // bytes of a run, uncompressed
	pageRecords = 20_000  // a page of 16 MB, the largest body that the contract lets in
)

// memory has the process function, as it is deployed, process a run of 1 GiB, and asks the kernel for its peak. Its S3 and
// DynamoDB are in this process.
func (s *session) memory(ctx context.Context) error {
	command, err := s.function(ctx)
	if err != nil {
		return err
	}
	aws, err := newServices(ctx)
	if err != nil {
		return err
	}
	defer aws.close() //nolint:errcheck // nothing is left to answer
	run := zone.NewRun("coin_markets", time.Now().UTC().Truncate(time.Hour))
	size, records, err := s.storeRun(aws, run, memoryInput)
	if err != nil {
		return err
	}
	event, err := json.Marshal(zone.NewReplay(run, false))
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	f, err := startFunction(ctx, command, s.Contract, aws.variables()...)
	if err != nil {
		return err
	}
	defer f.stop()
	if _, err := f.idle(ctx); err != nil {
		return err
	}
	s.progress("memory: the function processes %d records", records)
	began := time.Now()
	body, err := f.invoke(ctx, event)
	if err != nil {
		return err
	}
	took := time.Since(began)
	if err := processed(body, records, aws.items.Load()); err != nil {
		return err
	}
	peak, err := measure.PeakOf(f.cmd.Process.Pid)
	if err != nil {
		return err
	}
	s.title("process function, all cores, a run of %.2f GiB (%d records in pages of %d, gzip), its files uploaded and every item put, in %s: "+
		"peak RSS %d MiB, limit %.0f MiB", float64(size)/(1<<30), records, pageRecords, took.Round(time.Second), peak, targetMemory.bound)
	s.found(targetMemory, float64(peak))
	return nil
}

// processed holds the function's answer against what it was given.
func processed(answer []byte, records, items int64) error {
	var results []process.Result
	if err := json.Unmarshal(answer, &results); err != nil {
		return fmt.Errorf("read the function's answer %q: %w", answer, err)
	}
	if len(results) != 1 || results[0].Clean != records || results[0].Items != records || items != records {
		return fmt.Errorf("process run: want %d clean records and items, got %s and %d puts", records, answer, items)
	}
	return nil
}

// storeRun puts a run into the raw bucket: pages until they have so many bytes of records, and their manifest.
func (s *session) storeRun(aws *services, run zone.Run, least int64) (size, records int64, err error) {
	m := zone.Manifest{Format: zone.ManifestFormat, Dataset: run.Dataset, Run: run.ID(), ScheduledAt: run.At, Ended: zone.EndedComplete}
	for size < least {
		s.progress("memory: storing a run, %d of %d MiB", size>>20, least>>20)
		page := zone.ManifestPage{Page: len(m.Pages) + 1, Key: run.RawPageKey(len(m.Pages) + 1), Records: pageRecords, FetchedAt: run.At}
		body, length, err := gzipPage(int(records))
		if err != nil {
			return 0, 0, err
		}
		sum := sha256.Sum256(body)
		page.Bytes, page.SHA256 = int64(len(body)), hex.EncodeToString(sum[:])
		if err := aws.put(page.Key, body); err != nil {
			return 0, 0, err
		}
		m.Pages = append(m.Pages, page)
		records += pageRecords
		size += length
	}
	m.Records = records
	manifest, err := json.Marshal(m)
	if err != nil {
		return 0, 0, fmt.Errorf("encode manifest: %w", err)
	}
	return size, records, aws.put(run.ManifestKey(), manifest)
}

// gzipPage makes a page from a record on, and tells its length before compression.
func gzipPage(first int) (body []byte, length int64, err error) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	counted := &counter{to: z}
	if err := Coins(first, pageRecords, 0).Write(counted); err != nil {
		return nil, 0, err
	}
	if err := z.Close(); err != nil {
		return nil, 0, fmt.Errorf("compress page: %w", err)
	}
	return packed.Bytes(), counted.bytes, nil
}
