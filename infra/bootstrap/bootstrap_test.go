package bootstrap

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/iam"
)

var update = flag.Bool("update", false, "write golden files anew")

const account = "123456789012"

// project has one stack of each kind.
var project = Project{Name: "tributary", Stacks: []Stack{{Name: "dev", Region: "eu-central-1"}, {Name: "prod", Region: "eu-central-1", Protect: true}}}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTemplate(t *testing.T) {
	tree, err := New(project).tree()
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	e := json.NewEncoder(&got)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(tree); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "template.json")
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(read(t, path), got.String()); diff != "" {
		t.Errorf("%s (-want +got); if it should be so, run the test with -update:\n%s", path, diff)
	}
}

// A new type in the program is one that the deploy roles could not make.
func TestEveryTypeHasARow(t *testing.T) {
	declared := map[string]bool{}
	// What the program declares, as the tests of package stack keep it.
	for _, golden := range []string{"dev.resources.txt", "prod.resources.txt", "viewed.quicksight.txt"} {
		for _, found := range regexp.MustCompile(`(?m)^ *(aws:\w+/\w+:\w+) `).FindAllStringSubmatch(read(t, filepath.Join("../stack/testdata", golden)), -1) {
			declared[found[1]] = true
		}
	}
	if len(declared) < 25 {
		t.Fatalf("found %d types", len(declared))
	}
	rows := map[string]bool{}
	for _, n := range (scope{"tributary", project.Stacks[0]}).needs() {
		for _, token := range n.types {
			if rows[token] {
				t.Errorf("%s has two rows", token)
			}
			rows[token] = true
			if !declared[token] {
				t.Errorf("%s has a row, and no stack declares it", token)
			}
		}
		if len(n.create)+len(n.beside) == 0 || len(n.read)+len(n.beside) == 0 {
			t.Errorf("%s: nothing creates or reads it", n.types[0])
		}
	}
	for token := range declared {
		if !rows[token] {
			t.Errorf("%s is declared, and needs.go has no row for it: say what it takes to create, read, update, delete and tag one", token)
		}
	}
}

// policies are the documents of the template's managed policies, by logical id, in one account.
func policies(t *testing.T) map[string]Document {
	t.Helper()
	found := map[string]Document{}
	for id, r := range New(project).Resources {
		if r.Type == "AWS::IAM::ManagedPolicy" {
			found[id] = r.Properties["PolicyDocument"].(Document)
		}
	}
	if len(found) < 10 {
		t.Fatalf("found %d policies", len(found))
	}
	return found
}

func TestPoliciesFit(t *testing.T) {
	for id, d := range policies(t) {
		// IAM counts what is not white space.
		if n := len(inAccount(d)); n > 6144 {
			t.Errorf("policy %s has %d characters, IAM allows 6144: divide its group", id, n)
		}
		seen := map[string]bool{}
		for _, s := range d.Statement {
			if seen[s.Sid] || !regexp.MustCompile(`^[A-Za-z0-9]+$`).MatchString(s.Sid) {
				t.Errorf("policy %s: Sid %q is there twice or has signs that IAM does not know", id, s.Sid)
			}
			seen[s.Sid] = true
			if slices.Contains(s.Resource, "*") && s.Why == "" {
				t.Errorf("policy %s: %s is on every resource and gives no reason", id, s.Sid)
			}
		}
	}
	for id, r := range New(project).Resources {
		if attached, ok := r.Properties["ManagedPolicyArns"].([]any); ok && len(attached) > 10 {
			t.Errorf("%s has %d policies, IAM allows 10", id, len(attached))
		}
	}
}

func TestTemplateTooLongForAnEmptyAccount(t *testing.T) {
	if err := New(project).Write(&bytes.Buffer{}); err != nil {
		t.Error(err)
	}
	many := Project{Name: "tributary"}
	for _, name := range []string{"a", "b", "c", "d"} {
		many.Stacks = append(many.Stacks, Stack{Name: name, Region: "eu-central-1"})
	}
	if err := New(many).Write(&bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "infra:bootstrap dev") {
		t.Errorf("four stacks: %v, want an error that says what to do", err)
	}
}

