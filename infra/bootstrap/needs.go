package bootstrap

import (
	"slices"
	"strings"
)

// need is what it takes to deploy a resource of one type: the actions that pulumi-aws v6 (terraform-provider-aws v5)
// calls for it, by the Service Authorization Reference.
type need struct {
	types                        []string // Pulumi's tokens
	group                        group
	create, read, update, delete []string
	destroy                      []string // deletes data: only where the stack is not protected
	tag                          []string
	on                           []string // ARN patterns
	condition                    Condition
	beside                       []Statement // on other resources, or under another condition
}

// group is a managed policy of the deploy role: IAM allows each 6,144 characters.
type group string

const (
	storage    group = "storage"
	compute    group = "compute"
	messages   group = "messages"
	catalog    group = "catalog"
	identity   group = "identity"
	quickSight group = "quicksight"
)

var groups = []group{storage, compute, messages, catalog, identity}

// statements grant what a type needs. Each is named after the type: Role of aws:iam/role:Role.
func (n need) statements(protected bool) []Statement {
	actions := slices.Concat(n.create, n.read, n.update, n.delete, n.tag)
	if !protected {
		actions = append(actions, n.destroy...)
	}
	sid := n.types[0][strings.LastIndexByte(n.types[0], ':')+1:]
	return append([]Statement{allow(sid, actions, n.on, n.condition)}, n.beside...)
}

// anywhere is a statement on every resource, with the reason why AWS allows no less.
func anywhere(sid, why string, actions ...string) Statement {
	s := allow(sid, actions, []string{"*"})
	s.Why = why
	return s
}

// needs are those of every type that the program declares.
func (s scope) needs() []need {
	return slices.Concat(s.storageNeeds(), s.computeNeeds(), s.messageNeeds(), s.catalogNeeds(), s.identityNeeds(), s.quickSightNeeds())
}

func (s scope) storageNeeds() []need {
	buckets := []string{bucket(s.base() + "-*")}
	objects := []string{bucket(s.base() + "-*/*")}
	keys := []string{s.arn("kms", "key/*")}
	aliases := []string{s.arn("kms", "alias/"+s.base()+"-*")}
	var emptied []Statement
	if !s.stack.Protect {
		emptied = []Statement{allow("EmptyBuckets", []string{"s3:DeleteObject", "s3:DeleteObjectVersion"}, objects)}
	}
	return []need{
		{
			types: []string{"aws:s3/bucketV2:BucketV2"}, group: storage, on: buckets,
			create: []string{"s3:CreateBucket"},
			// The provider reads every setting of a bucket, also those that the program leaves alone.
			read: []string{
				"s3:GetAccelerateConfiguration", "s3:GetBucketAcl", "s3:GetBucketCORS", "s3:GetBucketLocation", "s3:GetBucketLogging",
				"s3:GetBucketObjectLockConfiguration", "s3:GetBucketPolicy", "s3:GetBucketRequestPayment", "s3:GetBucketTagging", "s3:GetBucketVersioning",
				"s3:GetBucketWebsite", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", "s3:ListBucket",
			},
			destroy: []string{"s3:DeleteBucket", "s3:ListBucketVersions"},
			tag:     []string{"s3:PutBucketTagging"},
			beside:  emptied,
		},
		{
			types: []string{
				"aws:s3/bucketVersioningV2:BucketVersioningV2", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
				"aws:s3/bucketOwnershipControls:BucketOwnershipControls", "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
				"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
				"aws:s3/bucketPolicy:BucketPolicy", "aws:s3/bucketNotification:BucketNotification",
			},
			group: storage, on: buckets,
			create: []string{
				"s3:PutBucketNotification", "s3:PutBucketOwnershipControls", "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock",
				"s3:PutBucketVersioning", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration",
			},
			read: []string{
				"s3:GetBucketNotification", "s3:GetBucketOwnershipControls", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock",
				"s3:GetBucketVersioning", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration",
			},
			delete: []string{"s3:DeleteBucketPolicy"},
		},
		{
			types: []string{"aws:dynamodb/table:Table"}, group: storage, on: []string{s.arn("dynamodb", "table/"+s.base()+"-*")},
			create:  []string{"dynamodb:CreateTable"},
			read:    []string{"dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:ListTagsOfResource"},
			update:  []string{"dynamodb:UpdateContinuousBackups", "dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive"},
			destroy: []string{"dynamodb:DeleteTable"},
			tag:     []string{"dynamodb:TagResource", "dynamodb:UntagResource"},
		},
		{
			types: []string{"aws:kms/key:Key"}, group: storage, on: keys, condition: s.tagged(),
			read:    []string{"kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"},
			update:  []string{"kms:DisableKeyRotation", "kms:EnableKey", "kms:EnableKeyRotation", "kms:PutKeyPolicy", "kms:UpdateKeyDescription"},
			destroy: []string{"kms:DisableKey", "kms:ScheduleKeyDeletion"},
			tag:     []string{"kms:UntagResource"},
			beside: []Statement{
				func() Statement {
					create := anywhere("CreateKey", "a key has no ARN before it exists", "kms:CreateKey")
					create.Condition = s.asksForTags()
					return create
				}(),
				// KMS asks for the tags of a new key as for those of all keys. One with other tags is somebody else's.
				allow("TagKey", []string{"kms:TagResource"}, keys, s.asksForTags(), Condition{"StringEqualsIfExists": {
					"aws:ResourceTag/Project": s.project, "aws:ResourceTag/Stack": s.stack.Name,
				}}),
			},
		},
		{
			types: []string{"aws:kms/alias:Alias"}, group: storage, on: aliases,
			create: []string{"kms:CreateAlias"}, update: []string{"kms:UpdateAlias"}, delete: []string{"kms:DeleteAlias"},
			// An alias is changed with a grant on both itself and its key.
			beside: []Statement{
				allow("NameKey", []string{"kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"}, keys, s.tagged()),
				anywhere("FindAliases", "KMS lists aliases of all keys or of none", "kms:ListAliases"),
			},
		},
		{
			types: []string{"aws:secretsmanager/secret:Secret"}, group: storage, on: []string{s.arn("secretsmanager", "secret:"+s.base()+"/*")},
			create:  []string{"secretsmanager:CreateSecret"},
			read:    []string{"secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy"},
			update:  []string{"secretsmanager:UpdateSecret"},
			destroy: []string{"secretsmanager:DeleteSecret"},
			tag:     []string{"secretsmanager:TagResource", "secretsmanager:UntagResource"},
			// Secrets Manager tries the key in the name of whoever creates a secret. The value is not readable by that.
			beside: []Statement{allow("SealSecrets", []string{"kms:Decrypt", "kms:GenerateDataKey"}, keys, s.tagged(), s.via("secretsmanager"))},
		},
	}
}

