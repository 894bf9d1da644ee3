package process

import (
	"encoding/binary"
	"math"

	"tributary/shared/contract"
	"tributary/shared/record"
)

// appendOrdered appends a version so that bytes.Compare orders as the values do.
func appendOrdered(b []byte, v *record.Value) []byte {
	const sign = 1 << 63
	switch v.Kind {
	case contract.Integer, contract.Timestamp, contract.Date, contract.Boolean:
		return binary.BigEndian.AppendUint64(b, uint64(v.Int)^sign)
	case contract.Double:
		bits := math.Float64bits(v.Float)
		if v.Float == 0 {
			bits = 0 // -0 is 0
		}
		if bits&sign != 0 {
			return binary.BigEndian.AppendUint64(b, ^bits)
		}
		return binary.BigEndian.AppendUint64(b, bits^sign)
	case contract.Decimal:
		return appendOrderedDecimal(b, v.Text)
	default:
		return append(b, v.Text...)
	}
}

// appendOrderedDecimal orders decimals of one scale: by sign, then length, then digits.
func appendOrderedDecimal(b, text []byte) []byte {
	if len(text) > 0 && text[0] == '-' {
		b = append(b, 0, ^byte(len(text)-1))
		for _, c := range text[1:] {
			b = append(b, ^c)
		}
		return b
	}
	b = append(b, 1, byte(len(text)))
	return append(b, text...)
}
