package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumix"

	"tributary/infra/component"
	"tributary/shared/contract"
	"tributary/shared/zone"
)

// declareAccess declares what people may be allowed to do with the stack as a whole. Nobody has these policies until
// somebody attaches them; they name patterns, so that a new dataset changes none of them.
func (s *shared) declareAccess(ctx *pulumi.Context, p program, _ []*contract.Contract) error {
	for _, a := range []struct {
		name, description string
		grants            func(n names, keyARN string) []component.Grant
		into              *pulumi.StringOutput
	}{
		{"reader", "Query the lake of " + p.base + " with Athena", readerGrants, &s.readerPolicy},
		{"rejects-reader", "Query the rejects of " + p.base + " as well, which hold records unmasked: attach beside the reader's", rejectsReaderGrants, &s.rejectsPolicy},
		{"operator", "Replay, redrive, upload, set secrets and look at runs of " + p.base, operatorGrants, &s.operatorPolicy},
	} {
		access, err := component.NewAccess(ctx, a.name, component.AccessArgs{
			Policy: p.base + "-" + a.name, Description: a.description,
			Grants: pulumix.Apply(s.dataKey.Arn, func(key string) []component.Grant { return a.grants(p.names, key) }),
		}, p.inAWS)
		if err != nil {
			return err
		}
		*a.into = access.Arn
	}
	return nil
}

// readerGrants are what a query on the lake takes. Athena reads, decrypts and writes results in the caller's name.
func readerGrants(n names, keyARN string) []component.Grant {
	p, lake, results := n.place, n.bucket(lakeBucket), n.bucket(resultsBucket)
	return []component.Grant{
		{
			Class: component.Called, Name: "RunQueries",
			Actions: []string{
				"athena:BatchGetNamedQuery", "athena:GetNamedQuery", "athena:GetQueryExecution", "athena:GetQueryResults", "athena:GetWorkGroup",
				"athena:ListNamedQueries", "athena:StartQueryExecution", "athena:StopQueryExecution",
			},
			Resources: []string{p.AthenaARN("workgroup/" + n.workgroup())}, Why: "only in the workgroup that limits scans and encrypts results",
		},
		{
			Class: component.Called, Name: "SeeCatalog", Actions: []string{"athena:GetDataCatalog"},
			Resources: []string{p.AthenaARN("datacatalog/AwsDataCatalog")}, Why: "clients ask for the catalog before its databases",
		},
		{
			Class: component.Behalf, Name: "ReadTables",
			Actions: []string{"glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable", "glue:GetTables"},
			Resources: []string{
				p.GlueARN("catalog"), p.GlueARN("database/default"), p.GlueARN("database/" + n.database()), p.GlueARN("table/" + n.database() + "/*"),
			},
			Why: "Athena looks up tables; it asks for the database default in any case",
		},
		{
			Class: component.Behalf, Name: "ReadLake", Actions: []string{"s3:GetObject"}, Resources: []string{p.ObjectARN(lake, "*")},
			Why: "Athena reads the files",
		},
		{
			Class: component.Behalf, Name: "ListLake", Actions: []string{"s3:GetBucketLocation", "s3:ListBucket"}, Resources: []string{p.BucketARN(lake)},
			Why: "Athena finds the files",
		},
		{
			Class: component.Behalf, Name: "KeepResults",
			Actions:   []string{"s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"},
			Resources: []string{p.ObjectARN(results, "*")}, Why: "Athena writes results and reads them back",
		},
		{
			Class: component.Behalf, Name: "ListResults", Actions: []string{"s3:GetBucketLocation", "s3:ListBucket"}, Resources: []string{p.BucketARN(results)},
			Why: "Athena checks the place for results",
		},
		component.Encrypt(p, "UseDataKey", keyARN, "s3"),
	}
}

