package component

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"
)

var update = flag.Bool("update", false, "write golden files anew")

var testPlace = Place{Partition: "aws", Region: "eu-central-1", Account: "123456789012"}

func TestPartition(t *testing.T) {
	for region, want := range map[string]string{"eu-central-1": "aws", "us-gov-west-1": "aws-us-gov"} {
		if got := Partition(region); got != want {
			t.Errorf("Partition(%s) = %s, want %s", region, got, want)
		}
	}
}

func TestDocuments(t *testing.T) {
	const key = "arn:aws:kms:eu-central-1:123456789012:key/1"
	for name, document := range map[string]Document{
		"bucket":         BucketDocument(testPlace, "b", nil),
		"bucket-once":    BucketDocument(testPlace, "b", []string{"raw/", "other/"}),
		"key":            KeyDocument(testPlace, ""),
		"key-alarms":     KeyDocument(testPlace, "x-*"),
		"topic":          TopicDocument(testPlace, "t", "x-*"),
		"function-trust": FunctionTrust(),
		"schedule-trust": ScheduleTrust(testPlace, "g"),
		"schedule":       Identity(ScheduleGrants(testPlace, "s", "f")),
		"function":       Identity(FunctionGrants(testPlace, "f")),
		"key-use":        Identity([]Grant{Encrypt(testPlace, "Use", key, "s3"), Decrypt(testPlace, "Open", key, "secretsmanager")}),
	} {
		t.Run(name, func(t *testing.T) {
			var pretty strings.Builder
			e := json.NewEncoder(&pretty)
			e.SetIndent("", "  ")
			if err := e.Encode(json.RawMessage(document.Text())); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(path, []byte(pretty.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), pretty.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestClassOf(t *testing.T) {
	for _, class := range []Class{Called, Behalf, Answer} {
		got, ok := ClassOf(Grant{Class: class, Name: "X"}.Sid())
		if !ok || got != class {
			t.Errorf("ClassOf = %s, %t, want %s", got, ok, class)
		}
	}
	for _, sid := range []string{"", "Call", "PutRaw"} {
		if class, ok := ClassOf(sid); ok {
			t.Errorf("ClassOf(%q) = %s, want none", sid, class)
		}
	}
}

func TestPrincipalIsOne(t *testing.T) {
	if _, err := json.Marshal(Principal{Service: "s", AWS: "a"}); err == nil {
		t.Error("a principal that is service and account was encoded")
	}
}

// Every component says everything that is wrong with its arguments, by the argument's name, before it declares
// anything.
func TestValidate(t *testing.T) {
	text := pulumi.String("x")
	grants := pulumix.Val([]Grant{})
	zero := 0
	const analysts = "arn:aws:quicksight:eu-central-1:123456789012:group/default/analysts"
	for _, test := range []struct {
		name string
		args interface{ Validate() error }
		want []string // the fields at fault, in order
	}{
		{"key", KeyArgs{Place: testPlace, Alias: "a", Description: "d", DeletionDays: 7}, nil},
		{"empty key", KeyArgs{}, []string{"Place.Partition", "Place.Region", "Place.Account", "Alias", "Description", "DeletionDays"}},
		{"bucket", BucketArgs{Place: testPlace, Bucket: "b-1", KeyArn: text, NoncurrentDays: 1, WriteOnce: []string{"raw/"}, Keep: []Keep{{Name: "k", Days: 3, ArchiveDays: 1}}}, nil},
		{"empty bucket", BucketArgs{Place: testPlace}, []string{"Bucket", "KeyArn", "NoncurrentDays"}},
		{
			"impossible bucket",
			BucketArgs{
				Place: testPlace, Bucket: "B", KeyArn: text, NoncurrentDays: 1, WriteOnce: []string{"raw"}, Disposable: true, Protection: Protection{Data: true},
				Keep: []Keep{{Name: "a", Days: 1, ArchiveDays: 1}, {Days: -1}},
			},
			[]string{"Bucket", "WriteOnce[0]", "Keep[0].ArchiveDays", "Keep[1].Name", "Keep[1].Prefix", "Keep[1]", "Disposable"},
		},
		{"function", FunctionArgs{Place: testPlace, Function: "f", Description: "d", Zip: "z", ZipHash: "h", MemoryMB: 128, TimeoutSecs: 1, Grants: grants, LogRetentionDays: 7}, nil},
		{
			"impossible function",
			FunctionArgs{Place: testPlace, Function: strings.Repeat("f", 65), TimeoutSecs: 901, Retries: 3, LogRetentionDays: 8, ReservedConcurrency: &zero},
			[]string{"Function", "Description", "Zip", "ZipHash", "MemoryMB", "TimeoutSecs", "Retries", "Grants", "LogRetentionDays", "ReservedConcurrency"},
		},
		{"schedule", ScheduleArgs{Place: testPlace, Schedule: "s", Expression: "rate(1 hour)", Function: "f", FunctionArn: text, Input: "i"}, nil},
		{"empty schedule", ScheduleArgs{Place: testPlace}, []string{"Schedule", "Expression", "Function", "FunctionArn", "Input"}},
		{"topic", TopicArgs{Place: testPlace, Topic: "t", KeyArn: text, Alarms: "x-*", Subscriptions: []Subscription{{"email", "a@example.com"}}}, nil},
		{"impossible topic", TopicArgs{Place: testPlace, Subscriptions: []Subscription{{"sms", ""}}}, []string{"Topic", "Alarms", "KeyArn", "Subscriptions[0].Protocol", "Subscriptions[0].Endpoint"}},
		{"secret", SecretArgs{Secret: "s/t", Description: "d", KeyArn: text}, nil},
		{"impossible secret", SecretArgs{Secret: "a b", RecoveryDays: 3}, []string{"Secret", "Description", "KeyArn", "RecoveryDays"}},
		{"serving", ServingArgs{Table: "t-1", PartitionKey: KeyAttribute{"id", "S"}, SortKey: &KeyAttribute{"n", "N"}, RecoveryDays: 35}, nil},
		{"impossible serving", ServingArgs{Table: "t", SortKey: &KeyAttribute{"n", "BOOL"}, RecoveryDays: 36}, []string{"Table", "PartitionKey.Name", "PartitionKey.Type", "SortKey.Type", "RecoveryDays"}},
		{"table", TableArgs{Database: text, Bucket: text, Table: "t", Format: Parquet, Prefix: "t/", Since: "2024-01-01", Columns: []GlueColumn{{Name: "a", Type: "string"}}}, nil},
		{
			"impossible table",
			TableArgs{Table: "T", Format: "csv", Prefix: "t", Since: "2024", Columns: []GlueColumn{{Name: "a", Type: "string"}, {Name: "A", Type: "string"}, {Name: "dt", Type: "date"}, {}}},
			[]string{"Database", "Bucket", "Table", "Format", "Prefix", "Since", "Columns[1].Name", "Columns[2].Name", "Columns[3].Name", "Columns[3].Type"},
		},
		{"workgroup", WorkgroupArgs{Place: testPlace, Workgroup: "w", ResultsBucket: text, KeyArn: text, ScanLimit: 10 << 20}, nil},
		{"view", ViewArgs{Database: text, DatabaseName: "d", View: "v", SQL: "SELECT 1", Columns: []ViewColumn{{"a", "string", "varchar"}}}, nil},
		{"impossible view", ViewArgs{View: "v-1", Columns: []ViewColumn{{}}}, []string{"Database", "DatabaseName", "View", "SQL", "Columns[0].Name", "Columns[0].Hive", "Columns[0].Trino"}},
		{"queries", QueriesArgs{Prefix: "p", Database: text, Workgroup: text, Queries: []Query{{"q-1", "d", "SELECT 1"}}}, nil},
		{"impossible queries", QueriesArgs{Queries: []Query{{Name: "Q"}}}, []string{"Prefix", "Database", "Workgroup", "Queries[0].Name", "Queries[0].Description", "Queries[0].SQL"}},
		{"data source", DataSourceArgs{ID: "s-1", Title: "t", Workgroup: text, Principal: analysts, ServiceRole: "r", PolicyArn: text}, nil},
		{
			"impossible data source", DataSourceArgs{ID: "s 1", Principal: "analysts", ServiceRole: "service-role/r"},
			[]string{"ID", "Title", "Workgroup", "Principal", "ServiceRole", "PolicyArn"},
		},
		{"data set", DataSetArgs{ID: "s", Title: "t", SourceArn: text, SQL: "SELECT 1", Principal: analysts, RefreshAt: "23:59", Columns: []DataSetColumn{{"a", "STRING"}}}, nil},
		{
			"impossible data set", DataSetArgs{RefreshAt: "24:00", Columns: []DataSetColumn{{"", "BOOLEAN"}}},
			[]string{"ID", "Title", "SourceArn", "SQL", "Principal", "RefreshAt", "Columns[0].Name", "Columns[0].Type"},
		},
		{"access", AccessArgs{Policy: "p", Description: "d", Grants: grants}, nil},
		{"empty access", AccessArgs{}, []string{"Policy", "Description", "Grants"}},
		{"dashboard", DashboardArgs{Place: testPlace, Dashboard: "d", Sections: []Section{{
			Title: "t", Alarms: pulumix.Val([]string{}), Graphs: []Graph{{Title: "g", Lines: []Line{{}}, Period: time.Minute}},
		}}}, nil},
		{
			"impossible dashboard", DashboardArgs{Place: testPlace, Sections: []Section{{Graphs: []Graph{{}}}}},
			[]string{"Dashboard", "Sections[0].Title", "Sections[0].Alarms", "Sections[0].Graphs[0].Title", "Sections[0].Graphs[0].Lines", "Sections[0].Graphs[0].Period"},
		},
		{"watch", WatchArgs{Prefix: "p", TopicArn: text, Alarms: []Alarm{{
			Name: "a", Description: "d", Metrics: []Metric{{}}, AtLeast: new(1.0), Period: time.Minute, Periods: 2, Breaching: 1, Missing: Good,
		}}}, nil},
		{
			"impossible watch",
			WatchArgs{Alarms: []Alarm{
				{Name: "a"},
				{Name: "a", Description: "d", Metrics: make([]Metric, 11), AtLeast: new(1.0), Below: new(1.0), Period: 90 * time.Second, Periods: 1, Breaching: 2, Missing: "ignore"},
				{Name: "b", Description: "d", Metrics: make([]Metric, 2), Below: new(1.0), Period: 5 * time.Minute, Periods: 289, Breaching: 1, Missing: Bad},
				{Name: "c", Description: "d", Metrics: make([]Metric, 1), Below: new(1.0), Period: time.Hour, Periods: 169, Breaching: 1, Missing: Bad},
			}},
			[]string{
				"Prefix", "TopicArn",
				"Alarms[0].Description", "Alarms[0].Metrics", "Alarms[0]", "Alarms[0].Missing", "Alarms[0].Period", "Alarms[0]",
				"Alarms[1].Name", "Alarms[1].Metrics", "Alarms[1]", "Alarms[1].Missing", "Alarms[1].Period", "Alarms[1]",
				"Alarms[2].Expression", "Alarms[2]", "Alarms[3]",
			},
		},
		{"empty workgroup", WorkgroupArgs{Place: testPlace}, []string{"Workgroup", "ResultsBucket", "KeyArn", "ScanLimit"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			if err := test.args.Validate(); err != nil {
				for _, line := range strings.Split(err.Error(), "\n") {
					field, _, _ := strings.Cut(line, ":")
					got = append(got, field)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("fields at fault (-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrorNamesComponent(t *testing.T) {
	err := register(nil, BucketType, "raw", BucketArgs{Place: testPlace}.Validate, nil, nil)
	if err == nil || !strings.HasPrefix(err.Error(), "declare Bucket raw: Bucket: is required\n") {
		t.Errorf("error = %v", err)
	}
}

func TestLine(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"one\n  line ", "one line"},
		{strings.Repeat("ä", 255), strings.Repeat("ä", 255)},
		{strings.Repeat("ä", 256), strings.Repeat("ä", 254) + "…"},
	} {
		if got := line(test.in, longestComment); got != test.want {
			t.Errorf("line(%s) = %s", fmt.Sprintf("%.20q", test.in), got)
		}
	}
}
