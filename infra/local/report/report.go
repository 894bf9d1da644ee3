package report

import (
	"bytes"
	_ "embed" // the page's template and style
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
	"time"

	"tributary/infra/local/collect"
	"tributary/infra/local/cost"
	"tributary/infra/local/screen"
)

//go:embed page.html
var pageText string

//go:embed style.css
var styleText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"count": screen.Count, "bytes": screen.Bytes, "duration": screen.Duration, "dollars": cost.Dollars, "plural": screen.Plural,
	"share": share, "moment": moment, "flow": flow, "bars": barChart, "stageWidth": stageWidth, "changes": changes, "detail": detail,
	"style":   func() template.CSS { return template.CSS(styleText) }, //nolint:gosec // G203: our own file
	"ok":      func(o screen.Outcome) bool { return len(o.Faults) == 0 },
	"ringing": ringing,
	"times":   func(v, n float64) float64 { return v * n },
	"int64":   func(v any) int64 { return whole(v) },
	"asOf":    func(cost.Bill) string { return cost.AsOf },
	"width": func(share string) string {
		return strings.Trim(strings.ReplaceAll(strings.ReplaceAll(share, " ", ""), "–", "0%"), "<>")
	},
}).Parse(pageText))

// Write writes the page.
func Write(w io.Writer, p Page) error {
	if len(p.Details) != len(p.Outcome.Datasets) {
		return fmt.Errorf("write report: %d datasets have %d details", len(p.Outcome.Datasets), len(p.Details))
	}
	var b bytes.Buffer
	if err := page.Execute(&b, p); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// whole turns a number of the template into one of the writers'.
func whole(v any) int64 {
	switch n := v.(type) {
	case int:
		return int64(n)
	case float64:
		return int64(math.Round(n))
	}
	return 0
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// share writes a part in percent, never as none or all where it is neither.
// ringing counts the alarms that are raised.
func ringing(o screen.Outcome) (raised int64) {
	for _, a := range o.Alarms {
		if a.State == "ALARM" {
			raised++
		}
	}
	return raised
}

func share(part, whole int64) string {
	if whole == 0 {
		return "–"
	}
	p := float64(part) * 100 / float64(whole)
	switch {
	case part == 0 || part == whole:
		return fmt.Sprintf("%.0f %%", p)
	case p < 0.1:
		return "< 0.1 %"
	case p > 99.9:
		return "> 99.9 %"
	}
	return fmt.Sprintf("%.1f %%", p)
}

// stageWidth is a stage's part of the whole time in percent, wide enough to be seen.
func stageWidth(s screen.Stage, o screen.Outcome) string {
	total := time.Duration(0)
	for _, each := range o.Stages {
		total += each.Took
	}
	if total == 0 {
		return "0"
	}
	return fmt.Sprintf("%.1f", max(0.6, float64(s.Took)*100/float64(total)))
}

// detail gives the detail of the dataset at i.
func detail(p Page, i int) Detail { return p.Details[i] }

// change is a figure of this run beside that of the run before.
type change struct {
	What, Before, Now, By string
	Worse                 bool
}

// changes lists what differs between a run and the one before it.
func changes(d screen.Dataset, f *Former) []change {
	var list []change
	add := func(what string, before, now int64, bad bool, write func(int64) string) {
		if before == now {
			return
		}
		by := "+" + write(now-before)
		if now < before {
			by = "−" + write(before-now)
		}
		list = append(list, change{What: what, Before: write(before), Now: write(now), By: by, Worse: bad && now > before})
	}
	if f.Verdict != d.Verdict {
		list = append(list, change{What: "verdict", Before: f.Verdict, Now: d.Verdict, Worse: d.Verdict != "loaded"})
	}
	add("records", f.Records, d.Records, false, screen.Count)
	add("clean", f.Clean, d.Clean, false, screen.Count)
	add("rejected", f.Rejected, d.Rejected, true, screen.Count)
	for _, name := range ruleNames(f.Rejects, d.Rejects) {
		add("rejected for "+strings.TrimSpace(name.rule+" "+name.pointer), records(f.Rejects, name), records(d.Rejects, name), true, screen.Count)
	}
	add("items offered", f.Items, d.Items, false, screen.Count)
	var lake int64
	for _, file := range d.Files {
		if file.Zone == "lake" {
			lake += file.Bytes
		}
	}
	add("Parquet", f.LakeBytes, lake, false, screen.Bytes)
	return list
}

type ruleName struct{ rule, pointer string }

func ruleNames(lists ...[]screen.Rule) []ruleName {
	var names []ruleName
	seen := map[ruleName]bool{}
	for _, list := range lists {
		for _, r := range list {
			if n := (ruleName{r.Name, r.Pointer}); !seen[n] {
				seen[n] = true
				names = append(names, n)
			}
		}
	}
	return names
}

func records(list []screen.Rule, n ruleName) int64 {
	for _, r := range list {
		if r.Name == n.rule && r.Pointer == n.pointer {
			return r.Records
		}
	}
	return 0
}

const (
	chartWidth, chartHeight = 168.0, 34.0
)

// barChart draws how a column's values lie; each bar tells its range and count where the pointer rests on it.
func barChart(c collect.Column) template.HTML {
	if len(c.Bars) == 0 {
		return ""
	}
	most := int64(1)
	for _, b := range c.Bars {
		most = max(most, b.Count)
	}
	step := chartWidth / float64(len(c.Bars))
	var s strings.Builder
	fmt.Fprintf(&s, `<svg class="bars" viewBox="0 0 %g %g" role="img" aria-label="%s">`, chartWidth, chartHeight,
		template.HTMLEscapeString("how "+c.Name+" lies between "+c.Low+" and "+c.High))
	for i, b := range c.Bars {
		height := 0.0
		if b.Count > 0 {
			height = math.Max(1.5, float64(b.Count)/float64(most)*(chartHeight-1))
		}
		fmt.Fprintf(&s, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%s</title></rect>`,
			float64(i)*step, chartHeight-height, math.Max(1, step-1), height, template.HTMLEscapeString(b.Label+": "+screen.Count(b.Count)))
	}
	s.WriteString("</svg>")
	return template.HTML(s.String()) //nolint:gosec // G203: what is not ours is escaped above
}
