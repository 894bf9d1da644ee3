package process

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"tributary/shared/cloud"
	"tributary/shared/cloud/cloudtest"
	"tributary/shared/contract"
	"tributary/shared/record"
	"tributary/shared/telemetry"
	"tributary/shared/zone"
)

// discard is a store that keeps nothing, with uploads of the adapter's memory.
type discard struct{ bytes atomic.Int64 }

func (d *discard) Upload(context.Context, string, zone.PutOptions) zone.Upload {
	return &discarded{to: d}
}
func (d *discard) List(context.Context, string, string) iter.Seq2[zone.Object, error] {
	return func(func(zone.Object, error) bool) {}
}
func (d *discard) Head(context.Context, string) (zone.Object, error) {
	return zone.Object{}, zone.ErrNotFound
}
func (d *discard) Delete(context.Context, string, zone.Condition) error { return nil }
func (d *discard) Put(context.Context, zone.Item) (bool, error)         { return true, nil }

type discarded struct {
	to     *discard
	buffer []byte
}

func (d *discarded) Write(p []byte) (int, error) {
	d.to.bytes.Add(int64(len(p)))
	if d.buffer = append(d.buffer, p...); len(d.buffer) > cloud.PartSize {
		d.buffer = d.buffer[:0]
	}
	return len(p), nil
}
func (d *discarded) Flush() error { return nil }
func (d *discarded) Complete(context.Context, zone.Condition) (zone.Object, error) {
	return zone.Object{}, nil
}
func (d *discarded) Abort(context.Context) error { return nil }

// onDisk is a raw bucket whose objects are files, so that its memory is not measured.
type onDisk string

func (d onDisk) Get(_ context.Context, key, _ string) (io.ReadCloser, zone.Object, error) {
	f, err := os.Open(d.path(key))
	return f, zone.Object{Version: "v"}, err
}

func (d onDisk) path(key string) string { return filepath.Join(string(d), filepath.Base(key)) }

func (d onDisk) put(t testing.TB, key string, body []byte) {
	t.Helper()
	if err := os.WriteFile(d.path(key), body, 0o600); err != nil {
		t.Fatal(err)
	}
}

// coins makes a page of records like CoinGecko's, each with its own id.
func coins(t testing.TB, first, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	var line []byte
	for i := range n {
		line = fmt.Appendf(line[:0], `%c{"id":"coin-%08d","symbol":"c%d","name":"Coin %d","image":"https://example.com/%d.png","current_price":%d.%d,`+
			`"market_cap":%d,"market_cap_rank":%d,"fully_diluted_valuation":%d,"total_volume":%d,"high_24h":%d.5,"low_24h":%d.25,"price_change_24h":-%d.754488713603,`+
			`"price_change_percentage_24h":-8.19629,"market_cap_change_24h":-136197754312.49756,"market_cap_change_percentage_24h":-7.8777,"circulating_supply":%d.0,`+
			`"total_supply":%d.0,"max_supply":null,"ath":%d,"ath_change_percentage":-23.6039,"ath_date":"2025-01-20T07:16:25.271Z","atl":0.3,"atl_change_percentage":157008.4677,`+
			`"atl_date":"2013-07-05T00:00:00.000Z","roi":null,"last_updated":"2025-03-04T14:45:50.155Z"}`,
			"[,"[min(i, 1)], first+i, i%977, i, i, i%5000, i%89, i*1000003, i+1, i*1000033, i*70001, i%5000+9000, i%5000, i%700, i*19, i*21, i%5000+20000)
		if _, err := z.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := z.Write([]byte("]")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// watch finds the most memory that the runtime has held from the system meanwhile.
func watch(stop <-chan struct{}, peak chan<- uint64) {
	var most uint64
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			peak <- most
			return
		case <-tick.C:
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.Sys-m.HeapReleased)
		}
	}
}

// BenchmarkRun measures a run from gzip pages to the audit row: SHA-256, gunzip, validation, Parquet, projection and fold.
// Stores and table take everything at once, so the network is not in it. TRIBUTARY_BENCH_RECORDS sets the size of the run.
func BenchmarkRun(b *testing.B) {
	records, page := 200_000, 50_000
	if n, err := strconv.Atoi(os.Getenv("TRIBUTARY_BENCH_RECORDS")); err == nil {
		records = n
	}
	c, err := contract.Load("../datasets/coin_markets.odcs.yaml")
	if err != nil {
		b.Fatal(err)
	}
	plan, err := record.Compile(c)
	if err != nil {
		b.Fatal(err)
	}
	raw := onDisk(b.TempDir())
	run := zone.NewRun("coin_markets", scheduled)
	m := zone.Manifest{Format: zone.ManifestFormat, Dataset: run.Dataset, Run: run.ID(), ScheduledAt: run.At}
	for first := 0; first < records; first += page {
		n := min(page, records-first)
		body, key := coins(b, first, n), run.RawPageKey(len(m.Pages)+1)
		sum := sha256.Sum256(body)
		raw.put(b, key, body)
		m.Pages = append(m.Pages, zone.ManifestPage{Page: len(m.Pages) + 1, Key: key, Bytes: int64(len(body)), SHA256: hex.EncodeToString(sum[:]), Records: int64(n)})
	}
	manifest, err := json.Marshal(m)
	if err != nil {
		b.Fatal(err)
	}
	raw.put(b, run.ManifestKey(), manifest)
	tel, err := telemetry.New(io.Discard, "INFO", time.Now)
	if err != nil {
		b.Fatal(err)
	}
	debug.FreeOSMemory()
	stop, peak := make(chan struct{}), make(chan uint64)
	go watch(stop, peak)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		lake := &discard{}
		p := &Processor{
			Contract: c, Plan: plan, Environment: "dev", Stack: "dev", Revision: "bench", Raw: raw, Lake: lake, Rejects: lake, Table: lake,
			Audit: cloudtest.NewBucket("audit", nil), Alerts: cloudtest.NewTopic(nil), Telemetry: tel,
			Now: func() time.Time { return scheduled }, NewID: func() string { return "attempt" },
		}
		results, err := p.Handle(b.Context(), notify(run.ManifestKey(), "v"))
		if err != nil || results[0].Clean != int64(records) {
			b.Fatal(results, err)
		}
	}
	b.StopTimer()
	close(stop)
	b.ReportMetric(float64(records*b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(<-peak)/(1<<20), "MiB-peak")
}
