package stack

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"tributary/infra/component"
)

// A rule holds for every resource of every stack, whatever it is called. It returns what breaks it.
type rule struct {
	name  string
	check func(resources) []string
	// plant breaks the rule in a copy of what the program declares.
	plant func(resources)
}

type resources []recorded

func (rs resources) of(types ...string) resources {
	var found resources
	for _, r := range rs {
		if slices.Contains(types, r.Type) {
			found = append(found, r)
		}
	}
	return found
}

// get is the resource of a type and name; it must be there.
func (rs resources) get(typ, name string) *recorded {
	for i := range rs {
		if rs[i].Type == typ && rs[i].Name == name {
			return &rs[i]
		}
	}
	panic("no " + typ + " " + name)
}

// above is the URN of the nearest component of a type above a resource; empty where there is none.
func (rs resources) above(r recorded, typ string) string {
	for {
		i := slices.IndexFunc(rs, func(p recorded) bool { return p.URN == r.Parent })
		if i < 0 {
			return ""
		}
		if r = rs[i]; r.Type == typ {
			return r.URN
		}
	}
}

// siblings are the resources of a type under the same component.
func (rs resources) siblings(r recorded, typ string) resources {
	var found resources
	for _, s := range rs.of(typ) {
		if s.Parent == r.Parent {
			found = append(found, s)
		}
	}
	return found
}

func (rs resources) clone() resources {
	copied := slices.Clone(rs)
	for i := range copied {
		copied[i].Inputs = cloneValue(copied[i].Inputs).(map[string]any)
		copied[i].Dependencies = slices.Clone(copied[i].Dependencies)
	}
	return copied
}

func cloneValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := maps.Clone(v)
		for k := range m {
			m[k] = cloneValue(m[k])
		}
		return m
	case []any:
		l := slices.Clone(v)
		for i := range l {
			l[i] = cloneValue(l[i])
		}
		return l
	default:
		return v
	}
}

// at is the value at a path of keys and indices below the inputs; nil where there is none.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

const (
	bucketType       = "aws:s3/bucketV2:BucketV2"
	blockType        = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	ownershipType    = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
	versioningType   = "aws:s3/bucketVersioningV2:BucketVersioningV2"
	encryptionType   = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	lifecycleType    = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	bucketPolicyType = "aws:s3/bucketPolicy:BucketPolicy"
	notificationType = "aws:s3/bucketNotification:BucketNotification"
	functionType     = "aws:lambda/function:Function"
	invokeConfigType = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
	recursionType    = "aws:lambda/functionRecursionConfig:FunctionRecursionConfig"
	permissionType   = "aws:lambda/permission:Permission"
	roleType         = "aws:iam/role:Role"
	rolePolicyType   = "aws:iam/rolePolicy:RolePolicy"
	policyType       = "aws:iam/policy:Policy"
	logGroupType     = "aws:cloudwatch/logGroup:LogGroup"
	queueType        = "aws:sqs/queue:Queue"
	topicType        = "aws:sns/topic:Topic"
	topicPolicyType  = "aws:sns/topicPolicy:TopicPolicy"
	tableType        = "aws:dynamodb/table:Table"
	keyType          = "aws:kms/key:Key"
	secretType       = "aws:secretsmanager/secret:Secret"
	scheduleType     = "aws:scheduler/schedule:Schedule"
	glueTableType    = "aws:glue/catalogTable:CatalogTable"
	workgroupType    = "aws:athena/workgroup:Workgroup"
	namedQueryType   = "aws:athena/namedQuery:NamedQuery"
	dashboardType    = "aws:cloudwatch/dashboard:Dashboard"
	alarmType        = "aws:cloudwatch/metricAlarm:MetricAlarm"
	providerType     = "pulumi:providers:aws"
	attachmentType   = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	dataSourceType   = "aws:quicksight/dataSource:DataSource"
	dataSetType      = "aws:quicksight/dataSet:DataSet"
	refreshType      = "aws:quicksight/refreshSchedule:RefreshSchedule"
)

// each makes a rule that looks at the resources of a type one by one.
func each(typ string, check func(rs resources, r recorded) string) func(resources) []string {
	return func(rs resources) []string {
		var broken []string
		for _, r := range rs.of(typ) {
			if why := check(rs, r); why != "" {
				broken = append(broken, r.Name+": "+why)
			}
		}
		return broken
	}
}

