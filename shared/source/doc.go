// Package source asks a paged third-party HTTP API for the pages of one run, in the way that a contract declares.
//
// A Client is what does not change between runs: the contract's source, its URL in one environment, transport and
// clock. A Walk is the way of one run through the pages. Fetch asks for the page at the walk's position and does not
// move; Pass moves behind a page once it is stored, wherever that page came from. So a caller that repeats a run
// passes the pages that already stand, and fetches only what is missing:
//
//	walk := client.Walk()
//	for !walk.Done() {
//		page, err := walk.Fetch(ctx)
//		…store page.Body and page.Mark…
//		err = walk.Pass(page.Mark)
//	}
//
// A source with an incremental cursor is asked for the records from a value on (WalkFrom); the walk tells how far it came
// (Reach). The package keeps no state: whoever stores the pages moves the cursor. Pages that are counted shift when
// records change while they are read. What is added at the end is not missed: Reach stops before a gap, by offset for
// certain, of numbered pages where one of the run was full. A record that moves to the end as it changes lets others move
// up, and one of them may slip into a page that was read before: only a lag of the cursor that is longer than a run takes
// brings it with the next run, or a pagination by cursor or link.
//
// Bytes are handed on as they came, after transfer encoding; the package looks into them only for the number of
// records and for what leads to the next page. A body that is no JSON, or lacks the array of records, is asked for
// again like any fault, and in the end handed on with -1 records: it is data for whoever processes the run.
//
// What can pass is tried again, with jitter and as late as Retry-After says: 408, 425, 429, 5xx, network faults,
// time-outs, truncated bodies. What cannot is an Error at once: other statuses, a body above the contract's limit, a
// pagination that repeats itself, plain http where the contract asks for TLS. The declared rate holds over all pages
// and attempts of a client's walks, and over the pages that were passed.
//
// Credentials go to the origin of the contract's URL alone: a redirect or a link to another one is followed without
// them, without the contract's headers and without a referrer. They appear in no error.
package source
