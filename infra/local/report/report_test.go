package report

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"tributary/infra/local/collect"
	"tributary/infra/local/cost"
	"tributary/infra/local/screen"
)

var keep = flag.String("keep", "", "write the page of the test to this file, to be looked at")

const evil = `"><script>alert(1)</script>' onload=x`

func trial() Page {
	at := time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC)
	d := screen.Dataset{
		Name: "coin_markets", Run: "20250304T144500Z", At: at, Source: "built-in API", Requests: "6 requests, 1 answered with 429",
		Verdict: "loaded", Pages: 4, Records: 560, Clean: 540, Rejected: 20, Threshold: 5,
		Rejects:  []screen.Rule{{Records: 4, Name: "minimum", Pointer: "/current_price", Example: evil}, {Records: 2, Name: "high-above-low"}},
		Warnings: []screen.Rule{{Records: 3, Name: "cut", Pointer: "/last_updated"}},
		Unknown:  []screen.Rule{{Records: 560, Name: "unknown", Pointer: "/" + evil}},
		Files: []screen.File{
			{Zone: "raw", Path: ".local/raw/coin_markets/page-00001.json.gz", Rows: 250, Bytes: 48_900},
			{Zone: "lake", Path: ".local/lake/coin_markets/00001.parquet", Rows: 540, Bytes: 112_000},
			{Zone: "rejects", Path: ".local/rejects/00001.ndjson", Rows: 20, Bytes: 29_000},
		},
		Table: "tributary-dev-coin_markets", Items: 540, Held: 541, Item: []screen.Member{{Name: "id", Value: `"bitcoin"`}},
		Alerts: []screen.Alert{{Subject: "20 of 560 rejected", Text: "WARNING\n" + evil}},
		Sample: &screen.Table{Columns: []screen.Column{{Name: "id"}, {Name: "current_price", Right: true}}, Rows: [][]string{{evil, "6.5"}}, Of: 540},
	}
	var steps []collect.Bar
	for i := range 24 {
		steps = append(steps, collect.Bar{Label: fmt.Sprintf("%d to %d", i, i+1), Count: int64(1 + 40*math.Exp(-math.Pow(float64(i)-9, 2)/20))})
	}
	row := func(page int64) screen.Row {
		return screen.Row{Page: page, Place: "106", Members: []screen.Member{{Name: "id", Value: `"onyx"`}, {Name: "current_price", Value: "-0.01", Faulty: true}},
			Reasons: []screen.Reason{{Pointer: "/current_price", Rule: "minimum", Message: "/current_price is below the minimum 0", Value: "-0.01",
				Declared: screen.Line{Place: "coin_markets.odcs.yaml:27", Text: "- {name: current_price, " + evil + "}"}}}}
	}
	d.Rows = []screen.Row{row(1), row(2), row(3), row(4), {Page: 5, Text: evil}}
	return Page{
		Began: at, MonthlyRuns: 730,
		Outcome: screen.Outcome{
			Stack: "dev", Datasets: []screen.Dataset{d}, Total: 2_500 * time.Millisecond,
			Stages: []screen.Stage{{Name: "stack", Detail: "119 resources", Took: 38 * time.Millisecond}, {Name: "ingest", Detail: "4 pages", Took: 2100 * time.Millisecond}},
			Alarms: []screen.Alarm{{Name: "tributary-dev-alarm-coin_markets-held", State: "OK", Why: "0 in the last 5 min"},
				{Name: "tributary-dev-alarm-coin_markets-stale", State: "ALARM", Why: "no data", Meaning: "no run was loaded"}},
			Next: []screen.Hint{{Command: "go tool mage run", Does: "run again"}},
		},
		Details: []Detail{{
			Columns: []collect.Column{
				{Name: "id", Type: "string", Slots: 540, Low: "amber", High: evil, Distinct: 540},
				{Name: "current_price", Type: "double", Slots: 540, Nulls: 13, Low: "0.0001", High: "6195590", Bars: steps, Scale: "equal factors"},
				{Name: "email", Type: "string", Slots: 540, Masked: true},
			},
			Looked: 540,
			Former: &Former{Run: "20250304T134500Z", Verdict: "loaded", Records: 560, Clean: 541, Rejected: 19, Items: 541, LakeBytes: 112_000,
				Rejects: []screen.Rule{{Records: 3, Name: "minimum", Pointer: "/current_price"}, {Records: 2, Name: "high-above-low"}}},
		}},
		Permissions: []Permission{
			{Role: "process coin_markets", Action: "s3:PutObject", Resource: "arn:aws:s3:::lake/*", Times: 2, Allowed: true},
			{Role: "process coin_markets", Action: "s3:DeleteObject", Resource: "arn:aws:s3:::raw/*", Times: 1, Why: evil},
		},
		Unneeded: []Grant{{Role: "process coin_markets", Action: "s3:AbortMultipartUpload", Resource: "arn:aws:s3:::lake/*", Sid: "Lake"}},
		Bill:     cost.Of(cost.Usage{Actions: map[string]int64{"s3:PutObject": 9, "dynamodb:PutItem": 540}, ItemBytes: 300}),
	}
}

