// Package console is the operators' commands: it reads how they were called, wires the use cases of shared/ops to the
// stores, functions and queues that a stack's outputs name, and prints what they say. A deployed stack and the local
// environment differ in the AWS configuration and the outputs, and in nothing else.
package console

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"tributary/infra/input"
	"tributary/shared/cloud"
	"tributary/shared/contract"
	"tributary/shared/ops"
)

// Outputs are the stack's outputs, as far as operators need them.
type Outputs struct {
	Region        string                    `json:"region"`
	RawBucket     string                    `json:"rawBucket"`
	LakeBucket    string                    `json:"lakeBucket"`
	RejectsBucket string                    `json:"rejectsBucket"`
	Datasets      map[string]DatasetOutputs `json:"datasets"`

	OperatorPolicy string `json:"operatorPolicy"` // ARN
}

// DatasetOutputs are those of one dataset. Queues are given by URL.
type DatasetOutputs struct {
	IngestFunction      string `json:"ingestFunction"`
	ProcessFunction     string `json:"processFunction"`
	IngestFailures      string `json:"ingestFailures"`
	ProcessFailures     string `json:"processFailures"`
	ScheduleUndelivered string `json:"scheduleUndelivered"`
	ServingTable        string `json:"servingTable"` // "": the dataset is not served
	Secret              string `json:"secret"`       // "": the source asks for none
}

// ReadOutputs reads what pulumi stack output --json prints.
func ReadOutputs(text []byte) (Outputs, error) {
	var o Outputs
	if err := input.JSON(text, &o); err != nil {
		return o, fmt.Errorf("read outputs of the stack: they are not what `pulumi stack output --json` prints: %w", err)
	}
	var lacks []string
	need := func(name, value string) {
		if value == "" {
			lacks = append(lacks, name)
		}
	}
	need("region", o.Region)
	need("rawBucket", o.RawBucket)
	need("lakeBucket", o.LakeBucket)
	need("rejectsBucket", o.RejectsBucket)
	if len(o.Datasets) == 0 {
		lacks = append(lacks, "datasets")
	}
	for _, name := range slices.Sorted(maps.Keys(o.Datasets)) {
		d, at := o.Datasets[name], "datasets."+name+"."
		need(at+"ingestFunction", d.IngestFunction)
		need(at+"processFunction", d.ProcessFunction)
		need(at+"ingestFailures", d.IngestFailures)
		need(at+"processFailures", d.ProcessFailures)
		need(at+"scheduleUndelivered", d.ScheduleUndelivered)
	}
	if len(lacks) > 0 {
		return o, fmt.Errorf("read outputs of the stack: they lack %s: deploy the stack first, with pulumi up", strings.Join(lacks, ", "))
	}
	return o, nil
}

// Target is what the commands work on.
type Target struct {
	Name      string // stack dev, the local environment, …
	AWS       aws.Config
	Outputs   Outputs
	Contracts []*contract.Contract // all datasets
}

// pipeline is one dataset of the target.
type pipeline struct {
	contract           *contract.Contract
	outputs            DatasetOutputs
	raw, lake, rejects *cloud.Bucket
	ingest, process    *cloud.Function
	items              *cloud.Table // nil: the dataset is not served
	secrets            *cloud.Secrets
	queues             []failureQueue
}

// failureQueue is a queue with the function that its events are for.
type failureQueue struct {
	one      string // what waits in it
	many     string
	queue    *cloud.Queue
	function *cloud.Function
	of       string // name of the function
}

// pipelines are those of a dataset, or all that were deployed; absent are datasets that were not.
func (t Target) pipelines(dataset string) (found []pipeline, absent []string, err error) {
	var names []string
	for _, c := range t.Contracts {
		names = append(names, c.Dataset)
		if dataset != "" && c.Dataset != dataset {
			continue
		}
		if outputs, ok := t.Outputs.Datasets[c.Dataset]; ok {
			found = append(found, t.pipeline(c, outputs))
		} else {
			absent = append(absent, c.Dataset)
		}
	}
	switch {
	case len(found) > 0:
		return found, absent, nil
	case len(absent) > 0:
		return nil, nil, fmt.Errorf("find dataset %s: %s does not have it: deploy it first, with pulumi up", strings.Join(absent, ", "), t.Name)
	}
	return nil, nil, fmt.Errorf("%w: there is no dataset %s; there is %s", ErrUsage, dataset, strings.Join(names, ", "))
}

func (t Target) pipeline(c *contract.Contract, outputs DatasetOutputs) pipeline {
	buckets, queues := s3.NewFromConfig(t.AWS), sqs.NewFromConfig(t.AWS)
	functions := lambda.NewFromConfig(t.AWS)
	p := pipeline{
		contract: c, outputs: outputs,
		raw:     cloud.NewBucket(buckets, t.Outputs.RawBucket),
		lake:    cloud.NewBucket(buckets, t.Outputs.LakeBucket),
		rejects: cloud.NewBucket(buckets, t.Outputs.RejectsBucket),
		ingest:  cloud.NewFunction(functions, outputs.IngestFunction),
		process: cloud.NewFunction(functions, outputs.ProcessFunction),
		secrets: cloud.NewSecrets(secretsmanager.NewFromConfig(t.AWS)),
	}
	if outputs.ServingTable != "" {
		p.items = cloud.NewTable(dynamodb.NewFromConfig(t.AWS), outputs.ServingTable)
	}
	p.queues = []failureQueue{
		{"failed ingest", "failed ingests", cloud.NewQueue(queues, outputs.IngestFailures), p.ingest, outputs.IngestFunction},
		{"failed run", "failed runs", cloud.NewQueue(queues, outputs.ProcessFailures), p.process, outputs.ProcessFunction},
		{"undelivered schedule", "undelivered schedules", cloud.NewQueue(queues, outputs.ScheduleUndelivered), p.ingest, outputs.IngestFunction},
	}
	return p
}

func (p pipeline) counters() map[string]ops.Counter {
	counters := map[string]ops.Counter{}
	for _, q := range p.queues {
		counters[q.many] = q.queue
	}
	return counters
}
