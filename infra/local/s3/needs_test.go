package s3_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/infra/local/s3"
)

func TestNeeds(t *testing.T) {
	const bucketKey = "arn:aws:kms:eu-west-3:000000000000:key/1"
	s := newService(t)
	if err := s.store.CreateBucket("locked"); err != nil {
		t.Fatal(err)
	}
	if err := s.store.SetEncryption("locked", bucketKey, true); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{bucket, "locked"} {
		if _, err := s.store.Put(name, "a", nil, nil, s3.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name, request, body string
		header              http.Header
		want                string // action resource and condition keys, in order
	}{
		{"get", "GET /trial-raw/a", "", nil, "s3:GetObject arn:aws:s3:::trial-raw/a"},
		{"head", "HEAD /trial-raw/a", "", nil, "s3:GetObject arn:aws:s3:::trial-raw/a"},
		{"a missing key is told only to whom may list", "GET /trial-raw/none", "", nil, "s3:GetObject arn:aws:s3:::trial-raw/none, s3:ListBucket arn:aws:s3:::trial-raw"},
		{"a version is another action", "GET /locked/a?versionId=1", "", nil, "s3:GetObjectVersion arn:aws:s3:::locked/a [s3:versionid=1], s3:ListBucket arn:aws:s3:::locked"},
		{"get with a key", "GET /locked/a", "", nil, "s3:GetObject arn:aws:s3:::locked/a, kms:Decrypt " + bucketKey},
		{"put", "PUT /trial-raw/b%20c", "", nil, "s3:PutObject arn:aws:s3:::trial-raw/b c [s3:objectcreationoperation=true]"},
		{"put if absent", "PUT /trial-raw/b", "", http.Header{"If-None-Match": {"*"}}, "s3:PutObject arn:aws:s3:::trial-raw/b [s3:if-none-match=* s3:objectcreationoperation=true]"},
		{"put if it matches reads too", "PUT /trial-raw/b", "", http.Header{"If-Match": {"x"}}, "s3:PutObject arn:aws:s3:::trial-raw/b [s3:if-match=x s3:objectcreationoperation=true], s3:GetObject arn:aws:s3:::trial-raw/b"},
		{"put with a key", "PUT /locked/b", "", nil, "s3:PutObject arn:aws:s3:::locked/b [s3:objectcreationoperation=true], kms:GenerateDataKey " + bucketKey},
		{"start of an upload", "POST /locked/b?uploads", "", nil, "s3:PutObject arn:aws:s3:::locked/b [s3:objectcreationoperation=false], kms:GenerateDataKey " + bucketKey + ", kms:Decrypt " + bucketKey},
		{"part", "PUT /trial-raw/b?uploadId=1&partNumber=1", "", nil, "s3:PutObject arn:aws:s3:::trial-raw/b [s3:objectcreationoperation=false]"},
		{"completion", "POST /trial-raw/b?uploadId=1", "", http.Header{"If-None-Match": {"*"}}, "s3:PutObject arn:aws:s3:::trial-raw/b [s3:if-none-match=* s3:objectcreationoperation=true]"},
		{"abort", "DELETE /trial-raw/b?uploadId=1", "", nil, "s3:AbortMultipartUpload arn:aws:s3:::trial-raw/b"},
		{"parts", "GET /trial-raw/b?uploadId=1", "", nil, "s3:ListMultipartUploadParts arn:aws:s3:::trial-raw/b"},
		{"uploads", "GET /trial-raw?uploads", "", nil, "s3:ListBucketMultipartUploads arn:aws:s3:::trial-raw"},
		{"copy", "PUT /trial-raw/b", "", http.Header{"X-Amz-Copy-Source": {"/locked/a"}}, "s3:PutObject arn:aws:s3:::trial-raw/b [s3:objectcreationoperation=true], s3:GetObject arn:aws:s3:::locked/a"},
		{"delete", "DELETE /trial-raw/a", "", nil, "s3:DeleteObject arn:aws:s3:::trial-raw/a"},
		{"delete if it matches reads too", "DELETE /trial-raw/a", "", http.Header{"If-Match": {"x"}}, "s3:DeleteObject arn:aws:s3:::trial-raw/a [s3:if-match=x], s3:GetObject arn:aws:s3:::trial-raw/a"},
		{"delete a version", "DELETE /trial-raw/a?versionId=1", "", nil, "s3:DeleteObjectVersion arn:aws:s3:::trial-raw/a [s3:versionid=1]"},
		{"delete several", "POST /trial-raw?delete", "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key><VersionId>1</VersionId></Object></Delete>", nil, "s3:DeleteObject arn:aws:s3:::trial-raw/a, s3:DeleteObjectVersion arn:aws:s3:::trial-raw/b"},
		{"list", "GET /trial-raw?list-type=2&prefix=raw/&max-keys=5&delimiter=/", "", nil, "s3:ListBucket arn:aws:s3:::trial-raw [s3:delimiter=/ s3:max-keys=5 s3:prefix=raw/]"},
		{"versions", "GET /trial-raw?versions&prefix=", "", nil, "s3:ListBucketVersions arn:aws:s3:::trial-raw [s3:prefix=]"},
		{"location", "GET /trial-raw?location", "", nil, "s3:GetBucketLocation arn:aws:s3:::trial-raw"},
		{"buckets", "GET /", "", nil, "s3:ListAllMyBuckets *"},
		{"not supported", "PUT /trial-raw?policy", "", nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			method, path, _ := strings.Cut(test.request, " ")
			r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(test.body))
			r.Header = test.header
			if r.Header == nil {
				r.Header = http.Header{}
			}
			var got []string
			for _, need := range s.store.Needs(r) {
				line := need.Action + " " + need.Resource
				if !strings.HasPrefix(need.Action, "kms:") {
					line += keys(need.Context)
				} else if diff := cmp.Diff([]string{"arn:aws:s3:::locked"}, need.Context["kms:encryptioncontext:aws:s3:arn"]); diff != "" {
					t.Errorf("encryption context: %s", diff)
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(test.want, strings.Join(got, ", ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func keys(context map[string][]string) string {
	if len(context) == 0 {
		return ""
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(context)) {
		list = append(list, name+"="+strings.Join(context[name], ","))
	}
	return " [" + strings.Join(list, " ") + "]"
}
