// Package process turns a raw run into what people read: Parquet in the lake, rejects with their reasons, the newest
// items of the serving table, one alert and one audit row.
//
// # The way of a run
//
// An S3 notification of a manifest, or a replay, names a run. The audit row tells what is left to do: nothing when it
// is done by the same manifest version, contract digest and engine revision; only the alert when it is stored; else
// everything. The pages are then read in the manifest's order, each held against its size, SHA-256 and record count.
// Clean records become Parquet, rejects become lines of JSON, served columns are folded to the newest per key; all of it
// goes into uploads that nobody can see. At the end of this one pass stands the verdict:
//
//   - loaded: the effects are made, in this order: lake, rejects, serving table, audit "stored", alert, audit "done".
//   - held: too many rejects, a failed metric, or an item that DynamoDB cannot hold. Rejects are stored, lake and table
//     get nothing.
//   - unreadable, too_large: a page is no JSON, truncated or not what the manifest says; a limit of size or time is
//     passed, or would be by putting the items (Options.PutRate). Nothing is stored but the audit row.
//
// The last three are audited and alerted and are no errors: trying again reads the same bytes. Where the run was loaded
// before, by another contract or engine, they leave that outcome in place and are noted in the audit row's replay. Every
// other failure is returned as an error, everything uncompleted is aborted, and the next delivery starts over: the files
// of a run have names that derive from its raw keys, and their bytes from raw bytes, contract and engine.
//
// # Files
//
// The input is divided into parts of Options.FileRecords records and FileBytes bytes, counted over all pages before
// anything is rejected. File n of the lake holds the rows of part n, file n of the rejects its rejects: a number stands
// for the same records under every contract. A part without rows, or without rejects, has no such file. Most runs are one
// part.
//
// # Deliveries at the same time
//
// Deliveries come twice, late, out of order and at once, under different contracts when a deployment lies between. What
// keeps them apart is the audit row, which is only ever replaced on the condition that it is still the one seen before:
//
//  1. Before anything becomes visible the attempt claims the run: it writes the row with state "storing", its identity
//     (manifest version, contract version and digest, engine revision) and, in the object's metadata, its verdict. It was
//     read at the start, and refused there if a newer contract version has had the run, also where its replay left the
//     former outcome in place; the condition refuses it again if one has come since.
//  2. Under the claim it lists the run's files, then makes sure that the claim still holds. Completions and removals are
//     conditional on what was listed. So once a newer attempt has claimed and written a file, no older one can replace it.
//  3. Files of a former outcome that this one does not have are removed. One that an overtaken attempt completes behind
//     that is removed by that attempt, when its next write to the audit row is refused, by its retry, or, as it may have
//     died and be nobody's to retry, by whoever finds the run stored or done. In a table of another contract nothing is removed: there
//     the row says nothing of its files.
//
// Conditions compare ETags, which must differ with every write. Those of objects under KMS do.
//
// While the row says "storing" the view of the newest runs does not show the run: lake and rejects may be of two contracts.
//
// Attempts of one identity write the same bytes and may help each other: an object of the same identity (it is in the
// objects' metadata) counts as one's own success, a standing claim of the same verdict is joined, and whoever finds the row
// further than itself leaves the rest, the alert included, to the other, whose own delivery is retried if it dies. A write
// whose answer was lost is recognised by the attempt's id in the metadata.
//
// Their verdicts may differ all the same, as time is not in the identity. A claim of another verdict is replaced, not
// joined, but an attempt that ran out of time takes nothing back from one that had enough: it fails, and is tried again. So
// a run that has begun to be visible is stored in the end, or lies in the failure queue.
//
// Items need no claim to be put: a conditional put lets the newest win in any order. Of the same record under the same
// contract version it is the later claim's, of which the number is in the items' order (zone.ItemOrder), so that a run that
// two builds worked on is served as the last one has it.
//
// # Alerts
//
// There is one alert per run that has something to say: it did not load (critical), it rejected records (warning), or it
// broke rules of severity warning (info). A clean run is silent. The alert's id derives from the run, its identity and its
// outcome. SNS knows no idempotency, so an alert comes twice if the function dies, or loses the answer, between publishing
// and recording. A run found "stored" is left to the invocation that stored it while that can still be running, which
// Lambda retries under the same request id; a retry of it, or anybody after its deadline, sends the alert. Where Lambda
// hands over one event twice at once, under one request id, both may send it. A forced replay is an outcome of its own and
// sends its alert again, with the same id. Values of classified columns are masked in it.
//
// An id has one text, whoever sends it: examples are read from the pages again, and an attempt that has no time for that
// leaves the alert to the next. That a run is too large is told without examples, as one attempt gets further than another.
//
// # Bounds
//
// Memory: one part (cloud.PartSize) for each of the lake's and the rejects' current file, the batches in flight, a row
// group, half a MiB of a page that is read ahead, the spool's share. Temporary files hold served columns that do not fit, and are unlinked from the start.
//
// # What a newer contract cannot take back
//
// Items are never deleted, they are replaced or expire: the table does not know what an item replaced, so that a deletion
// would lose the key. A record that an older contract served, and that the newer one rejects or holds back with its run,
// therefore leaves its item, be the older attempt done or overtaken on its way. An older attempt that is overtaken while it
// is storing leaves no outcome either: a newer contract that then holds the run leaves it held. If the run was loaded
// before, that is then lost as well; the audit row (former) and the alert say so, and a replay from the raw pages brings it
// back. And where it is overtaken between storing and alerting, the newer contract's alert stands for both. Package proof
// holds everything else to the state of clean runs.
//
// Nor does a newer contract replace an item whose version column it computes smaller than the older one did: newer is what
// that column says, and only between equal ones the contract counts.
package process
