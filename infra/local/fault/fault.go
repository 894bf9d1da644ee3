// Package fault makes go wrong on request what goes wrong in a cloud: requests are throttled or fail, answers are lost
// although the request did its work, services are slow, events come twice and out of order, a function dies in the middle
// of its work. A plan only decides and counts; the local environment does what it says. The same seed decides the same for
// the same order of requests; the order itself is that of the machine.
package fault

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kind is what goes wrong.
type Kind string

// The kinds.
const (
	Throttle  Kind = "throttle"  // the service refuses a request for its rate
	Server    Kind = "5xx"       // the service fails before it does anything
	Lost      Kind = "lost"      // the service does its work and the answer never arrives
	Slow      Kind = "slow"      // the answer takes long
	Duplicate Kind = "duplicate" // an event comes twice
	Reorder   Kind = "reorder"   // an event comes late, behind those after it
	Kill      Kind = "kill"      // the function's process dies in the middle of a request
)

// Kinds are all of them, in the order in which people are told.
var Kinds = []Kind{Throttle, Server, Lost, Slow, Duplicate, Reorder, Kill}

// Parse reads a list of kinds: names with commas between them, or all.
func Parse(text string) ([]Kind, error) {
	if text == "all" {
		return Kinds, nil
	}
	var kinds []Kind
	for name := range strings.SplitSeq(text, ",") {
		k := Kind(strings.TrimSpace(name))
		if !slices.Contains(Kinds, k) {
			return nil, fmt.Errorf("there is no fault %q; there are all, %s", name, list(Kinds))
		}
		if !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	return kinds, nil
}

func list(kinds []Kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

// How often things go wrong, of a hundred requests: often enough to be seen in a small run, and so seldom that retries
// come to an end.
var often = map[Kind]int{Throttle: 8, Server: 5, Lost: 5, Slow: 3}

const (
	slowest  = 400 * time.Millisecond
	latest   = 1500 * time.Millisecond // of an event that is out of order
	lastKill = 12                      // a function dies within its first so many requests
)

// Plan decides what goes wrong.
type Plan struct {
	Seed uint64

	mu     sync.Mutex
	random *rand.Rand
	kinds  map[Kind]bool
	counts map[Kind]int64
	lives  map[string]int // by function: requests until it is killed; below zero: it was
}

// New makes a plan.
func New(kinds []Kind, seed uint64) *Plan {
	p := &Plan{Seed: seed, random: rand.New(rand.NewPCG(seed, 0x7262)), kinds: map[Kind]bool{}, counts: map[Kind]int64{}, lives: map[string]int{}} //nolint:gosec // G404: faults are no secrets
	for _, k := range kinds {
		p.kinds[k] = true
	}
	return p
}

// Request decides what goes wrong with a request of a function: "" for nothing. Delay is that of Slow.
func (p *Plan) Request(function string) (kind Kind, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kinds[Kill] && p.dies(function) {
		p.counts[Kill]++
		return Kill, 0
	}
	throw := p.random.IntN(100)
	for _, k := range Kinds {
		if !p.kinds[k] {
			continue
		}
		if throw -= often[k]; throw < 0 {
			p.counts[k]++
			if k == Slow {
				delay = slowest/4 + time.Duration(p.random.Int64N(int64(slowest)))
			}
			return k, delay
		}
	}
	return "", 0
}

// dies counts a function's requests down to the one at which it is killed, once.
func (p *Plan) dies(function string) bool {
	left, known := p.lives[function]
	if !known {
		left = 2 + p.random.IntN(lastKill-1)
	}
	p.lives[function] = left - 1
	return left == 1
}

// Deliveries decides when an event arrives: once at once, unless it comes again or late.
func (p *Plan) Deliveries() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	late := func() time.Duration {
		if !p.kinds[Reorder] {
			return 0
		}
		p.counts[Reorder]++
		return time.Duration(p.random.Int64N(int64(latest)))
	}
	all := []time.Duration{late()}
	if p.kinds[Duplicate] {
		p.counts[Duplicate]++
		all = append(all, late())
	}
	return all
}

// Count is how often a kind has happened.
type Count struct {
	Kind  Kind
	Times int64
}

// Counts tells what has gone wrong so far.
func (p *Plan) Counts() []Count {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []Count
	for _, k := range Kinds {
		if p.kinds[k] {
			all = append(all, Count{k, p.counts[k]})
		}
	}
	return all
}
