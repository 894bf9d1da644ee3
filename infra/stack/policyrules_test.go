package stack

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tributary/infra/component"
	"tributary/infra/local/iam"
)

// statement is a statement of a policy with the resource that carries it.
type statement struct {
	iam.Statement
	of recorded
}

func (s statement) id() string { return s.of.id() + ": " + s.Sid }

// values are those of a condition; nil where there is no such condition.
func (s statement) values(operator, key string) []string {
	for _, c := range s.Condition {
		if c.Operator == operator && c.Key == key {
			return c.Values
		}
	}
	return nil
}

func (s statement) everyone() bool {
	return s.Principal != nil && (s.Principal.Any || slices.Contains(s.Principal.Service, "*"))
}

// policies are the IAM documents among a resource's inputs, wherever they stand, as text.
func policies(v any) []string {
	var found []string
	switch v := v.(type) {
	case string:
		var members map[string]any
		if json.Unmarshal([]byte(v), &members) == nil && members["Statement"] != nil {
			found = append(found, v)
		}
	case map[string]any:
		if v["Statement"] != nil {
			text, err := json.Marshal(v)
			if err != nil {
				panic(err)
			}
			return []string{string(text)}
		}
		for _, key := range sortedKeys(v) {
			found = append(found, policies(v[key])...)
		}
	case []any:
		for _, item := range v {
			found = append(found, policies(item)...)
		}
	}
	return found
}

// statements are those of all documents that can be read; a rule says that all can.
func (rs resources) statements(types ...string) []statement {
	var found []statement
	for _, r := range rs {
		if len(types) > 0 && !slices.Contains(types, r.Type) {
			continue
		}
		for _, text := range policies(r.Inputs) {
			d, err := iam.Parse(text)
			if err != nil {
				continue
			}
			for _, s := range d.Statement {
				found = append(found, statement{s, r})
			}
		}
	}
	return found
}

// edit changes the statements of the document in an input.
func edit(r *recorded, input string, change func(statements []map[string]any)) {
	var d struct {
		Version   string
		Statement []map[string]any
	}
	if err := json.Unmarshal([]byte(r.Inputs[input].(string)), &d); err != nil {
		panic(err)
	}
	change(d.Statement)
	text, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	r.Inputs[input] = string(text)
}

// starAllowed are the statements with a bare * as resource, each with the reason there is no narrower one.
var starAllowed = map[string]string{
	rolePolicyType + " BehalfWriteTraces": "X-Ray has no resources",
	keyType + " AccountDecides":           "in a key policy * is the key itself",
	keyType + " AlarmsEncrypt":            "in a key policy * is the key itself",
}

// eachStatement makes a rule that looks at statements one by one.
func eachStatement(broken func(statement) string, types ...string) func(resources) []string {
	return func(rs resources) []string {
		var found []string
		for _, s := range rs.statements(types...) {
			if why := broken(s); why != "" {
				found = append(found, s.id()+" "+why)
			}
		}
		return found
	}
}

var sid = regexp.MustCompile(`^[A-Za-z0-9]+$`)

