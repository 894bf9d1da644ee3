package engine

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

func TestPeerDoesTheWholeWork(t *testing.T) {
	var lines []string
	in, _ := coins(t, 2000, func(all []string) {
		lines = all
		lines[7] = strings.Replace(lines[7], `"current_price":`, `"current_price":"n/a","was":`, 1)
		lines[1999] = lines[1]
	})
	out := filepath.Join(t.TempDir(), "coins.parquet")

	got, err := Peer(t.Context(), Options{Contract: contractPath, In: in, Out: out, Records: -1})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{2000, 1998, 2}, []int64{got.Rows, got.Clean, got.Rejected}); diff != "" {
		t.Errorf("rows, clean, rejected (-want +got):\n%s", diff)
	}

	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	if file.NumRows() != 1998 {
		t.Errorf("Parquet has %d rows, want 1998", file.NumRows())
	}

	type reject struct {
		Index      int64
		Violations []string
		Record     string
	}
	var rejects []reject
	text, err := os.ReadFile(out + ".rejects.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	for decoder := json.NewDecoder(bytes.NewReader(text)); decoder.More(); {
		var r reject
		if err := decoder.Decode(&r); err != nil {
			t.Fatal(err)
		}
		rejects = append(rejects, r)
	}
	want := []reject{
		{7, []string{"/current_price: type"}, strings.TrimSuffix(lines[7], "\n")},
		{1999, []string{"/id: unique"}, strings.TrimSuffix(lines[1], "\n")},
	}
	if diff := cmp.Diff(want, rejects); diff != "" {
		t.Errorf("rejects (-want +got):\n%s", diff)
	}
}
