// Package query answers SQL on what local runs left: the tables and views of the stack's Glue catalog as views of DuckDB,
// below .local or the folder of another stack.
//
// Glue's types decide, as in Athena, and not the file's. Columns match by name; one that a file lacks is NULL, one that
// Glue does not name is not seen; the partition's value comes from the path, and a day outside the projection's range has
// no rows. A column whose type in a file is not exactly Glue's is an error as soon as it is read, with table, column, file
// and both types: Athena answers HIVE_BAD_DATA there, or loses rows in silence where it does not. Timestamps are UTC.
//
// A view is its Trino text, with the two things that DuckDB has otherwise translated: the hidden column "$path" and
// UNNEST of rows. "$path" itself is in the schema DATABASE_with_path, since a view of DuckDB has no hidden columns.
//
// Nothing is changed: one statement at a time is taken, DuckDB's own parser must call it a SELECT (WITH, FROM, VALUES,
// DESCRIBE, SHOW and SUMMARIZE are) or EXPLAIN of one, and DuckDB reaches no file but those of the lake and the rejects.
//
// DuckDB is a C++ library: without a C compiler the command says so and ends with status 1.
package query
