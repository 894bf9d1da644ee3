package cloudwatch

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"time"
)

// State of an alarm, as CloudWatch names it.
type State string

// The states.
const (
	OK               State = "OK"
	InAlarm          State = "ALARM"
	InsufficientData State = "INSUFFICIENT_DATA"
)

// Series is a metric with the statistic that makes one value of each period.
type Series struct {
	ID         string // in expressions
	Namespace  string
	Name       string
	Dimensions map[string]string
	Statistic  string
}

// Alarm is a metric alarm: PutMetricAlarm's arguments as far as they change its state.
type Alarm struct {
	Name       string
	Series     []Series
	Expression string // over the series; "": the only one as it is
	Comparison string
	Threshold  float64
	Period     time.Duration
	Periods    int // EvaluationPeriods
	Datapoints int // DatapointsToAlarm; 0: Periods
	Missing    string
}

// Evaluate judges an alarm once, as it stands at a time: over the periods up to and with the one of that time. CloudWatch
// does so again and again, and looks further back for real values before it lets missing ones count ("Configuring how
// CloudWatch alarms treat missing data"); here what is missing counts at once. Why is in words for people.
func (s *Store) Evaluate(a Alarm, now time.Time) (state State, why string, err error) {
	if a.Datapoints == 0 {
		a.Datapoints = a.Periods
	}
	breaches, err := comparison(a.Comparison)
	if err != nil {
		return "", "", fmt.Errorf("evaluate alarm %s: %w", a.Name, err)
	}
	points, err := s.points(a, now)
	if err != nil {
		return "", "", fmt.Errorf("evaluate alarm %s: %w", a.Name, err)
	}
	breaching, known := 0, 0
	var worst float64
	for _, p := range points {
		if math.IsNaN(p) {
			if a.Missing == "breaching" {
				breaching++
			}
			continue
		}
		if known == 0 || breaches(p, worst) {
			worst = p
		}
		known++
		if breaches(p, a.Threshold) {
			breaching++
		}
	}
	why = a.why(known, worst, breaching)
	switch {
	case known == 0 && (a.Missing == "missing" || a.Missing == ""):
		return InsufficientData, why, nil
	case breaching >= a.Datapoints:
		return InAlarm, why, nil
	}
	return OK, why, nil
}

// figure writes four digits of a value that matter, and no exponent.
func figure(v float64) string {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64) // what was formatted parses
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

func (a Alarm) why(known int, worst float64, breaching int) string {
	span := "in the last " + span(time.Duration(a.Periods)*a.Period)
	text := "no data " + span
	how := map[string]string{
		"GreaterThanOrEqualToThreshold": "alarms from", "GreaterThanThreshold": "alarms above",
		"LessThanThreshold": "alarms below", "LessThanOrEqualToThreshold": "alarms up to",
	}[a.Comparison]
	if known > 0 {
		text = figure(worst) + " " + span + ", " + how + " " + figure(a.Threshold)
	}
	if a.Periods > 1 {
		text += fmt.Sprintf("; %d of %d periods breach, alarms at %d", breaching, a.Periods, a.Datapoints)
	}
	return text
}

func span(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%d d", d/(24*time.Hour))
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d min", d/time.Minute)
}

// points gives the value of each period, the earliest first; NaN where there is none.
func (s *Store) points(a Alarm, now time.Time) ([]float64, error) {
	first := now.Truncate(a.Period).Add(-time.Duration(a.Periods-1) * a.Period)
	byID := map[string][]float64{}
	for _, series := range a.Series {
		values, err := s.series(series, first, a.Period, a.Periods)
		if err != nil {
			return nil, err
		}
		byID[series.ID] = values
		if a.Expression == "" {
			return values, nil
		}
	}
	points := make([]float64, a.Periods)
	for i := range points {
		at := map[string]float64{}
		for id, values := range byID {
			at[id] = values[i]
		}
		value, err := compute(a.Expression, at)
		if err != nil {
			return nil, err
		}
		points[i] = value
	}
	return points, nil
}

// series makes one value of each period by the statistic.
func (s *Store) series(of Series, first time.Time, period time.Duration, periods int) ([]float64, error) {
	values, counts := make([]float64, periods), make([]int, periods)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.metrics {
		if d.Namespace != of.Namespace || d.Name != of.Name || !maps.Equal(d.Dimensions, of.Dimensions) || d.Time.Before(first) {
			continue
		}
		i := int(d.Time.Sub(first) / period)
		if i >= periods {
			continue
		}
		switch {
		case counts[i] == 0:
			values[i] = d.Value
		case of.Statistic == "Sum", of.Statistic == "Average":
			values[i] += d.Value
		case of.Statistic == "Maximum":
			values[i] = max(values[i], d.Value)
		case of.Statistic == "Minimum":
			values[i] = min(values[i], d.Value)
		}
		counts[i]++
	}
	for i, n := range counts {
		switch {
		case n == 0:
			values[i] = math.NaN()
		case of.Statistic == "Average":
			values[i] /= float64(n)
		case of.Statistic == "SampleCount":
			values[i] = float64(n)
		case of.Statistic != "Sum" && of.Statistic != "Maximum" && of.Statistic != "Minimum":
			return nil, fmt.Errorf("statistic %s of metric %s is not known here", of.Statistic, of.Name)
		}
	}
	return values, nil
}

func comparison(operator string) (func(value, threshold float64) bool, error) {
	switch operator {
	case "GreaterThanOrEqualToThreshold":
		return func(v, t float64) bool { return v >= t }, nil
	case "GreaterThanThreshold":
		return func(v, t float64) bool { return v > t }, nil
	case "LessThanThreshold":
		return func(v, t float64) bool { return v < t }, nil
	case "LessThanOrEqualToThreshold":
		return func(v, t float64) bool { return v <= t }, nil
	}
	return nil, fmt.Errorf("comparison %s is not known here", operator)
}
