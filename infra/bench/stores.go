package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync/atomic"

	"tributary/shared/zone"
)

// fileRun is a raw bucket that holds one run: a manifest, and a file as its page.
type fileRun struct {
	path     string
	run      zone.Run
	manifest []byte
}

func (r *fileRun) Get(_ context.Context, key, version string) (io.ReadCloser, zone.Object, error) {
	object := zone.Object{Key: key, Version: version}
	switch key {
	case r.run.ManifestKey():
		object.Version, object.Size = "1", int64(len(r.manifest))
		return io.NopCloser(bytes.NewReader(r.manifest)), object, nil
	case r.run.RawPageKey(1):
		f, err := os.Open(r.path)
		if err != nil {
			return nil, zone.Object{}, fmt.Errorf("open page: %w", err)
		}
		return f, object, nil
	}
	return nil, zone.Object{}, fmt.Errorf("get %s: %w", key, zone.ErrNotFound)
}

// fileStore writes every upload to the same path: a run of one file.
type fileStore struct {
	path string
	size int64
}

func (s *fileStore) Upload(context.Context, string, zone.PutOptions) zone.Upload {
	f, err := os.Create(s.path)
	return &fileUpload{store: s, file: f, err: err}
}

func (s *fileStore) List(context.Context, string, string) iter.Seq2[zone.Object, error] {
	return func(func(zone.Object, error) bool) {}
}

func (s *fileStore) Head(_ context.Context, key string) (zone.Object, error) {
	return zone.Object{}, fmt.Errorf("head %s: %w", key, zone.ErrNotFound)
}

func (s *fileStore) Delete(context.Context, string, zone.Condition) error { return nil }

type fileUpload struct {
	store *fileStore
	file  *os.File
	err   error
}

func (u *fileUpload) Write(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	u.store.size += int64(len(p))
	return u.file.Write(p)
}

func (u *fileUpload) Flush() error { return u.err }

func (u *fileUpload) Complete(context.Context, zone.Condition) (zone.Object, error) {
	return zone.Object{}, errors.Join(u.err, u.file.Close())
}

func (u *fileUpload) Abort(context.Context) error {
	u.file.Close()
	return nil
}

// auditRows keeps the one audit row of the run.
type auditRows struct {
	row  []byte
	puts int
}

func (a *auditRows) Get(_ context.Context, key, _ string) (io.ReadCloser, zone.Object, error) {
	if a.row == nil {
		return nil, zone.Object{}, fmt.Errorf("get %s: %w", key, zone.ErrNotFound)
	}
	return io.NopCloser(bytes.NewReader(a.row)), zone.Object{Key: key, ETag: a.etag()}, nil
}

func (a *auditRows) Put(_ context.Context, key string, body []byte, _ zone.PutOptions) (zone.Object, error) {
	a.row, a.puts = bytes.Clone(body), a.puts+1
	return zone.Object{Key: key, ETag: a.etag()}, nil
}

func (a *auditRows) etag() string { return fmt.Sprintf("%d", a.puts) }

// items takes every item as the newest.
type items struct{ taken atomic.Int64 }

func (t *items) Put(context.Context, zone.Item) (bool, error) {
	t.taken.Add(1)
	return true, nil
}

// nobody hears alerts.
type nobody struct{}

func (nobody) Publish(context.Context, zone.Message) error { return nil }
