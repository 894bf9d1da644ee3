package stack

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/component"
	"tributary/shared/contract"
)

func TestResourceTree(t *testing.T) {
	p := newProject(t)
	for _, stack := range []string{"dev", "prod"} {
		t.Run(stack, func(t *testing.T) {
			golden(t, stack+".resources.txt", tree(p.mustDeploy(t, stack)))
		})
	}
}

// tree draws resources under their parents.
func tree(resources []recorded) string {
	children := map[string][]recorded{}
	known := map[string]bool{}
	for _, r := range resources {
		known[r.URN] = true
	}
	for _, r := range resources {
		parent := r.Parent
		if !known[parent] {
			parent = ""
		}
		children[parent] = append(children[parent], r)
	}
	var b strings.Builder
	var draw func(urn, indent string)
	draw = func(urn, indent string) {
		for _, r := range children[urn] {
			fmt.Fprintf(&b, "%s%s %s", indent, r.Type, r.Name)
			if r.Protect {
				b.WriteString(" [protect]")
			}
			if r.Retain {
				b.WriteString(" [retain]")
			}
			b.WriteString("\n")
			draw(r.URN, indent+"  ")
		}
	}
	draw("", "")
	return b.String()
}

func TestPolicies(t *testing.T) {
	var b strings.Builder
	for _, r := range newProject(t).mustDeploy(t, "dev") {
		for _, input := range []string{"assumeRolePolicy", "policy"} {
			text, ok := r.Inputs[input].(string)
			if !ok {
				continue
			}
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, []byte(text), "", "  "); err != nil {
				t.Fatalf("%s: %v", r.id(), err)
			}
			fmt.Fprintf(&b, "%s (%s)\n%s\n\n", r.id(), input, pretty.String())
		}
	}
	golden(t, "dev.policies.txt", b.String())
}

