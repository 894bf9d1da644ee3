package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"

	"tributary/shared/zone"
)

// fileStore writes an upload to a file: a run of one file.
type fileStore struct{ path string }

func (s fileStore) Upload(context.Context, string, zone.PutOptions) zone.Upload {
	f, err := os.Create(s.path)
	return &fileUpload{file: f, err: err}
}

func (fileStore) List(context.Context, string, string) iter.Seq2[zone.Object, error] {
	return func(func(zone.Object, error) bool) {}
}

func (fileStore) Head(_ context.Context, key string) (zone.Object, error) {
	return zone.Object{}, fmt.Errorf("head %s: %w", key, zone.ErrNotFound)
}

func (fileStore) Delete(context.Context, string, zone.Condition) error { return nil }

type fileUpload struct {
	file *os.File
	err  error
}

func (u *fileUpload) Write(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	return u.file.Write(p)
}

func (u *fileUpload) Flush() error { return u.err }

func (u *fileUpload) Complete(context.Context, zone.Condition) (zone.Object, error) {
	return zone.Object{}, errors.Join(u.err, u.file.Close())
}

// Abort keeps the file: what it holds is what is compared.
func (u *fileUpload) Abort(context.Context) error { return errors.Join(u.err, u.file.Close()) }
