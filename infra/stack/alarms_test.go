package stack

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tributary/infra/component"
	"tributary/shared/contract"
)

func TestAlarms(t *testing.T) {
	var b strings.Builder
	for _, a := range resources(newProject(t).mustDeploy(t, "dev")).of(alarmType) {
		what := fmt.Sprint(at(a.Inputs, "namespace"), " ", at(a.Inputs, "metricName"), " ", at(a.Inputs, "statistic"), " ", at(a.Inputs, "dimensions"))
		if queries, ok := a.Inputs["metricQueries"].([]any); ok {
			what = fmt.Sprint(at(queries[0], "expression"))
			for _, q := range queries[1:] {
				what += fmt.Sprint(" · ", at(q, "id"), " = ", at(q, "metric", "namespace"), " ", at(q, "metric", "metricName"), " ", at(q, "metric", "stat"), " every ", at(q, "metric", "period"))
			}
		}
		fmt.Fprintf(&b, "%s\n  %s\n  %s %v, %v of %v periods of %v s, no data is %v\n  %s\n", a.Inputs["name"], what,
			a.Inputs["comparisonOperator"], a.Inputs["threshold"], a.Inputs["datapointsToAlarm"], a.Inputs["evaluationPeriods"], a.Inputs["period"],
			a.Inputs["treatMissingData"], a.Inputs["alarmDescription"])
	}
	golden(t, "dev.alarms.txt", b.String())
}

func TestFreshnessAlarm(t *testing.T) {
	names := func(all []component.Alarm) []string {
		var found []string
		for _, a := range all {
			found = append(found, a.Name)
		}
		return found
	}
	c := &contract.Contract{Dataset: "d", RejectThresholdPercent: 5}
	p := program{Config: defaults(), names: names0()}
	if slices.Contains(names(alarms(p, c)), "freshness") {
		t.Error("a contract without latency has a freshness alarm")
	}
	c.Latency = time.Hour
	if !slices.Contains(names(alarms(p, c)), "freshness") {
		t.Error("a contract with latency has no freshness alarm")
	}
	p.Schedule = Disabled
	if slices.Contains(names(alarms(p, c)), "freshness") {
		t.Error("a schedule that is off has a freshness alarm")
	}
	for _, test := range []struct {
		latency, period time.Duration
		periods         int
	}{
		{3 * time.Hour, 5 * time.Minute, 36},
		{7 * time.Minute, 5 * time.Minute, 2},
		{24 * time.Hour, 5 * time.Minute, 288},
		{25*time.Hour + time.Minute, time.Hour, 26},
		{7 * 24 * time.Hour, time.Hour, 168},
	} {
		c.Latency = test.latency
		a := freshnessAlarm(p, c)
		if a.Period != test.period || a.Periods != test.periods || a.Breaching != test.periods {
			t.Errorf("latency %s: %d of %d periods of %s, want %d of %s", test.latency, a.Breaching, a.Periods, a.Period, test.periods, test.period)
		}
	}
}

func names0() names {
	return names{base: "tributary-test", place: component.Place{Partition: "aws", Region: testRegion, Account: testAccount}}
}
