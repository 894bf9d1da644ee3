// Package lakefile reads Parquet files of the lake back, with a reader that shares no code with their writer.
package lakefile

import (
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/parquet-go/parquet-go"
)

// Guard is to be deferred: it makes an error of the panic in which reading a file ends, since the reader believes what a
// damaged one says of its parts.
func Guard(err *error) {
	if fault := recover(); fault != nil {
		*err = fmt.Errorf("read Parquet: the file is damaged: %v", fault)
	}
}

// Open reads the footer of a file.
func Open(file io.ReaderAt, size int64) (f *parquet.File, err error) {
	defer Guard(&err)
	f, err = parquet.OpenFile(file, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("open Parquet: %w", err)
	}
	return f, nil
}

// FirstRows reads rows whose values outlive the reader.
func FirstRows(file *parquet.File, count int) (all []parquet.Row, err error) {
	defer Guard(&err)
	for _, group := range file.RowGroups() {
		if len(all) == count {
			break
		}
		rows := group.Rows()
		buffer := make([]parquet.Row, count-len(all))
		n, err := rows.ReadRows(buffer)
		for _, row := range buffer[:n] {
			all = append(all, row.Clone())
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read rows: %w", errors.Join(err, rows.Close()))
		}
		if err := rows.Close(); err != nil {
			return nil, fmt.Errorf("read rows: %w", err)
		}
	}
	return all, nil
}

// Decimal writes an unscaled value, 64 bits or sixteen bytes of two's complement, with its point.
func Decimal(v parquet.Value, scale int) string {
	n := new(big.Int)
	if v.Kind() == parquet.Int64 {
		n.SetInt64(v.Int64())
	} else {
		raw := v.ByteArray()
		n.SetBytes(raw)
		if len(raw) > 0 && raw[0]&0x80 != 0 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(raw))))
		}
	}
	denominator := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
	return new(big.Rat).SetFrac(n, denominator).FloatString(scale)
}
