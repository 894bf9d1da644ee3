package s3_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"

	"tributary/infra/local/s3"
)

const bucket = "trial-raw"

// service is a store with one bucket with versions, behind HTTP.
type service struct {
	store  *s3.Store
	client *sdk.Client
	url    string

	mu     sync.Mutex
	events []s3.Event
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{store: s3.NewStore(func() time.Time { return time.Date(2025, 3, 4, 14, 45, 0, 0, time.UTC) })}
	server := httptest.NewServer(s3.NewHandler(s.store, func(_ *http.Request, e s3.Event) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.events = append(s.events, e)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	s.client = sdk.NewFromConfig(aws.Config{Region: "eu-west-3", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")})
	if err := s.store.CreateBucket(bucket); err != nil {
		t.Fatal(err)
	}
	if err := s.store.SetVersioningConfiguration(bucket, gofakes3.VersioningConfiguration{Status: gofakes3.VersioningEnabled}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *service) put(t *testing.T, in sdk.PutObjectInput, body string) (*sdk.PutObjectOutput, error) {
	t.Helper()
	in.Bucket, in.Body = aws.String(bucket), strings.NewReader(body)
	return s.client.PutObject(t.Context(), &in)
}

func (s *service) mustPut(t *testing.T, key, body string) *sdk.PutObjectOutput {
	t.Helper()
	out, err := s.put(t, sdk.PutObjectInput{Key: &key}, body)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (s *service) get(t *testing.T, in sdk.GetObjectInput) (string, *sdk.GetObjectOutput) {
	t.Helper()
	in.Bucket = aws.String(bucket)
	out, err := s.client.GetObject(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(out.Body)
	if err = errors.Join(err, out.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return string(body), out
}

// code is the error code of a refusal, or "" for none.
func code(err error) string {
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		return api.ErrorCode()
	case err != nil:
		return err.Error()
	}
	return ""
}

func TestConditionsOfPutObject(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(t *testing.T, s *service) (etag string)
		in      func(etag string) sdk.PutObjectInput
		want    string
	}{
		{"absent, if absent", nothing, ifAbsent, ""},
		{"present, if absent", present, ifAbsent, "PreconditionFailed"},
		{"a delete marker counts as absent", deleted, ifAbsent, ""},
		{"present, if it matches", present, ifMatch, ""},
		{"present, if another matches", present, ifOther, "PreconditionFailed"},
		{"absent, if it matches", nothing, ifOther, "NoSuchKey"},
		{"delete marker, if it matches", deleted, ifMatch, "NoSuchKey"},
		{"present, unconditionally", present, func(string) sdk.PutObjectInput { return sdk.PutObjectInput{} }, ""},
		{"if none matches an ETag", present, func(etag string) sdk.PutObjectInput { return sdk.PutObjectInput{IfNoneMatch: &etag} }, "NotImplemented"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newService(t)
			in := test.in(test.prepare(t, s))
			in.Key = aws.String("a")
			before := len(s.events)
			_, err := s.put(t, in, "new")
			if got := code(err); got != test.want {
				t.Errorf("code %q, want %q", got, test.want)
			}
			if events := len(s.events) - before; (events == 1) != (test.want == "") {
				t.Errorf("%d events", events)
			}
		})
	}
}

func TestConditionsOfCompleteMultipartUpload(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(t *testing.T, s *service) (etag string)
		in      func(etag string) sdk.PutObjectInput
		want    string
	}{
		{"absent, if absent", nothing, ifAbsent, ""},
		{"present, if absent", present, ifAbsent, "PreconditionFailed"},
		{"a delete marker counts as absent", deleted, ifAbsent, ""},
		{"present, if it matches", present, ifMatch, ""},
		{"present, if another matches", present, ifOther, "PreconditionFailed"},
		{"absent, if it matches", nothing, ifOther, "NoSuchKey"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newService(t)
			in := test.in(test.prepare(t, s))
			u := s.upload(t, "a", "new")
			before := len(s.events)
			out, err := u.complete(t, in.IfNoneMatch, in.IfMatch)
			if got := code(err); got != test.want {
				t.Fatalf("code %q, want %q", got, test.want)
			}
			if test.want != "" {
				if len(s.events) != before {
					t.Error("a failed completion sent an event")
				}
				if err := u.abort(t); err != nil {
					t.Errorf("abort after a failed completion: %v", err)
				}
				return
			}
			body, got := s.get(t, sdk.GetObjectInput{Key: aws.String("a")})
			if body != "new" || *got.VersionId != *out.VersionId || *got.ETag != *out.ETag || got.Metadata["from"] != "upload" {
				t.Errorf("%q, version %s of %s, ETag %s of %s, metadata %v", body, *got.VersionId, *out.VersionId, *got.ETag, *out.ETag, got.Metadata)
			}
			if last := s.events[len(s.events)-1]; last.Name != "CompleteMultipartUpload" || last.Object.Version != *out.VersionId {
				t.Errorf("event %+v", last)
			}
		})
	}
}

func TestConditionsOfDeleteObject(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(t *testing.T, s *service) (etag string)
		in      func(etag string) sdk.PutObjectInput
		want    string
		gone    bool
	}{
		{"present, if it matches", present, ifMatch, "", true},
		{"present, if another matches", present, ifOther, "PreconditionFailed", false},
		{"absent, if it matches", nothing, ifOther, "NoSuchKey", true},
		{"delete marker, if it matches", deleted, ifMatch, "NoSuchKey", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newService(t)
			condition := test.in(test.prepare(t, s)).IfMatch
			out, err := s.client.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("a"), IfMatch: condition})
			if got := code(err); got != test.want {
				t.Fatalf("code %q, want %q", got, test.want)
			}
			if err == nil && (!aws.ToBool(out.DeleteMarker) || aws.ToString(out.VersionId) == "") {
				t.Errorf("answer %+v names no delete marker", out)
			}
			if _, err := s.store.Object(bucket, "a"); (err != nil) != test.gone {
				t.Errorf("the object is gone: %v, want %t", err, test.gone)
			}
		})
	}
}

