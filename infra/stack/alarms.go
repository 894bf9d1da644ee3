package stack

import (
	"fmt"
	"math"
	"strings"
	"time"

	"tributary/infra/component"
	"tributary/shared/contract"
	"tributary/shared/telemetry"
	"tributary/shared/zone"
)

const fiveMinutes = 5 * time.Minute

// alarms are what somebody should hear of about a dataset. Descriptions say what it means and what helps.
func alarms(p program, c *contract.Contract) []component.Alarm {
	ingest, process := p.function(ingestFunction, c.Dataset), p.function(processFunction, c.Dataset)
	all := append(
		functionAlarms(ingestFunction, ingest, p.ingest(c.Dataset).TimeoutSeconds, c.Dataset,
			"The next ingest finishes a run that had begun; one that had not was never fetched"),
		functionAlarms(processFunction, process, p.process(c.Dataset).TimeoutSeconds, c.Dataset,
			"The raw bytes are not: a replay brings the run back")...)
	all = append(all, scheduleAlarms(p.schedule(c.Dataset), c.Dataset)...)
	all = append(all, qualityAlarms(p, c)...)
	// A schedule that is off brings nothing, and an alarm about it would ring for ever.
	if c.Latency > 0 && p.enabled(c.Dataset) {
		all = append(all, freshnessAlarm(p, c))
	}
	return all
}

// counted is an alarm about what must not happen and is counted only when it does.
func counted(name, description string, periods, breaching int, m component.Metric) component.Alarm {
	one := 1.0
	return component.Alarm{
		Name: name, Description: description, Metrics: []component.Metric{m}, AtLeast: &one,
		Period: fiveMinutes, Periods: periods, Breaching: breaching, Missing: component.Good,
	}
}

// functionAlarms watch a function and its failure queue. Lambda's metrics bear the time at which the invocation began,
// so a window that sees them reaches back beyond the timeout. What to do about an event that is gone is the function's own.
func functionAlarms(kind, function string, timeoutSeconds int, dataset, lost string) []component.Alarm {
	metric := func(name, statistic string) component.Metric {
		return component.Metric{Namespace: "AWS/Lambda", Name: name, Statistic: statistic, Dimensions: map[string]string{"FunctionName": function}}
	}
	window := int(math.Ceil(float64(timeoutSeconds)/fiveMinutes.Seconds())) + 1
	slow := counted(kind+"-duration", fmt.Sprintf("The %s function of %s took 80 %% of its time limit: give it more, or its runs less", kind, dataset),
		window, 1, metric("Duration", "Maximum"))
	limit := float64(timeoutSeconds) * 1000 * 0.8
	slow.AtLeast = &limit
	return []component.Alarm{
		counted(kind+"-errors", fmt.Sprintf("The %s function of %s failed; Lambda tries twice more, then the event is in the failure queue. Its log says why", kind, dataset),
			window, 1, metric("Errors", "Sum")),
		counted(kind+"-throttles", fmt.Sprintf("The %s function of %s was throttled for a quarter of an hour: the account's concurrency is used up. Events wait up to six hours", kind, dataset),
			3, 3, metric("Throttles", "Sum")),
		slow,
		counted(kind+"-dropped", fmt.Sprintf("Lambda gave up on an event of the %s function of %s; it should be in the failure queue", kind, dataset),
			window, 1, metric("AsyncEventsDropped", "Sum")),
		counted(kind+"-lost", fmt.Sprintf("Lambda could not even write a failed event of the %s function of %s to its queue: that event is gone. %s", kind, dataset, lost),
			window, 1, metric("DestinationDeliveryFailures", "Sum")),
		queueAlarm(kind+"-failures", component.FailuresName(function), fmt.Sprintf("Events of the %s function of %s wait in the failure queue to be sent again when the cause is gone", kind, dataset)),
	}
}

func queueAlarm(name, queue, description string) component.Alarm {
	return counted(name, description, 1, 1, component.Metric{
		Namespace: "AWS/SQS", Name: "ApproximateNumberOfMessagesVisible", Statistic: "Maximum", Dimensions: map[string]string{"QueueName": queue},
	})
}