// rejectsReaderGrants are apart from the reader's: rejects hold what a contract masks everywhere else.
func rejectsReaderGrants(n names, keyARN string) []component.Grant {
	p, rejects := n.place, n.bucket(rejectsBucket)
	return []component.Grant{
		{
			Class: component.Behalf, Name: "ReadRejects", Actions: []string{"s3:GetObject"}, Resources: []string{p.ObjectARN(rejects, "*")},
			Why: "Athena reads the files",
		},
		{
			Class: component.Behalf, Name: "ListRejects", Actions: []string{"s3:GetBucketLocation", "s3:ListBucket"}, Resources: []string{p.BucketARN(rejects)},
			Why: "Athena finds the files",
		},
		component.Decrypt(p, "OpenRejects", keyARN, "s3"),
	}
}

// operatorGrants are what keeping the stack running takes: looking, starting functions again, emptying queues, setting
// secrets. Raw bytes can be added and never changed, which the bucket sees to.
func operatorGrants(n names, keyARN string) []component.Grant {
	p, raw := n.place, n.bucket(rawBucket)
	return []component.Grant{
		{
			Class: component.Called, Name: "StartFunctions", Actions: []string{"lambda:InvokeFunction"},
			Resources: []string{p.FunctionARN(n.function(ingestFunction, "*")), p.FunctionARN(n.function(processFunction, "*"))},
			Why:       "replay, redrive and backfill call the functions again",
		},
		{
			Class: component.Called, Name: "EmptyQueues",
			Actions: []string{"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"},
			Resources: []string{
				p.QueueARN(component.FailuresName(n.function(ingestFunction, "*"))), p.QueueARN(component.FailuresName(n.function(processFunction, "*"))),
				p.QueueARN(component.UndeliveredName(n.schedule("*"))),
			},
			Why: "redrive takes events out of the failure queues",
		},
		{
			Class: component.Called, Name: "AddRaw", Actions: []string{"s3:PutObject"}, Resources: []string{p.ObjectARN(raw, zone.RawRoot+"*")},
			Why: "a file brought by hand becomes a run",
		},
		{
			Class: component.Called, Name: "ReadRuns", Actions: []string{"s3:GetObject"},
			Resources: []string{
				p.ObjectARN(raw, "*"), p.ObjectARN(n.bucket(lakeBucket), zone.AuditPrefix+"*"), p.ObjectARN(n.bucket(rejectsBucket), "*"),
			},
			Why: "status reads manifests and audit rows, rejects are shown with their reasons",
		},
		{
			Class: component.Called, Name: "ListRuns", Actions: []string{"s3:ListBucket"},
			Resources: []string{p.BucketARN(raw), p.BucketARN(n.bucket(lakeBucket)), p.BucketARN(n.bucket(rejectsBucket))},
			Why:       "status finds runs",
		},
		{
			Class: component.Called, Name: "SetSecrets", Actions: []string{"secretsmanager:PutSecretValue"},
			Resources: []string{p.SecretARN(n.secret("*"))}, Why: "API keys are set by hand; nobody but the ingest function reads them",
		},
		{
			Class: component.Called, Name: "ReadLogs", Actions: []string{"logs:FilterLogEvents"},
			Resources: []string{
				p.LogGroupARN(component.LogGroupName(n.function(ingestFunction, "*"))) + ":*", p.LogGroupARN(component.LogGroupName(n.function(processFunction, "*"))) + ":*",
			},
			Why: "why a function failed",
		},
		component.Encrypt(p, "UseDataKey", keyARN, "s3"),
		component.Encrypt(p, "SealSecrets", keyARN, "secretsmanager"),
	}
}

// applicationGrants let a program read a serving table.
func applicationGrants(n names, c *contract.Contract) []component.Grant {
	return []component.Grant{{
		Class: component.Called, Name: "ReadItems",
		Actions:   []string{"dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:Query"},
		Resources: []string{n.place.TableARN(n.serving(c.Table))}, Why: "items by key; no scans, which cost the whole table",
	}}
}
