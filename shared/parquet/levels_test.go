package parquet

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// decodeHybrid reads runs as the format's description defines them.
func decodeHybrid(t *testing.T, data []byte, width int) []uint32 {
	t.Helper()
	var out []uint32
	for len(data) > 0 {
		header, n := binary.Uvarint(data)
		data = data[n:]
		if header&1 == 0 {
			var v uint32
			for i := range (width + 7) / 8 {
				v |= uint32(data[i]) << (8 * i)
			}
			data = data[(width+7)/8:]
			for range header >> 1 {
				out = append(out, v)
			}
			continue
		}
		count := int(header>>1) * 8
		for i := range count {
			var v uint32
			for b := range width {
				bit := i*width + b
				v |= uint32(data[bit/8]>>(bit%8)&1) << b
			}
			out = append(out, v)
		}
		data = data[count*width/8:]
	}
	return out
}

func TestAppendHybrid(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for width := 1; width <= 32; width++ {
		for _, n := range []int{0, 1, 7, 8, 9, 15, 16, 17, 100, 1000} {
			for _, repeat := range []int{1, 3, 20, 300} {
				values := make([]uint32, n)
				for i := range values {
					if i%repeat == 0 {
						values[i] = rnd.Uint32() >> (32 - width)
					} else {
						values[i] = values[i-1]
					}
				}
				got := decodeHybrid(t, appendHybrid(nil, values, width), width)
				if len(got) < n || len(got) >= n+8 {
					t.Fatalf("width %d, %d values: %d read", width, n, len(got))
				}
				for i, v := range got[n:] {
					if v != 0 {
						t.Errorf("width %d: padding %d is %d", width, i, v)
					}
				}
				if diff := cmp.Diff(values, got[:n:n], cmp.Transformer("nil", func(v []uint32) []uint32 { return append([]uint32{}, v...) })); n > 0 && diff != "" {
					t.Errorf("width %d, %d values in runs of %d (-want +got):\n%s", width, n, repeat, diff)
				}
			}
		}
	}
}

func TestAppendHybrid_size(t *testing.T) {
	for _, test := range []struct {
		name   string
		values []uint8
		width  int
		want   []byte
	}{
		{name: "one run", values: make([]uint8, 1000), width: 1, want: []byte{0xd0, 0x0f, 0}},
		{name: "one group", values: []uint8{1, 0, 1, 1, 0, 0, 1}, width: 1, want: []byte{3, 0b1001101}},
		{name: "group, run", values: []uint8{0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7}, width: 3, want: []byte{3, 0x88, 0xc6, 0xfa, 16, 7}},
		{name: "run, group", values: []uint8{2, 2, 2, 2, 2, 2, 2, 2, 2, 1}, width: 2, want: []byte{18, 2, 3, 1, 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, appendHybrid(nil, test.values, test.width)); diff != "" {
				t.Errorf("bytes differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAppendValidity(t *testing.T) {
	for _, test := range []struct {
		name  string
		valid []byte
		rows  int
		nulls int
		want  []byte
	}{
		{name: "no nulls", rows: 300, want: []byte{3, 0, 0, 0, 0xd8, 4, 1}},
		{name: "only nulls", rows: 3, nulls: 3, want: []byte{2, 0, 0, 0, 6, 0}},
		{name: "the tail is cleared", valid: []byte{0xff, 0xfe}, rows: 11, nulls: 1, want: []byte{3, 0, 0, 0, 5, 0xff, 0b110}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, appendValidity(nil, test.valid, test.rows, test.nulls)); diff != "" {
				t.Errorf("bytes differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPopcount(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	bitmap := make([]byte, 40)
	for i := range bitmap {
		bitmap[i] = byte(rnd.Uint32())
	}
	want := 0
	for n := range 8 * len(bitmap) {
		if got := popcount(bitmap, n); got != want {
			t.Errorf("popcount of %d bits = %d, want %d", n, got, want)
		}
		want += int(bitmap[n/8] >> (n % 8) & 1)
	}
}
