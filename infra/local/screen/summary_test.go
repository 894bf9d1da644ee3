package screen_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mattn/go-runewidth"

	"tributary/infra/local/screen"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; go test -update accepts it):\n%s", file, diff)
	}
}

func loaded() screen.Outcome {
	return screen.Outcome{
		Stack: "dev",
		Datasets: []screen.Dataset{{
			Name: "coin_markets", Run: "20250304T144500Z",
			Source:   "http://127.0.0.1:40123/api/v3/coins/markets (built in: made-up records, dirty on purpose)",
			Requests: "6 requests; one 429 and one 503 were tried again",
			Verdict:  "loaded", Pages: 3, Records: 560, Clean: 540, Rejected: 20, Threshold: 5,
			Rejects: []screen.Rule{
				{Records: 4, Name: "type", Pointer: "/current_price", Example: `"n/a" is no number`},
				{Records: 2, Name: "high-above-low", Pointer: "", Example: "high_24h >= low_24h is false"},
				{Records: 12, Name: "required", Pointer: "/a/member/name/that/is/long/enough/to/be/shortened/somewhere", Example: "missing"},
			},
			Unknown: []screen.Rule{{Records: 2, Pointer: "/preview_listing"}},
			Row: &screen.Row{
				Page: 2, Place: "17",
				Members: []screen.Member{
					{Name: "id", Value: `"amber-reef"`},
					{Name: "symbol", Value: "null", Faulty: true},
					{Name: "name", Value: `"海风币"`},
					{Name: "image", Value: `"https://images.example.com/coins/17/large/a-name-that-does-not-end-before-the-line-does-and-goes-on.png?1696501400"`},
					{Name: "current_price", Value: "-0.01", Faulty: true},
					{Name: "roi", Value: `{"times":0.2,"currency":"btc","percentage":20.1}`},
					{Name: "last_updated", Value: `"soon"`, Faulty: true},
				},
				Reasons: []screen.Reason{
					{Pointer: "/symbol", Rule: "required", Message: "null or missing"},
					{Pointer: "/current_price", Rule: "minimum", Message: "-0.01 is less than 0", Declared: screen.Line{
						Place: "shared/datasets/coin_markets.odcs.yaml:27",
						Text:  "- {name: current_price, logicalType: number, physicalType: double, required: true, logicalTypeOptions: {minimum: 0}}",
					}},
					{Pointer: "/last_updated", Rule: "type", Message: `"soon" is no RFC 3339 timestamp such as 2025-03-04T14:45:00Z, and no sentence can be too long to be wrapped`},
				},
			},
			Files: []screen.File{
				{Zone: "raw", Path: ".local/raw/coin_markets/dt=2025-03-04/run=20250304T144500Z/page-00001.json.gz", Bytes: 61234},
				{Zone: "lake", Path: ".local/lake/coin_markets/dt=2025-03-04/20250304T144500Z-00001.parquet", Rows: 540, Bytes: 98765},
				{Zone: "rejects", Path: ".local/rejects/coin_markets_rejects/dt=2025-03-04/20250304T144500Z-00001.ndjson", Rows: 20, Bytes: 31024},
			},
			Table: "tributary-dev-coin_markets", Items: 540, Held: 1080,
			Item: []screen.Member{{Name: "current_price", Value: "79847"}, {Name: "id", Value: `"amber-reef"`}},
			Alerts: []screen.Alert{{
				Subject: "coin_markets 20250304T144500Z: 20 records rejected",
				Text:    "20 of 560 records were rejected.\n\n  4  type at /current_price\n  2  high-above-low\n",
			}},
			Trial: &screen.Trial{
				Seed: 5, Faults: []screen.Mishap{{Name: "throttled", Times: 1055}, {Name: "function killed", Times: 2}}, Failed: 1,
				Same: []string{"lake (2 objects)", "items (540 items)"},
			},
			Sample: &screen.Table{
				Of: 540,
				Columns: []screen.Column{
					{Name: "id"}, {Name: "symbol"}, {Name: "name"}, {Name: "image"}, {Name: "current_price", Right: true},
					{Name: "market_cap", Right: true}, {Name: "last_updated"},
				},
				Rows: [][]string{
					{"amber-reef", "amre", "海风币", "https://images.example.com/coins/1/large/amber-reef.png?1696501400", "79847", "1592704518472", "2025-03-04 14:44:50.155"},
					{"jade-fjord", "jafj", "Otter 🦦", "https://images.example.com/coins/2/large/x.png?1696501400", "0.949312", "", "2025-03-04 14:44:51.200"},
				},
			},
		}},
		Alarms: []screen.Alarm{
			{Name: "tributary-dev-alarm-coin_markets-rejects", State: "ALARM", Why: "3.571 in the last 5 min, alarms from 2.5",
				Meaning: "A run was at least half as dirty as the 5 % of rejects above which runs of coin_markets are held back"},
			{Name: "tributary-dev-alarm-coin_markets-held", State: "OK", Why: "0 in the last 5 min, alarms from 1"},
		},
		Stages: []screen.Stage{
			{Name: "functions", Took: 412 * time.Millisecond}, {Name: "AWS", Took: 12 * time.Millisecond},
			{Name: "stack", Took: 181 * time.Millisecond}, {Name: "schedule", Took: 2 * time.Millisecond},
			{Name: "ingest", Took: 1310 * time.Millisecond}, {Name: "process", Took: 96 * time.Millisecond},
			{Name: "results", Took: 61 * time.Second},
		},
		Total: 63 * time.Second,
		Places: []screen.Place{
			{Path: ".local/lake/", Holds: "Parquet files by dt=, and the audit rows"},
			{Path: ".local/rejects/", Holds: "rejected records with every reason"},
		},
		Next: []screen.Hint{
			{Command: "go tool mage run --from FILE", Does: "put your own recorded response through"},
			{Command: "$EDITOR shared/datasets/coin_markets.odcs.yaml", Does: "change a rule and run again"},
		},
	}
}

