// Package bench measures the engine and the process function on this machine, in parts that can be asked for singly, and
// holds what it finds against the project's targets.
//
// Comparisons are made in one run, interleaved, on the same file with the same codec, as ratios of medians: rates alone
// say more about the machine. Package engine does the whole work of a run, every rule of coin_markets with Parquet,
// rejects and projection. DuckDB does it in one of two ways: plain, where it reads the JSON with given types and writes
// Parquet, checks nothing, keeps no reject and projects nothing; or with the contract's rules in SQL and with rejects, but
// without derived columns and projection. It is linked from duckdb-go, and the tables name its version.
//
// Every run of a peer is a process of its own, bound to as many cores as the table says where taskset is there to do
// it. What takes time is told twice: by stages, which are runs that stop short, each less the one before; and by a profile
// of whole runs, which knows the code but not what it was for. Both are in processor time, which other work on the machine
// disturbs least.
package bench
