package proof

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/process"
)

// schedule is all that a case consists of. Whoever plays it again sees the same calls in the same order.
type schedule struct {
	Parts  []part
	Turns  []turn
	Faults []fault
}

// part is an actor: one event, handed to one function until it is done.
type part struct {
	What    what
	Run     int
	Edition int  // of the function that is given the event; of an ingest, which of several instances
	Late    bool // comes when everybody else is done, and the clock has gone on
}

type what string

const (
	ingests  what = "ingest"
	delivery what = "deliver"
	replays  what = "replay"
	forces   what = "force"
)

func (p part) String() string {
	text := fmt.Sprintf("%s run %d", p.What, p.Run)
	if p.What == ingests {
		text += fmt.Sprintf(", instance %d", p.Edition)
	} else {
		text += fmt.Sprintf(" under %s", editions[p.Edition].name)
	}
	if p.Late {
		text += ", late"
	}
	return text
}

func (p part) role() string {
	if p.What == ingests {
		return "ingest"
	}
	return "process"
}

// turn passes from one actor to another, to the n-th of what can go on: after so many calls, or before a call of a method.
type turn struct {
	After  int
	Before string
	To     int
}

// patience is how many calls a turn waits for a call of its method.
const patience = 40

func (t turn) due(calls int, next string) bool {
	if t.Before == "" {
		return calls >= t.After
	}
	return next == t.Before || calls >= patience
}

// fault befalls the n-th call of a method for each of its targets, counted over all instances of a function, and perhaps
// another one befalls the call that the same actor makes next.
type fault struct {
	Role, Method string
	Nth          int
	Kind, Then   kind
}

// kind is what can befall a call.
type kind string

const (
	throttled   kind = "throttled"    // refused, nothing has happened
	timedOut    kind = "timed out"    // never arrived
	lost        kind = "answer lost"  // has happened, and the caller sees a time-out
	repeated    kind = "repeated"     // has happened, the answer is lost, and the SDK sends it again
	crashBefore kind = "crash before" // the function dies
	crashAfter  kind = "crash after"
)

var kinds = []kind{throttled, timedOut, lost, repeated, crashBefore, crashAfter}

var (
	errThrottled = errors.New("SlowDown: reduce your request rate")
	errDead      = errors.New("the function is dead")
)

// maxInvocations is more than an actor can need: faults are few, and conflicts end when the others have.
const maxInvocations = 25

// actor plays a part.
type actor struct {
	part
	index   int
	state   state
	invoked int
	dead    bool // of the current invocation: none of its calls arrives any more
	hurt    bool // the last invocation ended by a planted fault
	err     error
	pending map[int]kind // what befalls running calls after their effect
	then    kind         // befalls the next call
	results []process.Result

	published bool // this invocation sent an alert
	harmed    int  // and so many faults befell it at that or later
}

type state uint8

const (
	waiting state = iota // for its first invocation or the next
	running
	ended // the invocation, and the stage has not seen it yet
	done
)

// gate is a call that waits to be let through.
type gate struct {
	actor  *actor
	call   cloudtest.Call
	answer chan error
}

// step is what happened, to be told when the case fails.
type step struct {
	actor *actor
	text  string
	call  cloudtest.Call
	kind  kind
}

// stage lets actors go on one call at a time.
type stage struct {
	*world
	schedule
	actors  []*actor
	current *actor
	turn    int // index of the next turn
	since   int // calls since the last
	counts  map[point]int
	points  map[point]int // calls let through
	hits    map[cell]int  // faults planted
	steps   []step
	excess  int // alerts that may have come twice, because the one who sent it was harmed then
	fault   string
	watch   func() string // looks at the world after each call that changed the lake
	seen    int           // versions of the lake at the last look

	mu    sync.Mutex
	gates []*gate
}

func newStage(w *world, s schedule) *stage {
	st := &stage{world: w, schedule: s, counts: map[point]int{}, points: map[point]int{}, hits: map[cell]int{}}
	for i, p := range s.Parts {
		st.actors = append(st.actors, &actor{part: p, index: i})
	}
	return st
}

// play brings everything to its end. It is called in a bubble.
func (s *stage) play() {
	for {
		synctest.Wait()
		if s.sweep() {
			continue
		}
		if s.fault != "" {
			s.abandon()
			return
		}
		if len(s.gates) == 0 && !s.anyWaiting() {
			return
		}
		s.next()
	}
}