func nothing(*testing.T, *service) string { return "" }

func present(t *testing.T, s *service) string { return *s.mustPut(t, "a", "old").ETag }

func deleted(t *testing.T, s *service) string {
	etag := present(t, s)
	if _, err := s.client.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("a")}); err != nil {
		t.Fatal(err)
	}
	return etag
}

func ifAbsent(string) sdk.PutObjectInput     { return sdk.PutObjectInput{IfNoneMatch: aws.String("*")} }
func ifMatch(etag string) sdk.PutObjectInput { return sdk.PutObjectInput{IfMatch: &etag} }
func ifOther(string) sdk.PutObjectInput      { return sdk.PutObjectInput{IfMatch: aws.String(`"00"`)} }

type multipart struct {
	*service
	key, id string
	parts   []types.CompletedPart
}

func (s *service) upload(t *testing.T, key string, parts ...string) *multipart {
	t.Helper()
	created, err := s.client.CreateMultipartUpload(t.Context(), &sdk.CreateMultipartUploadInput{Bucket: aws.String(bucket), Key: &key, Metadata: map[string]string{"from": "upload"}})
	if err != nil {
		t.Fatal(err)
	}
	u := &multipart{service: s, key: key, id: *created.UploadId}
	for i, body := range parts {
		number := int32(i + 1)
		out, err := s.client.UploadPart(t.Context(), &sdk.UploadPartInput{Bucket: aws.String(bucket), Key: &key, UploadId: &u.id, PartNumber: &number, Body: strings.NewReader(body)})
		if err != nil {
			t.Fatal(err)
		}
		u.parts = append(u.parts, types.CompletedPart{ETag: out.ETag, PartNumber: &number})
	}
	return u
}

func (u *multipart) complete(t *testing.T, ifNoneMatch, ifMatch *string) (*sdk.CompleteMultipartUploadOutput, error) {
	t.Helper()
	return u.client.CompleteMultipartUpload(t.Context(), &sdk.CompleteMultipartUploadInput{Bucket: aws.String(bucket), Key: &u.key, UploadId: &u.id,
		IfNoneMatch: ifNoneMatch, IfMatch: ifMatch, MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts}})
}

