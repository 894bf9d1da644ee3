package e2e_test

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tributary/infra/local/dynamo"
	"tributary/infra/local/files"
	"tributary/infra/local/s3"
	"tributary/shared/zone"
)

// What is tried after a deployment: a run of its own, read back from lake and table; what goes wrong fails the command.
func TestSmoke(t *testing.T) {
	t.Run("a run", func(t *testing.T) {
		w := start(t, builtIn(t), nil)
		w.api.Begin(time.Now())
		out, err := w.operate(t, "", "smoke")
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		shows(t, "smoke", out, "560 records on 4 pages", "540 rows in 1 file, 20 rejected", "row the first of coin_markets/dt=", "-00001.parquet was read back",
			"that row's key is in the table, written by this run, which offered 540 items", "coin_markets works")
	})
	t.Run("a run whose items are older than those of the run before", func(t *testing.T) {
		w := start(t, recorded(t, "["+twelve("2025-03-04T14:45:50Z", ",")+"]"), nil)
		file := filepath.Join(t.TempDir(), "newer.ndjson")
		if err := os.WriteFile(file, []byte(twelve("2025-03-04T14:45:51Z", "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		newer := zone.NewRun(dataset, scheduled.Add(-time.Hour))
		if out, err := w.operate(t, "", "upload coin_markets "+file+" -at="+newer.At.Format(time.RFC3339)); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		out, err := w.operate(t, "", "smoke")
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		shows(t, "smoke", out, "12 rows in 1 file", "run "+newer.ID()+" has a newer one of that row's key in the table, which stays", "coin_markets works")
	})
	t.Run("a run that is held", func(t *testing.T) {
		w := start(t, recorded(t, `[{"id":1},{"id":2}]`), nil)
		out, err := w.operate(t, "", "smoke coin_markets")
		if err == nil || !strings.Contains(err.Error(), "the run is not in the lake, it is held") || !strings.Contains(out, "ops:status coin_markets") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// twelve are records of one time, as many as the contract wants at least.
func twelve(updated, separator string) string {
	var records []string
	for i := range 12 {
		records = append(records, whole(fmt.Sprintf("coin-%02d", i), "last_updated", `"`+updated+`"`))
	}
	return strings.Join(records, separator)
}

// What a run must have left is taken away, or what an earlier run left stands in its place: the smoke test of that run
// fails and names it.
func TestSmokeMissesWhatIsNotThere(t *testing.T) {
	w := start(t, builtIn(t), nil)
	former, run := w.run(scheduled.Add(-time.Minute)), w.run(scheduled)
	lake, table := w.outputs.LakeBucket, w.outputs.Datasets[dataset].ServingTable
	put := func(t *testing.T, key string, body []byte) {
		t.Helper()
		sum := md5.Sum(body)
		if err := w.RestoreObject(s3.Object{Bucket: lake, Key: key, Version: rand.Text(), ETag: fmt.Sprintf("\"%x\"", sum), Modified: time.Now()}, body); err != nil {
			t.Fatal(err)
		}
	}
	file := run.LakeKey(w.contract.Table, 1)
	body, other := w.object(lake, file), w.object(lake, former.LakeKey(w.contract.Table, 1))
	items, err := w.Items(table)
	if err != nil {
		t.Fatal(err)
	}
	first, err := w.firstItem(items, body)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(body)
	copy(damaged[len(damaged)-8:], "\x00\x00\x00\x7fPAR2")
	audit := func(change func(*zone.AuditRow)) []byte {
		row := w.audit(run)
		change(&row)
		return []byte(encoded(t, row))
	}
	whole := audit(func(*zone.AuditRow) {})
	for _, tt := range []struct {
		name, want string
		breaks     func(t *testing.T)
	}{
		{"nothing is broken", "", func(*testing.T) {}},
		{"an empty file", "has 0 bytes in the lake", func(t *testing.T) { put(t, file, nil) }},
		{"half a file", "bytes in the lake", func(t *testing.T) { put(t, file, body[:len(body)/2]) }},
		{"a damaged file", "read lake file " + file, func(t *testing.T) { put(t, file, damaged) }},
		{"the file of the run before", "is not of this run: its tributary.raw_key is", func(t *testing.T) {
			put(t, file, other)
			put(t, run.AuditKey(), audit(func(r *zone.AuditRow) { r.LakeFiles[0].Bytes = int64(len(other)) }))
		}},
		{"a file of other rows than are counted", "has 540 rows by its footer, 541 by the audit row", func(t *testing.T) {
			put(t, run.AuditKey(), audit(func(r *zone.AuditRow) { r.LakeFiles[0].Rows++ }))
		}},
		{"the item of an earlier run", "the serving table has an older item, of run " + former.ID(), func(t *testing.T) {
			old := maps.Clone(first)
			old[zone.ItemRun] = json.RawMessage(`{"S":"` + former.ID() + `"}`)
			old[zone.ItemOrder] = json.RawMessage(`{"S":"` + former.ID() + `/000000001/000000000000/000000001.000000000.000000000/000000001"}`)
			if err := w.RestoreItems(table, []dynamo.Item{old}); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.breaks(t)
			out, err := w.operateAt(t, "", "smoke", run.At)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q\n%s", err, tt.want, out)
			}
			put(t, file, body)
			put(t, run.AuditKey(), whole)
			if err := w.RestoreItems(table, []dynamo.Item{first}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// firstItem is the item of the first row of a lake file.
func (w *world) firstItem(items []dynamo.Item, file []byte) (dynamo.Item, error) {
	rows := readParquet(w.t, w.contract, file)
	for _, item := range items {
		plain, err := files.FromDynamo(item)
		if err != nil {
			return nil, err
		}
		if plain["id"] == rows[0][0] {
			return item, nil
		}
	}
	return nil, fmt.Errorf("the table has no item of %v", rows[0][0])
}
