package console

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tributary/infra/call/calltest"
	"tributary/infra/local/screen"
	"tributary/shared/contract"
	"tributary/shared/ingest"
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
		{"status", "status", Options{Command: "status", Limit: 20, From: whole.AddDate(0, 0, -3)}},
		{"status of a stack", "status coins -stack=dev", Options{Command: "status", Limit: 20, Dataset: "coins", Stack: "dev", From: whole.AddDate(0, 0, -3)}},
		{"replay of all", "replay coins", Options{Command: "replay", Dataset: "coins", Parallel: 4}},
		{"replay of words", "replay coins 2025-03-01 -force 2025-03-02", Options{
			Command: "replay", Dataset: "coins", Parallel: 4, Force: true, From: utc("2025-03-01T00:00:00Z"), To: utc("2025-03-02T23:59:59Z"),
		}},
		{"replay from a time on", "replay coins 2025-03-01", Options{Command: "replay", Dataset: "coins", Parallel: 4, From: utc("2025-03-01T00:00:00Z")}},
		{"status of all from a time on", "status 2025-03-01", Options{Command: "status", Limit: 20, From: utc("2025-03-01T00:00:00Z")}},
		{"status of one", "status coins 2025-03-01 2025-03-02", Options{
			Command: "status", Limit: 20, Dataset: "coins", From: utc("2025-03-01T00:00:00Z"), To: utc("2025-03-02T23:59:59Z"),
		}},
		{"redrive of one", "redrive coins", Options{Command: "redrive", Dataset: "coins"}},
		{"rejects of a run", "rejects coins 20250304T144500Z", Options{Command: "rejects", Dataset: "coins", Run: "20250304T144500Z", Limit: 20, From: whole.AddDate(0, 0, -30)}},
		{"replay of a run", "replay coins 20250304T144500Z 2025-03-04T15:45:00+01:00", Options{
			Command: "replay", Dataset: "coins", Parallel: 4, From: whole, To: whole,
		}},
		{"release of a month", "release coins 2025-01-01 2025-01-31", Options{
			Command: "release", Dataset: "coins", Parallel: 4, From: utc("2025-01-01T00:00:00Z"), To: utc("2025-01-31T23:59:59Z"),
		}},
		{"backfill", "backfill orders 2024-01-01 2024-02-01 -at=2025-03-01T00:00:00Z", Options{
			Command: "backfill", Dataset: "orders", Part: zone.Range{From: "2024-01-01", To: "2024-02-01"}, At: utc("2025-03-01T00:00:00Z"),
		}},
		{"rejects", "rejects coins -limit=3 20250304T144500Z", Options{Command: "rejects", Dataset: "coins", Run: "20250304T144500Z", Limit: 3, From: whole.AddDate(0, 0, -30)}},
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
		{"replay", "replay takes DATASET [from] [to], not []\nthe call is: go tool mage ops:replay DATASET [from] [to] [flags]; -help shows the flags"},
		{"replay coins 2025-03-01 2025-03-02 x", "replay takes DATASET [from] [to], not"},
		{"replay coins yesterday", `from "yesterday" is neither a run id nor a time such as 2025-03-04`},
		{"replay coins 2025-03-01 -from=2025-03-02", "provided but not defined: -from"},
		{"redrive coins orders", `redrive takes [DATASET], not ["coins" "orders"]`},
		{"backfill orders 1", "backfill takes DATASET FROM TO, not"},
		{"backfill orders -from=1 -to=2", "provided but not defined: -from\nthe call is: go tool mage ops:backfill DATASET FROM TO [flags]"},
		{"rejects coins noon", `"noon" is no run id such as 20250304T144500Z`},
		{"replay coins noon", `from "noon" is neither a run id nor a time`},
		{"replay coins 2025-03-02 2025-03-01", "the end 2025-03-01T23:59:59Z lies before the beginning 2025-03-02T00:00:00Z"},
		{"status -form=x", "provided but not defined: -form\nthe call is: go tool mage ops:status [DATASET] [from] [to] [flags]; -help shows the flags"},
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
		calltest.Flags(t, "ops:"+v.name, help.String())
		if !strings.Contains(Usage(), v.name) {
			t.Errorf("the usage lacks %s", v.name)
		}
	}
}

