package ops_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/contract"
	"tributary/shared/ingest"
	"tributary/shared/ops"
	"tributary/shared/zone"
)

// filed is what a reader of lake files finds in them, by key.
type filed map[string]ops.LakeFile

func (f filed) Read(_ context.Context, key string, _ int64) (ops.LakeFile, error) {
	if file, ok := f[key]; ok {
		return file, nil
	}
	return ops.LakeFile{}, fmt.Errorf("read lake file %s: it is damaged", key)
}

// smoked is a deployment that works, for a test to break.
type smoked struct {
	contract *contract.Contract
	ingest   error
	late     int            // how many looks before the audit row stands
	row      *zone.AuditRow // nil: it never does
	sizes    map[string]int // of the files that lie in the lake
	files    filed
	served   bool
	item     map[string]zone.Attribute // in the table, under the key of the first row; nil: none
}

const (
	engine = "engine 1"
	digest = "digest 1"
)

func working(run zone.Run) *smoked {
	attributes := func(version, writer string) map[string]zone.Attribute {
		return map[string]zone.Attribute{
			"id": zone.StringAttribute("a"), "rank": zone.NumberAttribute("7"), "at": zone.NumberAttribute(version),
			zone.ItemRun: zone.StringAttribute(writer), zone.ItemOrder: zone.StringAttribute(writer + "/000000001/000000000000"),
		}
	}
	file := func(rows int64, first map[string]zone.Attribute) ops.LakeFile {
		return ops.LakeFile{Rows: rows, First: first, Made: map[string]string{
			"tributary.raw_key": run.ManifestKey(), "tributary.raw_version": "v2", "tributary.contract_digest": digest, "tributary.engine_revision": engine,
		}}
	}
	one, two := run.LakeKey("orders", 1), run.LakeKey("orders", 2)
	first := map[string]zone.Attribute{
		"id": zone.StringAttribute("a"), "rank": zone.NumberAttribute("7"), "at": zone.NumberAttribute("10"), "run_at": zone.StringAttribute("2025-03-04T01:00:00.000Z"),
	}
	return &smoked{
		contract: &contract.Contract{
			Dataset: "orders", Table: "orders", Digest: digest,
			Columns: []contract.Column{{Name: "id"}, {Name: "run_at", Type: contract.Type{Kind: contract.Timestamp}, Derived: &contract.Expr{Source: "run.scheduledAt"}}},
			Serving: &contract.Serving{PartitionKey: "id", SortKey: "rank", Version: "at"},
		},
		row: &zone.AuditRow{
			State: zone.StateDone, Outcome: zone.OutcomeLoaded, Records: 4, Clean: 3, Rejected: 1, Items: 2, StoredAt: "2025-03-04T01:00:30.5Z",
			ManifestKey: run.ManifestKey(), ManifestVersion: "v2", ContractVersion: "1.0.0", ContractDigest: digest, EngineRevision: engine,
			LakeFiles: []zone.FileRow{{Key: one, Rows: 2, Bytes: 20}, {Key: two, Rows: 1, Bytes: 10}},
		},
		sizes: map[string]int{one: 20, two: 10}, files: filed{one: file(2, first), two: file(1, map[string]zone.Attribute{"id": zone.StringAttribute("c")})},
		served: true, item: attributes("10", run.ID()),
	}
}

func (s *smoked) change(key string, change func(*ops.LakeFile)) {
	file := s.files[key]
	file.First, file.Made = maps.Clone(file.First), maps.Clone(file.Made)
	change(&file)
	s.files[key] = file
}

