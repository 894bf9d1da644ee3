package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"tributary/shared/cloud/cloudtest"
	"tributary/shared/contract"
	"tributary/shared/zone"
)

var errPlanted = errors.New("planted fault")

// actor is one function instance: its calls pass its own faults.
type actor struct {
	*Processor
	faults  *cloudtest.Faults
	event   json.RawMessage
	request string
}

// handle is one invocation.
func (a *actor) handle() error {
	_, err := a.Handle(a.invocation(), a.event)
	return err
}

// invocation is the context in which Lambda calls: every retry has the same request id.
func (a *actor) invocation() context.Context {
	return lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: a.request})
}

func (w *world) actor(c *contract.Contract, event json.RawMessage) *actor {
	a := &actor{Processor: w.processor(c), faults: &cloudtest.Faults{}, event: event, request: fmt.Sprintf("request-%d", w.attempts.Add(1))}
	a.Raw = w.raw.With(a.faults)
	lake := w.lake.With(a.faults)
	a.Lake, a.Audit = lake, lake
	a.Rejects = w.rejects.With(a.faults)
	a.Table = w.table.With(a.faults)
	a.Alerts = w.topic.With(a.faults)
	a.Options.FileRecords = 3
	return a
}

// deliver hands the actor its event, as often as Lambda and the failure queue would until it is done.
func (a *actor) deliver(t testing.TB) {
	t.Helper()
	var err error
	for range 5 {
		if err = a.handle(); err == nil {
			return
		}
	}
	t.Fatalf("does not come to an end: %v", err)
}

// story is what happened before an actor's delivery, and the delivery itself.
type story struct {
	name   string
	before func(t testing.TB, w *world, event json.RawMessage)
	actor  func(t testing.TB, w *world, event json.RawMessage) *actor
	pages  []page
}

func first(contracts func(testing.TB) *contract.Contract) func(testing.TB, *world, json.RawMessage) {
	return func(t testing.TB, w *world, event json.RawMessage) { w.actor(contracts(t), event).deliver(t) }
}

func under(contracts func(testing.TB) *contract.Contract) func(testing.TB, *world, json.RawMessage) *actor {
	return func(t testing.TB, w *world, event json.RawMessage) *actor { return w.actor(contracts(t), event) }
}

func versionOne(t testing.TB) *contract.Contract { return testContract(t) }

func strict(t testing.TB) *contract.Contract {
	return testContract(t, edit{"version: 1.0.0", "version: 2.0.0"}, edit{"minimum: 0", "minimum: 1900"})
}

// long makes records that fill several parts of an upload, compressed too.
func long() []page {
	var pages []page
	noise := rand.New(rand.NewPCG(1, 2))
	for n := range 2 {
		var records []string
		for i := range 12 {
			score := fmt.Sprint(i)
			if i%3 == 0 {
				score = "-1"
			}
			var email strings.Builder
			for range 300 {
				fmt.Fprintf(&email, "%016x", noise.Uint64())
			}
			records = append(records, person(fmt.Sprintf("p%d-%d", n, i), "score", score, "email", `"`+email.String()+`"`))
		}
		pages = append(pages, jsonPage(records...))
	}
	return pages
}

func stories() []story {
	none := func(testing.TB, *world, json.RawMessage) {}
	return []story{
		{"first delivery", none, under(versionOne), mixed()},
		{"first delivery, clean", none, under(versionOne), []page{jsonPage(person("a"), person("b"))}},
		{"first delivery, held", none, under(strict), mixed()},
		{"first delivery, unreadable", none, under(versionOne), []page{jsonPage(person("a")), {body: []byte("<html>"), records: -1}}},
		{"replay under a mended contract", first(versionOne), under(versionTwo), mixed()},
		{"replay that is held", first(versionOne), under(strict), mixed()},
		{"replay of a held run", first(strict), func(t testing.TB, w *world, event json.RawMessage) *actor {
			return w.actor(testContract(t, edit{"version: 1.0.0", "version: 3.0.0"}), event)
		}, mixed()},
		{"forced replay", first(versionOne), func(t testing.TB, w *world, _ json.RawMessage) *actor {
			return w.actor(versionOne(t), replay(true))
		}, mixed()},
		{"uploads of several parts", none, under(versionOne), long()},
	}
}

// faultHook fails one moment of one call; when it kills, every later call of that invocation fails as well.
func faultHook(number int, after, kill bool) (hook func(cloudtest.Call) error, hit func() bool) {
	var mu sync.Mutex
	dead, seen := false, false
	return func(c cloudtest.Call) error {
			mu.Lock()
			defer mu.Unlock()
			if dead || !seen && c.Number == number && c.After == after {
				seen, dead = true, kill
				return fmt.Errorf("%w %s", errPlanted, c)
			}
			return nil
		}, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return seen
		}
}

