package stack

import (
	"encoding/json"
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

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		3 * time.Hour: "3h", 90 * time.Minute: "1h30m", 10 * time.Minute: "10m", 30 * time.Second: "30s", 24*time.Hour + time.Second: "24h0m1s",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%s) = %s, want %s", d, got, want)
		}
	}
}

func names0() names {
	return names{base: "tributary-test", place: testPlace}
}

func TestDashboard(t *testing.T) {
	declared := resources(newProject(t).mustDeploy(t, "dev"))
	var page map[string]any
	if err := json.Unmarshal([]byte(declared.of(dashboardType)[0].Inputs["dashboardBody"].(string)), &page); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	shown := map[string]bool{}
	for _, w := range page["widgets"].([]any) {
		fmt.Fprintf(&b, "%v at %v,%v size %vx%v", at(w, "type"), at(w, "x"), at(w, "y"), at(w, "width"), at(w, "height"))
		for _, key := range []string{"title", "markdown", "region"} {
			if text := at(w, "properties", key); text != nil {
				fmt.Fprintf(&b, " %s %q", key, text)
			}
		}
		b.WriteString("\n")
		alarms, _ := at(w, "properties", "alarms").([]any)
		for _, arn := range alarms {
			shown[arn.(string)] = true
		}
		metrics, _ := at(w, "properties", "metrics").([]any)
		for _, m := range metrics {
			fmt.Fprintf(&b, "  %v\n", m)
		}
	}
	golden(t, "dev.dashboard.txt", b.String())
	for _, a := range declared.of(alarmType) {
		if arn := "arn:aws:cloudwatch:" + testRegion + ":" + testAccount + ":" + a.Inputs["name"].(string); !shown[arn] {
			t.Errorf("alarm %s is not on the dashboard", arn)
		}
	}
}
