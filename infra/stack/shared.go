package stack

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/glue"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"tributary/infra/component"
	"tributary/shared/contract"
	"tributary/shared/zone"
)

// shared is what all datasets of a stack use together.
type shared struct {
	dataKey, alertKey           *component.Key
	raw, lake, rejects, results *component.Bucket
	alerts                      *component.Topic
	secrets                     map[string]*component.Secret // by the name contracts use
	database                    *glue.CatalogDatabase
	audit                       *component.Table
	workgroup                   *component.Workgroup
	quickSight                  *component.DataSource // nil: nobody looks at the data there

	readerPolicy, rejectsPolicy, operatorPolicy pulumi.StringOutput
}

func newShared(ctx *pulumi.Context, p program, contracts []*contract.Contract) (*shared, error) {
	s := &shared{secrets: map[string]*component.Secret{}}
	for _, declare := range []func(*pulumi.Context, program, []*contract.Contract) error{
		s.declareKeys, s.declareBuckets, s.declareAlerts, s.declareSecrets, s.declareCatalog, s.declareAccess, s.declareQuickSight,
	} {
		if err := declare(ctx, p, contracts); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// declareKeys declares one key for data and one for alerts: CloudWatch must use the latter and must not the former.
func (s *shared) declareKeys(ctx *pulumi.Context, p program, _ []*contract.Contract) error {
	deletion := 7
	if p.Protect {
		deletion = 30
	}
	var err error
	s.dataKey, err = component.NewKey(ctx, "data", component.KeyArgs{
		Place: p.place, Alias: p.base + "-data", Description: "Raw bytes, lake, rejects, query results and secrets of " + p.base,
		DeletionDays: deletion, Protection: p.protection(),
	}, p.inAWS)
	if err != nil {
		return err
	}
	s.alertKey, err = component.NewKey(ctx, "alerts", component.KeyArgs{
		Place: p.place, Alias: p.base + "-alerts", Description: "Alerts of " + p.base,
		Alarms: p.alarms(), DeletionDays: deletion,
	}, p.inAWS)
	return err
}

func (s *shared) declareBuckets(ctx *pulumi.Context, p program, contracts []*contract.Contract) error {
	r := p.Retention
	var lake []component.Keep
	for _, c := range contracts {
		lake = append(lake, component.Keep{Name: c.Table, Prefix: zone.LakePrefix(c.Table), Days: p.lakeDays(days(c.Retention))})
	}
	for _, b := range []struct {
		kind       string
		bucket     **component.Bucket
		keep       []component.Keep
		disposable bool // whatever is in it can be made again
	}{
		{
			kind: rawBucket, bucket: &s.raw,
			keep: []component.Keep{{Name: "raw", Prefix: zone.RawRoot, Days: r.Raw, ArchiveDays: r.RawArchive}},
		},
		// Audit rows live for ever: the view of the newest runs and every replay look at them.
		{kind: lakeBucket, bucket: &s.lake, keep: lake},
		{kind: rejectsBucket, bucket: &s.rejects, keep: []component.Keep{{Name: "rejects", Days: r.Rejects}}},
		{kind: resultsBucket, bucket: &s.results, keep: []component.Keep{{Name: "results", Days: r.Results}}, disposable: true},
	} {
		args := component.BucketArgs{
			Place: p.place, Bucket: p.bucket(b.kind), KeyArn: s.dataKey.Arn, WriteOnce: writeOnce(b.kind), Keep: b.keep,
			NoncurrentDays: r.Noncurrent, Disposable: b.disposable || !p.Protect,
		}
		if !b.disposable {
			args.Protection = p.protection()
		}
		var err error
		if *b.bucket, err = component.NewBucket(ctx, b.kind, args, p.inAWS); err != nil {
			return err
		}
	}
	return nil
}

// writeOnce are the prefixes of a bucket below which nothing is replaced or deleted: raw bytes, but not the state of
// sources beside them.
func writeOnce(kind string) []string {
	if kind == rawBucket {
		return []string{zone.RawRoot}
	}
	return nil
}

func (s *shared) declareAlerts(ctx *pulumi.Context, p program, _ []*contract.Contract) error {
	var subscriptions []component.Subscription
	for _, a := range p.Alerts {
		subscriptions = append(subscriptions, component.Subscription(a))
	}
	var err error
	s.alerts, err = component.NewTopic(ctx, "alerts", component.TopicArgs{
		Place: p.place, Topic: p.topic(), KeyArn: s.alertKey.Arn, Alarms: p.alarms(), Subscriptions: subscriptions,
	}, p.inAWS)
	return err
}

// declareSecrets declares one secret for each name that contracts use; two datasets of one API may share it.
func (s *shared) declareSecrets(ctx *pulumi.Context, p program, contracts []*contract.Contract) error {
	recovery := 0
	if p.Protect {
		recovery = 30
	}
	for _, c := range contracts {
		if c.Source.Auth == nil || s.secrets[c.Source.Auth.Secret] != nil {
			continue
		}
		name := c.Source.Auth.Secret
		secret, err := component.NewSecret(ctx, "secret-"+name, component.SecretArgs{
			Secret: p.secret(name), Description: "API credentials " + name + " of " + p.base, KeyArn: s.dataKey.Arn,
			RecoveryDays: recovery, Protection: p.protection(),
		}, p.inAWS)
		if err != nil {
			return err
		}
		s.secrets[name] = secret
	}
	return nil
}

// Catalog is the component above what Athena needs once per stack.
type Catalog struct{ pulumi.ResourceState }

// CatalogType is the type token of Catalog.
const CatalogType = "tributary:stack:Catalog"

func (s *shared) declareCatalog(ctx *pulumi.Context, p program, _ []*contract.Contract) error {
	catalog := &Catalog{}
	if err := ctx.RegisterComponentResource(CatalogType, "catalog", catalog, p.inAWS); err != nil {
		return fmt.Errorf("declare catalog: %w", err)
	}
	child := pulumi.Parent(catalog)
	var err error
	s.database, err = glue.NewCatalogDatabase(ctx, "catalog", &glue.CatalogDatabaseArgs{
		Name:        pulumi.String(p.database()),
		Description: pulumi.String("Tables of " + p.base),
	}, child)
	if err != nil {
		return fmt.Errorf("declare database %s: %w", p.database(), err)
	}
	s.audit, err = component.NewTable(ctx, zone.AuditTable, component.TableArgs{
		Database: s.database.Name, Table: zone.AuditTable, Description: "One row per processed run",
		Format: component.JSONLines, Columns: jsonColumns(zone.AuditRow{}),
		Bucket: s.lake.Name, Prefix: zone.AuditPrefix, Since: p.FirstDay,
	}, child)
	if err != nil {
		return err
	}
	s.workgroup, err = component.NewWorkgroup(ctx, "queries", component.WorkgroupArgs{
		Place: p.place, Workgroup: p.workgroup(), Description: "Queries on the tables of " + p.base,
		ResultsBucket: s.results.Name, KeyArn: s.dataKey.Arn, ScanLimit: int64(p.ScanLimitMB) << 20, Disposable: !p.Protect,
	}, child)
	if err != nil {
		return err
	}
	if err := ctx.RegisterResourceOutputs(catalog, pulumi.Map{"database": s.database.Name, "workgroup": s.workgroup.Name}); err != nil {
		return fmt.Errorf("register outputs of catalog: %w", err)
	}
	return nil
}

// jsonColumns are the columns of a table of JSON lines, from the type that writes them.
func jsonColumns(row any) []component.GlueColumn {
	var columns []component.GlueColumn
	for _, c := range zone.Columns(row) {
		columns = append(columns, component.GlueColumn{Name: c.Name, Type: c.Type})
	}
	return columns
}

// parquetColumns are the columns of a dataset's table, from its contract.
func parquetColumns(c *contract.Contract) []component.GlueColumn {
	columns := make([]component.GlueColumn, len(c.Columns))
	for i, column := range c.Columns {
		columns[i] = component.GlueColumn{Name: column.Name, Type: column.Type.Glue(), Comment: column.Description}
	}
	return slices.Clip(columns)
}

// export tells operators and tools where everything is.
func (s *shared) export(ctx *pulumi.Context, p program) {
	ctx.Export("region", pulumi.String(p.Region))
	ctx.Export("environment", pulumi.String(p.Environment))
	ctx.Export("rawBucket", s.raw.Name)
	ctx.Export("lakeBucket", s.lake.Name)
	ctx.Export("rejectsBucket", s.rejects.Name)
	ctx.Export("resultsBucket", s.results.Name)
	ctx.Export("alertTopic", s.alerts.Arn)
	ctx.Export("database", s.database.Name)
	ctx.Export("workgroup", s.workgroup.Name)
	ctx.Export("readerPolicy", s.readerPolicy)
	ctx.Export("rejectsReaderPolicy", s.rejectsPolicy)
	ctx.Export("operatorPolicy", s.operatorPolicy)
}
