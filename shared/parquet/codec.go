package parquet

import (
	"fmt"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	format "github.com/xitongsys/parquet-go/parquet"
)

// Codec is how pages are compressed.
type Codec uint8

// The codecs that Athena, DuckDB, Arrow and Spark all read.
const (
	Snappy Codec = iota
	Zstd
	Uncompressed
)

func (c Codec) String() string {
	switch c {
	case Snappy:
		return "snappy"
	case Zstd:
		return "zstd"
	case Uncompressed:
		return "uncompressed"
	default:
		return fmt.Sprintf("codec(%d)", uint8(c))
	}
}

// ParseCodec is the inverse of Codec.String.
func ParseCodec(name string) (Codec, error) {
	for c := Snappy; c <= Uncompressed; c++ {
		if name == c.String() {
			return c, nil
		}
	}
	return 0, fmt.Errorf("parse codec %q: want snappy, zstd or uncompressed", name)
}

// minJudged is the size of the smallest page that says enough about those that follow it.
const minJudged = 4 << 10

// worthwhile reports whether a page has shrunk by enough to be worth decompressing. Who chooses snappy wants speed and
// gives up seven hundredths for it; who chooses zstd wants every byte.
func worthwhile(codec format.CompressionCodec, raw, packed int) bool {
	if codec == format.CompressionCodec_SNAPPY {
		return packed <= raw-raw/14
	}
	return packed < raw
}

// compressor compresses page bodies into a buffer that it owns.
type compressor struct {
	codec format.CompressionCodec
	zstd  *zstd.Encoder
	out   []byte
}

func newCompressor(c Codec) (*compressor, error) {
	switch c {
	case Snappy:
		return &compressor{codec: format.CompressionCodec_SNAPPY}, nil
	case Uncompressed:
		return &compressor{codec: format.CompressionCodec_UNCOMPRESSED}, nil
	case Zstd:
		enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false),
			zstd.WithLowerEncoderMem(true), zstd.WithZeroFrames(true))
		if err != nil {
			return nil, fmt.Errorf("start zstd: %w", err)
		}
		return &compressor{codec: format.CompressionCodec_ZSTD, zstd: enc}, nil
	default:
		return nil, fmt.Errorf("%s is not known", c)
	}
}

// compress returns body as codec stores it. The result is valid until the next call.
func (c *compressor) compress(codec format.CompressionCodec, body []byte) []byte {
	switch codec {
	case format.CompressionCodec_SNAPPY:
		if n := s2.MaxEncodedLen(len(body)); cap(c.out) < n {
			c.out = make([]byte, n)
		}
		return s2.EncodeSnappy(c.out[:cap(c.out)], body)
	case format.CompressionCodec_ZSTD:
		c.out = c.zstd.EncodeAll(body, c.out[:0])
		return c.out
	default:
		return body
	}
}
