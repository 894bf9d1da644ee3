package collect_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/parquet-go/parquet-go"

	"tributary/infra/local/collect"
	"tributary/infra/local/screen"
	"tributary/shared/contract"
	"tributary/shared/zone"
)

var run = zone.NewRun("people", time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC))

func column(name string, kind contract.Kind) contract.Column {
	return contract.Column{Name: name, Member: name, Path: []string{name}, Type: contract.Type{Kind: kind}}
}

func people() *contract.Contract {
	mail := column("mail", contract.String)
	mail.Classification = "restricted"
	code := column("code", contract.String)
	code.Member, code.Path, code.Classification = "secret/code", []string{"secret/code"}, "confidential"
	city := column("city", contract.String)
	street := column("street", contract.String)
	street.Classification = "restricted"
	home := column("home", contract.Struct)
	home.Type.Fields = []contract.Column{city, street}
	domain := contract.Column{Name: "domain", Type: contract.Type{Kind: contract.String}, Derived: &contract.Expr{Columns: []string{"mail"}}}
	tld := contract.Column{Name: "tld", Type: contract.Type{Kind: contract.String}, Derived: &contract.Expr{Columns: []string{"domain"}}}
	tags := column("tags", contract.List)
	tags.Type.Elem = &contract.Column{Name: "element", Type: contract.Type{Kind: contract.String}}
	balance := column("balance", contract.Decimal)
	balance.Type.Precision, balance.Type.Scale = 10, 2
	return &contract.Contract{
		Dataset: "people", Table: "people", RejectThresholdPercent: 60,
		Columns: []contract.Column{
			tld, domain, column("seen", contract.Timestamp), column("born", contract.Date), column("score", contract.Double),
			balance, column("active", contract.Boolean), home, tags, mail, code, column("id", contract.Integer),
		},
		Metrics: []contract.Metric{{ID: "enough", Name: "rowCount"}},
		Serving: &contract.Serving{PartitionKey: "id", Version: "seen", Attributes: []string{"mail", "score"}},
	}
}

type parquetRow struct {
	TLD     *string  `parquet:"tld,optional"`
	Domain  *string  `parquet:"domain,optional"`
	Seen    *int64   `parquet:"seen,optional,timestamp(millisecond)"`
	Born    *int32   `parquet:"born,optional,date"`
	Score   *float64 `parquet:"score,optional"`
	Balance *int64   `parquet:"balance,optional,decimal(2:10)"`
	Active  *bool    `parquet:"active,optional"`
	Home    *home    `parquet:"home,optional"`
	Tags    []string `parquet:"tags,optional,list"`
	Mail    *string  `parquet:"mail,optional"`
	Code    *string  `parquet:"code,optional"`
	ID      *int64   `parquet:"id,optional"`
}

type home struct {
	City   *string `parquet:"city,optional"`
	Street *string `parquet:"street,optional"`
}

func ptr[T any](v T) *T { return &v }

