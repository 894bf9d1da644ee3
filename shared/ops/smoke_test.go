package ops_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/contract"
	"tributary/shared/ingest"
	"tributary/shared/ops"
	"tributary/shared/zone"
)

func TestSmoke(t *testing.T) {
	run := hour(1)
	loadedRow := func(change func(*zone.AuditRow)) *zone.AuditRow {
		row := &zone.AuditRow{
			State: zone.StateDone, Outcome: zone.OutcomeLoaded, Records: 3, Clean: 3, Items: 2,
			LakeFiles: []zone.FileRow{{Key: run.LakeKey("orders", 1), Rows: 3}},
		}
		if change != nil {
			change(row)
		}
		return row
	}
	none := func(a *zone.AuditRow) { a.Records, a.Clean, a.Items, a.LakeFiles = 0, 0, 0, nil }
	fault := errors.New("the source is down")
	tests := []struct {
		name   string
		ingest error
		late   int            // how many looks before the audit row stands
		row    *zone.AuditRow // nil: it never does
		file   bool
		items  bool
		served bool
		cursor bool
		want   string // in the error; "": none
	}{
		{name: "works", row: loadedRow(nil), file: true, served: true, items: true},
		{name: "works after a while", late: 3, row: loadedRow(nil), file: true, served: true, items: true},
		{name: "not served", row: loadedRow(nil), file: true},
		{name: "the ingest function fails", ingest: fault, want: "the source is down"},
		{name: "nothing processes the run", want: "it is waiting, and not done after 20m0s"},
		{name: "processing does not end", row: &zone.AuditRow{State: zone.StateStored}, want: "it is unfinished, and not done after 20m0s"},
		{name: "held", row: &zone.AuditRow{State: zone.StateDone, Outcome: zone.OutcomeHeld, Reason: "7 of 9 records are rejected"}, want: "it is held: 7 of 9 records are rejected"},
		{name: "a file is missing", row: loadedRow(nil), want: "and the lake does not have it"},
		{name: "the table is empty", row: loadedRow(nil), file: true, served: true, want: "offered 2 items to the serving table, and it holds none"},
		{name: "no record", row: loadedRow(none), served: true, want: "the source sent no record"},
		{name: "no record since the last time", row: loadedRow(none), served: true, cursor: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStores(t)
			if tt.file {
				s.put(s.lake, run.LakeKey("orders", 1), []byte("PAR1"))
			}
			process := func() {
				if tt.row == nil {
					return
				}
				body, err := json.Marshal(tt.row)
				if err != nil {
					t.Fatal(err)
				}
				s.put(s.lake, run.AuditKey(), body)
			}
			table := cloudtest.NewTable(nil)
			if tt.items {
				item := zone.Item{PartitionKey: "id", Version: "at", Attributes: map[string]zone.Attribute{"id": zone.StringAttribute("a"), zone.ItemOrder: zone.StringAttribute("1")}}
				if _, err := table.Put(t.Context(), item); err != nil {
					t.Fatal(err)
				}
			}
			looks := 0
			smoker := ops.Smoker{
				Contract: &contract.Contract{Dataset: "orders", Table: "orders"}, Raw: s.raw, Lake: s.lake,
				Sleep: func(context.Context, time.Duration) error {
					if looks++; looks == tt.late {
						process()
					}
					return nil
				},
				Ingest: cloudtest.NewFunction("ingest", nil, func(_ context.Context, payload []byte) ([]byte, error) {
					if want := `{"dataset":"orders","scheduledAt":"2025-03-04T01:00:00Z"}`; string(payload) != want {
						t.Errorf("the ingest function got %s, want %s", payload, want)
					}
					if tt.ingest != nil {
						return nil, tt.ingest
					}
					s.put(s.raw, run.RawPageKey(1), []byte("page"))
					s.put(s.raw, run.ManifestKey(), []byte("{}"))
					if tt.late == 0 {
						process()
					}
					return json.Marshal(ingest.Response{Run: run.ID(), Stored: true, Pages: 1, Records: 3})
				}),
			}
			if tt.served {
				smoker.Items = table
			}
			if tt.cursor {
				smoker.Contract.Source.Cursor = &contract.Cursor{}
			}
			seen, err := smoker.Smoke(t.Context(), run.At)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("error %v, want none", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "try orders by run 20250304T010000Z: ")):
				t.Errorf("error %v, want %s", err, tt.want)
			case tt.want == "" && (seen.Audit == nil || seen.Audit.Clean != tt.row.Clean || seen.Served != (tt.served && tt.items)):
				t.Errorf("seen %+v", seen)
			}
			if tt.late > 0 && looks != tt.late {
				t.Errorf("it waited %d times, want %d", looks, tt.late)
			}
		})
	}
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