func TestSmoke(t *testing.T) {
	run, earlier, later := hour(1), hour(0), hour(2)
	one, two := run.LakeKey("orders", 1), run.LakeKey("orders", 2)
	nothing := func(s *smoked) {
		s.row.Records, s.row.Clean, s.row.Rejected, s.row.Items, s.row.LakeFiles = 0, 0, 0, 0, nil
		s.sizes, s.item = nil, nil
	}
	written := func(version string, by zone.Run) func(*smoked) {
		return func(s *smoked) {
			s.item["at"] = zone.NumberAttribute(version)
			s.item[zone.ItemRun], s.item[zone.ItemOrder] = zone.StringAttribute(by.ID()), zone.StringAttribute(by.ID()+"/000000001/000000000000")
		}
	}
	for _, tt := range []struct {
		name string
		make func(*smoked)
		want string // in the error; "": none
		item string // the run that wrote the item
	}{
		{name: "works", item: run.ID()},
		{name: "works after a while", make: func(s *smoked) { s.late = 3 }, item: run.ID()},
		{name: "not served", make: func(s *smoked) { s.served, s.item = false, nil }},
		{name: "the ingest function fails", make: func(s *smoked) { s.ingest = errors.New("the source is down") }, want: "the source is down"},
		{name: "nothing processes the run", make: func(s *smoked) { s.row = nil }, want: "it is waiting, and not done after 20m0s"},
		{name: "processing does not end", make: func(s *smoked) { s.row.State = zone.StateStored }, want: "it is unfinished, and not done after 20m0s"},
		{name: "held", make: func(s *smoked) { s.row.Outcome, s.row.Reason = zone.OutcomeHeld, "7 of 9 records are rejected" }, want: "it is held: 7 of 9 records are rejected"},
		{name: "no record", make: nothing, want: "the source sent no record"},
		{name: "no record since the last time", make: func(s *smoked) { nothing(s); s.contract.Source.Cursor = &contract.Cursor{} }},
		{name: "no clean record", make: func(s *smoked) { nothing(s); s.row.Records, s.row.Rejected = 4, 4 }, want: "every record of 4 is rejected"},
		{name: "another contract", make: func(s *smoked) { s.row.ContractDigest = "digest 0" }, want: "the run was processed by contract 1.0.0, and the one here is 0.0.0 with other rules"},

		{name: "a file is missing", make: func(s *smoked) { delete(s.sizes, two) }, want: two + ", and the lake does not have it"},
		{name: "only the file of an earlier run", make: func(s *smoked) { s.sizes = map[string]int{earlier.LakeKey("orders", 1): 20} }, want: one + ", and the lake does not have it"},
		{name: "an empty file", make: func(s *smoked) { s.sizes[one], s.row.LakeFiles[0].Bytes = 0, 0 }, want: one + " has 0 bytes in the lake"},
		{name: "a file cut short", make: func(s *smoked) { s.sizes[one] = 19 }, want: one + " has 19 bytes in the lake, 20 by the audit row"},
		{name: "a file too many", make: func(s *smoked) { s.sizes[run.LakeKey("orders", 3)] = 9 }, want: "the lake has 3 files of the run, the audit row names 2"},
		{name: "a damaged file", make: func(s *smoked) { delete(s.files, two) }, want: two + ": it is damaged"},
		{name: "a footer of other rows", make: func(s *smoked) { s.change(two, func(f *ops.LakeFile) { f.Rows = 2 }) }, want: two + " has 2 rows by its footer, 1 by the audit row"},
		{name: "rows that do not add up", make: func(s *smoked) { s.row.Clean = 4 }, want: "the lake has 3 rows of the run, the audit row counts 4 clean records"},
		{name: "no row", make: func(s *smoked) {
			for key := range s.files {
				s.change(key, func(f *ops.LakeFile) { f.First = nil })
			}
		}, want: "no row can be read from 2 files of 3 rows"},
		{name: "a file of another run", make: func(s *smoked) {
			s.change(one, func(f *ops.LakeFile) { f.Made["tributary.raw_key"] = earlier.ManifestKey() })
		}, want: one + " is not of this run: its tributary.raw_key is"},
		{name: "a file of another manifest", make: func(s *smoked) {
			s.change(one, func(f *ops.LakeFile) { f.Made["tributary.raw_version"] = "v1" })
		}, want: `its tributary.raw_version is "v1", and "v2" by the audit row`},
		{name: "a file of another engine", make: func(s *smoked) {
			s.change(two, func(f *ops.LakeFile) { f.Made["tributary.engine_revision"] = "engine 0" })
		}, want: two + " is not of this run: its tributary.engine_revision is"},
		{name: "a file of another contract", make: func(s *smoked) {
			s.change(two, func(f *ops.LakeFile) { delete(f.Made, "tributary.contract_digest") })
		}, want: `its tributary.contract_digest is ""`},
		{name: "a row of another run", make: func(s *smoked) {
			s.change(one, func(f *ops.LakeFile) { f.First["run_at"] = zone.StringAttribute("2025-03-04T00:00:00.000Z") })
		}, want: `is not of this run: run_at is "2025-03-04T00:00:00.000Z"`},

		{name: "no item", make: func(s *smoked) { s.item = nil }, want: "offered 2 items to the serving table, and it has none for the row the first of " + one},
		{name: "an item of another key alone", make: func(s *smoked) { s.item["rank"] = zone.NumberAttribute("8") }, want: "and it has none for the row"},
		{name: "an item of an earlier run and version", make: written("9", earlier), want: "the serving table has an older item, of run " + earlier.ID()},
		{name: "an item of an earlier run and this version", make: written("10.0", earlier), want: "the serving table has an older item, of run " + earlier.ID()},
		{name: "an item of this run and an older version", make: written("9", run), want: "the serving table has an older item, of run " + run.ID()},
		{name: "a newer item of an earlier run", make: written("11", earlier), item: earlier.ID()},
		{name: "the item of a later run", make: written("10", later), item: later.ID()},
		{name: "another record of the run", make: written("12", run), item: run.ID()},
		{name: "no item offered", make: func(s *smoked) { s.row.Items = 0 }, want: "has 3 clean records and offered none to the serving table, though the contract serves each"},
		{name: "no item offered, and none had expired", make: func(s *smoked) {
			s.row.Items, s.contract.Serving.TTL = 0, 31*time.Second
		}, want: "offered none to the serving table, though the contract serves each"},
		{name: "no item offered, since all had expired", make: func(s *smoked) {
			s.row.Items, s.contract.Serving.TTL = 0, 30*time.Second
		}, want: "the run's items had expired at 2025-03-04T01:00:30Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := working(run)
			if tt.make != nil {
				tt.make(w)
			}
			seen, looks, err := w.smoke(t, run)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("error %v, want none", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "try orders by run 20250304T010000Z: ")):
				t.Errorf("error %v, want %s", err, tt.want)
			case tt.want == "" && (seen.Audit == nil || seen.Audit.Clean != w.row.Clean || seen.Item != tt.item || (seen.Row == "") != (w.row.Clean == 0)):
				t.Errorf("seen %+v", seen)
			}
			if w.late > 0 && looks != w.late {
				t.Errorf("it waited %d times, want %d", looks, w.late)
			}
		})
	}
}

