// Package parquet writes typed columns as Parquet.
//
// It takes batches as package record fills them and gives the bytes of one file. It is pure: it knows an io.Writer, no
// file, clock or SDK, and it is the only package that imports xitongsys/parquet-go. Of that library it uses the schema
// handler, the thrift types of the format and, through thrift, the compact protocol. The library's encoding of rows and
// values is gone round, because it boxes each value; so is its package layout, whose pages and chunks carry the boxed
// values, and which starts the codecs and decoders of the library's reader in every process.
//
// # The way of a batch
//
// NewWriter builds the schema and compares it with contract.Leaves, by which record fills batches; every fault of a
// column is an error there, and nothing has been written yet. Write checks all vectors of a batch against the schema and
// then makes each one data page of its column:
//
//   - Levels. Where a row has exactly one slot, the bitmap of values is the bit-packed run of definition levels; no
//     nulls or only nulls are one run. Other leaves have their levels in the hybrid of runs and packed groups.
//   - Values. Text and the leaves of structs and lists try a dictionary of the chunk; flat numbers do when a sample of
//     the chunk's first page repeats itself. A dictionary that gains nothing on its first page, or grows beyond a quarter
//     of the values, 16,384 entries or 1 MiB, is given up: the pages from there on are PLAIN.
//   - Bounds and null count of the chunk, over the finished batch: rejected rows have fallen out by then.
//   - Compression. A chunk whose first page hardly shrinks is stored as it is.
//
// Pages wait in blocks of 64 KiB until a row group is full in rows or bytes; then its chunks go out, and their blocks are
// used again. So a writer holds one row group as it will lie in the file, and scratch space for one page. Close writes
// what is left and the footer.
//
// Every column, field and element is OPTIONAL, so that a later and looser contract changes no file's type. Physical and
// logical types are exactly those that the Glue table declares, with the older converted types beside them.
//
// # What it refuses
//
// Schemas: no columns, no or repeated names (Athena folds case), empty structs, decimals beyond 38 digits. Batches: any
// vector whose kind, bitmap, levels or number of values contradict the schema or each other; a page beyond 2 GiB. After
// an error nothing more is written, and every call returns the first error: a file is whole or has no footer.
//
// # What readers make of it
//
// Wrong statistics lose rows in silence, so they are written conservatively:
//
//   - null_count of a page counts slots, also those of empty lists. One that is too small makes DuckDB, Arrow and polars
//     lose rows under IS NULL.
//   - Text is ordered by unsigned bytes, decimals of sixteen bytes as signed numbers. Arrow ignores the bounds of text
//     unless the footer names the column orders. The deprecated min and max stay away: DuckDB uses them.
//   - Zero is -0 as a lower and +0 as an upper bound. A chunk with a NaN has no bounds: for DuckDB NaN is the greatest.
//   - The library's Statistics cannot say that a bound was cut, so a chunk with a bound beyond 256 bytes has none.
//   - There is no page index: DuckDB, Arrow and polars do not look at one, so that a false one would go unseen.
//
// Trino, from which Athena is forked, reads INT64 under a double, or a decimal of another scale, until a filter meets the
// statistics. DuckDB holds timestamps in microseconds and refuses milliseconds beyond the year 294,247, though Parquet
// holds them.
//
// # Traps of the format
//
// Total sizes count page headers, the sizes in a page header do not. RowGroup.TotalByteSize is uncompressed. Optional
// thrift scalars are pointers: each needs a variable of its own. The bit width of dictionary ids is 1 where one value
// would need 0. A page without values is PLAIN, since there may be no dictionary yet. The last bit-packed group is
// padded with zeros, whatever the bitmap held there.
//
// # Same bytes
//
// A file depends on its batches and options alone. The ids of a dictionary follow the order of the values and not the
// hash. Snappy's bytes, not the values, may differ between processors and builds: its encoder is assembly on some.
//
// # Speed
//
// On one core snappy takes a third of the time, most of it for numbers that shrink by a fifth or less; to store those as
// they are would save 3 % of a whole run and cost 7 % of the file. Pages just under 64 KiB, for which its encoder has another
// form, are no faster. The rest is, in this order: writing, dictionaries of text, bounds. Numbers go into pages from the
// vectors' own memory, and from there where they wait, without a copy in between, when the chunk is stored as it is. The
// sample spares numbers that never repeat the attempt at a dictionary; the bounds of text compare eight bytes at once and,
// behind a dictionary, only the values that are new. Blocks in place of growing buffers spared three quarters of what a
// file allocated.
package parquet