func (s scope) asksForTags() Condition {
	return Condition{"StringEquals": {"aws:RequestTag/Project": s.project, "aws:RequestTag/Stack": s.stack.Name}}
}

func (s scope) computeNeeds() []need {
	functions := []string{s.arn("lambda", "function:"+s.base()+"-*")}
	return []need{
		{
			types: []string{"aws:lambda/function:Function"}, group: compute, on: functions,
			create: []string{"lambda:CreateFunction"},
			read: []string{
				"lambda:GetFunction", "lambda:GetFunctionCodeSigningConfig", "lambda:GetFunctionConfiguration", "lambda:ListTags", "lambda:ListVersionsByFunction",
			},
			update: []string{
				"lambda:DeleteFunctionConcurrency", "lambda:PutFunctionConcurrency", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration",
			},
			delete: []string{"lambda:DeleteFunction"},
			tag:    []string{"lambda:TagResource", "lambda:UntagResource"},
		},
		{
			types: []string{"aws:lambda/permission:Permission"}, group: compute, on: functions,
			create: []string{"lambda:AddPermission"}, read: []string{"lambda:GetPolicy"}, delete: []string{"lambda:RemovePermission"},
		},
		{
			types: []string{"aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"}, group: compute, on: functions,
			create: []string{"lambda:PutFunctionEventInvokeConfig"}, read: []string{"lambda:GetFunctionEventInvokeConfig"},
			update: []string{"lambda:UpdateFunctionEventInvokeConfig"}, delete: []string{"lambda:DeleteFunctionEventInvokeConfig"},
		},
		{
			types: []string{"aws:lambda/functionRecursionConfig:FunctionRecursionConfig"}, group: compute, on: functions,
			create: []string{"lambda:PutFunctionRecursionConfig"}, read: []string{"lambda:GetFunctionRecursionConfig"},
		},
		{
			types: []string{"aws:scheduler/scheduleGroup:ScheduleGroup"}, group: compute,
			on:     []string{s.arn("scheduler", "schedule-group/"+s.base()+"-*")},
			create: []string{"scheduler:CreateScheduleGroup"}, read: []string{"scheduler:GetScheduleGroup", "scheduler:ListTagsForResource"},
			delete: []string{"scheduler:DeleteScheduleGroup"},
			tag:    []string{"scheduler:TagResource", "scheduler:UntagResource"},
		},
		{
			types: []string{"aws:scheduler/schedule:Schedule"}, group: compute,
			on:     []string{s.arn("scheduler", "schedule/"+s.base()+"-*")},
			create: []string{"scheduler:CreateSchedule"}, read: []string{"scheduler:GetSchedule"},
			update: []string{"scheduler:UpdateSchedule"}, delete: []string{"scheduler:DeleteSchedule"},
		},
		{
			types: []string{"aws:cloudwatch/logGroup:LogGroup"}, group: compute,
			on:     []string{s.arn("logs", "log-group:/aws/lambda/"+s.base()+"-*")},
			create: []string{"logs:CreateLogGroup"}, read: []string{"logs:ListTagsForResource"},
			update: []string{"logs:DeleteRetentionPolicy", "logs:PutRetentionPolicy"},
			delete: []string{"logs:DeleteLogGroup"},
			tag:    []string{"logs:TagResource", "logs:UntagResource"},
			// CloudWatch Logs asks for the grant on the empty name when groups are listed.
			beside: []Statement{allow("FindLogGroups", []string{"logs:DescribeLogGroups"}, []string{s.arn("logs", "log-group:*")})},
		},
	}
}

