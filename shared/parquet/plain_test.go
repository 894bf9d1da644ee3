package parquet

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/record"
)

func TestPlainNumbersAreTheSameOnAnyMachine(t *testing.T) {
	vectors := []record.Vector{
		{I64: []int64{0, -1, math.MinInt64, math.MaxInt64, 0x0102030405060708}},
		{F64: []float64{0, math.Copysign(0, -1), 1.5, math.Inf(-1), math.MaxFloat64}},
		{I32: []int32{0, -1, math.MinInt32, 0x01020304}},
		{},
	}
	var e encoder
	for i := range vectors {
		want := appendNumbers([]byte{}, &vectors[i])
		if diff := cmp.Diff(want, append([]byte{}, e.plainNumbers(&vectors[i])...)); diff != "" {
			t.Errorf("vector %d (-portable +own):\n%s", i, diff)
		}
	}
}
