package parquet

import (
	"encoding/binary"
	"math/bits"
)

// appendLevels appends levels of a data page of version 1: the length in four bytes, then the runs.
func appendLevels(dst, levels []byte, highest int) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = appendHybrid(dst, levels, bits.Len(uint(highest)))
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// appendValidity appends the definition levels of a flat optional leaf. With a width of one bit the bitmap is the
// bit-packed run; with no nulls or only nulls a single RLE run says so.
func appendValidity(dst, valid []byte, rows, nulls int) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	switch nulls {
	case 0:
		dst = appendRun(dst, rows, 1, 1)
	case rows:
		dst = appendRun(dst, rows, 0, 1)
	default:
		groups := (rows + 7) / 8
		dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
		dst = append(dst, valid[:groups]...)
		if tail := rows % 8; tail != 0 {
			dst[len(dst)-1] &= 1<<tail - 1 // what pads the last group must not depend on what the bitmap held before
		}
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// appendHybrid appends values in Parquet's hybrid of RLE runs and bit-packed groups of eight. Eight equal values in a
// row start a run; everything else is packed. Width is at least 1 and at most 32.
func appendHybrid[T uint8 | uint32](dst []byte, values []T, width int) []byte {
	start, i := 0, 0
	for i+8 <= len(values) {
		g := values[i : i+8 : i+8]
		v := g[0]
		if v != g[1] || v != g[2] || v != g[3] || v != g[4] || v != g[5] || v != g[6] || v != g[7] {
			i += 8
			continue
		}
		end := i + 8
		for end < len(values) && values[end] == v {
			end++
		}
		dst = appendPacked(dst, values[start:i], width)
		dst = appendRun(dst, end-i, uint32(v), width)
		start, i = end, end
	}
	return appendPacked(dst, values[start:], width)
}

func appendRun(dst []byte, count int, value uint32, width int) []byte {
	dst = binary.AppendUvarint(dst, uint64(count)<<1)
	for ; width > 0; width -= 8 {
		dst = append(dst, byte(value))
		value >>= 8
	}
	return dst
}

// appendPacked appends one bit-packed run; the last group is padded with zeros.
func appendPacked[T uint8 | uint32](dst []byte, values []T, width int) []byte {
	if len(values) == 0 {
		return dst
	}
	groups := (len(values) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	end := len(dst) + groups*width
	var acc uint64
	var have int
	for _, v := range values {
		acc |= uint64(v) << have
		if have += width; have >= 32 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(acc))
			acc >>= 32
			have -= 32
		}
	}
	for len(dst) < end {
		dst = append(dst, byte(acc))
		acc >>= 8
	}
	return dst
}