func TestReadOutputs(t *testing.T) {
	const whole = `{"region":"eu-central-1","rawBucket":"r","lakeBucket":"l","rejectsBucket":"j","datasets":{"coins":{
		"ingestFunction":"i","processFunction":"p","ingestFailures":"q1","processFailures":"q2","scheduleUndelivered":"q3"}}}`
	for _, test := range []struct{ name, text, want string }{
		{"whole", whole, ""},
		{"no JSON", "error: no stack", "read outputs of the stack: they are not what `pulumi stack output --json` prints: it is no JSON: invalid character"},
		{"not deployed", "{}", "read outputs of the stack: they lack region, rawBucket, lakeBucket, rejectsBucket, datasets: deploy the stack first, with pulumi up"},
		{"of another version", strings.Replace(whole, "processFailures", "failures", 1), "read outputs of the stack: they lack datasets.coins.processFailures: deploy"},
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
	for _, test := range []struct {
		dataset, found, absent, want string
	}{
		{dataset: "coins", found: "coins"},
		{dataset: "", found: "coins", absent: "orders"},
		{dataset: "orders", want: "find dataset orders: stack dev does not have it: deploy it first, with pulumi up"},
		{dataset: "cois", want: "there is no dataset cois; there is coins, orders"},
	} {
		found, absent, err := target.pipelines(test.dataset)
		if test.want != "" {
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: error %v", test.dataset, err)
			}
			continue
		}
		if err != nil || len(found) != 1 || found[0].contract.Dataset != test.found || strings.Join(absent, " ") != test.absent {
			t.Errorf("%s: %v, %v, %v", test.dataset, found, absent, err)
		}
	}
}

