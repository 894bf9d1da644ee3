package ledger_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/ledger"
	"tributary/shared/zone"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// zones are a raw bucket and a lake. Each object is written a minute after the one before.
type zones struct {
	raw, lake *cloudtest.Bucket
	now       time.Time
}

func newZones() *zones {
	z := &zones{raw: cloudtest.NewBucket("raw", nil), lake: cloudtest.NewBucket("lake", nil), now: at("2025-03-05T00:00:00Z")}
	tick := func() time.Time { z.now = z.now.Add(time.Minute); return z.now }
	z.raw.Now, z.lake.Now = tick, tick
	return z
}

func (z *zones) put(t *testing.T, bucket *cloudtest.Bucket, key, body string) {
	t.Helper()
	if _, err := bucket.Put(t.Context(), key, []byte(body), zone.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

// run puts a run that has come as far as the stages say.
func (z *zones) run(t *testing.T, dataset, scheduled string, pages int, manifest bool, row *zone.AuditRow) {
	t.Helper()
	run := zone.NewRun(dataset, at(scheduled))
	for n := range pages {
		z.put(t, z.raw, run.RawPageKey(n+1), "page")
	}
	if manifest {
		z.put(t, z.raw, run.ManifestKey(), "{}")
	}
	if row != nil {
		body, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		z.put(t, z.lake, run.AuditKey(), string(body))
	}
}

func TestRead(t *testing.T) {
	z := newZones()
	z.run(t, "coins", "2025-03-03T23:59:59Z", 1, true, nil) // before the time asked for
	z.run(t, "coins", "2025-03-04T00:00:00Z", 2, true, &zone.AuditRow{State: "done"})
	z.run(t, "coins", "2025-03-04T23:00:00Z", 1, false, nil)
	z.run(t, "coins", "2025-03-05T01:00:00Z", 3, true, nil)
	z.run(t, "coins", "2025-03-05T02:00:00Z", 1, true, &zone.AuditRow{State: "stored"})
	z.run(t, "coins", "2025-03-05T03:00:00Z", 1, true, &zone.AuditRow{State: "done", Replay: zone.ReplayRow{State: "stored"}})
	z.run(t, "coins", "2025-03-05T03:00:01Z", 1, true, nil) // behind it
	z.run(t, "coins_old", "2025-03-05T01:00:00Z", 1, true, &zone.AuditRow{State: "storing"})

	runs, err := ledger.Read(t.Context(), z.raw, z.lake, "coins", at("2025-03-04T00:00:00Z"), at("2025-03-05T03:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range runs {
		got = append(got, fmt.Sprintf("%s %s, %d pages, manifest %t, touched %s", r.ID(), r.State(), r.Pages, r.Manifest, r.Touched.Format(time.TimeOnly)))
	}
	want := []string{
		"20250304T000000Z done, 2 pages, manifest true, touched 00:06:00",
		"20250304T230000Z begun, 1 pages, manifest false, touched 00:07:00",
		"20250305T010000Z waiting, 3 pages, manifest true, touched 00:11:00",
		"20250305T020000Z unfinished, 1 pages, manifest true, touched 00:14:00",
		"20250305T030000Z unfinished, 1 pages, manifest true, touched 00:17:00",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

func TestReadFromTheBeginning(t *testing.T) {
	z := newZones()
	runs, err := ledger.Read(t.Context(), z.raw, z.lake, "coins", time.Time{}, at("2025-03-05T03:00:00Z"))
	if err != nil || len(runs) != 0 {
		t.Errorf("an empty zone has %v, %v", runs, err)
	}
	z.run(t, "coins", "2024-12-24T00:00:00Z", 1, true, nil)
	z.run(t, "coins", "2025-03-04T00:00:00Z", 1, true, nil)
	runs, err = ledger.Read(t.Context(), z.raw, z.lake, "coins", time.Time{}, at("2025-03-05T03:00:00Z"))
	if err != nil || len(runs) != 2 || runs[0].ID() != "20241224T000000Z" {
		t.Errorf("got %v, %v", runs, err)
	}
}

func TestReadFails(t *testing.T) {
	denied := errors.New("AccessDenied")
	day := at("2025-03-04T00:00:00Z")
	for _, test := range []struct {
		name, method, bucket string
		foreign, row         string
		want                 string
	}{
		{name: "raw cannot be listed", method: "Bucket.List", bucket: "raw", want: "list raw runs of coins: "},
		{name: "lake cannot be listed", method: "Bucket.List", bucket: "lake", want: "list audit rows of coins: "},
		{name: "row cannot be read", method: "Bucket.Get", bucket: "lake", want: "read audit row: "},
		{name: "row is broken", row: "{", want: "read audit row pipeline_audit/dt=2025-03-04/coins-20250304T000000Z.json: "},
		{name: "key of nobody", foreign: "raw/coins/dt=2025-03-04/run=noon/page", want: `read key raw/coins/dt=2025-03-04/run=noon/page: parse run "noon" of coins`},
	} {
		t.Run(test.name, func(t *testing.T) {
			z := newZones()
			z.run(t, "coins", "2025-03-04T00:00:00Z", 1, true, &zone.AuditRow{State: "done"})
			if test.row != "" {
				z.put(t, z.lake, zone.NewRun("coins", day).AuditKey(), test.row)
			}
			if test.foreign != "" {
				z.put(t, z.raw, test.foreign, "")
			}
			faults := &cloudtest.Faults{Hook: func(c cloudtest.Call) error {
				if c.Method == test.method && strings.HasPrefix(c.Key, test.bucket+"/") {
					return denied
				}
				return nil
			}}
			_, err := ledger.Read(t.Context(), z.raw.With(faults), z.lake.With(faults), "coins", day, day)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error %v, want %s…", err, test.want)
			}
		})
	}
}
