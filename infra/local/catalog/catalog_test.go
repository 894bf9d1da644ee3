package catalog_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/catalog"
	"tributary/infra/local/monitor"
)

func TestEveryTypeSaysWhatItDoes(t *testing.T) {
	for _, token := range catalog.Tokens() {
		kind, _ := catalog.Lookup(token)
		if kind.Does == "" || kind.Kind == "" {
			t.Errorf("%s: %+v", token, kind)
		}
	}
}

func TestCreate(t *testing.T) {
	p := &catalog.Provider{Account: "000000000000", Region: "us-east-1"}
	provider := monitor.Resource{URN: "urn:provider", Type: "pulumi:providers:aws", Name: "aws", Inputs: map[string]any{"region": "eu-west-3"}}
	id, _, err := p.Create(t.Context(), provider)
	if err != nil {
		t.Fatal(err)
	}
	type m = map[string]any
	for _, test := range []struct {
		token  string
		inputs m
		id     string
		want   m
	}{
		{"aws:s3/bucketV2:BucketV2", m{"bucket": "raw"}, "raw", m{"bucket": "raw", "arn": "arn:aws:s3:::raw", "region": "eu-west-3", "bucketDomainName": "raw.s3.amazonaws.com", "bucketRegionalDomainName": "raw.s3.eu-west-3.amazonaws.com"}},
		{"aws:s3/bucketPolicy:BucketPolicy", m{"bucket": "raw"}, "raw", m{}},
		{"aws:iam/role:Role", m{"path": "/x/"}, "", nil},
		{"aws:sqs/queue:Queue", m{"name": "q"}, "https://sqs.eu-west-3.amazonaws.com/000000000000/q", m{"name": "q", "arn": "arn:aws:sqs:eu-west-3:000000000000:q", "url": "https://sqs.eu-west-3.amazonaws.com/000000000000/q"}},
		{"aws:scheduler/schedule:Schedule", m{"name": "s", "groupName": "g"}, "g/s", m{"name": "s", "groupName": "g", "arn": "arn:aws:scheduler:eu-west-3:000000000000:schedule/g/s"}},
		{"aws:cloudwatch/logGroup:LogGroup", m{"name": "/aws/lambda/f"}, "/aws/lambda/f", m{"name": "/aws/lambda/f", "arn": "arn:aws:logs:eu-west-3:000000000000:log-group:/aws/lambda/f"}},
		{"aws:glue/catalogTable:CatalogTable", m{"name": "t", "databaseName": "d"}, "000000000000:d:t", m{"name": "t", "arn": "arn:aws:glue:eu-west-3:000000000000:table/d/t", "catalogId": "000000000000"}},
		{"aws:dynamodb/table:Table", m{"name": "t"}, "t", m{"name": "t", "arn": "arn:aws:dynamodb:eu-west-3:000000000000:table/t"}},
	} {
		t.Run(test.token, func(t *testing.T) {
			r := monitor.Resource{URN: "urn:trial", Type: test.token, Name: "trial", Inputs: test.inputs, Provider: "urn:provider::" + id, Custom: true}
			got, outputs, err := p.Create(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if test.want == nil { // a made-up name: the same in every run
				again, _, _ := p.Create(t.Context(), r)
				if got != again || !strings.HasPrefix(got, "trial-") || outputs["arn"] != "arn:aws:iam::000000000000:role/x/"+got {
					t.Errorf("id %s, then %s, %v", got, again, outputs)
				}
				return
			}
			if diff := cmp.Diff(test.want, outputs); diff != "" || got != test.id {
				t.Errorf("id %s, outputs %s", got, diff)
			}
		})
	}
	if _, _, err := p.Create(t.Context(), monitor.Resource{Type: "aws:ec2/eip:Eip"}); err == nil || !strings.Contains(err.Error(), "aws:ec2/eip:Eip is not known here") {
		t.Errorf("unknown type: %v", err)
	}
}

func TestInvoke(t *testing.T) {
	p := &catalog.Provider{Account: "000000000000", Region: "us-east-1"}
	for token, want := range map[string]string{"aws:index/getCallerIdentity:getCallerIdentity": "000000000000", "aws:index/getRegion:getRegion": "us-east-1", "aws:index/getPartition:getPartition": "aws"} {
		got, err := p.Invoke(t.Context(), token, "", nil)
		if err != nil || got["id"] != want {
			t.Errorf("%s: %v, %v", token, got, err)
		}
	}
	if _, err := p.Invoke(t.Context(), "aws:iam/getRole:getRole", "", nil); err == nil {
		t.Error("an unknown function was answered")
	}
}
