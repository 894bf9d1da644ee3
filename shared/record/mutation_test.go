package record

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"
)

var (
	mutations  = flag.Int("mutations", 100_000, "mutated inputs that TestMutations tries, over all targets")
	mutantSeed = flag.Uint64("mutations.seed", 1, "seed of TestMutations")
)

// TestMutations drives the properties of the fuzz targets with mutated seeds, without coverage guidance and so a hundred
// times as fast: go test ./shared/record -run TestMutations -mutations 10000000.
func TestMutations(t *testing.T) {
	number, values, page := numberAgrees(), valuesAgree(t), pageAgrees(t)
	targets := []struct {
		name   string
		share  int // of every 100 inputs: those that start a reader take a hundred times as long
		seeds  []string
		agrees func(*testing.T, string)
	}{
		{"number", 36, numberSeeds, number},
		{"timestamp", 30, timestampSeeds, timestampAgrees},
		{"skip", 30, append(skipSeeds, valueSeeds...), skipAgrees},
		{"values", 1, valueSeeds, values},
		{"shapes", 1, shapeSeeds, shapesAgree(t)},
		{"page", 1, pageSeeds, func(t *testing.T, text string) { page(t, []byte(text), false) }},
		{"blocks", 1, pageSeeds, blocksAgree(t)},
		{"keyed page", 1, keyedSeeds(), keyedAgree(t)},
		{"page below a pointer", 1, pageSeeds, func(t *testing.T, text string) { page(t, []byte(below(text)), true) }},
	}
	for i, target := range targets {
		t.Run(target.name, func(t *testing.T) {
			m := mutator{Rand: rand.New(rand.NewPCG(*mutantSeed, uint64(i))), seeds: target.seeds}
			var text string
			defer func() {
				if r := recover(); r != nil {
					t.Fatalf("%q: panic: %v", text, r)
				}
				if t.Failed() {
					t.Logf("input: %q", text)
				}
			}()
			for range *mutations * target.share / 100 {
				text = m.next()
				target.agrees(t, text)
			}
		})
	}
}

// tokens are what JSON and its edges are made of.
var tokens = []string{
	"{", "}", "[", "]", ",", ":", `"`, `\`, "\n", "null", "true", "false", "0", "-", "1", "9", ".", "e", "E", "+", "e9", "e-9", "e999", "00", "9223372036854775807",
	"-9223372036854775808", "0.1", `\u0000`, `\ud83d`, `\udc38`, `\"`, "\xff", "\xed\xa0\x80", "é", "🐸", "\x00", "\xef\xbb\xbf", " ", "\t",
	`"s":`, `"i":`, `"n":`, `"o":`, `"l":`, `"2025-03-04T14:45:50.155Z"`, "T", "Z", ":", "-", "60", "24", "{}", "[]", `{"s":"a"}`, "<html>",
}

// mutator makes inputs out of seeds.
type mutator struct {
	*rand.Rand
	seeds []string
}

func (m *mutator) next() string {
	text := []byte(m.seeds[m.IntN(len(m.seeds))])
	for range 1 + m.IntN(6) {
		at := m.IntN(len(text) + 1)
		switch m.IntN(7) {
		case 0: // another byte
			if at < len(text) {
				text[at] = byte(m.IntN(256))
			}
		case 1: // another bit
			if at < len(text) {
				text[at] ^= 1 << m.IntN(8)
			}
		case 2, 3: // a token more
			text = splice(text, at, at, tokens[m.IntN(len(tokens))])
		case 4: // a token in place of a few bytes
			text = splice(text, at, min(len(text), at+m.IntN(5)), tokens[m.IntN(len(tokens))])
		case 5: // a few bytes less
			text = splice(text, at, min(len(text), at+1+m.IntN(9)), "")
		case 6: // a part of another seed
			other := m.seeds[m.IntN(len(m.seeds))]
			from := m.IntN(len(other) + 1)
			text = splice(text, at, at, other[from:from+m.IntN(len(other)-from+1)])
		}
	}
	return string(text)
}

func splice(text []byte, from, to int, with string) []byte {
	return append(append(append([]byte{}, text[:from]...), with...), text[to:]...)
}

// A name that is no UTF-8 once became known by its first appearance, and the next record with it passed.
func TestBadNameIsToldInEveryRecord(t *testing.T) {
	got, summary, err := run(t, fuzzPlan(t), strings.NewReader("[{\"\xc1\":1},{\"\xc1\":1}]"))
	if err != nil {
		t.Fatal(err)
	}
	if summary.Rejected != 2 || len(got.rejects) != 2 {
		t.Errorf("%d rejected, want both: %v", summary.Rejected, got.outcome)
	}
}
