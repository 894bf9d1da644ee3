package component

import (
	"encoding/base64"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/glue"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ViewType is the type token of View.
const ViewType = typePrefix + "View"

// ViewColumn is a column of a view, which the catalog keeps in both tongues.
type ViewColumn struct{ Name, Hive, Trino string }

// ViewArgs describe a view.
type ViewArgs struct {
	Database     pulumi.StringInput
	DatabaseName string // the same, as it stands in the view
	View         string
	Description  string
	SQL          string       // in Trino's dialect
	Columns      []ViewColumn // in the order of the SELECT
}

// Validate reports every fault of the arguments.
func (a ViewArgs) Validate() error {
	var f faults
	if a.Database == nil {
		f.add("Database", "is required")
	}
	f.name("DatabaseName", a.DatabaseName, catalogName, 255)
	f.name("View", a.View, catalogName, 255)
	f.require("SQL", a.SQL)
	if len(a.Columns) == 0 {
		f.add("Columns", "is empty")
	}
	for i, c := range a.Columns {
		field := fmt.Sprintf("Columns[%d]", i)
		f.require(field+".Name", c.Name)
		f.require(field+".Hive", c.Hive)
		f.require(field+".Trino", c.Trino)
	}
	return f.err()
}

// View is a view that Athena reads like a table.
type View struct {
	pulumi.ResourceState

	Name pulumi.StringOutput
	// Table is the view as the catalog keeps it.
	Table *glue.CatalogTable
}

// NewView declares a view, as Athena itself writes it into the catalog.
func NewView(ctx *pulumi.Context, name string, args ViewArgs, opts ...pulumi.ResourceOption) (*View, error) {
	v := &View{}
	if err := register(ctx, ViewType, name, args.Validate, v, opts); err != nil {
		return nil, err
	}
	var columns glue.CatalogTableStorageDescriptorColumnArray
	for _, c := range args.Columns {
		columns = append(columns, &glue.CatalogTableStorageDescriptorColumnArgs{Name: pulumi.String(c.Name), Type: pulumi.String(c.Hive)})
	}
	view, err := glue.NewCatalogTable(ctx, name, &glue.CatalogTableArgs{
		DatabaseName:     args.Database,
		Name:             pulumi.String(args.View),
		Description:      pulumi.String(args.Description),
		TableType:        pulumi.String("VIRTUAL_VIEW"),
		Parameters:       pulumi.StringMap{"presto_view": pulumi.String("true"), "comment": pulumi.String("Presto View")},
		ViewOriginalText: pulumi.String(viewText(args)),
		ViewExpandedText: pulumi.String("/* Presto View */"),
		StorageDescriptor: &glue.CatalogTableStorageDescriptorArgs{
			Columns: columns,
			// The provider sends no empty block, and without one Athena says that the SerDe info is missing
			// (hashicorp/terraform-provider-aws#28517). Views are not read by a SerDe.
			SerDeInfo: &glue.CatalogTableStorageDescriptorSerDeInfoArgs{Name: pulumi.String("-"), SerializationLibrary: pulumi.String("-")},
		},
	}, pulumi.Parent(v))
	if err != nil {
		return nil, fmt.Errorf("declare view %s: %w", args.View, err)
	}
	v.Name, v.Table = view.Name, view
	if err := ctx.RegisterResourceOutputs(v, pulumi.Map{"name": v.Name}); err != nil {
		return nil, fmt.Errorf("register outputs of view %s: %w", args.View, err)
	}
	return v, nil
}

// viewText is the view in the form of Trino's HiveViewCodec: JSON in base64 in a comment.
func viewText(args ViewArgs) string {
	type column struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
	definition := struct {
		OriginalSQL string   `json:"originalSql"`
		Catalog     string   `json:"catalog"`
		Schema      string   `json:"schema"`
		Columns     []column `json:"columns"`
	}{OriginalSQL: args.SQL, Catalog: "awsdatacatalog", Schema: args.DatabaseName}
	for _, c := range args.Columns {
		definition.Columns = append(definition.Columns, column{c.Name, c.Trino})
	}
	return "/* Presto View: " + base64.StdEncoding.EncodeToString([]byte(text(definition))) + " */"
}
