package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local"
	"tributary/infra/local/screen"
	"tributary/shared/contract"
)

func TestParseDev(t *testing.T) {
	got, err := parseDev([]string{"-stack=prod", "coins", "-from=f.json", "-fresh", "-attached"}, &bytes.Buffer{})
	want := options{stack: "prod", dataset: "coins", from: "f.json", fresh: true, attached: true, colours: screen.Auto}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(options{})); err != nil || diff != "" {
		t.Errorf("%v, options (-want +got):\n%s", err, diff)
	}
}

func TestChangingActions(t *testing.T) {
	for action, want := range map[string]bool{
		"s3:PutObject": true, "s3:DeleteObject": true, "s3:AbortMultipartUpload": true, "s3:GetObject": false, "s3:ListBucket": false,
		"dynamodb:PutItem": true, "dynamodb:UpdateItem": true, "dynamodb:BatchWriteItem": true, "dynamodb:BatchGetItem": false, "dynamodb:Scan": false,
		"dynamodb:Query": false, "dynamodb:DescribeTable": false, "sqs:SendMessage": true, "sqs:DeleteMessage": true, "sns:Publish": true,
		"lambda:InvokeFunction": true, "secretsmanager:PutSecretValue": true, "secretsmanager:GetSecretValue": false,
		"kms:GenerateDataKey": false, "kms:Decrypt": false, "logs:PutLogEvents": false, "xray:PutTraceSegments": false, "sts:AssumeRole": false,
	} {
		if got := changing(action); got != want {
			t.Errorf("%s: %t", action, got)
		}
	}
}

// A command that asks for something reads the answer itself: no line is taken that nobody wants.
func TestLinesAreReadWhenWanted(t *testing.T) {
	in := strings.NewReader("one\ntwo\n")
	r := readLines(in)
	r.want()
	r.want() // asks for no second one
	if got := <-r.lines; got != "one" {
		t.Errorf("got %q", got)
	}
	select {
	case line := <-r.lines:
		t.Errorf("%q was read, and nobody wanted it", line)
	default:
	}
	r.got()
	r.want()
	if got := <-r.lines; got != "two" {
		t.Errorf("got %q", got)
	}
	r.got()
	r.want()
	if line, more := <-r.lines; more {
		t.Errorf("%q follows the end", line)
	}
}

func keeperOf(out *bytes.Buffer) *keeper {
	return &keeper{
		session: &session{
			stack: "dev", contracts: []*contract.Contract{{Dataset: "coins"}, {Dataset: "orders"}}, watch: &watch{},
			progress: screen.NewProgress(out, screen.Style{Width: 100}, func() time.Time { return now }),
			outputs: outputs{Datasets: map[string]datasetOutputs{
				"coins": {IngestFunction: "in-coins", ProcessFunction: "out-coins"}, "orders": {IngestFunction: "in-orders", ProcessFunction: "out-orders"},
			}},
		},
		out: out, now: func() time.Time { return now },
	}
}

func TestCommandsThatEndAndThatFail(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"q", ""}, {"quit", ""}, {"exit", ""},
		{"x", "there is no command x; help lists them"},
		{"fire yesterday", "yesterday is neither a dataset (coins, orders) nor a time such as 2025-03-04T14:45:00Z"},
		{"logs other", "there is no function other; there is ingest or process, or in full in-coins, in-orders, out-coins, out-orders"},
		{"ops status -stack=prod", "-stack, -outputs and -dir name another environment than this one"},
		{"ops", "no command"},
	} {
		var out bytes.Buffer
		ended, err := keeperOf(&out).do(t.Context(), strings.Fields(test.line))
		if ended != (test.want == "") || err != nil != (test.want != "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %t, %v; want %q", test.line, ended, err, test.want)
		}
	}
}

func TestHelpNamesEveryCommand(t *testing.T) {
	var out bytes.Buffer
	if ended, err := keeperOf(&out).do(t.Context(), []string{"?"}); ended || err != nil {
		t.Errorf("%t, %v", ended, err)
	}
	taken := map[string]bool{}
	for _, c := range devCommands() {
		if !strings.Contains(out.String(), "  "+c.names[0]) {
			t.Errorf("help does not name %s:\n%s", c.names[0], &out)
		}
		for _, name := range c.names {
			if taken[name] {
				t.Errorf("%s names two commands", name)
			}
			taken[name] = true
		}
	}
}

func TestServingEnds(t *testing.T) {
	ticks := make(chan time.Time, 1)
	ticks <- now
	never := func() bool { return false }
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		name  string
		ctx   context.Context
		input string
		asks  bool
		ticks <-chan time.Time
		alone func() bool
		want  string
	}{
		{"told to", t.Context(), "nonsense\nquit\n", false, nil, never, "✗ there is no command nonsense; help lists them\n"},
		{"at a terminal, with Ctrl-D", t.Context(), "", true, nil, never, devPrompt + "\n"},
		{"interrupted", done, "", false, nil, never, "\n"},
		{"with who started it", t.Context(), "", false, ticks, func() bool { return true }, "who started this has ended\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			k := keeperOf(&out)
			k.asks = test.asks
			if err := k.serveCommands(test.ctx, readLines(strings.NewReader(test.input)), test.ticks, test.alone); err != nil || out.String() != test.want {
				t.Errorf("%v, %q; want %q", err, &out, test.want)
			}
		})
	}
}

// What functions do that nobody here asked for is told once.
func TestEndedIsToldOnce(t *testing.T) {
	var out bytes.Buffer
	k := keeperOf(&out)
	k.forget(0)
	for _, e := range []local.Event{
		{Kind: local.InvocationStarted, Function: "in-coins"},
		{Kind: local.InvocationEnded, Function: "in-coins", Duration: 42 * time.Millisecond},
		{Kind: local.InvocationFailed, Function: "out-coins", Attempt: 1, Error: `{"errorMessage":"boom"}`},
	} {
		k.watch.event(e)
	}
	if !k.tellEnded() || k.tellEnded() {
		t.Error("it is told not once")
	}
	if diff := cmp.Diff("  in-coins answered in 42 ms\n✗ out-coins failed: boom\n", out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if stages := k.progress.Stages(); len(stages) > 0 {
		t.Errorf("stages of nobody's run: %v", stages)
	}
}
