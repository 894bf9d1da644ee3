// Package monitor runs a Pulumi program in this process, without the Pulumi command line: it is the resource monitor
// and the engine that the program talks to over gRPC on 127.0.0.1. Every resource that the program registers is handed
// to a Provider, which makes it, or only says what it would look like, and is kept with its inputs, outputs and
// dependencies.
//
// The program sees nothing of this: it is the function that pulumi.Run would be given. What this monitor cannot do
// (reading existing resources, remote components, calls of methods) is an error that names it, never a silent success.
package monitor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// stackType is the type token of the resource above all others.
const stackType = "pulumi:pulumi:Stack"

// Resource is a resource as the program registered it.
type Resource struct {
	URN                  string              `json:"urn"`
	Type                 string              `json:"type"`
	Name                 string              `json:"name"`
	ID                   string              `json:"id,omitempty"`
	Parent               string              `json:"parent,omitempty"`
	Provider             string              `json:"provider,omitempty"` // URN::ID of an explicit provider
	Custom               bool                `json:"custom"`             // false for components
	Inputs               map[string]any      `json:"inputs,omitempty"`   // plain values; an archive is an Archive
	Secrets              []string            `json:"secrets,omitempty"`  // inputs that hold secrets
	Outputs              map[string]any      `json:"outputs,omitempty"`
	Dependencies         []string            `json:"dependencies,omitempty"`
	PropertyDependencies map[string][]string `json:"propertyDependencies,omitempty"`
	Protect              bool                `json:"protect,omitempty"`
	RetainOnDelete       bool                `json:"retainOnDelete,omitempty"`
	Aliases              []string            `json:"aliases,omitempty"`
}

// Archive stands for a file archive among the inputs.
type Archive struct {
	Path string `json:"archive"`
}

// Provider makes the resources. Calls come one at a time.
type Provider interface {
	// Create makes a custom resource and returns its id and what it has beside its inputs.
	Create(ctx context.Context, r Resource) (id string, outputs map[string]any, err error)
	// Invoke answers a function call of the program, such as getCallerIdentity; provider is the URN::ID of an explicit
	// provider, or empty.
	Invoke(ctx context.Context, token, provider string, arguments map[string]any) (map[string]any, error)
}

// Program is what to run.
type Program struct {
	Project string
	Stack   string
	Root    string            // what the program sees as its root directory
	Config  map[string]string // full keys, project:name
	Preview bool              // the program sees DryRun
	Run     pulumi.RunFunc
	Logf    func(format string, args ...any) // what the program logs; nil drops it
}

// Recording is what the program registered, in the order in which the resources were made.
type Recording struct {
	Resources []Resource
	Exports   map[string]any
	Secrets   []string // exports that hold secrets
	// Registered are the URNs of the components whose outputs the program registered, and of the stack.
	Registered []string
}

// Declared are the resources without the stack itself, which Pulumi puts above them.
func (r *Recording) Declared() []Resource {
	return slices.DeleteFunc(slices.Clone(r.Resources), func(r Resource) bool { return r.Type == stackType })
}

// Run runs the program to its end. The recording holds what was registered until then, even with an error.
func Run(ctx context.Context, program Program, provider Provider) (*Recording, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the Pulumi program: %w", err)
	}
	m := &monitor{ctx: ctx, program: program, provider: provider, index: map[string]int{}}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(400 << 20))
	pulumirpc.RegisterResourceMonitorServer(server, m)
	pulumirpc.RegisterEngineServer(server, &engine{logf: program.Logf})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	run := pulumi.RunErr(program.Run, func(info *pulumi.RunInfo) {
		*info = pulumi.RunInfo{
			Project: program.Project, Stack: program.Stack, RootDirectory: program.Root, Config: program.Config,
			DryRun: program.Preview, Parallel: 16, MonitorAddr: listener.Addr().String(), EngineAddr: listener.Addr().String(),
		}
	})
	server.Stop()
	if err := <-served; err != nil {
		return nil, fmt.Errorf("serve the Pulumi program: %w", err)
	}

	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.failed != nil: // clearer than what comes back through gRPC and the SDK
		err = m.failed
	case ctx.Err() != nil:
		err = ctx.Err()
	default:
		err = flatten(run)
	}
	if err != nil {
		err = fmt.Errorf("run Pulumi program %s of stack %s: %w", program.Project, program.Stack, err)
	}
	return &m.recording, err
}

