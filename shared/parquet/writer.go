package parquet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/apache/thrift/lib/go/thrift"
	format "github.com/xitongsys/parquet-go/parquet"

	"tributary/shared/contract"
	"tributary/shared/record"
)

const (
	// DefaultRowGroupRows is fifteen full batches.
	DefaultRowGroupRows = 15 * record.BatchRows

	// DefaultRowGroupBytes bounds what a writer holds in memory before it writes.
	DefaultRowGroupBytes = 32 << 20

	magic         = "PAR1"
	formatVersion = 1
)

// ErrClosed is returned by Write and Close after Close.
var ErrClosed = errors.New("writer is closed")

// Options say how a file is written. The zero value is good.
type Options struct {
	Codec         Codec      // Snappy
	RowGroupRows  int        // a row group holds whole batches and, but for a larger batch, at most so many rows; 0: DefaultRowGroupRows
	RowGroupBytes int64      // a row group ends with the batch that brings its encoded pages to this size; 0: DefaultRowGroupBytes
	Metadata      []KeyValue // of the footer, in this order
	CreatedBy     string     // "application version x.y.z"; "": tributary, version unknown
}

// KeyValue is an entry of the file's metadata.
type KeyValue struct{ Key, Value string }

// Info is what a closed file holds.
type Info struct {
	Rows      int64
	Bytes     int64
	RowGroups int
}

// Writer writes one Parquet file. It is not safe for concurrent use.
type Writer struct {
	out     io.Writer
	offset  int64
	opts    Options
	schema  *tree
	columns []column
	enc     encoder
	rows    int64 // of the row group in hand
	groups  []*format.RowGroup
	info    Info
	err     error // the first error; nothing is written after it
}

// NewWriter checks the schema and the options. It writes nothing: the first bytes go out with the first row group, or
// with Close.
func NewWriter(w io.Writer, columns []contract.Column, opts Options) (*Writer, error) {
	schema, err := newTree(columns)
	if err != nil {
		return nil, fmt.Errorf("build parquet schema: %w", err)
	}
	if err := opts.complete(); err != nil {
		return nil, fmt.Errorf("check parquet options: %w", err)
	}
	comp, err := newCompressor(opts.Codec)
	if err != nil {
		return nil, fmt.Errorf("choose parquet codec: %w", err)
	}
	out := &Writer{out: w, opts: opts, schema: schema, columns: make([]column, len(schema.leaves)), enc: newEncoder(comp)}
	for i, l := range schema.leaves {
		out.columns[i] = newColumn(l)
		out.columns[i].start(&out.enc)
	}
	return out, nil
}

func (o *Options) complete() error {
	var faults []error
	if o.RowGroupRows < 0 {
		faults = append(faults, fmt.Errorf("RowGroupRows %d is negative", o.RowGroupRows))
	}
	if o.RowGroupBytes < 0 {
		faults = append(faults, fmt.Errorf("RowGroupBytes %d is negative", o.RowGroupBytes))
	}
	seen := make(map[string]bool, len(o.Metadata))
	for _, m := range o.Metadata {
		if seen[m.Key] {
			faults = append(faults, fmt.Errorf("metadata names %q twice", m.Key))
		}
		seen[m.Key] = true
	}
	if o.RowGroupRows == 0 {
		o.RowGroupRows = DefaultRowGroupRows
	}
	if o.RowGroupBytes == 0 {
		o.RowGroupBytes = DefaultRowGroupBytes
	}
	if o.CreatedBy == "" {
		o.CreatedBy = "tributary version 0.0.0"
	}
	return errors.Join(faults...)
}

// Write encodes a batch and keeps nothing of it. After an error the file is lost: every further call returns the same
// error and nothing more reaches the underlying writer.
func (w *Writer) Write(b *record.Batch) error {
	if w.err != nil {
		return w.err
	}
	if err := w.write(b); err != nil {
		w.err = fmt.Errorf("write batch behind row %d: %w", w.info.Rows, err)
	}
	return w.err
}

