package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/call/calltest"
	"tributary/infra/local"
	"tributary/infra/local/fault"
	"tributary/infra/local/files"
	"tributary/infra/local/screen"
	"tributary/shared/contract"
	"tributary/shared/zone"
)

var now = time.Date(2025, 3, 4, 14, 45, 31, 5, time.UTC)

func TestParseRun(t *testing.T) {
	second := time.Date(2025, 3, 4, 14, 45, 31, 0, time.UTC)
	for _, tc := range []struct {
		name string
		args []string
		want options
	}{
		{"defaults", nil, options{stack: "dev", colours: screen.Auto, at: second}},
		{"all", []string{"-stack=prod", "coins", "-from=f.json", "-at=2024-01-02T03:04:05+01:00", "-fresh", "-color=never"}, options{
			stack: "prod", dataset: "coins", from: "f.json", at: time.Date(2024, 1, 2, 2, 4, 5, 0, time.UTC), named: true, fresh: true, colours: screen.Never,
		}},
		{"flags in two words", []string{"-fresh=false", "-stack", "dev"}, options{stack: "dev", colours: screen.Auto, at: second}},
		{"faults", []string{"-faults=kill,5xx", "-seed=7"}, options{
			stack: "dev", colours: screen.Auto, at: second, faults: []fault.Kind{fault.Kill, fault.Server}, seed: 7,
		}},
		{"faults at random", []string{"-faults=lost"}, options{stack: "dev", colours: screen.Auto, at: second, faults: []fault.Kind{fault.Lost}, seed: 531000}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parseRun(tc.args, now, &bytes.Buffer{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(options{})); diff != "" {
				t.Errorf("options (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWrongCalls(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"no command", nil, "no command"},
		{"unknown command", []string{"walk"}, `there is no command "walk"`},
		{"run of two datasets", []string{"run", "coins", "orders"}, `"orders" is too much; run -help shows the call`},
		{"run before the tables begin", []string{"run", "-at=2023-12-31T23:59:59Z"}, "-at=2023-12-31T23:59:59Z lies before 2024-01-01, the first day that the tables look at (firstDay in Pulumi.dev.yaml): no query would find the run"},
		{"run in the year 1", []string{"run", "-at=0001-01-01T00:00:00Z"}, "-at=0001-01-01T00:00:00Z lies before 2024-01-01"},
		{"run in a far future", []string{"run", "-at=9999-01-01T00:00:00Z"}, "-at=9999-01-01T00:00:00Z lies after tomorrow, the last day that the tables look at: no query would find the run"},
		{"run at no time", []string{"run", "-at=noon"}, "-at=noon is no time such as 2025-03-04T14:45:00Z"},
		{"unknown fault", []string{"run", "-faults=flood"}, `-faults: there is no fault "flood"; there are all, throttle, 5xx, lost, slow, duplicate, reorder, kill`},
		{"unknown flag", []string{"run", "-form=x"}, "provided but not defined: -form; run -help shows the flags"},
		{"unknown stack", []string{"run", "-stack=stage"}, "there is no stack stage: it would have its settings in Pulumi.stage.yaml"},
		{"colour", []string{"run", "-color=red"}, `read colour "red": want auto, always or never`},
		{"dev with a time", []string{"dev", "-at=2025-03-04T14:45:00Z"}, "provided but not defined: -at; dev -help shows the flags"},
		{"dev with a command", []string{"dev", "coins", "fire"}, `"fire" is too much; dev -help shows the call`},
		{"invoke without event", []string{"invoke", "process"}, "invoke takes a function and an event"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, err := os.Create(filepath.Join(t.TempDir(), "out"))
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			var stderr bytes.Buffer
			status := Main(t.Context(), tc.args, out, &stderr, func(string) string { return "" })
			if status != exitUsage || !strings.Contains(stderr.String(), tc.want) {
				t.Errorf("status %d, %q; want %d and %q", status, stderr.String(), exitUsage, tc.want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"run", "-help"}, {"dev", "-help"}, {"invoke", "-h"}, {"help"}} {
		out, err := os.Create(filepath.Join(t.TempDir(), "out"))
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		if status := Main(t.Context(), args, out, &bytes.Buffer{}, os.Getenv); status != 0 {
			t.Errorf("%v: status %d", args, status)
		}
		text, err := os.ReadFile(out.Name())
		if err != nil || !strings.Contains(string(text), "usage:") {
			t.Errorf("%v prints %q, %v", args, text, err)
		}
		if len(args) == 2 {
			calltest.Flags(t, args[0], string(text))
		}
	}
	var help bytes.Buffer
	if _, err := parseRun([]string{"-help"}, now, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "-fresh") {
		t.Errorf("run -help: %v, %s", err, help.String())
	}
}

func TestInterruptIsSaid(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stderr bytes.Buffer
	status := conclude(ctx, errors.Join(errors.New("build functions"), ctx.Err()), &stderr)
	if status != exitFailed || stderr.String() != "interrupted\n" {
		t.Errorf("status %d, %q", status, stderr.String())
	}
}

func TestWhatIsNotOnTheScreenIsTold(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"shown", errShown, ""},
		{"shown, and more", errors.Join(errShown, errors.New("close folder: gone")), "failed: not all went well\nclose folder: gone\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var stderr bytes.Buffer
			if status := conclude(t.Context(), tc.err, &stderr); status != exitFailed || stderr.String() != tc.want {
				t.Errorf("status %d, %q; want %q", status, stderr.String(), tc.want)
			}
		})
	}
}

func TestChoose(t *testing.T) {
	coins, orders := &contract.Contract{Dataset: "coins"}, &contract.Contract{Dataset: "orders"}
	both := []*contract.Contract{coins, orders}
	for _, tc := range []struct {
		name          string
		contracts     []*contract.Contract
		dataset, from string
		want          []*contract.Contract
		wrong         string
	}{
		{name: "all", contracts: both, want: both},
		{name: "named", contracts: both, dataset: "orders", from: "f.json", want: both[1:]},
		{name: "the only one", contracts: both[:1], from: "f.json", want: both[:1]},
		{name: "unknown", contracts: both, dataset: "order", wrong: "there is no dataset order; there is coins, orders"},
		{name: "file for all", contracts: both, from: "f.json", wrong: "-from needs a dataset, one of coins, orders: go tool mage run DATASET -from=…"},
		{name: "none", wrong: "shared/datasets holds no contract"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := choose(tc.contracts, tc.dataset, tc.from)
			if tc.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wrong) {
					t.Errorf("error %v, want %q", err, tc.wrong)
				}
				return
			}
			if err != nil || len(got) != len(tc.want) || got[0] != tc.want[0] {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestReadEvent(t *testing.T) {
	run := zone.NewRun("coin_markets", time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC))
	for _, tc := range []struct {
		name, file string
		about      bool
	}{
		{"schedule", "../../../functions/ingest/event.json", true},
		{"S3", "../../../functions/process/event.json", true},
		{"another shape", "testdata/other.json", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			payload, got, err := readEvent(tc.file, nil)
			if err != nil || len(payload) == 0 {
				t.Fatalf("%d bytes, %v", len(payload), err)
			}
			if (got != nil) != tc.about || got != nil && *got != run {
				t.Errorf("run %v; want %v, %v", got, run, tc.about)
			}
		})
	}
	if _, _, err := readEvent("-", strings.NewReader("{")); err == nil || !strings.Contains(err.Error(), "it is no JSON") {
		t.Errorf("broken event: %v", err)
	}
	if _, _, err := readEvent("testdata/none.json", nil); err == nil {
		t.Error("an absent file is an event")
	}
}

func TestRunsThatStand(t *testing.T) {
	coins, orders := &contract.Contract{Dataset: "coins"}, &contract.Contract{Dataset: "orders"}
	s := &session{contracts: []*contract.Contract{coins, orders}, former: files.State{Objects: []files.Object{
		{Bucket: "raw", Key: zone.NewRun("orders", now).ManifestKey()},
		{Bucket: "raw", Key: zone.NewRun("coins", now.Add(time.Hour)).RawPageKey(1)},
	}}}
	if !s.stands(orders, now) || s.stands(coins, now) || s.stands(coins, now.Add(time.Hour)) {
		t.Error("a run stands exactly where its manifest lies")
	}
	if !s.taken(now) || s.taken(now.Add(time.Hour)) {
		t.Error("a time is taken exactly where a run of a dataset stands")
	}
}

func TestSources(t *testing.T) {
	c, err := contract.Load("../../../shared/datasets/coin_markets.odcs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	live, err := startSource(t.Context(), c, "dev", "https://api.example.com/coins", "")
	if err != nil || live.url != "https://api.example.com/coins" || live.requests() != "" {
		t.Errorf("live source %+v, %v", live, err)
	}
	if err := live.stop(); err != nil {
		t.Error(err)
	}
	if _, err := startSource(t.Context(), c, "dev", "testdata/none.json", ""); err == nil {
		t.Error("an absent file is served")
	}
	sampled, err := startSource(t.Context(), c, "dev", "", "testdata/other.json")
	if err != nil || !strings.Contains(sampled.about, "the sample that the contract was made of") {
		t.Errorf("source of a dataset with a sample: %+v, %v", sampled, err)
	}
	if err := sampled.stop(); err != nil {
		t.Error(err)
	}
	built, err := startSource(t.Context(), c, "dev", builtIn, "testdata/other.json")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(built.url, "http://127.0.0.1:") || !strings.HasSuffix(built.url, "/api/v3/coins/markets") {
		t.Errorf("built-in source at %s", built.url)
	}
	if err := built.stop(); err != nil {
		t.Error(err)
	}
}

func TestWatch(t *testing.T) {
	var out bytes.Buffer
	p := screen.NewProgress(&out, screen.Style{Width: 100}, func() time.Time { return now })
	w := &watch{}
	o := outputs{RawBucket: "raw", LakeBucket: "lake", RejectsBucket: "rejects"}
	w.reset(p, o, datasetOutputs{IngestFunction: "in", ProcessFunction: "out", ServingTable: "table"}, func() string { return "3 requests" })
	p.Start("ingest", "asking")
	for _, e := range []local.Event{
		{Kind: local.InvocationStarted, Function: "in"},
		{Kind: local.ObjectWritten, Bucket: "raw", Key: "raw/x/page-00001.json.gz"},
		{Kind: local.ObjectWritten, Bucket: "raw", Key: "raw/x/manifest.json"},
		{Kind: local.InvocationStarted, Function: "out"},
		{Kind: local.ObjectWritten, Bucket: "lake", Key: "x/dt=1/a.parquet"},
		{Kind: local.ObjectWritten, Bucket: "rejects", Key: "x_rejects/dt=1/a.ndjson"},
		{Kind: local.ItemWritten}, {Kind: local.ItemWritten},
		{Kind: local.ObjectWritten, Bucket: "lake", Key: "pipeline_audit/dt=1/x.json"},
		{Kind: local.MessagePublished},
	} {
		w.event(e)
	}
	p.Done()
	var got []string
	for _, s := range p.Stages() {
		got = append(got, s.Name+": "+s.Detail)
	}
	if diff := cmp.Diff([]string{"ingest: 1 page in 3 requests", "process: 2 files, 2 items, 1 alert"}, got); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
	if faults := w.faults(); len(faults) > 0 {
		t.Errorf("faults of a good run: %q", faults)
	}

	for _, e := range []local.Event{
		{Kind: local.InvocationFailed, Function: "out", Attempt: 1, Error: `{"errorMessage":"boom","errorType":"wrapError"}`},
		{Kind: local.InvocationFailed, Function: "out", Attempt: 2, Error: "boom"},
		{Kind: local.InvocationExhausted, Function: "out", Attempt: 3},
		{Kind: local.RecordUndelivered, Function: "out", Error: "denied"},
		{Kind: local.InvocationThrottled, Function: "out", Error: "slow"},
		{Kind: local.EventRefused, Function: "out", Key: "k", Error: "no permission"},
		{Kind: local.AccessDenied, Role: "role", Action: "s3:PutObject", Resource: "arn", Error: "no policy allows it"},
	} {
		w.event(e)
	}
	want := []string{
		"2 times: out failed: boom",
		"out was given up after 3 attempts; its event is in the failure queue",
		"the event of out was lost: the failure queue refused it: denied",
		"out was throttled: slow",
		"the event of k did not reach out: no permission",
		"AccessDenied: role may not perform s3:PutObject on arn: no policy allows it",
	}
	if diff := cmp.Diff(want, w.faults()); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestCauseFirst(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"one clause", "boom", "boom"},
		{
			"network fault",
			`ingest run 20250304T144500Z of coins: fetch coins: GET http://127.0.0.1:1/x: attempt 4: unavailable: Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused`,
			`connect: connection refused (ingest run 20250304T144500Z of coins: fetch coins: GET http://127.0.0.1:1/x: attempt 4: unavailable: Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1)`,
		},
		{
			"status with a body",
			`ingest run 1 of coins: fetch coins: unavailable: status 503 Service Unavailable: "{\"error\": \"try: later\"}"`,
			`status 503 Service Unavailable: "{\"error\": \"try: later\"}" (ingest run 1 of coins: fetch coins: unavailable)`,
		},
		{"two words", "put page 1: access denied", "access denied (put page 1)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, causeFirst(tc.text)); diff != "" {
				t.Errorf("cause (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNext(t *testing.T) {
	folder, err := files.Open(filepath.Join(t.TempDir(), ".local"))
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	s := &session{root: "root", folder: folder, contracts: []*contract.Contract{{Dataset: "coins", File: "coins.odcs.yaml"}}}
	at := time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC)
	logs, edit := "cat "+filepath.Join(relative(folder.Path("logs")), "*.log"), "$EDITOR root/shared/datasets/coins.odcs.yaml"
	const invoke = "go tool mage invoke process functions/process/event.json"
	for _, tc := range []struct {
		name   string
		o      options
		faults []string
		want   []string
	}{
		{"built-in", options{stack: "dev", at: at}, nil, []string{
			`go tool mage query "SELECT * FROM coins_latest LIMIT 5"`,
			"go tool mage run -at=2025-03-04T14:45:00Z", "go tool mage run -from=FILE", invoke, edit,
		}},
		{"from a file, for another stack", options{stack: "prod", dataset: "coins", from: "a file.json", at: at}, nil, []string{
			`go tool mage query -stack=prod "SELECT * FROM coins_latest LIMIT 5"`,
			"go tool mage run coins -at=2025-03-04T14:45:00Z -from='a file.json' -stack=prod",
			"go tool mage run coins -from=FILE -stack=prod", "go tool mage run coins -fresh -stack=prod", invoke + " -stack=prod", edit,
		}},
		{"from a file that failed", options{stack: "dev", from: "f.json", at: at}, []string{"held"}, []string{
			"go tool mage run -fresh -at=2025-03-04T14:45:00Z -from=f.json", logs, "go tool mage run -fresh", invoke, edit,
		}},
		{"built-in that failed", options{stack: "dev", at: at}, []string{"held"}, []string{logs, "go tool mage run -fresh", invoke, edit}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, h := range s.next(tc.o, screen.Outcome{Faults: tc.faults}) {
				got = append(got, h.Command)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFunctionByName(t *testing.T) {
	o := outputs{Datasets: map[string]datasetOutputs{
		"coins":  {IngestFunction: "t-dev-coins-ingest", ProcessFunction: "t-dev-coins-process"},
		"orders": {IngestFunction: "t-dev-orders-ingest", ProcessFunction: "t-dev-orders-process"},
	}}
	for _, tc := range []struct{ name, want string }{
		{"ingest", "t-dev-orders-ingest"}, {"process", "t-dev-orders-process"}, {"t-dev-coins-process", "t-dev-coins-process"},
	} {
		if got, err := o.function("orders", tc.name); err != nil || got != tc.want {
			t.Errorf("%s is %q, %v; want %q", tc.name, got, err, tc.want)
		}
	}
	_, err := o.function("orders", "foo")
	const want = "wrong call: there is no function foo; there is ingest or process, or in full t-dev-coins-ingest, t-dev-coins-process, t-dev-orders-ingest, t-dev-orders-process"
	if !errors.Is(err, errUsage) || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
