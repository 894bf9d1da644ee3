package stack

import (
	"fmt"
	"strings"

	"tributary/infra/component"
	"tributary/shared/contract"
)

// Permissions are two tables in Markdown of who may do what with a dataset, and why: every statement that is deployed, from
// the code that deploys it, first of roles and people, then of the resources themselves. Names are those of project
// tributary in stack STACK.
func Permissions(c *contract.Contract) string {
	n := newNames("tributary", "STACK", component.Place{Partition: "aws", Region: "REGION", Account: "ACCOUNT"})
	const dataKey, alertKey, secret = "the data key", "the alerts' key", "the source's secret"
	secretARN := secret
	if c.Source.Auth == nil {
		secretARN = ""
	}
	ingest, process, schedule := n.function(ingestFunction, c.Dataset), n.function(processFunction, c.Dataset), n.schedule(c.Dataset)
	roles := []struct {
		who    string
		grants []component.Grant
	}{
		{"ingest function", append(ingestGrants(n, c, dataKey, secretARN), component.FunctionGrants(n.place, ingest)...)},
		{"process function", append(processGrants(n, c, dataKey, alertKey), component.FunctionGrants(n.place, process)...)},
		{"schedule", component.ScheduleGrants(n.place, schedule, ingest)},
		{"reader", readerGrants(n, dataKey)},
		{"reader of rejects", rejectsReaderGrants(n, dataKey)},
		{"operator", operatorGrants(n, dataKey)},
		{"QuickSight, beside the reader's", quickSightGrants(n, dataKey)[len(readerGrants(n, dataKey)):]},
	}
	if c.Serving != nil {
		roles = append(roles, struct {
			who    string
			grants []component.Grant
		}{"application", applicationGrants(n, c)})
	}
	var b strings.Builder
	b.WriteString("| who | class | may | on | why |\n|---|---|---|---|---|\n")
	for _, role := range roles {
		for _, g := range role.grants {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", role.who, classes[g.Class], code(g.Actions), code(shortened(n, g.Resources)), g.Why)
		}
	}
	b.WriteString("\n| at | who | may or must not | on | if | why |\n|---|---|---|---|---|---|\n")
	for _, p := range resourcePolicies(n, c) {
		for _, s := range p.statements {
			fmt.Fprintf(&b, "| %s | %s | %s %s | %s | %s | %s |\n",
				p.at, principal(s), effects[s.Effect], code(s.Action), code(shortened(n, s.Resource)), conditions(n, s.Condition), s.Why)
		}
	}
	return b.String()
}

// resourcePolicy is what a resource itself says of who may do what with it.
type resourcePolicy struct {
	at         string
	statements []component.Statement
}

func resourcePolicies(n names, c *contract.Contract) []resourcePolicy {
	p := n.place
	found := []resourcePolicy{
		{"roles of both functions", component.FunctionTrust().Statement},
		{"role of the schedule", component.ScheduleTrust(p, n.schedule(c.Dataset)).Statement},
		{"process function", []component.Statement{rawBucketInvokes(n, c.Dataset)}},
	}
	for _, kind := range []string{rawBucket, lakeBucket, rejectsBucket, resultsBucket} {
		found = append(found, resourcePolicy{kind + " bucket", component.BucketDocument(p, n.bucket(kind), writeOnce(kind)).Statement})
	}
	return append(found,
		resourcePolicy{"data key", component.KeyDocument(p, "").Statement},
		resourcePolicy{"alerts' key", component.KeyDocument(p, n.alarms()).Statement},
		resourcePolicy{"alerts' topic", component.TopicDocument(p, n.topic(), n.alarms()).Statement},
	)
}

var effects = map[string]string{component.Allow: "may", component.Deny: "must not"}

func principal(s component.Statement) string {
	switch {
	case s.Principal.Service != "":
		return "`" + s.Principal.Service + "`"
	case s.Principal.AWS != "":
		return "the account"
	default:
		return "everyone"
	}
}

// conditions are all that must hold, by operator and key.
func conditions(n names, all component.Condition) string {
	var texts []string
	for _, operator := range sortedKeys(all) {
		for _, key := range sortedKeys(all[operator]) {
			values := shortened(n, all[operator][key])
			if operator == "Null" {
				texts = append(texts, map[string]string{"true": "no", "false": "any"}[values[0]]+" `"+key+"`")
				continue
			}
			texts = append(texts, "`"+key+"` "+code(values))
		}
	}
	return strings.Join(texts, ", ")
}

var classes = map[component.Class]string{
	component.Called: "calls it",
	component.Behalf: "on its behalf",
	component.Answer: "shapes an answer",
}

func code(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = "`" + text + "`"
	}
	return strings.Join(quoted, " ")
}

// shortened are ARNs without what they all have in common.
func shortened(n names, arns []string) []string {
	short := make([]string, len(arns))
	for i, arn := range arns {
		parts := strings.SplitN(arn, ":", 6)
		if len(parts) < 6 {
			short[i] = arn
			continue
		}
		short[i] = parts[2] + ":" + strings.ReplaceAll(parts[5], "-"+n.place.Account+"-"+n.place.Region, "")
	}
	return short
}