func (u *multipart) abort(t *testing.T) error {
	t.Helper()
	_, err := u.client.AbortMultipartUpload(t.Context(), &sdk.AbortMultipartUploadInput{Bucket: aws.String(bucket), Key: &u.key, UploadId: &u.id})
	return err
}

func TestOfManyConditionalWritersOneWins(t *testing.T) {
	s := newService(t)
	const writers = 16
	results := make(chan error, writers)
	for i := range writers {
		go func() {
			if i%2 == 0 {
				_, err := s.put(t, sdk.PutObjectInput{Key: aws.String("a"), IfNoneMatch: aws.String("*")}, fmt.Sprint(i))
				results <- err
				return
			}
			_, err := s.upload(t, "a", fmt.Sprint(i)).complete(t, aws.String("*"), nil)
			results <- err
		}()
	}
	codes := map[string]int{}
	for range writers {
		codes[code(<-results)]++
	}
	if diff := cmp.Diff(map[string]int{"": 1, "PreconditionFailed": writers - 1}, codes); diff != "" {
		t.Error(diff)
	}
	if len(s.events) != 1 {
		t.Errorf("%d events, want 1", len(s.events))
	}
}

func TestPartsOfAnUpload(t *testing.T) {
	s := newService(t)
	big := strings.Repeat("x", 5<<20)
	u := s.upload(t, "big", big, "tail")
	slices.Reverse(u.parts)
	if _, err := u.complete(t, nil, nil); code(err) != "InvalidPartOrder" {
		t.Errorf("parts in the wrong order: %v", err)
	}
	slices.Reverse(u.parts)
	if _, err := u.complete(t, nil, nil); err != nil {
		t.Fatal(err)
	}
	if body, _ := s.get(t, sdk.GetObjectInput{Key: aws.String("big")}); body != big+"tail" {
		t.Errorf("%d bytes", len(body))
	}
	if _, err := u.complete(t, nil, nil); code(err) != "NoSuchUpload" {
		t.Errorf("completed twice: %v", err)
	}
	small := s.upload(t, "small", "too small", "tail")
	if _, err := small.complete(t, nil, nil); code(err) != "EntityTooSmall" {
		t.Errorf("small part before the last: %v", err)
	}
	small.parts[0].ETag = aws.String(`"00"`)
	if _, err := small.complete(t, nil, nil); code(err) != "InvalidPart" {
		t.Errorf("part with another ETag: %v", err)
	}
	uploads, err := s.client.ListMultipartUploads(t.Context(), &sdk.ListMultipartUploadsInput{Bucket: aws.String(bucket)})
	if err != nil || len(uploads.Uploads) != 1 || *uploads.Uploads[0].Key != "small" {
		t.Errorf("uploads %+v, %v", uploads, err)
	}
}

