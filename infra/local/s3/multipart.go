package s3

import (
	"crypto/md5" //nolint:gosec // a part's ETag is an MD5
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/johannesboyne/gofakes3"
)

// minPart is the least size of every part but the last.
const minPart = 5 << 20

// CreateMultipartUpload starts an upload.
func (s *Store) CreateMultipartUpload(name, key string, meta map[string]string) (gofakes3.UploadID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.bucket(name); err != nil {
		return "", err
	}
	id := gofakes3.UploadID(rand.Text())
	s.uploads[id] = &upload{bucket: name, key: key, started: s.now(), meta: keptHeaders(meta), parts: map[int]*part{}}
	return id, nil
}

// UploadPart stores a part.
func (s *Store) UploadPart(name, key string, id gofakes3.UploadID, number int, size int64, input io.Reader) (string, error) {
	return s.uploadPart(name, key, id, number, size, input, "")
}

func (s *Store) uploadPart(name, key string, id gofakes3.UploadID, number int, size int64, input io.Reader, checksum string) (string, error) {
	body, crc, err := readBody(input, size, checksum)
	if err != nil {
		return "", err
	}
	hash := md5.Sum(body) //nolint:gosec // as above
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.upload(name, key, id)
	if err != nil {
		return "", err
	}
	etag := gofakes3.FormatETag(hash[:])
	u.parts[number] = &part{body: body, etag: etag, crc: crc, modified: s.now()}
	return etag, nil
}

func (s *Store) upload(name, key string, id gofakes3.UploadID) (*upload, error) {
	u, ok := s.uploads[id]
	if !ok || u.bucket != name || u.key != key {
		return nil, gofakes3.ErrNoSuchUpload
	}
	return u, nil
}

// AbortMultipartUpload drops an upload and its parts.
func (s *Store) AbortMultipartUpload(name, key string, id gofakes3.UploadID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.upload(name, key, id); err != nil {
		return err
	}
	delete(s.uploads, id)
	return nil
}

// CompleteMultipartUpload makes the object without a condition.
func (s *Store) CompleteMultipartUpload(name, key string, id gofakes3.UploadID, in *gofakes3.CompleteMultipartUploadRequest) (gofakes3.VersionID, string, error) {
	o, err := s.complete(name, key, id, in.Parts, Condition{})
	return gofakes3.VersionID(o.Version), o.ETag, err
}

// complete makes the object out of the listed parts. When the condition does not hold, the upload stays.
func (s *Store) complete(name, key string, id gofakes3.UploadID, listed []gofakes3.CompletedPart, condition Condition) (Object, error) {
	s.mu.RLock()
	u, err := s.upload(name, key, id)
	if err != nil {
		s.mu.RUnlock()
		return Object{}, err
	}
	parts := maps.Clone(u.parts)
	s.mu.RUnlock()

	if len(listed) == 0 {
		return Object{}, gofakes3.ErrorMessage(gofakes3.ErrMalformedXML, "You must specify at least one part")
	}
	for i := range listed[1:] {
		if listed[i+1].PartNumber <= listed[i].PartNumber {
			return Object{}, gofakes3.ErrInvalidPartOrder
		}
	}
	var body []byte
	var sums []byte
	for i, l := range listed {
		p, ok := parts[l.PartNumber]
		switch {
		case !ok || strings.Trim(p.etag, `"`) != strings.Trim(l.ETag, `"`):
			return Object{}, gofakes3.ErrorMessagef(gofakes3.ErrInvalidPart, "Part %d was not uploaded or has another ETag", l.PartNumber)
		case i < len(listed)-1 && len(p.body) < minPart:
			return Object{}, gofakes3.ErrorMessagef("EntityTooSmall", "Part %d has %d bytes: less than 5 MiB and not the last", l.PartNumber, len(p.body))
		}
		body = append(body, p.body...)
		sums = binary.BigEndian.AppendUint32(sums, p.crc)
	}
	checksum := fmt.Sprintf("%s-%d", encodeCRC(crc32.ChecksumIEEE(sums)), len(listed))
	o, err := s.put(name, key, body, u.meta, condition, checksum)
	if err != nil {
		return Object{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.uploads, id)
	return o, nil
}

// ListMultipartUploads lists uploads that are neither completed nor aborted.
func (s *Store) ListMultipartUploads(name string, _ *gofakes3.UploadListMarker, prefix gofakes3.Prefix, _ int64) (*gofakes3.ListMultipartUploadsResult, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	result := &gofakes3.ListMultipartUploadsResult{Bucket: name, Prefix: prefix.Prefix}
	for id, u := range s.uploads {
		if u.bucket == name && strings.HasPrefix(u.key, prefix.Prefix) {
			result.Uploads = append(result.Uploads, gofakes3.ListMultipartUploadItem{Key: u.key, UploadID: id, Initiated: gofakes3.NewContentTime(u.started)})
		}
	}
	slices.SortFunc(result.Uploads, func(a, b gofakes3.ListMultipartUploadItem) int {
		return strings.Compare(a.Key+"\x00"+string(a.UploadID), b.Key+"\x00"+string(b.UploadID))
	})
	return result, nil
}

// ListParts lists the parts of an upload.
func (s *Store) ListParts(name, key string, id gofakes3.UploadID, marker int, limit int64) (*gofakes3.ListMultipartUploadPartsResult, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u, err := s.upload(name, key, id)
	if err != nil {
		return nil, err
	}
	result := &gofakes3.ListMultipartUploadPartsResult{Bucket: name, Key: key, UploadID: id, PartNumberMarker: marker, MaxParts: limit}
	for _, number := range slices.Sorted(maps.Keys(u.parts)) {
		if number <= marker {
			continue
		}
		if int64(len(result.Parts)) == limit {
			result.IsTruncated = true
			break
		}
		p := u.parts[number]
		result.NextPartNumberMarker = number
		result.Parts = append(result.Parts, gofakes3.ListMultipartUploadPartItem{PartNumber: number, ETag: p.etag, Size: int64(len(p.body)), LastModified: gofakes3.NewContentTime(p.modified)})
	}
	return result, nil
}
