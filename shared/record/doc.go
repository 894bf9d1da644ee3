// Package record turns the bytes of a run's pages into typed columns by a contract, and what does not keep the contract
// into rejects. It is pure: no files, no network, no clock.
//
//	plan, err := record.Compile(contract)
//	reader := plan.Start(record.Run{ScheduledAt: at}, sink)
//	for each page:
//		err = reader.Page(record.Page{Number: n, FetchedAt: t, Records: counted}, body) // uncompressed
//	summary, err := reader.Close()
//
// # The way of a record
//
// A page passes through a window of 128 KiB, which grows only for a record that is larger, up to limits.record. It
// is followed to its records: through an envelope along a JSON Pointer, through an array, or from line to line. Each
// record is decoded in one pass from its bytes to the end of the columns; derived columns and rules follow while its
// values are in the cache. A record without violation has become a row by then. Any other is taken out of the columns
// again and handed to the sink with its exact text and every reason. Keys are looked up for 32 rows at a time, so a row
// may be taken out a little later; the order of rejects is that of the records all the same. BatchRows rows are a Batch.
//
// The input of a run may be divided into blocks, so that what is made of it can be divided at the same places whatever a
// contract rejects: each batch and each reject says of which block it is. A record is looked at for its place when it has
// been read; the first of a block is taken out of the columns, what is pending of the block before is settled and
// handed out, and the record is read again.
//
// # What is read
//
// One JSON array, at the document's root or under a pointer; or a stream of records, as lines or one behind the other.
// A byte order mark is passed over. An empty array and null are pages without records. A page that is empty, HTML,
// truncated, no JSON, without an array where the contract has it, or with more behind its end is an UnreadableError:
// reading it again changes nothing. In a stream a line that is no JSON is one reject, and so is a record that is too
// large or too deep anywhere. Where the lines of a stream are no lines, because its records have several, a bad record
// ends before the next line that starts with a brace. A value beside the records may be as large as a record.
//
// # What a value becomes
//
// Values are exact or violations. Whole numbers may be written 1.0 or 1e3; decimals are read digit by digit and never
// pass through a float; doubles are the nearest, as strconv has them. Numbers in quotes are numbers unless the column is
// strict. Times are RFC 3339, the contract's own layout or an epoch number, of the years 1 to 9999 (what Athena reads and
// what sorts as text); digits finer than a millisecond are cut, towards the past, and counted as a warning when any of
// them is not zero. There are no leap seconds. Text is UTF-8 without half surrogate pairs. An object that names a member
// twice is a violation where the contract looks into the object; elsewhere its text is kept as it is. Missing is null.
//
// A struct or list that is null has no missing fields. A rule whose operand is null passes, a derived column is null
// then; an expression that fails (division by zero, overflow, a double that is no number) is a violation. The value of a
// column that has violations of its own counts as null for them only if it has no value of the column's type.
//
// Keys are unique over the run: of two records the later is rejected. A record that is rejected, for whatever reason,
// claims no key, because no row has it. A key of which a part is null is none. A key is kept as a 128-bit hash, at most
// 30 bytes of memory each.
//
// Library metrics count clean rows: these are the rows of the lake. duplicateValues counts the rows whose key an earlier
// row has.
//
// # What was learnt about speed
//
// The budget of a row of coin_markets, 26 members and 800 bytes, is 0.83 µs for 1.2 million rows a second and core.
// BenchmarkDecode measures it. In the order of what it brought:
//
//   - Numbers are the largest part. Eight digits a step (a multiplication for four of them, another for eight) and
//     the 64-bit mantissa kept: a double is one division by an exact power of ten, or Eisel and Lemire's multiplication
//     by a table made at start; strconv is asked only for what they decline. Sixteen digits a step without branches were
//     10 % slower over all: most numbers have fewer than eight digits on each side of the point.
//   - Keys looked up row by row cost a fifth of everything, nearly all of it cache misses. Looked up for 32 rows
//     together, first only touched and then for good, they cost less than a tenth, since the misses overlap.
//   - Names: an object's members are expected in the order in which they came before, the shape; a name is compared in words
//     of eight bytes, first and last before the middle, and a member that is lacking costs a look at the next few. While the
//     shape holds, a member's column is at hand in one cache line, and that none is there twice or missing needs no test.
//   - A mantissa becomes a double as a signed number: the conversion of an unsigned one has a branch and twice the steps.
//   - Values go to their column's end at once and rows fall out by cutting the columns back: fixed-width columns follow
//     from the count of rows and nulls, only texts and nested columns need a note for each row.
//   - Derived columns that only name the run, the page or the place are filled batch by batch.
//   - Closures for comparison, arithmetic and logic: about 20 ns a rule, where cel-go takes 0.2 to 1 µs.
//   - Numbers have their branches where a column repeats itself: a part of eight digits or more, a point, a mantissa of 53
//     bits. Reading sixteen bytes with the point among them, without a branch, was 5 % slower over all; a shorter way for
//     numbers of up to seven characters brought nothing.
//   - Not worth it: loads without bounds checks, a shorter way for null, 8,000 rows a batch (nothing each). Building with a
//     profile brings 1 to 4 %.
//
// Decoding takes some 16,500 instructions a record with all that follows it, three to four in a cycle: what holds it back
// is their number, no longer waiting. What is left is spread: numbers about 30 % of decoding, members and their names 25 %,
// texts and times 15 %, keys and rules 10 % each. The next factor is wider instructions, which Go does not offer on arm64,
// or a second core: a Sink may hand batches to another goroutine and release them there.
package record
