package local

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"tributary/infra/local/catalog"
	"tributary/infra/local/monitor"
)

const functionType = "aws:lambda/function:Function"

// remakers bring a resource that is there already to what the program says now. A provisioned type without an entry cannot
// change while the environment runs.
var remakers = map[string]func(*Env, declared) error{
	functionType: (*Env).remakeFunction,
	"aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": (*Env).makeInvokeConfig,
	"aws:iam/rolePolicy:RolePolicy":                                  (*Env).makeRolePolicy,
	"aws:iam/policy:Policy":                                          makers["aws:iam/policy:Policy"],
	"aws:s3/bucketPolicy:BucketPolicy":                               makers["aws:s3/bucketPolicy:BucketPolicy"],
	"aws:sqs/queuePolicy:QueuePolicy":                                (*Env).makeQueuePolicy,
	"aws:sns/topicPolicy:TopicPolicy":                                makers["aws:sns/topicPolicy:TopicPolicy"],
	"aws:scheduler/schedule:Schedule":                                (*Env).makeSchedule,
}

// Redeploy runs the program again, as an update of the stack does, and brings functions, their policies and what is only
// recorded to what it says now. What buckets, tables, topics and queues hold stays, and so do endpoint and credentials;
// invocations that are running end on the code they began with. It returns what changed.
//
// When the program fails, or has resources more or less, or changes one that cannot be changed here, nothing is done, and
// the error names them all. No other method may be called meanwhile.
func (e *Env) Redeploy(ctx context.Context, settings map[string]any) ([]monitor.Resource, error) {
	project, config, err := monitor.Config(e.options.Root, e.options.Stack, settings)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	recording, err := e.options.run(ctx, project, config, e.known)
	if err != nil {
		return nil, err
	}
	changed, refused := changes(e.recording.Resources, recording.Resources)
	if len(refused) > 0 {
		return nil, fmt.Errorf("redeploy %s: the environment needs to be started anew, because of %s", e.options.Stack, strings.Join(refused, ", "))
	}
	for _, r := range changed {
		remake, ok := remakers[r.Type]
		if !ok {
			continue // recorded only
		}
		if err := remake(e, declared{Resource: r, id: r.ID, outputs: r.Outputs, region: e.known.Scope(r).Region}); err != nil {
			return nil, fmt.Errorf("redeploy %s: %w", r.Name, err)
		}
	}
	e.recording = recording
	return changed, nil
}

// changes compares what the program declared with what it declares now, and lists what has changed and what cannot.
func changes(before, after []monitor.Resource) (changed []monitor.Resource, refused []string) {
	former := make(map[string]monitor.Resource, len(before))
	for _, r := range before {
		former[r.URN] = r
	}
	for _, r := range after {
		old, ok := former[r.URN]
		delete(former, r.URN)
		if ok && (!r.Custom || reflect.DeepEqual(old.Inputs, r.Inputs)) {
			continue
		}
		known, _ := catalog.Lookup(r.Type)
		switch {
		case !ok:
			refused = append(refused, "the new "+label(r))
		case known.Kind == catalog.Provisioned && remakers[r.Type] == nil:
			refused = append(refused, "the changed "+label(r))
		default:
			changed = append(changed, r)
		}
	}
	for _, r := range before {
		if _, gone := former[r.URN]; gone {
			refused = append(refused, label(r)+", which is gone")
		}
	}
	return changed, refused
}

// label names a resource as people know it: the last part of its type, and its name in the program.
func label(r monitor.Resource) string {
	return r.Type[strings.LastIndexByte(r.Type, ':')+1:] + " " + r.Name
}

// remakeFunction deploys a function anew, with what its failed events have been told to do.
func (e *Env) remakeFunction(d declared) error {
	former, err := e.hosts.Function(d.out("name"))
	if err != nil {
		return err
	}
	if err := e.makeFunction(d); err != nil {
		return err
	}
	return e.hosts.Configure(former.Name, former.Async)
}