func (s *smoked) smoke(t *testing.T, run zone.Run) (seen ops.Smoked, looks int, err error) {
	stores := newStores(t)
	for key, size := range s.sizes {
		stores.put(stores.lake, key, make([]byte, size))
	}
	process := func() {
		if s.row == nil {
			return
		}
		body, err := json.Marshal(s.row)
		if err != nil {
			t.Fatal(err)
		}
		stores.put(stores.lake, run.AuditKey(), body)
	}
	smoker := ops.Smoker{
		Contract: s.contract, Raw: stores.raw, Lake: stores.lake, Files: s.files,
		Sleep: func(context.Context, time.Duration) error {
			if looks++; looks == s.late {
				process()
			}
			return nil
		},
		Ingest: cloudtest.NewFunction("ingest", nil, func(_ context.Context, payload []byte) ([]byte, error) {
			if want := `{"dataset":"orders","scheduledAt":"2025-03-04T01:00:00Z"}`; string(payload) != want {
				t.Errorf("the ingest function got %s, want %s", payload, want)
			}
			if s.ingest != nil {
				return nil, s.ingest
			}
			stores.put(stores.raw, run.RawPageKey(1), []byte("page"))
			stores.put(stores.raw, run.ManifestKey(), []byte("{}"))
			if s.late == 0 {
				process()
			}
			return json.Marshal(ingest.Response{Run: run.ID(), Stored: true, Pages: 1, Records: 3})
		}),
	}
	if s.served {
		table := cloudtest.NewTable(nil)
		if s.item != nil {
			if _, err := table.Put(t.Context(), zone.Item{PartitionKey: "id", SortKey: "rank", Version: "at", Attributes: s.item}); err != nil {
				t.Fatal(err)
			}
		}
		smoker.Items = table
	}
	seen, err = smoker.Smoke(t.Context(), run.At)
	return seen, looks, err
}

func TestSmokeStopsWhenInterrupted(t *testing.T) {
	s := newStores(t)
	ctx, cancel := context.WithCancel(t.Context())
	smoker := ops.Smoker{
		Contract: &contract.Contract{Dataset: "orders", Table: "orders"}, Raw: s.raw, Lake: s.lake,
		Ingest: answering("ingest", func(string) (string, error) { return "{}", nil }),
		Sleep: func(ctx context.Context, _ time.Duration) error {
			cancel()
			return ctx.Err()
		},
	}
	if _, err := smoker.Smoke(ctx, start); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
