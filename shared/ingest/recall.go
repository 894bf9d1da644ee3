package ingest

import (
	"bytes"
	"context"
	"io"
	"iter"
	"sync"

	"tributary/shared/ledger"
	"tributary/shared/zone"
)

// recall is the bucket of the audit rows with a memory: a row that the listing shows unchanged is not read again. A run a
// minute would otherwise read 4320 rows each minute to find that nothing was lost.
type recall struct {
	audit ledger.Audit

	mu     sync.Mutex
	listed map[string]string // ETags by key
	before map[string]row    // of the look before
	now    map[string]row
}

type row struct {
	zone.Object
	body []byte
}

// begin starts a look at the bucket.
func (r *recall) begin(audit ledger.Audit) *recall {
	r.audit, r.listed, r.now = audit, map[string]string{}, map[string]row{}
	return r
}

// end forgets the rows that this look did not need.
func (r *recall) end() { r.before = r.now }

// List passes the listing on.
func (r *recall) List(ctx context.Context, prefix, startAfter string) iter.Seq2[zone.Object, error] {
	return func(yield func(zone.Object, error) bool) {
		for object, err := range r.audit.List(ctx, prefix, startAfter) {
			if err == nil {
				r.mu.Lock()
				r.listed[object.Key] = object.ETag
				r.mu.Unlock()
			}
			if !yield(object, err) {
				return
			}
		}
	}
}

// Get reads a row, or gives the one that was read before.
func (r *recall) Get(ctx context.Context, key, version string) (io.ReadCloser, zone.Object, error) {
	r.mu.Lock()
	known, ok := r.before[key]
	same := ok && version == "" && known.ETag == r.listed[key]
	r.mu.Unlock()
	if !same {
		body, object, err := r.audit.Get(ctx, key, version)
		if err != nil {
			return nil, zone.Object{}, err
		}
		defer body.Close()
		known = row{Object: object}
		if known.body, err = io.ReadAll(body); err != nil {
			return nil, zone.Object{}, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now[key] = known
	return io.NopCloser(bytes.NewReader(known.body)), known.Object, nil
}
