// Package contract reads data contracts: one YAML file in the Open Data Contract Standard v3.1.0 for each dataset. It
// is the only place where a type, a rule or a name of a dataset is written; package record compiles it into a decoder,
// package parquet takes its leaves, infrastructure its Glue types, schedule and serving key.
//
//	c, err := contract.Load("shared/datasets/coin_markets.odcs.yaml")
//	var faults contract.Faults
//	if errors.As(err, &faults) { … } // each with file, line, column, field and what to do
//
// The package imports nothing of ours and asks nothing but the file: no clock, no network, no environment.
//
// # Refused
//
// Reading is strict. A key that the standard does not know, or knows and this pipeline does not honour, is a fault and
// not ignored, because what is ignored in silence is believed to work. So are contradictions (a minimum above the
// maximum, a frequency that the cron expression does not have, a valid value that the column's own pattern refuses), rules
// that say nothing (a bound that no value of the type can break, a metric that every run keeps, two parts of the source
// that send one query parameter), names that are no column, expressions that do not type-check or fail with every record,
// derived columns in a circle, keys that may be null, credentials, and what other readers of the same file would take for
// something else (duplicate keys, aliases, tags, an unquoted no). All faults are reported together, by place.
// testdata/faults.txt shows every one. What is accepted passes the official JSON Schema of the standard.
//
// # Columns
//
// A property's name is the JSON member, physicalName the column where that is no name for Athena (lower case, digits,
// _). The value is read at the member, at transformSourceObjects: [/a/JSON/Pointer], or derived by transformLogic.
//
//	logicalType            Kind       JSON accepted                           Glue
//	string                 String     string                                  string
//	integer                Integer    integral number; integral text *        bigint
//	number                 Double     number; numeric text *                  double
//	number, decimal(p,s)   Decimal    the same, exactly                       decimal(p,s)
//	boolean                Boolean    true, false                             boolean
//	timestamp              Timestamp  RFC 3339, or the JDK pattern of format  timestamp
//	timestamp, epoch       Timestamp  number of seconds or milliseconds       timestamp
//	date                   Date       yyyy-MM-dd, or the pattern of format    date
//	array with items       List       array                                   array<…>
//	object with properties Struct     object                                  struct<…>
//	array, object          JSON       any array, any object                   string
//
// * not with the custom property strict: true, of the contract or of the column. An epoch is the column's custom
// property {property: epoch, value: seconds | milliseconds}. Missing equals null. Integers are 64 bits wide unless
// format narrows them (the standard's text has 32 as default, which most APIs exceed). A time of day (logicalType time) is
// refused: Athena has no such type.
//
// A column that shows what another one classifies as confidential or restricted is classified with it: one that is read
// from the same place or from inside it, JSON text around it, and whatever is derived from it.
//
// # Rules
//
// Rules see one run. required, unique, primaryKey and logicalTypeOptions are rules of a record. Of the library metrics
// those that must count nothing are too (nullValues, missingValues, invalidValues, duplicateValues with mustBe: 0 and
// severity error); every other one is a Metric over the run, and when it fails with severity error, the run is held.
// A set of unique columns that holds a null is not compared, as in SQL. A primary key must have a column derived from
// run.scheduledAt, because the next run brings the same records again; such a column is left out of Uniques, where it
// distinguishes nothing.
//
// # Expressions
//
// Rules of type custom, engine cel, and transformLogic are CEL, checked against Environment. Its variables are
//
//	the columns, by column name   string, int, double, bool, timestamp (a date is its midnight in UTC)
//	run.scheduledAt               timestamp, one for the run
//	run.fetchedAt                 timestamp, one for the page
//	record.page, record.index     int, from 1 and from 0
//	record.key                    string, the name of the member that is the record (records: /data/*)
//
// The dotted names are variables as they stand: an activation answers "run.scheduledAt". Decimals are not variables
// (CEL would take them for doubles), nor are arrays, objects and JSON text. Numbers of both kinds may be compared with
// each other, but not added.
//
// A null operand makes a rule pass and a derived column null: when any column of Expr.Columns is null in a row, the
// expression is not evaluated. The result has exactly the type of the derived column; a date column takes a timestamp
// and keeps its day in UTC. Derived columns may use each other. A rule reads at least one column, or the record's place.
//
// # Freshness
//
// frequency is the schedule, latency the longest time without a loaded run, retention the life of the lake's files: all
// three are about runs. element is for other tools, which look how old a column's values are.
//
// # Digest
//
// Contract.Digest covers what changes results: columns, rules, serving, where the records stand, the limits of a record
// and a run, and the threshold of rejects; not address, rate, schedule, retention or text, and classification only of
// columns that expressions read, whose values a reject then hides. Diff says what a change means
// to readers, Allowed whether it may be published.
package contract