func scheduleAlarms(group, dataset string) []component.Alarm {
	metric := func(name string) component.Metric {
		return component.Metric{Namespace: "AWS/Scheduler", Name: name, Statistic: "Sum", Dimensions: map[string]string{"ScheduleGroup": group}}
	}
	return []component.Alarm{
		counted("schedule-errors", fmt.Sprintf("The schedule of %s cannot start the ingest function; it goes on trying for an hour", dataset),
			3, 3, metric("TargetErrorCount")),
		counted("schedule-dropped", fmt.Sprintf("The schedule of %s gave up on a run; it should be in the queue of undelivered runs", dataset),
			1, 1, metric("InvocationDroppedCount")),
		queueAlarm("schedule-undelivered", component.UndeliveredName(group), fmt.Sprintf("Runs of %s were never handed to the ingest function and wait to be sent again", dataset)),
	}
}

// qualityAlarms watch what the functions say of the data.
func qualityAlarms(p program, c *contract.Contract) []component.Alarm {
	metric := func(name, statistic string) component.Metric { return ownMetric(p, c, name, statistic) }
	held := counted("held", fmt.Sprintf("A run of %s was held back, unreadable or too large: nothing of it is in lake or table. The audit row says why; a replay under a mended contract releases the run", c.Dataset),
		1, 1, component.Metric{})
	held.Metrics = []component.Metric{metric(telemetry.RunsHeld, "Sum"), metric(telemetry.RunsUnreadable, "Sum"), metric(telemetry.RunsTooLarge, "Sum")}
	held.Expression = "m1+m2+m3"

	dirty := counted("rejects", fmt.Sprintf("A run was at least half as dirty as the %g %% of rejects above which runs of %s are held back. The table %s holds them with their reasons", c.RejectThresholdPercent, c.Dataset, zone.RejectsTable(c.Dataset)),
		1, 1, component.Metric{})
	// A threshold of 0 holds a run for a single reject; a rate of at least 0 would ring always.
	half := max(c.RejectThresholdPercent/2, 0.001)
	dirty.AtLeast = &half
	dirty.Metrics = []component.Metric{metric(telemetry.RecordsRejected, "Sum"), metric(telemetry.RecordsRead, "Sum")}
	dirty.Expression = "IF(m2>0, 100*m1/m2, 0)"
	return []component.Alarm{held, dirty, counted("unprocessed",
		fmt.Sprintf("Runs of %s were brought and never processed, or not to the end: their audit rows are not done", c.Dataset),
		1, 1, metric(telemetry.RunsUnprocessed, "Maximum"))}
}

// ownMetric is a metric that the functions write.
func ownMetric(p program, c *contract.Contract, name, statistic string) component.Metric {
	return component.Metric{
		Namespace: telemetry.Namespace, Name: name, Statistic: statistic,
		Dimensions: map[string]string{telemetry.Environment: p.Environment, telemetry.Dataset: c.Dataset},
	}
}

// freshnessAlarm rings when no run was loaded for as long as the contract's latency. CloudWatch looks further back than
// the window for points that are there, by a few periods: many short periods ring less late than one long.
func freshnessAlarm(p program, c *contract.Contract) component.Alarm {
	period := fiveMinutes
	if c.Latency > 24*time.Hour {
		period = time.Hour
	}
	periods := int((c.Latency + period - 1) / period)
	one := 1.0
	return component.Alarm{
		Name:        "freshness",
		Description: fmt.Sprintf("No run of %s was loaded for %s, and its contract promises no longer gap", c.Dataset, span(c.Latency)),
		Metrics:     []component.Metric{ownMetric(p, c, telemetry.RunsLoaded, "Sum")},
		Below:       &one, Period: period, Periods: periods, Breaching: periods, Missing: component.Bad,
		SayRecovered: true,
	}
}

// span is a duration without zeros at its end: 3h, not 3h0m0s.
func span(d time.Duration) string {
	text := d.String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return text
}