// TestEveryFaultConverges fails every call of every story, before and after its effect, by an error and by death, and
// delivers again: the end is that of a clean run.
func TestEveryFaultConverges(t *testing.T) {
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			start := func() (*world, *actor) {
				w := newWorld(t)
				event := w.ingest(scheduled, nil, s.pages...)
				s.before(t, w, event)
				return w, s.actor(t, w, event)
			}
			clean, undisturbed := start()
			undisturbed.deliver(t)
			want, messages := clean.state(), len(clean.topic.Messages())
			points := 0
			for number := 1; ; number++ {
				reached := false
				for _, mode := range []struct{ after, kill bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
					w, a := start()
					hook, hit := faultHook(number, mode.after, mode.kill)
					a.faults.Hook = hook
					err := a.handle()
					a.faults.Hook = nil
					if !hit() {
						continue
					}
					reached = true
					points++
					// A fault while an upload is aborted, and one lost answer that was recognised, do no harm.
					if err != nil && !errors.Is(err, errPlanted) {
						t.Errorf("call %d, after %v, killed %v: the error is not the fault: %v", number, mode.after, mode.kill, err)
					}
					if err == nil && mode.kill && number < len(a.faults.Calls()) {
						t.Errorf("call %d, after %v: killed, and no error", number, mode.after)
					}
					leftovers := w.lake.Uploads() + w.rejects.Uploads()
					if !mode.kill && leftovers > 1 {
						t.Errorf("call %d, after %v: %d uploads were not aborted", number, mode.after, leftovers)
					}
					published := slices.IndexFunc(a.faults.Calls(), func(c cloudtest.Call) bool { return c.Method == "Topic.Publish" }) + 1
					a.deliver(t)
					if n := len(w.topic.Messages()); n > messages && (published == 0 || number < published || number == published && !mode.after) {
						t.Errorf("call %d, after %v, killed %v: %d alerts, want %d", number, mode.after, mode.kill, n, messages)
					}
					got := w.state()
					got.Uploads = want.Uploads
					if diff := cmp.Diff(want, got); diff != "" {
						t.Fatalf("call %d, after %v, killed %v: %v\n%s", number, mode.after, mode.kill, err, diff)
					}
				}
				if !reached {
					break
				}
			}
			t.Logf("%d fault points", points)
			if points < 20 {
				t.Errorf("only %d fault points", points)
			}
		})
	}
}

// TestRepeatedRequestsAreRecognised loses the answer of every call once, so that the SDK sends it again: a conditional
// write is then refused by its own success, and the invocation goes on as if nothing had been.
func TestRepeatedRequestsAreRecognised(t *testing.T) {
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			start := func() (*world, *actor) {
				w := newWorld(t)
				event := w.ingest(scheduled, nil, s.pages...)
				s.before(t, w, event)
				return w, s.actor(t, w, event)
			}
			clean, undisturbed := start()
			undisturbed.deliver(t)
			want := clean.state()
			for number := 1; ; number++ {
				w, a := start()
				hit := false
				a.faults.Hook = func(c cloudtest.Call) error {
					if c.Number == number && c.After {
						hit = true
						return cloudtest.ErrRepeat
					}
					return nil
				}
				err := a.handle()
				if !hit {
					break
				}
				got, call := w.state(), a.faults.Calls()[number-1]
				if call.Method == "Upload.Begin" {
					got.Uploads = want.Uploads // the first is nobody's: the bucket's lifecycle removes it
				}
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Fatalf("%s: %v\n%s", call, err, diff)
				}
			}
		})
	}
}

// TestOvertakenRemovalSparesNewerFile lets a newer attempt write a file that the older one is about to remove.
func TestOvertakenRemovalSparesNewerFile(t *testing.T) {
	w := newWorld(t)
	event := w.ingest(scheduled, nil, mixed()...)
	w.actor(versionOne(t), event).deliver(t) // two files of rejects
	old, young := w.actor(versionTwo(t), event), w.actor(testContract(t, edit{"version: 1.0.0", "version: 1.2.0"}), event)
	done := false
	old.faults.Hook = func(c cloudtest.Call) error {
		if c.Method == "Bucket.Delete" && !c.After && !done {
			done = true
			young.deliver(t)
		}
		return nil
	}
	old.deliver(t)
	row := w.auditRow(scheduled)
	if !done || row.ContractVersion != "1.2.0" || len(row.RejectFiles) != 2 || len(w.rejects.Bodies()) != 2 {
		t.Errorf("audit %+v, rejects %v", row, slices.Sorted(maps.Keys(w.rejects.Bodies())))
	}
}

// turns lets actors run one call at a time.
type turns struct {
	wait map[*actor]chan struct{} // sent to: make one more call
	held map[*actor]chan bool     // received from: true, a call waits; false, the invocation has ended
}

