package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"tributary/infra/local/monitor"
)

// echo makes resources whose outputs tell their name.
type echo struct {
	mu   sync.Mutex
	made []string
	fail string
}

func (e *echo) Create(_ context.Context, r monitor.Resource) (string, map[string]any, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.Name == e.fail {
		return "", nil, errors.New("no room left")
	}
	e.made = append(e.made, r.Name)
	return "id-" + r.Name, map[string]any{"arn": "arn:" + r.Name}, nil
}

func (e *echo) Invoke(_ context.Context, token, _ string, arguments map[string]any) (map[string]any, error) {
	if token != "test:index:hello" {
		return nil, fmt.Errorf("function %s is not known", token)
	}
	return map[string]any{"text": fmt.Sprint("hello ", arguments["name"])}, nil
}

// thing is a custom resource with one output.
type thing struct {
	pulumi.CustomResourceState
	ARN pulumi.StringOutput `pulumi:"arn"`
}

// group is a component.
type group struct{ pulumi.ResourceState }

func newThing(ctx *pulumi.Context, name string, inputs pulumi.Map, opts ...pulumi.ResourceOption) (*thing, error) {
	t := &thing{}
	return t, ctx.RegisterResource("test:index/thing:Thing", name, inputs, t, opts...)
}

func run(t *testing.T, provider monitor.Provider, program pulumi.RunFunc) (*monitor.Recording, error) {
	t.Helper()
	return monitor.Run(t.Context(), monitor.Program{Project: "trial", Stack: "dev", Root: "/root", Config: map[string]string{"trial:a": "b"}, Run: program, Logf: t.Logf}, provider)
}

func TestRecording(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "code.zip")
	if err := os.WriteFile(archive, []byte("PK\x05\x06"+strings.Repeat("\x00", 18)), 0o600); err != nil {
		t.Fatal(err)
	}
	provider := &echo{}
	recording, err := run(t, provider, func(ctx *pulumi.Context) error {
		if value, _ := ctx.GetConfig("trial:a"); value != "b" || ctx.RootDirectory() != "/root" || ctx.Stack() != "dev" || ctx.DryRun() {
			return fmt.Errorf("config %q, root %s", value, ctx.RootDirectory())
		}
		parent := &group{}
		if err := ctx.RegisterComponentResource("test:index:Group", "group", parent); err != nil {
			return err
		}
		first, err := newThing(ctx, "first", pulumi.Map{
			"password": pulumi.ToSecret(pulumi.String("hidden")), "count": pulumi.Int(3), "list": pulumi.ToStringArray([]string{"a"}),
			"code": pulumi.NewFileArchive(archive), "absent": pulumi.StringPtrFromPtr(nil),
		}, pulumi.Parent(parent), pulumi.Protect(true), pulumi.RetainOnDelete(true), pulumi.Aliases([]pulumi.Alias{{Name: pulumi.String("former")}}))
		if err != nil {
			return err
		}
		second, err := newThing(ctx, "second", pulumi.Map{"first": first.ARN, "object": pulumi.Map{"yes": pulumi.Bool(true)}})
		if err != nil {
			return err
		}
		if _, err := newThing(ctx, "third", nil, pulumi.DependsOn([]pulumi.Resource{second})); err != nil {
			return err
		}
		var hello struct {
			Text string `pulumi:"text"`
		}
		if err := ctx.Invoke("test:index:hello", &struct {
			Name string `pulumi:"name"`
		}{"you"}, &hello); err != nil {
			return err
		}
		ctx.Export("hello", pulumi.String(hello.Text))
		ctx.Export("arn", second.ARN)
		ctx.Export("secret", pulumi.ToSecret(pulumi.String("hidden")))
		return ctx.RegisterResourceOutputs(parent, pulumi.Map{"size": pulumi.Int(1)})
	})
	if err != nil {
		t.Fatal(err)
	}
	const stack, groupURN = "urn:pulumi:dev::trial::pulumi:pulumi:Stack::trial-dev", "urn:pulumi:dev::trial::test:index:Group::group"
	const firstURN, secondURN = "urn:pulumi:dev::trial::test:index:Group$test:index/thing:Thing::first", "urn:pulumi:dev::trial::test:index/thing:Thing::second"
	exports := map[string]any{"hello": "hello you", "arn": "arn:second", "secret": "hidden"}
	want := []monitor.Resource{
		{URN: stack, Type: "pulumi:pulumi:Stack", Name: "trial-dev", Outputs: exports},
		{URN: groupURN, Type: "test:index:Group", Name: "group", Parent: stack, Outputs: map[string]any{"size": 1.0}},
		{URN: firstURN, Type: "test:index/thing:Thing", Name: "first", ID: "id-first", Parent: groupURN, Custom: true, Protect: true, RetainOnDelete: true,
			Inputs:  map[string]any{"password": "hidden", "count": 3.0, "list": []any{"a"}, "code": monitor.Archive{Path: archive}},
			Secrets: []string{"password"}, Outputs: map[string]any{"arn": "arn:first"}, Aliases: []string{"::::::::former"}},
		{URN: secondURN, Type: "test:index/thing:Thing", Name: "second", ID: "id-second", Parent: stack, Custom: true,
			Inputs: map[string]any{"first": "arn:first", "object": map[string]any{"yes": true}}, Outputs: map[string]any{"arn": "arn:second"},
			Dependencies: []string{firstURN}, PropertyDependencies: map[string][]string{"first": {firstURN}}},
		{URN: "urn:pulumi:dev::trial::test:index/thing:Thing::third", Type: "test:index/thing:Thing", Name: "third", ID: "id-third", Parent: stack, Custom: true,
			Outputs: map[string]any{"arn": "arn:third"}, Dependencies: []string{secondURN}},
	}
	if diff := cmp.Diff(want, recording.Resources, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want[1:], recording.Declared(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("declared: %s", diff)
	}
	if diff := cmp.Diff(exports, recording.Exports); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{groupURN, stack}, recording.Registered); diff != "" {
		t.Errorf("registered outputs: %s", diff)
	}
	if diff := cmp.Diff([]string{"secret"}, recording.Secrets); diff != "" {
		t.Error(diff)
	}
}

