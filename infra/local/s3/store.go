// Package s3 is Amazon S3 in memory: versions, conditional writes, multipart uploads, checksums and event
// notifications. gofakes3 speaks the protocol; the store behind it is this package's, because gofakes3's own lets a
// replaced object keep the metadata of the former one, ignores conditions at the completion of multipart uploads and
// at deletion, and answers HEAD of a version with the newest one.
//
// A request passes through Handler, which tells the permissions it needs (Needs), mends what gofakes3 leaves out and
// emits an Event for each object that was created, before the client has its answer.
package s3

import (
	"bytes"
	"crypto/md5" //nolint:gosec // S3's ETag is an MD5
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"
)

// Object is a version of an object.
type Object struct {
	Bucket   string
	Key      string
	Version  string // "" where the bucket has no versions
	ETag     string // with quotes
	Size     int64
	Modified time.Time
	Metadata map[string]string // headers: X-Amz-Meta-…, Content-Type and their like

	body     []byte // never written again
	hash     []byte
	checksum string // CRC32, base64; of a multipart upload that of the parts' checksums, with their number
	sequence uint64
	deleted  bool // a delete marker
}

// Body reads the object's bytes.
func (o Object) Body() io.Reader { return bytes.NewReader(o.body) }

// Bytes returns the object's bytes, not to be written to.
func (o Object) Bytes() []byte { return o.body }

// With returns the object with its bytes.
func (o Object) With(body []byte) Object {
	o.body, o.Size = body, int64(len(body))
	return o
}

// Condition guards a write. The zero value writes in any case.
type Condition struct {
	IfNoneMatch string // * or empty
	IfMatch     string // an ETag or empty
}

// Store holds buckets. It is safe for concurrent use.
type Store struct {
	now func() time.Time

	mu       sync.RWMutex
	buckets  map[string]*bucket
	uploads  map[gofakes3.UploadID]*upload
	sequence uint64
}

type bucket struct {
	created    time.Time
	versioning gofakes3.VersioningStatus
	key        string   // ARN of the KMS key of default encryption
	bucketKey  bool     // data keys are the bucket's, not each object's
	keys       []string // sorted
	objects    map[string][]*Object
}

type upload struct {
	bucket, key string
	started     time.Time
	meta        map[string]string
	parts       map[int]*part
}

type part struct {
	body     []byte
	etag     string
	crc      uint32
	modified time.Time
}

var (
	_ gofakes3.Backend          = (*Store)(nil)
	_ gofakes3.VersionedBackend = (*Store)(nil)
	_ gofakes3.MultipartBackend = (*Store)(nil)
)

// NewStore makes an empty store.
func NewStore(now func() time.Time) *Store {
	return &Store{now: now, buckets: map[string]*bucket{}, uploads: map[gofakes3.UploadID]*upload{}}
}

// SetEncryption sets the default encryption of a bucket: nothing is encrypted, but requests need grants on the key,
// and ETags are no longer MD5s, as on AWS.
func (s *Store) SetEncryption(name, keyARN string, bucketKey bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bucket(name)
	if err != nil {
		return err
	}
	b.key, b.bucketKey = keyARN, bucketKey
	return nil
}

// Objects lists the current objects of a bucket by key.
func (s *Store) Objects(name string) ([]Object, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, err := s.bucket(name)
	if err != nil {
		return nil, err
	}
	objects := make([]Object, 0, len(b.keys))
	for _, key := range b.keys {
		if o := b.current(key); o != nil {
			objects = append(objects, *o)
		}
	}
	return objects, nil
}

// Object returns the current version of an object; the error wraps none of ours but carries S3's code.
func (s *Store) Object(name, key string) (Object, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, err := s.find(name, key, "")
	if err != nil {
		return Object{}, err
	}
	return *o, nil
}

// Put writes an object in one piece.
func (s *Store) Put(name, key string, body []byte, meta map[string]string, condition Condition) (Object, error) {
	return s.put(name, key, body, meta, condition, "")
}

func (s *Store) put(name, key string, body []byte, meta map[string]string, condition Condition, checksum string) (Object, error) {
	if checksum == "" {
		checksum = encodeCRC(crc32.ChecksumIEEE(body))
	}
	hash := md5.Sum(body) //nolint:gosec // as above
	o := &Object{Bucket: name, Key: key, Size: int64(len(body)), Metadata: meta, body: body, checksum: checksum}
	version := rand.Text()

	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bucket(name)
	if err != nil {
		return Object{}, err
	}
	if err := b.check(key, condition); err != nil {
		return Object{}, err
	}
	if b.key != "" {
		hash = md5.Sum([]byte(version)) //nolint:gosec // under KMS an ETag is no MD5 of the data
	}
	o.hash, o.ETag = hash[:], gofakes3.FormatETag(hash[:])
	o.Modified = s.now().UTC()
	s.sequence++
	o.sequence = s.sequence
	if b.versioning == gofakes3.VersioningEnabled {
		o.Version = version
	}
	b.add(o)
	return *o, nil
}

