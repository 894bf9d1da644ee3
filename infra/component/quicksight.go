package component

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/quicksight"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// The type tokens of what QuickSight sees.
const (
	DataSourceType = typePrefix + "DataSource"
	DataSetType    = typePrefix + "DataSet"
)

var (
	quickSightID        = regexp.MustCompile(`^[\w-]+$`)
	quickSightPrincipal = regexp.MustCompile(`^arn:aws[a-z-]*:quicksight:[a-z0-9-]+:\d{12}:(user|group)/[^/]+/.+$`)
	timeOfDay           = regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d$`)
	roleName            = regexp.MustCompile(`^[\w+=,.@-]+$`)
)

// IsQuickSightPrincipal says whether a text is the ARN of a QuickSight user or group. Data sets take no namespace
// (aws/aws-cli#6067).
func IsQuickSightPrincipal(arn string) bool { return quickSightPrincipal.MatchString(arn) }

// IsTimeOfDay says whether a text is a time like 06:30.
func IsTimeOfDay(text string) bool { return timeOfDay.MatchString(text) }

// IsRoleName says whether a text can be the name of a role, which has neither path nor ARN.
func IsRoleName(text string) bool { return len(text) <= 64 && roleName.MatchString(text) }

// QuickSight takes permissions in fixed sets alone. These are a viewer's: the program owns source and data sets.
var (
	useDataSource = []string{"quicksight:DescribeDataSource", "quicksight:DescribeDataSourcePermissions", "quicksight:PassDataSource"}
	useDataSet    = []string{
		"quicksight:DescribeDataSet", "quicksight:DescribeDataSetPermissions", "quicksight:DescribeIngestion",
		"quicksight:ListIngestions", "quicksight:PassDataSet",
	}
)

// DataSourceArgs describe how QuickSight reaches Athena.
type DataSourceArgs struct {
	ID          string // physical id, unique in account and region
	Title       string // what people see
	Workgroup   pulumi.StringInput
	Principal   string // user or group that may use it
	ServiceRole string // name of the account's QuickSight role: sources of Athena have none of their own in pulumi-aws v6
	PolicyArn   pulumi.StringInput
}

// Validate reports every fault of the arguments.
func (a DataSourceArgs) Validate() error {
	var f faults
	f.name("ID", a.ID, quickSightID, 512)
	f.require("Title", a.Title)
	if a.Workgroup == nil {
		f.add("Workgroup", "is required")
	}
	f.name("Principal", a.Principal, quickSightPrincipal, 1024)
	f.name("ServiceRole", a.ServiceRole, roleName, 64)
	if a.PolicyArn == nil {
		f.add("PolicyArn", "is required")
	}
	return f.err()
}

// DataSource is a workgroup as QuickSight sees it, with the grants that QuickSight's own role needs to query there.
type DataSource struct {
	pulumi.ResourceState

	Arn pulumi.StringOutput
}

// NewDataSource declares a data source. QuickSight tries the connection at once, so the role has its policy before. IAM is
// slower than Pulumi now and then, and the provider does not repeat a source that came out as CREATION_FAILED: where that
// happens, a second `pulumi up` makes it.
func NewDataSource(ctx *pulumi.Context, name string, args DataSourceArgs, opts ...pulumi.ResourceOption) (*DataSource, error) {
	d := &DataSource{}
	if err := register(ctx, DataSourceType, name, args.Validate, d, opts); err != nil {
		return nil, err
	}
	attachment, err := iam.NewRolePolicyAttachment(ctx, name, &iam.RolePolicyAttachmentArgs{
		Role: pulumi.String(args.ServiceRole), PolicyArn: args.PolicyArn,
	}, pulumi.Parent(d))
	if err != nil {
		return nil, fmt.Errorf("declare grants of role %s: %w", args.ServiceRole, err)
	}
	source, err := quicksight.NewDataSource(ctx, name, &quicksight.DataSourceArgs{
		DataSourceId: pulumi.String(args.ID),
		Name:         pulumi.String(args.Title),
		Type:         pulumi.String("ATHENA"),
		Parameters: &quicksight.DataSourceParametersArgs{
			Athena: &quicksight.DataSourceParametersAthenaArgs{WorkGroup: args.Workgroup.ToStringOutput().ToStringPtrOutput()},
		},
		// Said although it is the default: what QuickSight answers and the program does not say is a change every time.
		SslProperties: &quicksight.DataSourceSslPropertiesArgs{DisableSsl: pulumi.Bool(false)},
		Permissions: quicksight.DataSourcePermissionArray{&quicksight.DataSourcePermissionArgs{
			Principal: pulumi.String(args.Principal), Actions: pulumi.ToStringArray(useDataSource),
		}},
	}, after(d, attachment)...)
	if err != nil {
		return nil, fmt.Errorf("declare data source %s: %w", args.ID, err)
	}
	d.Arn = source.Arn
	if err := ctx.RegisterResourceOutputs(d, pulumi.Map{"arn": d.Arn}); err != nil {
		return nil, fmt.Errorf("register outputs of data source %s: %w", args.ID, err)
	}
	return d, nil
}

// DataSetColumn is a column as QuickSight knows it.
type DataSetColumn struct {
	Name string
	Type string // one of DataSetTypes
}

// DataSetTypes are the types a column may have: those that SPICE keeps. QuickSight skips columns of any other.
func DataSetTypes() []string { return []string{"STRING", "INTEGER", "DECIMAL", "DATETIME"} }

// DataSetArgs describe a data set that QuickSight loads from a query, once a day.
type DataSetArgs struct {
	ID        string // physical id, unique in account and region
	Title     string // what people see
	SourceArn pulumi.StringInput
	SQL       string
	Columns   []DataSetColumn // of the query, in its order
	Principal string
	RefreshAt string // HH:MM, UTC
	// After must stand before the query runs for the first time.
	After []pulumi.Resource
	Tags  map[string]string
}

// Validate reports every fault of the arguments.
func (a DataSetArgs) Validate() error {
	var f faults
	f.name("ID", a.ID, quickSightID, 512)
	f.name("Title", a.Title, regexp.MustCompile(`.`), 128)
	if a.SourceArn == nil {
		f.add("SourceArn", "is required")
	}
	f.require("SQL", a.SQL)
	f.name("Principal", a.Principal, quickSightPrincipal, 1024)
	if !IsTimeOfDay(a.RefreshAt) {
		f.add("RefreshAt", "%q is no time like 06:30", a.RefreshAt)
	}
	if len(a.Columns) == 0 || len(a.Columns) > 2048 {
		f.add("Columns", "are %d, QuickSight takes 1 to 2048", len(a.Columns))
	}
	for i, c := range a.Columns {
		field := fmt.Sprintf("Columns[%d]", i)
		f.require(field+".Name", c.Name)
		if !slices.Contains(DataSetTypes(), c.Type) {
			f.add(field+".Type", "%q is none of %v", c.Type, DataSetTypes())
		}
	}
	return f.err()
}

// DataSet is a copy of a query's answer in QuickSight's memory: dashboards cost no scan.
type DataSet struct {
	pulumi.ResourceState

	Arn pulumi.StringOutput
}

// NewDataSet declares a data set and when it is loaded anew.
func NewDataSet(ctx *pulumi.Context, name string, args DataSetArgs, opts ...pulumi.ResourceOption) (*DataSet, error) {
	d := &DataSet{}
	if err := register(ctx, DataSetType, name, args.Validate, d, opts); err != nil {
		return nil, err
	}
	var columns quicksight.DataSetPhysicalTableMapCustomSqlColumnArray
	for _, c := range args.Columns {
		columns = append(columns, &quicksight.DataSetPhysicalTableMapCustomSqlColumnArgs{Name: pulumi.String(c.Name), Type: pulumi.String(c.Type)})
	}
	set, err := quicksight.NewDataSet(ctx, name, &quicksight.DataSetArgs{
		DataSetId:  pulumi.String(args.ID),
		Name:       pulumi.String(args.Title),
		ImportMode: pulumi.String("SPICE"),
		PhysicalTableMaps: quicksight.DataSetPhysicalTableMapArray{&quicksight.DataSetPhysicalTableMapArgs{
			PhysicalTableMapId: pulumi.String("query"),
			CustomSql: &quicksight.DataSetPhysicalTableMapCustomSqlArgs{
				DataSourceArn: args.SourceArn, Name: pulumi.String(args.Title), SqlQuery: pulumi.String(args.SQL), Columns: columns,
			},
		}},
		Permissions: quicksight.DataSetPermissionArray{&quicksight.DataSetPermissionArgs{
			Principal: pulumi.String(args.Principal), Actions: pulumi.ToStringArray(useDataSet),
		}},
		Tags: pulumi.ToStringMap(args.Tags),
	}, after(d, args.After...)...)
	if err != nil {
		return nil, fmt.Errorf("declare data set %s: %w", args.ID, err)
	}
	// Without a first time: QuickSight refuses one in the past, which every later deployment would name.
	if _, err := quicksight.NewRefreshSchedule(ctx, name, &quicksight.RefreshScheduleArgs{
		DataSetId:  set.DataSetId,
		ScheduleId: pulumi.String("daily"),
		Schedule: &quicksight.RefreshScheduleScheduleArgs{
			RefreshType: pulumi.String("FULL_REFRESH"),
			ScheduleFrequency: &quicksight.RefreshScheduleScheduleScheduleFrequencyArgs{
				Interval: pulumi.String("DAILY"), TimeOfTheDay: pulumi.String(args.RefreshAt), Timezone: pulumi.String("UTC"),
			},
		},
	}, pulumi.Parent(d)); err != nil {
		return nil, fmt.Errorf("declare refresh of data set %s: %w", args.ID, err)
	}
	d.Arn = set.Arn
	if err := ctx.RegisterResourceOutputs(d, pulumi.Map{"arn": d.Arn}); err != nil {
		return nil, fmt.Errorf("register outputs of data set %s: %w", args.ID, err)
	}
	return d, nil
}
