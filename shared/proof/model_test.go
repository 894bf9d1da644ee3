package proof

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"tributary/shared/cloud/cloudtest"
)

// checks is how many schedules each of the families plays unless -rapid.checks says otherwise.
const checks = 2600

// leastHits is how often every fault has to befall every point in that many schedules.
const leastHits = 20

// maxRounds is how often more schedules are played where that was not reached: each draw is luck.
const maxRounds = 10

func TestMain(m *testing.M) {
	flag.Parse()
	n := checks
	if testing.Short() {
		n /= 2 // and rapid plays a fifth of it
	}
	setDefault("rapid.checks", "RAPID_CHECKS", strconv.Itoa(n))
	setDefault("rapid.seed", "RAPID_SEED", strconv.Itoa(1+rand.IntN(1_000_000_000)))
	debug.SetGCPercent(400) // what a schedule leaves is small and soon garbage
	if err := errors.Join(compileEditions(), compileEvents()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// setDefault sets a flag of rapid that neither the command nor the environment gives.
func setDefault(name, variable, value string) {
	given := os.Getenv(variable) != ""
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	if given {
		return
	}
	set(name, value)
}

func set(name, value string) {
	if err := flag.Set(name, value); err != nil {
		panic(err)
	}
}

// countsFile holds what the last whole run played, for mage to show: the go command hides what a test prints that passes.
const countsFile = "../../.build/model.txt"

// family is a kind of schedules.
type family struct {
	name  string
	raw   func() *cloudtest.Bucket
	draw  func(*rapid.T) []part
	turns *rapid.Generator[[]turn]
	fault *rapid.Generator[[]fault]
	look  func(*stage) string // at any time
	check func(*stage) string // at the end
}

// TestModel plays schedules of all families and holds each end against clean runs.
func TestModel(t *testing.T) {
	raw, err := ingested()
	if err != nil {
		t.Fatal(err)
	}
	empty := func() *cloudtest.Bucket { return cloudtest.NewBucket("raw", nil) }
	families := []family{
		{"process", func() *cloudtest.Bucket { return raw }, drawProcess, someTurns, someFaults, (*stage).look, (*stage).checkAll},
		{"one run", func() *cloudtest.Bucket { return raw }, drawOneRun, fewTurns, someEvils, (*stage).look, (*stage).checkAll},
		{"whole way", empty, drawWholeWay, someTurns, someFaults, (*stage).look, (*stage).checkAll},
		{"incremental", empty, drawIncremental, someTurns, someFaults, (*stage).lookIncrements, (*stage).checkIncrements},
	}
	playAll := func(name string) bool {
		return t.Run(name, func(t *testing.T) {
			for _, f := range families {
				t.Run(f.name, func(t *testing.T) {
					t.Parallel()
					rapid.Check(t, f.play)
				})
			}
		})
	}
	seed := flag.Lookup("rapid.seed").Value.String()
	well := playAll("families")
	for round := 1; well && covered.schedules >= len(families)*checks && len(covered.gaps(leastHits)) > 0 && round <= maxRounds; round++ {
		set("rapid.checks", "200")
		set("rapid.seed", fmt.Sprint(seed, round))
		well = playAll(fmt.Sprint("more ", round))
	}
	counts := fmt.Sprintf("model: %d schedules, %d calls, %d faults; the same again: go test ./shared/proof -run TestModel -rapid.seed=%s\n%s",
		covered.schedules, covered.calls, covered.faults, seed, covered.table())
	t.Log(counts)
	if t.Failed() || covered.schedules < len(families)*checks {
		return
	}
	for _, gap := range covered.gaps(leastHits) {
		t.Error(gap)
	}
	if err := os.MkdirAll(filepath.Dir(countsFile), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(countsFile, []byte(counts), 0o600); err != nil {
		t.Fatal(err)
	}
}

// failing names the family that has met a failure: the other one need not go on.
var failing atomic.Pointer[string]

func (f family) play(t *rapid.T) {
	if other := failing.Load(); other != nil && *other != f.name {
		return
	}
	s := newStage(newWorld(f.raw()), schedule{Parts: f.draw(t), Turns: f.turns.Draw(t, "turns"), Faults: f.fault.Draw(t, "faults")})
	s.watch = func() string { return f.look(s) }
	rapid.SyncTest(t, func(*rapid.T) { s.play() })
	if problem := f.check(s); problem != "" {
		failing.CompareAndSwap(nil, &f.name)
		t.Fatalf("%s\n%s", problem, s.story())
	}
	covered.add(s)
}

var (
	anyEdition     = rapid.IntRange(0, len(editions)-1)
	whats          = rapid.SampledFrom([]what{delivery, delivery, replays, forces})
	someNth        = rapid.SampledFrom([]int{0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 13, 17})
	soonNth        = rapid.SampledFrom([]int{0, 0, 0, 1, 1, 2, 3, 5})
	firstNth       = rapid.SampledFrom([]int{0, 0, 0, 1})
	someMisfortune = rapid.SampledFrom(misfortunes)
	thenKind       = rapid.SampledFrom(append([]kind{""}, kinds...))
	someEffect     = rapid.SampledFrom([]string{"Bucket.Put", "Upload.Complete", "Bucket.Delete", "Table.Put", "Topic.Publish"})
	someTurns      = rapid.SliceOfN(aTurn, 0, 16)
	fewTurns       = rapid.SliceOfN(aTurn, 0, 3) // the others play to their ends meanwhile
	aTurn          = rapid.Custom(func(t *rapid.T) turn {
		turn := turn{To: rapid.IntRange(0, 9).Draw(t, "to")}
		if rapid.Bool().Draw(t, "at an effect") {
			turn.Before = someEffect.Draw(t, "before")
		} else {
			turn.After = rapid.IntRange(1, 15).Draw(t, "after")
		}
		return turn
	})
	someFaults = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fault {
		m := someMisfortune.Draw(t, "misfortune")
		nth := someNth
		if m.rare() {
			nth = firstNth
		}
		return fault{Role: m.Role, Method: m.Name, Nth: nth.Draw(t, "nth"), Kind: m.kind, Then: thenKind.Draw(t, "then")}
	}), 0, 10)
	// someEvils end an invocation among its effects, and leave the next one no time.
	someEvils = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fault {
		return fault{
			Role: "process", Method: someEffect.Draw(t, "effect"), Nth: soonNth.Draw(t, "nth"),
			Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Then: rapid.SampledFrom([]kind{"", slow, slow, crashAfter}).Draw(t, "then"),
		}
	}), 0, 3)
)

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

