package stack

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"go.yaml.in/yaml/v3"

	"tributary/infra/artifact"
	"tributary/infra/component"
	"tributary/shared/settings"
)

var update = flag.Bool("update", false, "write golden files anew")

const (
	testAccount = "123456789012"
	testRegion  = "eu-central-1"
	projectRoot = "../.."
)

var testPlace = component.Place{Partition: "aws", Region: testRegion, Account: testAccount}

// recorded is a resource as the program declared it.
type recorded struct {
	URN, Type, Name, Parent, Provider string
	Custom, Protect, Retain           bool
	Inputs                            map[string]any
	Dependencies                      []string
}

// id is what tests call a resource by: type and name are unique in this program.
func (r recorded) id() string { return r.Type + " " + r.Name }

// recorder plays Pulumi's engine: it keeps what is declared and answers as AWS would.
type recorder struct {
	stack     string
	mu        sync.Mutex
	resources []recorded
}

func (r *recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	if args.Token != "aws:index/getCallerIdentity:getCallerIdentity" {
		return nil, fmt.Errorf("the program asked for %s", args.Token)
	}
	return resource.PropertyMap{"accountId": resource.NewProperty(testAccount)}, nil
}

func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	rpc := args.RegisterRPC
	parent := resource.URN(rpc.GetParent())
	var parentType tokens.Type
	if parent != "" && parent.QualifiedType() != resource.RootStackType {
		parentType = parent.QualifiedType()
	}
	entry := recorded{
		URN:  string(resource.NewURN(tokens.QName(r.stack), "tributary", parentType, tokens.Type(args.TypeToken), args.Name)),
		Type: args.TypeToken, Name: args.Name, Parent: string(parent), Provider: rpc.GetProvider(), Custom: args.Custom,
		Protect: rpc.GetProtect(), Retain: rpc.GetRetainOnDelete(),
		Inputs: args.Inputs.Mappable(), Dependencies: rpc.GetDependencies(),
	}
	r.mu.Lock()
	r.resources = append(r.resources, entry)
	r.mu.Unlock()

	outputs := args.Inputs.Copy()
	id := args.Name + "-id"
	for _, key := range []resource.PropertyKey{"bucket", "name"} {
		if v, ok := args.Inputs[key]; ok && v.IsString() {
			id = v.StringValue()
			break
		}
	}
	if service, _, found := strings.Cut(strings.TrimPrefix(args.TypeToken, "aws:"), "/"); found {
		arn := "arn:aws:" + service + ":" + testRegion + ":" + testAccount + ":" + id
		if service == "s3" {
			arn = "arn:aws:s3:::" + id
		}
		outputs["arn"] = resource.NewProperty(arn)
		outputs["keyId"] = resource.NewProperty(id)
		outputs["url"] = resource.NewProperty("https://sqs." + testRegion + ".amazonaws.com/" + testAccount + "/" + id)
	}
	return id, outputs, nil
}

// project is a copy of the project with deployment packages that hold nothing.
type project struct {
	root     string
	settings map[string]string // JSON by stack
	outdated string            // why the packages cannot be used; empty: they can
}

func newProject(t *testing.T, more ...string) project {
	t.Helper()
	p := project{root: t.TempDir(), settings: map[string]string{}}
	write := func(path string, data []byte) {
		path = filepath.Join(p.root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("Pulumi.yaml", read(t, projectRoot, "Pulumi.yaml"))
	for _, file := range append([]string{filepath.Join(projectRoot, datasetsDir, "coin_markets.odcs.yaml")}, more...) {
		text := read(t, file)
		write(filepath.Join(datasetsDir, filepath.Base(file)), text)
		dataset := strings.TrimSuffix(filepath.Base(file), ".odcs.yaml")
		for _, function := range artifact.Functions {
			path, err := filepath.Rel(p.root, artifact.Zip(p.root, artifact.Dir, function, dataset))
			if err != nil {
				t.Fatal(err)
			}
			write(path, deploymentPackage(t, text))
		}
	}
	for _, stack := range []string{"dev", "prod"} {
		var file struct {
			Config map[string]any `yaml:"config"`
		}
		if err := yaml.Unmarshal(read(t, projectRoot, "Pulumi."+stack+".yaml"), &file); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(file.Config[ConfigKey])
		if err != nil {
			t.Fatal(err)
		}
		p.settings[stack] = string(text)
	}
	p.settings[viewed] = strings.Replace(p.settings["prod"], "{", `{"environment":"prod",`+viewers, 1)
	return p
}

// viewed is a stack like prod that people look at in QuickSight.
const viewed = "viewed"

const viewers = `"quickSight":{"principal":"arn:aws:quicksight:` + testRegion + `:` + testAccount + `:group/default/analysts"},`

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func deploymentPackage(t *testing.T, contract []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, file := range []struct {
		name string
		text []byte
	}{{"bootstrap", []byte("bootstrap")}, {settings.ContractFile, contract}} {
		f, err := w.Create(file.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(file.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (p project) current(string, string) error {
	if p.outdated != "" {
		return errors.New(p.outdated)
	}
	return nil
}

// deploy runs the program and returns what it declared, in the order of URNs.
func (p project) deploy(stack string) ([]recorded, error) {
	r := &recorder{stack: stack}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error { return deploy(ctx, p.root, p.current) },
		pulumi.WithMocks("tributary", stack, r),
		p.config(stack))
	slices.SortFunc(r.resources, func(a, b recorded) int { return strings.Compare(a.URN, b.URN) })
	return r.resources, err
}

func (p project) config(stack string) pulumi.RunOption {
	return func(info *pulumi.RunInfo) {
		if text, ok := p.settings[stack]; ok {
			info.Config = map[string]string{ConfigKey: text}
		}
	}
}

func (p project) mustDeploy(t *testing.T, stack string) []recorded {
	t.Helper()
	resources, err := p.deploy(stack)
	if err != nil {
		t.Fatalf("deploy %s: %v", stack, err)
	}
	return resources
}

// golden compares text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, path)), got); diff != "" {
		t.Errorf("%s is not what the program declares (-want +got); if it should be, run the test with -update:\n%s", path, diff)
	}
}
