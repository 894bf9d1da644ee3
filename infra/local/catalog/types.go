package catalog

import (
	"strings"

	"tributary/infra/local/monitor"
)

const providerType = "pulumi:providers:aws"

// idOf describes a type that only refers to another resource by the given property.
func idOf(property string) func(Scope, monitor.Resource, string) (string, map[string]any) {
	return func(_ Scope, r monitor.Resource, _ string) (string, map[string]any) {
		return text(r, property), map[string]any{}
	}
}

// arnOf describes a type whose id is its name, with an ARN of the service's resource path and name.
func arnOf(service, path string) func(Scope, monitor.Resource, string) (string, map[string]any) {
	return func(s Scope, _ monitor.Resource, name string) (string, map[string]any) {
		return name, map[string]any{"arn": s.ARN(service, path+name)}
	}
}

func anonymous(_ Scope, r monitor.Resource, _ string) (string, map[string]any) {
	return uuid(r.URN), map[string]any{}
}

func text(r monitor.Resource, property string) string {
	s, _ := r.Inputs[property].(string)
	return s
}

var types = map[string]Type{
	providerType: {Kind: Skipped, Does: "its region is used; credentials and tags have no meaning here", describe: anonymous},

	"aws:s3/bucketV2:BucketV2": {Kind: Provisioned, Does: "bucket", named: "bucket",
		describe: func(s Scope, _ monitor.Resource, name string) (string, map[string]any) {
			return name, map[string]any{
				"arn": "arn:aws:s3:::" + name, "region": s.Region,
				"bucketDomainName":         name + ".s3.amazonaws.com",
				"bucketRegionalDomainName": name + ".s3." + s.Region + ".amazonaws.com",
			}
		}},
	"aws:s3/bucketVersioningV2:BucketVersioningV2":                         {Kind: Provisioned, Does: "versions", describe: idOf("bucket")},
	"aws:s3/bucketNotification:BucketNotification":                         {Kind: Provisioned, Does: "events invoke functions, through their permissions", describe: idOf("bucket")},
	"aws:s3/bucketPolicy:BucketPolicy":                                     {Kind: Provisioned, Does: "evaluated on every request", describe: idOf("bucket")},
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":               {Kind: Recorded, Does: "there are no anonymous requests", describe: idOf("bucket")},
	"aws:s3/bucketOwnershipControls:BucketOwnershipControls":               {Kind: Recorded, Does: "there is one account and no ACL", describe: idOf("bucket")},
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2": {Kind: Recorded, Does: "nothing lives long enough to expire", describe: idOf("bucket")},
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": {Kind: Provisioned,
		Does: "nothing is encrypted; requests need the grants on the key that AWS asks for", describe: idOf("bucket")},

	"aws:lambda/function:Function": {Kind: Provisioned, Does: "process with the Lambda Runtime API", named: "name",
		describe: func(s Scope, _ monitor.Resource, name string) (string, map[string]any) {
			arn := s.ARN("lambda", "function:"+name)
			return name, map[string]any{
				"arn": arn, "qualifiedArn": arn + ":$LATEST", "version": "$LATEST",
				"invokeArn": "arn:aws:apigateway:" + s.Region + ":lambda:path/2015-03-31/functions/" + arn + "/invocations",
			}
		}},
	"aws:lambda/permission:Permission": {Kind: Provisioned, Does: "statement of the function's policy, evaluated on events", named: "statementId",
		describe: func(_ Scope, _ monitor.Resource, name string) (string, map[string]any) { return name, map[string]any{} }},
	"aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": {Kind: Provisioned, Does: "retries and on-failure destination", describe: idOf("functionName")},
	"aws:lambda/functionRecursionConfig:FunctionRecursionConfig":     {Kind: Recorded, Does: "no service here sends a function's output back to it", describe: idOf("functionName")},

	"aws:iam/role:Role": {Kind: Provisioned, Does: "credentials of its own; trust policy evaluated", named: "name",
		describe: func(s Scope, r monitor.Resource, name string) (string, map[string]any) {
			return name, map[string]any{"arn": "arn:aws:iam::" + s.Account + ":role" + path(r) + name, "uniqueId": "AROA" + strings.ToUpper(Suffix(r.URN, 17))}
		}},
	"aws:iam/rolePolicy:RolePolicy": {Kind: Provisioned, Does: "evaluated on every request", named: "name",
		describe: func(_ Scope, r monitor.Resource, name string) (string, map[string]any) {
			return text(r, "role") + ":" + name, map[string]any{}
		}},
	"aws:iam/policy:Policy": {Kind: Provisioned, Does: "evaluated for the roles it is attached to", named: "name",
		describe: func(s Scope, r monitor.Resource, name string) (string, map[string]any) {
			arn := "arn:aws:iam::" + s.Account + ":policy" + path(r) + name
			return arn, map[string]any{"arn": arn, "policyId": "ANPA" + strings.ToUpper(Suffix(r.URN, 17))}
		}},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {Kind: Provisioned, Does: "attaches a policy to a role of the program; the account's own roles make no requests here",
		describe: func(_ Scope, r monitor.Resource, _ string) (string, map[string]any) {
			return text(r, "role") + "-" + Suffix(r.URN, 7), map[string]any{}
		}},

	"aws:sqs/queue:Queue": {Kind: Provisioned, Does: "queue", named: "name",
		describe: func(s Scope, _ monitor.Resource, name string) (string, map[string]any) {
			base := s.SQS
			if base == "" {
				base = "https://sqs." + s.Region + ".amazonaws.com"
			}
			url := base + "/" + s.Account + "/" + name
			return url, map[string]any{"arn": s.ARN("sqs", name), "url": url}
		}},
	"aws:sqs/queuePolicy:QueuePolicy": {Kind: Provisioned, Does: "evaluated on every request", describe: idOf("queueUrl")},

	"aws:sns/topic:Topic": {Kind: Provisioned, Does: "topic", named: "name",
		describe: func(s Scope, _ monitor.Resource, name string) (string, map[string]any) {
			arn := s.ARN("sns", name)
			return arn, map[string]any{"arn": arn, "owner": s.Account}
		}},
	"aws:sns/topicPolicy:TopicPolicy": {Kind: Provisioned, Does: "evaluated on every request", describe: idOf("arn")},
	"aws:sns/topicSubscription:TopicSubscription": {Kind: Provisioned, Does: "queues receive the messages; e-mail and HTTP endpoints are not contacted",
		describe: func(s Scope, r monitor.Resource, _ string) (string, map[string]any) {
			arn := text(r, "topic") + ":" + uuid(r.URN)
			return arn, map[string]any{"arn": arn, "ownerId": s.Account, "pendingConfirmation": false, "confirmationWasAuthenticated": true}
		}},

	"aws:dynamodb/table:Table": {Kind: Provisioned, Does: "table; TTL, backups and encryption are recorded", named: "name", describe: arnOf("dynamodb", "table/")},

	"aws:secretsmanager/secret:Secret": {Kind: Provisioned, Does: "secret, empty until a value is put", named: "name",
		describe: func(s Scope, r monitor.Resource, name string) (string, map[string]any) {
			arn := s.ARN("secretsmanager", "secret:"+name+"-"+Suffix(r.URN, 6))
			return arn, map[string]any{"arn": arn}
		}},

	"aws:scheduler/scheduleGroup:ScheduleGroup": {Kind: Recorded, Does: "its ARN stands in the trust policies of schedules' roles", named: "name", describe: arnOf("scheduler", "schedule-group/")},
	"aws:scheduler/schedule:Schedule": {Kind: Provisioned, Does: "fires on request, not by the clock, even when disabled", named: "name",
		describe: func(s Scope, r monitor.Resource, name string) (string, map[string]any) {
			group := text(r, "groupName")
			if group == "" {
				group = "default"
			}
			return group + "/" + name, map[string]any{"arn": s.ARN("scheduler", "schedule/"+group+"/"+name), "groupName": group}
		}},

	"aws:glue/catalogDatabase:CatalogDatabase": {Kind: Recorded, Does: "kept in the catalog that queries read", named: "name",
		describe: func(s Scope, _ monitor.Resource, name string) (string, map[string]any) {
			return s.Account + ":" + name, map[string]any{"arn": s.ARN("glue", "database/"+name), "catalogId": s.Account}
		}},
	"aws:glue/catalogTable:CatalogTable": {Kind: Recorded, Does: "kept in the catalog that queries read", named: "name",
		describe: func(s Scope, r monitor.Resource, name string) (string, map[string]any) {
			database := text(r, "databaseName")
			return s.Account + ":" + database + ":" + name, map[string]any{"arn": s.ARN("glue", "table/"+database+"/"+name), "catalogId": s.Account}
		}},

	"aws:kms/key:Key": {Kind: Provisioned, Does: "encrypts nothing; its policy and the roles' grants on it are evaluated",
		describe: func(s Scope, r monitor.Resource, _ string) (string, map[string]any) {
			id := uuid(r.URN)
			return id, map[string]any{"arn": s.ARN("kms", "key/"+id), "keyId": id}
		}},
	"aws:kms/alias:Alias": {Kind: Recorded, Does: "keys are referred to by ARN", named: "name",
		describe: func(s Scope, r monitor.Resource, name string) (string, map[string]any) {
			return name, map[string]any{"arn": s.ARN("kms", name), "targetKeyArn": s.ARN("kms", "key/"+text(r, "targetKeyId"))}
		}},

	"aws:cloudwatch/logGroup:LogGroup":       {Kind: Provisioned, Does: "keeps the functions' lines", named: "name", describe: arnOf("logs", "log-group:")},
	"aws:cloudwatch/metricAlarm:MetricAlarm": {Kind: Recorded, Does: "evaluated once at the end of a run; whether it may publish is checked at once", named: "name", describe: arnOf("cloudwatch", "alarm:")},
	"aws:cloudwatch/dashboard:Dashboard": {Kind: Skipped, Does: "there is no console to show it", named: "dashboardName",
		describe: func(s Scope, _ monitor.Resource, name string) (string, map[string]any) {
			return name, map[string]any{"dashboardArn": "arn:aws:cloudwatch::" + s.Account + ":dashboard/" + name}
		}},

	"aws:athena/workgroup:Workgroup": {Kind: Skipped, Does: "there is no Athena here: queries run on DuckDB", named: "name", describe: arnOf("athena", "workgroup/")},
	"aws:athena/namedQuery:NamedQuery": {Kind: Recorded, Does: "kept with its text", named: "name",
		describe: func(_ Scope, r monitor.Resource, _ string) (string, map[string]any) {
			return uuid(r.URN), map[string]any{}
		}},

	"aws:quicksight/dataSource:DataSource":           {Kind: Skipped, Does: "there is no QuickSight here", describe: quicksight("datasource/", "dataSourceId")},
	"aws:quicksight/dataSet:DataSet":                 {Kind: Skipped, Does: "there is no QuickSight here", describe: quicksight("dataset/", "dataSetId")},
	"aws:quicksight/refreshSchedule:RefreshSchedule": {Kind: Skipped, Does: "there is no QuickSight here", describe: quicksight("refresh-schedule/", "scheduleId")},
}

func quicksight(kind, property string) func(Scope, monitor.Resource, string) (string, map[string]any) {
	return func(s Scope, r monitor.Resource, _ string) (string, map[string]any) {
		id := text(r, property)
		return s.Account + "," + id, map[string]any{"arn": s.ARN("quicksight", kind+id), "awsAccountId": s.Account}
	}
}

// path is the path of an IAM name, with both slashes.
func path(r monitor.Resource) string {
	if p := text(r, "path"); p != "" {
		return p
	}
	return "/"
}