func (s scope) messageNeeds() []need {
	topics := []string{s.arn("sns", s.base()+"-*")}
	return []need{
		{
			types: []string{"aws:sqs/queue:Queue"}, group: messages, on: []string{s.arn("sqs", s.base()+"-*")},
			create: []string{"sqs:CreateQueue"}, read: []string{"sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags"},
			update: []string{"sqs:SetQueueAttributes"}, delete: []string{"sqs:DeleteQueue"}, tag: []string{"sqs:TagQueue", "sqs:UntagQueue"},
		},
		{
			types: []string{"aws:sns/topic:Topic", "aws:sns/topicPolicy:TopicPolicy"}, group: messages, on: topics,
			create: []string{"sns:CreateTopic"}, read: []string{"sns:GetTopicAttributes", "sns:ListTagsForResource"},
			update: []string{"sns:SetTopicAttributes"}, delete: []string{"sns:DeleteTopic"}, tag: []string{"sns:TagResource", "sns:UntagResource"},
		},
		{
			types: []string{"aws:sns/topicSubscription:TopicSubscription"}, group: messages, on: topics,
			create: []string{"sns:Subscribe"}, read: []string{"sns:ListSubscriptionsByTopic"},
			beside: []Statement{anywhere("Subscriptions", "SNS has no resource level for subscriptions",
				"sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "sns:Unsubscribe")},
		},
		{
			types: []string{"aws:cloudwatch/metricAlarm:MetricAlarm"}, group: messages, on: []string{s.arn("cloudwatch", "alarm:"+s.base()+"-*")},
			create: []string{"cloudwatch:PutMetricAlarm"}, read: []string{"cloudwatch:ListTagsForResource"},
			delete: []string{"cloudwatch:DeleteAlarms"}, tag: []string{"cloudwatch:TagResource", "cloudwatch:UntagResource"},
			beside: []Statement{allow("FindAlarms", []string{"cloudwatch:DescribeAlarms"}, []string{s.arn("cloudwatch", "alarm:*")})},
		},
		{
			types: []string{"aws:cloudwatch/dashboard:Dashboard"}, group: messages, on: []string{global("cloudwatch", "dashboard/"+s.base())},
			create: []string{"cloudwatch:PutDashboard"}, read: []string{"cloudwatch:GetDashboard"}, delete: []string{"cloudwatch:DeleteDashboards"},
		},
	}
}

func (s scope) catalogNeeds() []need {
	tables := []string{
		s.arn("glue", "catalog"), s.arn("glue", "database/"+s.database()), s.arn("glue", "table/"+s.database()+"/*"),
		s.arn("glue", "userDefinedFunction/"+s.database()+"/*"), // deleting a database takes those of all that may be in it
	}
	workgroup := []string{s.arn("athena", "workgroup/"+s.base())}
	return []need{
		{
			types: []string{"aws:glue/catalogDatabase:CatalogDatabase"}, group: catalog, on: tables,
			create: []string{"glue:CreateDatabase"}, read: []string{"glue:GetDatabase", "glue:GetTags"},
			update: []string{"glue:UpdateDatabase"}, delete: []string{"glue:DeleteDatabase"}, tag: []string{"glue:TagResource", "glue:UntagResource"},
		},
		{
			types: []string{"aws:glue/catalogTable:CatalogTable"}, group: catalog, on: tables,
			create: []string{"glue:CreateTable"}, read: []string{"glue:GetPartitionIndexes", "glue:GetTable"},
			update: []string{"glue:UpdateTable"}, delete: []string{"glue:DeleteTable"},
		},
		{
			types: []string{"aws:athena/workgroup:Workgroup"}, group: catalog, on: workgroup,
			create: []string{"athena:CreateWorkGroup"}, read: []string{"athena:GetWorkGroup", "athena:ListTagsForResource"},
			update: []string{"athena:UpdateWorkGroup"}, delete: []string{"athena:DeleteWorkGroup"},
			tag: []string{"athena:TagResource", "athena:UntagResource"},
		},
		{
			types: []string{"aws:athena/namedQuery:NamedQuery"}, group: catalog, on: workgroup,
			create: []string{"athena:CreateNamedQuery"}, read: []string{"athena:GetNamedQuery"},
			update: []string{"athena:UpdateNamedQuery"}, delete: []string{"athena:DeleteNamedQuery"},
		},
	}
}

func (s scope) identityNeeds() []need {
	roles := []string{global("iam", "role/"+s.base()+"-*")}
	bounded := Condition{"StringEquals": {"iam:PermissionsBoundary": s.boundary()}}
	return []need{
		{
			types: []string{"aws:iam/role:Role"}, group: identity, on: roles,
			read:   []string{"iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies"},
			update: []string{"iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription"},
			delete: []string{"iam:DeleteRole"},
			tag:    []string{"iam:TagRole", "iam:UntagRole"},
			beside: []Statement{
				allow("RolesUnderTheBoundary", []string{"iam:CreateRole", "iam:PutRolePermissionsBoundary"}, roles, bounded),
				allow("PassRoles", []string{"iam:PassRole"}, roles, Condition{"StringEquals": {
					"iam:PassedToService": []string{"lambda.amazonaws.com", "scheduler.amazonaws.com"},
				}}),
			},
		},
		{
			types: []string{"aws:iam/rolePolicy:RolePolicy"}, group: identity, on: roles,
			read: []string{"iam:GetRolePolicy"}, delete: []string{"iam:DeleteRolePolicy"},
			beside: []Statement{allow("PoliciesUnderTheBoundary", []string{"iam:PutRolePolicy"}, roles, bounded)},
		},
		{
			types: []string{"aws:iam/policy:Policy"}, group: identity, on: []string{global("iam", "policy/"+s.base()+"-*")},
			create: []string{"iam:CreatePolicy"}, read: []string{"iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions"},
			update: []string{"iam:CreatePolicyVersion", "iam:DeletePolicyVersion"}, delete: []string{"iam:DeletePolicy"},
			tag: []string{"iam:TagPolicy", "iam:UntagPolicy"},
		},
	}
}

// quickSightNeeds are granted on request alone: a policy for the account's QuickSight role is under no boundary.
func (s scope) quickSightNeeds() []need {
	return []need{
		{
			types: []string{"aws:iam/rolePolicyAttachment:RolePolicyAttachment"}, group: quickSight,
			on:     []string{global("iam", "role/service-role/aws-quicksight-*")},
			create: []string{"iam:AttachRolePolicy"}, delete: []string{"iam:DetachRolePolicy"},
			condition: Condition{"ArnLike": {"iam:PolicyARN": global("iam", "policy/"+s.base()+"-*")}},
			beside:    []Statement{allow("SeeQuickSightRole", []string{"iam:ListAttachedRolePolicies"}, []string{global("iam", "role/service-role/aws-quicksight-*")})},
		},
		{
			types: []string{"aws:quicksight/dataSource:DataSource"}, group: quickSight, on: []string{s.arn("quicksight", "datasource/"+s.base())},
			create: []string{"quicksight:CreateDataSource", "quicksight:PassDataSource"},
			read:   []string{"quicksight:DescribeDataSource", "quicksight:DescribeDataSourcePermissions", "quicksight:ListTagsForResource"},
			update: []string{"quicksight:UpdateDataSource", "quicksight:UpdateDataSourcePermissions"}, delete: []string{"quicksight:DeleteDataSource"},
			tag: []string{"quicksight:TagResource", "quicksight:UntagResource"},
		},
		{
			types: []string{"aws:quicksight/dataSet:DataSet", "aws:quicksight/refreshSchedule:RefreshSchedule"}, group: quickSight,
			on:     []string{s.arn("quicksight", "dataset/"+s.base()+"-*")},
			create: []string{"quicksight:CreateDataSet", "quicksight:CreateRefreshSchedule", "quicksight:PassDataSet"},
			read: []string{
				"quicksight:DescribeDataSet", "quicksight:DescribeDataSetPermissions", "quicksight:DescribeDataSetRefreshProperties",
				"quicksight:DescribeRefreshSchedule", "quicksight:ListTagsForResource",
			},
			update: []string{"quicksight:UpdateDataSet", "quicksight:UpdateDataSetPermissions", "quicksight:UpdateRefreshSchedule"},
			delete: []string{"quicksight:DeleteDataSet", "quicksight:DeleteRefreshSchedule"},
			tag:    []string{"quicksight:TagResource", "quicksight:UntagResource"},
		},
	}
}