// inAccount is a document as IAM receives it.
func inAccount(d Document) string {
	return strings.NewReplacer("${StateBucket.Arn}", "arn:aws:s3:::tributary-bootstrap-"+account+"-eu-central-1", "${Key.Arn}", stateKeyARN).
		Replace(d.Text("aws", account))
}

const stateKeyARN = "arn:aws:kms:eu-central-1:" + account + ":key/state"

func parse(t *testing.T, name, text string) iam.Policy {
	t.Helper()
	d, err := iam.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return iam.Policy{Name: name, Document: d}
}

// ofRole are the policies of a role of the template, but for QuickSight's.
func ofRole(t *testing.T, prefix string) []iam.Policy {
	t.Helper()
	var found []iam.Policy
	for id, d := range policies(t) {
		if strings.HasPrefix(id, prefix) && !strings.HasSuffix(id, "Quicksight") {
			found = append(found, parse(t, id, inAccount(d)))
		}
	}
	return found
}

// A role under the boundary can do what its policy says: for every grant that the program deploys.
func TestBoundaryLeavesWhatIsGranted(t *testing.T) {
	boundary := []iam.Policy{parse(t, "boundary", BoundaryText("tributary", project.Stacks[0], "aws", account))}
	// Name, kind and text of each document, as the tests of package stack keep them; resource policies are not limited.
	documents := regexp.MustCompile(`(?s)(aws:iam/(?:rolePolicy:RolePolicy|policy:Policy) \S+) \(policy\)\n(.*?\n\})\n`).
		FindAllStringSubmatch(read(t, "../stack/testdata/dev.policies.txt"), -1)
	if len(documents) < 7 {
		t.Fatalf("found %d documents", len(documents))
	}
	// The recorder of those tests makes ARNs of names, which are not always AWS's.
	arns := strings.NewReplacer(
		"arn:aws:kms:eu-central-1:"+account+":", "arn:aws:kms:eu-central-1:"+account+":key/",
		"arn:aws:secretsmanager:eu-central-1:"+account+":tributary", "arn:aws:secretsmanager:eu-central-1:"+account+":secret:tributary",
	)
	decided := 0
	for _, document := range documents {
		for _, s := range parse(t, document[1], document[2]).Document.Statement {
			context := map[string][]string{}
			for _, c := range s.Condition {
				context[strings.ToLower(c.Key)] = c.Values[:1]
			}
			for _, action := range s.Action {
				for _, resource := range s.Resource {
					resource = strings.ReplaceAll(arns.Replace(resource), "*", "x")
					decided++
					r := iam.Request{Principal: iam.Principal{Role: "arn:aws:iam::" + account + ":role/tributary-dev-x"}, Action: action, Resource: resource, Context: context}
					if d := iam.Evaluate(r, boundary, nil, false); !d.Allowed {
						t.Errorf("%s (%s) grants %s on %s, and the boundary does not: %s", document[1], s.Sid, action, resource, d.Reason)
					}
				}
			}
		}
	}
	if decided < 80 {
		t.Errorf("only %d grants were held against the boundary", decided)
	}
}

// request is what somebody with a role's credentials asks for; context is key, value, key, value.
type request struct {
	action, resource string
	context          []string
}

func (r request) ask(policies []iam.Policy) iam.Decision {
	context := map[string][]string{}
	for i := 0; i+1 < len(r.context); i += 2 {
		context[strings.ToLower(r.context[i])] = []string{r.context[i+1]}
	}
	return iam.Evaluate(iam.Request{Principal: iam.Principal{Role: "arn:aws:iam::" + account + ":role/r"}, Action: r.action, Resource: r.resource, Context: context}, policies, nil, false)
}

const (
	iamARN = "arn:aws:iam::" + account + ":"
	here   = ":eu-central-1:" + account + ":"
)

