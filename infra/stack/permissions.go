package stack

import (
	"fmt"
	"strings"

	"tributary/infra/component"
	"tributary/shared/contract"
)

// Permissions is a table in Markdown of who may do what with a dataset, and why: every statement that is deployed, from
// the code that deploys it. Names are those of project tributary in stack STACK.
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
	return b.String()
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
