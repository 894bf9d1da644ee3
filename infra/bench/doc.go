// Package bench measures the engine as a whole, with the processor that is deployed, and holds it against DuckDB doing a
// smaller part of the work on the same file, interleaved in one run. It prints ratios: rates alone say more about the
// machine. Peer is the engine as one command that takes a file and prints its figures, which other comparisons can call.
//
// DuckDB only reads the JSON with given types and writes Parquet: it checks no rule, keeps no reject and projects
// nothing.
package bench
