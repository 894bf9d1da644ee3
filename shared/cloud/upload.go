package cloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"tributary/shared/zone"
)

// PartSize is the size of an upload's parts and the most that an upload holds in memory: the least that S3 takes. With
// S3's 10,000 parts it bounds an object at 48 GiB.
const PartSize = 5 << 20

// Upload begins an object that becomes visible at Complete. Up to PartSize it is one PutObject at completion; beyond, a
// multipart upload whose parts are sent while it is written, with the context given here. What a crash leaves behind is
// invisible and removed by the bucket's AbortIncompleteMultipartUpload.
//
// IAM: s3:PutObject (also for CreateMultipartUpload, UploadPart and CompleteMultipartUpload), s3:AbortMultipartUpload;
// s3:GetObject for an If-Match; kms:GenerateDataKey and kms:Decrypt.
func (b *Bucket) Upload(ctx context.Context, key string, options zone.PutOptions) zone.Upload {
	return &upload{ctx: ctx, bucket: b, key: key, options: options}
}

type upload struct {
	ctx     context.Context // of the parts: Write has no context of its own
	bucket  *Bucket
	key     string
	options zone.PutOptions

	buffer []byte  // a part in the making
	id     *string // of the multipart upload; nil: not begun
	parts  []types.CompletedPart
	size   int64
	ended  bool
}

var _ zone.Upload = (*upload)(nil)

var errEnded = errors.New("the upload has ended")

func (u *upload) Write(p []byte) (int, error) {
	if u.ended {
		return 0, fmt.Errorf("write %s: %w", u.key, errEnded)
	}
	written := 0
	for len(p) > 0 {
		if len(u.buffer) == PartSize {
			if err := u.send(); err != nil {
				return written, err
			}
		}
		n := min(len(p), PartSize-len(u.buffer))
		u.hold(p[:n])
		p = p[n:]
		written += n
		u.size += int64(n)
	}
	return written, nil
}

// hold buffers what fits into the part. The buffer grows as it is needed, and never beyond a part, as append would let it.
func (u *upload) hold(p []byte) {
	if need := len(u.buffer) + len(p); need > cap(u.buffer) {
		grown := make([]byte, len(u.buffer), min(PartSize, max(need, 2*cap(u.buffer))))
		copy(grown, u.buffer)
		u.buffer = grown
	}
	u.buffer = append(u.buffer, p...)
}

func (u *upload) Flush() error {
	if len(u.buffer) == 0 {
		return nil
	}
	if err := u.send(); err != nil {
		return err
	}
	u.buffer = nil
	return nil
}

func (u *upload) send() error {
	b := u.bucket
	if u.id == nil {
		out, err := b.client.CreateMultipartUpload(u.ctx, &s3.CreateMultipartUploadInput{
			Bucket: &b.name, Key: &u.key, ContentType: optional(u.options.ContentType), Metadata: u.options.Metadata,
		})
		if err != nil {
			return b.fail("begin upload of", u.key, err)
		}
		u.id = out.UploadId
	}
	number := aws.Int32(int32(len(u.parts) + 1))
	out, err := b.client.UploadPart(u.ctx, &s3.UploadPartInput{
		Bucket: &b.name, Key: &u.key, UploadId: u.id, PartNumber: number, Body: bytes.NewReader(u.buffer),
	})
	if err != nil {
		return b.fail(fmt.Sprintf("upload part %d of", *number), u.key, err)
	}
	u.parts = append(u.parts, types.CompletedPart{
		ETag: out.ETag, PartNumber: number,
		ChecksumCRC32: out.ChecksumCRC32, ChecksumCRC32C: out.ChecksumCRC32C, ChecksumCRC64NVME: out.ChecksumCRC64NVME,
	})
	u.buffer = u.buffer[:0]
	return nil
}

func (u *upload) Complete(ctx context.Context, condition zone.Condition) (zone.Object, error) {
	if u.ended {
		return zone.Object{}, fmt.Errorf("complete %s: %w", u.key, errEnded)
	}
	if u.id == nil {
		options := u.options
		options.Condition = condition
		object, err := u.bucket.Put(ctx, u.key, u.buffer, options)
		if err == nil {
			u.end()
		}
		return object, err
	}
	if len(u.buffer) > 0 {
		if err := u.send(); err != nil {
			return zone.Object{}, err
		}
	}
	b := u.bucket
	out, err := b.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &b.name, Key: &u.key, UploadId: u.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
		IfMatch:         ifMatch(condition),
		IfNoneMatch:     ifNoneMatch(condition),
	})
	if err != nil {
		if hasCode(err, codeNoUpload) {
			// Not the object is missing but the upload. It may be complete, by a request of the SDK whose answer was lost.
			return zone.Object{}, fmt.Errorf("complete upload of s3://%s/%s: %w: %w", b.name, u.key, zone.ErrCondition, err)
		}
		return zone.Object{}, b.failConditional("complete upload of", u.key, condition, err)
	}
	u.end()
	return zone.Object{
		Key: u.key, Version: aws.ToString(out.VersionId), ETag: aws.ToString(out.ETag), Size: u.size,
		Metadata: u.options.Metadata,
	}, nil
}

func (u *upload) Abort(ctx context.Context) error {
	if u.ended {
		return nil
	}
	u.end()
	if u.id == nil {
		return nil
	}
	b := u.bucket
	_, err := b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.name, Key: &u.key, UploadId: u.id})
	if err != nil && !hasCode(err, codeNoUpload) {
		return b.fail("abort upload of", u.key, err)
	}
	return nil
}

func (u *upload) end() {
	u.ended = true
	u.buffer = nil
}
