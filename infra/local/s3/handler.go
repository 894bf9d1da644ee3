package s3

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/johannesboyne/gofakes3"

	"tributary/infra/local/iam"
)

// Handler answers S3's REST API with paths of the form /bucket/key. It does not authorize: its caller asks Needs first.
type Handler struct {
	store   *Store
	created func(Event)
	fake    http.Handler
}

// NewHandler makes the handler of a store. created is called for each object that a request created, before the client
// has the answer; the event lacks what only the caller knows (who asked, from where, the region).
func NewHandler(store *Store, created func(r *http.Request, e Event)) http.Handler {
	fake := gofakes3.New(store, gofakes3.WithTimeSkewLimit(0), gofakes3.WithUnimplementedPageError()).Server()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := &Handler{store: store, fake: fake, created: func(e Event) { created(r, e) }}
		h.serve(w, r)
	})
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	if err := unchunk(r); err != nil {
		WriteError(w, r, http.StatusBadRequest, "InvalidRequest", err.Error())
		return
	}
	target := parse(r)
	switch {
	case target.action == "":
		WriteError(w, r, http.StatusNotImplemented, "NotImplemented", "A header or query you provided implies functionality that is not implemented.")
	case target.operation == opPut || target.operation == opCopy:
		h.put(w, r, target)
	case target.operation == opUploadPart:
		h.uploadPart(w, r, target)
	case target.operation == opComplete:
		h.complete(w, r, target)
	case target.operation == opDelete && r.Header.Get("If-Match") != "":
		h.deleteIf(w, r, target)
	case r.Method == http.MethodHead && target.version != "":
		h.headVersion(w, r, target)
	default:
		h.fake.ServeHTTP(w, r)
	}
}

// put lets gofakes3 write the object and holds its answer back until the event is out.
func (h *Handler) put(w http.ResponseWriter, r *http.Request, t target) {
	answer := &capture{header: http.Header{}, status: http.StatusOK}
	h.fake.ServeHTTP(answer, r)
	if answer.status == http.StatusOK {
		version := answer.header.Get("X-Amz-Version-Id")
		name := "Put"
		if t.operation == opCopy {
			name = "Copy" // gofakes3 answers with the version of the source
			version = ""
		}
		h.store.mu.RLock()
		o, err := h.store.find(t.bucket, t.key, version)
		h.store.mu.RUnlock()
		if err == nil {
			answer.header.Set("ETag", o.ETag)
			if o.Version != "" {
				answer.header.Set("X-Amz-Version-Id", o.Version)
			}
			h.created(newEvent(name, *o))
		}
	}
	answer.writeTo(w)
}

func (h *Handler) uploadPart(w http.ResponseWriter, r *http.Request, t target) {
	number, err := strconv.Atoi(r.URL.Query().Get("partNumber"))
	if err != nil || number < 1 || number > gofakes3.MaxUploadPartNumber {
		WriteError(w, r, http.StatusBadRequest, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
		return
	}
	etag, err := h.store.uploadPart(t.bucket, t.key, t.upload, number, r.ContentLength, r.Body, r.Header.Get(checksumHeader))
	if err != nil {
		writeFault(w, r, err)
		return
	}
	w.Header().Set("ETag", etag)
	w.WriteHeader(http.StatusOK)
}

func (h *Handler) complete(w http.ResponseWriter, r *http.Request, t target) {
	var in gofakes3.CompleteMultipartUploadRequest
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = xml.Unmarshal(body, &in)
	}
	if err != nil {
		WriteError(w, r, http.StatusBadRequest, "MalformedXML", err.Error())
		return
	}
	condition := Condition{IfNoneMatch: r.Header.Get("If-None-Match"), IfMatch: r.Header.Get("If-Match")}
	o, err := h.store.complete(t.bucket, t.key, t.upload, in.Parts, condition)
	if err != nil {
		writeFault(w, r, err)
		return
	}
	h.created(newEvent("CompleteMultipartUpload", o))
	if o.Version != "" {
		w.Header().Set("X-Amz-Version-Id", o.Version)
	}
	writeXML(w, http.StatusOK, gofakes3.CompleteMultipartUploadResult{Bucket: t.bucket, Key: t.key, ETag: o.ETag, Location: "http://" + r.Host + r.URL.Path})
}

// deleteIf removes an object that is still the one meant; gofakes3 does not look at the condition.
func (h *Handler) deleteIf(w http.ResponseWriter, r *http.Request, t target) {
	removed, err := h.store.remove(t.bucket, t.key, Condition{IfMatch: r.Header.Get("If-Match")})
	if err != nil {
		writeFault(w, r, err)
		return
	}
	if removed.IsDeleteMarker {
		w.Header().Set("X-Amz-Delete-Marker", "true")
		w.Header().Set("X-Amz-Version-Id", string(removed.VersionID))
	}
	w.WriteHeader(http.StatusNoContent)
}

