// Package engine is the engine of the process function as something to be measured: over one file, from bytes to Parquet,
// rejects and projection. Peer is the whole of it. Stage is the same code that goes so far and no further, so that the
// difference of two stages is what a step costs; Profile tells which code the processor was in.
//
// Each is meant to run in a process of its own, and none is to be called twice in one: the collector's settings and the
// peak of memory are the process's.
package engine
