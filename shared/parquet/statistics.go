package parquet

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"

	format "github.com/xitongsys/parquet-go/parquet"

	"tributary/shared/record"
)

// maxBound is the longest string that is given as a bound. Of a chunk with a longer one both bounds are left out: the
// format of the library cannot say that a bound was cut, and a cut one would be taken for a value.
const maxBound = 256

// statistics are the null count and the bounds of one chunk, in the order that Parquet defines for its type.
type statistics struct {
	nulls  int64
	values bool // a value was seen
	nan    bool // a NaN was seen: there are no bounds

	minInt, maxInt     int64
	minFloat, maxFloat float64
	minBytes, maxBytes []byte // copies
}

func (s *statistics) reset() {
	*s = statistics{minBytes: s.minBytes[:0], maxBytes: s.maxBytes[:0]}
}

func (s *statistics) ints(low, high int64) {
	if !s.values {
		s.minInt, s.maxInt, s.values = low, high, true
		return
	}
	s.minInt, s.maxInt = min(s.minInt, low), max(s.maxInt, high)
}

func (s *statistics) int64s(values []int64) {
	if len(values) > 0 {
		s.ints(bounds(values))
	}
}

func (s *statistics) int32s(values []int32) {
	if len(values) > 0 {
		low, high := bounds(values)
		s.ints(int64(low), int64(high))
	}
}

func (s *statistics) bools(values []byte) {
	if len(values) > 0 {
		low, high := bounds(values)
		s.ints(int64(low), int64(high))
	}
}

func bounds[T cmp.Ordered](values []T) (low, high T) {
	low, high = values[0], values[0]
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	return low, high
}

// floats leaves a chunk with a NaN without bounds: readers do not agree on where NaN lies, and bounds that leave it
// out lose rows in the one that takes it for the greatest. Doubles are compared by their bits, as numbers of the same
// order: that takes no branch, and NaN lies outside the infinities.
func (s *statistics) floats(values []float64) {
	if s.nan || len(values) == 0 {
		return
	}
	first := floatOrder(values[0])
	low, high := first, first
	for _, v := range values {
		o := floatOrder(v)
		low, high = min(low, o), max(high, o)
	}
	if low < floatOrder(math.Inf(-1)) || high > floatOrder(math.Inf(1)) {
		s.nan = true
		return
	}
	least, greatest := floatOf(low), floatOf(high)
	if !s.values {
		s.minFloat, s.maxFloat, s.values = least, greatest, true
		return
	}
	s.minFloat, s.maxFloat = min(s.minFloat, least), max(s.maxFloat, greatest)
}

// floatOrder maps a double to an integer of the same order: the bits of a negative one but its sign are turned over.
func floatOrder(v float64) int64 {
	b := int64(math.Float64bits(v))
	return b ^ int64(uint64(b>>63)>>1)
}

func floatOf(order int64) float64 {
	return math.Float64frombits(uint64(order ^ int64(uint64(order>>63)>>1)))
}

// strings takes values in PLAIN form, which are known to be well formed. Text is ordered by its bytes, unsigned; the
// first eight decide nearly always.
func (s *statistics) strings(values []byte) {
	if len(values) == 0 {
		return
	}
	at := 0
	if !s.values {
		n := int(binary.LittleEndian.Uint32(values))
		first := values[4 : 4+n]
		s.minBytes, s.maxBytes, s.values = append(s.minBytes[:0], first...), append(s.maxBytes[:0], first...), true
		at = 4 + n
	}
	low, high := s.minBytes, s.maxBytes
	lowHead, highHead := head(low, 0, len(low)), head(high, 0, len(high))
	for at < len(values) {
		n := int(binary.LittleEndian.Uint32(values[at:]))
		at += 4
		h := head(values, at, n)
		if h <= lowHead {
			if v := values[at : at+n]; h < lowHead || bytes.Compare(v, low) < 0 {
				low, lowHead = v, h
			}
		}
		if h >= highHead {
			if v := values[at : at+n]; h > highHead || bytes.Compare(v, high) > 0 {
				high, highHead = v, h
			}
		}
		at += n
	}
	s.minBytes, s.maxBytes = append(s.minBytes[:0], low...), append(s.maxBytes[:0], high...)
}

