// Package cloudwatch keeps the logs of functions and the metrics that stand in them (embedded metric format) or come
// from the services themselves.
package cloudwatch

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
)

// Line is a line of a log.
type Line struct {
	Time      time.Time
	Function  string
	RequestID string
	Text      string
}

// Datum is one value of a metric.
type Datum struct {
	Namespace  string            `json:"namespace"`
	Name       string            `json:"name"`
	Dimensions map[string]string `json:"dimensions"`
	Value      float64           `json:"value"`
	Unit       string            `json:"unit"`
	Time       time.Time         `json:"time"`
}

// Store keeps logs and metrics. It is safe for concurrent use.
type Store struct {
	mu      sync.Mutex
	groups  map[string][]Line
	metrics []Datum
}

// NewStore makes a store without log groups.
func NewStore() *Store { return &Store{groups: map[string][]Line{}} }

// CreateGroup makes a log group.
func (s *Store) CreateGroup(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.groups[name]; !ok {
		s.groups[name] = nil
	}
}

// HasGroup tells whether there is such a log group.
func (s *Store) HasGroup(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.groups[name]
	return ok
}

// Write keeps a line and the metrics in it.
func (s *Store) Write(group string, line Line) {
	data := ParseEMF(line.Text)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups[group] = append(s.groups[group], line)
	s.metrics = append(s.metrics, data...)
}

// Put keeps a value that a service measured.
func (s *Store) Put(d Datum) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.metrics = append(s.metrics, d)
}

// Lines returns what a function wrote, in order.
func (s *Store) Lines(function string) []Line {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []Line
	for _, group := range s.groups {
		for _, line := range group {
			if line.Function == function {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// Metrics returns all values in the order of their arrival.
func (s *Store) Metrics() []Datum {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.metrics)
}

var levels = []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}

// Passes tells whether a function with JSON logs at the given application level keeps the line. A line that is no JSON
// or has no level counts as INFO.
func Passes(text, least string) bool {
	wanted := slices.Index(levels, strings.ToUpper(least))
	if wanted < 0 {
		return true
	}
	var line struct {
		Level string `json:"level"`
	}
	have := slices.Index(levels, "INFO")
	if json.Unmarshal([]byte(text), &line) == nil {
		if i := slices.Index(levels, strings.ToUpper(line.Level)); i >= 0 {
			have = i
		}
	}
	return have >= wanted
}

// ParseEMF reads the metrics of a line in embedded metric format; other lines have none. A directive that does not
// follow the specification is dropped, as CloudWatch drops it.
func ParseEMF(text string) []Datum {
	if !strings.Contains(text, `"_aws"`) {
		return nil
	}
	var members map[string]json.RawMessage
	var header struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	}
	if json.Unmarshal([]byte(text), &members) != nil || json.Unmarshal(members["_aws"], &header) != nil {
		return nil
	}
	var data []Datum
	for _, directive := range header.CloudWatchMetrics {
		for _, set := range directive.Dimensions {
			dimensions, ok := readDimensions(members, set)
			if !ok {
				continue
			}
			for _, metric := range directive.Metrics {
				for _, value := range readValues(members[metric.Name]) {
					data = append(data, Datum{Namespace: directive.Namespace, Name: metric.Name, Dimensions: dimensions, Value: value,
						Unit: metric.Unit, Time: time.UnixMilli(header.Timestamp).UTC()})
				}
			}
		}
	}
	return data
}

func readDimensions(members map[string]json.RawMessage, names []string) (map[string]string, bool) {
	dimensions := make(map[string]string, len(names))
	for _, name := range names {
		var value string
		if json.Unmarshal(members[name], &value) != nil || value == "" {
			return nil, false
		}
		dimensions[name] = value
	}
	return dimensions, true
}

func readValues(raw json.RawMessage) []float64 {
	var one float64
	if json.Unmarshal(raw, &one) == nil {
		return []float64{one}
	}
	var many []float64
	if json.Unmarshal(raw, &many) == nil {
		return many
	}
	return nil
}
