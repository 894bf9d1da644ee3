package cloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"tributary/shared/zone"
)

// writeAttempts bounds the repetition of a conditional write that met a concurrent one (409 ConditionalRequestConflict).
const writeAttempts = 4

// Bucket is one S3 bucket.
type Bucket struct {
	client *s3.Client
	name   string
}

// NewBucket makes the adapter of the named bucket.
func NewBucket(client *s3.Client, name string) *Bucket {
	return &Bucket{client: client, name: name}
}

// Get opens an object for reading: its newest version when version is empty. The caller closes the body. A missing
// object or version is zone.ErrNotFound, provided that the caller may list the bucket.
//
// IAM: s3:GetObject, or s3:GetObjectVersion when a version is given; s3:ListBucket for the 404; kms:Decrypt.
func (b *Bucket) Get(ctx context.Context, key, version string) (io.ReadCloser, zone.Object, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &key, VersionId: optional(version)})
	if err != nil {
		return nil, zone.Object{}, b.fail("get", key, err)
	}
	return out.Body, zone.Object{
		Key:      key,
		Version:  aws.ToString(out.VersionId),
		ETag:     aws.ToString(out.ETag),
		Size:     aws.ToInt64(out.ContentLength),
		Modified: aws.ToTime(out.LastModified),
		Metadata: out.Metadata,
	}, nil
}

// GetRange reads so many bytes of an object's newest version, from an offset on; fewer where it ends before. A missing
// object is zone.ErrNotFound, provided that the caller may list the bucket.
//
// IAM: s3:GetObject; s3:ListBucket for the 404; kms:Decrypt.
func (b *Bucket) GetRange(ctx context.Context, key string, offset, length int64) ([]byte, error) {
	part := fmt.Sprintf("bytes=%d-%d", offset, offset+length-1)
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &key, Range: &part}, func(o *s3.Options) {
		o.DisableLogOutputChecksumValidationSkipped = true // a part has no checksum
	})
	if err != nil {
		return nil, b.fail("get", key, err)
	}
	body, err := io.ReadAll(io.LimitReader(out.Body, length))
	if err := errors.Join(err, out.Body.Close()); err != nil {
		return nil, b.fail("get", key, err)
	}
	return body, nil
}

// Head tells what is known of an object's newest version. A missing object is zone.ErrNotFound, provided that the
// caller may list the bucket.
//
// IAM: s3:GetObject; s3:ListBucket for the 404; kms:Decrypt.
func (b *Bucket) Head(ctx context.Context, key string) (zone.Object, error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &key})
	if err != nil {
		return zone.Object{}, b.fail("head", key, err)
	}
	return zone.Object{
		Key:      key,
		Version:  aws.ToString(out.VersionId),
		ETag:     aws.ToString(out.ETag),
		Size:     aws.ToInt64(out.ContentLength),
		Modified: aws.ToTime(out.LastModified),
		Metadata: out.Metadata,
	}, nil
}

// Put writes an object whole. A condition that does not hold is zone.ErrCondition, and so is an If-Match against an
// object that does not exist.
//
// IAM: s3:PutObject; s3:GetObject for an If-Match; kms:GenerateDataKey and kms:Decrypt.
func (b *Bucket) Put(ctx context.Context, key string, body []byte, options zone.PutOptions) (zone.Object, error) {
	var out *s3.PutObjectOutput
	var err error
	for range writeAttempts {
		out, err = b.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket:      &b.name,
			Key:         &key,
			Body:        bytes.NewReader(body),
			ContentType: optional(options.ContentType),
			Metadata:    options.Metadata,
			IfMatch:     ifMatch(options.Condition),
			IfNoneMatch: ifNoneMatch(options.Condition),
		})
		if err == nil || !hasCode(err, codeConflict) {
			break
		}
	}
	if err != nil {
		return zone.Object{}, b.failConditional("put", key, options.Condition, err)
	}
	return zone.Object{
		Key:      key,
		Version:  aws.ToString(out.VersionId),
		ETag:     aws.ToString(out.ETag),
		Size:     int64(len(body)),
		Metadata: options.Metadata,
	}, nil
}

// List goes through the objects below a prefix in the order of their keys, behind startAfter when that is given.
// Metadata and versions are absent.
//
// IAM: s3:ListBucket.
func (b *Bucket) List(ctx context.Context, prefix, startAfter string) iter.Seq2[zone.Object, error] {
	return func(yield func(zone.Object, error) bool) {
		pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{
			Bucket: &b.name, Prefix: &prefix, StartAfter: optional(startAfter),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(zone.Object{}, b.fail("list", prefix, err))
				return
			}
			for _, entry := range page.Contents {
				object := zone.Object{
					Key:      aws.ToString(entry.Key),
					ETag:     aws.ToString(entry.ETag),
					Size:     aws.ToInt64(entry.Size),
					Modified: aws.ToTime(entry.LastModified),
				}
				if !yield(object, nil) {
					return
				}
			}
		}
	}
}

// Delete removes an object; with IfMatch only while it is still the one meant, else zone.ErrCondition. Removing what
// is not there succeeds.
//
// IAM: s3:DeleteObject; s3:GetObject for an If-Match.
func (b *Bucket) Delete(ctx context.Context, key string, condition zone.Condition) error {
	var err error
	for range writeAttempts {
		_, err = b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: &key, IfMatch: ifMatch(condition)})
		if err == nil || !hasCode(err, codeConflict) {
			break
		}
	}
	if err != nil {
		if err = b.fail("delete", key, err); isNotFound(err) {
			return nil
		}
		return err
	}
	return nil
}

func (b *Bucket) fail(verb, key string, err error) error {
	return fmt.Errorf("%s s3://%s/%s: %w", verb, b.name, key, classify(err))
}

func (b *Bucket) failConditional(verb, key string, condition zone.Condition, err error) error {
	err = classify(err)
	if condition.IfMatch != "" && isNotFound(err) {
		// S3 answers 404 where the object that was to be replaced is gone: the condition does not hold.
		err = fmt.Errorf("%w: the object is gone", zone.ErrCondition)
	}
	return fmt.Errorf("%s s3://%s/%s: %w", verb, b.name, key, err)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func ifMatch(c zone.Condition) *string { return optional(c.IfMatch) }

func ifNoneMatch(c zone.Condition) *string {
	if c.IfAbsent {
		return aws.String("*")
	}
	return nil
}
