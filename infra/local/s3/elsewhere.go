package s3

import (
	"bytes"
	"context"
	"net/http"
	"sync/atomic"

	"tributary/infra/local/iam"
)

// Elsewhere is S3 whose objects another S3 holds. The store has its buckets alone, and how they are encrypted.
type Elsewhere struct {
	Store   *Store
	Holder  http.Handler // passes requests on
	Stat    func(ctx context.Context, bucket, key, version string) (o Object, there bool, err error)
	Created func(r *http.Request, e Event) // as that of NewHandler

	sequence atomic.Uint64 // of events
}

// Needs lists the permissions that a request needs.
func (e *Elsewhere) Needs(r *http.Request) ([]iam.Need, error) {
	var failed error
	needs := e.Store.needs(r, func(t target) bool {
		_, there, err := e.Stat(r.Context(), t.bucket, t.key, t.version)
		failed = err
		return there
	})
	return needs, failed
}

var created = map[operation]string{opPut: "Put", opCopy: "Copy", opComplete: "CompleteMultipartUpload"}

// ServeHTTP passes a request on that was authorized, and tells of the object that it created before the client knows.
func (e *Elsewhere) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := parse(r)
	name, creates := created[t.operation]
	switch {
	case t.action == "":
		WriteError(w, r, http.StatusNotImplemented, "NotImplemented", "A header or query you provided implies functionality that is not implemented.")
		return
	case !creates:
		e.Holder.ServeHTTP(w, r)
		return
	}
	answer := &capture{header: http.Header{}, status: http.StatusOK}
	e.Holder.ServeHTTP(answer, r)
	if answer.status == http.StatusOK && !bytes.Contains(answer.body.Bytes(), []byte("<Error>")) { // a completion may fail under 200
		o, there, err := e.Stat(r.Context(), t.bucket, t.key, answer.header.Get("X-Amz-Version-Id"))
		if err != nil {
			WriteError(w, r, http.StatusInternalServerError, "InternalError", err.Error())
			return
		}
		if there {
			o.sequence = e.sequence.Add(1)
			e.Created(r, newEvent(name, o))
		}
	}
	answer.writeTo(w)
}
