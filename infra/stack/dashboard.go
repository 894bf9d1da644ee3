package stack

import (
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"tributary/infra/component"
	"tributary/shared/telemetry"
)

// newDashboard declares the page that answers, for each dataset: is it healthy, is it fresh, how dirty is it.
func newDashboard(ctx *pulumi.Context, p program, pipelines []*Pipeline) error {
	sections := make([]component.Section, len(pipelines))
	for i, l := range pipelines {
		sections[i] = component.Section{
			Title: l.contract.Dataset, Text: dashboardText(p, l), Alarms: l.watch.Arns, Graphs: graphs(p, l),
		}
	}
	_, err := component.NewDashboard(ctx, "health", component.DashboardArgs{Place: p.place, Dashboard: p.base, Sections: sections}, p.inAWS)
	return err
}

func dashboardText(p program, l *Pipeline) string {
	c := l.contract
	schedule := "schedule `" + c.Schedule.Expression + "` (UTC)"
	if !p.enabled(c.Dataset) {
		schedule = "schedule off"
	}
	fresh := "no freshness promised"
	if c.Latency > 0 {
		fresh = fmt.Sprintf("fresh within %s", span(c.Latency))
	}
	return fmt.Sprintf("%s, %s, held back above %g %% of rejects", schedule, fresh, c.RejectThresholdPercent)
}

func graphs(p program, l *Pipeline) []component.Graph {
	c := l.contract
	own := func(label, name, statistic string) component.Line {
		return component.Line{Label: label, Metric: ownMetric(p, c, name, statistic)}
	}
	function := func(label, kind, name, statistic string) component.Line {
		return component.Line{Label: label, Metric: component.Metric{
			Namespace: "AWS/Lambda", Name: name, Statistic: statistic, Dimensions: map[string]string{"FunctionName": p.function(kind, c.Dataset)},
		}}
	}
	queue := func(label, name string) component.Line {
		return component.Line{Label: label, Metric: component.Metric{
			Namespace: "AWS/SQS", Name: "ApproximateNumberOfMessagesVisible", Statistic: "Maximum", Dimensions: map[string]string{"QueueName": name},
		}}
	}
	hidden := func(line component.Line) component.Line {
		line.Hidden = true
		return line
	}
	return []component.Graph{
		{Title: "Fresh: runs", Period: time.Hour, Lines: []component.Line{
			own("ingested", telemetry.RunsIngested, "Sum"), own("loaded", telemetry.RunsLoaded, "Sum"), own("held", telemetry.RunsHeld, "Sum"),
			own("unreadable", telemetry.RunsUnreadable, "Sum"), own("too large", telemetry.RunsTooLarge, "Sum"), own("unprocessed", telemetry.RunsUnprocessed, "Maximum"),
		}},
		{Title: "Dirty: rejected, % of records", Period: time.Hour, Percent: true, Lines: []component.Line{
			hidden(own("rejected", telemetry.RecordsRejected, "Sum")), hidden(own("read", telemetry.RecordsRead, "Sum")),
			{Label: "rejected %", Expression: "IF(m2>0, 100*m1/m2, 0)"},
		}},
		{Title: "Records", Period: time.Hour, Stacked: true, Lines: []component.Line{
			own("clean", telemetry.RecordsClean, "Sum"), own("rejected", telemetry.RecordsRejected, "Sum"),
		}},
		{Title: "Healthy: errors and throttles", Period: fiveMinutes, Lines: []component.Line{
			function("ingest errors", ingestFunction, "Errors", "Sum"), function("process errors", processFunction, "Errors", "Sum"),
			function("ingest throttles", ingestFunction, "Throttles", "Sum"), function("process throttles", processFunction, "Throttles", "Sum"),
		}},
		{Title: "Healthy: duration, ms", Period: fiveMinutes, Lines: []component.Line{
			function("ingest", ingestFunction, "Duration", "Maximum"), function("process", processFunction, "Duration", "Maximum"),
		}},
		{Title: "Healthy: waiting in failure queues", Period: fiveMinutes, Lines: []component.Line{
			queue("ingest", component.FailuresName(p.function(ingestFunction, c.Dataset))), queue("process", component.FailuresName(p.function(processFunction, c.Dataset))),
			queue("schedule", component.UndeliveredName(p.schedule(c.Dataset))),
		}},
	}
}
