package stack

import (
	"fmt"

	"tributary/infra/component"
	"tributary/shared/contract"
	"tributary/shared/zone"
)

// auditRows matches the keys of a dataset's audit rows. A dataset's name has no hyphen, so coin does not match
// coin_markets.
func auditRows(dataset string) string { return fmt.Sprintf("%sdt=*/%s-*", zone.AuditPrefix, dataset) }

// missing turns 403 into 404 for keys that are not there. It cannot be narrowed by s3:prefix: that key is absent when
// S3 decides what to answer a GetObject.
func missing(p component.Place, name, why string, buckets ...string) component.Grant {
	g := component.Grant{Class: component.Answer, Name: name, Actions: []string{"s3:ListBucket"}, Why: why}
	for _, bucket := range buckets {
		g.Resources = append(g.Resources, p.BucketARN(bucket))
	}
	return g
}

// ingestGrants are the calls of the ingest function. secretARN is empty for a source that asks for no secret.
func ingestGrants(n names, c *contract.Contract, keyARN, secretARN string) []component.Grant {
	p, raw, lake := n.place, n.bucket(rawBucket), n.bucket(lakeBucket)
	pages := []string{p.ObjectARN(raw, zone.RawPrefix(c.Dataset)+"*")}
	grants := []component.Grant{
		{
			Class: component.Called, Name: "PutRaw", Actions: []string{"s3:PutObject"}, Resources: pages,
			Why: "pages and manifest, once each",
		},
		{
			Class: component.Called, Name: "HeadRaw", Actions: []string{"s3:GetObject"}, Resources: pages,
			Why: "a run that was begun goes on behind its last stored page",
		},
		{
			Class: component.Called, Name: "ListRuns", Actions: []string{"s3:ListBucket"}, Resources: []string{p.BucketARN(raw), p.BucketARN(lake)},
			Why: "which earlier runs lack a manifest or an audit row; without a condition on the prefix, so that what is not there yet is 404 and not 403",
		},
		{
			Class: component.Called, Name: "ReadAudit", Actions: []string{"s3:GetObject"}, Resources: []string{p.ObjectARN(lake, auditRows(c.Dataset))},
			Why: "which earlier runs are not done",
		},
		{
			Class: component.Called, Name: "StartProcess", Actions: []string{"lambda:InvokeFunction"},
			Resources: []string{p.FunctionARN(n.function(processFunction, c.Dataset))},
			Why:       "an earlier run whose event was lost is processed after all",
		},
		component.Encrypt(p, "UseDataKey", keyARN, "s3"),
	}
	if c.Source.Cursor != nil {
		grants = append(grants, component.Grant{
			Class: component.Called, Name: "KeepCursor", Actions: []string{"s3:GetObject", "s3:PutObject"},
			Resources: []string{p.ObjectARN(raw, zone.StateKey(c.Dataset))},
			Why:       "where the next run of an incremental source starts",
		})
	}
	if secretARN != "" {
		grants = append(grants,
			component.Grant{
				Class: component.Called, Name: "GetSecret", Actions: []string{"secretsmanager:GetSecretValue"}, Resources: []string{secretARN},
				Why: "the source's API key",
			},
			component.Decrypt(p, "OpenSecret", keyARN, "secretsmanager"),
		)
	}
	return grants
}

// processGrants are the calls of the process function.
func processGrants(n names, c *contract.Contract, keyARN, alertKeyARN string) []component.Grant {
	p, raw, lake, rejects := n.place, n.bucket(rawBucket), n.bucket(lakeBucket), n.bucket(rejectsBucket)
	files := []string{
		p.ObjectARN(lake, zone.LakePrefix(c.Table)+"*"),
		p.ObjectARN(rejects, zone.RejectsPrefix(c.Dataset)+"*"),
	}
	rows := []string{p.ObjectARN(lake, auditRows(c.Dataset))}
	grants := []component.Grant{
		{
			Class: component.Called, Name: "GetRaw", Actions: []string{"s3:GetObject", "s3:GetObjectVersion"},
			Resources: []string{p.ObjectARN(raw, zone.RawPrefix(c.Dataset)+"*")},
			Why:       "manifest and pages, by version where the event or the manifest names one",
		},
		missing(p, "MissingRaw", "a page that is gone is 404 and makes the run unreadable; 403 would be retried", raw),
		{
			Class: component.Called, Name: "WriteFiles", Actions: []string{"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"}, Resources: files,
			Why: "Parquet and rejects; uploads that come to nothing are aborted, files that a replay no longer makes are deleted; with If-Match both writing and deleting take GetObject",
		},
		{
			Class: component.Called, Name: "ListFiles", Actions: []string{"s3:ListBucket"}, Resources: []string{p.BucketARN(lake), p.BucketARN(rejects)},
			Why: "which files a former run made; without a condition on the prefix, so that a missing audit row is 404 and not 403",
		},
		{
			Class: component.Called, Name: "KeepAudit", Actions: []string{"s3:GetObject", "s3:PutObject"}, Resources: rows,
			Why: "the run's audit row",
		},
		component.Encrypt(p, "UseDataKey", keyARN, "s3"),
	}
	if c.Serving != nil {
		grants = append(grants, component.Grant{
			Class: component.Called, Name: "PutItems", Actions: []string{"dynamodb:PutItem"}, Resources: []string{p.TableARN(n.serving(c.Table))},
			Why: "the newest record per key",
		})
	}
	return append(grants,
		component.Grant{
			Class: component.Called, Name: "PublishAlert", Actions: []string{"sns:Publish"}, Resources: []string{p.TopicARN(n.topic())},
			Why: "one alert per run that has something to say",
		},
		component.Encrypt(p, "UseAlertKey", alertKeyARN, "sns"),
	)
}

// rawBucketInvokes lets the raw bucket start the process function; with the account beside the bucket's ARN, because
// somebody else could take the name of a bucket that was deleted.
func rawBucketInvokes(n names, dataset string) component.Statement {
	return component.Statement{
		Sid: "RawBucketInvokes", Effect: component.Allow, Principal: &component.Principal{Service: "s3.amazonaws.com"},
		Action: []string{"lambda:InvokeFunction"}, Resource: []string{n.place.FunctionARN(n.function(processFunction, dataset))},
		Condition: component.Condition{
			"StringEquals": {"aws:SourceAccount": {n.place.Account}},
			"ArnLike":      {"aws:SourceArn": {n.place.BucketARN(n.bucket(rawBucket))}},
		},
		Why: "a manifest that was written starts processing",
	}
}