func TestTable(t *testing.T) {
	for _, test := range []struct {
		name   string
		screen int
		want   string
	}{
		{"endless", 0, "  run     rows  note\n  ────  ──────  ──────────────────────────────────\n  a          1  a note that is longer than it need\n  bcde  10,000\n"},
		{"wide", 44, "  run     rows  note\n  ────  ──────  ────────────────────────────\n  a          1  a note that is longer than\n                it need\n  bcde  10,000\n"},
		{"narrow", 36, "  run     rows  note\n  ────  ──────  ────────────────────\n  a          1\n      a note that is longer than it\n      need\n  bcde  10,000\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			table := table{screen: test.screen, heads: []string{"run", ">rows", "empty", "note"}}
			table.add("a", "1", "", "a note that is longer than it need")
			table.add("bcde", "10,000", "", "")
			table.write(&out)
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Errorf("table (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSpan(t *testing.T) {
	for _, test := range []struct{ d, want string }{
		{"0s", "0 s"},
		{"59.6s", "1 min"},
		{"61s", "1 min 1 s"},
		{"3h", "3 h"},
		{"3h5m59s", "3 h 5 min"},
		{"59h16m10s", "2 d 11 h"},
	} {
		d, err := time.ParseDuration(test.d)
		if err != nil || span(d) != test.want {
			t.Errorf("%s: %s, want %s (%v)", test.d, span(d), test.want, err)
		}
	}
}

func TestCalls(t *testing.T) {
	for _, test := range []struct {
		o    Options
		want string
	}{
		{Options{}, "go tool mage ops:status coins"},
		{Options{Stack: "dev"}, "go tool mage ops:status coins -stack=dev"},
		{Options{Outputs: "o.json", Dir: "d"}, "go tool mage ops:status coins -outputs=o.json -dir=d"},
	} {
		if got := test.o.call("status coins"); got != test.want {
			t.Errorf("call %q, want %q", got, test.want)
		}
	}
}

// Who may not do what a command does is told what to attach.
func TestDenied(t *testing.T) {
	target := Target{Name: "stack dev", Outputs: Outputs{OperatorPolicy: "arn:policy"}}
	denied := fmt.Errorf("read status: %w", &smithy.GenericAPIError{Code: "AccessDenied"})
	for _, test := range []struct {
		name   string
		err    error
		target Target
		told   bool
	}{
		{"denied", denied, target, true},
		{"denied without a body", &smithy.GenericAPIError{Code: "Forbidden"}, target, true},
		{"denied by a stack without the policy", denied, Target{}, false},
		{"another answer", &smithy.GenericAPIError{Code: "NoSuchBucket"}, target, false},
		{"no answer", errors.New("no such host"), target, false},
	} {
		got := test.target.explain(Options{Command: "status"}, test.err)
		if !errors.Is(got, test.err) || strings.HasSuffix(got.Error(), "\nWhoever operates stack dev needs its policy arn:policy") != test.told {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	if got := target.explain(Options{Command: "smoke"}, denied); !errors.Is(got, denied) || !strings.Contains(got.Error(), "it is for whoever deploys") {
		t.Errorf("a smoke test that is denied: %v", got)
	}
}

func TestReplayCells(t *testing.T) {
	run, before := zone.NewRun("coins", now), ledger.Run{Audit: &zone.AuditRow{Outcome: zone.OutcomeLoaded, Rejected: 20}}
	for _, test := range []struct {
		name string
		step ops.ReplayStep
		want string
	}{
		{"mended", ops.ReplayStep{Before: before, Result: process.Result{Status: process.StatusProcessed, Outcome: zone.OutcomeLoaded, Records: 1560, Clean: 1558, Rejected: 2}}, "loaded|1,560|1,558|2|20|"},
		{"skipped", ops.ReplayStep{Result: process.Result{Status: process.StatusSkipped, Outcome: zone.OutcomeLoaded}}, "loaded|0|0|0||skipped: this contract and engine have done it"},
		{"held again", ops.ReplayStep{Result: process.Result{Status: process.StatusSkipped, Outcome: zone.OutcomeHeld, Reason: "too dirty"}}, "held|0|0|0||too dirty; as before: this contract and engine have judged it already"},
		{"kept", ops.ReplayStep{Result: process.Result{Status: process.StatusProcessed, Outcome: zone.OutcomeHeld, Reason: "too dirty", Kept: true}}, "held|0|0|0||too dirty; what was loaded before stays"},
		{"superseded", ops.ReplayStep{Result: process.Result{Status: process.StatusSuperseded, Outcome: zone.OutcomeHeld}}, "held|0|0|0||left: a newer contract has processed it"},
		{"joined", ops.ReplayStep{Result: process.Result{Status: process.StatusJoined}}, "|0|0|0||another invocation is finishing it"},
		{"failed", ops.ReplayStep{Before: before, Err: errors.New("throttled")}, "FAILED||||20|throttled"},
	} {
		test.step.Run = run
		if got := strings.Join(replayCells(test.step), "|"); got != run.ID()+"|"+test.want {
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
			"  page 1, record 7\n  ✗  maxLength  ••• (the column is classified)\n  ✗  type       /age is no integer: \"x\"\n     id    1\n     name  •••\n     age   \"x\"\n",
		},
		{"all members", true, zone.RejectRow{Encoding: "utf-8", Record: `{"id":1,"name":"s3cret","age":"two  words"}`}, "  page 0, record 0\n     id    1\n     name  •••\n     age   \"two  words\"\n"},
		{"no object", true, zone.RejectRow{Encoding: "utf-8", Record: `["s3cret"]`}, "  page 0, record 0\n      ••• (no JSON object, and the contract has classified columns)\n"},
		{"no UTF-8", true, zone.RejectRow{Encoding: "base64", Record: `czNjcmV0`}, "  page 0, record 0\n      ••• (no JSON object, and the contract has classified columns)\n"},
		{"too long", true, zone.RejectRow{Encoding: "utf-8", Record: `{"name":"s3cret`, Truncated: true, Bytes: 2048}, "  page 0, record 0\n      2.0 KiB; the first of them are in the rejects store\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			rejectView{Console: Console{Out: &out, Style: screen.Style{Width: 100}}, mask: mask.Of(c), keys: keyMembers(c), full: test.full}.row(test.row)
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Errorf("screen (-want +got):\n%s", diff)
			}
		})
	}
}

// A reason names the line to mend, of the contract that rejected the record.
func TestRejectsNameTheLine(t *testing.T) {
	c, err := contract.Load("../../../shared/datasets/coin_markets.odcs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	row := zone.RejectRow{Page: 1, Record: `{"id":"a","symbol":null}`, Violations: []zone.ViolationRow{
		{Pointer: "/symbol", Rule: "required", Message: "/symbol is required", Value: "null"}, {Rule: "json", Message: "the line is no JSON"},
	}}
	var out bytes.Buffer
	rejectView{Console: Console{Out: &out, Style: screen.Style{Width: 100}}, mask: mask.Of(c), keys: keyMembers(c), declared: c}.row(row)
	line := c.Declared("required", []string{"symbol"}).Number
	for _, want := range []string{fmt.Sprintf("/symbol is required: null (coin_markets.odcs.yaml:%d)\n", line), "the line is no JSON\n"} {
		if line < 1 || !strings.Contains(out.String(), want) {
			t.Errorf("line %d; the screen does not say %q:\n%s", line, want, &out)
		}
	}
}

// What an alert tells people to type is a call.
func TestAlertsNameCalls(t *testing.T) {
	files, err := filepath.Glob("../../../shared/process/testdata/alert*.golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			words, found := strings.CutPrefix(strings.TrimSpace(line), "go tool mage ops:")
			if !found {
				continue
			}
			named++
			if o, err := Parse(strings.Fields(words), time.Now(), io.Discard); err != nil || o.Stack == "" {
				t.Errorf("%s says go tool mage ops:%s: stack %q, %v", filepath.Base(file), words, o.Stack, err)
			}
		}
	}
	if named < 4 {
		t.Errorf("the alerts name %d calls, want more", named)
	}
}

func TestBackfillText(t *testing.T) {
	for _, test := range []struct {
		name     string
		response ingest.Response
		want     string
	}{
		{"brought", ingest.Response{Stored: true, Ended: zone.EndedComplete, Records: 1200, Pages: 5}, "1,200 records on 5 pages; the process function has its event"},
		{"stands already", ingest.Response{Ended: zone.EndedComplete, Records: 1, Pages: 1}, "1 record on 1 page before; the run stands already, and nothing was fetched"},
		{"too large", ingest.Response{Stored: true, Ended: zone.EndedTooLarge, Reason: "the run has more than 3 pages", Pages: 3}, "too much, so that nothing of it is loaded: the run has more than 3 pages"},
	} {
		if diff := cmp.Diff(test.want, backfillText(test.response)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
