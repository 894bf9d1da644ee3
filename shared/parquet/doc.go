// Package parquet writes typed columns as Parquet.
//
// It takes batches as package record fills them and gives the bytes of one file: every vector of a batch becomes a data
// page of its column, pages gather until a row group is full in rows or bytes, and the footer comes with Close. It is
// pure: it knows an io.Writer, no file, clock or SDK, and it is the only package that imports xitongsys/parquet-go. Of
// that library it uses the schema handler, the thrift types of the format and the compact protocol. The library's
// encoding of rows and values is gone round, because it boxes each value; so is its package layout, whose page and chunk
// types carry those boxed values and start the codecs and decoders of its reader.
package parquet
