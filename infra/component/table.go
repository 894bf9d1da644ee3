package component

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/glue"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// TableType is the type token of Table.
const TableType = typePrefix + "Table"

var catalogName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Format is how a table's files are written.
type Format string

const (
	// Parquet columns are matched by name; physical types must be exactly Glue's.
	Parquet Format = "parquet"
	// JSONLines are read with Hive's SerDe: AWS calls the results of OpenX's non-deterministic.
	JSONLines Format = "json"
)

// formats are the classes Hive reads and writes a format with.
var formats = map[Format]struct{ input, output, serde string }{
	Parquet: {
		"org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
		"org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
		"org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
	},
	JSONLines: {
		"org.apache.hadoop.mapred.TextInputFormat",
		"org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
		"org.apache.hive.hcatalog.data.JsonSerDe",
	},
}

// GlueColumn is a column of a table.
type GlueColumn struct{ Name, Type, Comment string }

// TableArgs describe a table of the catalog.
type TableArgs struct {
	Database    pulumi.StringInput
	Table       string
	Description string
	Format      Format
	Columns     []GlueColumn
	Bucket      pulumi.StringInput
	Prefix      string // of the table's files in the bucket, with the slash
	// Since is the first day (yyyy-MM-dd) queries look at; an earlier one reads nothing and says nothing.
	Since string
	// Retain leaves the table in the catalog when it leaves the program: its readers move in their own time.
	Retain bool
}

// Validate reports every fault of the arguments.
func (a TableArgs) Validate() error {
	var f faults
	if a.Database == nil {
		f.add("Database", "is required")
	}
	if a.Bucket == nil {
		f.add("Bucket", "is required")
	}
	f.name("Table", a.Table, catalogName, 255)
	if _, ok := formats[a.Format]; !ok {
		f.add("Format", "%q is neither %s nor %s", a.Format, Parquet, JSONLines)
	}
	if !strings.HasSuffix(a.Prefix, "/") {
		f.add("Prefix", "%q does not end in /", a.Prefix)
	}
	if _, err := time.Parse(time.DateOnly, a.Since); err != nil {
		f.add("Since", "%q is not a day like 2024-01-31", a.Since)
	}
	if len(a.Columns) == 0 {
		f.add("Columns", "is empty")
	}
	seen := map[string]bool{DayColumn: true}
	for i, c := range a.Columns {
		field := fmt.Sprintf("Columns[%d]", i)
		f.require(field+".Name", c.Name)
		f.require(field+".Type", c.Type)
		// Glue knows no case.
		if n := strings.ToLower(c.Name); seen[n] {
			f.add(field+".Name", "%q is there already", c.Name)
		} else {
			seen[n] = true
		}
	}
	return f.err()
}

// DayColumn is the only partition of every table: the UTC day of the run, as a string.
const DayColumn = "dt"

// Table is a table that Athena reads. Its partitions are computed, not registered: a new day needs no crawler.
type Table struct {
	pulumi.ResourceState

	Name pulumi.StringOutput
}

// NewTable declares a table.
func NewTable(ctx *pulumi.Context, name string, args TableArgs, opts ...pulumi.ResourceOption) (*Table, error) {
	t := &Table{}
	if err := register(ctx, TableType, name, args.Validate, t, opts); err != nil {
		return nil, err
	}
	var columns glue.CatalogTableStorageDescriptorColumnArray
	for _, c := range args.Columns {
		column := &glue.CatalogTableStorageDescriptorColumnArgs{Name: pulumi.String(c.Name), Type: pulumi.String(c.Type)}
		if c.Comment != "" {
			column.Comment = pulumi.String(line(c.Comment, longestComment))
		}
		columns = append(columns, column)
	}
	format := formats[args.Format]
	table, err := glue.NewCatalogTable(ctx, name, &glue.CatalogTableArgs{
		DatabaseName: args.Database,
		Name:         pulumi.String(args.Table),
		Description:  pulumi.String(line(args.Description, longestDescription)),
		// Without it DDL on the table fails with a NullPointerException.
		TableType:     pulumi.String("EXTERNAL_TABLE"),
		Parameters:    pulumi.ToStringMap(tableParameters(args.Format, args.Since)),
		PartitionKeys: glue.CatalogTablePartitionKeyArray{&glue.CatalogTablePartitionKeyArgs{Name: pulumi.String(DayColumn), Type: pulumi.String("string")}},
		StorageDescriptor: &glue.CatalogTableStorageDescriptorArgs{
			Columns:      columns,
			Location:     pulumi.Sprintf("s3://%s/%s", args.Bucket, args.Prefix),
			InputFormat:  pulumi.String(format.input),
			OutputFormat: pulumi.String(format.output),
			SerDeInfo: &glue.CatalogTableStorageDescriptorSerDeInfoArgs{
				SerializationLibrary: pulumi.String(format.serde),
				Parameters:           pulumi.StringMap{"serialization.format": pulumi.String("1")},
			},
		},
	}, pulumi.Parent(t), pulumi.RetainOnDelete(args.Retain))
	if err != nil {
		return nil, fmt.Errorf("declare table %s: %w", args.Table, err)
	}
	t.Name = table.Name
	if err := ctx.RegisterResourceOutputs(t, pulumi.Map{"name": t.Name}); err != nil {
		return nil, fmt.Errorf("register outputs of table %s: %w", args.Table, err)
	}
	return t, nil
}

func tableParameters(format Format, since string) map[string]string {
	return map[string]string{
		"EXTERNAL":                    "TRUE",
		"classification":              string(format),
		"projection.enabled":          "true",
		"projection.dt.type":          "date",
		"projection.dt.format":        "yyyy-MM-dd",
		"projection.dt.range":         since + ",NOW+1DAY",
		"projection.dt.interval":      "1",
		"projection.dt.interval.unit": "DAYS",
	}
}

// What Glue keeps of texts.
const (
	longestComment     = 255
	longestDescription = 2048
)

// line is a text on one line, cut where it is too long.
func line(s string, longest int) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) <= longest {
		return string(r)
	}
	return string(r[:longest-1]) + "…"
}
