// Package readback reads files of the lake back for those who try what was deployed: as much of them as shows what they are.
package readback

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"

	"tributary/infra/lakefile"
	"tributary/shared/contract"
	"tributary/shared/ops"
	"tributary/shared/zone"
)

// Bucket reads parts of the lake's objects.
type Bucket interface {
	GetRange(ctx context.Context, key string, offset, length int64) ([]byte, error)
}

// Reader reads what lies in the bucket, and of a large file no more than its footer and the row groups that its first
// row stands in.
type Reader struct {
	Bucket   Bucket
	Contract *contract.Contract
}

// Read is what a file of so many bytes says of itself, and its first row.
func (r Reader) Read(ctx context.Context, key string, size int64) (ops.LakeFile, error) {
	found, err := r.read(&blocks{ctx: ctx, bucket: r.Bucket, key: key, size: size, have: map[int64][]byte{}})
	if err != nil {
		return ops.LakeFile{}, fmt.Errorf("read lake file %s: %w", key, err)
	}
	return found, nil
}

func (r Reader) read(b *blocks) (found ops.LakeFile, err error) {
	defer lakefile.Guard(&err)
	file, err := lakefile.Open(b, b.size)
	if err != nil {
		return ops.LakeFile{}, err
	}
	leaves := contract.Leaves(r.Contract.Columns)
	if n := len(file.Schema().Columns()); n != len(leaves) {
		return ops.LakeFile{}, fmt.Errorf("it has %d columns, the contract %d", n, len(leaves))
	}
	found = ops.LakeFile{Rows: file.NumRows(), Made: map[string]string{}}
	for _, entry := range file.Metadata().KeyValueMetadata {
		found.Made[entry.Key] = entry.Value
	}
	rows, err := lakefile.FirstRows(file, 1)
	if err != nil {
		return ops.LakeFile{}, err
	}
	for _, row := range rows {
		found.First = map[string]zone.Attribute{}
		for _, v := range row {
			leaf := leaves[v.Column()]
			if a, ok := attribute(v, leaf.Column); ok && len(leaf.Path) == 1 {
				found.First[leaf.Path[0]] = a
			}
		}
	}
	return found, nil
}

// attribute is a value as an item has it; false for what an item does not have.
func attribute(v parquet.Value, c *contract.Column) (zone.Attribute, bool) {
	if v.IsNull() {
		return zone.Attribute{}, false
	}
	switch c.Type.Kind {
	case contract.Integer:
		return zone.NumberAttribute(strconv.FormatInt(v.Int64(), 10)), true
	case contract.Double:
		return zone.NumberAttribute(strconv.FormatFloat(v.Double(), 'g', -1, 64)), true
	case contract.Decimal:
		return zone.NumberAttribute(lakefile.Decimal(v, c.Type.Scale)), true
	case contract.Boolean:
		return zone.Attribute{Kind: zone.AttributeBool, Bool: v.Boolean()}, true
	case contract.Timestamp:
		return zone.TimestampAttribute(v.Int64()), true
	case contract.Date:
		return zone.StringAttribute(time.Unix(int64(v.Int32())*86400, 0).UTC().Format(time.DateOnly)), true
	default:
		return zone.StringAttribute(string(v.ByteArray())), true
	}
}

// block is what is fetched at once: most files have no more.
const block = 1 << 20

// blocks is an object that is fetched as far as it is read.
type blocks struct {
	ctx    context.Context //nolint:containedctx // io.ReaderAt has none
	bucket Bucket
	key    string
	size   int64
	have   map[int64][]byte
}

func (b *blocks) ReadAt(p []byte, offset int64) (n int, err error) {
	for n < len(p) {
		at := offset + int64(n)
		if at >= b.size {
			return n, io.EOF
		}
		start := at - at%block
		if _, ok := b.have[start]; !ok {
			body, err := b.bucket.GetRange(b.ctx, b.key, start, min(block, b.size-start))
			if err != nil {
				return n, err
			}
			if want := min(block, b.size-start); int64(len(body)) != want {
				return n, fmt.Errorf("%d bytes came from offset %d, want %d", len(body), start, want)
			}
			b.have[start] = body
		}
		n += copy(p[n:], b.have[start][at-start:])
	}
	return n, nil
}
