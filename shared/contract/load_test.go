package contract

import "testing"

const datasets = "../datasets"

func TestDatasetsLoad(t *testing.T) {
	contracts, err := LoadDir(datasets)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range contracts {
		if len(c.Digest) != 64 || len(c.Columns) == 0 {
			t.Errorf("%s: digest %q, %d columns", c.File, c.Digest, len(c.Columns))
		}
	}
}

// What a Lambda does with the contract before it takes its first event.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := Load(datasets + "/coin_markets.odcs.yaml"); err != nil {
			b.Fatal(err)
		}
	}
}
