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

// listing allows to list below key patterns only.
func listing(patterns ...string) component.Condition {
	return component.Condition{"StringLike": {"s3:prefix": patterns}}
}

// ingestGrants are the calls of the ingest function. secretARN is empty for a source that asks for no secret.
func ingestGrants(n names, c *contract.Contract, keyARN, secretARN string) []component.Grant {
	p, raw, lake := n.place, n.bucket(rawBucket), n.bucket(lakeBucket)
	pages := []string{p.ObjectARN(raw, zone.RawPrefix(c.Dataset)+"*")}
	rows := []string{p.ObjectARN(lake, auditRows(c.Dataset))}
	grants := []component.Grant{
		{
			Class: component.Called, Name: "PutRaw", Actions: []string{"s3:PutObject"}, Resources: pages,
			Why: "pages and manifest, once each",
		},
		{
			Class: component.Called, Name: "GetRaw", Actions: []string{"s3:GetObject"}, Resources: pages,
			Why: "a run that was begun goes on behind its last stored page",
		},
		{
			Class: component.Called, Name: "ListRaw", Actions: []string{"s3:ListBucket"}, Resources: []string{p.BucketARN(raw)},
			Why: "which pages and runs are there; without a condition on the prefix, so that a missing key is 404 and not 403",
		},
		{
			Class: component.Called, Name: "GetAudit", Actions: []string{"s3:GetObject"}, Resources: rows,
			Why: "which runs are not done",
		},
		{
			Class: component.Called, Name: "ListAudit", Actions: []string{"s3:ListBucket"}, Resources: []string{p.BucketARN(lake)},
			Condition: listing(auditRows(c.Dataset)),
			Why:       "which runs were never processed",
		},
	}
	if c.Source.Cursor != nil {
		grants = append(grants, component.Grant{
			Class: component.Called, Name: "KeepState", Actions: []string{"s3:GetObject", "s3:PutObject"},
			Resources: []string{p.ObjectARN(raw, zone.StateKey(c.Dataset))},
			Why:       "where the cursor stands; replaced with If-Match",
		})
	}
	grants = append(grants, component.Encrypt(p, "UseDataKey", keyARN, "s3"))
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
			Why:       "manifest and pages, by version",
		},
		{
			Class: component.Answer, Name: "MissingRaw", Actions: []string{"s3:ListBucket"}, Resources: []string{p.BucketARN(raw)},
			Why: "a page that is gone is 404 and makes the run unreadable; 403 would be retried",
		},
		{
			Class: component.Called, Name: "WriteFiles", Actions: []string{"s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"}, Resources: files,
			Why: "Parquet and rejects; uploads that come to nothing are aborted, files of a former run that a replay no longer makes are deleted",
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
