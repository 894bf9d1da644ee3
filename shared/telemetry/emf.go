package telemetry

import (
	"bytes"
	"encoding/json"
	"time"
)

// metricLine is one embedded metric document before it is encoded.
type metricLine struct {
	dimensions []member
	properties []member
	metrics    []metric
}

type member struct{ name, value string }

type metric struct {
	name, unit string
	value      any
}

// maxDimension is CloudWatch's limit on a dimension's value.
const maxDimension = 1024

// document is the line in the Embedded Metric Format: _aws says which members are metrics, all others are properties.
func (m metricLine) document(now time.Time) ordered {
	type definition struct {
		Name string
		Unit string
	}
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []definition
	}
	type metadata struct {
		Timestamp         int64
		CloudWatchMetrics []directive
	}
	d := directive{Namespace: Namespace, Dimensions: [][]string{{}}}
	var body ordered
	for _, x := range m.dimensions {
		value := x.value
		if len(value) > maxDimension {
			value = value[:maxDimension]
		}
		d.Dimensions[0] = append(d.Dimensions[0], x.name)
		body = append(body, pair{x.name, value})
	}
	for _, x := range m.properties {
		if x.value != "" {
			body = append(body, pair{x.name, x.value})
		}
	}
	for _, x := range m.metrics {
		d.Metrics = append(d.Metrics, definition{x.name, x.unit})
		body = append(body, pair{x.name, x.value})
	}
	head := pair{"_aws", metadata{Timestamp: now.UnixMilli(), CloudWatchMetrics: []directive{d}}}
	return append(ordered{head}, body...)
}

// ordered is a JSON object whose members keep their order.
type ordered []pair

type pair struct {
	name  string
	value any
}

// MarshalJSON writes the members as they come.
func (o ordered) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, p := range o {
		b.WriteByte("{,"[min(i, 1)])
		for j, part := range []any{p.name, p.value} {
			text, err := json.Marshal(part)
			if err != nil {
				return nil, err
			}
			if j > 0 {
				b.WriteByte(':')
			}
			b.Write(text)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
