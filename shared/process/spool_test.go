package process

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/contract"
	"tributary/shared/record"
)

// fold gives what a spool hands out, sorted.
func fold(t *testing.T, s *spool) []string {
	t.Helper()
	var items []string
	err := errors.Join(s.seal(), s.each(func(item []byte) error {
		items = append(items, string(item))
		return nil
	}))
	if err := errors.Join(err, s.close()); err != nil {
		t.Fatal(err)
	}
	slices.Sort(items)
	return items
}

func TestSpoolKeepsTheNewest(t *testing.T) {
	dir := t.TempDir()
	noise := rand.New(rand.NewPCG(1, 2))
	held, spilled := newSpool(dir, 1<<30, 1<<30), newSpool(dir, 4<<10, 1<<30)
	want := map[string][2]string{}
	for n := range 20_000 {
		key, version := fmt.Sprintf("key-%d", noise.IntN(3000)), fmt.Sprintf("%04d", noise.IntN(50))
		item := fmt.Sprintf("%s %s %d", key, version, n)
		if old, ok := want[key]; !ok || version >= old[0] {
			want[key] = [2]string{version, item}
		}
		for _, s := range []*spool{held, spilled} {
			if err := s.add([]byte(key), []byte(version), []byte(item)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if held.files != nil || spilled.files == nil {
		t.Fatal("one of them should have spilled, and only one")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("files with a name: %v, %v", entries, err)
	}
	var items []string
	for _, v := range want {
		items = append(items, v[1])
	}
	slices.Sort(items)
	if diff := cmp.Diff(items, fold(t, held)); diff != "" {
		t.Errorf("in memory:\n%s", diff)
	}
	if diff := cmp.Diff(items, fold(t, spilled)); diff != "" {
		t.Errorf("in files:\n%s", diff)
	}
}

func TestSpoolIsBounded(t *testing.T) {
	s := newSpool(t.TempDir(), 1<<10, 8<<10)
	var full *spoolFullError
	for n := range 1000 {
		if err := s.add(fmt.Appendf(nil, "key-%d", n), nil, make([]byte, 100)); err != nil {
			if !errors.As(err, &full) {
				t.Error(err)
			}
			break
		}
	}
	if full == nil || failureOf(full) == nil {
		t.Error("a spool without limit")
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

func TestVersionsAreOrdered(t *testing.T) {
	number := func(f float64) record.Value { return record.Value{Kind: contract.Double, Float: f} }
	decimal := func(text string) record.Value { return record.Value{Kind: contract.Decimal, Text: []byte(text)} }
	integer := func(i int64) record.Value { return record.Value{Kind: contract.Integer, Int: i} }
	tests := []struct {
		name   string
		values []record.Value // ascending
	}{
		{"integers", []record.Value{integer(math.MinInt64), integer(-1), integer(0), integer(1), integer(math.MaxInt64)}},
		{"doubles", []record.Value{number(-math.MaxFloat64), number(-1.5), number(-1), number(0), number(math.SmallestNonzeroFloat64), number(2), number(1e300)}},
		{"decimals", []record.Value{decimal("-100.00"), decimal("-99.99"), decimal("-0.01"), decimal("0.00"), decimal("0.01"), decimal("9.99"), decimal("10.00")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for i := 1; i < len(test.values); i++ {
				a, b := appendOrdered(nil, &test.values[i-1]), appendOrdered(nil, &test.values[i])
				if bytes.Compare(a, b) >= 0 {
					t.Errorf("%+v is not before %+v", test.values[i-1], test.values[i])
				}
			}
		})
	}
	zero, negative := number(0), number(math.Copysign(0, -1))
	if !bytes.Equal(appendOrdered(nil, &zero), appendOrdered(nil, &negative)) {
		t.Error("0 and -0 differ")
	}
}

func TestWholeRunes(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"whole", "Köln", "Köln"},
		{"ends whole", "Kö", "Kö"},
		{"two bytes cut", "K\xc3", "K"},
		{"four bytes cut", "a\xf0\x9f\x98", "a"},
		{"not UTF-8", "a\xff", "a\xff"},
		{"empty", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := string(wholeRunes([]byte(test.text))); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestSubject(t *testing.T) {
	long := subject("[tributary dev] " + string(bytes.Repeat([]byte("ü\n"), 100)))
	if len(long) != maxSubject || long[:20] != "[tributary dev] ????" || long[97:] != "..." {
		t.Errorf("got %q", long)
	}
}
