package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"tributary/infra/artifact"
	"tributary/infra/local/catalog"
	"tributary/infra/local/monitor"
	"tributary/infra/stack"
	"tributary/shared/contract"
)

// unknownAccount stands in names and ARNs of a stack whose settings name no account.
const unknownAccount = "000000000000"

// masked stands for a secret.
const masked = "[secret]"

// preview is what a stack's program declares, in an order that depends on nothing but names.
type preview struct {
	Project, Stack, Account string
	Config                  stack.Config // with its defaults
	Resources               []monitor.Resource
	Exports                 map[string]any
}

// record runs the program of a stack of the project that the working directory lies in.
func record(ctx context.Context, name string, progress io.Writer) (*preview, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("preview stack %s: %w", name, err)
	}
	root, err := stack.FindRoot(dir)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(root, "Pulumi."+name+".yaml")); err != nil {
		return nil, fmt.Errorf("preview stack %s: %w", name, err)
	}
	project, settings, err := monitor.Config(root, name, nil)
	if err != nil {
		return nil, err
	}
	config, err := stack.ParseConfig(settings[stack.ConfigKey])
	if err != nil {
		return nil, fmt.Errorf("preview stack %s: %w", name, err)
	}
	if config.Environment == "" {
		config.Environment = name
	}
	if _, err := contract.LoadDir(filepath.Join(root, "shared", "datasets")); err != nil { // before anything is compiled for them
		return nil, fmt.Errorf("preview stack %s: %w", name, err)
	}
	if err := buildPackages(ctx, root, config.Artifacts, progress); err != nil {
		return nil, err
	}
	p := &preview{Project: project, Stack: name, Account: unknownAccount, Config: config}
	if len(config.AccountIDs) > 0 {
		p.Account = config.AccountIDs[0]
	}
	recording, err := monitor.Run(ctx, monitor.Program{
		Project: project, Stack: name, Root: root, Config: settings, Preview: true, Run: stack.Deploy,
		Logf: func(format string, args ...any) { fmt.Fprintf(progress, format+"\n", args...) },
	}, &catalog.Provider{Account: p.Account, Region: config.Region})
	if err != nil {
		return nil, err
	}
	p.Resources, p.Exports = tidy(root, recording)
	return p, nil
}

// buildPackages makes the deployment packages where they are missing or stale: the program refuses to run without, and
// a preview of a fresh clone should need nothing else.
func buildPackages(ctx context.Context, root, dir string, progress io.Writer) error {
	why := artifact.Check(root, dir, artifact.AWS)
	if why == nil {
		return nil
	}
	fmt.Fprintf(progress, "%v (doing that now)\n", why)
	_, err := artifact.Build(ctx, artifact.Options{Root: root, Dir: dir, Target: artifact.AWS})
	return err
}

// tidy masks secrets, makes paths relative to root, drops the stack itself and puts the rest in order.
func tidy(root string, recording *monitor.Recording) ([]monitor.Resource, map[string]any) {
	var resources []monitor.Resource
	for _, r := range recording.Declared() {
		r.Inputs = mask(relative(root, r.Inputs).(map[string]any), r.Secrets)
		r.Dependencies = slices.Sorted(slices.Values(r.Dependencies))
		for _, on := range r.PropertyDependencies {
			slices.Sort(on)
		}
		resources = append(resources, r)
	}
	slices.SortFunc(resources, func(a, b monitor.Resource) int { return cmp.Compare(a.URN, b.URN) })
	return resources, mask(recording.Exports, recording.Secrets)
}

func mask(values map[string]any, secrets []string) map[string]any {
	values = maps.Clone(values)
	for _, key := range secrets {
		values[key] = masked
	}
	return values
}

// relative copies a value with the paths of archives below root: where a clone lies is nobody's business.
func relative(root string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		copied := make(map[string]any, len(v))
		for key, value := range v {
			copied[key] = relative(root, value)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, value := range v {
			copied[i] = relative(root, value)
		}
		return copied
	case monitor.Archive:
		if path, err := filepath.Rel(root, v.Path); err == nil {
			v.Path = filepath.ToSlash(path)
		}
		return v
	default:
		return v
	}
}