func TestVersions(t *testing.T) {
	s := newService(t)
	first := s.mustPut(t, "a", "one")
	in := sdk.PutObjectInput{Key: aws.String("a"), Metadata: map[string]string{"next": "2"}, ContentType: aws.String("application/json")}
	second, err := s.put(t, in, "two!")
	if err != nil {
		t.Fatal(err)
	}
	body, got := s.get(t, sdk.GetObjectInput{Key: aws.String("a"), VersionId: first.VersionId})
	if body != "one" || len(got.Metadata) != 0 {
		t.Errorf("first version: %q %v", body, got.Metadata)
	}
	head, err := s.client.HeadObject(t.Context(), &sdk.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("a"), VersionId: first.VersionId})
	if err != nil || *head.ContentLength != 3 || *head.ETag != *first.ETag || *head.VersionId != *first.VersionId {
		t.Errorf("head of the first version: %+v, %v", head, err)
	}
	third := s.mustPut(t, "a", "three")
	body, got = s.get(t, sdk.GetObjectInput{Key: aws.String("a")})
	if body != "three" || *got.VersionId != *third.VersionId || len(got.Metadata) != 0 {
		t.Errorf("newest: %q %v: metadata of a former version must not be inherited", body, got.Metadata)
	}
	_, got = s.get(t, sdk.GetObjectInput{Key: aws.String("a"), VersionId: second.VersionId})
	if diff := cmp.Diff(map[string]string{"next": "2"}, got.Metadata); diff != "" || *got.ContentType != "application/json" {
		t.Errorf("second version: %s %s", diff, *got.ContentType)
	}
	if _, err := s.client.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("a")}); err != nil {
		t.Fatal(err)
	}
	_, err = s.client.GetObject(t.Context(), &sdk.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("a")})
	if code(err) != "NoSuchKey" {
		t.Errorf("after the delete: %v", err)
	}
	list, err := s.client.ListObjectVersions(t.Context(), &sdk.ListObjectVersionsInput{Bucket: aws.String(bucket)})
	if err != nil || len(list.Versions) != 3 || len(list.DeleteMarkers) != 1 {
		t.Fatalf("versions: %+v, %v", list, err)
	}
	if *list.Versions[0].VersionId != *third.VersionId || *list.Versions[0].IsLatest || !*list.DeleteMarkers[0].IsLatest {
		t.Error("versions are not newest first")
	}
	if _, err := s.client.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("a"), VersionId: list.DeleteMarkers[0].VersionId}); err != nil {
		t.Fatal(err)
	}
	if body, _ := s.get(t, sdk.GetObjectInput{Key: aws.String("a")}); body != "three" {
		t.Errorf("without the delete marker: %q", body)
	}
}