// head is the first eight bytes of the n bytes at values[at:], filled up with zeros, as a number of the same order.
func head(values []byte, at, n int) uint64 {
	if at+8 <= len(values) {
		h := binary.BigEndian.Uint64(values[at:])
		if n < 8 {
			h &= ^uint64(0) << (64 - 8*n)
		}
		return h
	}
	var buf [8]byte
	copy(buf[:], values[at:at+min(n, 8)])
	return binary.BigEndian.Uint64(buf[:])
}

// decimals takes unscaled values of sixteen bytes, big-endian in two's complement, and orders them as signed numbers.
func (s *statistics) decimals(values []byte) {
	if len(values) == 0 {
		return
	}
	low, high := values[:decimalBytes], values[:decimalBytes]
	if s.values {
		low, high = s.minBytes, s.maxBytes
	}
	for at := 0; at < len(values); at += decimalBytes {
		v := values[at : at+decimalBytes]
		if compareDecimals(v, low) < 0 {
			low = v
		}
		if compareDecimals(v, high) > 0 {
			high = v
		}
	}
	s.minBytes, s.maxBytes, s.values = append(s.minBytes[:0], low...), append(s.maxBytes[:0], high...), true
}

func compareDecimals(a, b []byte) int {
	if c := cmp.Compare(int64(binary.BigEndian.Uint64(a)), int64(binary.BigEndian.Uint64(b))); c != 0 {
		return c
	}
	return cmp.Compare(binary.BigEndian.Uint64(a[8:]), binary.BigEndian.Uint64(b[8:]))
}

// add takes the values of a page into account.
func (s *statistics) add(typ format.Type, v *record.Vector) {
	s.nulls += int64(v.Nulls)
	switch typ {
	case format.Type_BOOLEAN:
		s.bools(v.Bool)
	case format.Type_INT32:
		s.int32s(v.I32)
	case format.Type_INT64:
		s.int64s(v.I64)
	case format.Type_DOUBLE:
		s.floats(v.F64)
	case format.Type_FIXED_LEN_BYTE_ARRAY:
		s.decimals(v.Bytes)
	default:
		s.strings(v.Bytes)
	}
}

// metadata renders the statistics for the footer. The deprecated min and max are never written: their order is not
// defined for most types, and readers that find them use them.
func (s *statistics) metadata(typ format.Type) *format.Statistics {
	m := format.NewStatistics()
	m.NullCount = ptr(s.nulls)
	if !s.values || s.nan || len(s.minBytes) > maxBound || len(s.maxBytes) > maxBound {
		return m
	}
	switch typ {
	case format.Type_BOOLEAN:
		m.MinValue, m.MaxValue = []byte{byte(s.minInt)}, []byte{byte(s.maxInt)}
	case format.Type_INT32:
		m.MinValue = binary.LittleEndian.AppendUint32(nil, uint32(s.minInt))
		m.MaxValue = binary.LittleEndian.AppendUint32(nil, uint32(s.maxInt))
	case format.Type_INT64:
		m.MinValue = binary.LittleEndian.AppendUint64(nil, uint64(s.minInt))
		m.MaxValue = binary.LittleEndian.AppendUint64(nil, uint64(s.maxInt))
	case format.Type_DOUBLE:
		low, high := math.Float64bits(s.minFloat), math.Float64bits(s.maxFloat)
		if s.minFloat == 0 {
			low = 1 << 63 // -0: a reader that tells the zeros apart must not skip one for the other
		}
		if s.maxFloat == 0 {
			high = 0
		}
		m.MinValue = binary.LittleEndian.AppendUint64(nil, low)
		m.MaxValue = binary.LittleEndian.AppendUint64(nil, high)
	default:
		m.MinValue = append([]byte{}, s.minBytes...) // not nil for the empty string, which thrift would leave out
		m.MaxValue = append([]byte{}, s.maxBytes...)
	}
	return m
}

// popcount counts the set bits among the first n of a bitmap.
func popcount(bitmap []byte, n int) int {
	count := 0
	whole := n / 8
	for ; whole >= 8; whole -= 8 {
		count += bits.OnesCount64(binary.LittleEndian.Uint64(bitmap))
		bitmap = bitmap[8:]
	}
	for _, b := range bitmap[:whole] {
		count += bits.OnesCount8(b)
	}
	if tail := n % 8; tail != 0 {
		count += bits.OnesCount8(bitmap[whole] & (1<<tail - 1))
	}
	return count
}