// with asks that each resource of a type has exactly one sibling of another type that satisfies a condition.
func with(typ, sibling string, holds func(recorded) bool) func(resources) []string {
	return each(typ, func(rs resources, r recorded) string {
		found := rs.siblings(r, sibling)
		if len(found) != 1 {
			return fmt.Sprintf("has %d of %s", len(found), sibling)
		}
		if !holds(found[0]) {
			return "its " + sibling + " does not do"
		}
		return ""
	})
}

type document struct {
	Statement []struct {
		Sid       string
		Effect    string
		Principal any
		Action    []string
		Resource  []string
		Condition map[string]map[string][]string
	}
}

func parseDocument(text any) document {
	var d document
	if s, ok := text.(string); ok && json.Unmarshal([]byte(s), &d) == nil {
		return d
	}
	return document{}
}

// documents are all IAM documents of a resource, by input.
func documents(r recorded) map[string]document {
	found := map[string]document{}
	for _, input := range []string{"policy", "assumeRolePolicy"} {
		if text, ok := r.Inputs[input]; ok {
			found[input] = parseDocument(text)
		}
	}
	return found
}

// starAllowed are the statements with a bare * as resource, each with the reason there is no narrower one.
var starAllowed = map[string]string{
	rolePolicyType + " BehalfWriteTraces": "X-Ray has no resources",
	keyType + " AccountDecides":           "in a key policy * is the key itself",
	keyType + " AlarmsEncrypt":            "in a key policy * is the key itself",
}

func dependsOn(rs resources, from recorded, typ string) bool {
	for _, urn := range from.Dependencies {
		for _, r := range rs.of(typ) {
			if r.URN == urn {
				return true
			}
		}
	}
	return false
}

func set(r *recorded, value any, path ...string) {
	m := r.Inputs
	for _, step := range path[:len(path)-1] {
		m = m[step].(map[string]any)
	}
	m[path[len(path)-1]] = value
}

// isPlain says that AWS makes the resource; all of them get the tags of the provider.
func isPlain(r recorded) bool {
	return r.Custom && strings.HasPrefix(r.Type, "aws:")
}

