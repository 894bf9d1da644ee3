package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	format "github.com/xitongsys/parquet-go/parquet"

	"tributary/shared/record"
)

// column is one leaf's chunk of the row group in hand: its pages, encoded and compressed, and what its metadata needs.
type column struct {
	leaf
	dict  dictionary
	stats statistics
	pages spool // headers and bodies of the data pages, as they will lie in the file
	chunk chunk
}

// chunk is the part of a column that starts anew with every row group.
type chunk struct {
	codec     format.CompressionCodec
	raw       int64 // bytes of the pages before compression
	values    int64 // without nulls
	slots     int64 // with nulls
	plain     int32 // data pages by encoding
	numbered  int32
	judged    bool // the codec is settled
	dictated  bool // a page with values has been tried with the dictionary
	abandoned bool // no further page may use the dictionary
}

func newColumn(l leaf) column {
	return column{leaf: l, dict: newDictionary(l.width)}
}

// start prepares for the first page of a row group.
func (c *column) start(e *encoder) {
	c.stats.reset()
	c.dict.reset()
	c.pages.drain(&e.blocks)
	c.chunk = chunk{codec: e.codec, abandoned: c.typ == format.Type_BOOLEAN}
}

// size is what the chunk takes in memory, and will take in the file but for the dictionary's compression.
func (c *column) size() int64 { return c.pages.size + int64(len(c.dict.plain)) }

// check refuses a vector that does not fit the leaf, before any column of the batch has been encoded.
func (c *column) check(v *record.Vector, rows int) error {
	if v.Kind != c.kind {
		return fmt.Errorf("vector is of kind %d, the column of kind %d", v.Kind, c.kind)
	}
	slots := rows
	if c.flat() {
		if v.Nulls > 0 && v.Nulls < rows {
			if len(v.Valid) < (rows+7)/8 {
				return fmt.Errorf("bitmap has %d bytes for %d rows", len(v.Valid), rows)
			}
			if n := rows - popcount(v.Valid, rows); n != v.Nulls {
				return fmt.Errorf("bitmap has %d nulls, the vector says %d", n, v.Nulls)
			}
		}
	} else {
		slots = len(v.Def)
		if err := c.checkLevels(v, rows); err != nil {
			return err
		}
	}
	if v.Nulls < 0 || v.Nulls > slots {
		return fmt.Errorf("%d of %d slots are null", v.Nulls, slots)
	}
	if n := c.count(v); n != slots-v.Nulls {
		return fmt.Errorf("has %d values in %d slots of which %d are null", n, slots, v.Nulls)
	}
	return nil
}

func (c *column) checkLevels(v *record.Vector, rows int) error {
	full := 0
	for _, d := range v.Def {
		if int(d) > c.maxDef {
			return fmt.Errorf("definition level %d, the highest is %d", d, c.maxDef)
		}
		if int(d) == c.maxDef {
			full++
		}
	}
	if n := len(v.Def) - full; n != v.Nulls {
		return fmt.Errorf("definition levels have %d nulls, the vector says %d", n, v.Nulls)
	}
	if c.maxRep == 0 {
		if len(v.Def) != rows {
			return fmt.Errorf("has %d slots for %d rows", len(v.Def), rows)
		}
		return nil
	}
	if len(v.Rep) != len(v.Def) {
		return fmt.Errorf("has %d repetition levels and %d definition levels", len(v.Rep), len(v.Def))
	}
	starts := 0
	for _, r := range v.Rep {
		if int(r) > c.maxRep {
			return fmt.Errorf("repetition level %d, the highest is %d", r, c.maxRep)
		}
		if r == 0 {
			starts++
		}
	}
	if starts != rows || v.Rep[0] != 0 {
		return fmt.Errorf("repetition levels start %d rows of %d", starts, rows)
	}
	return nil
}

// count is the number of values that v holds for the leaf's type, or -1 where PLAIN bytes are malformed.
func (c *column) count(v *record.Vector) int {
	switch c.typ {
	case format.Type_BOOLEAN:
		return len(v.Bool)
	case format.Type_INT32:
		return len(v.I32)
	case format.Type_INT64:
		return len(v.I64)
	case format.Type_DOUBLE:
		return len(v.F64)
	case format.Type_FIXED_LEN_BYTE_ARRAY:
		if len(v.Bytes)%c.width != 0 {
			return -1
		}
		return len(v.Bytes) / c.width
	default:
		return countStrings(v.Bytes)
	}
}

func countStrings(values []byte) int {
	n := 0
	for at := 0; at < len(values); n++ {
		if len(values)-at < 4 {
			return -1
		}
		size := int(binary.LittleEndian.Uint32(values[at:]))
		if size > len(values)-at-4 {
			return -1
		}
		at += 4 + size
	}
	return n
}

// errPageSize is what page sizes cannot express.
var errPageSize = errors.New("page is larger than 2 GiB")