// sweep ends the calls of dead invocations, or else takes note of what has ended. It reports whether there were such calls.
func (s *stage) sweep() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.gates)
	s.gates = slices.DeleteFunc(s.gates, func(g *gate) bool {
		if g.actor.dead {
			g.answer <- errDead
		}
		return g.actor.dead
	})
	if len(s.gates) < before {
		return true
	}
	slices.SortStableFunc(s.gates, func(a, b *gate) int {
		return cmp.Or(cmp.Compare(a.actor.index, b.actor.index), cmp.Compare(a.call.Method, b.call.Method), cmp.Compare(a.call.Key, b.call.Key))
	})
	for _, a := range s.actors {
		if a.state != ended {
			continue
		}
		text := "is done"
		a.state = done
		if a.err != nil || a.dead {
			text = fmt.Sprintf("fails: %v", a.err)
			a.state = waiting
		}
		s.steps = append(s.steps, step{actor: a, text: text})
		if a.published {
			s.excess += a.harmed
		}
		if a.state == waiting && a.invoked == maxInvocations {
			s.fault = fmt.Sprintf("%s does not come to an end: %v", a.part, a.err)
		}
	}
	if s.watch != nil && s.fault == "" && s.lake.Versions() != s.seen {
		s.seen = s.lake.Versions()
		s.fault = s.watch()
	}
	return false
}

func (s *stage) anyWaiting() bool {
	return slices.ContainsFunc(s.actors, func(a *actor) bool { return a.state != done })
}

// abandon ends all actors, so that the bubble can end.
func (s *stage) abandon() {
	for _, a := range s.actors {
		a.dead = true
	}
	for range 100 {
		s.mu.Lock()
		for _, g := range s.gates {
			g.answer <- errDead
		}
		s.gates = nil
		s.mu.Unlock()
		synctest.Wait()
	}
}

// next lets one call through or starts one invocation.
func (s *stage) next() {
	startable := s.startable()
	n := len(s.gates) + len(startable)
	if n == 0 {
		s.fault = "nobody can go on"
		return
	}
	choice := 0
	for i, g := range s.gates {
		if g.actor == s.current {
			choice = i
			break
		}
	}
	next := ""
	if choice < len(s.gates) {
		next = s.gates[choice].call.Method
	}
	if s.turn < len(s.Turns) && s.Turns[s.turn].due(s.since, next) {
		choice = s.Turns[s.turn].To % n
		s.turn++
		s.since = 0
	}
	s.since++
	if choice >= len(s.gates) {
		s.start(startable[choice-len(s.gates)])
		return
	}
	g := s.gates[choice]
	s.gates = slices.Delete(s.gates, choice, choice+1)
	s.release(g)
}

// startable lists who can be invoked: first those who never were. A late one waits for the others; so does who gave
// way to another, and who is out of Lambda's retries and waits for somebody to take it from the failure queue.
func (s *stage) startable() []*actor {
	busy := slices.ContainsFunc(s.actors, func(a *actor) bool { return a.state == running })
	var list, late []*actor
	for _, a := range s.actors {
		if a.state != waiting {
			continue
		}
		if a.What == delivery {
			if _, ok := s.event(a.Run); !ok {
				continue
			}
		}
		if (a.What == replays || a.What == forces) && a.invoked == 0 {
			if _, ok := s.event(a.Run); !ok {
				continue
			}
		}
		switch {
		case a.Late && a.invoked == 0, a.invoked >= lambdaTries:
			late = append(late, a)
		case a.invoked == 0 || a.hurt || !busy:
			list = append(list, a)
		}
	}
	rarest := func(a, b *actor) int { return cmp.Compare(a.invoked, b.invoked) }
	slices.SortStableFunc(list, rarest)
	slices.SortStableFunc(late, rarest)
	if len(list) == 0 && !busy && len(late) > 0 {
		return late[:1]
	}
	return list
}

// lambdaTries is how often Lambda hands over an event by itself.
const lambdaTries = 3

