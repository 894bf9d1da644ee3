package stack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
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

func TestGlueTables(t *testing.T) {
	var b strings.Builder
	for _, r := range resources(newProject(t).mustDeploy(t, "dev")).of(glueTableType) {
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

func TestScheduleInput(t *testing.T) {
	schedule := resources(newProject(t).mustDeploy(t, "dev")).of(scheduleType)[0]
	const want = `{"dataset":"coin_markets","scheduledAt":"<aws.scheduler.scheduled-time>"}`
	if got := at(schedule.Inputs, "target", "input"); got != want {
		t.Errorf("input of the schedule = %s, want %s", got, want)
	}
}

// A second dataset adds its own and changes nothing of the first but what a bucket can have only once.
func TestSecondDataset(t *testing.T) {
	shared := []string{notificationType + " raw", lifecycleType + " lake"}
	for _, stack := range []string{"dev", "prod"} {
		t.Run(stack, func(t *testing.T) {
			one := newProject(t).mustDeploy(t, stack)
			p := newProject(t, "testdata/orders.odcs.yaml")
			two := map[string]recorded{}
			for _, r := range p.mustDeploy(t, stack) {
				two[r.URN] = r
			}
			for _, before := range one {
				after, ok := two[before.URN]
				delete(two, before.URN)
				if !ok {
					t.Errorf("%s is gone", before.id())
					continue
				}
				if same := describeInputs(before) == describeInputs(after); same == slices.Contains(shared, before.id()) {
					t.Errorf("%s: unchanged is %t", before.id(), same)
				}
			}
			if len(two) == 0 {
				t.Error("the second dataset added nothing")
			}
			for _, r := range two {
				if !strings.Contains(r.URN, "orders") {
					t.Errorf("%s is new and not of the second dataset", r.id())
				}
			}
		})
	}
}

// describeInputs is the inputs as text, without the folder of the test.
func describeInputs(r recorded) string {
	inputs := map[string]any{}
	for key, value := range r.Inputs {
		if key != "code" {
			inputs[key] = value
		}
	}
	return fmt.Sprint(inputs)
}
