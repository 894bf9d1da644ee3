package cloudtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"tributary/shared/zone"
)

// Bucket stands in for a versioned S3 bucket.
type Bucket struct {
	Name     string
	Faults   *Faults
	Now      func() time.Time // nil: the zero time
	PartSize int              // of uploads; 0: PartSize

	*bucketState
}

type bucketState struct {
	mu       sync.Mutex
	objects  map[string][]object // versions, oldest first
	versions int
	uploads  int // begun and neither completed nor aborted
}

type object struct {
	zone.Object
	body    []byte
	deleted bool // a delete marker
}

// NewBucket makes an empty bucket.
func NewBucket(name string, faults *Faults) *Bucket {
	return &Bucket{Name: name, Faults: faults, bucketState: &bucketState{objects: map[string][]object{}}}
}

// With is the same bucket as another caller sees it, whose calls other Faults decide on.
func (b *Bucket) With(faults *Faults) *Bucket {
	other := *b
	other.Faults = faults
	return &other
}

// Uploads counts the uploads that have sent parts and were neither completed nor aborted.
func (b *Bucket) Uploads() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.uploads
}

// Bodies gives every visible object, by key, past all faults.
func (b *Bucket) Bodies() map[string][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	bodies := map[string][]byte{}
	for key := range b.objects {
		if o, ok := b.newest(key); ok {
			bodies[key] = slices.Clone(o.body)
		}
	}
	return bodies
}

// Versions counts all that was ever written, delete markers included.
func (b *Bucket) Versions() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.versions
}

func (b *Bucket) newest(key string) (object, bool) {
	versions := b.objects[key]
	if len(versions) == 0 || versions[len(versions)-1].deleted {
		return object{}, false
	}
	return versions[len(versions)-1], true
}

func (b *Bucket) call(method, key string, effect func() error) error {
	return b.Faults.around("Bucket."+method, b.Name+"/"+key, func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		return effect()
	})
}

func (b *Bucket) fail(verb, key string, err error) error {
	return fmt.Errorf("%s %s/%s: %w", verb, b.Name, key, err)
}

// Get is Bucket.Get of package cloud.
func (b *Bucket) Get(ctx context.Context, key, version string) (body io.ReadCloser, found zone.Object, err error) {
	err = b.call("Get", key, func() error {
		if err := ctx.Err(); err != nil {
			return b.fail("get", key, err)
		}
		o, ok := b.newest(key)
		if version != "" {
			i := slices.IndexFunc(b.objects[key], func(o object) bool { return o.Version == version && !o.deleted })
			if ok = i >= 0; ok {
				o = b.objects[key][i]
			}
		}
		if !ok {
			return b.fail("get", key, zone.ErrNotFound)
		}
		body, found = io.NopCloser(bytes.NewReader(o.body)), o.copy()
		return nil
	})
	if err != nil {
		return nil, zone.Object{}, err
	}
	return body, found, nil
}

// GetRange is Bucket.GetRange of package cloud.
func (b *Bucket) GetRange(ctx context.Context, key string, offset, length int64) (part []byte, err error) {
	err = b.call("GetRange", key, func() error {
		if err := ctx.Err(); err != nil {
			return b.fail("get", key, err)
		}
		o, ok := b.newest(key)
		if !ok {
			return b.fail("get", key, zone.ErrNotFound)
		}
		size := int64(len(o.body))
		part = slices.Clone(o.body[min(offset, size):min(offset+length, size)])
		return nil
	})
	return part, err
}

func (o object) copy() zone.Object {
	c := o.Object
	c.Metadata = maps.Clone(c.Metadata)
	return c
}

// Head is Bucket.Head of package cloud.
func (b *Bucket) Head(ctx context.Context, key string) (found zone.Object, err error) {
	err = b.call("Head", key, func() error {
		if err := ctx.Err(); err != nil {
			return b.fail("head", key, err)
		}
		o, ok := b.newest(key)
		if !ok {
			return b.fail("head", key, zone.ErrNotFound)
		}
		found = o.copy()
		return nil
	})
	return found, err
}

// Put is Bucket.Put of package cloud.
func (b *Bucket) Put(ctx context.Context, key string, body []byte, options zone.PutOptions) (written zone.Object, err error) {
	err = b.call("Put", key, func() error {
		written, err = b.write(ctx, "put", key, body, options)
		return err
	})
	if err != nil {
		return zone.Object{}, err
	}
	return written, nil
}

func (b *Bucket) write(ctx context.Context, verb, key string, body []byte, options zone.PutOptions) (zone.Object, error) {
	if err := ctx.Err(); err != nil {
		return zone.Object{}, b.fail(verb, key, err)
	}
	old, ok := b.newest(key)
	if c := options.Condition; c.IfAbsent && ok || c.IfMatch != "" && (!ok || c.IfMatch != old.ETag) {
		return zone.Object{}, b.fail(verb, key, zone.ErrCondition)
	}
	b.versions++
	o := object{body: slices.Clone(body), Object: zone.Object{
		Key:      key,
		Version:  fmt.Sprintf("v%d", b.versions),
		ETag:     fmt.Sprintf(`"etag-%d"`, b.versions), // of no two writes the same, whatever they write: so it is under KMS
		Size:     int64(len(body)),
		Metadata: maps.Clone(options.Metadata),
	}}
	if b.Now != nil {
		o.Modified = b.Now()
	}
	b.objects[key] = append(b.objects[key], o)
	return o.copy(), nil
}

// List is Bucket.List of package cloud.
func (b *Bucket) List(ctx context.Context, prefix, startAfter string) iter.Seq2[zone.Object, error] {
	return func(yield func(zone.Object, error) bool) {
		var found []zone.Object
		err := b.call("List", prefix, func() error {
			if err := ctx.Err(); err != nil {
				return b.fail("list", prefix, err)
			}
			for _, key := range slices.Sorted(maps.Keys(b.objects)) {
				if o, ok := b.newest(key); ok && strings.HasPrefix(key, prefix) && key > startAfter {
					listed := o.Object
					listed.Version, listed.Metadata = "", nil
					found = append(found, listed)
				}
			}
			return nil
		})
		if err != nil {
			yield(zone.Object{}, err)
			return
		}
		for _, o := range found {
			if !yield(o, nil) {
				return
			}
		}
	}
}

// Delete is Bucket.Delete of package cloud.
func (b *Bucket) Delete(ctx context.Context, key string, condition zone.Condition) error {
	return b.call("Delete", key, func() error {
		if err := ctx.Err(); err != nil {
			return b.fail("delete", key, err)
		}
		old, ok := b.newest(key)
		if !ok {
			return nil
		}
		if condition.IfMatch != "" && condition.IfMatch != old.ETag {
			return b.fail("delete", key, zone.ErrCondition)
		}
		b.versions++
		b.objects[key] = append(b.objects[key], object{deleted: true})
		return nil
	})
}
