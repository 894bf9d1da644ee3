package record

import (
	"encoding/binary"
	"hash/maphash"
	"math"
)

// keyHash stands for a key: with 128 bits, two keys that meet are not to be expected in any run. The seeds are the
// process's own, so that nobody can prepare such a pair.
type keyHash [2]uint64

var seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

func hashKey(key []byte) keyHash {
	h := keyHash{maphash.Bytes(seeds[0], key), maphash.Bytes(seeds[1], key)}
	if h == (keyHash{}) {
		h[0] = 1 // zero marks a free place
	}
	return h
}

const (
	shards    = 256
	shardSize = 16 // places of a shard at first
)

// keySet is a set of keys by hash. It is split in shards that grow by half, each for itself, when they are four fifths
// full: at most 16/0.53 = 30 bytes a key, also while it grows.
type keySet struct {
	shards [shards]keyShard
}

type keyShard struct {
	places []keyHash
	used   int
}

// expect makes room for n keys in all. A small step is left to the shards' own growth, which costs less than a copy
// for each of many small pages.
func (s *keySet) expect(n int64) {
	each := int(n/shards+n/shards/8) * 5 / 4
	for i := range s.shards {
		if shard := &s.shards[i]; each > len(shard.places)*3/2 {
			shard.grow(max(shardSize, each))
		}
	}
}

func (s *keySet) shard(h keyHash) *keyShard { return &s.shards[h[1]>>56] }

// place spreads a hash over n places without a division.
func place64(h uint64, n int) int {
	return int(uint64(uint32(h>>32)) * uint64(n) >> 32)
}

func (s *keySet) has(h keyHash) bool {
	places := s.shard(h).places
	if len(places) == 0 {
		return false
	}
	for i := place64(h[0], len(places)); ; {
		switch places[i] {
		case h:
			return true
		case keyHash{}:
			return false
		}
		if i++; i == len(places) {
			i = 0
		}
	}
}

// add puts a key in that is not there yet.
func (s *keySet) add(h keyHash) {
	shard := s.shard(h)
	if shard.used+1 > len(shard.places)*4/5 {
		shard.grow(max(shardSize, len(shard.places)*3/2))
	}
	shard.put(h)
	shard.used++
}

func (s *keyShard) put(h keyHash) {
	i := place64(h[0], len(s.places))
	for s.places[i] != (keyHash{}) {
		if i++; i == len(s.places) {
			i = 0
		}
	}
	s.places[i] = h
}

func (s *keyShard) grow(n int) {
	old := s.places
	s.places = make([]keyHash, n)
	for _, h := range old {
		if h != (keyHash{}) {
			s.put(h)
		}
	}
}

// reset empties the set and keeps its room.
func (s *keySet) reset() {
	for i := range s.shards {
		if s.shards[i].used > 0 {
			clear(s.shards[i].places)
			s.shards[i].used = 0
		}
	}
}

// uniqueSet is one set of columns whose values may occur together once in a run.
type uniqueSet struct {
	fields []*field
	keys   keySet
	hash   keyHash
	null   bool
}

// claim puts a key in; it reports whether it was there already.
func (s *keySet) claim(h keyHash) bool {
	if s.has(h) {
		return true
	}
	s.add(h)
	return false
}

// touch reads the place where a key is looked for first, so that it is in the cache when it is.
func (s *keySet) touch(h keyHash) uint64 {
	places := s.shard(h).places
	if len(places) == 0 {
		return 0
	}
	return places[place64(h[0], len(places))][0]
}

// keyOf computes the hash of the row's key; a key of which a part is null is none.
func (r *Reader) keyOf(u *uniqueSet) {
	u.null = false
	key := r.scratch[:0]
	for _, f := range u.fields {
		v := f.vec
		if r.isNull(f) {
			u.null = true
			return
		}
		switch {
		case f.lineage == runFetchedAt:
			key = binary.LittleEndian.AppendUint64(key, uint64(r.fetchedAt))
		case f.lineage == recordPage:
			key = binary.LittleEndian.AppendUint64(key, uint64(r.page))
		case f.lineage == recordIndex:
			key = binary.LittleEndian.AppendUint64(key, uint64(r.index))
		case v.Bytes != nil && len(u.fields) == 1:
			u.hash = hashKey(v.Bytes[f.mark:])
			return
		default:
			key = v.appendLast(key, f.mark)
		}
	}
	r.scratch = key
	u.hash = hashKey(key)
}

// appendLast appends the last value in a form that no other value has.
func (v *Vector) appendLast(dst []byte, mark int) []byte {
	switch {
	case len(v.I64) > 0:
		return binary.LittleEndian.AppendUint64(dst, uint64(v.I64[len(v.I64)-1]))
	case len(v.F64) > 0:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.F64[len(v.F64)-1]+0)) // -0 is 0
	case len(v.I32) > 0:
		return binary.LittleEndian.AppendUint32(dst, uint32(v.I32[len(v.I32)-1]))
	case len(v.Bool) > 0:
		return append(dst, v.Bool[len(v.Bool)-1])
	}
	return append(dst, v.Bytes[mark:]...)
}

// appendKeyPart appends a value so that no two different lists of values give the same bytes.
func appendKeyPart(dst, value []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(value)))
	return append(dst, value...)
}
