package cloudwatch

import (
	"math"
	"testing"
	"time"
)

func TestEvaluate(t *testing.T) {
	now := time.Date(2025, 3, 4, 14, 47, 0, 0, time.UTC)
	one := func(name string) []Series {
		return []Series{{ID: "m1", Namespace: "N", Name: name, Dimensions: map[string]string{"dataset": "coins"}, Statistic: "Sum"}}
	}
	pair := append(one("rejected"), Series{ID: "m2", Namespace: "N", Name: "read", Dimensions: map[string]string{"dataset": "coins"}, Statistic: "Sum"})
	atLeast := func(a Alarm) Alarm { a.Comparison = "GreaterThanOrEqualToThreshold"; return a }
	for _, tc := range []struct {
		name  string
		data  map[string]map[time.Duration]float64 // by metric: how long ago, value
		alarm Alarm
		want  State
		why   string
	}{
		{"nothing counted is well", nil,
			atLeast(Alarm{Series: one("errors"), Threshold: 1, Period: 5 * time.Minute, Periods: 4, Datapoints: 1, Missing: "notBreaching"}),
			OK, "no data in the last 20 min; 0 of 4 periods breach, alarms at 1"},
		{"nothing known", nil, atLeast(Alarm{Series: one("errors"), Threshold: 1, Period: time.Minute, Periods: 1, Missing: "missing"}),
			InsufficientData, "no data in the last 1 min"},
		{"one error, a while ago", map[string]map[time.Duration]float64{"errors": {12 * time.Minute: 1, time.Minute: 0}},
			atLeast(Alarm{Series: one("errors"), Threshold: 1, Period: 5 * time.Minute, Periods: 4, Datapoints: 1, Missing: "notBreaching"}),
			InAlarm, "1 in the last 20 min, alarms from 1; 1 of 4 periods breach, alarms at 1"},
		{"an error before the window", map[string]map[time.Duration]float64{"errors": {40 * time.Minute: 1, time.Minute: 0}},
			atLeast(Alarm{Series: one("errors"), Threshold: 1, Period: 5 * time.Minute, Periods: 4, Datapoints: 1, Missing: "notBreaching"}),
			OK, "0 in the last 20 min, alarms from 1; 0 of 4 periods breach, alarms at 1"},
		{"a period sums up", map[string]map[time.Duration]float64{"errors": {time.Minute: 2, 90 * time.Second: 3}},
			atLeast(Alarm{Series: one("errors"), Threshold: 5, Period: 5 * time.Minute, Periods: 1, Missing: "notBreaching"}),
			InAlarm, "5 in the last 5 min, alarms from 5"},
		{"stale: nothing loaded", map[string]map[time.Duration]float64{"loaded": {time.Minute: 0}},
			Alarm{Series: one("loaded"), Comparison: "LessThanThreshold", Threshold: 1, Period: 5 * time.Minute, Periods: 36, Datapoints: 36, Missing: "breaching"},
			InAlarm, "0 in the last 3 h, alarms below 1; 36 of 36 periods breach, alarms at 36"},
		{"fresh: loaded two hours ago", map[string]map[time.Duration]float64{"loaded": {2 * time.Hour: 1, time.Minute: 0}},
			Alarm{Series: one("loaded"), Comparison: "LessThanThreshold", Threshold: 1, Period: 5 * time.Minute, Periods: 36, Datapoints: 36, Missing: "breaching"},
			OK, "0 in the last 3 h, alarms below 1; 35 of 36 periods breach, alarms at 36"},
		{"a rate", map[string]map[time.Duration]float64{"rejected": {time.Minute: 20}, "read": {time.Minute: 560}},
			atLeast(Alarm{Series: pair, Expression: "IF(m2>0, 100*m1/m2, 0)", Threshold: 2.5, Period: 5 * time.Minute, Periods: 1, Missing: "notBreaching"}),
			InAlarm, "3.571 in the last 5 min, alarms from 2.5"},
		{"a long duration", map[string]map[time.Duration]float64{"errors": {time.Minute: 1234567.8}},
			atLeast(Alarm{Series: one("errors"), Threshold: 720000, Period: 5 * time.Minute, Periods: 1, Missing: "notBreaching"}),
			InAlarm, "1235000 in the last 5 min, alarms from 720000"},
		{"a rate of nothing", map[string]map[time.Duration]float64{"rejected": {time.Minute: 0}, "read": {time.Minute: 0}},
			atLeast(Alarm{Series: pair, Expression: "IF(m2>0, 100*m1/m2, 0)", Threshold: 2.5, Period: 5 * time.Minute, Periods: 1, Missing: "notBreaching"}),
			OK, "0 in the last 5 min, alarms from 2.5"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := NewStore()
			for name, points := range tc.data {
				for ago, value := range points {
					s.Put(Datum{Namespace: "N", Name: name, Dimensions: map[string]string{"dataset": "coins"}, Value: value, Time: now.Add(-ago)})
					s.Put(Datum{Namespace: "N", Name: name, Dimensions: map[string]string{"dataset": "another"}, Value: 99, Time: now.Add(-ago)})
				}
			}
			state, why, err := s.Evaluate(tc.alarm, now)
			if err != nil || state != tc.want || why != tc.why {
				t.Errorf("got %s %q %v, want %s %q", state, why, err, tc.want, tc.why)
			}
		})
	}
}

func TestStatistics(t *testing.T) {
	now := time.Date(2025, 3, 4, 14, 47, 0, 0, time.UTC)
	s := NewStore()
	for _, v := range []float64{3, 1, 8} {
		s.Put(Datum{Name: "m", Value: v, Time: now})
	}
	for statistic, want := range map[string]float64{"Sum": 12, "Maximum": 8, "Minimum": 1, "Average": 4, "SampleCount": 3} {
		got, err := s.series(Series{Name: "m", Statistic: statistic}, now.Truncate(time.Minute), time.Minute, 1)
		if err != nil || got[0] != want {
			t.Errorf("%s: got %v, %v; want %v", statistic, got, err, want)
		}
	}
	if _, err := s.series(Series{Name: "m", Statistic: "p99"}, now.Truncate(time.Minute), time.Minute, 1); err == nil {
		t.Error("p99: no error")
	}
}

func TestCompute(t *testing.T) {
	values := map[string]float64{"m1": 3, "m2": 2, "none": math.NaN()}
	for expression, want := range map[string]float64{
		"m1+m2*2": 7, "(m1+m2)*2": 10, "-m1/m2": -1.5, "m1 - 0.5": 2.5, "IF(m1 >= 3, m2, 9)": 2, "IF(m1 < m2, 1, 7)": 7, "m1 == 3": 1, "m1 != 3": 0, "m1 <= 2": 0,
	} {
		if got, err := compute(expression, values); err != nil || got != want {
			t.Errorf("%s: got %v, %v; want %v", expression, got, err, want)
		}
	}
	for _, expression := range []string{"m1+none", "m1/(m2-2)", "IF(none>0, 1, 2)"} {
		if got, err := compute(expression, values); err != nil || !math.IsNaN(got) {
			t.Errorf("%s: got %v, %v; want none", expression, got, err)
		}
	}
	for _, expression := range []string{"m1+", "m3", "FILL(m1,0)", "m1 % m2", "!m1", "IF(m1)", `"m1"`, "func(){}"} {
		if got, err := compute(expression, values); err == nil {
			t.Errorf("%s: got %v and no error", expression, got)
		}
	}
}