func failed() screen.Outcome {
	return screen.Outcome{
		Stack: "dev",
		Datasets: []screen.Dataset{
			{
				Name: "coin_markets", Run: "20250304T144500Z", Source: "recorded.json", Verdict: "held",
				Reason: "12 of 30 records were rejected (40 %), more than the 5 % that the contract allows",
				Pages:  1, Records: 30, Clean: 18, Rejected: 12, Threshold: 5,
				Table: "tributary-dev-coin_markets", Expiry: 30 * 24 * time.Hour, Held: 7,
				Row: &screen.Row{Page: 1, Place: "0", Text: `"just text"`, Reasons: []screen.Reason{{Rule: "type", Message: "the record is no object"}}},
			},
			{Name: "orders", Run: "20250304T144500Z", Source: "https://api.example.com/orders", Sample: &screen.Table{}},
		},
		Faults: []string{
			"AccessDenied: tributary-dev-orders-ingest is not authorized to perform s3:PutObject on arn:aws:s3:::raw/x because no identity-based policy allows it",
			"ingest of orders failed:\n  put page 1: access denied",
		},
		Stages: []screen.Stage{{Name: "functions", Took: time.Second}},
		Total:  2 * time.Second,
	}
}

// large is a run whose failing rows are longer than a screen, and that failed a metric.
func large() screen.Outcome {
	row := &screen.Row{Page: 1, Place: "0", Where: "line 3 of .local/rejects/x.ndjson", Members: []screen.Member{
		{Name: "id", Value: "1"}, {Name: "note", Value: `"` + strings.Repeat("über ", 14_000) + `"`, Faulty: true},
	}}
	for i := range 90 {
		row.Members = append(row.Members, screen.Member{Name: fmt.Sprintf("member-%02d", i), Value: `"a value of some length"`})
		row.Reasons = append(row.Reasons, screen.Reason{Pointer: fmt.Sprintf("/member-%02d", i), Rule: "type", Message: "no number"})
	}
	return screen.Outcome{Datasets: []screen.Dataset{
		{
			Name: "coin_markets", Run: "20250304T144500Z", Verdict: "loaded", Records: 3, Clean: 2, Rejected: 1, Row: row,
			Warnings: []screen.Rule{{Records: 2, Name: "enough", OfRun: true}, {Records: 1, Name: "few-nulls", Pointer: "/id", OfRun: true}, {Records: 1, Name: "high-score"}},
		},
		{
			Name: "orders", Run: "20250304T144500Z", Verdict: "held", Reason: "1 of 1 records are rejected", Records: 1, Rejected: 1,
			Row: &screen.Row{Page: 1, Place: "0", Text: strings.Repeat("x", 70_000), Where: "line 1 of .local/rejects/y.ndjson", Reasons: []screen.Reason{{Rule: "type", Message: "no object"}}},
		},
	}}
}

