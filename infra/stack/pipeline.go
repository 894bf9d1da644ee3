package stack

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"

	"tributary/infra/artifact"
	"tributary/infra/component"
	"tributary/shared/contract"
	"tributary/shared/settings"
	"tributary/shared/zone"
)

// PipelineType is the type token of Pipeline.
const PipelineType = "tributary:stack:Pipeline"

// Pipeline is everything that one dataset has to itself, from its schedule to its tables.
//
// A contract that breaks readers brings a new major version and a new table. The old one is no longer written: in a
// protected stack its Glue table stays in the catalog and its serving table in DynamoDB (Pulumi asks for `pulumi state
// unprotect` first), so that readers move when they are ready; its files lose their lifecycle rule and stay until
// somebody deletes them, because nobody else can say that they are no longer read.
type Pipeline struct {
	pulumi.ResourceState

	contract        *contract.Contract
	tags            map[string]string
	view            *component.View
	serving         *component.Serving // nil: not served
	ingest, process *component.Function
	permission      *lambda.Permission
	watch           *component.Watch
	outputs         pulumi.Map
}

// newPipeline declares all of a dataset but its schedule, which waits for the bucket's notification.
func newPipeline(ctx *pulumi.Context, p program, s *shared, c *contract.Contract) (*Pipeline, error) {
	l := &Pipeline{contract: c, tags: map[string]string{datasetTag: c.Dataset}}
	if err := ctx.RegisterComponentResource(PipelineType, c.Dataset, l, p.inAWS); err != nil {
		return nil, err
	}
	for _, declare := range []func(*pulumi.Context, program, *shared) error{
		l.declareTables, l.declareDataSet, l.declareServing, l.declareIngest, l.declareProcess, l.declarePermission,
	} {
		if err := declare(ctx, p, s); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *Pipeline) declareTables(ctx *pulumi.Context, p program, s *shared) error {
	c := l.contract
	table, err := component.NewTable(ctx, c.Table, component.TableArgs{
		Database: s.database.Name, Table: c.Table, Description: c.Description,
		Format: component.Parquet, Columns: parquetColumns(c),
		Bucket: s.lake.Name, Prefix: zone.LakePrefix(c.Table), Since: p.FirstDay, Retain: p.Protect,
	}, pulumi.Parent(l))
	if err != nil {
		return err
	}
	rejects, err := component.NewTable(ctx, zone.RejectsTable(c.Dataset), component.TableArgs{
		Database: s.database.Name, Table: zone.RejectsTable(c.Dataset), Description: "Rejected records of " + c.Dataset + " with their reasons",
		Format: component.JSONLines, Columns: jsonColumns(zone.RejectRow{}),
		Bucket: s.rejects.Name, Prefix: zone.RejectsPrefix(c.Dataset), Since: p.FirstDay,
	}, pulumi.Parent(l))
	if err != nil {
		return err
	}
	from := sources{names: p.names, contract: c}
	sql, columns := latest(from)
	l.view, err = component.NewView(ctx, latestName(c.Dataset), component.ViewArgs{
		Database: s.database.Name, DatabaseName: p.database(), View: latestName(c.Dataset),
		Description: "The newest whole run of " + c.Dataset, SQL: sql, Columns: columns,
	}, pulumi.Parent(l))
	if err != nil {
		return err
	}
	if _, err := component.NewQueries(ctx, c.Dataset+"-queries", component.QueriesArgs{
		Prefix: p.base + " " + c.Dataset, Database: s.database.Name, Workgroup: s.workgroup.Name, Queries: queries(from),
	}, pulumi.Parent(l)); err != nil {
		return err
	}
	l.outputs = pulumi.Map{"table": table.Name, "rejectsTable": rejects.Name, "latestView": l.view.Name}
	return nil
}

func (l *Pipeline) declareServing(ctx *pulumi.Context, p program, _ *shared) error {
	serving := l.contract.Serving
	if serving == nil {
		return nil
	}
	args := component.ServingArgs{
		Table:        p.serving(l.contract.Table),
		PartitionKey: keyAttribute(l.contract, serving.PartitionKey),
		RecoveryDays: p.Retention.Restore,
		Protection:   p.protection(),
		Tags:         l.tags,
	}
	if serving.SortKey != "" {
		key := keyAttribute(l.contract, serving.SortKey)
		args.SortKey = &key
	}
	if serving.TTL > 0 {
		args.TTLAttribute = zone.ItemExpires
	}
	var err error
	l.serving, err = component.NewServing(ctx, l.contract.Dataset+"-serving", args, pulumi.Parent(l))
	if err != nil {
		return err
	}
	application, err := component.NewAccess(ctx, l.contract.Dataset+"-application", component.AccessArgs{
		Policy: p.application(l.contract.Dataset), Description: "Read the serving table of " + l.contract.Dataset,
		Grants: pulumix.Val(applicationGrants(p.names, l.contract)), Tags: l.tags,
	}, pulumi.Parent(l))
	if err != nil {
		return err
	}
	l.outputs["servingTable"], l.outputs["applicationPolicy"] = l.serving.Name, application.Arn
	return nil
}

// keyAttribute is the DynamoDB type of a column that is part of a key.
func keyAttribute(c *contract.Contract, column string) component.KeyAttribute {
	for i := range c.Columns {
		if c.Columns[i].Name != column {
			continue
		}
		switch c.Columns[i].Type.Kind {
		case contract.Integer, contract.Double, contract.Decimal:
			return component.KeyAttribute{Name: column, Type: "N"}
		default:
			return component.KeyAttribute{Name: column, Type: "S"}
		}
	}
	return component.KeyAttribute{Name: column}
}

func (l *Pipeline) declareIngest(ctx *pulumi.Context, p program, s *shared) error {
	c := l.contract
	variables := pulumi.StringMap{
		settings.Environment:     pulumi.String(p.Environment),
		settings.RawBucket:       s.raw.Name,
		settings.LakeBucket:      s.lake.Name,
		settings.ProcessFunction: pulumi.String(p.function(processFunction, c.Dataset)),
	}
	if url := p.Datasets[c.Dataset].SourceURL; url != "" {
		variables[settings.SourceURL] = pulumi.String(url)
	}
	secret := pulumi.String("").ToStringOutput()
	if c.Source.Auth != nil {
		secret = s.secrets[c.Source.Auth.Secret].Arn
		variables[settings.SourceSecret] = secret
		l.outputs["secret"] = s.secrets[c.Source.Auth.Secret].Name
	}
	grants := pulumix.Apply2(s.dataKey.Arn, secret, func(key, secret string) []component.Grant {
		return ingestGrants(p.names, c, key, secret)
	})
	var err error
	l.ingest, err = l.declareFunction(ctx, p, ingestFunction, "Fetches "+c.Dataset+" from its source into the raw zone", p.ingest(c.Dataset), variables, grants)
	return err
}

func (l *Pipeline) declareProcess(ctx *pulumi.Context, p program, s *shared) error {
	c := l.contract
	variables := pulumi.StringMap{
		settings.Environment:   pulumi.String(p.Environment),
		settings.Stack:         pulumi.String(ctx.Stack()),
		settings.RawBucket:     s.raw.Name,
		settings.LakeBucket:    s.lake.Name,
		settings.RejectsBucket: s.rejects.Name,
		settings.AlertTopic:    s.alerts.Arn,
	}
	if l.serving != nil {
		variables[settings.ServingTable] = l.serving.Name
	}
	grants := pulumix.Apply2(s.dataKey.Arn, s.alertKey.Arn, func(data, alert string) []component.Grant {
		return processGrants(p.names, c, data, alert)
	})
	var err error
	l.process, err = l.declareFunction(ctx, p, processFunction, "Validates runs of "+c.Dataset+" and writes lake, rejects and serving table", p.process(c.Dataset), variables, grants)
	return err
}

// asynchronousRetries are Lambda's: a transient fault gets two more chances before it goes to the failure queue.
const asynchronousRetries = 2

func (l *Pipeline) declareFunction(ctx *pulumi.Context, p program, kind, description string, size FunctionConfig, variables pulumi.StringMap, grants pulumix.Input[[]component.Grant]) (*component.Function, error) {
	zip := artifact.Zip(p.root, p.Artifacts, kind, l.contract.Dataset)
	hash, err := hashFile(zip)
	if err != nil {
		return nil, err
	}
	function, err := component.NewFunction(ctx, l.contract.Dataset+"-"+kind, component.FunctionArgs{
		Place: p.place, Function: p.function(kind, l.contract.Dataset), Description: description,
		Zip: zip, ZipHash: hash, MemoryMB: size.MemoryMB, TimeoutSecs: size.TimeoutSeconds, ReservedConcurrency: size.ReservedConcurrency,
		Environment: variables, Grants: grants, Boundary: p.boundary(), Retries: asynchronousRetries, LogRetentionDays: p.Retention.Logs, Tags: l.tags,
	}, pulumi.Parent(l))
	if err != nil {
		return nil, err
	}
	l.outputs[kind+"Function"] = function.Name
	l.outputs[kind+"Failures"] = function.FailuresURL
	return function, nil
}

func hashFile(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read deployment package (run `go tool mage build`): %w", err)
	}
	sum := sha256.Sum256(data)
	return base64.StdEncoding.EncodeToString(sum[:]), nil
}

