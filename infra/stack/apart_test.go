package stack

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tributary/infra/local/iam"
	"tributary/infra/local/monitor"
)

// Stacks live in one account: no name that AWS keeps once per account or once for all is in two, whatever they are
// called.
func TestStacksDoNotMeet(t *testing.T) {
	taken := map[string]string{}
	for stack, declared := range neighbours(t) {
		for _, r := range declared {
			plain := recorded{Type: r.Type, Custom: r.Custom}
			// A role's inline policy, a table of a database and a rule of a bucket have names of their own house.
			if !isPlain(plain) || slices.Contains([]string{rolePolicyType, glueTableType, permissionType}, r.Type) {
				continue
			}
			for _, input := range []string{"name", "bucket", "dashboardName", "dataSourceId", "dataSetId"} {
				name, ok := r.Inputs[input].(string)
				if !ok || input == "bucket" && r.Type != bucketType || r.Type == refreshType {
					continue
				}
				key := r.Type + " " + name
				if first := taken[key]; first != "" && first != stack {
					t.Errorf("%s is in %s and %s", key, first, stack)
				}
				taken[key] = stack
			}
		}
	}
	if len(taken) < 500 {
		t.Errorf("only %d names were looked at", len(taken))
	}
}

// What one stack's policies allow, or admit, is nothing of another stack's.
func TestGrantsEndAtTheirStack(t *testing.T) {
	stacks := neighbours(t)
	for stack, declared := range stacks {
		patterns := patternsOf(declared)
		for _, p := range patterns {
			if !matchesAny(p.pattern, arnsOf(declared)) {
				t.Errorf("%s: %s matches nothing of its own stack: is it right, and does this test know its kind of ARN?", stack, p)
			}
		}
		for other, theirs := range stacks {
			if other == stack {
				continue
			}
			for _, met := range meet(patterns, arnsOf(theirs)) {
				t.Errorf("%s reaches into %s: %s", stack, other, met)
			}
		}
	}

	// Patterns that end nowhere are seen.
	for _, wide := range []string{
		"arn:aws:sqs:eu-central-1:123456789012:tributary-dev-*", "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/tributary-dev-*:*",
		"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:tributary-dev-*", "arn:aws:s3:::tributary-dev*", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:tributary-dev*",
	} {
		if len(meet([]pattern{{"planted", wide}}, arnsOf(stacks["dev-2"]))) == 0 {
			t.Errorf("%s of stack dev is not seen to reach into dev-2", wide)
		}
	}
	// Nor is a stack called so that it would stand in another's patterns.
	inside := newNames("tributary", "dev-process-2", testPlace)
	if meets := meet(patternsOf(stacks["dev"]), []string{testPlace.FunctionARN(inside.function(ingestFunction, "orders"))}); len(meets) == 0 || inside.check(nil) == nil {
		t.Errorf("stack dev-process-2 is allowed, and stack dev has these patterns on its functions: %v", meets)
	}
}

// neighbours are stacks whose names begin alike, of two datasets, as AWS would name what they declare.
func neighbours(t *testing.T) map[string][]monitor.Resource {
	t.Helper()
	p := newProject(t, "testdata/orders.odcs.yaml")
	for _, suffix := range []string{"-2", "-coin", "-raw", "-reader", "x"} {
		p.settings["dev"+suffix] = strings.Replace(p.settings["dev"], "{", `{"environment":"dev",`, 1)
		p.settings[viewed+suffix] = p.settings[viewed]
	}
	stacks := map[string][]monitor.Resource{}
	for stack := range p.settings {
		stacks[stack] = p.record(t, stack).Declared()
	}
	return stacks
}

type pattern struct{ of, pattern string }

func (p pattern) String() string { return p.of + " " + p.pattern }

// everybodys are ARNs that belong to the account and not to a stack.
var everybodys = []string{
	"*", testPlace.GlueARN("catalog"), testPlace.GlueARN("database/default"), testPlace.AthenaARN("datacatalog/AwsDataCatalog"),
}

// patternsOf are what the policies of a stack are about: resources, and ARNs in conditions. Keys have ARNs that nobody
// chooses and no pattern names.
func patternsOf(declared []monitor.Resource) []pattern {
	var found []pattern
	var rs resources
	for _, r := range declared {
		rs = append(rs, recorded{URN: r.URN, Type: r.Type, Name: r.Name, Inputs: r.Inputs})
	}
	for _, s := range rs.statements() {
		texts := slices.Clone(s.Resource)
		for _, c := range s.Condition {
			if strings.HasSuffix(strings.ToLower(c.Key), "arn") {
				texts = append(texts, c.Values...)
			}
		}
		for _, text := range texts {
			if !slices.Contains(everybodys, text) {
				found = append(found, pattern{s.id(), text})
			}
		}
	}
	return found
}

// arnsOf are the ARNs that a stack's resources have, and those of what is in them.
func arnsOf(declared []monitor.Resource) []string {
	var arns []string
	for _, r := range declared {
		arn, _ := r.Outputs["arn"].(string)
		if arn == "" {
			continue
		}
		arns = append(arns, arn)
		switch r.Type {
		case bucketType:
			for _, key := range []string{
				"raw/coin_markets/x", "raw/orders/x", "state/coin_markets.json", "coin_markets/x", "orders_v2/x", "coin_markets_rejects/x", "orders_rejects/x",
				"pipeline_audit/dt=2026-01-01/coin_markets-x", "pipeline_audit/dt=2026-01-01/orders-x",
			} {
				arns = append(arns, arn+"/"+key)
			}
		case logGroupType:
			arns = append(arns, arn+":log-stream:x")
		}
	}
	return arns
}

func matchesAny(pattern string, arns []string) bool {
	return slices.ContainsFunc(arns, func(arn string) bool { return iam.Like(pattern, arn) })
}

// meet lists the ARNs that a pattern of another stack matches.
func meet(patterns []pattern, arns []string) []string {
	var met []string
	for _, p := range patterns {
		for _, arn := range arns {
			if iam.Like(p.pattern, arn) {
				met = append(met, fmt.Sprintf("%s matches %s", p, arn))
			}
		}
	}
	return met
}
