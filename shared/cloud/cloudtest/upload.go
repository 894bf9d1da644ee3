package cloudtest

import (
	"context"
	"errors"

	"tributary/shared/zone"
)

// PartSize is the size of the parts of a stand-in's uploads unless its Bucket says otherwise: small, so that tests see many.
const PartSize = 16 << 10

// Upload is Bucket.Upload of package cloud.
func (b *Bucket) Upload(ctx context.Context, key string, options zone.PutOptions) zone.Upload {
	return &upload{ctx: ctx, bucket: b, key: key, options: options}
}

type upload struct {
	ctx     context.Context
	bucket  *Bucket
	key     string
	options zone.PutOptions
	body    []byte
	sent    int
	begun   bool
	ended   bool
}

func (u *upload) Write(p []byte) (int, error) {
	if u.ended {
		return 0, errors.New("write: the upload has ended")
	}
	u.body = append(u.body, p...)
	size := u.bucket.PartSize
	if size == 0 {
		size = PartSize
	}
	for len(u.body)-u.sent > size {
		if err := u.send(u.sent + size); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func (u *upload) send(end int) error {
	b := u.bucket
	if !u.begun {
		err := b.Faults.around("Upload.Begin", b.Name+"/"+u.key, func() error {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.uploads++
			return u.ctx.Err()
		})
		if err != nil {
			return err
		}
		u.begun = true
	}
	err := b.Faults.around("Upload.Part", b.Name+"/"+u.key, u.ctx.Err)
	if err == nil {
		u.sent = end
	}
	return err
}

func (u *upload) Flush() error {
	if u.sent == len(u.body) {
		return nil
	}
	return u.send(len(u.body))
}

func (u *upload) Complete(ctx context.Context, condition zone.Condition) (written zone.Object, err error) {
	if u.ended {
		return zone.Object{}, errors.New("complete: the upload has ended")
	}
	if u.begun && u.sent < len(u.body) {
		if err := u.send(len(u.body)); err != nil {
			return zone.Object{}, err
		}
	}
	b, options := u.bucket, u.options
	options.Condition = condition
	err = b.Faults.around("Upload.Complete", b.Name+"/"+u.key, func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		written, err = b.write(ctx, "complete upload of", u.key, u.body, options)
		if err == nil {
			u.end()
		}
		return err
	})
	if err != nil {
		return zone.Object{}, err
	}
	return written, nil
}

func (u *upload) Abort(ctx context.Context) error {
	b := u.bucket
	if u.ended || !u.begun {
		u.ended = true
		return nil
	}
	return b.Faults.around("Upload.Abort", b.Name+"/"+u.key, func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		u.end()
		return nil
	})
}

// end is called with the bucket locked.
func (u *upload) end() {
	if u.begun && !u.ended {
		u.bucket.uploads--
	}
	u.ended = true
}
