package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tributary/infra/local/files"
	"tributary/shared/zone"
)

// input gives the command something to read.
func input(t *testing.T, text string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "input")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stdin
	os.Stdin = file
	t.Cleanup(func() { os.Stdin = before; file.Close() })
}

// queue leaves an event in a failure queue, as an ingest did that was given up.
func queue(t *testing.T, dir, queue, body string) {
	t.Helper()
	folder, err := files.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	state, err := folder.Load()
	if err != nil {
		t.Fatal(err)
	}
	state.Queued = append(state.Queued, files.Queued{Queue: queue, Sent: scheduled, Body: body})
	if err := folder.Save(state, nil); err != nil {
		t.Fatal(err)
	}
}

// All commands on the local environment, on what runs left in its folder, each a call of its own; and what a mended
// contract makes of rejects and of a run that is held.
func TestOperateLocally(t *testing.T) {
	embedded(t)
	dir := project(t)
	if err := os.CopyFS(filepath.Join(dir, ".build/local"), os.DirFS(filepath.Join(dir, packages))); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, ".local")
	at := func(run zone.Run) string { return "-at=" + run.At.Format(time.RFC3339) }
	run, dirty := zone.NewRun(dataset, scheduled), zone.NewRun(dataset, scheduled.Add(-time.Minute))
	clean, again := zone.NewRun(dataset, scheduled.Add(-2*time.Minute)), zone.NewRun(dataset, scheduled.Add(-3*time.Minute))
	past := zone.NewRun("orders", scheduled.Add(-4*time.Minute))
	file, held := coins(t)
	// One record of 42 lacks its symbol, which the mended contract lets pass, and one has no price.
	var records []string
	for i := range 40 {
		records = append(records, whole(fmt.Sprintf("coin-%d", i)))
	}
	records = append(records, whole("nameless", "symbol", "null"), whole("worthless", "current_price", `"n/a"`))
	recorded := filepath.Join(t.TempDir(), "recorded.json")
	if err := os.WriteFile(recorded, []byte("["+strings.Join(records, ",")+"]"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	lake := func(run zone.Run) []row {
		t.Helper()
		body, err := os.ReadFile(filepath.Join(state, "lake", filepath.FromSlash(run.LakeKey(dataset, 1))))
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			t.Fatal(err)
		}
		c := loadContract(t, dir, dataset)
		rows := readParquet(t, c, body)
		t.Run("DuckDB", func(t *testing.T) {
			if other := readDuckDB(t, c, body); len(other) != len(rows) {
				t.Errorf("DuckDB reads %d rows of run %s, parquet-go %d", len(other), run.ID(), len(rows))
			}
		})
		return rows
	}
	symbols := func(rows []row) (without int) {
		for _, r := range rows {
			if r[1] == nil {
				without++
			}
		}
		return without
	}
	for _, step := range []struct {
		name, call, stdin string
		interrupt         string // what the screen shows when the user has enough
		before            func()
		status            int
		want              []string
	}{
		{name: "a run with rejects", call: "run coin_markets -from=" + recorded + " " + at(run), want: []string{"42 in = 40 clean + 2 rejected"}},
		{name: "a run that is held", call: "run coin_markets -from=" + held + " " + at(dirty), status: 1, want: []string{"✗ held: 10 of 30 records are rejected"}},
		{name: "status", call: "ops status coin_markets", want: []string{
			"── coin_markets ── ops:status, the local environment ──", "held 1 run is not in the lake", "lost none", "waiting nothing in the failure queues",
			run.ID() + " loaded 2 42 40 2 0 40 1.0.0", dirty.ID() + " held 2 30 20 10", "go tool mage ops:release coin_markets processes them again",
		}},
		{name: "rejects", call: "ops rejects coin_markets " + run.ID() + " -limit=1", want: []string{"loaded by contract 1.0.0", "2 of 42 records", "page 1, record 40 ✗ required /symbol is required: null (coin_markets.odcs.yaml:25) id \"nameless\" symbol null", "… and 1 more"}},
		{name: "replay under the same contract", call: "ops replay coin_markets", want: []string{
			"2 that were scheduled", "loaded 42 40 2 2 skipped: this contract and engine have done it", "2 runs: 0 processed, 2 skipped, 0 failed; 1 not in the lake",
		}},
		{name: "release under the same contract", call: "ops release coin_markets", want: []string{"held 30 20 10 10", "as before: this contract and engine have judged it already"}},
		{name: "upload", call: "ops upload coin_markets " + file + " " + at(clean), want: []string{"run " + clean.ID(), "250 records on 1 page"}},
		{name: "secret", call: "ops secret orders", stdin: "k3y\n", want: []string{"tributary-dev/orders is set"}},
		{name: "backfill", call: "ops backfill orders 2024-01-01T00:00:00Z 2024-02-01T00:00:00Z " + at(past), want: []string{"run " + past.ID(), "120 records on 1 page; the process function has its event"}},
		{name: "backfill of the present", call: "ops backfill coin_markets 1 2", status: 1, want: []string{"its source has no past"}},
		{
			name: "redrive", call: "ops redrive coin_markets",
			before: func() {
				queue(t, state, "tributary-dev-ingest-coin_markets-failures", `{"requestPayload":{"dataset":"coin_markets","scheduledAt":"`+
					again.At.Format(time.RFC3339)+`"},"responsePayload":{"errorMessage":"the source was down"}}`)
			},
			want: []string{"✓ ingest of run " + again.ID(), "had failed the source was down", "now sent again, and done", "1 event was sent again and done, 0 left"},
		},
		{name: "redrive of nothing", call: "ops redrive", want: []string{"── coin_markets ──", "── orders ──", "there is nothing to send again"}},
		{name: "smoke", call: "ops smoke orders", want: []string{"120 records on 1 page", "verdict orders works"}},
		{name: "no such dataset", call: "ops replay coins", status: 2, want: []string{"there is no dataset coins; there is coin_markets, orders"}},
		{name: "no such run", call: "ops rejects coin_markets 20250304T144500Z", status: 1, want: []string{"there is no run 20250304T144500Z; those of that day: go tool mage ops:status coin_markets 2025-03-04 2025-03-04"}},
		{name: "a stack", call: "ops status -stack=dev", status: 2, want: []string{"-stack and -outputs name what is deployed; this is the local environment"}},

		{
			name: "replay under the mended contract", call: "ops replay coin_markets " + run.ID() + " " + run.ID(),
			before: func() {
				if rows := lake(run); len(rows) != 40 || symbols(rows) != 0 || lake(dirty) != nil {
					t.Fatalf("before the contract is mended, the lake has %d rows", len(rows))
				}
				mend(t, dir, dataset, "version: 1.0.0", "version: 1.1.0", "{name: symbol, logicalType: string, physicalType: string, required: true,",
					"{name: symbol, logicalType: string, physicalType: string,", "rejectThresholdPercent\n    value: 5", "rejectThresholdPercent\n    value: 50")
			},
			want: []string{"1/1 " + run.ID() + " loaded 42 41 1 2", "1 run: 1 processed, 0 skipped, 0 failed; 0 not in the lake"},
		},
		{name: "rejects that are left", call: "ops rejects coin_markets " + run.ID() + " -full", want: []string{"loaded by contract 1.1.0", "1 of 42 records", "✗ type /current_price is no number"}},
		{name: "release under the mended contract", call: "ops release coin_markets", want: []string{"1/1 " + dirty.ID() + " loaded 30 20 10 10", "1 run: 1 processed, 0 skipped, 0 failed; 0 not in the lake"}},
		{name: "status at the end", call: "ops status coin_markets", want: []string{"held none", run.ID() + " loaded 2 42 41 1", dirty.ID() + " loaded 2 30 20 10 0 20 1.1.0", clean.ID() + " loaded 1 250 250 0", again.ID() + " loaded"}},
		{name: "all of them, interrupted", call: "ops replay coin_markets -parallel=1", interrupt: again.ID() + "  loaded", status: 1, want: []string{
			"4 that were scheduled", "1/4 " + again.ID() + " loaded", "goes on with what is not done", "interrupted",
		}},
		{name: "the rest of them", call: "ops replay coin_markets -parallel=2", want: []string{" " + again.ID() + " loaded 560 540 20 20 skipped", "0 failed; 0 not in the lake"}},
	} {
		t.Run(step.name, func(t *testing.T) {
			if step.before != nil {
				step.before()
			}
			if step.stdin != "" {
				input(t, step.stdin)
			}
			status, out := interrupted(t, dir, step.interrupt, strings.Fields(step.call)...)
			t.Logf("$ %s\n%s[status %d]", step.call, out, status)
			if status != step.status {
				t.Errorf("status %d, want %d:\n%s", status, step.status, out)
			}
			shows(t, step.call, out, step.want...)
		})
	}
	if rows := lake(run); len(rows) != 41 || symbols(rows) != 1 {
		t.Errorf("under the mended contract, the lake has %d rows of the run, %d without a symbol; want 41 and 1", len(rows), symbols(rows))
	}
	if rows := lake(dirty); len(rows) != 20 {
		t.Errorf("of the run that was released the lake has %d rows, want 20", len(rows))
	}
	rejects, err := os.ReadFile(filepath.Join(state, "rejects", filepath.FromSlash(run.RejectsKey(1))))
	if err != nil || strings.Count(string(rejects), "\n") != 1 || !strings.Contains(string(rejects), "worthless") {
		t.Errorf("rejects that are left: %s (%v)", rejects, err)
	}
}
