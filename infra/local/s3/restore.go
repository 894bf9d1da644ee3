package s3

import (
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/johannesboyne/gofakes3"
)

// Restore puts back an object that an earlier store held, with its version, ETag and time. No event is sent.
func (s *Store) Restore(o Object, body []byte) error {
	hash, err := hex.DecodeString(strings.Trim(o.ETag, `"`))
	if err != nil {
		return fmt.Errorf("restore %s/%s: ETag %s is not hexadecimal: %w", o.Bucket, o.Key, o.ETag, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.bucket(o.Bucket)
	if err != nil {
		return fmt.Errorf("restore %s/%s: %w", o.Bucket, o.Key, err)
	}
	if b.versioning != gofakes3.VersioningEnabled {
		o.Version = ""
	}
	o.body, o.Size, o.hash, o.deleted = body, int64(len(body)), hash, false
	o.Modified, o.checksum = o.Modified.UTC(), encodeCRC(crc32.ChecksumIEEE(body))
	s.sequence++
	o.sequence = s.sequence
	b.add(&o)
	return nil
}
