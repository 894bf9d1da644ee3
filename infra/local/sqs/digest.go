package sqs

import (
	"crypto/md5" //nolint:gosec // SQS gives the MD5 of a message
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

// attributesDigest is the MD5 of message attributes as SQS encodes them for it: sorted by name; length and text of the
// name, then of the type, a byte for the transport type, length and bytes of the value.
func attributesDigest(attributes map[string]Attribute) string {
	hash := md5.New() //nolint:gosec // as above
	put := func(b []byte) {
		hash.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
		hash.Write(b)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		put([]byte(name))
		put([]byte(a.DataType))
		if strings.HasPrefix(a.DataType, "Binary") {
			hash.Write([]byte{2})
			put(a.BinaryValue)
		} else {
			hash.Write([]byte{1})
			put([]byte(a.StringValue))
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}