// drawOneRun: one run is delivered, replayed or forced two to four times under two builds of one version.
func drawOneRun(t *rapid.T) []part {
	edition := rapid.IntRange(1, 2)
	parts := []part{{What: delivery, Edition: 1}}
	for range rapid.IntRange(1, 3).Draw(t, "more") {
		parts = append(parts, part{What: whats.Draw(t, "what"), Edition: edition.Draw(t, "edition")})
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

// newest is the edition that is deployed when all parts are over.
func newest(parts []part, run int) int {
	edition := 0
	for _, p := range parts {
		if p.processing() && p.Run == run {
			edition = max(edition, p.Edition)
		}
	}
	return edition
}

// drawIncremental: three runs of a source that grows, one of them twice at once and some cut short by the source, and one
// more when they are over.
func drawIncremental(t *rapid.T) []part {
	instance := rapid.IntRange(0, limited)
	parts := []part{
		{What: continues, Run: 0, Edition: instance.Draw(t, "instance")},
		{What: continues, Run: 0, Edition: instance.Draw(t, "other instance")},
		{What: continues, Run: 1, Edition: instance.Draw(t, "instance of the second run")},
		{What: continues, Run: 2, Edition: instance.Draw(t, "instance of the third run")},
	}
	parts = rapid.Permutation(parts).Draw(t, "order")
	for i := range parts {
		parts[i].Once = rapid.IntRange(0, 3).Draw(t, "once") == 3
	}
	return append(parts, part{What: continues, Run: 3, Late: true})
}

// arrange puts parts into any order, lets some be late, and some be nobody's to retry: then somebody looks back, and what
// lies in the failure queue is delivered once more.
func arrange(t *rapid.T, parts []part) []part {
	parts = rapid.Permutation(parts).Draw(t, "order")
	lonely := rapid.Bool().Draw(t, "lonely")
	for i := range parts {
		switch {
		case lonely:
			parts[i].Once = rapid.Bool().Draw(t, "once")
		case parts[i].What != ingests:
			parts[i].Late = rapid.IntRange(0, 7).Draw(t, "late") == 7
		}
	}
	if lonely {
		parts = append(parts, part{What: reconciles, Late: true})
		for run := range runs {
			parts = append(parts, part{What: delivery, Run: run, Edition: newest(parts, run), Late: true})
		}
	}
	return parts
}
