package source

import (
	"slices"
	"sync"
	"time"

	"tributary/shared/contract"
)

// window keeps a declared rate: in any span of its length it lets at most so many requests go. A request counts from
// the end of its answer, so that the promise holds for the source's clock too, however long the way is.
type window struct {
	rate contract.Rate

	mu   sync.Mutex
	ends []time.Time // of the latest requests, oldest first, at most rate.Requests
}

// delay says how long the next request has to wait.
func (w *window) delay(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rate.Requests <= 0 || len(w.ends) < w.rate.Requests {
		return 0
	}
	return max(0, w.ends[0].Add(w.rate.Per).Sub(now))
}

// count enters a request whose answer ended at the given time.
func (w *window) count(end time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.enter(end)
}

// passed enters the request of a page that stands, unless it was this client's own: that is known by its time, of which
// a page keeps the milliseconds.
func (w *window) passed(fetched time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.ContainsFunc(w.ends, func(end time.Time) bool { return end.Truncate(time.Millisecond).Equal(fetched) }) {
		w.enter(fetched)
	}
}

func (w *window) enter(end time.Time) {
	if w.rate.Requests <= 0 {
		return
	}
	at, _ := slices.BinarySearchFunc(w.ends, end, time.Time.Compare)
	w.ends = slices.Insert(w.ends, at, end)
	if len(w.ends) > w.rate.Requests {
		w.ends = slices.Delete(w.ends, 0, 1)
	}
}
