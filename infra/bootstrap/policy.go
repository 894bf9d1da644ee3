package bootstrap

import (
	"cmp"
	"fmt"
	"slices"
)

// boundary is what roles of a stack can do at most: what its functions, its schedules and the people of its managed
// policies do, on everything of the stack. What one of them may is in its own policy.
func (s scope) boundaryDocument() Document {
	buckets, functions := s.base()+"-*", s.arn("lambda", "function:"+s.base()+"-*")
	return document(
		allow("Objects", []string{
			"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetBucketLocation", "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket",
			"s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts", "s3:PutObject",
		}, []string{bucket(buckets), bucket(buckets + "/*")}),
		// By service and not by tag: a new key's tags may take minutes to be seen, and the first run comes at once.
		allow("Keys", []string{"kms:Decrypt", "kms:GenerateDataKey"}, []string{s.arn("kms", "key/*")}, s.via("s3", "secretsmanager", "sns")),
		allow("Items", []string{"dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"},
			[]string{s.arn("dynamodb", "table/"+s.base()+"-*")}),
		allow("Secrets", []string{"secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"},
			[]string{s.arn("secretsmanager", "secret:"+s.base()+"/*")}),
		allow("Functions", []string{"lambda:InvokeFunction"}, []string{functions}),
		allow("Messages", []string{
			"sns:Publish", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage", "sqs:SendMessage",
		}, []string{s.arn("sns", s.base()+"-*"), s.arn("sqs", s.base()+"-*")}),
		allow("Logs", []string{"logs:CreateLogStream", "logs:FilterLogEvents", "logs:PutLogEvents"},
			[]string{s.arn("logs", "log-group:/aws/lambda/"+s.base()+"-*")}),
		anywhere("Traces", "X-Ray has no resource to name", "xray:PutTelemetryRecords", "xray:PutTraceSegments"),
		allow("Queries", []string{
			"athena:BatchGetNamedQuery", "athena:BatchGetQueryExecution", "athena:GetDataCatalog", "athena:GetNamedQuery", "athena:GetQueryExecution",
			"athena:GetQueryResults", "athena:GetQueryResultsStream", "athena:GetWorkGroup", "athena:ListNamedQueries", "athena:StartQueryExecution",
			"athena:StopQueryExecution",
		}, []string{s.arn("athena", "workgroup/"+s.base()), s.arn("athena", "datacatalog/AwsDataCatalog")}),
		allow("Tables", []string{"glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable", "glue:GetTables"}, []string{
			s.arn("glue", "catalog"), s.arn("glue", "database/default"), s.arn("glue", "database/"+s.database()), s.arn("glue", "table/"+s.database()+"/*"),
		}),
	)
}

// BoundaryText is the boundary of a stack in an account.
func BoundaryText(project string, stack Stack, partition, account string) string {
	return scope{project, stack}.boundaryDocument().Text(partition, account)
}

// deployDocument is what a deployment may do to the types of one group.
func (s scope) deployDocument(g group) Document {
	var statements []Statement
	for _, n := range s.needs() {
		if n.group == g {
			statements = append(statements, n.statements(s.stack.Protect)...)
		}
	}
	return document(merged(statements)...)
}

// merged joins statements on the same resources under no condition: a policy has no room to repeat them.
func merged(statements []Statement) []Statement {
	var kept []Statement
	for _, s := range statements {
		i := slices.IndexFunc(kept, func(k Statement) bool {
			return slices.Equal(k.Resource, s.Resource) && len(k.Condition) == 0 && len(s.Condition) == 0
		})
		if i < 0 {
			kept = append(kept, s)
			continue
		}
		why := cmp.Or(kept[i].Why, s.Why)
		kept[i] = allow(kept[i].Sid, slices.Concat(kept[i].Action, s.Action), s.Resource)
		kept[i].Why = why
	}
	return kept
}

// smokeStatements are what `ops:smoke` does after a deployment: it starts a run and reads back what the run left, a row of
// the lake and an item of the serving table, which operators do not see.
func (s scope) smokeStatements() []Statement {
	raw, lake := bucket(s.base()+"-raw-*"), bucket(s.base()+"-lake-*")
	return []Statement{
		allow("SmokeRun", []string{"lambda:InvokeFunction"}, []string{s.arn("lambda", "function:"+s.base()+"-ingest-*")}),
		allow("SmokeFind", []string{"s3:ListBucket"}, []string{raw, lake}),
		allow("SmokeRead", []string{"s3:GetObject"}, []string{lake + "/*"}),
		allow("SmokeKey", []string{"kms:Decrypt"}, []string{s.arn("kms", "key/*")}, s.tagged(), s.via("s3")),
		allow("SmokeItem", []string{"dynamodb:GetItem"}, []string{s.arn("dynamodb", "table/"+s.base()+"-*")}),
	}
}

// SmokeText is what a deployment of a stack may do in an account to try it.
func SmokeText(project string, stack Stack, partition, account string) string {
	return document(scope{project, stack}.smokeStatements()...).Text(partition, account)
}

// stateStatements open the state of stacks, for previews, which take no lock. Paths are those of Pulumi's own backends.
func (p Project) stateStatements(stacks ...string) []Statement {
	return []Statement{
		allow("FindState", []string{"s3:GetBucketLocation", "s3:ListBucket"}, []string{stateBucket}),
		allow("ReadState", []string{"s3:GetObject"}, append(p.state(stacks, "stacks/%s.*", "history/%s/*", "locks/organization/%s/*"), stateBucket+"/.pulumi/meta.yaml")),
		allow("OpenState", []string{"kms:Decrypt"}, []string{stateKey}, throughS3),
		// The data key of a stack's secrets, by the encryption context that `pulumi stack init` was given.
		allow("OpenSecrets", []string{"kms:Decrypt"}, []string{stateKey}, Condition{"StringEquals": {"kms:EncryptionContext:stack": stacks}}),
	}
}

// writeStateStatements are what a deployment of a stack takes beside: its own state, history, backups and lock.
func (p Project) writeStateStatements(stack string) []Statement {
	return []Statement{
		allow("WriteState", []string{"s3:DeleteObject", "s3:PutObject"},
			p.state([]string{stack}, "stacks/%s.*", "history/%s/*", "backups/%s/*", "locks/organization/%s/*")),
		allow("SealState", []string{"kms:GenerateDataKey"}, []string{stateKey}, throughS3),
	}
}

const (
	stateBucket = "${StateBucket.Arn}"
	stateKey    = "${Key.Arn}"
)

var throughS3 = Condition{"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}

// state are the ARNs of what lies at paths of stacks.
func (p Project) state(stacks []string, paths ...string) []string {
	var arns []string
	for _, stack := range stacks {
		for _, path := range paths {
			arns = append(arns, stateBucket+"/.pulumi/"+fmt.Sprintf(path, p.Name+"/"+stack))
		}
	}
	return arns
}

// trust lets GitHub's tokens of exactly these subjects take a role.
func trust(provider any, subjects any) Document {
	return document(Statement{
		Sid: "GitHubTakesRole", Effect: "Allow", Principal: map[string]any{"Federated": provider}, Action: []string{"sts:AssumeRoleWithWebIdentity"},
		Condition: Condition{"StringEquals": {issuer + ":aud": audience, issuer + ":sub": subjects}},
	})
}

const (
	issuer   = "token.actions.githubusercontent.com"
	audience = "sts.amazonaws.com"
)