func TestListObjects(t *testing.T) {
	s := newService(t)
	for i := range 7 {
		s.mustPut(t, fmt.Sprintf("raw/coins/page-%d", i), "x")
	}
	for _, key := range []string{"raw/coin/a", "raw/coins_2/a", "state/coins.json", "raw/coins/sub/a b=c"} {
		s.mustPut(t, key, "x")
	}
	list := func(in sdk.ListObjectsV2Input) (keys []string) {
		in.Bucket, in.MaxKeys = aws.String(bucket), aws.Int32(3)
		pages := sdk.NewListObjectsV2Paginator(s.client, &in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range page.Contents {
				keys = append(keys, *o.Key)
			}
			for _, p := range page.CommonPrefixes {
				keys = append(keys, *p.Prefix)
			}
		}
		return keys
	}
	for _, test := range []struct {
		name string
		in   sdk.ListObjectsV2Input
		want []string
	}{
		{"prefix", sdk.ListObjectsV2Input{Prefix: aws.String("raw/coins/")}, []string{"raw/coins/page-0", "raw/coins/page-1", "raw/coins/page-2", "raw/coins/page-3", "raw/coins/page-4", "raw/coins/page-5", "raw/coins/page-6", "raw/coins/sub/a b=c"}},
		{"start after", sdk.ListObjectsV2Input{Prefix: aws.String("raw/coins/"), StartAfter: aws.String("raw/coins/page-4")}, []string{"raw/coins/page-5", "raw/coins/page-6", "raw/coins/sub/a b=c"}},
		{"start after what is not there", sdk.ListObjectsV2Input{Prefix: aws.String("raw/coins/"), StartAfter: aws.String("raw/coins/page-5x")}, []string{"raw/coins/page-6", "raw/coins/sub/a b=c"}},
		{"start before the prefix", sdk.ListObjectsV2Input{Prefix: aws.String("state/"), StartAfter: aws.String("raw/")}, []string{"state/coins.json"}},
		{"folders", sdk.ListObjectsV2Input{Prefix: aws.String("raw/"), Delimiter: aws.String("/")}, []string{"raw/coin/", "raw/coins/", "raw/coins_2/"}},
		{"nothing", sdk.ListObjectsV2Input{Prefix: aws.String("zzz")}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, list(test.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRangesAndChecksums(t *testing.T) {
	s := newService(t)
	s.mustPut(t, "a", "0123456789")
	if body, _ := s.get(t, sdk.GetObjectInput{Key: aws.String("a"), Range: aws.String("bytes=2-4")}); body != "234" {
		t.Errorf("range: %q", body)
	}
	_, err := s.put(t, sdk.PutObjectInput{Key: aws.String("b"), ChecksumCRC32: aws.String("AAAAAA==")}, "damaged on the way")
	if code(err) != "BadDigest" {
		t.Errorf("wrong checksum: %v", err)
	}
	if objects, err := s.store.Objects(bucket); err != nil || len(objects) != 1 {
		t.Errorf("%d objects, %v", len(objects), err)
	}
}

func TestAChunkedBodyIsUnwrapped(t *testing.T) {
	for name, test := range map[string]struct{ trailer, want string }{
		"right checksum": {"x-amz-checksum-crc32:DUoRhQ==\r\n\r\n", "200 OK"},
		"wrong checksum": {"x-amz-checksum-crc32:AAAAAA==\r\n\r\n", "400 Bad Request"},
		"no trailer":     {"\r\n", "200 OK"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t)
			body := "6;chunk-signature=00\r\nhello \r\n5\r\nworld\r\n0\r\n" + test.trailer
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.url+"/"+bucket+"/a", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
			r.Header.Set("X-Amz-Decoded-Content-Length", "11")
			r.Header.Set("Content-Encoding", "aws-chunked,gzip")
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if answer.Status != test.want {
				t.Fatalf("status %s, want %s", answer.Status, test.want)
			}
			if answer.StatusCode != http.StatusOK {
				return
			}
			o, err := s.store.Object(bucket, "a")
			if err != nil || string(o.Bytes()) != "hello world" || o.Metadata["Content-Encoding"] != "gzip" {
				t.Errorf("%q %v %v", o.Bytes(), o.Metadata, err)
			}
		})
	}
}

func TestUnderKMSAnETagIsNoMD5(t *testing.T) {
	s := newService(t)
	plain := s.mustPut(t, "a", "same")
	if err := s.store.SetEncryption(bucket, "arn:aws:kms:eu-west-3:000000000000:key/1", true); err != nil {
		t.Fatal(err)
	}
	one, two := s.mustPut(t, "b", "same"), s.mustPut(t, "c", "same")
	if *one.ETag == *plain.ETag || *one.ETag == *two.ETag {
		t.Errorf("ETags %s %s %s", *plain.ETag, *one.ETag, *two.ETag)
	}
	if _, got := s.get(t, sdk.GetObjectInput{Key: aws.String("b")}); *got.ETag != *one.ETag {
		t.Errorf("ETag of GetObject %s, of PutObject %s", *got.ETag, *one.ETag)
	}
}

func TestWhatIsNotSupportedIsRefused(t *testing.T) {
	s := newService(t)
	for _, request := range []string{"PUT /" + bucket, "DELETE /" + bucket, "PUT /" + bucket + "?policy", "GET /" + bucket + "?lifecycle", "PUT /" + bucket + "/a?tagging", "PUT /" + bucket + "/a?acl"} {
		method, path, _ := strings.Cut(request, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, bytes.NewReader(nil))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusNotImplemented {
			t.Errorf("%s: %s", request, answer.Status)
		}
	}
}

func TestRestore(t *testing.T) {
	s := newService(t)
	s.mustPut(t, "a", "body")
	before, err := s.store.Object(bucket, "a")
	if err != nil {
		t.Fatal(err)
	}
	other := newService(t)
	if err := other.store.Restore(before, before.Bytes()); err != nil {
		t.Fatal(err)
	}
	after, err := other.store.Object(bucket, "a")
	if err != nil || after.ETag != before.ETag || after.Version != before.Version || !after.Modified.Equal(before.Modified) || string(after.Bytes()) != "body" {
		t.Errorf("%+v, %v", after, err)
	}
	if len(other.events) != 0 {
		t.Error("restoring sent an event")
	}
	_, err = other.put(t, sdk.PutObjectInput{Key: aws.String("a"), IfMatch: &before.ETag}, "next")
	if err != nil {
		t.Errorf("replace by the ETag of before: %v", err)
	}
}