// expired is a run so old that nothing of it is served, done twice.
func expired() screen.Outcome {
	return screen.Outcome{Datasets: []screen.Dataset{{
		Name: "coin_markets", Run: "20200304T144500Z", Source: "recorded.json", Verdict: "loaded", Repeated: true,
		Pages: 1, Records: 30, Clean: 30, Threshold: 5, Table: "tributary-dev-coin_markets", Expiry: 30 * 24 * time.Hour, Held: 7,
	}}}
}

func TestWrite(t *testing.T) {
	for _, tc := range []struct {
		name    string
		outcome screen.Outcome
		style   screen.Style
	}{
		{"loaded-80", loaded(), screen.Style{Width: 80}},
		{"loaded-120", loaded(), screen.Style{Width: 120}},
		{"loaded-colour-100", loaded(), screen.Style{Width: 100, Colour: true}},
		{"failed-80", failed(), screen.Style{Width: 80}},
		{"expired-80", expired(), screen.Style{Width: 80}},
		{"large-80", large(), screen.Style{Width: 80}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := screen.Write(&b, tc.outcome, tc.style); err != nil {
				t.Fatal(err)
			}
			golden(t, tc.name+".golden", b.String())
			if tc.style.Colour {
				return
			}
			for line := range strings.Lines(b.String()) {
				if w := runewidth.StringWidth(strings.TrimSuffix(line, "\n")); w > tc.style.Width {
					t.Errorf("line of %d columns: %s", w, line)
				}
			}
		})
	}
}

func TestWriteStopsControlCharacters(t *testing.T) {
	o := loaded()
	d := &o.Datasets[0]
	evil := "\x1b[2J\u202eevil"
	d.Row.Members[0].Value, d.Row.Reasons[0].Message, d.Sample.Rows[0][0] = evil, evil, evil
	d.Rejects[0].Example, d.Alerts[0].Text, d.Alerts[0].Subject, d.Item[0].Value, d.Reason = evil, evil, evil, evil, evil
	d.Unknown[0].Pointer, d.Files[0].Path, d.Source = evil, evil, evil
	o.Faults = []string{evil}
	for _, verdict := range []string{"loaded", "held"} {
		d.Verdict = verdict
		var b bytes.Buffer
		if err := screen.Write(&b, o, screen.Style{Width: 100}); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(b.String(), "\x1b\u202e") {
			t.Errorf("control characters of the data reach the terminal:\n%q", b.String())
		}
	}
}

// clock goes on by a fixed step at each look.
func clock(step time.Duration) func() time.Time {
	now := time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(step)
		return now
	}
}

func work(p *screen.Progress) {
	p.Start("functions", "compiling")
	p.Note("The first build compiles 412 packages; this takes minutes.")
	p.Update("ingest and process for linux/amd64, 8.1 MiB")
	p.Tick()
	p.Start("ingest", "asking")
	p.Update(strings.Repeat("a long detail ", 12))
	p.Done()
	p.About("orders")
	p.Start("process", "reading")
	p.Fail()
	p.About("")
	p.Update("nothing is at work")
}