// declarePermission gives the process function the statement of rawBucketInvokes.
func (l *Pipeline) declarePermission(ctx *pulumi.Context, p program, s *shared) error {
	statement := rawBucketInvokes(p.names, l.contract.Dataset)
	var err error
	l.permission, err = lambda.NewPermission(ctx, l.contract.Dataset+"-process", &lambda.PermissionArgs{
		StatementId:   pulumi.String(statement.Sid),
		Action:        pulumi.String(statement.Action[0]),
		Function:      l.process.Name,
		Principal:     pulumi.String(statement.Principal.Service),
		SourceArn:     s.raw.Arn,
		SourceAccount: pulumi.String(p.place.Account),
	}, pulumi.Parent(l))
	if err != nil {
		return fmt.Errorf("declare permission of the raw bucket: %w", err)
	}
	return nil
}

// trigger is the dataset's rule in the raw bucket's notification.
func (l *Pipeline) trigger() *s3.BucketNotificationLambdaFunctionArgs {
	return &s3.BucketNotificationLambdaFunctionArgs{
		Id:                pulumi.String(l.contract.Dataset),
		LambdaFunctionArn: l.process.Arn,
		Events:            pulumi.StringArray{pulumi.String("s3:ObjectCreated:*")},
		FilterPrefix:      pulumi.String(zone.RawPrefix(l.contract.Dataset)),
		FilterSuffix:      pulumi.String("/" + zone.ManifestName),
	}
}