// The README's table of who may do what is what the code grants.
func TestPermissions(t *testing.T) {
	c, err := contract.Load(filepath.Join(projectRoot, datasetsDir, "coin_markets.odcs.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- permissions -->\n", "<!-- /permissions -->"
	path := filepath.Join(projectRoot, "README.md")
	text := string(read(t, path))
	head, rest, ok := strings.Cut(text, begin)
	table, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s lacks %s or %s", path, strings.TrimSpace(begin), end)
	}
	want := Permissions(c)
	if *update {
		if err := os.WriteFile(path, []byte(head+begin+want+end+tail), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("the README says otherwise who may do what (-code +README); run the test with -update:\n%s", diff)
	}
}

// The table leaves out no statement that is deployed.
func TestPermissionsAreComplete(t *testing.T) {
	c, err := contract.Load(filepath.Join(projectRoot, datasetsDir, "coin_markets.odcs.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	declared := resources(newProject(t).mustDeploy(t, viewed))
	made := strings.NewReplacer( // what AWS makes up, and the names of this stack
		"arn:aws:kms:eu-central-1:123456789012:data-id", "the data key", "arn:aws:kms:eu-central-1:123456789012:alerts-id", "the alerts' key",
		"arn:aws:secretsmanager:eu-central-1:123456789012:tributary-viewed/coingecko", "the source's secret",
		testAccount, "ACCOUNT", testRegion, "REGION", "tributary-viewed", "tributary-STACK", "tributary_viewed", "tributary_STACK",
	)
	n := newNames("tributary", "STACK", component.Place{Partition: "aws", Region: "REGION", Account: "ACCOUNT"})
	missing := func(table string) (rows []string) {
		for _, s := range declared.statements() {
			var on []string
			for _, r := range s.Resource {
				on = append(on, made.Replace(r))
			}
			if row := code(s.Action) + " | " + code(shortened(n, on)) + " |"; !strings.Contains(table, row) {
				rows = append(rows, s.id()+": "+row)
			}
		}
		return rows
	}
	table := Permissions(c)
	for _, row := range missing(table) {
		t.Error(row)
	}
	lines := strings.SplitAfter(table, "\n")
	for _, seen := range []string{"sns:Publish", "sts:AssumeRole", "s3:DeleteObjectVersion", "athena:ListDatabases"} {
		cut := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.Contains(line, seen) })
		if len(missing(strings.Join(cut, ""))) == 0 {
			t.Errorf("a table without %s is not seen", seen)
		}
	}
	if !strings.Contains(table, "`s3.amazonaws.com` | may `lambda:InvokeFunction`") {
		t.Error("the table does not say that S3 starts the process function")
	}
}

func TestLifecycles(t *testing.T) {
	p := newProject(t)
	var b strings.Builder
	for _, stack := range []string{"dev", "prod"} {
		for _, r := range resources(p.mustDeploy(t, stack)).of(lifecycleType) {
			fmt.Fprintf(&b, "%s %s\n", stack, r.Name)
			rules, _ := r.Inputs["rules"].([]any)
			for _, rule := range rules {
				fmt.Fprintf(&b, "  %s %q: expiration %v, transitions %v, noncurrent %v, uploads %v\n", at(rule, "id"), at(rule, "filter", "prefix"),
					at(rule, "expiration"), at(rule, "transitions"), at(rule, "noncurrentVersionExpiration"), at(rule, "abortIncompleteMultipartUpload"))
			}
		}
	}
	golden(t, "lifecycles.txt", b.String())
}

func TestGlueTables(t *testing.T) {
	var b strings.Builder
	for _, r := range resources(newProject(t).mustDeploy(t, "dev")).of(glueTableType) {
		if at(r.Inputs, "tableType") == "VIRTUAL_VIEW" {
			continue
		}
		fmt.Fprintf(&b, "%s %s\n", at(r.Inputs, "name"), at(r.Inputs, "storageDescriptor", "location"))
		fmt.Fprintf(&b, "  serde %s\n", at(r.Inputs, "storageDescriptor", "serDeInfo", "serializationLibrary"))
		parameters, _ := r.Inputs["parameters"].(map[string]any)
		for _, key := range sortedKeys(parameters) {
			fmt.Fprintf(&b, "  parameter %s = %s\n", key, parameters[key])
		}
		columns, _ := at(r.Inputs, "storageDescriptor", "columns").([]any)
		for _, c := range columns {
			fmt.Fprintf(&b, "  %s %s\n", at(c, "name"), at(c, "type"))
		}
	}
	golden(t, "dev.tables.txt", b.String())
}

// The view is kept in base64; here it stands as Athena understands it.
func TestQueries(t *testing.T) {
	var b strings.Builder
	for _, r := range resources(newProject(t).mustDeploy(t, "dev")) {
		switch {
		case r.Type == namedQueryType:
			fmt.Fprintf(&b, "-- %s: %s\n%s;\n\n", r.Inputs["name"], r.Inputs["description"], r.Inputs["query"])
		case at(r.Inputs, "tableType") == "VIRTUAL_VIEW":
			encoded := strings.TrimSuffix(strings.TrimPrefix(r.Inputs["viewOriginalText"].(string), "/* Presto View: "), " */")
			text, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				t.Fatal(err)
			}
			var view struct {
				OriginalSQL, Catalog, Schema string
				Columns                      []struct{ Name, Type string }
			}
			if err := json.Unmarshal(text, &view); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "-- view %s.%s.%s\n%s;\n", view.Catalog, view.Schema, r.Inputs["name"], view.OriginalSQL)
			columns, _ := at(r.Inputs, "storageDescriptor", "columns").([]any)
			if len(columns) != len(view.Columns) {
				t.Errorf("view %s has %d columns for Hive and %d for Trino", r.Name, len(columns), len(view.Columns))
			}
			for i, c := range view.Columns {
				fmt.Fprintf(&b, "--   %s %s, Hive's %s\n", c.Name, c.Type, at(columns, i, "type"))
			}
			b.WriteString("\n")
		}
	}
	golden(t, "dev.queries.sql", b.String())
}

