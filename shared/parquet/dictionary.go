package parquet

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

const (
	// A chunk leaves its dictionary when it holds more than a quarter as many values as were seen, or than these.
	minDistinct      = 256
	maxDistinct      = 16 << 10
	maxDictionary    = 1 << 20 // bytes in PLAIN form
	initialDictSlots = 1 << 10
)

// dictionary numbers the distinct values of one chunk in the order in which they first come. It keeps them in PLAIN
// form, which is the form of the dictionary page. Ids do not depend on the hash's seed.
type dictionary struct {
	width int // bytes of a value; 0: values carry their length
	plain []byte
	ends  []uint32 // of each value in plain
	slots []uint64 // open addressing: the hash's upper half, and id + 1 in the lower; 0 is free
	seed  maphash.Seed
	ids   []uint32 // of the page in hand
}

func newDictionary(width int) dictionary {
	return dictionary{width: width, seed: maphash.MakeSeed()}
}

func (d *dictionary) len() int { return len(d.ends) }

func (d *dictionary) reset() {
	d.plain, d.ends = d.plain[:0], d.ends[:0]
	clear(d.slots)
}

// truncate forgets the values from n on. The table is not mended: no lookup may follow.
func (d *dictionary) truncate(n int) {
	if n == 0 {
		d.plain = d.plain[:0]
	} else {
		d.plain = d.plain[:d.ends[n-1]]
	}
	d.ends = d.ends[:n]
}

// encode numbers the values of a page into d.ids, and reports false when the dictionary would grow beyond limit
// entries; it then holds what it held before, for reading only. Values is known to be well formed.
func (d *dictionary) encode(values []byte, limit int) bool {
	limit = min(limit, maxDistinct)
	before := d.len()
	d.ids = d.ids[:0]
	var last []byte // one value often follows itself
	var lastID uint32
	for at := 0; at < len(values); {
		n := d.width
		if n == 0 {
			n = 4 + int(binary.LittleEndian.Uint32(values[at:]))
		}
		v := values[at : at+n]
		at += n
		if last == nil || !bytes.Equal(v, last) {
			lastID, last = d.id(v), v
			if d.len() > limit || len(d.plain) > maxDictionary {
				d.truncate(before)
				return false
			}
		}
		d.ids = append(d.ids, lastID)
	}
	return true
}

func (d *dictionary) id(v []byte) uint32 {
	if 2*len(d.ends) >= len(d.slots) {
		d.grow()
	}
	hash := maphash.Bytes(d.seed, v)
	mask := uint64(len(d.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := d.slots[i]
		if slot == 0 {
			id := uint32(len(d.ends))
			d.slots[i] = hash&^0xffffffff | uint64(id+1)
			d.plain = append(d.plain, v...)
			d.ends = append(d.ends, uint32(len(d.plain)))
			return id
		}
		if slot>>32 == hash>>32 && bytes.Equal(d.value(uint32(slot)-1), v) {
			return uint32(slot) - 1
		}
	}
}

func (d *dictionary) value(id uint32) []byte {
	var start uint32
	if id > 0 {
		start = d.ends[id-1]
	}
	return d.plain[start:d.ends[id]]
}

// grow doubles the table and puts every value in again.
func (d *dictionary) grow() {
	d.slots = make([]uint64, max(initialDictSlots, 2*len(d.slots)))
	mask := uint64(len(d.slots) - 1)
	for id := range uint32(len(d.ends)) {
		hash := maphash.Bytes(d.seed, d.value(id))
		i := hash & mask
		for d.slots[i] != 0 {
			i = (i + 1) & mask
		}
		d.slots[i] = hash&^0xffffffff | uint64(id+1)
	}
}

// since returns the values from number n on in PLAIN form.
func (d *dictionary) since(n int) []byte {
	if n == 0 {
		return d.plain
	}
	return d.plain[d.ends[n-1]:]
}

const (
	sampled  = 512 // values of a first page
	repeated = 16  // one in this many must come twice
)

// repeats reports whether a dictionary may pay for numbers of the given width, by a sample spread over the page:
// most numbers never come twice, and trying all of them would cost more than it gains.
func repeats(plain []byte, width int) bool {
	n := len(plain) / width
	step := max(1, n/sampled)
	var table [4 * sampled]uint64
	var zero bool
	twice, seen := 0, 0
	for at := 0; at+width <= len(plain) && seen < sampled; at += step * width {
		seen++
		var v uint64
		for i := 0; i+4 <= width; i += 4 {
			v = bits.RotateLeft64(v, 32) ^ uint64(binary.LittleEndian.Uint32(plain[at+i:]))
		}
		if v == 0 {
			if zero {
				twice++
			}
			zero = true
			continue
		}
		slot := v * 0x9e3779b97f4a7c15 >> 53
		for table[slot] != 0 && table[slot] != v {
			slot = (slot + 1) % uint64(len(table))
		}
		if table[slot] == v {
			twice++
		}
		table[slot] = v
	}
	return twice*repeated >= seen
}