var policyRules = []rule{
	{
		name: "whatever grants has a policy that can be read",
		check: func(rs resources) []string {
			var broken []string
			for _, r := range rs {
				texts := policies(r.Inputs)
				carries := kinds[r.Type] == access && r.Type != attachmentType && r.Type != permissionType || r.Type == keyType
				if carries && len(texts) == 0 {
					broken = append(broken, r.id()+": has none")
				}
				for _, text := range texts {
					if _, err := iam.Parse(text); err != nil {
						broken = append(broken, fmt.Sprintf("%s: %v", r.id(), err))
					}
				}
			}
			return broken
		},
		plant: func(rs resources) { set(rs.get(keyType, "data"), "", "policy") },
		also: []func(resources){
			func(rs resources) {
				edit(rs.get(bucketPolicyType, "raw"), "policy", func(s []map[string]any) { s[0]["NotPrincipal"] = "*" })
			},
			func(rs resources) { // also where no rule looks by name
				set(rs.get(queueType, "coin_markets-ingest-failures"), `{"Version":"2012-10-17","Statement":[{"Effect":"Permit"}]}`, "policy")
			},
		},
	},
	{
		name: "statements have ids that IAM takes, each once in its document",
		check: func(rs resources) []string {
			var broken []string
			seen := map[string]bool{}
			for _, s := range rs.statements() {
				if !sid.MatchString(s.Sid) {
					broken = append(broken, s.id()+" is no Sid")
				}
				if seen[s.of.URN+s.Sid] {
					broken = append(broken, s.id()+" is there twice")
				}
				seen[s.of.URN+s.Sid] = true
			}
			return broken
		},
		plant: func(rs resources) {
			edit(rs.get(rolePolicyType, "coin_markets-process"), "policy", func(s []map[string]any) { delete(s[0], "Sid") })
		},
		also: []func(resources){
			func(rs resources) {
				edit(rs.get(policyType, "operator"), "policy", func(s []map[string]any) { s[0]["Sid"] = "Call-It" })
			},
			func(rs resources) {
				edit(rs.get(topicPolicyType, "alerts"), "policy", func(s []map[string]any) { s[1]["Sid"] = s[0]["Sid"] })
			},
		},
	},
	{
		name: "statements say what they are about, not what they are not about",
		check: eachStatement(func(s statement) string {
			switch {
			case len(s.NotAction) > 0:
				return "has NotAction"
			case len(s.NotResource) > 0:
				return "has NotResource"
			case len(s.Resource) == 0 && s.of.Type != roleType:
				return "names no resource"
			case (s.Principal == nil) != slices.Contains([]string{rolePolicyType, policyType}, s.of.Type):
				return "names a principal in a policy of one, or none in that of a resource"
			}
			return ""
		}),
		plant: func(rs resources) {
			edit(rs.get(rolePolicyType, "coin_markets-ingest"), "policy", func(s []map[string]any) {
				s[0]["NotAction"] = s[0]["Action"]
				delete(s[0], "Action")
			})
		},
		also: []func(resources){
			func(rs resources) {
				edit(rs.get(policyType, "reader"), "policy", func(s []map[string]any) {
					s[0]["NotResource"] = s[0]["Resource"]
					delete(s[0], "Resource")
				})
			},
			func(rs resources) {
				edit(rs.get(rolePolicyType, "coin_markets-schedule"), "policy", func(s []map[string]any) { delete(s[0], "Resource") })
			},
			func(rs resources) {
				edit(rs.get(keyType, "data"), "policy", func(s []map[string]any) { delete(s[0], "Principal") })
			},
		},
	},
	{
		name: "no allowed * but the explained",
		check: eachStatement(func(s statement) string {
			if !s.Allow {
				return ""
			}
			if slices.Contains(s.Resource, "*") && starAllowed[s.of.Type+" "+s.Sid] == "" {
				return "allows resource *"
			}
			for _, action := range s.Action {
				if strings.ContainsAny(action, "*?") && action != "kms:GenerateDataKey*" && (action != "kms:*" || s.Sid != "AccountDecides") {
					return "allows " + action
				}
			}
			return ""
		}),
		plant: func(rs resources) {
			p := rs.get(rolePolicyType, "coin_markets-process")
			set(p, strings.ReplaceAll(p.Inputs["policy"].(string), "s3:GetObject", "s3:*"), "policy")
		},
		also: []func(resources){
			func(rs resources) {
				edit(rs.get(policyType, "operator"), "policy", func(s []map[string]any) { s[0]["Resource"] = "*" })
			},
		},
	},
	{
		name: "nothing is allowed to everyone",
		check: eachStatement(func(s statement) string {
			if s.Allow && s.everyone() {
				return "is"
			}
			return ""
		}),
		plant: func(rs resources) {
			edit(rs.get(topicPolicyType, "alerts"), "policy", func(s []map[string]any) { s[0]["Principal"] = "*" })
		},
		also: []func(resources){
			func(rs resources) {
				edit(rs.get(keyType, "data"), "policy", func(s []map[string]any) { s[0]["Principal"] = map[string]any{"AWS": "*"} })
			},
			func(rs resources) {
				edit(rs.get(roleType, "coin_markets-ingest"), "assumeRolePolicy", func(s []map[string]any) {
					s[0]["Principal"] = map[string]any{"AWS": []any{"123456789012", "*"}}
				})
			},
		},
	},
	{
		name: "roles have no policy but those of the program",
		check: func(rs resources) []string {
			var broken []string
			own := map[any]bool{}
			for _, p := range rs.of(policyType) {
				own["arn:aws:iam:"+testRegion+":"+testAccount+":"+p.Inputs["name"].(string)] = true
			}
			for _, r := range rs.of(roleType) {
				for _, input := range []string{"inlinePolicies", "managedPolicyArns"} {
					if r.Inputs[input] != nil {
						broken = append(broken, r.id()+": has "+input)
					}
				}
			}
			for _, a := range rs.of(attachmentType) {
				if !own[a.Inputs["policyArn"]] {
					broken = append(broken, fmt.Sprintf("%s: attaches %v", a.id(), a.Inputs["policyArn"]))
				}
			}
			return broken
		},
		plant: func(rs resources) {
			set(rs.get(roleType, "coin_markets-ingest"), []any{"arn:aws:iam::aws:policy/AdministratorAccess"}, "managedPolicyArns")
		},
		also: []func(resources){
			func(rs resources) {
				set(rs.get(roleType, "coin_markets-ingest"), []any{map[string]any{"name": "all", "policy": "{}"}}, "inlinePolicies")
			},
			func(rs resources) {
				q := rs.get(queueType, "coin_markets-ingest-failures")
				q.Type, q.Inputs = attachmentType, map[string]any{"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
			},
		},
	},
	{
		name: "policies are no longer than AWS takes",
		check: func(rs resources) []string {
			// IAM and AWS STS quotas; Bucket policies; KMS quotas; Amazon SNS quotas.
			longest := map[string]int{
				policyType: 6144, rolePolicyType: 10240, roleType: 2048, bucketPolicyType: 20 << 10, keyType: 32 << 10, topicPolicyType: 30 << 10,
			}
			var broken []string
			for _, r := range rs {
				for _, text := range policies(r.Inputs) {
					if limit := longest[r.Type]; len(text) > limit {
						broken = append(broken, fmt.Sprintf("%s: its policy has %d characters of %d", r.id(), len(text), limit))
					}
				}
			}
			return broken
		},
		plant: func(rs resources) {
			p := rs.get(policyType, "reader")
			set(p, strings.ReplaceAll(p.Inputs["policy"].(string), "tributary", strings.Repeat("x", 1000)), "policy")
		},
	},
	{
		name: "every grant has a class",
		check: eachStatement(func(s statement) string {
			if _, ok := component.ClassOf(s.Sid); !ok {
				return "has none"
			}
			return ""
		}, rolePolicyType, policyType),
		plant: func(rs resources) {
			p := rs.get(rolePolicyType, "coin_markets-process")
			set(p, strings.ReplaceAll(p.Inputs["policy"].(string), "CallGetRaw", "GetRaw"), "policy")
		},
	},
	{
		name: "services that act on a resource are held to this account",
		check: eachStatement(func(s statement) string {
			if s.Allow && s.Principal != nil && len(s.Principal.Service) > 0 && s.of.Type != roleType &&
				(!slices.Equal(s.values("StringEquals", "aws:SourceAccount"), []string{testAccount}) || len(s.values("ArnLike", "aws:SourceArn")) != 1) {
				return "is open to other accounts"
			}
			return ""
		}),
		plant: func(rs resources) {
			p := rs.get(topicPolicyType, "alerts")
			set(p, strings.ReplaceAll(p.Inputs["policy"].(string), "aws:SourceAccount", "aws:PrincipalAccount"), "policy")
		},
	},
	{
		name: "alarms may publish: topic and key admit them by name",
		check: func(rs resources) []string {
			var broken []string
			for _, where := range []string{topicPolicyType, keyType} {
				var admitted []string
				for _, s := range rs.statements(where) {
					if s.Allow && slices.Equal(s.Principal.Service, []string{"cloudwatch.amazonaws.com"}) {
						admitted = append(admitted, s.values("ArnLike", "aws:SourceArn")...)
					}
				}
				for _, a := range rs.of(alarmType) {
					arn := "arn:aws:cloudwatch:" + testRegion + ":" + testAccount + ":alarm:" + a.Inputs["name"].(string)
					if !slices.ContainsFunc(admitted, func(pattern string) bool { return iam.Like(pattern, arn) }) {
						broken = append(broken, a.Name+": is not among those of "+where)
					}
				}
			}
			return broken
		},
		plant: func(rs resources) { rs.get(alarmType, "coin_markets-watch-held").Inputs["name"] = "held" },
		also: []func(resources){
			func(rs resources) {
				p := rs.get(keyType, "alerts")
				set(p, strings.ReplaceAll(p.Inputs["policy"].(string), ":alarm:", ":alarms:"), "policy")
			},
		},
	},
	{
		name: "nobody may delete raw bytes",
		check: eachStatement(func(s statement) string {
			deletes := slices.ContainsFunc(s.Action, func(a string) bool { return strings.HasPrefix(a, "s3:Delete") })
			if s.Allow && deletes && slices.ContainsFunc(s.Resource, func(r string) bool { return strings.Contains(r, "-raw-") }) {
				return "does"
			}
			return ""
		}),
		plant: func(rs resources) {
			p := rs.get(rolePolicyType, "coin_markets-ingest")
			set(p, strings.ReplaceAll(p.Inputs["policy"].(string), "s3:PutObject", "s3:DeleteObject"), "policy")
		},
	},
	{
		name: "buckets refuse plain HTTP, as a whole",
		check: each(bucketType, func(rs resources, b recorded) string {
			arn := "arn:aws:s3:::" + b.Inputs["bucket"].(string)
			for _, s := range rs.statements(bucketPolicyType) {
				if s.of.Parent == b.Parent && s.of.Inputs["bucket"] == b.Inputs["bucket"] && !s.Allow && s.everyone() &&
					slices.Equal(s.Action, []string{"s3:*"}) && slices.Equal(s.Resource, []string{arn, arn + "/*"}) &&
					len(s.Condition) == 1 && slices.Equal(s.values("Bool", "aws:SecureTransport"), []string{"false"}) {
					return ""
				}
			}
			return "does not"
		}),
		plant: func(rs resources) {
			p := rs.get(bucketPolicyType, "results")
			set(p, strings.ReplaceAll(p.Inputs["policy"].(string), "aws:SecureTransport", "aws:SecureTransporter"), "policy")
		},
		also: []func(resources){
			func(rs resources) { // of another bucket
				edit(rs.get(bucketPolicyType, "lake"), "policy", func(s []map[string]any) {
					s[0]["Resource"] = []any{"arn:aws:s3:::other", "arn:aws:s3:::other/*"}
				})
			},
			func(rs resources) { // only for some
				edit(rs.get(bucketPolicyType, "lake"), "policy", func(s []map[string]any) {
					s[0]["Condition"].(map[string]any)["StringEquals"] = map[string]any{"aws:PrincipalAccount": testAccount}
				})
			},
		},
	},
	{
		name: "the bucket that starts functions is write-once below its prefixes",
		check: each(notificationType, func(rs resources, n recorded) string {
			var once, keep bool
			for _, s := range rs.statements(bucketPolicyType) {
				if s.of.Parent != n.Parent || s.Allow || !s.everyone() || !slices.Equal(s.Resource, []string{"arn:aws:s3:::" + n.Inputs["bucket"].(string) + "/raw/*"}) {
					continue
				}
				once = once || slices.Contains(s.Action, "s3:PutObject") && slices.Equal(s.values("Null", "s3:if-none-match"), []string{"true"})
				keep = keep || slices.Contains(s.Action, "s3:DeleteObject") && slices.Contains(s.Action, "s3:DeleteObjectVersion") && len(s.Condition) == 0
			}
			if !once || !keep {
				return "objects below raw/ can be replaced or deleted"
			}
			return ""
		}),
		plant: func(rs resources) {
			p := rs.get(bucketPolicyType, "raw")
			set(p, strings.ReplaceAll(p.Inputs["policy"].(string), "s3:if-none-match", "s3:if-match"), "policy")
		},
		also: []func(resources){
			func(rs resources) {
				p := rs.get(bucketPolicyType, "raw")
				set(p, strings.ReplaceAll(p.Inputs["policy"].(string), `"s3:DeleteObject",`, ""), "policy")
			},
		},
	},
	{
		name: "a role is taken by one service, from this account where the service says so",
		check: each(roleType, func(rs resources, r recorded) string {
			var own []statement
			for _, s := range rs.statements(roleType) {
				if s.of.URN == r.URN {
					own = append(own, s)
				}
			}
			if len(own) != 1 || own[0].Principal == nil || len(own[0].Principal.AWS) > 0 || len(own[0].Principal.Service) != 1 {
				return "is not"
			}
			switch s := own[0]; s.Principal.Service[0] {
			case "lambda.amazonaws.com":
				return ""
			case "scheduler.amazonaws.com":
				arns := s.values("StringEquals", "aws:SourceArn")
				if slices.Equal(s.values("StringEquals", "aws:SourceAccount"), []string{testAccount}) && len(arns) == 1 &&
					strings.Contains(arns[0], ":schedule-group/") {
					return ""
				}
			}
			return "can be taken by others"
		}),
		plant: func(rs resources) {
			r := rs.get(roleType, "coin_markets-schedule")
			set(r, strings.ReplaceAll(r.Inputs["assumeRolePolicy"].(string), "aws:SourceArn", "aws:Sourced"), "assumeRolePolicy")
		},
		also: []func(resources){
			func(rs resources) {
				r := rs.get(roleType, "coin_markets-ingest")
				set(r, strings.ReplaceAll(r.Inputs["assumeRolePolicy"].(string), "lambda.", "ec2."), "assumeRolePolicy")
			},
		},
	},
}
