package parquet

import (
	"encoding/binary"
	"math"
	"unsafe"

	"tributary/shared/record"
)

// littleEndian says whether numbers lie in memory as PLAIN has them.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// plainNumbers gives the values of a numeric vector in PLAIN form: the vector's own memory where that is their form. It is
// valid until the vector changes or the next call.
func (e *encoder) plainNumbers(v *record.Vector) []byte {
	if littleEndian {
		switch {
		case len(v.I64) > 0:
			return bytesOf(v.I64)
		case len(v.F64) > 0:
			return bytesOf(v.F64)
		default:
			return bytesOf(v.I32)
		}
	}
	e.numbers = appendNumbers(e.numbers[:0], v)
	return e.numbers
}

// bytesOf is the memory of numbers, which no padding parts. Its bounds are those of the slice: len(numbers) elements of
// the element's size.
func bytesOf[T int64 | float64 | int32](numbers []T) []byte {
	if len(numbers) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(numbers))), len(numbers)*int(unsafe.Sizeof(numbers[0]))) //nolint:gosec // G103: see above
}

// appendNumbers appends the values of a numeric vector in PLAIN form on any machine.
func appendNumbers(dst []byte, v *record.Vector) []byte {
	for _, n := range v.I64 {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(n))
	}
	for _, n := range v.F64 {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(n))
	}
	for _, n := range v.I32 {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
	}
	return dst
}
