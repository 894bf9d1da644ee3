package s3

import (
	"bytes"
	"crypto/rand"
	"io"
	"slices"
	"strings"

	"github.com/johannesboyne/gofakes3"
)

// ListBuckets lists the buckets.
func (s *Store) ListBuckets() ([]gofakes3.BucketInfo, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []gofakes3.BucketInfo
	for name, b := range s.buckets {
		list = append(list, gofakes3.BucketInfo{Name: name, CreationDate: gofakes3.NewContentTime(b.created)})
	}
	slices.SortFunc(list, func(a, b gofakes3.BucketInfo) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// CreateBucket makes a bucket without versions.
func (s *Store) CreateBucket(name string) error {
	if err := gofakes3.ValidateBucketName(name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.buckets[name]; ok {
		return gofakes3.ResourceError(gofakes3.ErrBucketAlreadyExists, name)
	}
	s.buckets[name] = &bucket{created: s.now(), objects: map[string][]*Object{}}
	return nil
}

// BucketExists tells whether there is such a bucket.
func (s *Store) BucketExists(name string) (bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.buckets[name]
	return ok, nil
}

// DeleteBucket removes an empty bucket.
func (s *Store) DeleteBucket(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bucket(name)
	if err != nil {
		return err
	}
	if len(b.keys) > 0 {
		return gofakes3.ResourceError(gofakes3.ErrBucketNotEmpty, name)
	}
	delete(s.buckets, name)
	return nil
}

// ForceDeleteBucket removes a bucket with all it holds.
func (s *Store) ForceDeleteBucket(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.bucket(name); err != nil {
		return err
	}
	delete(s.buckets, name)
	return nil
}

// ListBucket lists current objects.
func (s *Store) ListBucket(name string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	if prefix == nil {
		prefix = &gofakes3.Prefix{}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, err := s.bucket(name)
	if err != nil {
		return nil, err
	}
	start, _ := slices.BinarySearch(b.keys, max(prefix.Prefix, page.Marker))
	list, count, folder := gofakes3.NewObjectList(), int64(0), ""
	for _, key := range b.keys[start:] {
		if !strings.HasPrefix(key, prefix.Prefix) {
			break
		}
		var match gofakes3.PrefixMatch
		o := b.current(key)
		if o == nil || page.Marker != "" && key <= page.Marker || !prefix.Match(key, &match) {
			continue
		}
		if match.CommonPrefix && (match.MatchedPart == folder || strings.HasPrefix(page.Marker, match.MatchedPart)) {
			continue
		}
		if page.MaxKeys > 0 && count == page.MaxKeys {
			list.IsTruncated = true
			break
		}
		count++
		list.NextMarker = key
		if match.CommonPrefix {
			folder = match.MatchedPart
			list.AddPrefix(folder)
			continue
		}
		list.Add(&gofakes3.Content{Key: key, LastModified: gofakes3.NewContentTime(o.Modified), ETag: o.ETag, Size: o.Size})
	}
	if !list.IsTruncated {
		list.NextMarker = ""
	}
	return list, nil
}

// ListBucketVersions lists all versions, newest first within a key.
func (s *Store) ListBucketVersions(name string, prefix *gofakes3.Prefix, page *gofakes3.ListBucketVersionsPage) (*gofakes3.ListBucketVersionsResult, error) {
	if prefix == nil {
		prefix = &gofakes3.Prefix{}
	}
	if page == nil {
		page = &gofakes3.ListBucketVersionsPage{}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	result := gofakes3.NewListBucketVersionsResult(name, prefix, page)
	b, err := s.bucket(name)
	if err != nil {
		return result, err
	}
	for _, key := range b.keys {
		var match gofakes3.PrefixMatch
		if key < page.KeyMarker || !prefix.Match(key, &match) {
			continue
		}
		if match.CommonPrefix {
			result.AddPrefix(match.MatchedPart)
			continue
		}
		versions := b.objects[key]
		past := key != page.KeyMarker // false: skip up to the marker's version
		for i := len(versions) - 1; i >= 0; i-- {
			v := versions[i]
			if !past {
				past = v.Version == string(page.VersionIDMarker)
				continue
			}
			if page.MaxKeys > 0 && int64(len(result.Versions)) == page.MaxKeys {
				result.IsTruncated = true
				return result, nil
			}
			result.NextKeyMarker, result.NextVersionIDMarker = key, gofakes3.VersionID(v.Version)
			if v.deleted {
				result.Versions = append(result.Versions, &gofakes3.DeleteMarker{Key: key, VersionID: gofakes3.VersionID(v.Version),
					IsLatest: i == len(versions)-1, LastModified: gofakes3.NewContentTime(v.Modified)})
				continue
			}
			result.Versions = append(result.Versions, &gofakes3.Version{Key: key, VersionID: gofakes3.VersionID(v.Version),
				IsLatest: i == len(versions)-1, LastModified: gofakes3.NewContentTime(v.Modified), Size: v.Size, ETag: v.ETag})
		}
	}
	result.NextKeyMarker, result.NextVersionIDMarker = "", ""
	return result, nil
}

// GetObject reads the current version.
func (s *Store) GetObject(name, key string, requested *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	return s.GetObjectVersion(name, key, "", requested)
}

// HeadObject describes the current version.
func (s *Store) HeadObject(name, key string) (*gofakes3.Object, error) {
	return s.HeadObjectVersion(name, key, "")
}

// HeadObjectVersion describes a version.
func (s *Store) HeadObjectVersion(name, key string, version gofakes3.VersionID) (*gofakes3.Object, error) {
	o, err := s.GetObjectVersion(name, key, version, nil)
	if err != nil {
		return nil, err
	}
	o.Contents = io.NopCloser(strings.NewReader(""))
	return o, nil
}

// GetObjectVersion reads a version, or a range of it.
func (s *Store) GetObjectVersion(name, key string, version gofakes3.VersionID, requested *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, err := s.find(name, key, string(version))
	if err != nil {
		return nil, err
	}
	span, err := requested.Range(o.Size)
	if err != nil {
		return nil, err
	}
	headers, body := o.headers(), o.body
	if span != nil {
		body = body[span.Start : span.Start+span.Length]
		delete(headers, checksumHeader) // of the whole object
	}
	return &gofakes3.Object{Name: key, Metadata: headers, Size: o.Size, Contents: io.NopCloser(bytes.NewReader(body)), Hash: o.hash,
		Range: span, VersionID: gofakes3.VersionID(o.Version), IsDeleteMarker: o.deleted}, nil
}

// PutObject writes an object as gofakes3 received it.
func (s *Store) PutObject(name, key string, meta map[string]string, input io.Reader, size int64, conditions *gofakes3.PutConditions) (gofakes3.PutObjectResult, error) {
	body, _, err := readBody(input, size, meta[checksumHeader])
	if err != nil {
		return gofakes3.PutObjectResult{}, err
	}
	var c Condition
	if conditions != nil && conditions.IfMatch != nil {
		c.IfMatch = *conditions.IfMatch
	}
	if conditions != nil && conditions.IfNoneMatch != nil {
		c.IfNoneMatch = *conditions.IfNoneMatch
	}
	o, err := s.Put(name, key, body, keptHeaders(meta), c)
	return gofakes3.PutObjectResult{VersionID: gofakes3.VersionID(o.Version)}, err
}

// CopyObject copies the current version.
func (s *Store) CopyObject(fromBucket, fromKey, name, key string, meta map[string]string) (gofakes3.CopyObjectResult, error) {
	from, err := s.Object(fromBucket, fromKey)
	if err != nil {
		return gofakes3.CopyObjectResult{}, err
	}
	o, err := s.Put(name, key, from.body, keptHeaders(meta), Condition{})
	return gofakes3.CopyObjectResult{ETag: o.ETag, LastModified: gofakes3.NewContentTime(o.Modified)}, err
}

// DeleteObject removes the object, or marks it as deleted where the bucket has versions.
func (s *Store) DeleteObject(name, key string) (gofakes3.ObjectDeleteResult, error) {
	return s.remove(name, key, Condition{})
}

func (s *Store) remove(name, key string, condition Condition) (gofakes3.ObjectDeleteResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bucket(name)
	if err != nil {
		return gofakes3.ObjectDeleteResult{}, err
	}
	if err := b.check(key, condition); err != nil {
		return gofakes3.ObjectDeleteResult{}, err
	}
	if b.versioning == gofakes3.VersioningNone {
		b.forget(key, func(*Object) bool { return true })
		return gofakes3.ObjectDeleteResult{}, nil
	}
	marker := &Object{Bucket: name, Key: key, Modified: s.now().UTC(), deleted: true}
	if b.versioning == gofakes3.VersioningEnabled {
		marker.Version = rand.Text()
	}
	b.add(marker)
	return gofakes3.ObjectDeleteResult{IsDeleteMarker: true, VersionID: gofakes3.VersionID(marker.Version)}, nil
}

// DeleteObjectVersion removes a version for good.
func (s *Store) DeleteObjectVersion(name, key string, version gofakes3.VersionID) (gofakes3.ObjectDeleteResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bucket(name)
	if err != nil {
		return gofakes3.ObjectDeleteResult{}, err
	}
	result := gofakes3.ObjectDeleteResult{VersionID: version}
	b.forget(key, func(o *Object) bool {
		if o.Version != string(version) {
			return false
		}
		result.IsDeleteMarker = o.deleted
		return true
	})
	return result, nil
}

// DeleteMulti removes several objects.
func (s *Store) DeleteMulti(name string, keys ...string) (gofakes3.MultiDeleteResult, error) {
	ids := make([]gofakes3.ObjectID, len(keys))
	for i, key := range keys {
		ids[i].Key = key
	}
	return s.DeleteMultiVersions(name, ids...)
}

// DeleteMultiVersions removes several objects or versions.
func (s *Store) DeleteMultiVersions(name string, ids ...gofakes3.ObjectID) (gofakes3.MultiDeleteResult, error) {
	var result gofakes3.MultiDeleteResult
	for _, id := range ids {
		var err error
		if id.VersionID != "" {
			_, err = s.DeleteObjectVersion(name, id.Key, gofakes3.VersionID(id.VersionID))
		} else {
			_, err = s.DeleteObject(name, id.Key)
		}
		if err != nil {
			return result, err
		}
		result.Deleted = append(result.Deleted, id)
	}
	return result, nil
}

// VersioningConfiguration tells whether a bucket has versions.
func (s *Store) VersioningConfiguration(name string) (gofakes3.VersioningConfiguration, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, err := s.bucket(name)
	if err != nil {
		return gofakes3.VersioningConfiguration{}, err
	}
	return gofakes3.VersioningConfiguration{Status: b.versioning}, nil
}

// SetVersioningConfiguration switches versions on or off.
func (s *Store) SetVersioningConfiguration(name string, v gofakes3.VersioningConfiguration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bucket(name)
	if err != nil {
		return err
	}
	b.versioning = v.Status
	return nil
}
