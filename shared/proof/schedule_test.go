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
	"tributary/shared/ingest"
	"tributary/shared/process"
	"tributary/shared/zone"
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
	Once    bool // nobody invokes it again: its event is lost when it fails
}

type what string

const (
	ingests  what = "ingest"
	delivery what = "deliver"
	replays  what = "replay"
	forces   what = "force"

	reconciles what = "reconcile" // a later ingest looks back, when whatever was lost has settled
	continues  what = "continue"  // an ingest of a source with an incremental cursor
)

func (p part) String() string {
	text := fmt.Sprintf("%s run %d", p.What, p.Run)
	switch p.What {
	case ingests, continues:
		text += fmt.Sprintf(", instance %d", p.Edition)
	case reconciles:
		text = string(p.What)
	case delivery, replays, forces:
		text += fmt.Sprintf(" under %s", editions[p.Edition].name)
	}
	if p.Late {
		text += ", late"
	}
	if p.Once {
		text += ", once"
	}
	return text
}

// processing tells whether the part is played by the process function.
func (p part) processing() bool { return p.What == delivery || p.What == replays || p.What == forces }

func (p part) role() string {
	if p.processing() {
		return "process"
	}
	return "ingest"
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
	slow        kind = "slow" // has taken nearly all the time that the invocation has
)

var kinds = []kind{throttled, timedOut, lost, repeated, crashBefore, crashAfter, slow}

// befalls tells whether a kind means anything to a function: ingest looks at the time only before it waits for its source.
func (k kind) befalls(role string) bool { return k != slow || role == "process" }

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
	slowed  bool // in some invocation, a call was slow
	given   bool // up, as nobody invokes it again
	moment  int  // in the story, when it was given up; of who looks back, when it was invoked first
	run     int  // that the ingest function asks its source for
	sees    *invocation
	started *cloudtest.Function // by the ingest function

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
	watch   func() string       // looks at the world after each call that changed a bucket
	seen    int                 // versions of the buckets at the last look
	feed    *feed               // of a source with an incremental cursor
	cursor  string              // the greatest that its state was seen at
	ids     map[string][]string // of the records in a raw page

	mu    sync.Mutex
	gates []*gate
}

func newStage(w *world, s schedule) *stage {
	st := &stage{world: w, schedule: s, counts: map[point]int{}, points: map[point]int{}, hits: map[cell]int{}, feed: &feed{has: 2}, ids: map[string][]string{}}
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
			if a.Once {
				text += ", and nobody invokes it again"
				a.state, a.given, a.moment = done, true, len(s.steps)
			}
		}
		s.steps = append(s.steps, step{actor: a, text: text})
		s.follow(a)
		if a.published {
			s.excess += a.harmed
		}
		if a.state == waiting && a.invoked == maxInvocations {
			s.fault = fmt.Sprintf("%s does not come to an end: %v", a.part, a.err)
		}
	}
	if versions := s.lake.Versions() + s.raw.Versions(); s.watch != nil && s.fault == "" && versions != s.seen {
		s.seen = versions
		s.fault = s.watch()
	}
	return false
}

// follow lets those come whom an ended invocation has started.
func (s *stage) follow(a *actor) {
	if a.started == nil {
		return
	}
	for _, payload := range a.started.Started() {
		run := slices.IndexFunc(runs, func(r scheduled) bool { return strings.Contains(payload, r.ID()) })
		if run < 0 {
			s.fault = "an ingest starts " + payload
			return
		}
		asked := s.editionsOf(run) // what is deployed is the newest
		s.actors = append(s.actors, &actor{part: part{What: replays, Run: run, Edition: asked[len(asked)-1]}, index: len(s.actors)})
	}
	a.started = nil
}

func (s *stage) anyWaiting() bool {
	return slices.ContainsFunc(s.actors, func(a *actor) bool { return a.state != done && !s.never(a) })
}