// flatten takes the SDK's list of errors apart: it prints as a bulleted text over several lines, even for one error.
func flatten(err error) error {
	if list, ok := err.(interface{ WrappedErrors() []error }); ok {
		return errors.Join(list.WrappedErrors()...)
	}
	return err
}

type monitor struct {
	pulumirpc.UnimplementedResourceMonitorServer

	ctx      context.Context //nolint:containedctx // the caller's; gRPC gives each request its own
	program  Program
	provider Provider

	mu        sync.Mutex // held while a resource is made: one at a time
	recording Recording
	index     map[string]int // by URN
	failed    error          // the first failure of the provider
}

// features that the SDK may use. Output values and transforms would need more of an engine than this.
var features = map[string]bool{
	"secrets": true, "resourceReferences": true, "deletedWith": true, "replaceWith": true, "aliasSpecs": true,
}

func (m *monitor) SupportsFeature(_ context.Context, in *pulumirpc.SupportsFeatureRequest) (*pulumirpc.SupportsFeatureResponse, error) {
	return &pulumirpc.SupportsFeatureResponse{HasSupport: features[in.GetId()]}, nil
}

func (m *monitor) RegisterResource(_ context.Context, in *pulumirpc.RegisterResourceRequest) (*pulumirpc.RegisterResourceResponse, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failed != nil {
		return nil, errors.New("an earlier resource failed")
	}
	r, out, err := m.register(in)
	if err != nil {
		m.failed = fmt.Errorf("make %s %q: %w", in.GetType(), in.GetName(), err)
		return nil, m.failed
	}
	return &pulumirpc.RegisterResourceResponse{Urn: r.URN, Id: r.ID, Object: out}, nil
}

func (m *monitor) register(in *pulumirpc.RegisterResourceRequest) (Resource, *structpb.Struct, error) {
	r := Resource{
		URN: m.urn(in), Type: in.GetType(), Name: in.GetName(), Parent: in.GetParent(), Provider: in.GetProvider(), Custom: in.GetCustom(),
		Dependencies: in.GetDependencies(), Protect: in.GetProtect(), RetainOnDelete: in.GetRetainOnDelete(), Aliases: in.GetAliasURNs(),
	}
	for _, alias := range in.GetAliases() {
		r.Aliases = append(r.Aliases, aliasText(alias))
	}
	if _, taken := m.index[r.URN]; taken {
		return r, nil, fmt.Errorf("duplicate resource %s", r.URN)
	}
	if in.GetRemote() {
		return r, nil, errors.New("remote components need the Pulumi engine")
	}
	if in.GetImportId() != "" {
		return r, nil, fmt.Errorf("import of %s needs the Pulumi engine", in.GetImportId())
	}
	inputs, err := unmarshal(in.GetObject())
	if err != nil {
		return r, nil, err
	}
	if r.Inputs, r.Secrets, err = plainMap(inputs); err != nil {
		return r, nil, err
	}
	for property, on := range in.GetPropertyDependencies() {
		if len(on.GetUrns()) > 0 {
			if r.PropertyDependencies == nil {
				r.PropertyDependencies = map[string][]string{}
			}
			r.PropertyDependencies[property] = on.GetUrns()
		}
	}
	outputs := inputs
	if r.Custom {
		id, more, err := m.provider.Create(m.ctx, r)
		if err != nil {
			return r, nil, err
		}
		r.ID, r.Outputs = id, more
		outputs = inputs.Copy()
		for key, value := range resource.NewPropertyMapFromMap(more) {
			outputs[key] = value
		}
	}
	out, err := plugin.MarshalProperties(outputs, plugin.MarshalOptions{KeepSecrets: in.GetAcceptSecrets(), KeepResources: true, SkipNulls: true})
	if err != nil {
		return r, nil, fmt.Errorf("encode outputs: %w", err)
	}
	m.index[r.URN] = len(m.recording.Resources)
	m.recording.Resources = append(m.recording.Resources, r)
	return r, out, nil
}

