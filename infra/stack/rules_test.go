package stack

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// A rule holds for every resource of every stack, whatever it is called. It returns what breaks it.
type rule struct {
	name  string
	check func(resources) []string
	// plant breaks the rule in a copy of what the program declares; also are further ways to break it.
	plant func(resources)
	also  []func(resources)
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
	aliasType        = "aws:kms/alias:Alias"
	groupType        = "aws:scheduler/scheduleGroup:ScheduleGroup"
	databaseType     = "aws:glue/catalogDatabase:CatalogDatabase"
	subscriptionType = "aws:sns/topicSubscription:TopicSubscription"
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

// waitsFor says whether a resource stands only after another, directly or through others.
func (rs resources) waitsFor(from recorded, urn string) bool {
	seen := map[string]bool{}
	var reach func(r recorded) bool
	reach = func(r recorded) bool {
		for _, on := range r.Dependencies {
			if on == urn {
				return true
			}
			if seen[on] {
				continue
			}
			seen[on] = true
			if i := slices.IndexFunc(rs, func(next recorded) bool { return next.URN == on }); i >= 0 && reach(rs[i]) {
				return true
			}
		}
		return false
	}
	return reach(from)
}

// started are the functions that a notification starts.
func (rs resources) started(notification recorded) resources {
	var found resources
	targets, _ := notification.Inputs["lambdaFunctions"].([]any)
	for _, target := range targets {
		arn, _ := at(target, "lambdaFunctionArn").(string)
		for _, f := range rs.of(functionType) {
			if strings.HasSuffix(arn, ":"+f.Inputs["name"].(string)) {
				found = append(found, f)
			}
		}
	}
	return found
}

// partsOf are the resources of a type that belong to a function by its name.
func (rs resources) partsOf(function recorded, typ string) resources {
	var found resources
	for _, r := range rs.of(typ) {
		if name := function.Inputs["name"]; r.Inputs["function"] == name || r.Inputs["functionName"] == name {
			found = append(found, r)
		}
	}
	return found
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

// kind is what a type of resource is to the rules.
type kind string

const (
	data    kind = "data"    // lost when it is lost: encrypted, and protected where data are
	passing kind = "passing" // holds what is on its way: encrypted
	access  kind = "access"  // says who may do what: carries policies, or points to one
	part    kind = "part"    // configures a resource that is here, and goes with it
	running kind = "running" // does the work
	finding kind = "finding" // tells where data are and how to ask for them; made again from the program
	telling kind = "telling" // shows, tells, keeps logs
)

// kinds are all types that the program may use: the rules know what to ask of each.
var kinds = map[string]kind{
	bucketType: data, tableType: data, secretType: data, keyType: data,
	queueType: passing, topicType: passing,
	roleType: access, rolePolicyType: access, policyType: access, attachmentType: access, bucketPolicyType: access, topicPolicyType: access, permissionType: access,
	blockType: part, ownershipType: part, versioningType: part, encryptionType: part, lifecycleType: part, notificationType: part,
	invokeConfigType: part, recursionType: part, aliasType: part, groupType: part, refreshType: part,
	functionType: running, scheduleType: running,
	databaseType: finding, glueTableType: finding, workgroupType: finding, namedQueryType: finding, dataSourceType: finding, dataSetType: finding,
	alarmType: telling, dashboardType: telling, logGroupType: telling, subscriptionType: telling,
}

var rules = []rule{
	{
		name: "every type of resource is one that the rules know",
		check: func(rs resources) []string {
			var broken []string
			for _, r := range rs {
				if isPlain(r) && kinds[r.Type] == "" {
					broken = append(broken, r.id()+": say in kinds what it is, and see what each rule must ask of it")
				}
			}
			return broken
		},
		plant: func(rs resources) {
			rs.get(queueType, "coin_markets-ingest-failures").Type = "aws:kinesis/stream:Stream"
		},
		also: []func(resources){
			func(rs resources) { // a way in that no permission guards
				rs.get(permissionType, "coin_markets-process").Type = "aws:lambda/functionUrl:FunctionUrl"
			},
		},
	},
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
		name: "roles are limited by the stack's boundary",
		check: each(roleType, func(_ resources, r recorded) string {
			stack := strings.Split(r.URN, ":")[2]
			if stack == viewed {
				stack = "prod" // whose settings it has
			}
			if want := "arn:aws:iam::" + testAccount + ":policy/tributary-bootstrap-" + stack + "-boundary"; r.Inputs["permissionsBoundary"] != want {
				return fmt.Sprintf("its boundary is %v, want %s", r.Inputs["permissionsBoundary"], want)
			}
			return ""
		}),
		plant: func(rs resources) { delete(rs.get(roleType, "coin_markets-schedule").Inputs, "permissionsBoundary") },
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
		name: "a function's recursion guard comes after its failure destination: Lambda refuses changes at once",
		check: each(recursionType, func(rs resources, g recorded) string {
			before := rs.siblings(g, invokeConfigType)
			if len(before) != 1 || !rs.waitsFor(g, before[0].URN) {
				return "does not wait"
			}
			return ""
		}),
		plant: func(rs resources) {
			g := rs.get(recursionType, "coin_markets-ingest")
			g.Dependencies = slices.DeleteFunc(g.Dependencies, func(urn string) bool { return strings.Contains(urn, invokeConfigType) })
		},
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
		name: "a bucket has one notification, which waits for its policy and, of each function, for permission and failure destination",
		check: func(rs resources) []string {
			var broken []string
			seen := map[any]bool{}
			for _, n := range rs.of(notificationType) {
				if seen[n.Inputs["bucket"]] {
					broken = append(broken, n.Name+": overwrites another")
				}
				seen[n.Inputs["bucket"]] = true
				if !dependsOn(rs, n, bucketPolicyType) {
					broken = append(broken, n.Name+": does not wait for the bucket's policy")
				}
				functions := rs.started(n)
				if targets, _ := n.Inputs["lambdaFunctions"].([]any); len(targets) != len(functions) || len(functions) == 0 {
					broken = append(broken, n.Name+": starts what is no function of the stack, or nothing")
				}
				for _, f := range functions {
					for _, typ := range []string{permissionType, invokeConfigType} {
						parts := rs.partsOf(f, typ)
						if len(parts) != 1 || !rs.waitsFor(n, parts[0].URN) {
							broken = append(broken, n.Name+": does not wait for one "+typ+" of "+f.Name)
						}
					}
				}
			}
			return broken
		},
		plant: func(rs resources) { rs.get(notificationType, "raw").Dependencies = nil },
		also: []func(resources){
			func(rs resources) { // no longer for the function as a whole
				n := rs.get(notificationType, "raw")
				n.Dependencies = slices.DeleteFunc(n.Dependencies, func(urn string) bool { return strings.Contains(urn, recursionType) })
			},
			func(rs resources) {
				n := rs.get(notificationType, "raw")
				n.Dependencies = slices.DeleteFunc(n.Dependencies, func(urn string) bool { return strings.Contains(urn, permissionType) })
			},
			func(rs resources) { // to the function of another stack
				at(rs.get(notificationType, "raw").Inputs, "lambdaFunctions", 0).(map[string]any)["lambdaFunctionArn"] = "arn:aws:lambda:eu-central-1:123456789012:other"
			},
		},
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
				case rs.above(r, PipelineType) != "" && rs.above(r, PipelineType) != rs.above(s, PipelineType):
				case !rs.waitsFor(s, r.URN):
					return "starts before " + r.id()
				}
			}
			return ""
		}),
		plant: func(rs resources) {
			s := rs.get(scheduleType, "coin_markets-schedule")
			s.Dependencies = slices.DeleteFunc(s.Dependencies, func(urn string) bool { return strings.Contains(urn, recursionType) })
		},
		also: []func(resources){
			func(rs resources) {
				s := rs.get(scheduleType, "coin_markets-schedule")
				s.Dependencies = slices.DeleteFunc(s.Dependencies, func(urn string) bool { return strings.Contains(urn, notificationType) })
			},
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
			for _, r := range rs {
				if kinds[r.Type] != data && kinds[r.Type] != passing || slices.Contains([]string{bucketType, keyType}, r.Type) {
					continue // buckets have a resource for it, keys are what it takes
				}
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
			for _, r := range rs {
				// Query results can be made again; a key of alerts guards nothing that is kept.
				if kinds[r.Type] != data || r.id() == bucketType+" results" || r.id() == keyType+" alerts" {
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
	for datasets, p := range map[string]project{"one": newProject(t), "two": newProject(t, "testdata/orders.odcs.yaml")} {
		for stack, own := range map[string][]rule{"dev": devRules, "prod": prodRules, viewed: slices.Concat(prodRules, viewedRules)} {
			declared := resources(p.mustDeploy(t, stack))
			for _, r := range slices.Concat(rules, policyRules, own) {
				t.Run(stack+" with "+datasets+"/"+r.name, func(t *testing.T) {
					for _, broken := range r.check(declared) {
						t.Error(broken)
					}
					for i, plant := range append([]func(resources){r.plant}, r.also...) {
						planted := declared.clone()
						plant(planted)
						if len(r.check(planted)) == 0 {
							t.Errorf("the rule does not see planted violation %d", i+1)
						}
					}
				})
			}
		}
	}
}