func (w *Writer) write(b *record.Batch) error {
	if len(b.Vectors) != len(w.columns) {
		return fmt.Errorf("batch has %d vectors, the schema %d leaves", len(b.Vectors), len(w.columns))
	}
	if b.Rows < 0 || b.Rows > math.MaxInt32 {
		return fmt.Errorf("batch has %d rows", b.Rows)
	}
	if b.Rows == 0 {
		return nil
	}
	for i := range w.columns {
		if err := w.columns[i].check(&b.Vectors[i], b.Rows); err != nil {
			return fmt.Errorf("column %s: %w", w.columns[i].name(), err)
		}
	}
	if w.rows > 0 && w.rows+int64(b.Rows) > int64(w.opts.RowGroupRows) {
		if err := w.flush(); err != nil {
			return err
		}
	}
	var size int64
	for i := range w.columns {
		if err := w.columns[i].add(&b.Vectors[i], b.Rows, &w.enc); err != nil {
			return fmt.Errorf("column %s: %w", w.columns[i].name(), err)
		}
		size += w.columns[i].size()
	}
	w.rows += int64(b.Rows)
	w.info.Rows += int64(b.Rows)
	if w.rows >= int64(w.opts.RowGroupRows) || size >= w.opts.RowGroupBytes {
		return w.flush()
	}
	return nil
}

// Close writes what is left and the footer. It does not close the underlying writer.
func (w *Writer) Close() (Info, error) {
	if w.err != nil {
		return Info{}, w.err
	}
	if err := w.finish(); err != nil {
		w.err = fmt.Errorf("close parquet file: %w", err)
		return Info{}, w.err
	}
	w.err = ErrClosed
	w.info.Bytes = w.offset
	w.info.RowGroups = len(w.groups)
	return w.info, nil
}

func (w *Writer) finish() error {
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.begin(); err != nil {
		return err
	}
	footer, err := w.enc.thrift(w.footer())
	if err != nil {
		return fmt.Errorf("encode footer: %w", err)
	}
	if len(footer) > math.MaxInt32 {
		return fmt.Errorf("footer has %d bytes", len(footer))
	}
	footer = binary.LittleEndian.AppendUint32(footer, uint32(len(footer)))
	return w.emit(append(footer, magic...))
}

// begin writes the magic number in front of all else.
func (w *Writer) begin() error {
	if w.offset > 0 {
		return nil
	}
	return w.emit([]byte(magic))
}

// flush writes the row group in hand, if it has rows.
func (w *Writer) flush() error {
	if w.rows == 0 {
		return nil
	}
	if err := w.begin(); err != nil {
		return err
	}
	group := &format.RowGroup{NumRows: w.rows, FileOffset: ptr(w.offset), TotalCompressedSize: ptr(int64(0))}
	for i := range w.columns {
		c := &w.columns[i]
		meta, err := w.flushChunk(c)
		if err != nil {
			return fmt.Errorf("column %s: %w", c.name(), err)
		}
		group.Columns = append(group.Columns, meta)
		group.TotalByteSize += meta.MetaData.TotalUncompressedSize
		*group.TotalCompressedSize += meta.MetaData.TotalCompressedSize
		c.start(&w.enc)
	}
	w.groups = append(w.groups, group)
	w.rows = 0
	return nil
}

