package s3

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/johannesboyne/gofakes3"
)

type operation int

const (
	opOther operation = iota // whatever needs no more than its action
	opGet
	opGetVersion
	opPut
	opCopy
	opCreateUpload
	opUploadPart
	opComplete
	opDelete
	opDeleteMulti
)

// target is what a request is about: the operation, its IAM action and what it is done to.
type target struct {
	operation operation
	action    string // "" for what is not supported
	bucket    string
	key       string
	version   string
	upload    gofakes3.UploadID
}

func (t target) arn() string {
	switch {
	case t.bucket == "":
		return "*"
	case t.key == "":
		return "arn:aws:s3:::" + t.bucket
	}
	return "arn:aws:s3:::" + t.bucket + "/" + t.key
}

func parse(r *http.Request) target {
	var t target
	t.bucket, t.key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	t.version, t.upload = q.Get("versionId"), gofakes3.UploadID(q.Get("uploadId"))
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	switch {
	case t.key != "":
		t.operation, t.action = objectAction(method, t, r)
	case t.bucket != "":
		t.operation, t.action = bucketAction(method, r)
	case method == http.MethodGet:
		t.action = "s3:ListAllMyBuckets"
	}
	return t
}

func objectAction(method string, t target, r *http.Request) (operation, string) {
	q := r.URL.Query()
	for _, sub := range []string{"acl", "tagging", "retention", "legal-hold", "attributes", "restore", "select", "torrent"} {
		if q.Has(sub) {
			return opOther, ""
		}
	}
	switch {
	case method == http.MethodPost && q.Has("uploads"):
		return opCreateUpload, "s3:PutObject"
	case method == http.MethodPost && t.upload != "":
		return opComplete, "s3:PutObject"
	case method == http.MethodPut && t.upload != "" && r.Header.Get("X-Amz-Copy-Source") == "":
		return opUploadPart, "s3:PutObject"
	case method == http.MethodDelete && t.upload != "":
		return opOther, "s3:AbortMultipartUpload"
	case method == http.MethodGet && t.upload != "":
		return opOther, "s3:ListMultipartUploadParts"
	case t.upload != "":
		return opOther, ""
	case method == http.MethodPut && r.Header.Get("X-Amz-Copy-Source") != "":
		return opCopy, "s3:PutObject"
	case method == http.MethodPut:
		return opPut, "s3:PutObject"
	case method == http.MethodGet && t.version != "":
		return opGetVersion, "s3:GetObjectVersion"
	case method == http.MethodGet:
		return opGet, "s3:GetObject"
	case method == http.MethodDelete && t.version != "":
		return opOther, "s3:DeleteObjectVersion"
	case method == http.MethodDelete:
		return opDelete, "s3:DeleteObject"
	}
	return opOther, ""
}

// bucketAction knows what functions and operators do with buckets; making and configuring them is the Pulumi
// program's business.
func bucketAction(method string, r *http.Request) (operation, string) {
	q := r.URL.Query()
	switch {
	case method == http.MethodPost && q.Has("delete"):
		return opDeleteMulti, "s3:DeleteObject"
	case method != http.MethodGet:
		return opOther, ""
	case q.Has("uploads"):
		return opOther, "s3:ListBucketMultipartUploads"
	case q.Has("versions"):
		return opOther, "s3:ListBucketVersions"
	case q.Has("versioning"):
		return opOther, "s3:GetBucketVersioning"
	case q.Has("location"):
		return opOther, "s3:GetBucketLocation"
	}
	for _, sub := range []string{"acl", "policy", "lifecycle", "encryption", "notification", "tagging", "cors", "website", "replication", "object-lock"} {
		if q.Has(sub) {
			return opOther, ""
		}
	}
	return opOther, "s3:ListBucket"
}

// context gives the condition keys of S3 that the request sets.
func (t target) context(r *http.Request) map[string][]string {
	context := map[string][]string{}
	put := func(name, value string) {
		if value != "" {
			context[name] = []string{value}
		}
	}
	q := r.URL.Query()
	switch t.action {
	case "s3:PutObject":
		creates := t.operation == opPut || t.operation == opComplete || t.operation == opCopy
		context["s3:objectcreationoperation"] = []string{strconv.FormatBool(creates)}
		if creates {
			put("s3:if-none-match", r.Header.Get("If-None-Match"))
			put("s3:if-match", r.Header.Get("If-Match"))
		}
		put("s3:x-amz-server-side-encryption", r.Header.Get("X-Amz-Server-Side-Encryption"))
		put("s3:x-amz-server-side-encryption-aws-kms-key-id", r.Header.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"))
	case "s3:DeleteObject":
		put("s3:if-match", r.Header.Get("If-Match"))
	case "s3:ListBucket", "s3:ListBucketVersions":
		if q.Has("prefix") {
			context["s3:prefix"] = []string{q.Get("prefix")}
		}
		put("s3:delimiter", q.Get("delimiter"))
		put("s3:max-keys", q.Get("max-keys"))
	case "s3:GetObjectVersion", "s3:DeleteObjectVersion":
		put("s3:versionid", t.version)
	}
	return context
}
