package stack

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"

	"tributary/infra/component"
	"tributary/shared/contract"
)

// declareQuickSight declares the data source of all datasets, where settings name somebody who may use it.
func (s *shared) declareQuickSight(ctx *pulumi.Context, p program, _ []*contract.Contract) error {
	if p.QuickSight == nil {
		return nil
	}
	access, err := component.NewAccess(ctx, "quicksight", component.AccessArgs{
		Policy: p.base + "-quicksight", Description: "Let QuickSight query the lake of " + p.base + " with Athena",
		Grants: pulumix.Apply(s.dataKey.Arn, func(key string) []component.Grant { return quickSightGrants(p.names, key) }),
	}, p.inAWS)
	if err != nil {
		return err
	}
	s.quickSight, err = component.NewDataSource(ctx, "quicksight", component.DataSourceArgs{
		ID: p.base, Title: "Lake of " + p.base, Workgroup: s.workgroup.Name, Principal: p.QuickSight.Principal,
		ServiceRole: p.QuickSight.ServiceRole, PolicyArn: access.Arn,
	}, p.inAWS)
	return err
}

// quickSightGrants are the reader's and what QuickSight's Athena driver calls beside them, as far as it can be said of one
// stack: AWS's own policy AWSQuicksightAthenaAccess, which the account's role usually has, allows it everywhere.
func quickSightGrants(n names, keyARN string) []component.Grant {
	p := n.place
	return append(readerGrants(n, keyARN),
		component.Grant{
			Class: component.Behalf, Name: "StreamResults", Actions: []string{"athena:BatchGetQueryExecution", "athena:GetQueryResultsStream"},
			Resources: []string{p.AthenaARN("workgroup/" + n.workgroup())}, Why: "QuickSight's driver fetches results as a stream",
		},
		component.Grant{
			Class: component.Behalf, Name: "BrowseCatalog", Actions: []string{"athena:ListDatabases", "athena:ListTableMetadata"},
			Resources: []string{p.AthenaARN("datacatalog/AwsDataCatalog")}, Why: "QuickSight shows tables to choose from",
		},
		component.Grant{
			Class: component.Behalf, Name: "BrowseDatabases", Actions: []string{"glue:GetDatabases"},
			Resources: []string{p.GlueARN("catalog"), p.GlueARN("database/default"), p.GlueARN("database/" + n.database())},
			Why:       "the same, as Athena asks Glue for it",
		},
		component.Grant{
			Class: component.Behalf, Name: "ReadVersions", Actions: []string{"s3:GetObjectVersion"}, Resources: []string{p.ObjectARN(n.bucket(lakeBucket), "*")},
			Why: "QuickSight asks for files by version in buckets that keep versions",
		},
		component.Grant{
			Class: component.Behalf, Name: "SeeUploads", Actions: []string{"s3:ListBucketMultipartUploads"}, Resources: []string{p.BucketARN(n.bucket(resultsBucket))},
			Why: "QuickSight checks that Athena can write results",
		})
}

// declareDataSet declares what QuickSight loads of a dataset: its newest whole run, which is what fits into memory
// however old the lake grows.
func (l *Pipeline) declareDataSet(ctx *pulumi.Context, p program, s *shared) error {
	if p.QuickSight == nil {
		return nil
	}
	sql, columns := dataSet(sources{names: p.names, contract: l.contract})
	set, err := component.NewDataSet(ctx, l.contract.Dataset+"-quicksight", component.DataSetArgs{
		ID: p.base + "-" + l.contract.Dataset, Title: p.base + " " + l.contract.Dataset, SourceArn: s.quickSight.Arn,
		SQL: sql, Columns: columns, Principal: p.QuickSight.Principal, RefreshAt: p.QuickSight.RefreshAt,
		After: []pulumi.Resource{l.view.Table}, Tags: l.tags,
	}, pulumi.Parent(l))
	if err != nil {
		return err
	}
	l.outputs["quickSightDataSet"] = set.Arn
	return nil
}

// dataSet is a query on the newest whole run in the types that QuickSight keeps: lists and structs become JSON text,
// truth becomes 1 and 0.
func dataSet(s sources) (string, []component.DataSetColumn) {
	var selected []string
	var columns []component.DataSetColumn
	for i := range s.contract.Columns {
		c := &s.contract.Columns[i]
		name := quote(c.Name)
		expression := name
		var kind string
		switch c.Type.Kind {
		case contract.Integer:
			kind = "INTEGER"
		case contract.Double, contract.Decimal:
			kind = "DECIMAL"
		case contract.Boolean:
			expression, kind = fmt.Sprintf("CAST(%s AS integer) AS %s", name, name), "INTEGER"
		case contract.Timestamp, contract.Date:
			kind = "DATETIME"
		case contract.List, contract.Struct:
			expression, kind = fmt.Sprintf("json_format(CAST(%s AS json)) AS %s", name, name), "STRING"
		default: // String and JSON text
			kind = "STRING"
		}
		selected = append(selected, expression)
		columns = append(columns, component.DataSetColumn{Name: c.Name, Type: kind})
	}
	return fmt.Sprintf("SELECT %s\nFROM %s", strings.Join(selected, ", "), s.table(latestName(s.contract.Dataset))), columns
}