func TestRunFails(t *testing.T) {
	for _, test := range []struct {
		name    string
		fail    string
		program pulumi.RunFunc
		want    string
	}{
		{"the program", "", func(*pulumi.Context) error { return errors.New("settings are wrong") }, "run Pulumi program trial of stack dev: settings are wrong"},
		{"a resource", "first", func(ctx *pulumi.Context) error {
			_, err := newThing(ctx, "first", nil)
			return err
		}, `make test:index/thing:Thing "first": no room left`},
		{"a duplicate", "", func(ctx *pulumi.Context) error {
			if _, err := newThing(ctx, "first", nil); err != nil {
				return err
			}
			_, err := newThing(ctx, "first", nil)
			return err
		}, "duplicate resource"},
		{"a function", "", func(ctx *pulumi.Context) error {
			return ctx.Invoke("test:index:other", nil, &struct{}{})
		}, "function test:index:other is not known"},
		{"an existing resource", "", func(ctx *pulumi.Context) error {
			return ctx.ReadResource("test:index/thing:Thing", "first", pulumi.ID("x"), nil, &thing{})
		}, "there is no existing resource to read"},
		{"an import", "", func(ctx *pulumi.Context) error {
			_, err := newThing(ctx, "first", nil, pulumi.Import(pulumi.ID("x")))
			return err
		}, "import of x needs the Pulumi engine"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := run(t, &echo{fail: test.fail}, test.program)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestConfig(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"Pulumi.yaml":        "name: trial\n",
		"Pulumi.dev.yaml":    "config:\n  aws:region: eu-west-3\n  trial:settings:\n    keep: 1\n    nested: {a: [1, 2], b: two}\n  trial:plain: text\n",
		"Pulumi.sealed.yaml": "config:\n  trial:token:\n    secure: AAAB\n",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overlay := map[string]any{"settings": map[string]any{"nested": map[string]any{"b": 3}, "added": true}}
	project, config, err := monitor.Config(root, "dev", overlay)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"aws:region": "eu-west-3", "trial:plain": "text", "trial:settings": `{"added":true,"keep":1,"nested":{"a":[1,2],"b":3}}`}
	if diff := cmp.Diff(want, config); diff != "" || project != "trial" {
		t.Errorf("project %s: %s", project, diff)
	}
	if _, config, err = monitor.Config(root, "new", overlay); err != nil || len(config) != 1 {
		t.Errorf("a stack without a file: %v, %v", config, err)
	}
	if _, _, err = monitor.Config(root, "sealed", nil); err == nil || !strings.Contains(err.Error(), "trial:token is encrypted") {
		t.Errorf("an encrypted value: %v", err)
	}
	if _, config, err = monitor.Config(root, "sealed", map[string]any{"trial:token": "x"}); err != nil || config["trial:token"] != "x" {
		t.Errorf("an encrypted value, replaced: %v, %v", config, err)
	}
	if _, _, err = monitor.Config(t.TempDir(), "dev", nil); err == nil || !strings.Contains(err.Error(), "read Pulumi.yaml") {
		t.Errorf("no project: %v", err)
	}
}
