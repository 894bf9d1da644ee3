package api

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"
)

// Bulk is made-up coins for benchmarks: any number of them, each with an id of its own. The same values give the same
// records, and those without a fault are the same whatever DirtyPermille is.
type Bulk struct {
	First, Count  int
	Seed          uint64
	At            time.Time
	DirtyPermille int // about so many of a thousand have a fault for which the contract rejects them
}

// Write writes the coins as NDJSON.
func (b Bulk) Write(w io.Writer) error {
	out := bufio.NewWriterSize(w, 1<<20)
	for i := b.First; i < b.First+b.Count; i++ {
		o := b.coin(i)
		if fault := b.fault(i); fault != nil {
			o = b.spoil(o, i, fault)
		}
		if _, err := fmt.Fprintln(out, o); err != nil {
			return fmt.Errorf("write coin %d: %w", i, err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write coins: %w", err)
	}
	return nil
}

func (b Bulk) coin(i int) object {
	o := coin(i, b.Seed, b.At)
	for m := range o {
		if o[m].name == "id" {
			o[m].text = fmt.Sprintf(`%s-%d"`, strings.TrimSuffix(o[m].text, `"`), i)
		}
	}
	return o
}

// faults is a stream of draws that no coin has.
const faults = 1 << 63

// fault draws what is wrong with a coin; nil for nothing. The first coin is always clean, so that every other has a clean
// one before it.
func (b Bulk) fault(i int) *rand.Rand {
	if i == 0 || b.DirtyPermille == 0 {
		return nil
	}
	if r := draws(b.Seed, faults|uint64(i)); r.IntN(1000) < b.DirtyPermille {
		return r
	}
	return nil
}

// spoil plants one of the faults of coinDirt, or the id of an earlier coin.
func (b Bulk) spoil(o object, i int, r *rand.Rand) object {
	kind := r.IntN(len(coinDirt) + 1)
	for kind < len(coinDirt) && len(coinDirt[kind].violations) == 0 {
		kind = r.IntN(len(coinDirt) + 1)
	}
	if kind < len(coinDirt) {
		return coinDirt[kind].spoil(o, r)
	}
	earlier := r.IntN(i)
	for b.fault(earlier) != nil {
		earlier--
	}
	return o.with("id", b.coin(earlier).get("id"))
}
