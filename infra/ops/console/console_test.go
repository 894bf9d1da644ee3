package console

import (
	"bytes"
	"errors"
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tributary/shared/contract"
	"tributary/shared/ledger"
	"tributary/shared/mask"
	"tributary/shared/ops"
	"tributary/shared/process"
	"tributary/shared/zone"
)

var now = time.Date(2025, 3, 4, 14, 45, 0, 500, time.UTC)

func utc(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestParse(t *testing.T) {
	whole := now.Truncate(time.Second)
	for _, test := range []struct {
		name, args string
		want       Options
	}{
		{"status", "status", Options{Command: "status", From: whole.AddDate(0, 0, -3)}},
		{"status of a stack", "status -dataset=coins -stack=dev", Options{Command: "status", Dataset: "coins", Stack: "dev", From: whole.AddDate(0, 0, -3)}},
		{"replay of all", "replay coins", Options{Command: "replay", Dataset: "coins", Parallel: 4}},
		{"replay of days", "replay -from=2025-03-01 coins -to=2025-03-02 -force", Options{
			Command: "replay", Dataset: "coins", Parallel: 4, Force: true, From: utc("2025-03-01T00:00:00Z"), To: utc("2025-03-02T23:59:59Z"),
		}},
		{"replay of a run", "replay coins -from=20250304T144500Z -to=2025-03-04T15:45:00+01:00", Options{
			Command: "replay", Dataset: "coins", Parallel: 4, From: whole, To: whole,
		}},
		{"release before a day", "release coins -to=2025-01-31", Options{
			Command: "release", Dataset: "coins", Parallel: 4, From: utc("2025-01-01T23:59:59Z"), To: utc("2025-01-31T23:59:59Z"),
		}},
		{"backfill", "backfill orders 2024-01-01 2024-02-01 -at=2025-03-01T00:00:00Z", Options{
			Command: "backfill", Dataset: "orders", Part: zone.Range{From: "2024-01-01", To: "2024-02-01"}, At: utc("2025-03-01T00:00:00Z"),
		}},
		{"rejects", "rejects coins -run=20250304T144500Z -limit=3", Options{Command: "rejects", Dataset: "coins", Run: "20250304T144500Z", Limit: 3, From: whole.AddDate(0, 0, -30)}},
		{"upload", "upload coins a.json", Options{Command: "upload", Dataset: "coins", File: "a.json"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Parse(strings.Fields(test.args), now, &bytes.Buffer{})
			if err != nil {
				t.Fatal(err)
			}
			if test.want.To.IsZero() {
				test.want.To = whole
			}
			if test.want.At.IsZero() {
				test.want.At = whole
			}
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreUnexported(Options{})); diff != "" {
				t.Errorf("options (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"", "no command"},
		{"walk", `there is no command "walk"`},
		{"replay", "replay takes DATASET, not []"},
		{"replay coins 2025-03-01", `replay takes DATASET, not ["coins" "2025-03-01"]`},
		{"status coins", `status takes flags only, not ["coins"]`},
		{"backfill orders 1", "backfill takes DATASET FROM TO"},
		{"replay coins -from=noon", "-from=noon is neither a run id nor a time"},
		{"replay coins -from=2025-03-02 -to=2025-03-01", "the end 2025-03-01T23:59:59Z lies before the beginning 2025-03-02T00:00:00Z"},
		{"status -form=x", "provided but not defined: -form; status -help shows the flags"},
	} {
		_, err := Parse(strings.Fields(test.args), now, &bytes.Buffer{})
		if !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: error %v, want %s", test.args, err, test.want)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, v := range verbs {
		var help bytes.Buffer
		_, err := Parse([]string{v.name, "-help"}, now, &help)
		if !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "usage: go tool mage ops:"+v.name) || !strings.Contains(help.String(), "-stack") {
			t.Errorf("%s -help: %v, %s", v.name, err, help.String())
		}
		if !strings.Contains(Usage(), v.name) {
			t.Errorf("the usage lacks %s", v.name)
		}
	}
}

func TestReadOutputs(t *testing.T) {
	const whole = `{"region":"eu-central-1","rawBucket":"r","lakeBucket":"l","rejectsBucket":"j","datasets":{"coins":{"processFunction":"p"}}}`
	for _, test := range []struct{ name, text, want string }{
		{"whole", whole, ""},
		{"no JSON", "error: no stack", "read outputs of the stack: invalid character"},
		{"not deployed", "{}", "read outputs of the stack: they name no buckets or no datasets: is the stack deployed?"},
	} {
		o, err := ReadOutputs([]byte(test.text))
		switch {
		case test.want == "" && (err != nil || o.Datasets["coins"].ProcessFunction != "p"):
			t.Errorf("%s: %+v, %v", test.name, o, err)
		case test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)):
			t.Errorf("%s: error %v", test.name, err)
		}
	}
}

func TestPipelines(t *testing.T) {
	target := Target{
		Name: "stack dev", Outputs: Outputs{Datasets: map[string]DatasetOutputs{"coins": {}}},
		Contracts: []*contract.Contract{{Dataset: "coins"}, {Dataset: "orders"}},
	}
	for _, test := range []struct{ dataset, want string }{
		{"coins", ""},
		{"orders", "find dataset orders: stack dev does not have it; deploy first"},
		{"cois", "there is no dataset cois; there is coins, orders"},
	} {
		found, err := target.pipelines(test.dataset)
		switch {
		case test.want == "" && (err != nil || len(found) != 1 || found[0].contract.Dataset != test.dataset):
			t.Errorf("%s: %v, %v", test.dataset, found, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: error %v", test.dataset, err)
		}
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	table := table{heads: []string{"run", ">rows", "empty", "note"}}
	table.add("a", "1", "", "…")
	table.add("bcde", "10,000", "", "")
	table.write(&out, "  ")
	want := "  run     rows  note\n  ────  ──────  ────\n  a          1  …\n  bcde  10,000\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestReplayText(t *testing.T) {
	before := ledger.Run{Audit: &zone.AuditRow{Outcome: zone.OutcomeLoaded, Rejected: 20}}
	for _, test := range []struct {
		name string
		step ops.ReplayStep
		want string
	}{
		{"mended", ops.ReplayStep{Before: before, Result: process.Result{Status: process.StatusProcessed, Outcome: zone.OutcomeLoaded, Records: 560, Clean: 558, Rejected: 2}}, "loaded, 558 clean and 2 rejected of 560 records (before: 20 rejected)"},
		{"skipped", ops.ReplayStep{Result: process.Result{Status: process.StatusSkipped, Outcome: zone.OutcomeLoaded}}, "loaded, 0 clean and 0 rejected of 0 records; skipped: this contract and engine have done it"},
		{"held again", ops.ReplayStep{Result: process.Result{Status: process.StatusSkipped, Outcome: zone.OutcomeHeld, Reason: "too dirty"}}, "held: too dirty; as before: this contract and engine have judged it already"},
		{"kept", ops.ReplayStep{Result: process.Result{Status: process.StatusProcessed, Outcome: zone.OutcomeHeld, Reason: "too dirty", Kept: true}}, "held: too dirty; what was loaded before stays"},
		{"superseded", ops.ReplayStep{Result: process.Result{Status: process.StatusSuperseded, Outcome: zone.OutcomeHeld}}, "held; left: a newer contract has processed it"},
		{"joined", ops.ReplayStep{Result: process.Result{Status: process.StatusJoined}}, "; another invocation is finishing it"},
		{"failed", ops.ReplayStep{Err: errors.New("throttled")}, "FAILED: throttled"},
	} {
		if got := replayText(test.step); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// No classified value reaches the screen.
func TestRejectsAreMasked(t *testing.T) {
	c := &contract.Contract{Columns: []contract.Column{
		{Name: "id", Path: []string{"id"}, Key: 1}, {Name: "name", Path: []string{"name"}, Classification: "restricted"}, {Name: "age", Path: []string{"age"}},
	}}
	for _, test := range []struct {
		name string
		full bool
		row  zone.RejectRow
		want string
	}{
		{
			"faulty members", false,
			zone.RejectRow{Page: 1, Index: 7, Encoding: "utf-8", Record: `{"id":1,"name":"s3cret","age":"x"}`, Violations: []zone.ViolationRow{
				{Pointer: "/name", Rule: "maxLength", Message: "s3cret is too long", Value: `"s3cret"`}, {Pointer: "/age", Rule: "type", Message: "/age is no integer", Value: `"x"`},
			}},
			"page 1, record 7\n  ✗ maxLength  ••• (the column is classified)\n  ✗ type  /age is no integer: \"x\"\n      id: 1\n      name: •••\n      age: \"x\"\n",
		},
		{"all members", true, zone.RejectRow{Encoding: "utf-8", Record: `{"id":1,"name":"s3cret","age":2}`}, "page 0, record 0\n      id: 1\n      name: •••\n      age: 2\n"},
		{"no object", true, zone.RejectRow{Encoding: "utf-8", Record: `["s3cret"]`}, "page 0, record 0\n      ••• (no JSON object, and the contract has classified columns)\n"},
		{"no UTF-8", true, zone.RejectRow{Encoding: "base64", Record: `czNjcmV0`}, "page 0, record 0\n      ••• (no JSON object, and the contract has classified columns)\n"},
		{"too long", true, zone.RejectRow{Encoding: "utf-8", Record: `{"name":"s3cret`, Truncated: true, Bytes: 2048}, "page 0, record 0\n      2.0 KiB; the first of them are in the rejects store\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			rejectView{Console: Console{Out: &out}, mask: mask.Of(c), keys: keyMembers(c), full: test.full}.row(test.row)
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Errorf("screen (-want +got):\n%s", diff)
			}
		})
	}
}