// urn names the resource as the Pulumi engine does.
func (m *monitor) urn(in *pulumirpc.RegisterResourceRequest) string {
	var parent tokens.Type
	if p := resource.URN(in.GetParent()); p != "" && p.QualifiedType() != stackType {
		parent = p.QualifiedType()
	}
	return string(resource.NewURN(tokens.QName(m.program.Stack), tokens.PackageName(m.program.Project), parent, tokens.Type(in.GetType()), in.GetName()))
}

func aliasText(a *pulumirpc.Alias) string {
	if a.GetUrn() != "" {
		return a.GetUrn()
	}
	spec := a.GetSpec()
	return strings.Join([]string{spec.GetStack(), spec.GetProject(), spec.GetParentUrn(), spec.GetType(), spec.GetName()}, "::")
}

func (m *monitor) RegisterResourceOutputs(_ context.Context, in *pulumirpc.RegisterResourceOutputsRequest) (*emptypb.Empty, error) {
	outputs, err := unmarshal(in.GetOutputs())
	if err != nil {
		return nil, err
	}
	plain, secrets, err := plainMap(outputs)
	if err != nil {
		return nil, fmt.Errorf("read outputs of %s: %w", in.GetUrn(), err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.index[in.GetUrn()]
	if !ok {
		return nil, fmt.Errorf("outputs of an unknown resource %s", in.GetUrn())
	}
	r := &m.recording.Resources[i]
	r.Outputs = plain
	m.recording.Registered = append(m.recording.Registered, r.URN)
	if r.Type == stackType {
		m.recording.Exports, m.recording.Secrets = plain, secrets
	}
	return &emptypb.Empty{}, nil
}

func (m *monitor) Invoke(_ context.Context, in *pulumirpc.ResourceInvokeRequest) (*pulumirpc.InvokeResponse, error) {
	arguments, err := unmarshal(in.GetArgs())
	if err != nil {
		return nil, err
	}
	plain, _, err := plainMap(arguments)
	if err != nil {
		return nil, fmt.Errorf("read arguments of %s: %w", in.GetTok(), err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	answer, err := m.provider.Invoke(m.ctx, in.GetTok(), in.GetProvider(), plain)
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", in.GetTok(), err)
	}
	out, err := plugin.MarshalProperties(resource.NewPropertyMapFromMap(answer), plugin.MarshalOptions{})
	if err != nil {
		return nil, fmt.Errorf("encode answer of %s: %w", in.GetTok(), err)
	}
	return &pulumirpc.InvokeResponse{Return: out}, nil
}

func (m *monitor) ReadResource(_ context.Context, in *pulumirpc.ReadResourceRequest) (*pulumirpc.ReadResourceResponse, error) {
	return nil, fmt.Errorf("read %s %q: there is no existing resource to read", in.GetType(), in.GetName())
}

func (m *monitor) SignalAndWaitForShutdown(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

type engine struct {
	pulumirpc.UnimplementedEngineServer

	logf func(format string, args ...any)
	mu   sync.Mutex
	root string
}

func (e *engine) Log(_ context.Context, in *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	if e.logf != nil && in.GetSeverity() != pulumirpc.LogSeverity_DEBUG {
		e.logf("%s: %s", strings.ToLower(in.GetSeverity().String()), strings.TrimSpace(in.GetMessage()))
	}
	return &emptypb.Empty{}, nil
}

func (e *engine) GetRootResource(context.Context, *pulumirpc.GetRootResourceRequest) (*pulumirpc.GetRootResourceResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return &pulumirpc.GetRootResourceResponse{Urn: e.root}, nil
}

func (e *engine) SetRootResource(_ context.Context, in *pulumirpc.SetRootResourceRequest) (*pulumirpc.SetRootResourceResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.root = in.GetUrn()
	return &pulumirpc.SetRootResourceResponse{}, nil
}

func (e *engine) RequirePulumiVersion(context.Context, *pulumirpc.RequirePulumiVersionRequest) (*pulumirpc.RequirePulumiVersionResponse, error) {
	return &pulumirpc.RequirePulumiVersionResponse{}, nil
}