func written(t *testing.T, p Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The page asks nothing of a network and runs nothing, whatever records, rules and messages hold.
func TestPageIsSelfContained(t *testing.T) {
	text := written(t, trial())
	if *keep != "" {
		if err := os.WriteFile(*keep, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		seen++
		switch n.Data {
		case "script", "img", "link", "iframe", "object", "embed", "base", "form":
			t.Errorf("the page has an element %s", n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "src", a.Key == "srcset":
				t.Errorf("element %s has %s=%q", n.Data, a.Key, a.Val)
			case a.Key == "href" && !strings.HasPrefix(a.Val, "https://aws.amazon.com/"):
				t.Errorf("the page links to %q", a.Val)
			case a.Key == "style" && strings.Contains(a.Val, "Zgotmpl"):
				t.Errorf("element %s has a style that was refused", n.Data)
			}
		}
	}
	if seen < 200 {
		t.Errorf("the page has %d elements", seen)
	}
	for _, refused := range []string{"@import", "url(", "<script"} {
		if strings.Contains(text, refused) {
			t.Errorf("the page holds %q", refused)
		}
	}
}

func TestPageTells(t *testing.T) {
	root, err := html.Parse(strings.NewReader(written(t, trial())))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
	}
	text := strings.Join(strings.Fields(b.String()), " ")
	for _, want := range []string{
		"560 records in", "540 clean", "20 rejected, 3.6 %", "4 pages", "540 clean rows", "541 in the table", "1 alert",
		"minimum", "/current_price is below the minimum 0", "the others", "classified: masked", "2.4 %", "540 different",
		"rejected for minimum /current_price 3 4 +1", "clean 541 540 −1", "denied: " + evil, "1 grants that this run did not need",
		"nothing failed 1 alarm raised", "no data no run was loaded", "$0.00038 for this run", "$0.28 for the 730 runs", "9 PutObject",
	} {
		if !strings.Contains(text, strings.Join(strings.Fields(want), " ")) {
			t.Errorf("the page does not tell %q\n%s", want, text)
		}
	}
}

func TestVerdicts(t *testing.T) {
	for verdict, want := range map[string]string{"held": "above the threshold", "": "not processed", "unreadable": "above the threshold"} {
		p := trial()
		d := &p.Outcome.Datasets[0]
		d.Verdict, d.Reason = verdict, "above the threshold"
		p.Outcome.Faults = []string{"it is " + verdict}
		if text := written(t, p); !strings.Contains(text, want) || !strings.Contains(text, "1 fault") {
			t.Errorf("%s: the page does not tell %q", verdict, want)
		}
	}
}

func TestDetailsBelongToDatasets(t *testing.T) {
	p := trial()
	p.Details = nil
	if err := Write(&bytes.Buffer{}, p); err == nil {
		t.Error("no error")
	}
}

func TestShare(t *testing.T) {
	for want, parts := range map[string][2]int64{"–": {0, 0}, "0 %": {0, 9}, "100 %": {9, 9}, "< 0.1 %": {1, 100_000}, "> 99.9 %": {99_999, 100_000}, "33.3 %": {1, 3}} {
		if got := share(parts[0], parts[1]); got != want {
			t.Errorf("%v: got %q, want %q", parts, got, want)
		}
	}
}

func TestFit(t *testing.T) {
	for text, want := range map[string]string{
		"4 pages": "4 pages", "6 requests, 1 answered with 429, 1 answered with 503": "6 requests, …",
		"a line without any part to end at": "a line without any part t…",
	} {
		if got := fit(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
