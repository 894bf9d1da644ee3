package component

import (
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/athena"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// QueriesType is the type token of Queries.
const QueriesType = typePrefix + "Queries"

var queryName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Query is one query that people start from.
type Query struct {
	Name        string // completes the name in Athena
	Description string
	SQL         string
}

// QueriesArgs describe queries that belong together.
type QueriesArgs struct {
	Prefix    string // of the names in Athena
	Database  pulumi.StringInput
	Workgroup pulumi.StringInput
	Queries   []Query
}

// Validate reports every fault of the arguments.
func (a QueriesArgs) Validate() error {
	var f faults
	f.require("Prefix", a.Prefix)
	if a.Database == nil {
		f.add("Database", "is required")
	}
	if a.Workgroup == nil {
		f.add("Workgroup", "is required")
	}
	for i, q := range a.Queries {
		field := fmt.Sprintf("Queries[%d]", i)
		f.name(field+".Name", q.Name, queryName, 128-len(a.Prefix)-1)
		f.require(field+".Description", q.Description)
		f.require(field+".SQL", q.SQL)
	}
	return f.err()
}

// Queries are saved queries in a workgroup.
type Queries struct{ pulumi.ResourceState }

// NewQueries declares saved queries.
func NewQueries(ctx *pulumi.Context, name string, args QueriesArgs, opts ...pulumi.ResourceOption) (*Queries, error) {
	qs := &Queries{}
	if err := register(ctx, QueriesType, name, args.Validate, qs, opts); err != nil {
		return nil, err
	}
	for _, q := range args.Queries {
		if _, err := athena.NewNamedQuery(ctx, name+"-"+q.Name, &athena.NamedQueryArgs{
			Name:        pulumi.String(args.Prefix + " " + q.Name),
			Description: pulumi.String(q.Description),
			Database:    args.Database,
			Workgroup:   args.Workgroup,
			Query:       pulumi.String(q.SQL),
		}, pulumi.Parent(qs)); err != nil {
			return nil, fmt.Errorf("declare query %s of %s: %w", q.Name, args.Prefix, err)
		}
	}
	if err := ctx.RegisterResourceOutputs(qs, pulumi.Map{}); err != nil {
		return nil, fmt.Errorf("register outputs of queries of %s: %w", args.Prefix, err)
	}
	return qs, nil
}
