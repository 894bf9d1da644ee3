// Package api plays the third-party API of a dataset on a laptop, so that a first run needs no network and no key.
//
// An API is an http.Handler made from the dataset's contract: it listens on the path of the contract's URL, insists on
// the query the contract declares, and pages in the contract's way. New serves made-up records that are the same for
// the same seed and scheduled time. They are dirty on purpose, as real ones are: integers among floats, nulls, numbers
// as text, wrong types, missing ids, duplicates. What is wrong where is planned beforehand, and Plan tells it, so that a
// test knows every record that must be rejected and why. Each run of New's API also meets one 429 with Retry-After and
// one 503. Replay serves a recorded file instead, byte for byte, without any of this.
//
// The package knows nothing of the functions and the stores behind them; it refuses what the real API would: another
// path, another method, a missing parameter.
package api
