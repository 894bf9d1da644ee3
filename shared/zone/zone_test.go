package zone

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds got against a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func document(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var scheduled = time.Date(2025, 3, 4, 15, 45, 0, 987654321, time.FixedZone("CET", 3600))

func TestKeys(t *testing.T) {
	run := NewRun("coin_markets", scheduled)
	lines := []string{
		"run        " + run.ID(),
		"day        " + run.Day(),
		"raw        " + RawPrefix("coin_markets"),
		"raw day    " + RawDayPrefix("coin_markets", scheduled),
		"pages      " + run.RawPagePrefix(),
		"page       " + run.RawPageKey(1),
		"page       " + run.RawPageKey(12345),
		"manifest   " + run.ManifestKey(),
		"state      " + StateKey("coin_markets"),
		"lake       " + LakePrefix("coin_markets_v2"),
		"lake run   " + run.LakeRunPrefix("coin_markets_v2"),
		"lake file  " + run.LakeKey("coin_markets_v2", 1),
		"rejects    " + RejectsPrefix("coin_markets"),
		"rejects of " + run.RejectsRunPrefix(),
		"reject     " + run.RejectsKey(2),
		"audit      " + AuditPrefix,
		"audit day  " + AuditDayPrefix("coin_markets", scheduled),
		"audit row  " + run.AuditKey(),
	}
	golden(t, "keys.golden", []byte(strings.Join(lines, "\n")+"\n"))
}

func TestDocuments(t *testing.T) {
	run := NewRun("coin_markets", scheduled)
	count := []RuleCount{{Rule: "minimum", Pointer: "/current_price", Records: 2}}
	tests := []struct {
		name string
		row  any
	}{
		{"manifest.golden.json", Manifest{
			Format: ManifestFormat, Dataset: "coin_markets", Run: run.ID(), ScheduledAt: run.At, ContractVersion: "1.0.0",
			ContractDigest: "d1", Source: "https://example.com/coins", Ended: EndedComplete, Records: 250,
			Pages: []ManifestPage{{Page: 1, Key: run.RawPageKey(1), Version: "v1", Bytes: 1234, SHA256: "ab", Records: 250, FetchedAt: run.At.Add(time.Second)}},
		}},
		{"reject.golden.json", RejectRow{
			Dataset: "coin_markets", RunID: run.ID(), RawKey: run.RawPageKey(1), RawVersion: "v1", Page: 1, Index: 7, Key: "a",
			Violations: []ViolationRow{{Pointer: "/current_price", Rule: "minimum", Message: "is below 0", Value: "-1"}},
			Record:     `{"id":"a","current_price":-1}`, Encoding: "utf-8", Offset: 512, Bytes: 29,
			ContractVersion: "1.0.0", ContractDigest: "d1", EngineRevision: "r1-arm64",
		}},
		{"audit.golden.json", AuditRow{
			Dataset: "coin_markets", RunID: run.ID(), ScheduledAt: run.At.Format(time.RFC3339), State: StateDone, Outcome: OutcomeLoaded,
			ManifestKey: run.ManifestKey(), ManifestVersion: "v2", ContractVersion: "1.0.0", ContractDigest: "d1", EngineRevision: "r1-arm64",
			Claim: 2, Pages: 1, Records: 250, Clean: 248, Rejected: 2, Warnings: 2, RejectsByRule: count, WarningsByRule: count, UnknownMembers: count,
			LakeFiles:   []FileRow{{Key: run.LakeKey("coin_markets", 1), Rows: 248, Bytes: 4096}},
			RejectFiles: []FileRow{{Key: run.RejectsKey(1), Rows: 2, Bytes: 1024}},
			Items:       248, AlertID: "a1", StoredAt: "2025-03-04T14:45:09Z",
			Replay: ReplayRow{
				State: StateDone, Outcome: OutcomeHeld, Reason: "too many rejects", ContractVersion: "1.1.0", ContractDigest: "d2",
				EngineRevision: "r1-arm64", AlertID: "a2", StoredAt: "2025-03-05T08:00:00Z",
			},
			Former: FormerRow{
				ContractVersion: "0.9.0", ContractDigest: "d0", EngineRevision: "r0-arm64", Records: 250, Clean: 240, Rejected: 10, LakeFiles: 1,
				StoredAt: "2025-03-04T14:45:05Z",
			},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { golden(t, test.name, document(t, test.row)) })
	}
}

// TestGlueColumns holds the tables' definitions, and the declared types against the Go types that are written.
func TestGlueColumns(t *testing.T) {
	golden(t, "glue.golden.json", document(t, map[string][]GlueColumn{
		"rejects": Columns(RejectRow{}), AuditTable: Columns(AuditRow{}),
	}))
	for _, row := range []any{RejectRow{}, AuditRow{}} {
		of := reflect.TypeOf(row)
		for i, column := range Columns(row) {
			if want := glueType(t, of.Field(i).Type); column.Type != want {
				t.Errorf("%s.%s is declared %s, and %s is written", of.Name(), column.Name, column.Type, want)
			}
		}
	}
}

// glueType is the type of the JSON that a Go type is written as.
func glueType(t *testing.T, of reflect.Type) string {
	t.Helper()
	switch of.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int32:
		return "int"
	case reflect.Int64:
		return "bigint"
	case reflect.Slice:
		return "array<" + glueType(t, of.Elem()) + ">"
	case reflect.Struct:
		members := make([]string, of.NumField())
		for i := range members {
			members[i] = of.Field(i).Tag.Get("json") + ":" + glueType(t, of.Field(i).Type)
		}
		return "struct<" + strings.Join(members, ",") + ">"
	default:
		t.Fatalf("%s is no type of a row", of)
		return ""
	}
}

func TestParseManifestKey(t *testing.T) {
	tests := []struct {
		name, key, want string // want: the run, or what the error says
		wantErr         bool
	}{
		{"manifest", "raw/a_b/dt=2025-03-04/run=20250304T144500Z/manifest.json", "a_b 20250304T144500Z", false},
		{"page", "raw/a/dt=2025-03-04/run=20250304T144500Z/page-00001.json.gz", "not raw/<dataset>", true},
		{"below", "x/raw/a/dt=2025-03-04/run=20250304T144500Z/manifest.json", "not raw/<dataset>", true},
		{"encoded", "raw/a/dt%3D2025-03-04/run%3D20250304T144500Z/manifest.json", "not raw/<dataset>", true},
		{"dataset with a hyphen", "raw/a-b/dt=2025-03-04/run=20250304T144500Z/manifest.json", "not raw/<dataset>", true},
		{"no such day", "raw/a/dt=2025-02-31/run=20250231T144500Z/manifest.json", "is no time", true},
		{"another day", "raw/a/dt=2025-03-05/run=20250304T144500Z/manifest.json", "does not lie on day", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			run, err := ParseManifestKey(test.key)
			if (err != nil) != test.wantErr {
				t.Fatal(err)
			}
			if err != nil {
				if !strings.Contains(err.Error(), test.want) {
					t.Errorf("error %v, want …%s…", err, test.want)
				}
				return
			}
			if got := run.Dataset + " " + run.ID(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestParseRunID(t *testing.T) {
	run, err := ParseRunID("a", " 20250304T144500Z\n")
	if err != nil || !run.At.Equal(scheduled.Truncate(time.Second)) {
		t.Errorf("got %v, %v", run, err)
	}
	if _, err := ParseRunID("a", "2025-03-04"); err == nil || !strings.Contains(err.Error(), "yyyyMMddTHHmmssZ") {
		t.Errorf("error %v", err)
	}
}

func FuzzParseManifestKey(f *testing.F) {
	f.Add("raw/coin_markets/dt=2025-03-04/run=20250304T144500Z/manifest.json")
	f.Add("raw/a/dt=0000-01-01/run=00000101T000000Z/manifest.json")
	f.Add("raw/a/dt=2025-03-05/run=20250304T240000Z/manifest.json")
	f.Fuzz(func(t *testing.T, key string) {
		run, err := ParseManifestKey(key)
		if err != nil {
			return
		}
		if run.ManifestKey() != key {
			t.Errorf("%q is read as %q", key, run.ManifestKey())
		}
	})
}
