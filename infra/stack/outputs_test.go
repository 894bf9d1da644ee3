package stack

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"tributary/infra/local/catalog"
	"tributary/infra/local/monitor"
)

// record runs the program as Pulumi's engine does, against a provider that answers as AWS would.
func (p project) record(t *testing.T, stack string) *monitor.Recording {
	t.Helper()
	return run(t, stack, p.settings[stack], func(ctx *pulumi.Context) error { return deploy(ctx, p.root, p.current) })
}

func run(t *testing.T, stack, settings string, program pulumi.RunFunc) *monitor.Recording {
	t.Helper()
	recording, err := monitor.Run(t.Context(), monitor.Program{
		Project: "tributary", Stack: stack, Config: map[string]string{ConfigKey: settings}, Run: program,
	}, &catalog.Provider{Account: testAccount, Region: testRegion})
	if err != nil {
		t.Fatalf("run stack %s: %v", stack, err)
	}
	return recording
}

// Every component tells Pulumi what it has to offer: before it does, Pulumi shows it as unfinished.
func TestOutputsAreRegistered(t *testing.T) {
	p := newProject(t, "testdata/orders.odcs.yaml")
	for _, stack := range []string{"dev", "prod", viewed} {
		recording := p.record(t, stack)
		for _, urn := range unregistered(recording) {
			t.Errorf("%s: %s never registers its outputs", stack, urn)
		}
		components := slices.DeleteFunc(recording.Declared(), func(r monitor.Resource) bool { return r.Custom })
		if len(components) < 30 {
			t.Errorf("%s: only %d components were looked at", stack, len(components))
		}
	}

	forgetful := run(t, "dev", "", func(ctx *pulumi.Context) error {
		var component pulumi.ResourceState
		return ctx.RegisterComponentResource("tributary:component:Planted", "forgetful", &component)
	})
	if why := unregistered(forgetful); len(why) != 1 || !strings.Contains(why[0], "forgetful") {
		t.Errorf("a forgetful component is not seen: %q", why)
	}
}

// unregistered are the components whose outputs never arrive. A second time cannot: the SDK keeps it to itself.
func unregistered(recording *monitor.Recording) []string {
	var urns []string
	for _, r := range recording.Declared() {
		if !r.Custom && !slices.Contains(recording.Registered, r.URN) {
			urns = append(urns, r.URN)
		}
	}
	return urns
}
