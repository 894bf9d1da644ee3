package process

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"tributary/shared/parquet"
	"tributary/shared/record"
	"tributary/shared/zone"
)

// file is an object of the run that waits for its completion.
type file struct {
	key    string
	upload zone.Upload
	rows   int64
	bytes  int64
}

func (f *file) Write(p []byte) (int, error) {
	n, err := f.upload.Write(p)
	f.bytes += int64(n)
	return n, err
}

// fileSet is the files of one store that a run makes, one after the other.
type fileSet struct {
	ctx     context.Context // of what is sent while the files are written
	store   Store
	key     func(n int) string
	options zone.PutOptions
	files   []*file
	block   int64 // of the input that the current file holds
}

// next begins the file of a further block; what the one before has buffered is sent. Files are numbered as the blocks
// are, so that under every contract a number stands for the same part of the input. There is none of a block that brings
// nothing.
func (s *fileSet) next(block int64) (*file, error) {
	if n := len(s.files); n > 0 {
		if err := s.files[n-1].upload.Flush(); err != nil {
			return nil, err
		}
	}
	f := &file{key: s.key(int(block) + 1)}
	f.upload = s.store.Upload(s.ctx, f.key, s.options)
	s.files = append(s.files, f)
	s.block = block
	return f, nil
}

func (s *fileSet) rows() []zone.FileRow {
	rows := make([]zone.FileRow, len(s.files))
	for i, f := range s.files {
		rows[i] = zone.FileRow{Key: f.key, Rows: f.rows, Bytes: f.bytes}
	}
	return rows
}

// abort gives back whatever was sent and not completed, and forgets the files.
func (s *fileSet) abort(ctx context.Context) error {
	var errs []error
	for _, f := range s.files {
		errs = append(errs, f.upload.Abort(ctx))
	}
	s.files = nil
	return errors.Join(errs...)
}

// lakeFiles writes batches to Parquet.
type lakeFiles struct {
	fileSet
	job    *job
	writer *parquet.Writer
}

func (l *lakeFiles) batch(b *record.Batch) error {
	if l.writer != nil && b.Block != l.block {
		if err := l.close(); err != nil {
			return err
		}
	}
	if l.writer == nil {
		f, err := l.next(b.Block)
		if err != nil {
			return fmt.Errorf("write lake file: %w", err)
		}
		if l.writer, err = parquet.NewWriter(f, l.job.Contract.Columns, l.job.parquetOptions()); err != nil {
			return fmt.Errorf("write lake file %s: %w", f.key, err)
		}
	}
	if err := l.writer.Write(b); err != nil {
		return fmt.Errorf("write lake file: %w", err)
	}
	return nil
}

func (l *lakeFiles) close() error {
	if l.writer == nil {
		return nil
	}
	f := l.files[len(l.files)-1]
	info, err := l.writer.Close()
	if err != nil {
		return fmt.Errorf("close lake file %s: %w", f.key, err)
	}
	f.rows, l.writer = info.Rows, nil
	return nil
}

// rowGroupRows is about a quarter of package parquet's own: with that, what waits for its row group to be whole was the
// largest part of a run's memory beside its keys. Files grow by no more than three thousandths.
const rowGroupRows = 4 * record.BatchRows

// parquetOptions puts into each file what it was made of.
func (j *job) parquetOptions() parquet.Options {
	return parquet.Options{
		RowGroupRows: rowGroupRows,
		Metadata: []parquet.KeyValue{
			{Key: zone.MadeOfDataset, Value: j.Contract.Dataset},
			{Key: zone.MadeByVersion, Value: j.id.contract},
			{Key: zone.MadeByContract, Value: j.id.digest},
			{Key: zone.MadeByEngine, Value: j.id.engine},
			{Key: zone.MadeOfRaw, Value: j.run.ManifestKey()},
			{Key: zone.MadeOfVersion, Value: j.id.manifest},
		},
		CreatedBy: "tributary " + j.id.engine,
	}
}

// rejectFiles writes rejects as lines of JSON.
type rejectFiles struct {
	fileSet
	job  *job
	page zone.ManifestPage // the page that is being read
}

func (s *rejectFiles) reject(r *record.Reject) error {
	if len(s.files) == 0 || r.Block != s.block {
		if _, err := s.next(r.Block); err != nil {
			return fmt.Errorf("write rejects: %w", err)
		}
	}
	line, err := encodeLine(s.job.rejectRow(r, s.page))
	if err != nil {
		return fmt.Errorf("encode reject %d of page %d: %w", r.Index, r.Page, err)
	}
	f := s.files[len(s.files)-1]
	if _, err := f.Write(line); err != nil {
		return fmt.Errorf("write rejects %s: %w", f.key, err)
	}
	f.rows++
	return nil
}

// rejectRow renders a reject as it is stored.
func (j *job) rejectRow(r *record.Reject, page zone.ManifestPage) zone.RejectRow {
	row := zone.RejectRow{
		Dataset:         j.Contract.Dataset,
		RunID:           j.run.ID(),
		RawKey:          page.Key,
		RawVersion:      page.Version,
		Page:            int32(r.Page),
		Index:           r.Index,
		Key:             valid(r.Key),
		Violations:      make([]zone.ViolationRow, len(r.Violations)),
		Encoding:        "utf-8",
		Truncated:       r.Truncated,
		Offset:          r.Offset,
		Bytes:           r.Bytes,
		SHA256:          r.SHA256,
		ContractVersion: j.id.contract,
		ContractDigest:  j.id.digest,
		EngineRevision:  j.id.engine,
	}
	for i, v := range r.Violations {
		row.Violations[i] = zone.ViolationRow{Pointer: valid(v.Pointer), Rule: v.Rule, Message: valid(v.Message), Value: valid(v.Value)}
	}
	text := r.Record
	if r.Truncated {
		text = wholeRunes(text)
	}
	if utf8.Valid(text) {
		row.Record = string(text)
	} else {
		row.Record, row.Encoding = base64.StdEncoding.EncodeToString(r.Record), "base64"
	}
	return row
}

// wholeRunes cuts off a character that the end of the text divides.
func wholeRunes(text []byte) []byte {
	for cut := 1; cut < utf8.UTFMax && cut <= len(text); cut++ {
		if tail := text[len(text)-cut:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return text[:len(text)-cut]
			}
			return text
		}
	}
	return text
}

// valid shows bytes that are no UTF-8 as escapes: JSON text cannot hold them.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}