func (h *Handler) headVersion(w http.ResponseWriter, r *http.Request, t target) {
	h.store.mu.RLock()
	o, err := h.store.find(t.bucket, t.key, t.version)
	h.store.mu.RUnlock()
	if err != nil {
		writeFault(w, r, err)
		return
	}
	w.Header().Set("X-Amz-Version-Id", o.Version)
	if o.deleted {
		w.Header().Set("X-Amz-Delete-Marker", "true")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	for name, value := range o.headers() {
		w.Header().Set(name, value)
	}
	w.Header().Set("ETag", o.ETag)
	w.Header().Set("Content-Length", strconv.FormatInt(o.Size, 10))
	w.WriteHeader(http.StatusOK)
}

// Needs lists the permissions that a request needs.
func (s *Store) Needs(r *http.Request) []iam.Need {
	return s.needs(r, func(t target) bool {
		_, err := s.find(t.bucket, t.key, t.version)
		return err == nil
	})
}

// needs asks whether an object is there, with the store locked.
func (s *Store) needs(r *http.Request, there func(target) bool) []iam.Need {
	t := parse(r)
	if t.action == "" {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	needs := []iam.Need{{Action: t.action, Resource: t.arn(), Context: t.context(r)}}
	b, exists := s.buckets[t.bucket]
	use := func(operations ...string) {
		if exists && b.key != "" {
			of := t.arn()
			if b.bucketKey {
				of = "arn:aws:s3:::" + t.bucket
			}
			needs = append(needs, iam.KeyUse{Key: b.key, Service: "s3", Context: map[string]string{"aws:s3:arn": of}}.Needs(operations...)...)
		}
	}
	switch t.operation {
	case opGet, opGetVersion:
		if exists && !there(t) {
			// Without ListBucket a missing key is 403, not 404.
			return append(needs, iam.Need{Action: "s3:ListBucket", Resource: "arn:aws:s3:::" + t.bucket})
		}
		use("Decrypt")
	case opPut:
		use("GenerateDataKey")
	case opCreateUpload, opUploadPart, opComplete:
		use("GenerateDataKey", "Decrypt")
	case opCopy:
		use("GenerateDataKey", "Decrypt")
		from := strings.TrimPrefix(r.Header.Get("X-Amz-Copy-Source"), "/")
		needs = append(needs, iam.Need{Action: "s3:GetObject", Resource: "arn:aws:s3:::" + from})
	case opDeleteMulti:
		return s.deleteNeeds(r, t)
	case opDelete, opOther:
	}
	switch t.operation {
	case opPut, opComplete, opDelete:
		if r.Header.Get("If-Match") != "" {
			needs = append(needs, iam.Need{Action: "s3:GetObject", Resource: t.arn()})
		}
	default:
	}
	return needs
}

// deleteNeeds asks for every key of a DeleteObjects request. AWS answers key by key; here one refusal refuses all.
func (s *Store) deleteNeeds(r *http.Request, t target) []iam.Need {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var in gofakes3.DeleteRequest
	if err != nil || xml.Unmarshal(body, &in) != nil {
		return nil
	}
	needs := make([]iam.Need, 0, len(in.Objects))
	for _, id := range in.Objects {
		action := "s3:DeleteObject"
		if id.VersionID != "" {
			action = "s3:DeleteObjectVersion"
		}
		needs = append(needs, iam.Need{Action: action, Resource: "arn:aws:s3:::" + t.bucket + "/" + id.Key})
	}
	return needs
}

// WriteError answers with an error in S3's form.
func WriteError(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	if r.Method == http.MethodHead {
		w.WriteHeader(status)
		return
	}
	writeXML(w, status, struct {
		XMLName  xml.Name `xml:"Error"`
		Code     string
		Message  string
		Resource string
	}{Code: code, Message: message, Resource: r.URL.Path})
}

func writeFault(w http.ResponseWriter, r *http.Request, err error) {
	code, message := gofakes3.ErrInternal, err.Error()
	var fault gofakes3.Error
	if errors.As(err, &fault) {
		code = fault.ErrorCode()
	} else {
		errors.As(err, &code)
	}
	status := code.Status()
	if code == "EntityTooSmall" {
		status = http.StatusBadRequest
	}
	WriteError(w, r, status, string(code), message)
}

func writeXML(w http.ResponseWriter, status int, body any) {
	encoded, err := xml.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = w.Write(append([]byte(xml.Header), encoded...)) // a client that went away needs no answer
}

// capture holds an answer back.
type capture struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (c *capture) Header() http.Header         { return c.header }
func (c *capture) WriteHeader(status int)      { c.status = status }
func (c *capture) Write(p []byte) (int, error) { return c.body.Write(p) }

func (c *capture) writeTo(w http.ResponseWriter) {
	for name, values := range c.header {
		w.Header()[name] = values
	}
	w.WriteHeader(c.status)
	_, _ = w.Write(c.body.Bytes()) // as above
}
