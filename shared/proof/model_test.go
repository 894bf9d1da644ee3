package proof

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"tributary/shared/cloud/cloudtest"
)

// checks is how many schedules each of the two families plays unless -rapid.checks says otherwise.
const checks = 5000

// leastHits is how often every fault has to befall every point in that many schedules.
const leastHits = 20

func TestMain(m *testing.M) {
	flag.Parse()
	given := os.Getenv("RAPID_CHECKS") != ""
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		n := checks
		if testing.Short() {
			n /= 2 // and rapid plays a fifth of it
		}
		if err := flag.Set("rapid.checks", strconv.Itoa(n)); err != nil {
			panic(err)
		}
	}
	debug.SetGCPercent(400) // what a schedule leaves is small and soon garbage
	if err := compileEditions(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestModel plays schedules of both families and holds each end against clean runs.
func TestModel(t *testing.T) {
	raw, err := ingested()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("families", func(t *testing.T) {
		t.Run("process", func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { play(t, "process", raw, drawProcess) })
		})
		t.Run("whole way", func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { play(t, "whole way", cloudtest.NewBucket("raw", nil), drawWholeWay) })
		})
	})
	t.Logf("%d schedules, %d calls, %d faults\n%s", covered.schedules, covered.calls, covered.faults, covered.table())
	if t.Failed() || covered.schedules < 2*checks {
		return
	}
	for _, gap := range covered.gaps(leastHits) {
		t.Error(gap)
	}
}

// failing names the family that has met a failure: the other one need not go on.
var failing atomic.Pointer[string]

func play(t *rapid.T, family string, raw *cloudtest.Bucket, draw func(*rapid.T) []part) {
	if other := failing.Load(); other != nil && *other != family {
		return
	}
	s := newStage(newWorld(raw), schedule{Parts: draw(t), Turns: drawTurns(t), Faults: drawFaults(t)})
	s.watch = s.look
	rapid.SyncTest(t, func(*rapid.T) { s.play() })
	problem := s.check()
	if problem == "" {
		problem = s.checkRepeats()
	}
	if problem != "" {
		failing.CompareAndSwap(nil, &family)
		t.Fatalf("%s\n%s", problem, s.story())
	}
	covered.add(s)
}

var (
	anyEdition     = rapid.IntRange(0, len(editions)-1)
	whats          = rapid.SampledFrom([]what{delivery, delivery, replays, forces})
	someNth        = rapid.SampledFrom([]int{0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 13, 17})
	someMisfortune = rapid.SampledFrom(misfortunes)
	thenKind       = rapid.SampledFrom(append([]kind{""}, kinds...))
	someEffect     = rapid.SampledFrom([]string{"Bucket.Put", "Upload.Complete", "Bucket.Delete", "Table.Put", "Topic.Publish"})
	someTurns      = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) turn {
		turn := turn{To: rapid.IntRange(0, 9).Draw(t, "to")}
		if rapid.Bool().Draw(t, "at an effect") {
			turn.Before = someEffect.Draw(t, "before")
		} else {
			turn.After = rapid.IntRange(1, 15).Draw(t, "after")
		}
		return turn
	}), 0, 16)
	someFaults = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fault {
		m := someMisfortune.Draw(t, "misfortune")
		return fault{Role: m.Role, Method: m.Name, Nth: someNth.Draw(t, "nth"), Kind: m.kind, Then: thenKind.Draw(t, "then")}
	}), 0, 8)
)

func drawTurns(t *rapid.T) []turn   { return someTurns.Draw(t, "turns") }
func drawFaults(t *rapid.T) []fault { return someFaults.Draw(t, "faults") }

// drawProcess: a delivery of a run, a replay of it under another edition, a delivery of a second run, and perhaps more.
func drawProcess(t *rapid.T) []part {
	parts := []part{
		{What: delivery, Run: 0},
		{What: replays, Run: 0, Edition: rapid.IntRange(1, len(editions)-1).Draw(t, "edition of the replay")},
		{What: delivery, Run: 1, Edition: rapid.IntRange(0, 1).Draw(t, "edition of the second run")},
	}
	switch rapid.IntRange(0, 2).Draw(t, "again") {
	case 1:
		parts = append(parts, part{What: delivery, Run: 0, Edition: rapid.IntRange(0, 1).Draw(t, "edition of the second delivery")})
	case 2:
		parts = append(parts, part{What: replays, Run: 0, Edition: rapid.IntRange(1, len(editions)-1).Draw(t, "edition of the second replay")})
	}
	for range rapid.IntRange(0, 1).Draw(t, "more") {
		parts = append(parts, part{What: whats.Draw(t, "what"), Run: rapid.IntRange(0, 1).Draw(t, "run"), Edition: anyEdition.Draw(t, "edition")})
	}
	return arrange(t, parts)
}

// drawWholeWay: both runs are ingested, one of them twice at once; each event is delivered once or twice, and a replay follows.
func drawWholeWay(t *rapid.T) []part {
	parts := []part{
		{What: ingests, Run: 0},
		{What: ingests, Run: 0, Edition: 1},
		{What: ingests, Run: 1},
		{What: delivery, Run: 0},
		{What: delivery, Run: 1, Edition: rapid.IntRange(0, 1).Draw(t, "edition of the second run")},
		{What: replays, Run: 0, Edition: rapid.IntRange(1, len(editions)-1).Draw(t, "edition of the replay")},
	}
	if rapid.Bool().Draw(t, "twice") {
		parts = append(parts, part{What: delivery, Run: 0})
	}
	return arrange(t, parts)
}

// arrange puts parts into any order, and lets some be late.
func arrange(t *rapid.T, parts []part) []part {
	parts = rapid.Permutation(parts).Draw(t, "order")
	for i := range parts {
		if parts[i].What != ingests {
			parts[i].Late = rapid.IntRange(0, 7).Draw(t, "late") == 7
		}
	}
	return parts
}