func newTurns(t testing.TB, actors ...*actor) *turns {
	s := &turns{wait: map[*actor]chan struct{}{}, held: map[*actor]chan bool{}}
	for _, a := range actors {
		wait, held := make(chan struct{}), make(chan bool)
		s.wait[a], s.held[a] = wait, held
		a.faults.Hook = func(c cloudtest.Call) error {
			if !c.After {
				held <- true
				<-wait
			}
			return nil
		}
		go func() {
			if err := a.handle(); err != nil {
				t.Logf("interrupted: %v", err)
			}
			held <- false
		}()
	}
	return s
}

// step lets the actor make up to n calls, and reports whether it waits to make another.
func (s *turns) step(a *actor, waiting bool, n int) bool {
	for ; waiting && n > 0; n-- {
		s.wait[a] <- struct{}{}
		waiting = <-s.held[a]
	}
	return waiting
}

// TestTwoAtOnce stops a first delivery before its k-th call, lets a second make m calls, lets the first end and then
// the second, for every k and m, and delivers both again: the end is that of one after the other.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	records := func(ids ...string) page {
		for i, id := range ids {
			ids[i] = person(id, "active", "true", "flag", "false")
		}
		return jsonPage(ids...)
	}
	tests := []struct {
		name   string
		second func(testing.TB) *contract.Contract
		engine string
		pages  []page
	}{
		{"the same", versionOne, "engine-1", mixed()},
		{"a newer contract", versionTwo, "engine-1", mixed()},
		{"a newer contract that holds the run", strict, "engine-1", mixed()},
		{"another build", otherBuild, "engine-2", []page{records("a", "b"), records("c", "d")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			start := func() (w *world, x, y *actor) {
				w = newWorld(t)
				event := w.ingest(scheduled, nil, test.pages...)
				x, y = w.actor(versionOne(t), event), w.actor(test.second(t), event)
				y.Revision = test.engine
				return w, x, y
			}
			var wants []state // y after x, and y alone, which then keeps x out
			for _, both := range []bool{true, false} {
				w, x, y := start()
				if both {
					x.deliver(t)
				}
				y.deliver(t)
				wants = append(wants, w.state())
			}
			schedules, stride := 0, 1
			if testing.Short() {
				stride = 3 // the race detector makes each of them ten times as long
			}
			for k := 0; ; k += stride {
				moreK := false
				for m := 0; ; m += stride {
					w, x, y := start()
					s := newTurns(t, x, y)
					atX, atY := <-s.held[x], <-s.held[y]
					atX = s.step(x, atX, k)
					moreK = moreK || atX
					atY = s.step(y, atY, m)
					moreM := atY
					s.step(x, atX, 1<<20)
					s.step(y, atY, 1<<20)
					schedules++
					sent := map[string]int{}
					for _, message := range w.topic.Messages() {
						if sent[message.Attributes["alert_id"]]++; sent[message.Attributes["alert_id"]] > 1 {
							t.Errorf("first stopped before call %d, second before call %d: nobody died, and the alert came twice", k+1, m+1)
						}
					}
					x.faults.Hook, y.faults.Hook = nil, nil
					y.deliver(t)
					if x.Revision == y.Revision { // else the build is replaced, and x's retry is another delivery to y
						x.deliver(t)
					}
					y.deliver(t)
					if problem := oneOf(wants, w.state()); problem != "" {
						t.Fatalf("first stopped before call %d, second before call %d:\n%s", k+1, m+1, problem)
					}
					if !moreM {
						break
					}
				}
				if !moreK {
					break
				}
			}
			t.Logf("%d schedules", schedules)
		})
	}
}

// ignoreClaim leaves out of the order of items the number of the claim, its last part.
var ignoreClaim = cmp.FilterPath(func(p cmp.Path) bool {
	return len(p) > 0 && p.Index(1).String() == fmt.Sprintf("[%q]", zone.ItemOrder) && p.Last().String() == ".Text"
}, cmp.Comparer(func(a, b string) bool { return path.Dir(a) == path.Dir(b) }))

// oneOf compares lake, rejects and audit with the outcomes that an order of clean runs can have. Of the overtaken
// delivery, which comes first in that order, alert and items may be there or not: it depends on how far it came.
func oneOf(wants []state, got state) string {
	for id, text := range got.Alerts {
		if wants[0].Alerts[id] == "" {
			return "unknown alert: " + text
		}
	}
	for id, text := range wants[1].Alerts {
		if got.Alerts[id] == "" {
			return "missing alert: " + text
		}
	}
	for key, item := range got.Items {
		if diff := cmp.Diff(wants[0].Items[key], item, ignoreClaim); diff != "" {
			return "unknown item: " + diff
		}
	}
	for key := range wants[1].Items {
		if got.Items[key] == nil {
			return "missing item: " + key
		}
	}
	var diffs string
	for _, want := range wants {
		got.Alerts, got.Items = want.Alerts, want.Items
		for key, row := range want.Audit { // how many claims there were is a matter of how they met
			row.Claim = got.Audit[key].Claim
			want.Audit[key] = row
		}
		diff := cmp.Diff(want, got)
		if diff == "" {
			return ""
		}
		diffs += diff
	}
	return diffs
}