// never tells of an event that does not come: of a manifest that nobody is left to write.
func (s *stage) never(a *actor) bool {
	if !a.processing() {
		return false
	}
	if _, ok := s.event(a.Run); ok {
		return false
	}
	return !slices.ContainsFunc(s.actors, func(a *actor) bool { return !a.processing() && a.state != done })
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
// way to another, and who is out of Lambda's retries and waits for somebody to take it from the failure queue, until
// somebody has looked back.
func (s *stage) startable() []*actor {
	busy := slices.ContainsFunc(s.actors, func(a *actor) bool { return a.state == running })
	var list, late []*actor
	for _, a := range s.actors {
		if a.state != waiting {
			continue
		}
		if a.processing() {
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
	rank := func(a *actor) int {
		switch {
		case a.What == reconciles:
			return 0
		case a.invoked == 0:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(late, func(a, b *actor) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), rarest(a, b)) })
	if len(list) == 0 && !busy && len(late) > 0 {
		return late[:1]
	}
	return list
}

// lambdaTries is how often Lambda hands over an event by itself.
const lambdaTries = 3

// start invokes an actor's function.
func (s *stage) start(a *actor) {
	switch {
	case a.What == reconciles && a.invoked == 0:
		a.moment = len(s.steps)
		s.now = s.now.Add(ingest.Settled + time.Minute)
	case a.What == reconciles: // its retry comes at once
	case a.invoked >= lambdaTries || a.Late && a.invoked == 0:
		s.fault = s.lookedBack()
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
	a.sees = s.invocation(lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: request}))
	faults := &cloudtest.Faults{Hook: func(c cloudtest.Call) error { return s.pass(a, c) }}
	go func() {
		err := s.invoke(a, faults)
		s.mu.Lock()
		defer s.mu.Unlock()
		a.state, a.err = ended, err
	}()
}

func (s *stage) invoke(a *actor, faults *cloudtest.Faults) error {
	switch a.What {
	case ingests:
		ingester, err := s.ingester(editions[0].contract, api{func() int { return a.Run }, a.Edition}, a.Edition, faults)
		if err != nil {
			return err
		}
		_, err = ingester.Run(a.sees, runs[a.Run].Run)
		return err
	case reconciles:
		return s.reconcile(a, faults)
	case continues:
		return s.carryOn(a, faults)
	case delivery, replays, forces:
	}
	payload, _ := s.event(a.Run)
	if a.What != delivery {
		payload = replay(a.Run, a.What == forces)
	}
	results, err := s.processor(a.sees, editions[a.Edition], faults).Handle(a.sees, payload)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !a.dead {
		a.results = append(a.results, results...)
	}
	return err
}

// lookedBack holds, before anything comes behind it, that somebody who has looked back leaves no run that was given up before
// and is not done.
func (s *stage) lookedBack() string {
	looked := slices.IndexFunc(s.actors, func(a *actor) bool { return a.What == reconciles && a.state == done })
	if looked < 0 || slices.ContainsFunc(s.actors, func(a *actor) bool {
		return a.state == waiting && !a.Late || a.Late && a.processing() && a.invoked > 0 || a.given && a.moment > s.actors[looked].moment
	}) {
		return ""
	}
	for run := range runs {
		if _, there := s.event(run); !there {
			continue
		}
		if o, err := s.outcomeOf(run); err != nil || o.Audit.State != zone.StateDone {
			return fmt.Sprintf("run %d is %q by contract %s, and nobody has started it again: %v", run, o.Audit.State, o.Audit.ContractVersion, err)
		}
	}
	return ""
}

// reconcile looks back from a run of this time.
func (s *stage) reconcile(a *actor, faults *cloudtest.Faults) error {
	ingester, err := s.ingester(editions[0].contract, api{func() int { return a.run }, 2}, 2, faults)
	if err != nil {
		return err
	}
	a.started = cloudtest.NewFunction("process", faults, func(context.Context, []byte) ([]byte, error) { return nil, errDead })
	reconciler := ingest.Reconciler{
		Ingester: ingester, Raw: s.raw.With(faults), Audit: s.lake.With(faults), Process: a.started, Now: a.sees.now,
	}
	done, err := reconciler.Reconcile(a.sees, zone.NewRun("people", s.now), true)
	if err != nil {
		return err
	}
	return done.Left
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
	if i := slices.IndexFunc(runs, func(r scheduled) bool { return strings.HasSuffix(g.call.Key, r.ManifestKey()) }); i >= 0 {
		a.run = i // whoever brings a run looks for its manifest first
	}
	p := pointOf(a.role(), g.call)
	k := s.planted(a, p)
	s.points[p]++
	s.steps = append(s.steps, step{actor: a, call: g.call, kind: k})
	if k != "" {
		s.hits[cell{p, k}]++
		a.hurt = true
		if k == slow {
			a.slowed = true
			a.sees.slow.Store(true)
		} else if a.published || p.Method == "Topic.Publish" {
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
	if !then.befalls(p.Role) {
		return ""
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