// flushChunk writes the dictionary, if any page uses it, and the data pages.
func (w *Writer) flushChunk(c *column) (*format.ColumnChunk, error) {
	start := w.offset
	m := &format.ColumnMetaData{
		Type:                  c.typ,
		Encodings:             []format.Encoding{format.Encoding_RLE, format.Encoding_PLAIN},
		PathInSchema:          c.path,
		Codec:                 c.chunk.codec,
		NumValues:             c.chunk.slots,
		TotalUncompressedSize: c.chunk.raw,
		Statistics:            c.stats.metadata(c.typ),
	}
	if c.chunk.numbered > 0 {
		m.Encodings = append(m.Encodings, format.Encoding_RLE_DICTIONARY)
		m.DictionaryPageOffset = ptr(w.offset)
		raw, err := w.flushDictionary(c)
		if err != nil {
			return nil, err
		}
		m.TotalUncompressedSize += raw
		m.EncodingStats = append(m.EncodingStats,
			&format.PageEncodingStats{PageType: format.PageType_DICTIONARY_PAGE, Encoding: format.Encoding_PLAIN, Count: 1},
			&format.PageEncodingStats{PageType: format.PageType_DATA_PAGE, Encoding: format.Encoding_RLE_DICTIONARY, Count: c.chunk.numbered})
	}
	if c.chunk.plain > 0 {
		m.EncodingStats = append(m.EncodingStats,
			&format.PageEncodingStats{PageType: format.PageType_DATA_PAGE, Encoding: format.Encoding_PLAIN, Count: c.chunk.plain})
	}
	m.DataPageOffset = w.offset
	for _, block := range c.pages.blocks {
		if err := w.emit(block); err != nil {
			return nil, err
		}
	}
	m.TotalCompressedSize = w.offset - start
	return &format.ColumnChunk{FileOffset: start, MetaData: m}, nil
}

func (w *Writer) flushDictionary(c *column) (raw int64, err error) {
	body := w.enc.compress(c.chunk.codec, c.dict.plain)
	header, err := w.enc.header(&format.PageHeader{
		Type:                 format.PageType_DICTIONARY_PAGE,
		UncompressedPageSize: int32(len(c.dict.plain)),
		CompressedPageSize:   int32(len(body)),
		DictionaryPageHeader: &format.DictionaryPageHeader{NumValues: int32(c.dict.len()), Encoding: format.Encoding_PLAIN},
	})
	if err != nil {
		return 0, err
	}
	if err := w.emit(header); err != nil {
		return 0, err
	}
	return int64(len(header) + len(c.dict.plain)), w.emit(body)
}

func (w *Writer) footer() *format.FileMetaData {
	m := &format.FileMetaData{
		Version:   formatVersion,
		Schema:    w.schema.elements,
		NumRows:   w.info.Rows,
		RowGroups: w.groups,
		CreatedBy: ptr(w.opts.CreatedBy),
	}
	for _, kv := range w.opts.Metadata {
		m.KeyValueMetadata = append(m.KeyValueMetadata, &format.KeyValue{Key: kv.Key, Value: ptr(kv.Value)})
	}
	// Without the order Arrow ignores the bounds of text.
	for range w.columns {
		m.ColumnOrders = append(m.ColumnOrders, &format.ColumnOrder{TYPE_ORDER: format.NewTypeDefinedOrder()})
	}
	return m
}

// emit writes p and says where in the file it failed.
func (w *Writer) emit(p []byte) error {
	n, err := w.out.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("write %d bytes at offset %d: %w", len(p), w.offset, err)
	}
	w.offset += int64(n)
	return nil
}

// encoder is the codec and the scratch space that all columns of a writer share.
type encoder struct {
	*compressor
	body       []byte // of the page in hand, before compression
	numbers    []byte // of the page in hand in PLAIN form, where memory is not
	blocks     pool
	serializer *thrift.TSerializer
}

func newEncoder(c *compressor) encoder {
	s := thrift.NewTSerializer()
	s.Protocol = thrift.NewTCompactProtocolFactoryConf(nil).GetProtocol(s.Transport)
	return encoder{compressor: c, serializer: s}
}

func (e *encoder) thrift(m thrift.TStruct) ([]byte, error) {
	return e.serializer.Write(context.Background(), m)
}

func (e *encoder) header(h *format.PageHeader) ([]byte, error) {
	b, err := e.thrift(h)
	if err != nil {
		return nil, fmt.Errorf("encode page header: %w", err)
	}
	return b, nil
}
