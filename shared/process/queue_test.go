package process

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tributary/shared/contract"
)

func TestQueueKeepsEveryItemInOrder(t *testing.T) {
	dir := t.TempDir()
	held, spilled := newQueue(dir, 1<<30, 1<<30), newQueue(dir, 4<<10, 1<<30)
	var want []string
	for n := range 5000 {
		want = append(want, fmt.Sprintf("item %d", n))
		for _, q := range []*queue{held, spilled} {
			if err := q.add([]byte(want[n])); err != nil {
				t.Fatal(err)
			}
		}
	}
	if held.file != nil || spilled.file == nil {
		t.Fatal("one of them should have spilled, and only one")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("files with a name: %v, %v", entries, err)
	}
	for name, q := range map[string]*queue{"held": held, "spilled": spilled} {
		var got []string
		err := errors.Join(q.seal(), q.each(func(item []byte) error {
			got = append(got, string(item))
			return nil
		}), q.close())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestQueueTellsWhatDoesNotFit(t *testing.T) {
	q := newQueue(t.TempDir(), 64, 1000)
	var err error
	for range 200 {
		if err = q.add([]byte("0123456789")); err != nil {
			break
		}
	}
	if err = errors.Join(err, q.close()); !errors.As(err, new(*spoolFullError)) {
		t.Errorf("got %v, want that the spool is full", err)
	}
}

func TestKeyIsUnique(t *testing.T) {
	tests := []struct {
		name    string
		uniques [][]string
		sort    string
		want    bool
	}{
		{"the key", [][]string{{"id"}}, "", true},
		{"among others", [][]string{{"other"}, {"id"}}, "", true},
		{"key and sort key", [][]string{{"id", "day"}}, "day", true},
		{"half of a longer key", [][]string{{"id", "day"}}, "", false},
		{"key alone, sort key beside it", [][]string{{"id"}}, "day", true},
		{"none", nil, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &contract.Contract{Uniques: tt.uniques, Serving: &contract.Serving{PartitionKey: "id", SortKey: tt.sort}}
			if got := keyIsUnique(c); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}