func TestDeployRoleDeploys(t *testing.T) {
	boundary := iamARN + "policy/tributary-bootstrap-dev-boundary"
	for _, r := range []request{
		{"iam:CreateRole", iamARN + "role/tributary-dev-ingest-coins", []string{"iam:PermissionsBoundary", boundary}},
		{"iam:PutRolePolicy", iamARN + "role/tributary-dev-ingest-coins", []string{"iam:PermissionsBoundary", boundary}},
		{"iam:PassRole", iamARN + "role/tributary-dev-ingest-coins", []string{"iam:PassedToService", "lambda.amazonaws.com"}},
		{"iam:PassRole", iamARN + "role/tributary-dev-schedule-coins", []string{"iam:PassedToService", "scheduler.amazonaws.com"}},
		{"iam:CreatePolicy", iamARN + "policy/tributary-dev-reader", nil},
		{"lambda:UpdateFunctionCode", "arn:aws:lambda" + here + "function:tributary-dev-process-coins", nil},
		{"s3:PutBucketNotification", "arn:aws:s3:::tributary-dev-raw-" + account + "-eu-central-1", nil},
		{"s3:DeleteObjectVersion", "arn:aws:s3:::tributary-dev-raw-" + account + "-eu-central-1/raw/coins/x", nil},
		{"dynamodb:DeleteTable", "arn:aws:dynamodb" + here + "table/tributary-dev-coins", nil},
		{"kms:CreateKey", "*", []string{"aws:RequestTag/Project", "tributary", "aws:RequestTag/Stack", "dev"}},
		{"kms:TagResource", "arn:aws:kms" + here + "key/new", []string{"aws:RequestTag/Project", "tributary", "aws:RequestTag/Stack", "dev"}},
		{"kms:EnableKeyRotation", "arn:aws:kms" + here + "key/ours", []string{"aws:ResourceTag/Project", "tributary", "aws:ResourceTag/Stack", "dev"}},
		{"scheduler:CreateSchedule", "arn:aws:scheduler" + here + "schedule/tributary-dev-schedule-coins/tributary-dev-schedule-coins", nil},
		{"logs:DescribeLogGroups", "arn:aws:logs" + here + "log-group::log-stream:", nil},
		{"glue:UpdateTable", "arn:aws:glue" + here + "table/tributary_dev/coins", nil},
		{"athena:CreateNamedQuery", "arn:aws:athena" + here + "workgroup/tributary-dev", nil},
		{"cloudwatch:PutDashboard", "arn:aws:cloudwatch::" + account + ":dashboard/tributary-dev", nil},
		{"s3:PutObject", "arn:aws:s3:::tributary-bootstrap-" + account + "-eu-central-1/.pulumi/stacks/tributary/dev.json", nil},
		{"s3:DeleteObject", "arn:aws:s3:::tributary-bootstrap-" + account + "-eu-central-1/.pulumi/locks/organization/tributary/dev/1.json", nil},
		{"kms:Decrypt", stateKeyARN, []string{"kms:EncryptionContext:stack", "dev"}},
		{"kms:GenerateDataKey", stateKeyARN, []string{"kms:ViaService", "s3.eu-central-1.amazonaws.com"}},
		{"lambda:InvokeFunction", "arn:aws:lambda" + here + "function:tributary-dev-ingest-coins", nil},
		{"s3:GetObject", "arn:aws:s3:::tributary-dev-lake-" + account + "-eu-central-1/coins/dt=2025-03-04/x.parquet", nil},
		{"dynamodb:GetItem", "arn:aws:dynamodb" + here + "table/tributary-dev-coins", nil},
	} {
		if d := r.ask(ofRole(t, "DevDeploy")); !d.Allowed {
			t.Errorf("%s on %s: %s", r.action, r.resource, d.Reason)
		}
	}
}

