package component

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"
)

// DashboardType is the type token of Dashboard.
const DashboardType = typePrefix + "Dashboard"

// Section is one row of a dashboard: a title, the alarms under it, and graphs.
type Section struct {
	Title  string
	Text   string // Markdown under the title
	Alarms pulumix.Input[[]string]
	Graphs []Graph
}

// Graph is one picture of metrics.
type Graph struct {
	Title   string
	Lines   []Line
	Period  time.Duration
	Stacked bool
	// Percent fixes the axis to 0 to 100.
	Percent bool
}

// Line is one metric, or one expression over the metrics of its graph, which are called m1, m2, …
type Line struct {
	Label      string
	Metric     Metric
	Expression string
	Hidden     bool // only there for expressions
}

// DashboardArgs describe a dashboard.
type DashboardArgs struct {
	Place     Place
	Dashboard string // physical name
	Sections  []Section
}

// Validate reports every fault of the arguments.
func (a DashboardArgs) Validate() error {
	var f faults
	a.Place.check(&f)
	f.name("Dashboard", a.Dashboard, functionName, 255)
	for i, s := range a.Sections {
		field := fmt.Sprintf("Sections[%d]", i)
		f.require(field+".Title", s.Title)
		if s.Alarms == nil {
			f.add(field+".Alarms", "is required")
		}
		for j, g := range s.Graphs {
			graph := fmt.Sprintf("%s.Graphs[%d]", field, j)
			f.require(graph+".Title", g.Title)
			if len(g.Lines) == 0 {
				f.add(graph+".Lines", "is empty")
			}
			if g.Period < time.Minute {
				f.add(graph+".Period", "%s is below a minute", g.Period)
			}
		}
	}
	return f.err()
}

// Dashboard is a page in CloudWatch.
type Dashboard struct{ pulumi.ResourceState }

// NewDashboard declares a dashboard.
func NewDashboard(ctx *pulumi.Context, name string, args DashboardArgs, opts ...pulumi.ResourceOption) (*Dashboard, error) {
	d := &Dashboard{}
	if err := register(ctx, DashboardType, name, args.Validate, d, opts); err != nil {
		return nil, err
	}
	alarms := make([]any, len(args.Sections))
	for i, s := range args.Sections {
		alarms[i] = s.Alarms
	}
	body := pulumi.All(alarms...).ApplyT(func(resolved []any) string {
		arns := make([][]string, len(resolved))
		for i := range resolved {
			arns[i], _ = resolved[i].([]string)
		}
		return text(page(args, arns))
	})
	if _, err := cloudwatch.NewDashboard(ctx, name, &cloudwatch.DashboardArgs{
		DashboardName: pulumi.String(args.Dashboard),
		DashboardBody: body.(pulumi.StringOutput),
	}, pulumi.Parent(d)); err != nil {
		return nil, fmt.Errorf("declare dashboard %s: %w", args.Dashboard, err)
	}
	if err := ctx.RegisterResourceOutputs(d, pulumi.Map{}); err != nil {
		return nil, fmt.Errorf("register outputs of dashboard %s: %w", args.Dashboard, err)
	}
	return d, nil
}

// The shape of a dashboard's body (CloudWatch, Dashboard body structure and syntax).
type (
	body struct {
		Widgets []widget `json:"widgets"`
	}
	widget struct {
		Type       string     `json:"type"`
		X          int        `json:"x"`
		Y          int        `json:"y"`
		Width      int        `json:"width"`
		Height     int        `json:"height"`
		Properties properties `json:"properties"`
	}
	properties struct {
		Markdown string   `json:"markdown,omitempty"`
		Title    string   `json:"title,omitempty"`
		Alarms   []string `json:"alarms,omitempty"`
		Region   string   `json:"region,omitempty"`
		View     string   `json:"view,omitempty"`
		Stacked  bool     `json:"stacked,omitempty"`
		Period   int      `json:"period,omitempty"`
		Metrics  [][]any  `json:"metrics,omitempty"`
		YAxis    *yAxis   `json:"yAxis,omitempty"`
	}
	yAxis struct {
		Left axis `json:"left"`
	}
	axis struct {
		Min int `json:"min"`
		Max int `json:"max"`
	}
)

// The grid is 24 wide.
const (
	gridWidth    = 24
	titleHeight  = 2
	alarmsHeight = 4
	graphWidth   = 8
	graphHeight  = 6
)

func page(args DashboardArgs, alarms [][]string) body {
	var b body
	y := 0
	for i, s := range args.Sections {
		b.Widgets = append(b.Widgets,
			widget{Type: "text", Y: y, Width: gridWidth, Height: titleHeight, Properties: properties{Markdown: "## " + s.Title + "\n" + s.Text}},
			widget{Type: "alarm", Y: y + titleHeight, Width: gridWidth, Height: alarmsHeight, Properties: properties{Title: "Alarms", Alarms: alarms[i]}},
		)
		y += titleHeight + alarmsHeight
		for j, g := range s.Graphs {
			x := j * graphWidth % gridWidth
			b.Widgets = append(b.Widgets, widget{
				Type: "metric", X: x, Y: y, Width: graphWidth, Height: graphHeight, Properties: g.properties(args.Place.Region),
			})
			if x+graphWidth == gridWidth || j == len(s.Graphs)-1 {
				y += graphHeight
			}
		}
	}
	return b
}

func (g Graph) properties(region string) properties {
	p := properties{Title: g.Title, Region: region, View: "timeSeries", Stacked: g.Stacked, Period: int(g.Period / time.Second)}
	if g.Percent {
		p.YAxis = &yAxis{Left: axis{Min: 0, Max: 100}}
	}
	for i, line := range g.Lines {
		if line.Expression != "" {
			p.Metrics = append(p.Metrics, []any{map[string]any{"expression": line.Expression, "label": line.Label, "id": fmt.Sprintf("e%d", i+1)}})
			continue
		}
		m := line.Metric
		entry := []any{m.Namespace, m.Name}
		for _, key := range sortedKeys(m.Dimensions) {
			entry = append(entry, key, m.Dimensions[key])
		}
		options := map[string]any{"label": line.Label, "stat": m.Statistic, "id": fmt.Sprintf("m%d", i+1)}
		if line.Hidden {
			options["visible"] = false
		}
		p.Metrics = append(p.Metrics, append(entry, options))
	}
	return p
}