func TestProgress(t *testing.T) {
	for _, tc := range []struct {
		name  string
		style screen.Style
	}{
		{"progress-plain", screen.Style{Width: 80}},
		{"progress-live", screen.Style{Width: 80, Live: true, Colour: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var b bytes.Buffer
			p := screen.NewProgress(&b, tc.style, clock(250*time.Millisecond))
			work(p)
			for range 85 { // ten seconds pass twice
				p.Tick()
			}
			p.Start("results", "reading")
			for range 85 {
				p.Tick()
			}
			p.Done()
			golden(t, tc.name+".golden", strings.ReplaceAll(b.String(), "\r\x1b[2K", "<erase>\n"))
			var names []string
			for _, s := range p.Stages() {
				names = append(names, s.Name)
			}
			if diff := cmp.Diff([]string{"functions", "ingest", "process", "results"}, names); diff != "" {
				t.Errorf("stages (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStyleOf(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, tc := range []struct {
		name   string
		choice screen.Colours
		env    map[string]string
		want   screen.Style
	}{
		{"a file gets no colours", screen.Auto, nil, screen.Style{Width: 100}},
		{"colours on demand", screen.Always, map[string]string{"NO_COLOR": "1"}, screen.Style{Width: 100, Colour: true}},
		{"width from COLUMNS", screen.Never, map[string]string{"COLUMNS": "132"}, screen.Style{Width: 132}},
		{"no narrower than the tables", screen.Auto, map[string]string{"COLUMNS": "20"}, screen.Style{Width: 60}},
		{"no wider than one reads", screen.Auto, map[string]string{"COLUMNS": "400"}, screen.Style{Width: 140}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := screen.StyleOf(file, tc.choice, func(k string) string { return tc.env[k] })
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("style (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := screen.ParseColours("sometimes"); err == nil {
		t.Error("ParseColours accepts sometimes")
	}
}

func TestNumbers(t *testing.T) {
	var got []string
	for _, n := range []int64{0, 999, 1000, 1234567, -1234} {
		got = append(got, screen.Count(n))
	}
	for _, n := range []int64{0, 1023, 1536, 5 << 20, 3 << 30} {
		got = append(got, screen.Bytes(n))
	}
	for _, d := range []time.Duration{0, 999 * time.Millisecond, 1234 * time.Millisecond, 12345 * time.Millisecond, 125 * time.Second} {
		got = append(got, screen.Duration(d))
	}
	want := []string{
		"0", "999", "1,000", "1,234,567", "-1,234",
		"0 B", "1023 B", "1.5 KiB", "5.0 MiB", "3.00 GiB",
		"0 ms", "999 ms", "1.23 s", "12.3 s", "2 min 05 s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
	if fmt.Sprint(screen.Plural(1, "row", "rows"), screen.Plural(2, "row", "rows")) != "1 row2 rows" {
		t.Error("Plural is wrong")
	}
}

func TestWriteAnswer(t *testing.T) {
	for _, tc := range []struct {
		name   string
		answer screen.Answer
	}{
		{"answer", screen.Answer{
			Function: "tributary-dev-process-coin_markets", Payload: "null", Saved: ".local",
			Log: []string{`{"level":"INFO","msg":"run processed","clean":540}`, "evil \x1b[2J"},
		}},
		{"answer-error", screen.Answer{
			Function: "tributary-dev-ingest-coin_markets", Error: "Unhandled", Payload: `{"errorMessage":"read event: no dataset"}`,
			Faults: []string{"AccessDenied: s3:PutObject"},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := screen.WriteAnswer(&b, tc.answer, screen.Style{Width: 80}); err != nil {
				t.Fatal(err)
			}
			golden(t, tc.name+".golden", b.String())
		})
	}
}
