package source

import (
	"time"

	"tributary/shared/contract"
)

// window keeps a declared rate: in any span of its length it lets at most so many requests go. A request counts from
// the end of its answer, so that the promise holds for the source's clock too, however long the way is.
type window struct {
	rate contract.Rate
	ends []time.Time // of the latest requests, oldest first, at most rate.Requests
}

// delay says how long the next request has to wait.
func (w *window) delay(now time.Time) time.Duration {
	if w.rate.Requests <= 0 || len(w.ends) < w.rate.Requests {
		return 0
	}
	return max(0, w.ends[0].Add(w.rate.Per).Sub(now))
}

// count enters a request whose answer ended at the given time.
func (w *window) count(end time.Time) {
	if w.rate.Requests <= 0 {
		return
	}
	if len(w.ends) == w.rate.Requests {
		w.ends = w.ends[:copy(w.ends, w.ends[1:])]
	}
	w.ends = append(w.ends, end)
}