// start invokes an actor's function.
func (s *stage) start(a *actor) {
	if a.invoked >= lambdaTries || a.Late && a.invoked == 0 {
		s.now = s.now.Add(20 * time.Minute) // whatever ran before has reached its time limit
	}
	a.invoked++
	a.state, a.dead, a.hurt, a.err, a.published, a.harmed = running, false, false, nil, false, 0
	a.pending = map[int]kind{}
	s.current = a
	s.steps = append(s.steps, step{actor: a, text: fmt.Sprintf("is invoked (%d)", a.invoked)})
	request := fmt.Sprintf("request-%d", a.index)
	if a.invoked > lambdaTries {
		request += fmt.Sprintf("-%d", a.invoked)
	}
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: request})
	faults := &cloudtest.Faults{Hook: func(c cloudtest.Call) error { return s.pass(a, c) }}
	go func() {
		err := s.invoke(ctx, a, faults)
		s.mu.Lock()
		defer s.mu.Unlock()
		a.state, a.err = ended, err
	}()
}

func (s *stage) invoke(ctx context.Context, a *actor, faults *cloudtest.Faults) error {
	if a.What == ingests {
		ingester, err := s.ingester(a.Run, a.Edition, faults)
		if err != nil {
			return err
		}
		_, err = ingester.Run(ctx, runs[a.Run].Run)
		return err
	}
	payload, _ := s.event(a.Run)
	if a.What != delivery {
		payload = replay(a.Run, a.What == forces)
	}
	results, err := s.processor(editions[a.Edition], faults).Handle(ctx, payload)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !a.dead {
		a.results = append(a.results, results...)
	}
	return err
}

// pass is where a call of an actor waits for its turn, and where what befalls it is decided.
func (s *stage) pass(a *actor, c cloudtest.Call) error {
	s.mu.Lock()
	if c.After {
		defer s.mu.Unlock()
		return s.after(a, c)
	}
	if a.dead {
		s.mu.Unlock()
		return errDead
	}
	g := &gate{actor: a, call: c, answer: make(chan error, 1)}
	s.gates = append(s.gates, g)
	s.mu.Unlock()
	return <-g.answer
}

// after is called with the stage locked.
func (s *stage) after(a *actor, c cloudtest.Call) error {
	if c.Method == "Topic.Publish" {
		a.published = true
	}
	switch a.pending[c.Number] {
	case lost:
		return context.DeadlineExceeded
	case repeated:
		return cloudtest.ErrRepeat
	case crashAfter:
		a.dead = true
		return errDead
	default: // what came before the effect, or nothing
	}
	return nil
}

// release lets a call through, or does to it what the schedule says.
func (s *stage) release(g *gate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := g.actor
	s.current = a
	p := pointOf(a.role(), g.call)
	k := s.planted(a, p)
	s.points[p]++
	s.steps = append(s.steps, step{actor: a, call: g.call, kind: k})
	if k != "" {
		s.hits[cell{p, k}]++
		a.hurt = true
		if a.published || p.Method == "Topic.Publish" {
			a.harmed++
		}
	}
	switch k {
	case throttled:
		g.answer <- errThrottled
	case timedOut:
		g.answer <- context.DeadlineExceeded
	case crashBefore:
		a.dead = true
		g.answer <- errDead
	default:
		a.pending[g.call.Number] = k
		g.answer <- nil
	}
}

// planted tells what befalls a call, by counting those of its point.
func (s *stage) planted(a *actor, p point) kind {
	nth := s.counts[p]
	s.counts[p]++
	then := a.then
	a.then = ""
	for _, f := range s.Faults {
		if f.Role == p.Role && f.Method == p.Method && f.Nth == nth {
			a.then = f.Then
			return f.Kind
		}
	}
	return then
}

// story tells what happened.
func (s *stage) story() string {
	var b strings.Builder
	for i, p := range s.Parts {
		fmt.Fprintf(&b, "actor %d: %s\n", i, p)
	}
	for _, st := range s.steps {
		fmt.Fprintf(&b, "%d ", st.actor.index)
		switch {
		case st.text != "":
			fmt.Fprintln(&b, st.text)
		case st.kind != "":
			fmt.Fprintf(&b, "  %s %s  <- %s\n", st.call.Method, st.call.Key, st.kind)
		default:
			fmt.Fprintf(&b, "  %s %s\n", st.call.Method, st.call.Key)
		}
	}
	return b.String()
}