// ScheduledEvent is what the schedule hands the ingest function.
type ScheduledEvent struct {
	Dataset     string `json:"dataset"`
	ScheduledAt string `json:"scheduledAt"`
}

// start declares the schedule and the alarms. The first run of a first deployment must find everything as every later
// one does: the notification, buckets that encrypt, failure queues behind both functions, a topic that takes alarms.
func (l *Pipeline) start(ctx *pulumi.Context, p program, s *shared, notification *s3.BucketNotification) error {
	c := l.contract
	schedule, err := component.NewSchedule(ctx, c.Dataset+"-schedule", component.ScheduleArgs{
		Place: p.place, Schedule: p.schedule(c.Dataset), Description: "Ingests " + c.Dataset, Boundary: p.boundary(),
		Expression: c.Schedule.Expression, Enabled: p.enabled(c.Dataset),
		Function: p.function(ingestFunction, c.Dataset), FunctionArn: l.ingest.Arn,
		Input: ScheduledEvent{Dataset: c.Dataset, ScheduledAt: component.ScheduledTime},
		// Not the components: the SDK learns of their children in its own time, and waits for those it knows by then.
		After: []pulumi.Resource{notification, s.lake.Policy, s.rejects.Policy, s.alerts.Policy, l.ingest.Guard},
		Tags:  l.tags,
	}, pulumi.Parent(l))
	if err != nil {
		return err
	}
	l.watch, err = component.NewWatch(ctx, c.Dataset+"-watch", component.WatchArgs{
		Prefix: p.alarm(c.Dataset), TopicArn: s.alerts.Arn, Alarms: alarms(p, c), Tags: l.tags,
	}, pulumi.Parent(l))
	if err != nil {
		return err
	}
	l.outputs["schedule"] = pulumi.String(p.schedule(c.Dataset))
	l.outputs["scheduleUndelivered"] = schedule.UndeliveredURL
	if err := ctx.RegisterResourceOutputs(l, l.outputs); err != nil {
		return fmt.Errorf("register outputs: %w", err)
	}
	return nil
}