// add encodes a vector that check has passed as one more data page.
func (c *column) add(v *record.Vector, rows int, e *encoder) error {
	slots := rows
	e.body = e.body[:0]
	if c.flat() {
		e.body = appendValidity(e.body, v.Valid, rows, v.Nulls)
	} else {
		slots = len(v.Def)
		if c.maxRep > 0 {
			e.body = appendLevels(e.body, v.Rep, c.maxRep)
		}
		e.body = appendLevels(e.body, v.Def, c.maxDef)
	}
	values := slots - v.Nulls
	c.chunk.slots += int64(slots)
	c.chunk.values += int64(values)

	known := c.dict.len()
	encoding, plain := c.appendValues(v, values, e)
	if encoding == format.Encoding_RLE_DICTIONARY && c.width == 0 {
		c.stats.nulls += int64(v.Nulls)
		c.stats.strings(c.dict.since(known)) // what the dictionary held before is in the bounds already
	} else {
		c.stats.add(c.typ, v)
	}
	size := len(e.body) + len(plain)
	if size > math.MaxInt32 {
		return errPageSize
	}
	packed := e.body
	if c.chunk.codec != format.CompressionCodec_UNCOMPRESSED {
		e.body = append(e.body, plain...)
		packed, plain = c.compress(e, encoding), nil
	}
	header, err := e.header(&format.PageHeader{
		Type:                 format.PageType_DATA_PAGE,
		UncompressedPageSize: int32(size),
		CompressedPageSize:   int32(len(packed) + len(plain)),
		DataPageHeader: &format.DataPageHeader{
			NumValues:               int32(slots),
			Encoding:                encoding,
			DefinitionLevelEncoding: format.Encoding_RLE,
			RepetitionLevelEncoding: format.Encoding_RLE,
		},
	})
	if err != nil {
		return err
	}
	if encoding == format.Encoding_PLAIN {
		c.chunk.plain++
	} else {
		c.chunk.numbered++
	}
	c.chunk.raw += int64(len(header) + size)
	c.pages.append(&e.blocks, header)
	c.pages.append(&e.blocks, packed)
	c.pages.append(&e.blocks, plain)
	return nil
}

// appendValues appends a page's values to the body where they are numbered by the dictionary or packed; else they are
// returned in PLAIN form, where they stand. Values that are stored as they are need no copy but the one to where they wait.
func (c *column) appendValues(v *record.Vector, count int, e *encoder) (encoding format.Encoding, plain []byte) {
	if c.typ == format.Type_BOOLEAN {
		e.body = appendBools(e.body, v.Bool)
		return format.Encoding_PLAIN, nil
	}
	plain = v.Bytes
	if c.typ != format.Type_BYTE_ARRAY && c.typ != format.Type_FIXED_LEN_BYTE_ARRAY {
		plain = e.plainNumbers(v)
	}
	if count > 0 && c.number(plain, count) {
		width := max(1, bits.Len(uint(c.dict.len()-1)))
		e.body = append(e.body, byte(width))
		e.body = appendHybrid(e.body, c.dict.ids, width)
		return format.Encoding_RLE_DICTIONARY, nil
	}
	return format.Encoding_PLAIN, plain
}

// number tries to number the values of a page. Once it has failed, the chunk goes on without.
func (c *column) number(plain []byte, count int) bool {
	if c.chunk.abandoned {
		return false
	}
	first := !c.chunk.dictated
	c.chunk.dictated = true
	if first && c.flat() && c.width > 0 && !repeats(plain, c.width) {
		c.chunk.abandoned = true
		return false
	}
	limit := max(minDistinct, int(c.chunk.values/4))
	ok := c.dict.encode(plain, limit)
	if ok && first {
		// A dictionary that is no gain on its first page, because hardly any value comes twice, is none later.
		packed := count * bits.Len(uint(c.dict.len()-1)) / 8
		ok = len(c.dict.plain)+packed < len(plain)
		if !ok {
			c.dict.reset()
		}
	}
	c.chunk.abandoned = !ok
	return ok
}

// compress returns the page's body as it is stored. The first page that tells settles the chunk's codec: where it
// hardly shrinks, the chunk is stored as it is.
func (c *column) compress(e *encoder, encoding format.Encoding) []byte {
	packed := e.compress(c.chunk.codec, e.body)
	if c.chunk.judged || c.chunk.codec == format.CompressionCodec_UNCOMPRESSED {
		return packed
	}
	c.chunk.judged = true
	// The dictionary is compressed with the codec of its chunk, and nearly always worth it.
	if encoding != format.Encoding_PLAIN || len(e.body) < minJudged {
		return packed
	}
	if !worthwhile(c.chunk.codec, len(e.body), len(packed)) {
		c.chunk.codec = format.CompressionCodec_UNCOMPRESSED
		return e.body
	}
	return packed
}

// appendBools packs booleans, the first in the lowest bit.
func appendBools(dst, values []byte) []byte {
	at := len(dst)
	dst = extend(dst, (len(values)+7)/8)
	clear(dst[at:])
	for i, v := range values {
		dst[at+i/8] |= (v & 1) << (i % 8)
	}
	return dst
}

// extend lengthens dst by n bytes of any content.
func extend(dst []byte, n int) []byte {
	if need := len(dst) + n; need > cap(dst) {
		grown := make([]byte, len(dst), need+need/4)
		copy(grown, dst)
		dst = grown
	}
	return dst[:len(dst)+n]
}