// check holds a condition against the current version; a delete marker counts as absent.
func (b *bucket) check(key string, c Condition) error {
	current := b.current(key)
	switch {
	case c.IfNoneMatch != "" && c.IfNoneMatch != "*":
		return gofakes3.ErrorMessage(gofakes3.ErrNotImplemented, "If-None-Match takes * only")
	case c.IfNoneMatch != "" && current != nil:
		return gofakes3.ErrorMessage(gofakes3.ErrPreconditionFailed, "At least one of the pre-conditions you specified did not hold")
	case c.IfMatch != "" && current == nil:
		return gofakes3.KeyNotFound(key)
	case c.IfMatch != "" && strings.Trim(c.IfMatch, `"`) != strings.Trim(current.ETag, `"`):
		return gofakes3.ErrorMessage(gofakes3.ErrPreconditionFailed, "At least one of the pre-conditions you specified did not hold")
	}
	return nil
}

func (b *bucket) current(key string) *Object {
	versions := b.objects[key]
	if len(versions) == 0 || versions[len(versions)-1].deleted {
		return nil
	}
	return versions[len(versions)-1]
}

// add makes o the newest version. Without versions it replaces the one without an id.
func (b *bucket) add(o *Object) {
	if i, found := slices.BinarySearch(b.keys, o.Key); !found {
		b.keys = slices.Insert(b.keys, i, o.Key)
	}
	versions := b.objects[o.Key]
	if o.Version == "" {
		versions = slices.DeleteFunc(versions, func(old *Object) bool { return old.Version == "" })
	}
	b.objects[o.Key] = append(versions, o)
}

// forget removes the versions that fit; a key without versions is gone.
func (b *bucket) forget(key string, fits func(*Object) bool) {
	left := slices.DeleteFunc(b.objects[key], fits)
	if len(left) > 0 {
		b.objects[key] = left
		return
	}
	delete(b.objects, key)
	if i, found := slices.BinarySearch(b.keys, key); found {
		b.keys = slices.Delete(b.keys, i, i+1)
	}
}

func (s *Store) bucket(name string) (*bucket, error) {
	b, ok := s.buckets[name]
	if !ok {
		return nil, gofakes3.BucketNotFound(name)
	}
	return b, nil
}

func (s *Store) find(name, key, version string) (*Object, error) {
	b, err := s.bucket(name)
	if err != nil {
		return nil, err
	}
	if version == "" {
		if o := b.current(key); o != nil {
			return o, nil
		}
		return nil, gofakes3.KeyNotFound(key)
	}
	for _, o := range b.objects[key] {
		if o.Version == version {
			return o, nil
		}
	}
	return nil, gofakes3.ResourceError(gofakes3.ErrNoSuchVersion, key)
}

// keptHeaders are the headers of a write that come back with the object.
func keptHeaders(headers map[string]string) map[string]string {
	kept := map[string]string{}
	for name, value := range headers {
		if strings.HasPrefix(name, "X-Amz-Meta-") || strings.HasPrefix(name, "Content-") {
			kept[name] = value
		}
	}
	return kept
}

const checksumHeader = "X-Amz-Checksum-Crc32"

// readBody reads what a client sent and checks it against the checksum that came with it.
func readBody(input io.Reader, size int64, checksum string) ([]byte, uint32, error) {
	buffer := bytes.NewBuffer(make([]byte, 0, max(size, 0)+bytes.MinRead)) // ReadFrom never has to grow it
	if _, err := buffer.ReadFrom(input); err != nil {
		return nil, 0, fmt.Errorf("read body: %w", err)
	}
	if int64(buffer.Len()) != size {
		return nil, 0, gofakes3.ErrIncompleteBody
	}
	crc := crc32.ChecksumIEEE(buffer.Bytes())
	if checksum != "" && checksum != encodeCRC(crc) {
		return nil, 0, gofakes3.ErrorMessage(gofakes3.ErrBadDigest, "The CRC32 you specified did not match the calculated checksum")
	}
	return buffer.Bytes(), crc, nil
}

func encodeCRC(crc uint32) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc))
}

// headers are what a GET or HEAD of the object answers beside length and ETag.
func (o *Object) headers() map[string]string {
	headers := map[string]string{"Last-Modified": o.Modified.Format(http.TimeFormat), checksumHeader: o.checksum}
	if strings.Contains(o.checksum, "-") {
		headers["X-Amz-Checksum-Type"] = "COMPOSITE"
	} else {
		headers["X-Amz-Checksum-Type"] = "FULL_OBJECT"
	}
	for name, value := range o.Metadata {
		headers[name] = value
	}
	return headers
}