var rules = []rule{
	{
		name: "buckets block public access",
		check: with(bucketType, blockType, func(b recorded) bool {
			return b.Inputs["blockPublicAcls"] == true && b.Inputs["blockPublicPolicy"] == true &&
				b.Inputs["ignorePublicAcls"] == true && b.Inputs["restrictPublicBuckets"] == true
		}),
		plant: func(rs resources) { set(rs.get(blockType, "raw"), false, "blockPublicPolicy") },
	},
	{
		name: "bucket owner owns objects",
		check: with(bucketType, ownershipType, func(o recorded) bool {
			return at(o.Inputs, "rule", "objectOwnership") == "BucketOwnerEnforced"
		}),
		plant: func(rs resources) { set(rs.get(ownershipType, "lake"), "ObjectWriter", "rule", "objectOwnership") },
	},
	{
		name: "buckets keep versions",
		check: with(bucketType, versioningType, func(v recorded) bool {
			return at(v.Inputs, "versioningConfiguration", "status") == "Enabled"
		}),
		plant: func(rs resources) {
			set(rs.get(versioningType, "raw"), "Suspended", "versioningConfiguration", "status")
		},
	},
	{
		name: "buckets encrypt under a key of ours",
		check: with(bucketType, encryptionType, func(e recorded) bool {
			by := at(e.Inputs, "rules", 0, "applyServerSideEncryptionByDefault")
			return at(by, "sseAlgorithm") == "aws:kms" && at(by, "kmsMasterKeyId") != nil
		}),
		plant: func(rs resources) {
			rs.get(encryptionType, "rejects").Inputs["rules"].([]any)[0].(map[string]any)["applyServerSideEncryptionByDefault"] = map[string]any{"sseAlgorithm": "AES256"}
		},
	},
	{
		name: "buckets have a lifecycle that ends uploads and old versions",
		check: with(bucketType, lifecycleType, func(l recorded) bool {
			rules, _ := l.Inputs["rules"].([]any)
			return slices.ContainsFunc(rules, func(r any) bool {
				return at(r, "status") == "Enabled" && at(r, "abortIncompleteMultipartUpload") != nil && at(r, "noncurrentVersionExpiration") != nil
			})
		}),
		plant: func(rs resources) { rs.get(lifecycleType, "lake").Inputs["rules"] = []any{} },
	},
	{
		name: "buckets refuse plain HTTP",
		check: with(bucketType, bucketPolicyType, func(p recorded) bool {
			for _, s := range parseDocument(p.Inputs["policy"]).Statement {
				if s.Effect == "Deny" && s.Principal == "*" && slices.Equal(s.Action, []string{"s3:*"}) && len(s.Resource) == 2 &&
					slices.Equal(s.Condition["Bool"]["aws:SecureTransport"], []string{"false"}) {
					return true
				}
			}
			return false
		}),
		plant: func(rs resources) {
			p := rs.get(bucketPolicyType, "results")
			set(p, strings.ReplaceAll(p.Inputs["policy"].(string), "aws:SecureTransport", "aws:SecureTransporter"), "policy")
		},
	},
	{
		name: "the bucket that starts functions is write-once below its prefixes",
		check: each(notificationType, func(rs resources, n recorded) string {
			var once, keep bool
			for _, s := range parseDocument(rs.siblings(n, bucketPolicyType)[0].Inputs["policy"]).Statement {
				deny := s.Effect == "Deny" && s.Principal == "*" && slices.ContainsFunc(s.Resource, func(r string) bool { return strings.HasSuffix(r, "/raw/*") })
				once = once || deny && slices.Contains(s.Action, "s3:PutObject") && slices.Equal(s.Condition["Null"]["s3:if-none-match"], []string{"true"})
				keep = keep || deny && slices.Contains(s.Action, "s3:DeleteObject") && len(s.Condition) == 0
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
	},
	{
		name: "a bucket's parts are configured one after the other, access first",
		check: func(rs resources) []string {
			chain := []string{blockType, ownershipType, versioningType, encryptionType, lifecycleType, bucketPolicyType}
			var broken []string
			for i, typ := range chain[1:] {
				for _, r := range rs.of(typ) {
					before := rs.siblings(r, chain[i])
					if len(before) != 1 || !slices.Contains(r.Dependencies, before[0].URN) {
						broken = append(broken, r.id()+": does not wait for "+chain[i])
					}
				}
			}
			return broken
		},
		plant: func(rs resources) { rs.get(bucketPolicyType, "lake").Dependencies = nil },
	},
	{
		name: "functions are arm64 on the operating system's runtime, traced, logging JSON at INFO",
		check: each(functionType, func(_ resources, f recorded) string {
			if at(f.Inputs, "architectures", 0) != "arm64" || f.Inputs["runtime"] != "provided.al2023" || f.Inputs["handler"] != "bootstrap" ||
				at(f.Inputs, "tracingConfig", "mode") != "Active" || at(f.Inputs, "loggingConfig", "logFormat") != "JSON" ||
				at(f.Inputs, "loggingConfig", "applicationLogLevel") != "INFO" || f.Inputs["sourceCodeHash"] == "" {
				return "is not"
			}
			return ""
		}),
		plant: func(rs resources) {
			set(rs.get(functionType, "coin_markets-ingest"), []any{"x86_64"}, "architectures")
		},
	},
	{
		name: "functions have a role of their own",
		check: func(rs resources) []string {
			var broken []string
			seen := map[any]string{}
			for _, f := range rs.of(functionType) {
				if first, taken := seen[f.Inputs["role"]]; taken {
					broken = append(broken, f.Name+": shares its role with "+first)
				}
				seen[f.Inputs["role"]] = f.Name
				if len(rs.siblings(f, roleType)) != 1 || len(rs.siblings(f, rolePolicyType)) != 1 {
					broken = append(broken, f.Name+": has not exactly one role with one policy")
				}
			}
			return broken
		},
		plant: func(rs resources) {
			rs.get(functionType, "coin_markets-ingest").Inputs["role"] = rs.get(functionType, "coin_markets-process").Inputs["role"]
		},
	},
	{
		name: "functions log into a group of ours that ends",
		check: each(functionType, func(rs resources, f recorded) string {
			for _, g := range rs.siblings(f, logGroupType) {
				if days, _ := g.Inputs["retentionInDays"].(float64); g.Inputs["name"] == at(f.Inputs, "loggingConfig", "logGroup") && days > 0 {
					return ""
				}
			}
			return "has none"
		}),
		plant: func(rs resources) {
			delete(rs.get(logGroupType, "coin_markets-ingest").Inputs, "retentionInDays")
		},
	},
	{
		name: "functions send what failed to a queue of their own",
		check: with(functionType, invokeConfigType, func(c recorded) bool {
			destination, _ := at(c.Inputs, "destinationConfig", "onFailure", "destination").(string)
			return strings.HasSuffix(destination, ":"+c.Inputs["functionName"].(string)+"-failures")
		}),
		plant: func(rs resources) {
			delete(rs.get(invokeConfigType, "coin_markets-process").Inputs, "destinationConfig")
		},
	},
	{
		name: "functions stop at recursion",
		check: with(functionType, recursionType, func(c recorded) bool {
			return c.Inputs["recursiveLoop"] == "Terminate"
		}),
		plant: func(rs resources) { set(rs.get(recursionType, "coin_markets-process"), "Allow", "recursiveLoop") },
	},
	{
		name: "a role's policy stands before its function and its failure destination",
		check: func(rs resources) []string {
			var broken []string
			for _, r := range rs.of(functionType, invokeConfigType) {
				if !dependsOn(rs, r, rolePolicyType) {
					broken = append(broken, r.id()+": does not wait for it")
				}
			}
			return broken
		},
		plant: func(rs resources) { rs.get(invokeConfigType, "coin_markets-ingest").Dependencies = nil },
	},
	{
		name: "permissions name source and account",
		check: each(permissionType, func(_ resources, p recorded) string {
			if p.Inputs["sourceAccount"] != testAccount || p.Inputs["sourceArn"] == nil || p.Inputs["sourceArn"] == "" {
				return "lacks sourceArn or sourceAccount"
			}
			return ""
		}),
		plant: func(rs resources) {
			delete(rs.get(permissionType, "coin_markets-process").Inputs, "sourceAccount")
		},
	},
	{
		name: "a bucket has one notification, which waits for permissions and bucket policy",
		check: func(rs resources) []string {
			var broken []string
			seen := map[any]bool{}
			for _, n := range rs.of(notificationType) {
				if seen[n.Inputs["bucket"]] {
					broken = append(broken, n.Name+": overwrites another")
				}
				seen[n.Inputs["bucket"]] = true
				for _, p := range rs.of(permissionType) {
					if !slices.Contains(n.Dependencies, p.URN) {
						broken = append(broken, n.Name+": does not wait for permission "+p.Name)
					}
				}
				if !dependsOn(rs, n, bucketPolicyType) {
					broken = append(broken, n.Name+": does not wait for the bucket's policy")
				}
			}
			return broken
		},
		plant: func(rs resources) { rs.get(notificationType, "raw").Dependencies = nil },
	},
	{
		name: "notifications filter by prefixes that end in a slash",
		check: each(notificationType, func(_ resources, n recorded) string {
			for _, f := range n.Inputs["lambdaFunctions"].([]any) {
				if prefix, _ := at(f, "filterPrefix").(string); !strings.HasSuffix(prefix, "/") || at(f, "filterSuffix") != "/manifest.json" {
					return "does not"
				}
			}
			return ""
		}),
		plant: func(rs resources) {
			rs.get(notificationType, "raw").Inputs["lambdaFunctions"].([]any)[0].(map[string]any)["filterPrefix"] = "raw/coin"
		},
	},
	{
		name: "schedules wait for whatever the first run needs",
		check: each(scheduleType, func(rs resources, s recorded) string {
			if len(rs.siblings(s, rolePolicyType)) != 1 || !slices.Contains(s.Dependencies, rs.siblings(s, rolePolicyType)[0].URN) {
				return "starts before its role may do anything"
			}
			for _, r := range rs.of(notificationType, bucketPolicyType, topicPolicyType, invokeConfigType) {
				switch {
				case r.id() == bucketPolicyType+" results": // of queries, not of runs
				case r.id() == bucketPolicyType+" raw": // before its notification
				case rs.above(r, PipelineType) != "" && rs.above(r, PipelineType) != rs.above(s, PipelineType):
				case !slices.Contains(s.Dependencies, r.URN):
					return "starts before " + r.id()
				}
			}
			return ""
		}),
		plant: func(rs resources) {
			s := rs.get(scheduleType, "coin_markets-schedule")
			s.Dependencies = slices.DeleteFunc(s.Dependencies, func(urn string) bool { return strings.Contains(urn, invokeConfigType) })
		},
	},
	{
		name: "functions come after the buckets and tables they are told of, and go before them",
		check: each(functionType, func(rs resources, f recorded) string {
			variables, _ := at(f.Inputs, "environment", "variables").(map[string]any)
			for _, value := range variables {
				for _, r := range rs.of(bucketType, tableType, topicType) {
					if (value == r.Inputs["bucket"] || value == r.Inputs["name"]) && !slices.Contains(f.Dependencies, r.URN) {
						return "does not wait for " + r.id()
					}
				}
			}
			return ""
		}),
		plant: func(rs resources) { rs.get(functionType, "coin_markets-process").Dependencies = nil },
	},
	{
		name: "a bucket's policy, which forbids deleting, is gone before the bucket is emptied",
		check: each(bucketPolicyType, func(rs resources, p recorded) string {
			if !dependsOn(rs, p, bucketType) {
				return "may outlive or precede the bucket"
			}
			return ""
		}),
		plant: func(rs resources) {
			p := rs.get(bucketPolicyType, "raw")
			p.Dependencies = slices.DeleteFunc(p.Dependencies, func(urn string) bool { return strings.Contains(urn, bucketType) })
		},
	},
	{
		name: "schedules keep what they cannot hand over and do not repeat for a day",
		check: each(scheduleType, func(_ resources, s recorded) string {
			age, _ := at(s.Inputs, "target", "retryPolicy", "maximumEventAgeInSeconds").(float64)
			attempts, _ := at(s.Inputs, "target", "retryPolicy", "maximumRetryAttempts").(float64)
			if at(s.Inputs, "target", "deadLetterConfig", "arn") == nil || age == 0 || age >= 86400 || attempts == 0 || attempts >= 185 ||
				at(s.Inputs, "flexibleTimeWindow", "mode") != "OFF" || s.Inputs["scheduleExpressionTimezone"] != "UTC" {
				return "does not"
			}
			return ""
		}),
		plant: func(rs resources) {
			delete(rs.get(scheduleType, "coin_markets-schedule").Inputs["target"].(map[string]any), "deadLetterConfig")
		},
	},
	{
		name: "a role is taken by one service, from this account where the service says so",
		check: each(roleType, func(_ resources, r recorded) string {
			statements := parseDocument(r.Inputs["assumeRolePolicy"]).Statement
			if len(statements) != 1 {
				return "is not"
			}
			s := statements[0]
			switch at(s.Principal, "Service") {
			case "lambda.amazonaws.com":
				return ""
			case "scheduler.amazonaws.com":
				arns := s.Condition["StringEquals"]["aws:SourceArn"]
				if slices.Equal(s.Condition["StringEquals"]["aws:SourceAccount"], []string{testAccount}) && len(arns) == 1 &&
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
	},
	{
		name: "no statement without Sid, no allowed * but the explained",
		check: func(rs resources) []string {
			var broken []string
			for _, r := range rs {
				for _, d := range documents(r) {
					if len(d.Statement) == 0 {
						broken = append(broken, r.id()+": has an empty or unreadable document")
					}
					for _, s := range d.Statement {
						if s.Sid == "" {
							broken = append(broken, r.id()+": a statement has no Sid")
						}
						if s.Effect != "Allow" {
							continue
						}
						if slices.Contains(s.Resource, "*") && starAllowed[r.Type+" "+s.Sid] == "" {
							broken = append(broken, r.id()+": "+s.Sid+" allows resource *")
						}
						for _, action := range s.Action {
							if strings.HasSuffix(action, "*") && action != "kms:GenerateDataKey*" && (action != "kms:*" || s.Sid != "AccountDecides") {
								broken = append(broken, r.id()+": "+s.Sid+" allows "+action)
							}
						}
						if s.Principal == "*" {
							broken = append(broken, r.id()+": "+s.Sid+" allows everyone")
						}
					}
				}
			}
			return broken
		},
		plant: func(rs resources) {
			p := rs.get(rolePolicyType, "coin_markets-process")
			set(p, strings.ReplaceAll(p.Inputs["policy"].(string), "s3:GetObject", "s3:*"), "policy")
		},
	},
	{
		name: "policies are no longer than AWS takes",
		check: func(rs resources) []string {
			// IAM and AWS STS quotas; Bucket policies; KMS quotas.
			longest := map[string]int{policyType: 6144, rolePolicyType: 10240, roleType: 2048, bucketPolicyType: 20 << 10, keyType: 32 << 10}
			var broken []string
			for _, r := range rs {
				for _, input := range []string{"policy", "assumeRolePolicy"} {
					text, _ := r.Inputs[input].(string)
					if limit, ok := longest[r.Type]; ok && len(text) > limit {
						broken = append(broken, fmt.Sprintf("%s: %s has %d characters of %d", r.id(), input, len(text), limit))
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
		check: func(rs resources) []string {
			var broken []string
			for _, p := range rs.of(rolePolicyType, policyType) {
				for _, s := range parseDocument(p.Inputs["policy"]).Statement {
					if _, ok := component.ClassOf(s.Sid); !ok {
						broken = append(broken, p.id()+": "+s.Sid+" has none")
					}
				}
			}
			return broken
		},
		plant: func(rs resources) {
			p := rs.get(rolePolicyType, "coin_markets-process")
			set(p, strings.ReplaceAll(p.Inputs["policy"].(string), "CallGetRaw", "GetRaw"), "policy")
		},
	},
	{
		name: "services that act on a resource are held to this account",
		check: func(rs resources) []string {
			var broken []string
			for _, r := range rs.of(keyType, topicPolicyType, bucketPolicyType) {
				for _, s := range parseDocument(r.Inputs["policy"]).Statement {
					if s.Effect == "Allow" && at(s.Principal, "Service") != nil &&
						(!slices.Equal(s.Condition["StringEquals"]["aws:SourceAccount"], []string{testAccount}) || len(s.Condition["ArnLike"]["aws:SourceArn"]) != 1) {
						broken = append(broken, r.id()+": "+s.Sid+" is open to other accounts")
					}
				}
			}
			return broken
		},
		plant: func(rs resources) {
			p := rs.get(topicPolicyType, "alerts")
			set(p, strings.ReplaceAll(p.Inputs["policy"].(string), "aws:SourceAccount", "aws:PrincipalAccount"), "policy")
		},
	},
	{
		name: "nobody may delete raw bytes",
		check: func(rs resources) []string {
			var broken []string
			for _, p := range rs.of(rolePolicyType, policyType) {
				for _, s := range parseDocument(p.Inputs["policy"]).Statement {
					for _, r := range s.Resource {
						if strings.Contains(r, "-raw-") && slices.ContainsFunc(s.Action, func(a string) bool { return strings.HasPrefix(a, "s3:Delete") }) {
							broken = append(broken, p.id()+": "+s.Sid+" does")
						}
					}
				}
			}
			return broken
		},
		plant: func(rs resources) {
			p := rs.get(rolePolicyType, "coin_markets-ingest")
			set(p, strings.ReplaceAll(p.Inputs["policy"].(string), "s3:PutObject", "s3:DeleteObject"), "policy")
		},
	},
	{
		name: "keys rotate",
		check: each(keyType, func(_ resources, k recorded) string {
			if k.Inputs["enableKeyRotation"] != true {
				return "does not"
			}
			return ""
		}),
		plant: func(rs resources) { set(rs.get(keyType, "data"), false, "enableKeyRotation") },
	},
	{
		name: "queues, topics, tables and secrets are encrypted",
		check: func(rs resources) []string {
			var broken []string
			for _, r := range rs.of(queueType, topicType, tableType, secretType) {
				key, _ := r.Inputs["kmsMasterKeyId"].(string)
				secretKey, _ := r.Inputs["kmsKeyId"].(string)
				if r.Inputs["sqsManagedSseEnabled"] != true && key == "" && secretKey == "" && at(r.Inputs, "serverSideEncryption", "enabled") != true {
					broken = append(broken, r.id()+": is not")
				}
			}
			return broken
		},
		plant: func(rs resources) {
			set(rs.get(queueType, "coin_markets-ingest-failures"), false, "sqsManagedSseEnabled")
		},
	},
	{
		name: "tables are external, projected and partitioned by day",
		check: each(glueTableType, func(_ resources, t recorded) string {
			parameters := at(t.Inputs, "parameters")
			if t.Inputs["tableType"] == "VIRTUAL_VIEW" {
				if at(t.Inputs, "storageDescriptor", "serDeInfo", "serializationLibrary") == nil {
					return "is a view without the SerDe that Athena misses"
				}
				return ""
			}
			if t.Inputs["tableType"] != "EXTERNAL_TABLE" || at(parameters, "projection.enabled") != "true" || at(parameters, "projection.dt.type") != "date" ||
				at(t.Inputs, "partitionKeys", 0, "name") != "dt" || at(t.Inputs, "partitionKeys", 0, "type") != "string" {
				return "is not"
			}
			return ""
		}),
		plant: func(rs resources) {
			delete(rs.get(glueTableType, "coin_markets").Inputs["parameters"].(map[string]any), "projection.enabled")
		},
	},
	{
		name: "queries have a limit that clients cannot lift",
		check: each(workgroupType, func(_ resources, w recorded) string {
			limit, _ := at(w.Inputs, "configuration", "bytesScannedCutoffPerQuery").(float64)
			if at(w.Inputs, "configuration", "enforceWorkgroupConfiguration") != true || limit < 10<<20 {
				return "has none"
			}
			return ""
		}),
		plant: func(rs resources) {
			set(rs.get(workgroupType, "queries"), false, "configuration", "enforceWorkgroupConfiguration")
		},
	},
	{
		name: "every alarm tells a topic and says what no data means",
		check: each(alarmType, func(rs resources, a recorded) string {
			missing := a.Inputs["treatMissingData"]
			if missing != "breaching" && missing != "notBreaching" {
				return "does not say"
			}
			if at(a.Inputs, "alarmActions", 0) != "arn:aws:sns:"+testRegion+":"+testAccount+":"+rs.of(topicType)[0].Inputs["name"].(string) {
				return "tells nobody"
			}
			if a.Inputs["alarmDescription"] == nil {
				return "has no description"
			}
			return ""
		}),
		plant: func(rs resources) { delete(rs.get(alarmType, "coin_markets-watch-held").Inputs, "alarmActions") },
	},
	{
		name: "alarms may publish: their names are those the topic and its key admit",
		check: each(alarmType, func(rs resources, a recorded) string {
			if !strings.HasPrefix(a.Inputs["name"].(string), strings.TrimSuffix(rs.of(topicType)[0].Inputs["name"].(string), "alerts")) {
				return "is not among them"
			}
			return ""
		}),
		plant: func(rs resources) { rs.get(alarmType, "coin_markets-watch-held").Inputs["name"] = "held" },
	},
	{
		name: "every queue of failures has an alarm",
		check: each(queueType, func(rs resources, q recorded) string {
			for _, a := range rs.of(alarmType) {
				if at(a.Inputs, "dimensions", "QueueName") == q.Inputs["name"] {
					return ""
				}
			}
			return "has none"
		}),
		plant: func(rs resources) {
			delete(rs.get(alarmType, "coin_markets-watch-ingest-failures").Inputs, "dimensions")
		},
	},
	{
		name: "everything has a component above it",
		check: func(rs resources) []string {
			var broken []string
			for _, r := range rs {
				if isPlain(r) && !strings.Contains(r.Parent, "tributary:") {
					broken = append(broken, r.id()+": has not")
				}
			}
			return broken
		},
		plant: func(rs resources) { rs.get(queueType, "coin_markets-ingest-failures").Parent = "" },
	},
	{
		name: "everything is declared with the explicit, tagging provider",
		check: func(rs resources) []string {
			var broken []string
			providers := rs.of(providerType)
			if len(providers) != 1 {
				return []string{fmt.Sprintf("there are %d providers", len(providers))}
			}
			for _, key := range []string{"Project", "Stack", "ManagedBy"} {
				if !strings.Contains(fmt.Sprint(providers[0].Inputs["defaultTags"]), key) {
					broken = append(broken, "default tags lack "+key)
				}
			}
			for _, r := range rs {
				if isPlain(r) && !strings.HasPrefix(r.Provider, providers[0].URN) {
					broken = append(broken, r.id()+": has provider "+r.Provider)
				}
			}
			return broken
		},
		plant: func(rs resources) { rs.get(queueType, "coin_markets-ingest-failures").Provider = "" },
	},
}

// devRules hold where `pulumi destroy` is to leave nothing but keys that wait for their deletion.
var devRules = []rule{
	{
		name: "nothing is protected or left behind",
		check: func(rs resources) []string {
			var broken []string
			for _, r := range rs {
				if r.Protect || r.Retain || r.Inputs["skipDestroy"] == true || r.Inputs["deletionProtectionEnabled"] == true {
					broken = append(broken, r.id()+": is")
				}
			}
			return broken
		},
		plant: func(rs resources) { rs.get(glueTableType, "coin_markets").Retain = true },
	},
	{
		name: "what is full is emptied",
		check: func(rs resources) []string {
			var broken []string
			for _, r := range rs.of(bucketType, workgroupType) {
				if r.Inputs["forceDestroy"] != true {
					broken = append(broken, r.id()+": is not")
				}
			}
			return broken
		},
		plant: func(rs resources) { set(rs.get(workgroupType, "queries"), false, "forceDestroy") },
	},
	{
		name: "names are free again at once",
		check: func(rs resources) []string {
			var broken []string
			for _, r := range rs.of(secretType) {
				if r.Inputs["recoveryWindowInDays"] != 0.0 {
					broken = append(broken, r.id()+": stays taken")
				}
			}
			for _, r := range rs.of(keyType) {
				if r.Inputs["deletionWindowInDays"] != 7.0 {
					broken = append(broken, r.id()+": waits longer than it must")
				}
			}
			return broken
		},
		plant: func(rs resources) { set(rs.get(secretType, "secret-coingecko"), 30.0, "recoveryWindowInDays") },
	},
}

// prodRules hold where data is protected.
var prodRules = []rule{
	{
		name: "data is protected and retained",
		check: func(rs resources) []string {
			var broken []string
			for _, r := range rs.of(bucketType, tableType, secretType, keyType) {
				// Query results can be made again; a key of alerts guards nothing that is kept.
				if r.id() == bucketType+" results" || r.id() == keyType+" alerts" {
					continue
				}
				if !r.Protect || !r.Retain || r.Inputs["forceDestroy"] == true {
					broken = append(broken, r.id()+": is not")
				}
			}
			return broken
		},
		plant: func(rs resources) { rs.get(bucketType, "raw").Protect = false },
	},
	{
		name: "tables cannot be deleted and can be restored",
		check: each(tableType, func(_ resources, t recorded) string {
			if t.Inputs["deletionProtectionEnabled"] != true || at(t.Inputs, "pointInTimeRecovery", "enabled") != true {
				return "can or cannot"
			}
			return ""
		}),
		plant: func(rs resources) {
			set(rs.get(tableType, "coin_markets-serving"), false, "pointInTimeRecovery", "enabled")
		},
	},
	{
		name: "only named accounts are deployed to",
		check: each(providerType, func(_ resources, p recorded) string {
			if ids := fmt.Sprint(p.Inputs["allowedAccountIds"]); !strings.Contains(ids, testAccount) {
				return "any account is"
			}
			return ""
		}),
		plant: func(rs resources) { delete(rs.of(providerType)[0].Inputs, "allowedAccountIds") },
	},
}

// viewedRules hold where QuickSight reads.
var viewedRules = []rule{
	{
		name: "QuickSight's role has its grants before QuickSight tries them",
		check: each(dataSourceType, func(rs resources, s recorded) string {
			if !dependsOn(rs, s, attachmentType) {
				return "does not wait"
			}
			return ""
		}),
		plant: func(rs resources) { rs.get(dataSourceType, "quicksight").Dependencies = nil },
	},
	{
		name: "data sets are loaded every day, from the next time on",
		check: with(dataSetType, refreshType, func(r recorded) bool {
			return at(r.Inputs, "schedule", "scheduleFrequency", "interval") == "DAILY" && at(r.Inputs, "schedule", "startAfterDateTime") == nil
		}),
		plant: func(rs resources) { delete(rs.get(refreshType, "coin_markets-quicksight").Inputs, "schedule") },
	},
	{
		name: "nobody but the program changes what QuickSight has",
		check: func(rs resources) []string {
			var broken []string
			for _, r := range rs.of(dataSourceType, dataSetType) {
				actions, _ := at(r.Inputs, "permissions", 0, "actions").([]any)
				if len(actions) == 0 || slices.ContainsFunc(actions, func(a any) bool {
					return strings.HasPrefix(a.(string), "quicksight:Update") || strings.HasPrefix(a.(string), "quicksight:Delete")
				}) {
					broken = append(broken, r.id()+": somebody may")
				}
			}
			return broken
		},
		plant: func(rs resources) {
			at(rs.get(dataSetType, "coin_markets-quicksight").Inputs, "permissions", 0).(map[string]any)["actions"] = []any{"quicksight:DeleteDataSet"}
		},
	},
	{
		name: "data sets wait for the view they read",
		check: each(dataSetType, func(rs resources, s recorded) string {
			if !dependsOn(rs, s, glueTableType) {
				return "does not"
			}
			return ""
		}),
		plant: func(rs resources) { rs.get(dataSetType, "coin_markets-quicksight").Dependencies = nil },
	},
}

func TestRules(t *testing.T) {
	p := newProject(t)
	for _, stack := range []string{"dev", "prod", viewed} {
		declared := resources(p.mustDeploy(t, stack))
		applying := rules
		switch stack {
		case "dev":
			applying = slices.Concat(rules, devRules)
		case "prod":
			applying = slices.Concat(rules, prodRules)
		case viewed:
			applying = slices.Concat(rules, prodRules, viewedRules)
		}
		for _, r := range applying {
			t.Run(stack+"/"+r.name, func(t *testing.T) {
				for _, broken := range r.check(declared) {
					t.Error(broken)
				}
				planted := declared.clone()
				r.plant(planted)
				if len(r.check(planted)) == 0 {
					t.Error("the rule does not see a planted violation")
				}
			})
		}
	}
}