// What somebody would try who has the credentials of a deploy role, or of a preview.
func TestNoWayUp(t *testing.T) {
	dev := []request{
		// A role that can do more.
		{"iam:CreateRole", iamARN + "role/tributary-dev-x", nil},
		{"iam:CreateRole", iamARN + "role/tributary-dev-x", []string{"iam:PermissionsBoundary", "arn:aws:iam::aws:policy/AdministratorAccess"}},
		{"iam:CreateRole", iamARN + "role/tributary-dev-x", []string{"iam:PermissionsBoundary", iamARN + "policy/tributary-bootstrap-prod-boundary"}},
		{"iam:CreateRole", iamARN + "role/other", []string{"iam:PermissionsBoundary", iamARN + "policy/tributary-bootstrap-dev-boundary"}},
		{"iam:PutRolePolicy", iamARN + "role/tributary-dev-x", nil},
		{"iam:AttachRolePolicy", iamARN + "role/tributary-dev-x", []string{"iam:PolicyARN", "arn:aws:iam::aws:policy/AdministratorAccess", "iam:PermissionsBoundary", iamARN + "policy/tributary-bootstrap-dev-boundary"}},
		{"iam:AttachRolePolicy", iamARN + "role/service-role/aws-quicksight-service-role-v0", []string{"iam:PolicyARN", iamARN + "policy/tributary-dev-x"}},
		{"iam:PassRole", iamARN + "role/Admin", []string{"iam:PassedToService", "lambda.amazonaws.com"}},
		{"iam:PassRole", iamARN + "role/tributary-dev-x", []string{"iam:PassedToService", "ec2.amazonaws.com"}},
		{"iam:PassRole", iamARN + "role/tributary-bootstrap-dev-deploy", []string{"iam:PassedToService", "lambda.amazonaws.com"}},
		{"iam:CreateServiceLinkedRole", iamARN + "role/aws-service-role/x", nil},
		{"iam:CreateUser", iamARN + "user/tributary-dev-x", nil},
		{"iam:CreateAccessKey", iamARN + "user/admin", nil},
		{"iam:UpdateAssumeRolePolicy", iamARN + "role/Admin", nil},
		{"sts:AssumeRole", iamARN + "role/Admin", nil},
		// The limit itself.
		{"iam:DeleteRolePermissionsBoundary", iamARN + "role/tributary-dev-x", []string{"iam:PermissionsBoundary", iamARN + "policy/tributary-bootstrap-dev-boundary"}},
		{"iam:PutRolePermissionsBoundary", iamARN + "role/tributary-dev-x", []string{"iam:PermissionsBoundary", "arn:aws:iam::aws:policy/AdministratorAccess"}},
		{"iam:CreatePolicyVersion", iamARN + "policy/tributary-bootstrap-dev-boundary", nil},
		{"iam:CreatePolicyVersion", iamARN + "policy/tributary-bootstrap-dev-deploy-identity", nil},
		{"iam:SetDefaultPolicyVersion", iamARN + "policy/tributary-dev-reader", nil},
		{"iam:DeletePolicy", iamARN + "policy/tributary-bootstrap-dev-boundary", nil},
		{"iam:PutRolePolicy", iamARN + "role/tributary-bootstrap-dev-deploy", []string{"iam:PermissionsBoundary", iamARN + "policy/tributary-bootstrap-dev-boundary"}},
		{"iam:UpdateOpenIDConnectProviderThumbprint", iamARN + "oidc-provider/" + issuer, nil},
		{"cloudformation:UpdateStack", "arn:aws:cloudformation" + here + "stack/tributary-bootstrap/1", nil},
		// Another stack.
		{"lambda:UpdateFunctionCode", "arn:aws:lambda" + here + "function:tributary-prod-process-coins", nil},
		{"s3:PutObject", "arn:aws:s3:::tributary-bootstrap-" + account + "-eu-central-1/.pulumi/stacks/tributary/prod.json", nil},
		{"kms:Decrypt", stateKeyARN, []string{"kms:EncryptionContext:stack", "prod"}},
		{"kms:PutKeyPolicy", "arn:aws:kms" + here + "key/prod", []string{"aws:ResourceTag/Project", "tributary", "aws:ResourceTag/Stack", "prod"}},
		{"kms:TagResource", "arn:aws:kms" + here + "key/prod", []string{
			"aws:RequestTag/Project", "tributary", "aws:RequestTag/Stack", "dev", "aws:ResourceTag/Project", "tributary", "aws:ResourceTag/Stack", "prod",
		}},
		// What the template made, and secrets.
		{"kms:PutKeyPolicy", stateKeyARN, []string{"aws:ResourceTag/Project", "tributary", "aws:ResourceTag/Stack", "bootstrap"}},
		{"kms:ScheduleKeyDeletion", stateKeyARN, []string{"aws:ResourceTag/Project", "tributary", "aws:ResourceTag/Stack", "bootstrap"}},
		{"s3:PutBucketPolicy", "arn:aws:s3:::tributary-bootstrap-" + account + "-eu-central-1", nil},
		{"s3:DeleteBucket", "arn:aws:s3:::tributary-bootstrap-" + account + "-eu-central-1", nil},
		{"secretsmanager:GetSecretValue", "arn:aws:secretsmanager" + here + "secret:tributary-dev/coingecko", nil},
	}
	prod := []request{
		{"dynamodb:DeleteTable", "arn:aws:dynamodb" + here + "table/tributary-prod-coins", nil},
		{"s3:DeleteBucket", "arn:aws:s3:::tributary-prod-raw-" + account + "-eu-central-1", nil},
		{"s3:DeleteObjectVersion", "arn:aws:s3:::tributary-prod-raw-" + account + "-eu-central-1/raw/coins/x", nil},
		{"kms:ScheduleKeyDeletion", "arn:aws:kms" + here + "key/ours", []string{"aws:ResourceTag/Project", "tributary", "aws:ResourceTag/Stack", "prod"}},
		{"secretsmanager:DeleteSecret", "arn:aws:secretsmanager" + here + "secret:tributary-prod/coingecko", nil},
	}
	preview := []request{
		{"s3:PutObject", "arn:aws:s3:::tributary-bootstrap-" + account + "-eu-central-1/.pulumi/stacks/tributary/dev.json", nil},
		{"s3:GetObject", "arn:aws:s3:::tributary-dev-raw-" + account + "-eu-central-1/raw/coins/x", nil},
		{"lambda:GetFunction", "arn:aws:lambda" + here + "function:tributary-dev-process-coins", nil},
		{"kms:Encrypt", stateKeyARN, []string{"kms:EncryptionContext:stack", "dev"}},
		{"iam:CreateRole", iamARN + "role/tributary-dev-x", []string{"iam:PermissionsBoundary", iamARN + "policy/tributary-bootstrap-dev-boundary"}},
	}
	for _, role := range []struct {
		prefix   string
		requests []request
	}{{"DevDeploy", dev}, {"ProdDeploy", prod}, {"PreviewPolicy", preview}} {
		policies := ofRole(t, role.prefix)
		for _, r := range role.requests {
			if d := r.ask(policies); d.Allowed {
				t.Errorf("%s may %s on %s %v: %s", role.prefix, r.action, r.resource, r.context, d.Reason)
			}
		}
	}
}