func lakeFile(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[parquetRow](&b)
	_, err := w.Write([]parquetRow{
		{
			TLD: ptr("com"), Domain: ptr("example.com"), Seen: ptr(int64(1741099550155)), Born: ptr(int32(20151)), Score: ptr(79847.0),
			Balance: ptr(int64(-1205)), Active: ptr(true), Home: &home{ptr("Ålesund"), ptr("Hidden Street 1")},
			Tags: []string{"a", "b"}, Mail: ptr("kim@example.com"), Code: ptr("4711"), ID: ptr(int64(7)),
		},
		{ID: ptr(int64(8)), Score: ptr(7.662e-05)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func line(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

type stores struct{ raw, lake, rejects map[string][]byte }

func whole(t *testing.T) (zone.AuditRow, stores) {
	t.Helper()
	lake := lakeFile(t)
	rejects := append(
		line(t, zone.RejectRow{Page: 1, Index: 2, Record: `{"id": 1.5}`, Violations: []zone.ViolationRow{
			{Pointer: "/id", Rule: "type", Message: "1.5 is no whole number", Value: "1.5"},
		}}),
		line(t, zone.RejectRow{Page: 1, Index: 3,
			Record: `{"id":9,"mail":"not-a-mail","home":{"city":"Bergen","street":5},"secret/code":"0xF7","score":1e999}`,
			Violations: []zone.ViolationRow{
				{Pointer: "/mail", Rule: "format", Message: `"not-a-mail" is no address`, Value: `"not-a-mail"`},
				{Pointer: "/home/street", Rule: "type", Message: "5 is no text", Value: "5"},
				{Pointer: "/secret~1code", Rule: "minLength", Message: `"0xF7" is short`, Value: `"0xF7"`},
				{Pointer: "/score", Rule: "overflow", Message: "1e999 is too large", Value: "1e999"},
				{Pointer: "", Rule: "sum", Message: "the rule is false", Value: `"not-a-mail"`},
			}})...)
	audit := zone.AuditRow{
		Dataset: "people", RunID: run.ID(), State: zone.StateDone, Outcome: zone.OutcomeLoaded,
		Pages: 1, Records: 4, Clean: 2, Rejected: 2, Items: 2,
		RejectsByRule: []zone.RuleCount{{Rule: "type", Pointer: "/id", Records: 1}, {Rule: "format", Pointer: "/mail", Records: 1}},
		LakeFiles:     []zone.FileRow{{Key: run.LakeKey("people", 1), Rows: 2, Bytes: int64(len(lake))}},
		RejectFiles:   []zone.FileRow{{Key: run.RejectsKey(1), Rows: 2, Bytes: int64(len(rejects))}},
	}
	manifest := zone.Manifest{Records: 4, Pages: []zone.ManifestPage{{Page: 1, Key: run.RawPageKey(1), Records: 4, Bytes: 10}}}
	return audit, stores{
		raw:     map[string][]byte{run.ManifestKey(): line(t, manifest), run.RawPageKey(1): []byte("0123456789")},
		lake:    map[string][]byte{run.LakeKey("people", 1): lake},
		rejects: map[string][]byte{run.RejectsKey(1): rejects},
	}
}

func TestWhereARecordLies(t *testing.T) {
	for _, tc := range []struct {
		name string
		row  zone.RejectRow
		want string
	}{
		{"whole", zone.RejectRow{}, "line 1 of rejects/" + run.RejectsKey(1)},
		{
			"the head of it", zone.RejectRow{Truncated: true, Bytes: 70_000, Offset: 12, RawKey: run.RawPageKey(1)},
			"line 1 of rejects/" + run.RejectsKey(1) + ", which holds the beginning; all 68.4 KiB of it are in raw/" + run.RawPageKey(1) + ", unpacked, from byte 12 on",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			audit, s := whole(t)
			tc.row.Violations = []zone.ViolationRow{{Rule: "type"}}
			s.rejects[run.RejectsKey(1)] = line(t, tc.row)
			d, _ := collected(t, &audit, s, nil)
			if d.Row == nil || d.Row.Where != tc.want {
				t.Errorf("row %+v, want it in %q", d.Row, tc.want)
			}
		})
	}
}

func TestMetricsAreOfTheRun(t *testing.T) {
	audit, s := whole(t)
	audit.WarningsByRule = []zone.RuleCount{{Rule: "enough", Records: 2}, {Rule: "high", Records: 1}}
	d, _ := collected(t, &audit, s, nil)
	want := []screen.Rule{{Records: 2, Name: "enough", OfRun: true}, {Records: 1, Name: "high"}}
	if diff := cmp.Diff(want, d.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func get(objects map[string][]byte) func(string) ([]byte, bool) {
	return func(key string) ([]byte, bool) { body, ok := objects[key]; return body, ok }
}

func collected(t *testing.T, audit *zone.AuditRow, s stores, items []map[string]any) (screen.Dataset, []string) {
	t.Helper()
	if audit != nil {
		s.lake[run.AuditKey()] = line(t, audit)
	}
	d, faults, err := collect.Dataset(collect.Run{
		Contract: people(), Run: run, Raw: get(s.raw), Lake: get(s.lake), Rejects: get(s.rejects),
		Path: func(bucket, key string) string { return bucket + "/" + key }, Table: "serving", Items: items,
	})
	if err != nil {
		t.Fatal(err)
	}
	return d, faults
}

var items = []map[string]any{{"id": json.Number("7"), "mail": "kim@example.com", "score": json.Number("79847.10")}}

func TestDataset(t *testing.T) {
	audit, s := whole(t)
	got, faults := collected(t, &audit, s, items)
	want := screen.Dataset{
		Name: "people", Run: "20250304T144500Z", At: run.At, Verdict: "loaded",
		Pages: 1, Records: 4, Clean: 2, Rejected: 2, Threshold: 60,
		Rejects: []screen.Rule{
			{Records: 1, Name: "type", Pointer: "/id", Example: "1.5 is no whole number"},
			{Records: 1, Name: "format", Pointer: "/mail", Example: "••• (the column is classified)"},
		},
		Row: &screen.Row{
			Page: 1, Place: "3",
			Members: []screen.Member{
				{Name: "id", Value: "9"},
				{Name: "mail", Value: "•••", Faulty: true},
				{Name: "home", Value: `{"city":"Bergen","street":•••}`, Faulty: true},
				{Name: "secret/code", Value: "•••", Faulty: true},
				{Name: "score", Value: "1e999", Faulty: true},
			},
			Reasons: []screen.Reason{
				{Pointer: "/mail", Rule: "format", Message: "••• (the column is classified)", Value: "•••"},
				{Pointer: "/home/street", Rule: "type", Message: "••• (the column is classified)", Value: "•••"},
				{Pointer: "/secret~1code", Rule: "minLength", Message: "••• (the column is classified)", Value: "•••"},
				{Pointer: "/score", Rule: "overflow", Message: "1e999 is too large", Value: "1e999"},
				{Pointer: "", Rule: "sum", Message: "the rule is false", Value: "•••"},
			},
			Where: "line 2 of rejects/" + run.RejectsKey(1),
		},
		Files: []screen.File{
			{Zone: "raw", Path: "raw/" + run.RawPageKey(1), Rows: 4, Bytes: 10},
			{Zone: "lake", Path: "lake/" + run.LakeKey("people", 1), Rows: 2, Bytes: int64(len(s.lake[run.LakeKey("people", 1)]))},
			{Zone: "rejects", Path: "rejects/" + run.RejectsKey(1), Rows: 2, Bytes: int64(len(s.rejects[run.RejectsKey(1)]))},
		},
		Table: "serving", Items: 2, Held: 1,
		Item: []screen.Member{{Name: "id", Value: "7"}, {Name: "mail", Value: "•••"}, {Name: "score", Value: "79847.10"}},
		Sample: &screen.Table{
			Of: 2,
			Columns: []screen.Column{
				{Name: "id", Right: true}, {Name: "score", Right: true}, {Name: "mail"}, {Name: "seen"}, {Name: "tld"}, {Name: "domain"},
				{Name: "born"}, {Name: "balance", Right: true}, {Name: "active"}, {Name: "home.city"}, {Name: "home.street"}, {Name: "tags"}, {Name: "code"},
			},
			Rows: [][]string{
				{"7", "79847", "•••", "2025-03-04 14:45:50.155", "•••", "•••", "2025-03-04", "-12.05", "true", "Ålesund", "•••", "a, b", "•••"},
				{"8", "0.00007662", "•••", "", "•••", "•••", "", "", "", "", "•••", "", "•••"},
			},
		},
	}
	want.Rows = []screen.Row{{
		Page: 1, Place: "2", Members: []screen.Member{{Name: "id", Value: "1.5", Faulty: true}}, Where: "line 1 of rejects/" + run.RejectsKey(1),
		Reasons: []screen.Reason{{Pointer: "/id", Rule: "type", Message: "1.5 is no whole number", Value: "1.5"}},
	}, *want.Row}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("dataset (-want +got):\n%s", diff)
	}
	if len(faults) > 0 {
		t.Errorf("faults of a run that is whole: %q", faults)
	}
}

func TestRecordsWithoutMembersAreShown(t *testing.T) {
	open := people()
	for i := range open.Columns {
		column := &open.Columns[i]
		column.Classification = ""
		for j := range column.Type.Fields {
			column.Type.Fields[j].Classification = ""
		}
	}
	for _, tc := range []struct{ name, record, encoding, want string }{
		{"empty object", "{}", "utf-8", "{}"},
		{"no object", "[1]", "utf-8", "[1]"},
		{"not UTF-8", "eyJhIjoi/yJ9", "base64", "(base64, as the record is not UTF-8) eyJhIjoi/yJ9"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			audit, s := whole(t)
			s.rejects[run.RejectsKey(1)] = line(t, zone.RejectRow{Record: tc.record, Encoding: tc.encoding, Violations: []zone.ViolationRow{{Rule: "type"}}})
			s.lake[run.AuditKey()] = line(t, audit)
			d, _, err := collect.Dataset(collect.Run{
				Contract: open, Run: run, Raw: get(s.raw), Lake: get(s.lake), Rejects: get(s.rejects), Path: func(_, key string) string { return key },
			})
			if err != nil {
				t.Fatal(err)
			}
			if d.Row == nil || d.Row.Text != tc.want {
				t.Errorf("row %+v, want the text %q", d.Row, tc.want)
			}
		})
	}
}

func TestNothingClassifiedIsShown(t *testing.T) {
	audit, s := whole(t)
	got, _ := collected(t, &audit, s, items)
	var b bytes.Buffer
	if err := screen.Write(&b, screen.Outcome{Datasets: []screen.Dataset{got}}, screen.Style{Width: 140}); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"not-a-mail", "kim@example.com", "example.com", "Hidden Street", "4711", "0xF7"} {
		if strings.Contains(b.String(), secret) {
			t.Errorf("the screen shows %q:\n%s", secret, b.String())
		}
	}
}

func TestFaults(t *testing.T) {
	const head = "people 20250304T144500Z: "
	for _, tc := range []struct {
		name  string
		spoil func(*zone.AuditRow, stores)
		items []map[string]any
		want  []string
	}{
		{"records lost", func(a *zone.AuditRow, _ stores) { a.Records = 5 }, items, []string{
			head + "5 records came in, but 2 clean and 2 rejected make 4", head + "the manifest counts 4 records, the audit 5",
		}},
		{"not done", func(a *zone.AuditRow, _ stores) { a.State = zone.StateStored }, items, []string{
			head + `processing ended in state "stored" instead of "done"`,
		}},
		{"held", func(a *zone.AuditRow, _ stores) { a.Outcome, a.Reason = zone.OutcomeHeld, "too many rejects" }, items, []string{
			head + "it is held: too many rejects",
		}},
		{"no manifest", func(_ *zone.AuditRow, s stores) { delete(s.raw, run.ManifestKey()) }, items, []string{
			head + "ingest stored no manifest " + run.ManifestKey(),
		}},
		{"page gone", func(_ *zone.AuditRow, s stores) { delete(s.raw, run.RawPageKey(1)) }, items, []string{
			head + "page " + run.RawPageKey(1) + " of the manifest is not in the bucket",
		}},
		{"lake file gone", func(_ *zone.AuditRow, s stores) { delete(s.lake, run.LakeKey("people", 1)) }, items, []string{
			head + "lake file " + run.LakeKey("people", 1) + " of the audit is not in the bucket",
			head + "the audit counts 2 clean records, the lake files hold 0 rows",
		}},
		{"rejects file gone", func(_ *zone.AuditRow, s stores) { delete(s.rejects, run.RejectsKey(1)) }, items, []string{
			head + "rejects file " + run.RejectsKey(1) + " of the audit is not in the bucket",
			head + "the audit counts 2 rejected records, the rejects files hold 0",
		}},
		{"empty table", func(*zone.AuditRow, stores) {}, nil, []string{
			head + "the audit says that 2 items were offered to table serving, which is empty",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			audit, s := whole(t)
			tc.spoil(&audit, s)
			_, faults := collected(t, &audit, s, tc.items)
			if diff := cmp.Diff(tc.want, faults); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("not processed", func(t *testing.T) {
		_, s := whole(t)
		d, faults := collected(t, nil, s, nil)
		if diff := cmp.Diff([]string{head + "it was not processed: there is no audit row " + run.AuditKey()}, faults); diff != "" || d.Verdict != "" {
			t.Errorf("verdict %q, faults (-want +got):\n%s", d.Verdict, diff)
		}
	})
}
