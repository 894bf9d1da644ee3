package record

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// doubles draws numbers as APIs print them: shortest forms of every size, fixed numbers of digits on both sides of the
// point, exponents.
func doubles(r *rand.Rand, n int) []string {
	texts := make([]string, n)
	for i := range texts {
		f := math.Pow(10, r.Float64()*30-10) * (r.Float64() - 0.5)
		switch i % 6 {
		case 0, 1:
			texts[i] = strconv.FormatFloat(f, 'f', -1, 64)
		case 2:
			texts[i] = strconv.FormatFloat(f, 'e', -1, 64)
		case 3:
			texts[i] = strconv.FormatFloat(f, 'f', r.IntN(12), 64)
		case 4:
			texts[i] = strconv.Itoa(r.IntN(1<<r.IntN(62))) + "." + fmt.Sprintf("%0*d", 1+r.IntN(17), r.IntN(1<<r.IntN(56)))
		case 5:
			texts[i] = strconv.FormatFloat(math.Float64frombits(r.Uint64()&^(1<<62)), 'g', -1, 64)
		}
	}
	return texts
}

// Whatever way a double is read, it is the one that strconv reads.
func TestDoublesAreThoseOfStrconv(t *testing.T) {
	plan := dataset{columns: "- {name: n, logicalType: number}"}.plan(t)
	texts := doubles(rand.New(rand.NewPCG(1, 2)), 300_000)
	got, summary, err := run(t, plan, strings.NewReader(`{"n":`+strings.Join(texts, "}\n{\"n\":")+"}"))
	if err != nil {
		t.Fatal(err)
	}
	if summary.Clean != int64(len(texts)) {
		t.Fatalf("%d of %d are clean: %v", summary.Clean, len(texts), summary.ByRule)
	}
	for i, row := range got.Rows {
		want, err := strconv.ParseFloat(texts[i], 64)
		if err != nil {
			t.Fatal(err)
		}
		if row != "n="+fmt.Sprint(want) {
			t.Fatalf("%s is read as %s, want %v", texts[i], row, want)
		}
	}
}