// What QuickSight adds to a stack, and nothing else of it.
func TestQuickSight(t *testing.T) {
	p := newProject(t)
	with, err := p.deploy(viewed)
	if err != nil {
		t.Fatal(err)
	}
	p.settings[viewed] = strings.Replace(p.settings[viewed], viewers, "", 1)
	without := map[string]recorded{}
	for _, r := range p.mustDeploy(t, viewed) {
		without[r.URN] = r
	}
	var b strings.Builder
	for _, r := range with {
		if before, ok := without[r.URN]; ok {
			if entirety(before) != entirety(r) {
				t.Errorf("%s is changed", r.id())
			}
			continue
		}
		text, err := json.MarshalIndent(r.Inputs, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n", r.id())
		if r.Custom && r.Type != policyType {
			fmt.Fprintf(&b, "%s\n", text)
		}
		b.WriteString("\n")
	}
	golden(t, "viewed.quicksight.txt", b.String())
}

func TestDataSetTypes(t *testing.T) {
	column := func(name string, k contract.Kind) contract.Column {
		return contract.Column{Name: name, Type: contract.Type{Kind: k}}
	}
	element := column("element", contract.String)
	list, object := column("l", contract.List), column("o", contract.Struct)
	list.Type.Elem, object.Type.Fields = &element, []contract.Column{element}
	sql, columns := dataSet(sources{names: names{base: "tributary-dev"}, contract: &contract.Contract{Dataset: "d", Columns: []contract.Column{
		column("s", contract.String), column("i", contract.Integer), column("f", contract.Double), column("m", contract.Decimal),
		column("b", contract.Boolean), column("t", contract.Timestamp), column("a", contract.Date), column("j", contract.JSON), list, object,
	}}})
	const wantSQL = `SELECT "s", "i", "f", "m", CAST("b" AS integer) AS "b", "t", "a", "j", ` +
		`json_format(CAST("l" AS json)) AS "l", json_format(CAST("o" AS json)) AS "o"` + "\n" + `FROM "tributary_dev"."d_latest"`
	if sql != wantSQL {
		t.Errorf("query = %s, want %s", sql, wantSQL)
	}
	want := []component.DataSetColumn{
		{Name: "s", Type: "STRING"}, {Name: "i", Type: "INTEGER"}, {Name: "f", Type: "DECIMAL"}, {Name: "m", Type: "DECIMAL"}, {Name: "b", Type: "INTEGER"},
		{Name: "t", Type: "DATETIME"}, {Name: "a", Type: "DATETIME"}, {Name: "j", Type: "STRING"}, {Name: "l", Type: "STRING"}, {Name: "o", Type: "STRING"},
	}
	if diff := cmp.Diff(want, columns); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
}

func TestTrinoTypes(t *testing.T) {
	element := func(k contract.Kind) *contract.Column {
		return &contract.Column{Name: "element", Type: contract.Type{Kind: k}}
	}
	for _, test := range []struct {
		want string
		of   contract.Type
	}{
		{"varchar", contract.Type{Kind: contract.String}},
		{"varchar", contract.Type{Kind: contract.JSON}},
		{"bigint", contract.Type{Kind: contract.Integer}},
		{"double", contract.Type{Kind: contract.Double}},
		{"decimal(38,8)", contract.Type{Kind: contract.Decimal, Precision: 38, Scale: 8}},
		{"boolean", contract.Type{Kind: contract.Boolean}},
		{"timestamp(3)", contract.Type{Kind: contract.Timestamp}},
		{"date", contract.Type{Kind: contract.Date}},
		{"array(varchar)", contract.Type{Kind: contract.List, Elem: element(contract.String)}},
		{`row("a" bigint, "b c" array(date))`, contract.Type{Kind: contract.Struct, Fields: []contract.Column{
			{Name: "a", Type: contract.Type{Kind: contract.Integer}},
			{Name: "b c", Type: contract.Type{Kind: contract.List, Elem: element(contract.Date)}},
		}}},
	} {
		if got := trino(test.of); got != test.want {
			t.Errorf("trino(%+v) = %s, want %s", test.of, got, test.want)
		}
	}
}

func TestScheduleInput(t *testing.T) {
	schedule := resources(newProject(t).mustDeploy(t, "dev")).of(scheduleType)[0]
	const want = `{"dataset":"coin_markets","scheduledAt":"<aws.scheduler.scheduled-time>"}`
	if got := at(schedule.Inputs, "target", "input"); got != want {
		t.Errorf("input of the schedule = %s, want %s", got, want)
	}
}

// A second dataset adds its own and changes nothing of the first but what a bucket can have only once: the notification of
// the raw bucket and the lifecycle of the lake, which has a rule for each table with the days of its contract. The
// dashboard shows all. Nor does it change what a resource waits for, where it stands, or how hard it is to lose.
func TestSecondDataset(t *testing.T) {
	shared := []string{notificationType + " raw", lifecycleType + " lake", dashboardType + " health"}
	for _, stack := range []string{"dev", "prod", viewed} {
		t.Run(stack, func(t *testing.T) {
			one := newProject(t).mustDeploy(t, stack)
			two := newProject(t, "testdata/orders.odcs.yaml").mustDeploy(t, stack)
			for _, why := range changedBy(one, two, shared, "orders") {
				t.Error(why)
			}
			// Each change is seen.
			for name, plant := range map[string]func(*recorded){
				"inputs":       func(r *recorded) { set(r, 1.0, "messageRetentionSeconds") },
				"dependencies": func(r *recorded) { r.Dependencies = append(r.Dependencies, "urn") },
				"protect":      func(r *recorded) { r.Protect = !r.Protect },
				"retain":       func(r *recorded) { r.Retain = !r.Retain },
				"provider":     func(r *recorded) { r.Provider = "" },
				"parent":       func(r *recorded) { r.Parent = "" },
				"its absence":  func(r *recorded) { r.URN = "orders" },
				"a stranger":   func(r *recorded) { r.URN = "other" },
			} {
				planted := resources(two).clone()
				plant(planted.get(queueType, "coin_markets-ingest-failures"))
				if len(changedBy(one, planted, shared, "orders")) == 0 {
					t.Errorf("a change of %s is not seen", name)
				}
			}
			same := resources(two).clone()
			*same.get(dashboardType, "health") = *resources(one).get(dashboardType, "health")
			if len(changedBy(one, same, shared, "orders")) == 0 {
				t.Error("a shared resource that does not know of the second dataset is not seen")
			}
		})
	}
}

// changedBy says what two declarations differ in beside new resources of a dataset and the shared ones, which must.
func changedBy(one, two []recorded, shared []string, dataset string) []string {
	var why []string
	added := map[string]recorded{}
	for _, r := range two {
		added[r.URN] = r
	}
	for _, before := range one {
		after, ok := added[before.URN]
		delete(added, before.URN)
		if !ok {
			why = append(why, before.id()+" is gone")
			continue
		}
		if same := entirety(before) == entirety(after); same == slices.Contains(shared, before.id()) {
			why = append(why, fmt.Sprintf("%s: unchanged is %t", before.id(), same))
		}
	}
	if len(added) == 0 {
		why = append(why, "the second dataset added nothing")
	}
	for _, r := range added {
		if !strings.Contains(r.URN, dataset) {
			why = append(why, r.id()+" is new and not of the second dataset")
		}
	}
	return why
}

// entirety is a resource as text, without the folder of the test.
func entirety(r recorded) string {
	inputs := maps.Clone(r.Inputs)
	delete(inputs, "code")
	on := slices.Clone(r.Dependencies)
	slices.Sort(on)
	return fmt.Sprint(inputs, slices.Compact(on), r.Protect, r.Retain, r.Parent, r.Provider)
}