// Roles are taken with tokens of exactly the subjects that were given.
func TestTrust(t *testing.T) {
	for id, r := range New(project).Resources {
		if r.Type != "AWS::IAM::Role" {
			continue
		}
		if r.Condition == "" {
			t.Errorf("%s is made for nobody", id)
		}
		s := r.Properties["AssumeRolePolicyDocument"].(Document).Statement[0]
		subject := map[string]any{"DevDeployRole": ref("DevSubject"), "ProdDeployRole": ref("ProdSubject"), "PreviewRole": ref("PreviewSubjects")}[id]
		want := Condition{"StringEquals": {issuer + ":aud": audience, issuer + ":sub": subject}}
		if diff := cmp.Diff(want, s.Condition); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
}

// holds says whether a condition of the template holds for parameters, each as CloudFormation has it.
func (t Template) holds(parameters map[string]string, condition any) bool {
	each := func(v any, holds func(bool) bool) bool {
		return slices.ContainsFunc(v.([]any), func(c any) bool { return holds(t.holds(parameters, c)) })
	}
	for key, v := range condition.(map[string]any) {
		switch key {
		case "Condition":
			return t.holds(parameters, t.Conditions[v.(string)])
		case "Fn::Not":
			return !t.holds(parameters, v.([]any)[0])
		case "Fn::And":
			return !each(v, func(holds bool) bool { return !holds })
		case "Fn::Or":
			return each(v, func(holds bool) bool { return holds })
		case "Fn::Equals":
			words := v.([]any)
			if list, ok := words[0].(map[string]any); ok { // of subjects, joined
				words = []any{list["Fn::Join"].([]any)[1], words[1]}
			}
			return parameters[words[0].(map[string]string)["Ref"]] == words[1]
		}
	}
	panic(fmt.Sprintf("what is the condition %v?", condition))
}

// Nothing of GitHub's is there where nobody of it is let in, and the account's one identity provider is made but once.
func TestGitHubIsTrustedWhereItIsAskedFor(t *testing.T) {
	const subject, provider = "repo:o@1/r@2:environment:dev", "arn:aws:iam::" + account + ":oidc-provider/" + issuer
	for _, test := range []struct {
		name       string
		parameters map[string]string
		want       []string
	}{
		{"nobody", nil, nil},
		{"nobody, and a provider", map[string]string{"GitHubProvider": provider}, nil},
		{"dev", map[string]string{"DevSubject": subject}, []string{"DevDeployRole", "GitHubIdentities"}},
		{"prod", map[string]string{"ProdSubject": subject}, []string{"GitHubIdentities", "ProdDeployRole"}},
		{"previews", map[string]string{"PreviewSubjects": subject}, []string{"GitHubIdentities", "PreviewRole"}},
		{"dev, and a provider", map[string]string{"DevSubject": subject, "GitHubProvider": provider}, []string{"DevDeployRole"}},
	} {
		template := New(project)
		var got []string
		for id, r := range template.Resources {
			if (r.Type == "AWS::IAM::Role" || r.Type == "AWS::IAM::OIDCProvider") && template.holds(test.parameters, named(r.Condition)) {
				got = append(got, id)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// The project's own stacks name the boundary that the template makes for them.
func TestSettingsNameTheBoundary(t *testing.T) {
	p, err := ReadProject("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Stacks {
		if want := "permissionsBoundary: " + BoundaryName(p.Name, s.Name) + " "; !strings.Contains(read(t, "../../Pulumi."+s.Name+".yaml"), want) {
			t.Errorf("Pulumi.%s.yaml does not say %s", s.Name, want)
		}
	}
}

func TestReadProject(t *testing.T) {
	const named, settled = "name: tributary\n", "config: {tributary:settings: {region: eu-west-3, protect: true}}\n"
	for _, test := range []struct {
		name  string
		files map[string]string
		want  string // error
		stack Stack
	}{
		{"whole", map[string]string{"Pulumi.yaml": named, "Pulumi.live.yaml": settled}, "", Stack{Name: "live", Region: "eu-west-3", Protect: true}},
		{"no project", nil, "Pulumi.yaml", Stack{}},
		{"no name", map[string]string{"Pulumi.yaml": "runtime: go\n"}, "it has no name", Stack{}},
		{"no stack", map[string]string{"Pulumi.yaml": named}, "no Pulumi.STACK.yaml", Stack{}},
		{"no region", map[string]string{"Pulumi.yaml": named, "Pulumi.live.yaml": "config: {}\n"}, "read Pulumi.live.yaml: config.tributary:settings.region is missing", Stack{}},
		{"broken", map[string]string{"Pulumi.yaml": named, "Pulumi.live.yaml": "config: ["}, "read Pulumi.live.yaml", Stack{}},
		{"the reserved name", map[string]string{"Pulumi.yaml": named, "Pulumi.bootstrap.yaml": settled}, "no stack can be called bootstrap", Stack{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range test.files {
				if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := ReadProject(root)
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("error %v, want %s", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(Project{Name: "tributary", Stacks: []Stack{test.stack}}, got); diff != "" {
				t.Errorf("project (-want +got):\n%s", diff)
			}
		})
	}
}
