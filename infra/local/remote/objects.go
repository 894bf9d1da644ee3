package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	embedded "tributary/infra/local/s3"
)

// CreateBucket makes a bucket that nobody has.
func (e *Endpoint) CreateBucket(ctx context.Context, name, region string) error {
	if _, err := e.objects.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name}); err == nil {
		return fmt.Errorf("create bucket %s: the endpoint has it already", name)
	}
	in := &s3.CreateBucketInput{Bucket: &name}
	if region != "us-east-1" {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(region)}
	}
	if _, err := e.objects.CreateBucket(ctx, in); err != nil {
		return fmt.Errorf("create bucket %s: %w", name, err)
	}
	e.made(func(ctx context.Context) error { return e.removeBucket(ctx, name) })
	return nil
}

// SetVersioning sets whether a bucket keeps versions: Enabled or Suspended.
func (e *Endpoint) SetVersioning(ctx context.Context, bucket, status string) error {
	_, err := e.objects.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: &bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatus(status)},
	})
	if err != nil {
		return fmt.Errorf("set versioning of %s: %w", bucket, err)
	}
	return nil
}

// SetEncryption has a bucket encrypt by a key; "" for S3's own.
func (e *Endpoint) SetEncryption(ctx context.Context, bucket, key string, bucketKey bool) error {
	by := &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAes256}
	if key != "" {
		by = &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: &key}
	}
	_, err := e.objects.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{
		Bucket: &bucket,
		ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{
			ApplyServerSideEncryptionByDefault: by, BucketKeyEnabled: &bucketKey,
		}}},
	})
	if err != nil {
		return fmt.Errorf("set encryption of %s: %w", bucket, err)
	}
	return nil
}

// Stat describes a version of an object, "" for the newest; false when there is none.
func (e *Endpoint) Stat(ctx context.Context, bucket, key, version string) (embedded.Object, bool, error) {
	in := &s3.HeadObjectInput{Bucket: &bucket, Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	out, err := e.objects.HeadObject(ctx, in)
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() < http.StatusInternalServerError {
		return embedded.Object{}, false, nil
	}
	if err != nil {
		return embedded.Object{}, false, fmt.Errorf("look at %s/%s: %w", bucket, key, err)
	}
	o := embedded.Object{
		Bucket: bucket, Key: key, Version: aws.ToString(out.VersionId), ETag: aws.ToString(out.ETag), Size: aws.ToInt64(out.ContentLength),
		Modified: aws.ToTime(out.LastModified).UTC(), Metadata: map[string]string{},
	}
	for name, value := range out.Metadata {
		o.Metadata["X-Amz-Meta-"+http.CanonicalHeaderKey(name)] = value
	}
	return o, true, nil
}

// Objects lists the current objects of a bucket by key, with their bytes.
func (e *Endpoint) Objects(ctx context.Context, bucket string) ([]embedded.Object, error) {
	var all []embedded.Object
	pages := s3.NewListObjectsV2Paginator(e.objects, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", bucket, err)
		}
		for _, listed := range page.Contents {
			o, found, err := e.Stat(ctx, bucket, *listed.Key, "")
			if err != nil {
				return nil, err
			}
			if !found {
				continue
			}
			out, err := e.objects.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: listed.Key})
			if err != nil {
				return nil, fmt.Errorf("get %s/%s: %w", bucket, o.Key, err)
			}
			body, err := io.ReadAll(out.Body)
			if err := errors.Join(err, out.Body.Close()); err != nil {
				return nil, fmt.Errorf("get %s/%s: %w", bucket, o.Key, err)
			}
			all = append(all, o.With(body))
		}
	}
	return all, nil
}

// RestoreObject puts an object; version, ETag and time are the endpoint's.
func (e *Endpoint) RestoreObject(ctx context.Context, o embedded.Object, body []byte) error {
	in := &s3.PutObjectInput{Bucket: &o.Bucket, Key: &o.Key, Body: bytes.NewReader(body), Metadata: map[string]string{}}
	for name, value := range o.Metadata {
		if name, ok := strings.CutPrefix(name, "X-Amz-Meta-"); ok {
			in.Metadata[name] = value
		}
	}
	if _, err := e.objects.PutObject(ctx, in); err != nil {
		return fmt.Errorf("restore %s/%s: %w", o.Bucket, o.Key, err)
	}
	return nil
}

// removeBucket removes a bucket with every version, delete marker and upload in it.
func (e *Endpoint) removeBucket(ctx context.Context, name string) error {
	uploads, err := e.objects.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &name})
	var api smithy.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode() == "NoSuchUpload": // some say so where there are none
		uploads = &s3.ListMultipartUploadsOutput{}
	case err != nil:
		return fmt.Errorf("list uploads to %s: %w", name, err)
	}
	for _, u := range uploads.Uploads {
		if _, err := e.objects.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &name, Key: u.Key, UploadId: u.UploadId}); err != nil {
			return fmt.Errorf("abort upload to %s/%s: %w", name, aws.ToString(u.Key), err)
		}
	}
	pages := s3.NewListObjectVersionsPaginator(e.objects, &s3.ListObjectVersionsInput{Bucket: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list versions of %s: %w", name, err)
		}
		var all []types.ObjectIdentifier
		for _, v := range page.Versions {
			all = append(all, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			all = append(all, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if len(all) == 0 {
			continue
		}
		if _, err := e.objects.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &name, Delete: &types.Delete{Objects: all}}); err != nil {
			return fmt.Errorf("empty bucket %s: %w", name, err)
		}
	}
	if _, err := e.objects.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name}); err != nil {
		return fmt.Errorf("delete bucket %s: %w", name, err)
	}
	return nil
}
