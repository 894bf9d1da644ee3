package cli

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// outputs are the stack's outputs, as far as the local environment looks at them.
type outputs struct {
	RawBucket     string                    `json:"rawBucket"`
	LakeBucket    string                    `json:"lakeBucket"`
	RejectsBucket string                    `json:"rejectsBucket"`
	AlertTopic    string                    `json:"alertTopic"`
	Datasets      map[string]datasetOutputs `json:"datasets"`
}

type datasetOutputs struct {
	ServingTable    string `json:"servingTable"` // empty: not served
	IngestFunction  string `json:"ingestFunction"`
	ProcessFunction string `json:"processFunction"`
	Secret          string `json:"secret"` // empty: the source needs none

	IngestFailures      string `json:"ingestFailures"` // URLs of queues
	ProcessFailures     string `json:"processFailures"`
	ScheduleUndelivered string `json:"scheduleUndelivered"`
}

func readOutputs(exports map[string]any) (outputs, error) {
	var o outputs
	raw, err := json.Marshal(exports)
	if err == nil {
		err = json.Unmarshal(raw, &o)
	}
	if err != nil {
		return o, fmt.Errorf("read outputs of the stack: %w", err)
	}
	return o, nil
}

// buckets are the names of the buckets by their role, which names their folder in .local.
func (o outputs) buckets() map[string]string {
	return map[string]string{"raw": o.RawBucket, "lake": o.LakeBucket, "rejects": o.RejectsBucket}
}

// queues are the URLs of the failure queues by their name.
func (o outputs) queues() map[string]string {
	urls := map[string]string{}
	for _, d := range o.Datasets {
		for _, url := range []string{d.IngestFailures, d.ProcessFailures, d.ScheduleUndelivered} {
			urls[path.Base(url)] = url
		}
	}
	return urls
}

// function is the full name of a function that is given as ingest, process or in full.
func (o outputs) function(dataset, name string) (string, error) {
	switch d := o.Datasets[dataset]; name {
	case "ingest":
		return d.IngestFunction, nil
	case "process":
		return d.ProcessFunction, nil
	}
	names := o.functions()
	if slices.Contains(names, name) {
		return name, nil
	}
	return "", fmt.Errorf("%w: there is no function %s; there is ingest or process, or in full %s", errUsage, name, strings.Join(names, ", "))
}

// functions are the full names of all functions, sorted.
func (o outputs) functions() []string {
	var names []string
	for _, d := range o.Datasets {
		names = append(names, d.IngestFunction, d.ProcessFunction)
	}
	slices.Sort(names)
	return names
}
